//! What others change in an API, and what AWS failed at: put right, and told.

use super::super::pass::Next;
use super::ground::{DEPLOY_SETTLE, Ground};
use aws_sdk_apigatewayv2::types::{AuthorizationType, AuthorizerType, JwtConfiguration};
use jwthttpapi_core::api::Reason;
use serde_json::json;

/// Status names each authorizer once: the API server refuses two entries of one name, and with them every condition.
#[tokio::test(start_paused = true)]
async fn of_two_authorizers_of_one_name_status_names_the_one_that_stays() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"authorizer_names_unique": false}));
    let used = ground.pass().await.unwrap().status.authorizers;
    let gateway = ground.gateway();
    let (api, _) = ground.sandbox.apis().remove(0);
    let jwt = JwtConfiguration::builder().issuer("https://issuer.example/");
    let jwt = jwt.audience("aud").build();
    for _ in 0..3 {
        let twin = gateway.create_authorizer().api_id(&api).name(&used[0].name);
        let twin = twin
            .authorizer_type(AuthorizerType::Jwt)
            .identity_source("$request.header.Authorization")
            .jwt_configuration(jwt.clone());
        twin.send().await.unwrap();
    }
    // Nothing is deleted while a function is missing.
    let gone = ground.lambda().delete_function().function_name("a");
    gone.send().await.unwrap();
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNotFound);
    assert_eq!(passed.status.authorizers, used);
}

/// Nothing else would be written again, and the last deployment that came serves on.
#[tokio::test(start_paused = true)]
async fn a_deployment_that_failed_is_asked_for_again() {
    let mut ground = Ground::new().await;
    ground.fault(
        "CreateStage",
        &json!({"kind": "fail_deployment", "message": "try later"}),
    );
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::DeploymentFailed);
    ground.sandbox.clear_faults();
    ground.operations("apigateway");
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    assert!(
        ground
            .operations("apigateway")
            .contains(&"UpdateRoute".to_owned())
    );
}

/// It would serve what was deployed before, which was wanted with the endpoint off alone.
#[tokio::test(start_paused = true)]
async fn no_endpoint_is_switched_on_over_a_deployment_that_failed() {
    let mut ground = Ground::new().await;
    ground.change(json!({"disableExecuteApiEndpoint": true}));
    ground.pass().await.unwrap();
    for operation in ["UpdateAuthorizer", "UpdateRoute"] {
        let fails = json!({"kind": "fail_deployment", "message": "try later"});
        ground.fault(operation, &fails);
    }
    tokio::time::advance(DEPLOY_SETTLE).await;
    ground.change(json!({"audience": ["other"]}));
    let off = async |ground: &Ground| {
        let (api, _) = ground.sandbox.apis().remove(0);
        let shown = ground.gateway().get_api().api_id(api).send().await.unwrap();
        shown.disable_execute_api_endpoint().unwrap()
    };
    for _ in 0..2 {
        let passed = ground.pass().await.unwrap();
        let programmed = passed.findings.programmed;
        assert_eq!(
            (programmed.reason, passed.next),
            (Reason::DeploymentFailed, Next::Backoff)
        );
        assert!(programmed.message.contains("try later"), "{}", programmed.message);
        assert!(off(&ground).await);
    }
    ground.sandbox.clear_faults();
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    assert!(!off(&ground).await);
}

/// Somebody opened a route and switched deployments off, and a function is missing: the route is closed, and that is deployed.
#[tokio::test(start_paused = true)]
async fn what_is_closed_is_served_closed_whatever_else_is_missing() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let gateway = ground.gateway();
    let (api, _) = ground.sandbox.apis().remove(0);
    let routes = gateway.get_routes().api_id(&api).send().await.unwrap();
    let route = routes.items()[0].route_id().unwrap();
    let open = gateway.update_route().api_id(&api).route_id(route);
    let open = open.authorization_type(AuthorizationType::None);
    open.send().await.unwrap();
    let off = gateway.update_stage().api_id(&api).stage_name("$default");
    off.auto_deploy(false).send().await.unwrap();
    let gone = ground.lambda().delete_function().function_name("a");
    gone.send().await.unwrap();
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNotFound);
    let stage = gateway.get_stage().api_id(&api).stage_name("$default");
    assert_eq!(stage.send().await.unwrap().auto_deploy(), Some(true));
    let route = gateway.get_route().api_id(&api).route_id(route);
    let guarded = route.send().await.unwrap();
    assert_eq!(guarded.authorization_type(), Some(&AuthorizationType::Jwt));
}
