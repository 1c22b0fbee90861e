//! Who a spec lets in.

use super::{items, text, texts};
use jwthttpapi_sandbox::model::deployment::{Authorization, DeployedRoute, Deployment};
use serde_json::Value;

/// What an API of a spec serves.
pub(crate) fn deployment(spec: &Value) -> Deployment {
    Deployment {
        id: String::new(),
        api_id: String::new(),
        account: crate::ACCOUNT.to_owned(),
        region: crate::REGION.to_owned(),
        partition: "aws".to_owned(),
        stage: "$default".to_owned(),
        routes: items(&spec["routes"])
            .map(|route| DeployedRoute {
                route_id: String::new(),
                route_key: text(&route["routeKey"]),
                authorization: authorization(spec, route),
                integration: None,
                operation_name: None,
            })
            .collect(),
        disabled: spec["disableExecuteApiEndpoint"] == true,
    }
}

/// Who may use a route.
pub(super) fn authorization(spec: &Value, route: &Value) -> Authorization {
    if route["public"] == true {
        return Authorization::None;
    }
    let name = route["authorizer"].as_str().unwrap_or("default");
    let authorizer = items(&spec["authorizers"])
        .find(|further| further["name"] == name)
        .unwrap_or(spec);
    let inherited = if name == "default" {
        &spec["scopes"]
    } else {
        &Value::Null
    };
    let scopes = if route["scopes"].is_null() {
        inherited
    } else {
        &route["scopes"]
    };
    let source = authorizer["identitySource"].as_str();
    Authorization::Jwt {
        authorizer_name: name.to_owned(),
        identity_source: source.unwrap_or("$request.header.Authorization").to_owned(),
        issuer: text(&authorizer["issuer"]),
        audience: texts(&authorizer["audience"]),
        scopes: texts(scopes),
    }
}
