//! Names: parsed once, trusted afterwards. The names of everything that the operator makes in AWS are the pure functions at
//! the end, each with its quota.

mod arn;
mod route_key;

pub(crate) use arn::is_account;
pub use arn::{FunctionArn, Place};
pub use route_key::{Method, Pattern, RouteKey, Segment};

use super::{Owner, RolePath, hash};

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct Invalid {
    text: String,
    expected: &'static str,
}

fn invalid(text: &str, expected: &'static str) -> Invalid {
    Invalid {
        text: text.to_owned(),
        expected,
    }
}

/// Path and name of a role. Names are unique in the whole account, whatever their path and case (D, IAM limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName {
    /// `/jwthttpapi/`, unless asked otherwise.
    pub path: String,
    /// At most 64 characters.
    pub name: String,
}

impl RoleName {
    fn of(name: String) -> Self {
        Self {
            path: RolePath::default().as_str().to_owned(),
            name,
        }
    }

    /// The same name under another path.
    #[must_use]
    pub fn under(self, path: &RolePath) -> Self {
        Self {
            path: path.as_str().to_owned(),
            ..self
        }
    }

    /// Path and name in a role's ARN.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let resource = arn.splitn(6, ':').nth(5)?.strip_prefix("role")?;
        let (path, name) = resource.rsplit_once('/')?;
        Some(Self {
            path: format!("{path}/"),
            name: name.to_owned(),
        })
    }
}

/// Name of the one inline policy of every role.
pub const ROLE_POLICY: &str = "jwthttpapi";
/// The stage that is served without a path prefix.
pub const DEFAULT_STAGE: &str = "$default";
/// The authorizer of `spec.issuer`.
pub const DEFAULT_AUTHORIZER: &str = "default";
/// The scope that no token carries: a route that requires it admits nobody.
pub const CLOSED_SCOPE: &str = "jwthttpapi.dev/closed";

/// Name of the HTTP API: `spec.name`, else `<namespace>-<name>` cut to 128 characters (D, botocore).
pub fn api_name(owner: &Owner, wanted: Option<&str>) -> String {
    wanted
        .map_or_else(|| format!("{}-{}", owner.namespace, owner.name), str::to_owned)
        .chars()
        .take(128)
        .collect()
}

/// Name of the invoke role: at most 64 characters, since Regions have at most 25 (D).
pub fn role_name(owner: &Owner, region: &str) -> RoleName {
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, "invoke-role"]);
    RoleName::of(format!("jwthttpapi-{region}-{hash}"))
}

/// What the name of every function of an owner begins with in AWS.
pub fn function_prefix(owner: &Owner) -> String {
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, "functions"]);
    format!("jwthttpapi-{hash}-")
}

/// Whether a function's name is one that the operator gives to functions of objects.
pub fn is_owned_name(name: &str) -> bool {
    let rest = name
        .strip_prefix("jwthttpapi-")
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(hash, _)| hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Name in AWS of a function: at most 64 characters, since the one in the spec has at most 40 (D).
pub fn function_name(owner: &Owner, name: &str) -> String {
    format!("{}{name}", function_prefix(owner))
}

/// The log group to which Lambda sends what a function writes (D).
pub fn log_group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// Name of the role that a function runs under.
pub fn execution_role_name(owner: &Owner, region: &str, function: &str) -> RoleName {
    let purpose = format!("execution-role {function}");
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, &purpose]);
    RoleName::of(format!("jwthttpapi-{region}-{hash}"))
}

/// What the statement ids of every owner begin with.
const STATEMENT: &str = "jwthttpapi-";

/// Statement id of the permission of one API on one function and qualifier: at most 100 of `[A-Za-z0-9-_]` (D).
pub fn statement_id(owner: &Owner) -> String {
    let hash = hash::hex(16, &[&owner.cluster, &owner.uid, "permission"]);
    format!("{STATEMENT}{hash}")
}

/// Whether a statement id may be that of any owner.
pub fn is_statement_id(id: &str) -> bool {
    id.starts_with(STATEMENT)
}

/// The marker of an integration: its description, made of the hash of everything that was wanted of it.
pub fn integration_marker(parts: &[&str]) -> String {
    format!("jwthttpapi:{}", hash::hex(16, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_functions_are_told_from_all_others() {
        assert!(is_owned_name("jwthttpapi-0123456789ab-f"));
        for other in [
            "f",
            "jwthttpapi-0123456789ab",
            "jwthttpapi-0123456789a-f",
            "jwthttpapi-0123456789abc-f",
            "jwthttpapi-orders-to-pay-f",
            "jwthttpapi-orderstopays-f",
            "0123456789ab-f",
        ] {
            assert!(!is_owned_name(other), "{other}");
        }
    }

    #[test]
    fn names_stay_within_their_quotas() {
        let owner = Owner {
            cluster: "c".repeat(64),
            kube_system: Some("k".repeat(36)),
            uid: "u".repeat(36),
            namespace: "n".repeat(63),
            name: "m".repeat(253),
        };
        assert_eq!(api_name(&owner, None).len(), 128);
        assert!(role_name(&owner, "ap-southeast-extra-long-1").name.len() <= 64);
        assert!(statement_id(&owner).len() <= 100);
        assert_eq!(function_name(&owner, &"f".repeat(40)).len(), 64);
        let role = execution_role_name(&owner, "ap-southeast-extra-long-1", &"f".repeat(40));
        assert!(role.name.len() <= 64);
    }

    #[test]
    fn a_name_that_is_asked_for_goes_before_the_objects_own() {
        let owner = Owner {
            cluster: "c".into(),
            kube_system: Some("k".into()),
            uid: "u".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        };
        assert_eq!(api_name(&owner, None), "ns-hello");
        assert_eq!(api_name(&owner, Some("mine")), "mine");
    }
}
