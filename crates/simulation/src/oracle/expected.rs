//! What a spec means, said once more and independently of the operator.

mod access;
mod invocation;
mod organisation;
mod others;
mod owned;
mod ownership;
mod retained;
mod status;

use access::authorization;
pub(crate) use access::deployment;
pub(crate) use organisation::Organisation;
pub(crate) use others::{others, without_functions, without_statements};
use ownership::Proof;
pub(crate) use retained::{known, lists, untagged};
pub(crate) use status::{functions, granted, led_to, of as status};

use jwthttpapi_sandbox::model::deployment::Authorization;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, iter};

/// Everything of the object's in AWS, as its spec asks for it, in a form of its own that names things instead of ids.
pub(crate) fn of(spec: &Value, organisation: &Organisation) -> Value {
    let mode = spec["invocation"]["mode"].as_str().unwrap_or("Role");
    let brought = spec["invocation"]["roleArn"].as_str();
    let by_role = mode == "Role" && brought.is_none();
    let credentials = match (mode, brought) {
        ("Role", None) => json!("own"),
        ("Role", Some(arn)) => json!(arn),
        _ => Value::Null,
    };
    let routes: Map<String, Value> = items(&spec["routes"])
        .map(|route| {
            (
                text(&route["routeKey"]),
                expected_route(spec, route, &credentials),
            )
        })
        .collect();
    let functions: BTreeSet<String> = items(&spec["routes"]).map(function).collect();
    let used: BTreeSet<&str> = items(&spec["routes"])
        .filter(|route| route["public"] != true)
        .map(|route| route["authorizer"].as_str().unwrap_or("default"))
        .collect();
    let named = iter::once(("default", spec)).chain(
        items(&spec["authorizers"]).map(|further| (further["name"].as_str().unwrap_or_default(), further)),
    );
    let authorizers: Map<String, Value> = named
        .filter(|(name, _)| used.contains(name))
        .map(|(name, authorizer)| {
            let source = authorizer["identitySource"].as_str();
            let shape = json!({
                "issuer": authorizer["issuer"],
                "audience": sorted(&authorizer["audience"]),
                "source": source.unwrap_or("$request.header.Authorization"),
            });
            (name.to_owned(), shape)
        })
        .collect();
    let api = json!({
        "name": spec["name"].as_str().unwrap_or("demo-hello").chars().take(128).collect::<String>(),
        "description": spec["description"].as_str().unwrap_or_default(),
        "disabled": spec["disableExecuteApiEndpoint"] == true,
        "addresses": spec["ipAddressType"].as_str().unwrap_or("ipv4"),
        "cors": cors(&spec["cors"]),
        "tags": organisation.tags(spec),
        "owner": ownership::of(spec),
        "authorizers": authorizers,
        "routes": routes,
        "stages": {"$default": true},
        "unused": 0,
    });
    json!({
        "apis": [api],
        "roles": if by_role { json!([organisation.role(spec, &json!(functions))]) } else { json!([]) },
        "grants": invocation::of(mode, &functions),
        "functions": owned::of(spec, organisation),
        "leftovers": [],
    })
}

/// Whether a spec asks for a role of its own.
pub(crate) fn has_role(spec: &Value) -> bool {
    of(spec, &Organisation::of(&[]))["roles"] != json!([])
}

/// How many writes make what a spec asks for, each of them once.
pub(crate) fn pieces(spec: &Value) -> usize {
    let all = of(spec, &Organisation::of(&[]));
    let count = |value: &Value| match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    let api = &all["apis"][0];
    let integrations: BTreeSet<String> = items(&spec["routes"])
        .map(|route| {
            let route = &api["routes"][text(&route["routeKey"])];
            ["function", "payload", "timeout", "credentials"]
                .map(|field| route[field].to_string())
                .join(" ")
        })
        .collect();
    let (api_and_stage, role_and_policy) = (2, 2 * count(&all["roles"]));
    api_and_stage
        + role_and_policy
        + count(&api["authorizers"])
        + count(&api["routes"])
        + integrations.len()
        + count(&all["grants"])
        + owned::PIECES * count(&all["functions"])
}

