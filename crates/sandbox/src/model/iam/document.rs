//! Policy documents: checked when they are written, evaluated only as far as the control plane needs.

use serde_json::Value;

use super::validation;
use crate::model::error::Refusal;

/// Whether a document is one of a role's trust or one of its permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Trust,
    Permissions,
}

/// Refuses what is no policy: 400 `MalformedPolicyDocument` (D; texts O).
pub(super) fn check(document: &str, kind: Kind) -> Result<(), Refusal> {
    let malformed = |text: &str| Refusal::new(400, "MalformedPolicyDocument", text);
    if document.is_empty() {
        return Err(validation("The policy document must not be empty."));
    }
    let parsed: Value =
        serde_json::from_str(document).map_err(|_| malformed("This policy contains invalid Json"))?;
    let statements = elements(parsed.get("Statement"));
    if statements.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    for statement in statements {
        let effect = statement.get("Effect").and_then(Value::as_str);
        if !matches!(effect, Some("Allow" | "Deny")) {
            return Err(malformed("Syntax errors in policy."));
        }
        if statement.get("Action").is_none() && statement.get("NotAction").is_none() {
            return Err(malformed("Policy statement must contain actions."));
        }
        let principal = statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some();
        let resource = statement.get("Resource").is_some() || statement.get("NotResource").is_some();
        match kind {
            Kind::Trust if !principal => {
                return Err(malformed("AssumeRole policy must contain a principal."));
            }
            Kind::Trust if resource => return Err(malformed("Has prohibited field Resource")),
            Kind::Permissions if principal => {
                return Err(malformed("Policy document should not specify a principal."));
            }
            Kind::Permissions if !resource => {
                return Err(malformed("Policy statement must contain resources."));
            }
            Kind::Trust | Kind::Permissions => {}
        }
    }
    Ok(())
}

/// Characters as IAM's quotas count them: white space is free (D).
pub(super) fn length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// Whether some statement of a trust policy lets a service assume the role. Conditions are not looked at.
pub(super) fn trusts(trust: &Value, service: &str) -> bool {
    elements(trust.get("Statement")).into_iter().any(|statement| {
        let holds = |value: Option<&Value>, wanted: &str| {
            elements(value)
                .into_iter()
                .filter_map(Value::as_str)
                .any(|text| text == wanted)
        };
        let principal = statement
            .get("Principal")
            .and_then(|principal| principal.get("Service"));
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && holds(principal, service)
            && ["sts:AssumeRole", "sts:*", "*"]
                .iter()
                .any(|action| holds(statement.get("Action"), action))
    })
}

/// A scalar is a list of one (D).
fn elements(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(single) => vec![single],
    }
}
