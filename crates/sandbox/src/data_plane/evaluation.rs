//! Policy documents against one question.
//!
//! What the evaluation does not know (an operator, `NotPrincipal`, …) never allows and always denies.

mod pattern;

use serde_json::Value;

use crate::model::deployment::RoleView;

const ASSUME: &str = "sts:AssumeRole";
const ASSUME_WITH_WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// Who wants to do what to what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) principal: Principal<'a>,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    /// Condition keys that are there, with their values. Names count in any case.
    pub(crate) context: &'a [(&'a str, &'a str)],
}

#[derive(Clone, Copy)]
pub(crate) enum Principal<'a> {
    /// The owner of an identity policy, which names no principal.
    Itself,
    Service(&'a str),
    /// A role or a user by its ARN.
    Identity(&'a str),
    /// A provider of identities by its ARN.
    Federated(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allowed,
    /// By a statement, whatever others allow.
    Denied,
    /// No statement applies.
    Silent,
}

/// Who wants to assume a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assumer<'a> {
    /// A service of AWS, which brings no condition keys.
    Service(&'a str),
    /// A user or a role of the account, by its ARN.
    Identity(&'a str),
    /// Whom a provider of identities vouches for, by the provider's ARN.
    Federated(&'a str),
}

/// Whether a role's trust lets somebody assume it; `context` holds the condition keys that are there.
pub(crate) fn may_assume(role: &RoleView, assumer: Assumer<'_>, context: &[(&str, &str)]) -> bool {
    let (principal, action) = match assumer {
        Assumer::Service(name) => (Principal::Service(name), ASSUME),
        Assumer::Identity(arn) => (Principal::Identity(arn), ASSUME),
        Assumer::Federated(arn) => (Principal::Federated(arn), ASSUME_WITH_WEB_IDENTITY),
    };
    let question = Question {
        principal,
        action,
        resource: &role.arn,
        context,
    };
    decide([&role.trust], &question) == Effect::Allowed
}

/// What the documents say together.
pub(crate) fn decide<'a>(documents: impl IntoIterator<Item = &'a Value>, question: &Question<'_>) -> Effect {
    let mut effect = Effect::Silent;
    for statement in documents
        .into_iter()
        .filter_map(|document| document.get("Statement"))
        .flat_map(listed)
    {
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") if applies(statement, question).unwrap_or(true) => return Effect::Denied,
            Some("Allow") if applies(statement, question).unwrap_or(false) => effect = Effect::Allowed,
            Some(_) | None => {}
        }
    }
    effect
}

/// Whether a statement is about the question; none when it says something that is not modelled.
fn applies(statement: &Value, question: &Question<'_>) -> Option<bool> {
    let parts = [
        principal(statement, question.principal),
        Some(action(statement, question.action)),
        Some(resource(statement, question)),
        conditions(statement.get("Condition"), question.context),
    ];
    // One part that certainly does not apply is enough, whatever is not known of the others.
    if parts.contains(&Some(false)) {
        Some(false)
    } else {
        parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }
}

fn principal(statement: &Value, asking: Principal<'_>) -> Option<bool> {
    if statement.get("NotPrincipal").is_some() {
        return None;
    }
    let named = statement.get("Principal");
    let listed_as = |kind| {
        named
            .and_then(|named| named.get(kind))
            .into_iter()
            .flat_map(texts)
    };
    let everyone = named.and_then(Value::as_str) == Some("*");
    Some(match asking {
        Principal::Itself => named.is_none(),
        Principal::Service(service) => everyone || listed_as("Service").any(|name| name == service),
        Principal::Federated(provider) => everyone || listed_as("Federated").any(|name| name == provider),
        Principal::Identity(arn) => {
            everyone || listed_as("AWS").any(|name| name == "*" || name == arn || is_account(name, arn))
        }
    })
}

/// Whether a principal stands for the whole account that an identity belongs to.
fn is_account(principal: &str, identity: &str) -> bool {
    let Some(account) = identity.split(':').nth(4) else {
        return false;
    };
    principal == account
        || principal
            .strip_suffix(":root")
            .and_then(|arn| arn.rsplit(':').next())
            == Some(account)
}

fn action(statement: &Value, asked: &str) -> bool {
    let asked = asked.to_ascii_lowercase();
    let is_among =
        |names: &Value| texts(names).any(|name| pattern::matches(&name.to_ascii_lowercase(), &asked));
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(names), None) => is_among(names),
        (None, Some(names)) => !is_among(names),
        (None, None) | (Some(_), Some(_)) => false,
    }
}

fn resource(statement: &Value, question: &Question<'_>) -> bool {
    let is_among = |names: &Value| texts(names).any(|name| pattern::matches(name, question.resource));
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(names), None) => is_among(names),
        (None, Some(names)) => !is_among(names),
        // A trust policy names none: it is about the role that it belongs to.
        (None, None) => !matches!(question.principal, Principal::Itself),
        (Some(_), Some(_)) => false,
    }
}

