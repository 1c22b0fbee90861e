//! What a status says of what is in AWS.

use super::{invocation, items, owned, ownership, pairs, text};
use crate::{ACCOUNT, KUBE_SYSTEM, REGION};
use jwthttpapi_sandbox::data_plane::invoke_permission::function_arn;
use serde_json::{Map, Value, json};

/// The parts of an object's status that AWS decides, when nothing is under way.
pub(crate) fn of(state: &Value, uid: &str) -> Value {
    let Some(api) = api(state, uid) else {
        return json!({});
    };
    let endpoint = &api["apiEndpoint"];
    let mut authorizers: Vec<Value> = items(&api["authorizers"])
        .map(|authorizer| json!({"name": authorizer["name"], "id": authorizer["authorizerId"]}))
        .collect();
    authorizers.sort_by_key(|authorizer| text(&authorizer["name"]));
    let mut roles = items(&state["roles"]).filter(|role| is_of(uid, &pairs(&role["Tags"])));
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

/// Whether tags name the object's uid.
fn is_of(uid: &str, tags: &Map<String, Value>) -> bool {
    tags.get("jwthttpapi.dev/uid").is_some_and(|tag| tag == uid)
}

/// The object's API.
fn api<'a>(state: &'a Value, uid: &str) -> Option<&'a Value> {
    let mut apis = items(&state["regions"][REGION]["apis"]);
    apis.find(|api| is_of(uid, &pairs(&api["tags"])))
}

/// The object's own functions, as its status tells of them.
pub(crate) fn functions(state: &Value, uid: &str) -> Vec<Value> {
    let functions = items(&state["regions"][REGION]["functions"]);
    let own = functions.filter(|function| is_of(uid, &pairs(&function["Tags"])));
    own.filter_map(|function| {
        let arn = text(&function["FunctionArn"]);
        let name = owned::named(&arn);
        let name = name.strip_prefix("own ")?;
        Some(json!({"name": name, "arn": arn}))
    })
    .collect()
}

/// The functions of which integrations of the object's API tell that a statement may stand there: they invoke them by no role.
pub(crate) fn led_to(state: &Value, uid: &str) -> Vec<Value> {
    let integrations = api(state, uid).map(|api| items(&api["integrations"]));
    integrations
        .into_iter()
        .flatten()
        .filter(|integration| text(&integration["credentialsArn"]).is_empty())
        .filter_map(|integration| function_arn(integration["integrationUri"].as_str()?))
        .map(|function| json!(function))
        .collect()
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