fn expected_route(spec: &Value, route: &Value, credentials: &Value) -> Value {
    let who = match authorization(spec, route) {
        Authorization::Jwt {
            authorizer_name,
            scopes,
            ..
        } => json!({"authorizer": authorizer_name, "scopes": scopes.into_iter().collect::<BTreeSet<_>>()}),
        _ => json!("everybody"),
    };
    let lambda = &route["lambda"];
    json!({
        "who": who,
        "operation": route["operationName"].as_str().unwrap_or_default(),
        "function": function(route),
        "payload": lambda["payloadFormatVersion"].as_str().unwrap_or("2.0"),
        "timeout": lambda["timeoutMillis"].as_i64().unwrap_or(30_000),
        "credentials": credentials,
        "form": form(&json!({
            "integrationType": "AWS_PROXY", "integrationMethod": "POST", "connectionType": "INTERNET",
            "description": "jwthttpapi:0123456789abcdef",
        })),
    })
}

/// What integrations have in common: how they ask, that they change nothing, and what their description tells them by.
fn form(integration: &Value) -> Value {
    let description = text(&integration["description"]);
    let hash = description.strip_prefix("jwthttpapi:").unwrap_or_default();
    json!({
        "kind": integration["integrationType"],
        "method": integration["integrationMethod"],
        "connection": integration["connectionType"],
        "marked": hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "requests": integration["requestParameters"],
        "answers": integration["responseParameters"],
    })
}

/// The ARN of a route's function, with its qualifier.
fn function(route: &Value) -> String {
    let lambda = &route["lambda"];
    if let Some(own) = lambda["function"].as_str() {
        return owned::called(own);
    }
    let named = |name: &str| {
        format!(
            "arn:aws:lambda:{}:{}:function:{name}",
            crate::REGION,
            crate::ACCOUNT
        )
    };
    let arn = lambda["arn"].as_str().map(str::to_owned);
    let arn = arn.unwrap_or_else(|| named(lambda["name"].as_str().unwrap_or_default()));
    match lambda["qualifier"].as_str() {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    }
}

fn cors(cors: &Value) -> Value {
    if !cors.is_object() {
        return Value::Null;
    }
    let lower = |value: &Value| -> BTreeSet<String> {
        texts(value).into_iter().map(|text| text.to_lowercase()).collect()
    };
    let cors = json!({
        "origins": sorted(&cors["allowOrigins"]),
        "methods": sorted(&cors["allowMethods"]),
        "headers": lower(&cors["allowHeaders"]),
        "exposed": lower(&cors["exposeHeaders"]),
        "age": cors["maxAge"].as_i64().unwrap_or_default(),
        "credentials": cors["allowCredentials"] == true,
    });
    // AWS keeps none that says nothing.
    let says_nothing = |value: &Value| *value == json!([]) || *value == json!(0) || *value == json!(false);
    let nothing = cors
        .as_object()
        .is_some_and(|fields| fields.values().all(says_nothing));
    if nothing { Value::Null } else { cors }
}

/// Everything of the object's in AWS as it is, in the same form.
pub(crate) fn shown(state: &Value, uid: &str) -> Value {
    let is_own = |tags: &Map<String, Value>| tags.get("jwthttpapi.dev/uid").is_some_and(|tag| tag == uid);
    let (executing, roles): (Vec<&Value>, Vec<&Value>) = items(&state["roles"])
        .filter(|role| is_own(&pairs(&role["Tags"])))
        .partition(|role| owned::executes(role));
    let own = roles.first().map(|role| &role["Arn"]);
    let services = &state["regions"][crate::REGION];
    let apis: Vec<&Value> = items(&services["apis"])
        .filter(|api| api["tags"].as_object().is_some_and(is_own))
        .collect();
    let source = apis
        .first()
        .map_or("", |api| api["apiId"].as_str().unwrap_or_default());
    let proof = Proof {
        uid,
        nonce: apis.first().and_then(|api| ownership::nonce(api)),
    };
    let (functions, leftovers) = owned::shown(services, &executing, &is_own, &proof);
    json!({
        "apis": apis.iter().map(|api| shown_api(api, own, &proof)).collect::<Vec<_>>(),
        "roles": roles.iter().map(|role| organisation::shown(role, &invocation::invokable(role), &proof)).collect::<Vec<_>>(),
        "grants": invocation::shown(services, source),
        "functions": functions,
        "leftovers": leftovers,
    })
}

/// What each thing is called in a form of [`of`] or of [`shown`].
pub(crate) fn names(form: &Value) -> BTreeSet<String> {
    let kinds = [
        ("authorizer", &form["apis"][0]["authorizers"]),
        ("route", &form["apis"][0]["routes"]),
        ("stage", &form["apis"][0]["stages"]),
        ("statement on", &form["grants"]),
        ("function", &form["functions"]),
    ];
    let named = kinds.into_iter().flat_map(|(kind, things)| {
        let names = things.as_object().into_iter().flat_map(Map::keys);
        names.map(move |name| format!("{kind} {name}"))
    });
    let lists = [("API", &form["apis"]), ("role", &form["roles"])];
    let only = lists.into_iter().filter(|(_, list)| items(list).next().is_some());
    let functions = form["functions"].as_object().into_iter().flatten();
    let beside = functions.flat_map(|(name, function)| {
        let parts = ["role", "logs"]
            .into_iter()
            .filter(|part| function[*part].is_object());
        parts.map(move |part| format!("{part} of function {name}"))
    });
    named
        .chain(only.map(|(kind, _)| kind.to_owned()))
        .chain(beside)
        .collect()
}

