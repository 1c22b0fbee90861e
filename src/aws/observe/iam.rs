//! IAM's answers.

use super::pages;
use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use futures::FutureExt;
use jwthttpapi_core::model::name::{ROLE_POLICY, RoleName};
use jwthttpapi_core::model::observed;
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub(super) async fn role(session: &Session, name: &RoleName) -> Result<observed::Role, Fault> {
    let operation = Operation::GetRole;
    let send = session.iam().reads.get_role().role_name(&name.name).send();
    let role = session.read(operation, send).await?.role;
    let role = role.ok_or_else(|| Fault::unreadable(operation, "the role"))?;
    let trust = role.assume_role_policy_document.unwrap_or_default();
    Ok(observed::Role {
        arn: role.arn,
        trust: document(&trust).ok_or_else(|| Fault::unreadable(operation, "a readable trust"))?,
        policy: None,
        boundary: role
            .permissions_boundary
            .and_then(|boundary| boundary.permissions_boundary_arn),
        tags: role
            .tags
            .into_iter()
            .flatten()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    })
}

pub(super) async fn policy(session: &Session, name: &RoleName) -> Result<Value, Fault> {
    let operation = Operation::GetRolePolicy;
    let request = session.iam().reads.get_role_policy();
    let send = request.role_name(&name.name).policy_name(ROLE_POLICY).send();
    let answer = session.read(operation, send).await?;
    document(&answer.policy_document).ok_or_else(|| Fault::unreadable(operation, "a readable policy"))
}

/// ARNs of the managed policies that are attached to a role.
pub(super) async fn attached(session: &Session, name: &RoleName) -> Result<Vec<String>, Fault> {
    let operation = Operation::ListAttachedRolePolicies;
    let attached = pages(operation, |marker| {
        let request = session.iam().reads.list_attached_role_policies();
        let send = request.role_name(&name.name).set_marker(marker).send();
        async move {
            let answer = session.read(operation, send).await?;
            Ok((
                answer.attached_policies,
                answer.marker.filter(|_| answer.is_truncated),
            ))
        }
        .boxed()
    });
    Ok(attached
        .await?
        .into_iter()
        .filter_map(|policy| policy.policy_arn)
        .collect())
}

/// Names of a role's inline policies.
pub(super) async fn inline(session: &Session, name: &RoleName) -> Result<Vec<String>, Fault> {
    let operation = Operation::ListRolePolicies;
    pages(operation, |marker| {
        let request = session.iam().reads.list_role_policies();
        let send = request.role_name(&name.name).set_marker(marker).send();
        async move {
            let answer = session.read(operation, send).await?;
            Ok((
                Some(answer.policy_names),
                answer.marker.filter(|_| answer.is_truncated),
            ))
        }
        .boxed()
    })
    .await
}

/// A policy document as IAM sends it: percent-encoded JSON (D, botocore).
fn document(text: &str) -> Option<Value> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_read_percent_encoded_or_not() {
        let plain = r#"{"Action":"sts:AssumeRole","Resource":"a+b c"}"#;
        let wanted = json!({"Action": "sts:AssumeRole", "Resource": "a+b c"});
        assert_eq!(document(plain), Some(wanted.clone()));
        let encoded = "%7B%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Resource%22%3A%22a%2Bb%20c%22%7D";
        assert_eq!(document(encoded), Some(wanted));
    }

    #[test]
    fn what_is_no_document_is_not_taken_for_an_empty_one() {
        assert_eq!(document(""), None);
        assert_eq!(document("%FF"), None);
    }
}
