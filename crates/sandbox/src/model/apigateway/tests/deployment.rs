//! Automatic deployments: when they are minted, when they take effect, what they hold.

use serde_json::{Value, json};

use crate::model::{
    Timestamp,
    apigateway::Request,
    deployment::{Authorization, Deployment},
    testing::{Bench, FUNCTION, input},
};

fn deployed(bench: &mut Bench, api: &str) -> Option<Deployment> {
    bench.world.deployment(api, "$default", Timestamp(bench.now))
}

fn with_stage(settings: Value) -> (Bench, String, String) {
    let mut bench = Bench::new(settings);
    let api = bench.api();
    let route = bench.route(&api, json!({ "routeKey": "GET /a" }));
    bench
        .create_stage(&api, json!({ "stageName": "$default", "autoDeploy": true }))
        .unwrap();
    (bench, api, route)
}

#[test]
fn a_stage_created_after_routes_is_deployed_and_says_so() {
    let (mut bench, api, _) = with_stage(json!({}));
    let stage = bench.stage(&api);
    let id = stage["deploymentId"].as_str().unwrap();
    assert_eq!(
        stage["lastDeploymentStatusMessage"],
        json!(format!("Successfully deployed stage with deployment ID '{id}'"))
    );
    assert_eq!(deployed(&mut bench, &api).unwrap().id, id);
}

#[test]
fn a_stage_without_routes_is_not_deployed() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench
        .create_stage(&api, json!({ "stageName": "$default", "autoDeploy": true }))
        .unwrap();
    bench.integration(&api);
    assert_eq!(bench.stage(&api).get("deploymentId"), None);
    bench.route(&api, json!({ "routeKey": "GET /a" }));
    assert!(bench.stage(&api).get("deploymentId").is_some());
}

#[test]
fn a_stage_without_auto_deploy_is_not_deployed_until_it_is_switched_on() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench.route(&api, json!({ "routeKey": "GET /a" }));
    bench
        .create_stage(&api, json!({ "stageName": "$default" }))
        .unwrap();
    assert_eq!(deployed(&mut bench, &api), None);
    bench.update_stage(&api, json!({ "autoDeploy": true })).unwrap();
    assert!(deployed(&mut bench, &api).is_some());
}

#[test]
fn every_change_of_a_child_mints_a_deployment_and_nothing_else_does() {
    let (mut bench, api, route) = with_stage(json!({}));
    let mut last = bench.stage(&api)["deploymentId"].clone();
    let mut turned = |bench: &mut Bench, what: &str, expected: bool| {
        let id = bench.stage(&api)["deploymentId"].clone();
        assert_eq!(id != last, expected, "{what}");
        last = id;
    };
    let integration = bench.integration(&api);
    turned(&mut bench, "CreateIntegration", true);
    let authorizer = bench.authorizer(&api);
    turned(&mut bench, "CreateAuthorizer", true);
    bench
        .update_route(&api, &route, json!({ "operationName": "o" }))
        .unwrap();
    turned(&mut bench, "UpdateRoute", true);
    bench
        .gateway(Request::DeleteAuthorizer {
            api: api.clone(),
            id: authorizer,
        })
        .unwrap();
    turned(&mut bench, "DeleteAuthorizer", true);
    bench
        .gateway(Request::DeleteIntegration {
            api: api.clone(),
            id: integration,
        })
        .unwrap();
    turned(&mut bench, "DeleteIntegration", true);
    let arn = format!("arn:aws:apigateway:eu-central-1::/apis/{api}");
    bench
        .gateway(Request::TagResource {
            arn,
            tags: input(json!({ "a": "1" })),
        })
        .unwrap();
    turned(&mut bench, "TagResource", false);
    bench
        .gateway(Request::UpdateApi {
            api: api.clone(),
            input: input(json!({ "name": "b" })),
        })
        .unwrap();
    turned(&mut bench, "UpdateApi", false);
    bench.update_stage(&api, json!({ "description": "d" })).unwrap();
    turned(&mut bench, "UpdateStage", false);
    assert!(bench.create_route(&api, json!({ "routeKey": "GET /a" })).is_err());
    turned(&mut bench, "a refused CreateRoute", false);
}

