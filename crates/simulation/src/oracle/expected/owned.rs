//! The object's own functions: what a spec asks for, and what AWS has.

use super::{
    Organisation, items, organisation,
    ownership::{self, Proof},
    pairs, text, texts,
};
use crate::deed::SOMEBODY;
use jwthttpapi_core::{
    api::{Architecture, Runtime},
    model::function::Code,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Writes that make one: a log group and how long it keeps, a role and its policy, the function.
pub(super) const PIECES: usize = 5;

/// What the names of the object's own functions begin with in AWS; twelve digits and a hyphen follow.
const PREFIX: &str = "jwthttpapi-";

/// A function of the object's own, whatever its name in AWS.
pub(super) fn called(name: &str) -> String {
    format!("own {name}")
}

/// A function's ARN, or the name in the spec of one of the object's own.
pub(super) fn named(arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let own = name.strip_prefix(PREFIX).and_then(|rest| rest.get(13..));
    own.map_or_else(|| arn.to_owned(), called)
}

/// The only one of a list, or what stands there instead of a list of one.
pub(super) fn only(value: &Value) -> Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only.clone(),
        _ => value.clone(),
    }
}

/// What a spec asks for, by name. Only the archive is the operator's own work: that it can be run is for other tests.
pub(super) fn of(spec: &Value, organisation: &Organisation) -> Value {
    let one = |function: &Value| {
        let word = |field: &str| text(&function[field]);
        let runtime: Runtime = serde_json::from_value(function["runtime"].clone()).unwrap_or_default();
        let code = Code::pack(&word("code"), &word("handler"), runtime, Architecture::default());
        json!({
            "runtime": word("runtime"),
            "handler": word("handler"),
            "code": code.map(|code| code.sha256).unwrap_or_default(),
            "memory": function["memoryMiB"].as_i64().unwrap_or(128),
            "timeout": function["timeoutSeconds"].as_i64().unwrap_or(3),
            "environment": function["environment"].as_object().cloned().unwrap_or_default(),
            "architecture": function["architecture"].as_str().unwrap_or("x86_64"),
            "role": organisation.role(spec, &json!("write its logs")),
            "logs": {
                "kept": function["logRetentionDays"].as_i64().unwrap_or(30),
                "tags": organisation.tags(spec),
                "owner": ownership::of(spec),
            },
            "tags": organisation.tags(spec),
            "owner": ownership::of(spec),
        })
    };
    let functions = items(&spec["functions"]).map(|function| (text(&function["name"]), one(function)));
    Value::Object(functions.collect())
}

/// Whether a role is one that functions run under.
pub(super) fn executes(role: &Value) -> bool {
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == "lambda.amazonaws.com"
}

/// Whether a role is one of a function, or was until somebody changed what it trusts: no other one may write logs.
pub(super) fn is_of_a_function(role: &Value) -> bool {
    let statements = statements(role);
    let mut actions = items(&statements).flat_map(|statement| texts(&statement["Action"]));
    executes(role) || actions.any(|action| action.starts_with("logs:"))
}

/// The object's functions in the same form; and its roles and log groups that belong to none of them.
pub(super) fn shown(
    services: &Value,
    executing: &[&Value],
    is_own: &dyn Fn(&Map<String, Value>) -> bool,
    proof: &Proof<'_>,
) -> (Value, Vec<Value>) {
    let groups: Vec<&Value> = items(&services["logGroups"])
        .filter(|group| is_own(&pairs(&group["tags"])))
        .collect();
    let mut used = BTreeSet::new();
    let mut functions = Map::new();
    for function in items(&services["functions"]).filter(|function| is_own(&pairs(&function["Tags"]))) {
        let name = text(&function["FunctionName"]);
        let role = executing.iter().find(|role| role["Arn"] == function["Role"]);
        let group = format!("/aws/lambda/{name}");
        let group = groups
            .iter()
            .find(|shown| shown["logGroupName"] == group.as_str());
        used.extend(role.map(|role| text(&role["Arn"])));
        used.extend(group.map(|group| text(&group["logGroupName"])));
        let tags = pairs(&function["Tags"]);
        let own = name.strip_prefix(PREFIX).and_then(|rest| rest.get(13..));
        let shape = json!({
            "runtime": function["Runtime"],
            "handler": function["Handler"],
            "code": function["CodeSha256"],
            "memory": function["MemorySize"],
            "timeout": function["Timeout"],
            "environment": function["Environment"]["Variables"].as_object().cloned().unwrap_or_default(),
            "architecture": function["Architectures"][0],
            "role": role.map_or(Value::Null, |role| organisation::shown(role, &may(role, &name), proof)),
            "logs": group.map_or(Value::Null, |group| logs(group, proof)),
            "owner": ownership::shown(&tags, proof),
            "tags": ownership::without(tags),
        });
        functions.insert(own.unwrap_or(&name).to_owned(), shape);
    }
    let roles = executing.iter().map(|role| &role["Arn"]);
    let groups = groups.iter().map(|group| &group["logGroupName"]);
    let leftovers = roles.chain(groups).filter(|name| !used.contains(&text(name)));
    (Value::Object(functions), leftovers.cloned().collect())
}

fn logs(group: &Value, proof: &Proof<'_>) -> Value {
    let tags = pairs(&group["tags"]);
    json!({
        "kept": group["retentionInDays"],
        "owner": ownership::shown(&tags, proof),
        "tags": ownership::without(tags),
    })
}

/// The statements of the operator's policy on a role; none when there is another policy that is not of somebody else.
pub(super) fn statements(role: &Value) -> Value {
    let policies = role["InlinePolicies"].as_object().cloned().unwrap_or_default();
    let (own, others): (Vec<_>, Vec<_>) = policies.into_iter().partition(|(name, _)| name == "jwthttpapi");
    let known = others.iter().all(|(name, _)| name == SOMEBODY);
    let own = own.into_iter().next().filter(|_| known);
    own.map_or(Value::Null, |(_, policy)| policy["Statement"].clone())
}

/// What a role may do, if Lambda alone may assume it.
fn may(role: &Value, function: &str) -> Value {
    let policy = &statements(role);
    let actions: BTreeSet<String> = texts(&policy[0]["Action"]).into_iter().collect();
    let group = format!(":log-group:/aws/lambda/{function}:*");
    let writes = actions == BTreeSet::from(["logs:CreateLogStream".into(), "logs:PutLogEvents".into()])
        && only(&policy[0]["Resource"])
            .as_str()
            .is_some_and(|arn| arn.ends_with(&group));
    let alone =
        items(policy).count() == 1 && items(&role["AssumeRolePolicyDocument"]["Statement"]).count() == 1;
    if writes && alone {
        json!("write its logs")
    } else {
        role.clone()
    }
}