/// Two children of an API that do the same.
pub(crate) fn twins(api: &Value) -> Vec<String> {
    let of_integration = [
        "integrationUri",
        "credentialsArn",
        "payloadFormatVersion",
        "timeoutInMillis",
    ];
    let integrations =
        items(&api["integrations"]).map(|one| of_integration.map(|field| one[field].to_string()).join(" "));
    let authorizers = items(&api["authorizers"]).map(|one| one["name"].to_string());
    let mut seen = BTreeSet::new();
    integrations
        .chain(authorizers)
        .filter(|child| !seen.insert(child.clone()))
        .map(|child| format!("{} has two of {child}", api["apiId"]))
        .collect()
}

fn shown_api(api: &Value, own_role: Option<&Value>, proof: &Proof<'_>) -> Value {
    let name_of = |id: &Value| {
        let found = items(&api["authorizers"]).find(|authorizer| authorizer["authorizerId"] == *id);
        found.map_or(Value::Null, |authorizer| authorizer["name"].clone())
    };
    let authorizers: Map<String, Value> = items(&api["authorizers"])
        .map(|authorizer| {
            let jwt = &authorizer["jwtConfiguration"];
            let shape = json!({
                "issuer": jwt["issuer"],
                "audience": sorted(&jwt["audience"]),
                "source": authorizer["identitySource"][0],
            });
            (text(&authorizer["name"]), shape)
        })
        .collect();
    let mut used = BTreeSet::new();
    let routes: Map<String, Value> = items(&api["routes"])
        .map(|route| {
            let target = text(&route["target"]);
            let id = target.strip_prefix("integrations/").unwrap_or_default().to_owned();
            let integration = items(&api["integrations"])
                .find(|integration| integration["integrationId"] == id.as_str())
                .cloned()
                .unwrap_or_default();
            used.insert(id);
            let credentials = match integration.get("credentialsArn") {
                Some(arn) if Some(arn) == own_role => json!("own"),
                Some(arn) => arn.clone(),
                None => Value::Null,
            };
            let who = if route["authorizationType"] == "JWT" {
                json!({"authorizer": name_of(&route["authorizerId"]), "scopes": sorted(&route["authorizationScopes"])})
            } else if route["authorizationType"] == "NONE" {
                json!("everybody")
            } else {
                route["authorizationType"].clone()
            };
            let shape = json!({
                "who": who,
                "operation": route["operationName"].as_str().unwrap_or_default(),
                "function": owned::named(&text(&integration["integrationUri"])),
                "payload": integration["payloadFormatVersion"],
                "timeout": integration["timeoutInMillis"],
                "credentials": credentials,
                "form": form(&integration),
            });
            (text(&route["routeKey"]), shape)
        })
        .collect();
    let stages: Map<String, Value> = items(&api["stages"])
        .map(|stage| (text(&stage["stageName"]), stage["autoDeploy"].clone()))
        .collect();
    let tags = api["tags"].as_object().cloned().unwrap_or_default();
    // Children of one key fall together in the maps: their numbers must agree.
    let doubled =
        items(&api["routes"]).count() - routes.len() + items(&api["authorizers"]).count() - authorizers.len();
    json!({
        "name": api["name"],
        "description": api["description"].as_str().unwrap_or_default(),
        "disabled": api["disableExecuteApiEndpoint"],
        "addresses": api["ipAddressType"],
        "cors": cors(&api["corsConfiguration"]),
        "owner": ownership::shown(&tags, proof),
        "tags": ownership::without(tags),
        "authorizers": authorizers,
        "routes": routes,
        "stages": stages,
        "unused": items(&api["integrations"]).count() - used.len() + doubled,
    })
}

/// Tags as IAM shows them: a list, or a map.
fn pairs(tags: &Value) -> Map<String, Value> {
    match tags {
        Value::Object(map) => map.clone(),
        list => items(list)
            .map(|tag| (text(&tag["Key"]), tag["Value"].clone()))
            .collect(),
    }
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn sorted(value: &Value) -> BTreeSet<String> {
    texts(value).into_iter().collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
