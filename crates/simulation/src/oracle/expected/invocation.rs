//! What lets API Gateway invoke the functions: a role, or statements in their policies.

use super::{items, owned, text, texts};
use crate::{ACCOUNT, REGION, ground::is_own_statement};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Who is to invoke.
pub(super) const GATEWAY: &str = "apigateway.amazonaws.com";
/// What a statement of the object's says.
const EVERY_ROUTE: &str = "every route of the API";

/// The statements that a mode asks for, by function.
pub(super) fn of(mode: &str, functions: &BTreeSet<String>) -> Value {
    let by_policy = functions.iter().filter(|_| mode == "ResourcePolicy");
    let grants: Map<String, Value> = by_policy
        .map(|function| (function.clone(), json!(EVERY_ROUTE)))
        .collect();
    Value::Object(grants)
}

/// The object's statements that name an API, in the same form.
pub(super) fn shown(services: &Value, api: &str) -> Value {
    let own = statements(services).filter(|statement| statement.to_string().contains(api));
    let grants: Map<String, Value> = own
        .map(|statement| {
            let word = if *statement == admitting(statement, api) {
                json!(EVERY_ROUTE)
            } else {
                statement.clone()
            };
            (owned::named(&text(&statement["Resource"])), word)
        })
        .collect();
    Value::Object(grants)
}

/// Statements with an id of the operator's.
pub(super) fn statements(services: &Value) -> impl Iterator<Item = &Value> {
    let statements = items(&services["functions"]).flat_map(|function| {
        let policies = function["Policies"].as_object().into_iter().flat_map(Map::values);
        policies.flat_map(|policy| items(&policy["Statement"]))
    });
    statements.filter(|statement| is_own(statement))
}

/// The statement of the same id on the same function that admits every route of an API, and nothing else.
fn admitting(statement: &Value, api: &str) -> Value {
    let source = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*");
    json!({
        "Sid": statement["Sid"],
        "Effect": "Allow",
        "Principal": {"Service": GATEWAY},
        "Action": "lambda:InvokeFunction",
        "Resource": statement["Resource"],
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    })
}

/// Whether a statement has an id of the operator's, for the object.
pub(super) fn is_own(statement: &Value) -> bool {
    statement["Sid"].as_str().is_some_and(is_own_statement)
}

/// What a role may invoke, if API Gateway may assume it and it may do nothing else.
pub(super) fn invokable(role: &Value) -> Value {
    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    let trusted = trust[0]["Principal"]["Service"] == GATEWAY && items(trust).count() == 1;
    let policy = &owned::statements(role);
    let action = owned::only(&policy[0]["Action"]);
    let invokes = action == "lambda:InvokeFunction" && items(policy).count() == 1;
    if trusted && invokes {
        let one = policy[0]["Resource"].as_str().map(str::to_owned);
        let all = one.map_or_else(|| texts(&policy[0]["Resource"]), |arn| vec![arn]);
        json!(all.iter().map(|arn| owned::named(arn)).collect::<BTreeSet<_>>())
    } else {
        role.clone()
    }
}