#[test]
fn a_deployment_takes_effect_after_the_delay_and_not_before() {
    let (mut bench, api, _) = with_stage(json!({}));
    bench.world.settings.deploy_delay_ms = 2000;
    let before = deployed(&mut bench, &api).unwrap();
    bench.route(&api, json!({ "routeKey": "GET /b" }));
    bench.now += 1000;
    bench.route(&api, json!({ "routeKey": "GET /c" }));
    bench.now += 999;
    assert_eq!(deployed(&mut bench, &api).unwrap(), before);
    assert_eq!(bench.stage(&api)["deploymentId"], json!(before.id));
    bench.now += 1;
    assert_eq!(deployed(&mut bench, &api).unwrap().routes.len(), 2);
    bench.now += 1000;
    assert_eq!(deployed(&mut bench, &api).unwrap().routes.len(), 3);
}

#[test]
fn a_deployment_is_a_snapshot_with_everything_the_data_plane_needs() {
    let (mut bench, api, _) = with_stage(json!({}));
    let authorizer = bench.authorizer(&api);
    let members = json!({
        "integrationType": "AWS_PROXY", "integrationUri": FUNCTION, "payloadFormatVersion": "2.0",
        "credentialsArn": "arn:aws:iam::123456789012:role/r",
    });
    let created = bench
        .gateway(Request::CreateIntegration {
            api: api.clone(),
            input: input(members),
        })
        .unwrap();
    let integration = created["integrationId"].as_str().unwrap();
    bench.route(
        &api,
        json!({
            "routeKey": "GET /b", "target": format!("integrations/{integration}"), "authorizationType": "JWT",
            "authorizerId": authorizer, "authorizationScopes": ["read"], "operationName": "o",
        }),
    );
    let deployment = deployed(&mut bench, &api).unwrap();
    assert_eq!(
        (deployment.account.as_str(), deployment.region.as_str()),
        ("123456789012", "eu-central-1")
    );
    let [open, closed] = deployment.routes.as_slice() else {
        panic!("{:?}", deployment.routes)
    };
    assert_eq!(
        (&open.authorization, &open.integration),
        (&Authorization::None, &None)
    );
    assert_eq!(
        closed.authorization,
        Authorization::Jwt {
            authorizer_name: "default".into(),
            identity_source: "$request.header.Authorization".into(),
            issuer: "https://issuer.example/".into(),
            audience: vec!["a".into()],
            scopes: vec!["read".into()],
        }
    );
    let behind = closed.integration.as_ref().unwrap();
    assert_eq!(
        (behind.uri.as_str(), behind.payload_format_version.as_str()),
        (FUNCTION, "2.0")
    );
    assert_eq!(
        behind.credentials_arn.as_deref(),
        Some("arn:aws:iam::123456789012:role/r")
    );
}

#[test]
fn a_failed_deployment_leaves_the_old_one_and_says_why() {
    let (mut bench, api, _) = with_stage(json!({}));
    let before = deployed(&mut bench, &api).unwrap();
    bench.deployment_failure = Some("Deployment attempt failed: no luck".into());
    bench.route(&api, json!({ "routeKey": "GET /b" }));
    bench.deployment_failure = None;
    assert_eq!(deployed(&mut bench, &api).unwrap(), before);
    let stage = bench.stage(&api);
    assert_eq!(
        stage["lastDeploymentStatusMessage"],
        json!("Deployment attempt failed: no luck")
    );
    assert_eq!(stage["deploymentId"], json!(before.id));
    bench.route(&api, json!({ "routeKey": "GET /c" }));
    assert_eq!(deployed(&mut bench, &api).unwrap().routes.len(), 3);
}

#[test]
fn the_endpoints_switch_takes_effect_with_a_deployment_and_cors_at_once() {
    let (mut bench, api, _) = with_stage(json!({}));
    bench.world.settings = bench
        .world
        .settings
        .patched(&json!({ "deploy_delay_ms": 60_000 }))
        .unwrap();
    let members =
        json!({ "corsConfiguration": { "allowOrigins": ["*"] }, "disableExecuteApiEndpoint": true });
    bench
        .gateway(Request::UpdateApi {
            api: api.clone(),
            input: input(members),
        })
        .unwrap();
    assert_eq!(bench.world.cors(&api).unwrap().allow_origins, ["*"]);
    assert!(!deployed(&mut bench, &api).unwrap().disabled);
    bench.now += 60_000;
    assert!(deployed(&mut bench, &api).unwrap().disabled);
}

#[test]
fn the_endpoints_switch_may_need_no_deployment() {
    let (mut bench, api, _) = with_stage(json!({ "api_settings_deploy": false }));
    let members = json!({ "disableExecuteApiEndpoint": true });
    bench
        .gateway(Request::UpdateApi {
            api: api.clone(),
            input: input(members),
        })
        .unwrap();
    assert!(deployed(&mut bench, &api).unwrap().disabled);
}