/// Every key of every operator has to be satisfied.
fn conditions(conditions: Option<&Value>, context: &[(&str, &str)]) -> Option<bool> {
    let Some(conditions) = conditions else {
        return Some(true);
    };
    let mut verdicts = Vec::new();
    for (operator, keys) in conditions.as_object()? {
        for (key, values) in keys.as_object()? {
            let actual = context
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, value)| *value);
            verdicts.push(condition(operator, values, actual));
        }
    }
    if verdicts.contains(&Some(false)) {
        return Some(false);
    }
    verdicts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
}

fn condition(operator: &str, values: &Value, actual: Option<&str>) -> Option<bool> {
    if operator == "Null" {
        return Some(texts(values).any(|wanted| wanted == if actual.is_none() { "true" } else { "false" }));
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let (test, negated): (fn(&str, &str) -> bool, bool) = match operator {
        "StringEquals" => (|wanted, actual| wanted == actual, false),
        "StringNotEquals" => (|wanted, actual| wanted == actual, true),
        "StringEqualsIgnoreCase" => (str::eq_ignore_ascii_case, false),
        "StringNotEqualsIgnoreCase" => (str::eq_ignore_ascii_case, true),
        "StringLike" => (pattern::matches, false),
        "StringNotLike" => (pattern::matches, true),
        // The two compare alike, wildcards included.
        "ArnEquals" | "ArnLike" => (pattern::matches_arn, false),
        "ArnNotEquals" | "ArnNotLike" => (pattern::matches_arn, true),
        _ => return None,
    };
    // A key that is not there satisfies nothing but a negation.
    Some(match actual {
        None => if_exists || negated,
        Some(actual) => texts(values).any(|wanted| test(wanted, actual)) != negated,
    })
}

/// The items of a list, or the one thing that stands in its place.
fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
        .iter()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    listed(value).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ASKED: Question<'static> = Question {
        principal: Principal::Itself,
        action: "lambda:InvokeFunction",
        resource: "arn:aws:lambda:r:1:function:f",
        context: &[("aws:SourceAccount", "1")],
    };

    fn effect(change: &Value) -> Effect {
        let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        for (name, value) in change.as_object().unwrap() {
            statement[name] = value.clone();
        }
        statement
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        decide([&json!({ "Statement": [statement] })], &ASKED)
    }

    #[test]
    fn negated_elements_apply_to_everything_else() {
        for (change, expected) in [
            (json!({"Action": null, "NotAction": "s3:*"}), Effect::Allowed),
            (json!({"Action": null, "NotAction": "lambda:*"}), Effect::Silent),
            (
                json!({"Resource": null, "NotResource": "arn:aws:s3:*"}),
                Effect::Allowed,
            ),
            (
                json!({"Resource": null, "NotResource": "arn:aws:lambda:*"}),
                Effect::Silent,
            ),
            (json!({"Resource": null}), Effect::Silent),
            (json!({"Action": null}), Effect::Silent),
        ] {
            assert_eq!(effect(&change), expected, "{change}");
        }
    }

    #[test]
    fn what_is_not_modelled_never_allows_and_always_denies() {
        for unknown in [
            json!({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
            json!({"Condition": {"ForAllValues:StringEquals": {"aws:SourceAccount": "1"}}}),
            json!({"Condition": "nonsense"}),
            json!({"NotPrincipal": {"AWS": "*"}}),
        ] {
            assert_eq!(effect(&unknown), Effect::Silent, "{unknown}");
            let mut denying = unknown.clone();
            denying["Effect"] = json!("Deny");
            assert_eq!(effect(&denying), Effect::Denied, "{unknown}");
            denying["Action"] = json!("s3:*");
            assert_eq!(
                effect(&denying),
                Effect::Silent,
                "a statement on another action, {unknown}"
            );
        }
    }

    #[test]
    fn conditions_compare_as_their_operators_say() {
        for (operator, key, value, expected) in [
            ("StringEquals", "aws:SourceAccount", json!("1"), true),
            ("StringEquals", "AWS:SOURCEACCOUNT", json!(["2", "1"]), true),
            ("StringEquals", "aws:SourceAccount", json!("?"), false),
            ("StringLike", "aws:SourceAccount", json!("?"), true),
            ("StringNotEquals", "aws:SourceAccount", json!("1"), false),
            ("StringNotEquals", "aws:SourceAccount", json!(["2", "3"]), true),
            ("StringEquals", "aws:PrincipalOrgID", json!("o"), false),
            ("StringEqualsIfExists", "aws:PrincipalOrgID", json!("o"), true),
            ("StringEqualsIfExists", "aws:SourceAccount", json!("2"), false),
            ("StringNotLike", "aws:PrincipalOrgID", json!("o"), true),
            ("ArnLike", "aws:SourceArn", json!("arn:*:*:*:*:*"), false),
            ("Null", "aws:SourceArn", json!("true"), true),
            ("Null", "aws:SourceAccount", json!("true"), false),
        ] {
            let expected = if expected { Effect::Allowed } else { Effect::Silent };
            let change = json!({"Condition": {operator: {key: value}}});
            assert_eq!(effect(&change), expected, "{change}");
        }
    }
}
