//! CloudWatch Logs' answers.

use super::pages;
use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use futures::FutureExt;
use jwthttpapi_core::model::function::LogGroup;
use std::collections::BTreeMap;

/// Log groups whose names begin so, without their tags.
pub(super) async fn groups(session: &Session, prefix: &str) -> Result<Vec<LogGroup>, Fault> {
    let operation = Operation::DescribeLogGroups;
    let groups = pages(operation, |next| {
        let request = session.logs().reads.describe_log_groups();
        let request = request.log_group_name_prefix(prefix).set_next_token(next);
        let answer = session.read(operation, request.send());
        async move { answer.await.map(|page| (page.log_groups, page.next_token)) }.boxed()
    });
    let groups = groups.await?.into_iter().map(|group| LogGroup {
        name: group.log_group_name.unwrap_or_default(),
        retention_days: group.retention_in_days,
        tags: BTreeMap::new(),
    });
    Ok(groups.collect())
}

pub(super) async fn tags(session: &Session, log_group: &str) -> Result<BTreeMap<String, String>, Fault> {
    let request = session.logs().reads.list_tags_for_resource();
    let request = request.resource_arn(session.place().log_group_arn(log_group));
    let answer = session.read(Operation::ListLogGroupTags, request.send()).await?;
    Ok(answer.tags.into_iter().flatten().collect())
}
