//! Requests about log groups.

use super::send::{Sending, To};
use crate::aws::operation::Operation;
use jwthttpapi_core::model::function::LogGroup;
use std::collections::{BTreeMap, BTreeSet};

/// Creates a log group with its tags. One that exists is a fault: whose it is has to be read first.
pub(super) fn create<'a>(to: To<'a>, log_group: &LogGroup) -> Sending<'a> {
    let request = to.session.logs().writes.create_log_group();
    let request = request
        .log_group_name(&log_group.name)
        .set_tags(Some(log_group.tags.clone().into_iter().collect()));
    to.change(Operation::CreateLogGroup, request.send())
}

pub(super) fn keep<'a>(to: To<'a>, log_group: &str, days: i32) -> Sending<'a> {
    let request = to.session.logs().writes.put_retention_policy();
    let request = request.log_group_name(log_group).retention_in_days(days);
    to.change(Operation::PutRetentionPolicy, request.send())
}

pub(super) fn tag<'a>(to: To<'a>, log_group: &str, tags: &BTreeMap<String, String>) -> Sending<'a> {
    let request = to.session.logs().writes.tag_resource();
    let request = request
        .resource_arn(to.session.place().log_group_arn(log_group))
        .set_tags(Some(tags.clone().into_iter().collect()));
    to.change(Operation::TagLogGroup, request.send())
}

pub(super) fn untag<'a>(to: To<'a>, log_group: &str, keys: &BTreeSet<String>) -> Sending<'a> {
    let request = to.session.logs().writes.untag_resource();
    let request = request
        .resource_arn(to.session.place().log_group_arn(log_group))
        .set_tag_keys(Some(keys.iter().cloned().collect()));
    to.remove(Operation::UntagLogGroup, request.send())
}

pub(super) fn delete<'a>(to: To<'a>, log_group: &str) -> Sending<'a> {
    let request = to.session.logs().writes.delete_log_group();
    to.remove(
        Operation::DeleteLogGroup,
        request.log_group_name(log_group).send(),
    )
}
