//! What a status says of what is in AWS.

use super::{invocation, items, ownership, pairs, text};
use crate::{ACCOUNT, KUBE_SYSTEM, REGION};
use serde_json::{Map, Value, json};

/// The parts of an object's status that AWS decides, when nothing is under way.
pub(crate) fn of(state: &Value, uid: &str) -> Value {
    let is_own = |tags: &Map<String, Value>| tags.get("jwthttpapi.dev/uid").is_some_and(|tag| tag == uid);
    let services = &state["regions"][REGION];
    let mut apis = items(&services["apis"]).filter(|api| is_own(&pairs(&api["tags"])));
    let Some(api) = apis.next() else {
        return json!({});
    };
    let endpoint = &api["apiEndpoint"];
    let mut authorizers: Vec<Value> = items(&api["authorizers"])
        .map(|authorizer| json!({"name": authorizer["name"], "id": authorizer["authorizerId"]}))
        .collect();
    authorizers.sort_by_key(|authorizer| text(&authorizer["name"]));
    let mut roles = items(&state["roles"]).filter(|role| is_own(&pairs(&role["Tags"])));
    let invokes = |role: &&Value| {
        role["AssumeRolePolicyDocument"]
            .to_string()
            .contains(invocation::GATEWAY)
    };
    json!({
        "accountId": ACCOUNT,
        "region": REGION,
        "clusterId": KUBE_SYSTEM,
        "apiId": api["apiId"],
        "nonce": ownership::nonce(api),
        "endpoint": endpoint,
        "stages": [{"name": "$default", "url": endpoint}],
        "authorizers": if authorizers.is_empty() { Value::Null } else { json!(authorizers) },
        "roleArn": roles.find(invokes).map(|role| &role["Arn"]),
        "pending": null,
        "reclaimedFrom": null,
        "iamChangedAt": null,
    })
}

/// The functions on whose policies a statement for the object's API stands: its status has to know of all of them.
pub(crate) fn granted(state: &Value, uid: &str) -> Vec<Value> {
    let status = of(state, uid);
    let api = text(&status["apiId"]);
    let services = &state["regions"][REGION];
    let statements = invocation::statements(services);
    let of_the_api = statements.filter(|statement| !api.is_empty() && statement.to_string().contains(&api));
    of_the_api
        .map(|statement| statement["Resource"].clone())
        .collect()
}
