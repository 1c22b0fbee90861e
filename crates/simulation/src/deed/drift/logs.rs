//! The log groups of the object's own functions.

use super::{Drift, MORE, USER_TAG, WITHOUT_PROOF};
use crate::{ACCOUNT, REGION, world::World};
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client as Logs;

pub(super) async fn happen(drift: Drift, world: &World, config: &SdkConfig) {
    let logs = Logs::new(config);
    world.oracle().lost_logs(drift == Drift::DeleteLogs);
    for group in world.log_groups() {
        to(drift, &logs, &group).await;
    }
}

async fn to(drift: Drift, logs: &Logs, group: &str) {
    let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}");
    match drift {
        Drift::DeleteLogs => drop(logs.delete_log_group().log_group_name(group).send().await),
        Drift::KeepLogs => drop(logs.delete_retention_policy().log_group_name(group).send().await),
        Drift::ForgetLogs => {
            let put = logs.put_retention_policy().log_group_name(group);
            drop(put.retention_in_days(1).send().await);
        }
        Drift::DropLogTags => {
            let keys = WITHOUT_PROOF.map(str::to_owned).to_vec();
            drop(
                logs.untag_resource()
                    .resource_arn(arn)
                    .set_tag_keys(Some(keys))
                    .send()
                    .await,
            );
        }
        _ => {
            let tag = logs.tag_resource().resource_arn(arn);
            drop(tag.tags(USER_TAG, "somebody").tags(MORE, "somebody").send().await);
        }
    }
}
