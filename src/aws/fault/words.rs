//! A fault in words that say what to do, the same each time.

use super::{Class, Fault, obstacle};
use crate::aws::operation::{Operation, Service};
use jwthttpapi_core::planted;

/// How much of a text of AWS enters a message.
const LONGEST: usize = 400;

pub(super) fn message(fault: &Fault) -> String {
    planted!(RawText => {
        return fault.detail.clone();
    });
    let (service, operation) = (fault.service.title(), fault.operation);
    let detail = || {
        if fault.detail.is_empty() {
            String::from("AWS gives no details")
        } else {
            fault.detail.clone()
        }
    };
    match fault.class {
        Class::Missing => {
            format!("{service} does not have what {operation} is about; it is read again, then decided anew")
        }
        Class::Exists => {
            format!("{service} already has what {operation} makes; it is read again, then decided anew")
        }
        Class::InUse => {
            format!(
                "{service} refuses {operation} while something else refers to its subject: {}",
                detail()
            )
        }
        Class::Concurrent => {
            format!("{service} was being changed by somebody else during {operation}; it is tried again")
        }
        Class::Throttled => format!(
            "{service} asks for fewer requests; {operation} is tried again more slowly, and everybody in the account shares this limit"
        ),
        Class::Quota => format!(
            "a quota of {service} is used up ({operation}): {}; remove what is not needed or ask AWS for more",
            detail()
        ),
        Class::Denied => format!(
            "AWS denies {}; allow it in the IAM policy of the operator's role",
            denied_action(fault)
        ),
        Class::CredentialsUnavailable if fault.may_be_of_the_region() => {
            format!(
                "{service} takes the operator's credentials for invalid ({operation}); if they work elsewhere, enable this Region for the account, else check the operator's service account, the role behind it and that role's trust"
            )
        }
        Class::CredentialsUnavailable => format!(
            "AWS has no valid credentials of the operator ({}); check its service account, the role behind it and that role's trust",
            fault.code.as_deref().unwrap_or("none were found")
        ),
        Class::Rejected if fault.is_of_the_boundary() => format!(
            "{service} refuses {operation}: {}; make that policy, or correct the operator's --permissions-boundary",
            detail()
        ),
        Class::Rejected => format!("{service} refuses {operation}: {}", detail()),
        Class::IssuerUnreachable => format!(
            "AWS cannot read the issuer's discovery document; make <issuer>/.well-known/openid-configuration answer on the public internet over https. AWS says: {}",
            detail()
        ),
        Class::PolicyTooLong => policy_full(fault),
        Class::RoleNotReady => {
            format!(
                "{service} cannot assume the new role yet ({operation}); IAM needs a moment until it works"
            )
        }
        Class::FunctionFailed => format!(
            "Lambda could not make a function what was asked ({}); change its code or configuration, or delete it in AWS so that it is made again",
            detail()
        ),
        Class::Unfinished => {
            format!("{service} has not ended the function's last creation or change yet; it is asked again")
        }
        Class::DeploymentFailed => format!(
            "AWS could not deploy the last change: {}; it is asked for again, at once when the object is annotated with reconcile.jwthttpapi.dev/requestedAt",
            detail()
        ),
        Class::NotSent => {
            let obstacle = obstacle::of(&fault.detail).map(|obstacle| format!(": {obstacle}"));
            let obstacle =
                obstacle.unwrap_or_else(|| "; check the operator's network, DNS and endpoint".to_owned());
            format!("{service} cannot be reached{obstacle}")
        }
        Class::Unanswered => format!(
            "{service} did not answer {operation} in time or not readably; AWS is read again before anything is decided"
        ),
        Class::Server => {
            format!("{service} failed to carry {operation} out; AWS is read again, then it is tried again")
        }
        Class::NotLeading => format!("{operation} was held back, since this replica does not lead"),
        Class::Unknown => format!(
            "{service} answered {operation} with {}, which the operator does not know: {}; AWS is read again",
            fault.code.clone().unwrap_or_else(|| fault
                .status
                .map_or_else(|| "nothing".into(), |status| format!("status {status}"))),
            detail()
        ),
    }
}

/// The way out differs: the policy of a function is everybody's, that of a role the object's own, but for what others put there.
fn policy_full(fault: &Fault) -> String {
    match fault.operation {
        Operation::AddPermission => String::from(
            "the function's policy has no room for one more statement (Lambda allows 20 KB); remove statements from it that nobody needs any more (aws lambda remove-permission), or set spec.invocation.mode: Role",
        ),
        Operation::PutRolePolicy => String::from(
            "the role's inline policies would be longer than IAM allows (10240 characters, those that others put on it counted); use fewer functions in one API, set spec.invocation.mode: ResourcePolicy, or bring a role with spec.invocation.roleArn",
        ),
        operation => format!(
            "the policy would be longer than {} allows ({operation})",
            fault.service.title()
        ),
    }
}

/// The action that AWS names as missing, which may be another than the operation's own (`iam:PassRole`); else that one.
fn denied_action(fault: &Fault) -> &str {
    // CloudWatch Logs does not say it in so many words (O).
    if fault.service == Service::Logs && fault.detail.ends_with("with Tags") {
        return Operation::TagLogGroup.action();
    }
    let named = fault
        .detail
        .split_once("not authorized to perform: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(|word| word.trim_end_matches(['.', ',']))
        .filter(|word| {
            word.split_once(':')
                .is_some_and(|(service, action)| is_word(service) && is_word(action))
        });
    let own = fault.operation.action();
    // Ours says the path, too, when it is about the same verb.
    match named {
        Some(named) if own.split_whitespace().next() != Some(named) => named,
        _ => own,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A text without what differs from one attempt to the next (ids of requests), on one line, of bounded length.
pub(super) fn clean(text: &str) -> String {
    // "… (Service: X; Status Code: 400; Error Code: Y; Request ID: Z; Proxy: null)", as AWS's Java services append it.
    let text = text.split("(Service: ").next().unwrap_or_default();
    let words = text.split_whitespace().filter(|word| !is_uuid(word));
    let joined = words.collect::<Vec<_>>().join(" ");
    let joined = ["Request ID:", "RequestId:", "request id:"]
        .into_iter()
        .fold(joined, |text, label| text.replace(label, ""));
    match joined.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", joined.get(..end).unwrap_or_default().trim_end()),
        None => joined.trim_end().to_owned(),
    }
}

fn is_uuid(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let groups: Vec<&str> = word.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}
