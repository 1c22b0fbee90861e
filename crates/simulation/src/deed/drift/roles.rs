//! The role that invokes, and the roles that functions run under.

use super::{A_WHILE, Drift, MORE, USER_TAG, WITHOUT_PROOF};
use crate::world::World;
use aws_config::SdkConfig;
use aws_sdk_iam::{Client as Iam, types::Tag};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The name of the operator's own policy in a role.
const POLICY: &str = "jwthttpapi";
/// The name of the one that somebody else puts there.
pub(crate) const SOMEBODY: &str = "somebody";

pub(super) async fn happen(drift: Drift, world: &World, config: &SdkConfig) {
    let iam = Iam::new(config);
    for role in world.roles() {
        to(drift, world, &iam, &role).await;
    }
}

async fn to(drift: Drift, world: &World, iam: &Iam, role: &str) {
    match drift {
        Drift::DeletePolicy => delete_policy(iam, role, POLICY).await,
        Drift::DeleteRole => {
            delete_policy(iam, role, POLICY).await;
            drop(iam.delete_role().role_name(role).send().await);
        }
        Drift::WidenPolicy => put_policy(iam, role, POLICY, &allowing("lambda:*", "*")).await,
        Drift::NarrowPolicy => {
            let one = "arn:aws:lambda:eu-central-1:123456789012:function:nonesuch";
            put_policy(iam, role, POLICY, &allowing("lambda:InvokeFunction", one)).await;
        }
        Drift::DropBoundary => {
            drop(
                iam.delete_role_permissions_boundary()
                    .role_name(role)
                    .send()
                    .await,
            );
        }
        // One that nobody asks for stays: it only narrows.
        Drift::ChangeBoundary => {
            if is_bounded(world, role) {
                let put = iam.put_role_permissions_boundary().role_name(role);
                let other = "arn:aws:iam::123456789012:policy/somebody";
                drop(put.permissions_boundary(other).send().await);
            }
        }
        Drift::AttachPolicy => attach_for_a_while(iam, role).await,
        Drift::InlinePolicy => inline_for_a_while(iam, role).await,
        Drift::BreakTrust => {
            let trust = json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
            ]});
            let update = iam.update_assume_role_policy().role_name(role);
            drop(update.policy_document(trust.to_string()).send().await);
        }
        Drift::DropRoleTags => {
            let keys = WITHOUT_PROOF.map(str::to_owned).to_vec();
            drop(
                iam.untag_role()
                    .role_name(role)
                    .set_tag_keys(Some(keys))
                    .send()
                    .await,
            );
        }
        _ => {
            let tags = [USER_TAG, MORE].map(|key| Tag::builder().key(key).value("somebody").build().ok());
            let tags = tags.into_iter().flatten().collect();
            drop(iam.tag_role().role_name(role).set_tags(Some(tags)).send().await);
        }
    }
}

fn allowing(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": resource},
    ]})
}

async fn put_policy(iam: &Iam, role: &str, policy: &str, document: &Value) {
    let put = iam.put_role_policy().role_name(role).policy_name(policy);
    drop(put.policy_document(document.to_string()).send().await);
}

async fn delete_policy(iam: &Iam, role: &str, policy: &str) {
    let delete = iam.delete_role_policy().role_name(role).policy_name(policy);
    drop(delete.send().await);
}

fn is_bounded(world: &World, role: &str) -> bool {
    let state = world.sandbox().state();
    let mut roles = state["roles"].as_array().into_iter().flatten();
    roles.any(|known| known["RoleName"] == role && known["PermissionsBoundary"].is_object())
}

async fn attach_for_a_while(iam: &Iam, role: &str) {
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attach = iam.attach_role_policy().role_name(role).policy_arn(policy);
    drop(attach.send().await);
    let detach = iam.detach_role_policy().role_name(role).policy_arn(policy);
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        drop(detach.send().await);
    });
}

async fn inline_for_a_while(iam: &Iam, role: &str) {
    let policy = SOMEBODY;
    put_policy(iam, role, policy, &allowing("s3:GetObject", "*")).await;
    let (iam, role) = (iam.clone(), role.to_owned());
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        delete_policy(&iam, &role, policy).await;
    });
}
