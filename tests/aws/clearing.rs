//! Every field of the operator's: what leaves the spec leaves AWS, and what others set is taken back.

use crate::ground::{Ground, OTHER_ISSUER, desired, ground, spec};
use aws_sdk_apigatewayv2::types::AuthorizationType;
use jwthttpapi_core::model::Desired;
use jwthttpapi_core::model::observed::{Api, Authorization};
use serde_json::{Value, json};

async fn with_functions(switches: Value) -> Ground {
    let ground = ground(switches);
    ground.functions(&["a", "b", "c"]).await;
    ground
}

/// Creates one spec, goes over to another, and gives the writes that it took.
async fn change(before: Value, after: Value) -> (Ground, Api, Vec<String>) {
    let ground = with_functions(json!({})).await;
    let id = ground.create(&desired(before)).await;
    let writes = ground.converge(&desired(after), &id).await;
    let api = ground.api(&id).await;
    (ground, api, writes)
}

fn without(field: &str) -> Value {
    let mut spec = spec("Role");
    spec.as_object_mut().unwrap().remove(field);
    spec
}

fn with(field: &str, value: Value) -> Value {
    let mut spec = spec("Role");
    spec[field] = value;
    spec
}

#[tokio::test(start_paused = true)]
async fn a_description_is_cleared() {
    let (_, api, writes) = change(with("description", json!("text")), spec("Role")).await;
    assert_eq!(
        (api.description.as_str(), writes),
        ("", vec!["UpdateApi".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn cors_is_removed_by_its_own_call() {
    let (_, api, writes) = change(spec("Role"), without("cors")).await;
    assert_eq!(
        (api.cors, writes),
        (None, vec!["DeleteCorsConfiguration".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn each_part_of_cors_is_cleared() {
    let full = json!({
        "allowOrigins": ["https://a.example"], "allowMethods": ["GET"], "allowHeaders": ["X-A"],
        "exposeHeaders": ["X-B"], "maxAge": 60, "allowCredentials": true,
    });
    for field in [
        "allowMethods",
        "allowHeaders",
        "exposeHeaders",
        "allowCredentials",
    ] {
        let mut part = full.clone();
        part.as_object_mut().unwrap().remove(field);
        let (_, _, writes) = change(with("cors", full.clone()), with("cors", part)).await;
        assert_eq!(writes, ["UpdateApi"], "{field}");
    }
    let mut ageless = full.clone();
    ageless.as_object_mut().unwrap().remove("maxAge");
    let (_, api, writes) = change(with("cors", full), with("cors", ageless)).await;
    assert_eq!(writes, ["DeleteCorsConfiguration", "UpdateApi"]);
    assert_eq!(api.cors.unwrap().max_age, None);
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_goes_back_after_the_address_type_by_itself() {
    let mut before = with("disableExecuteApiEndpoint", json!(true));
    before["ipAddressType"] = json!("dualstack");
    let (_, api, writes) = change(before, spec("Role")).await;
    assert_eq!(writes, ["UpdateApi", "UpdateApi"]);
    assert!(!api.disable_execute_api_endpoint);
}

#[tokio::test(start_paused = true)]
async fn tags_are_removed_and_changed() {
    let before = with("tags", json!({"a": "1", "b": "1"}));
    let (_, api, writes) = change(before, with("tags", json!({"b": "2"}))).await;
    // The role carries the same tags.
    let on_the_api: Vec<_> = writes
        .iter()
        .filter(|write| write.ends_with("Resource"))
        .collect();
    assert_eq!(on_the_api, ["UntagResource", "TagResource"]);
    assert_eq!(api.tags.get("b").map(String::as_str), Some("2"));
    assert!(!api.tags.contains_key("a"));
}

#[tokio::test(start_paused = true)]
async fn an_authorizers_configuration_is_replaced_whole() {
    let before = with("audience", json!(["a", "b"]));
    let (_, api, writes) = change(before, with("audience", json!(["b"]))).await;
    assert_eq!(writes, ["UpdateAuthorizer"]);
    assert_eq!(
        api.authorizers[0].jwt.as_ref().unwrap().audience,
        ["b".to_owned()].into()
    );
    let (_, api, _) = change(spec("Role"), with("issuer", json!(OTHER_ISSUER))).await;
    assert_eq!(api.authorizers[0].jwt.as_ref().unwrap().issuer, OTHER_ISSUER);
}

fn routes(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = spec("Role");
    change(&mut spec["routes"]);
    spec
}

fn authorization<'a>(api: &'a Api, key: &str) -> &'a Authorization {
    &api.routes
        .iter()
        .find(|route| route.key == key)
        .unwrap()
        .authorization
}

#[tokio::test(start_paused = true)]
async fn a_route_becomes_public_and_protected_again_whatever_aws_keeps_of_its_authorizer() {
    for switches in [
        json!({}),
        json!({"keep_authorizer_id_on_none": true}),
        json!({"refuse_none_with_scopes": true}),
    ] {
        let ground = with_functions(switches).await;
        let protected = desired(spec("Role"));
        let id = ground.create(&protected).await;
        let public = desired(routes(|routes| {
            routes[1].as_object_mut().unwrap().remove("scopes");
            routes[1]["public"] = json!(true);
        }));
        assert_eq!(ground.converge(&public, &id).await, ["UpdateRoute"]);
        assert_eq!(
            authorization(&ground.api(&id).await, "POST /b"),
            &Authorization::None
        );
        assert_eq!(ground.converge(&protected, &id).await, ["UpdateRoute"]);
        let api = ground.api(&id).await;
        let wanted = Authorization::Jwt {
            authorizer_id: api.authorizers[0].id.clone(),
            scopes: ["write".to_owned()].into(),
        };
        assert_eq!(authorization(&api, "POST /b"), &wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn scopes_and_operation_name_are_cleared() {
    let (_, api, writes) = change(
        spec("Role"),
        routes(|routes| {
            routes[1].as_object_mut().unwrap().remove("scopes");
            routes[2].as_object_mut().unwrap().remove("operationName");
        }),
    )
    .await;
    assert_eq!(writes, ["UpdateRoute", "UpdateRoute"]);
    assert!(matches!(authorization(&api, "POST /b"), Authorization::Jwt { scopes, .. } if scopes.is_empty()));
    assert!(api.routes.iter().all(|route| route.operation_name.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn scopes_changed_are_one_write() {
    let after = routes(|routes| routes[1]["scopes"] = json!(["read"]));
    let (_, _, writes) = change(spec("Role"), after).await;
    assert_eq!(writes, ["UpdateRoute"]);
}

#[tokio::test(start_paused = true)]
async fn another_function_is_a_new_integration_and_the_old_one_goes() {
    let after = routes(|routes| routes[0]["lambda"]["name"] = json!("b"));
    let (_, api, writes) = change(spec("Role"), after).await;
    let calls: Vec<_> = writes.iter().filter(|write| !write.contains("Role")).collect();
    // POST /b leads to that function already: they share its integration.
    assert_eq!(calls, ["UpdateRoute", "DeleteIntegration"]);
    assert_eq!(api.integrations.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_invocation_moves_every_integration() {
    let ground = with_functions(json!({})).await;
    let id = ground.create(&desired(spec("Role"))).await;
    ground.converge(&desired(spec("ResourcePolicy")), &id).await;
    let api = ground.api(&id).await;
    assert!(
        api.integrations
            .iter()
            .all(|integration| integration.credentials.is_empty())
    );
    ground.converge(&desired(spec("Role")), &id).await;
}

/// Lets somebody change the API behind the operator's back, and puts it right again.
async fn drift(mode: &str, switches: Value, change: impl AsyncFnOnce(&Ground, &Api)) -> Vec<String> {
    let ground = with_functions(switches).await;
    let wanted: Desired = desired(spec(mode));
    let id = ground.create(&wanted).await;
    change(&ground, &ground.api(&id).await).await;
    ground.converge(&wanted, &id).await
}

#[tokio::test(start_paused = true)]
async fn parameters_that_others_set_on_an_integration_are_dropped() {
    let writes = drift("Role", json!({}), async |ground, api| {
        let update = ground.gateway().update_integration().api_id(&api.id);
        let update = update.integration_id(&api.integrations[0].id);
        update
            .request_parameters("append:header.x", "y")
            .send()
            .await
            .unwrap();
    })
    .await;
    assert_eq!(writes, ["UpdateIntegration"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_and_a_role_that_others_changed_are_put_right() {
    let writes = drift("Role", json!({}), async |ground, api| {
        let update = ground.gateway().update_integration().api_id(&api.id);
        let update = update
            .integration_id(&api.integrations[0].id)
            .integration_uri("arn:aws:lambda:eu-central-1:123456789012:function:c")
            .credentials_arn("arn:aws:iam::123456789012:role/other")
            .timeout_in_millis(100);
        update.send().await.unwrap();
    })
    .await;
    assert_eq!(writes, ["UpdateIntegration"]);
}

#[tokio::test(start_paused = true)]
async fn an_integration_that_others_gave_a_role_is_replaced_since_nothing_surely_clears_it() {
    for switches in [json!({}), json!({"credentials_arn_empty_clears": false})] {
        let writes = drift("ResourcePolicy", switches, async |ground, api| {
            let update = ground.gateway().update_integration().api_id(&api.id);
            let update = update
                .integration_id(&api.integrations[0].id)
                .credentials_arn("arn:aws:iam::123456789012:role/other");
            update.send().await.unwrap();
        })
        .await;
        assert_eq!(writes, ["CreateIntegration", "UpdateRoute", "DeleteIntegration"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_others_opened_or_closed_to_iam_is_put_right_in_one_write() {
    for kind in [AuthorizationType::None, AuthorizationType::AwsIam] {
        let writes = drift("Role", json!({}), async |ground, api| {
            let route = api.routes.iter().find(|route| route.key == "GET /a").unwrap();
            let update = ground
                .gateway()
                .update_route()
                .api_id(&api.id)
                .route_id(&route.id);
            update.authorization_type(kind.clone()).send().await.unwrap();
        })
        .await;
        assert_eq!(writes, ["UpdateRoute"], "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_integration_of_one_marker_goes_and_so_does_another_stage() {
    let writes = drift("Role", json!({}), async |ground, api| {
        let gateway = ground.gateway();
        let twin = &api.integrations[0];
        let create = gateway
            .create_integration()
            .api_id(&api.id)
            .integration_type("AWS_PROXY".into());
        let create = create
            .integration_uri(&twin.uri)
            .payload_format_version("2.0")
            .description(&twin.description);
        create.credentials_arn(&twin.credentials).send().await.unwrap();
        gateway
            .create_stage()
            .api_id(&api.id)
            .stage_name("debug")
            .send()
            .await
            .unwrap();
    })
    .await;
    assert_eq!(writes, ["DeleteStage", "DeleteIntegration"]);
}

#[tokio::test(start_paused = true)]
async fn automatic_deployment_that_others_switched_off_goes_on_again() {
    let writes = drift("Role", json!({}), async |ground, api| {
        let update = ground.gateway().update_stage().api_id(&api.id);
        update
            .stage_name("$default")
            .auto_deploy(false)
            .send()
            .await
            .unwrap();
    })
    .await;
    assert_eq!(writes, ["UpdateStage"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_others_changed_is_put_right() {
    let writes = drift("Role", json!({}), async |ground, api| {
        let role = api.integrations[0]
            .credentials
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let iam = ground.iam();
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
        }]});
        let delete = iam
            .delete_role_policy()
            .role_name(&role)
            .policy_name("jwthttpapi");
        delete.send().await.unwrap();
        let update = iam.update_assume_role_policy().role_name(&role);
        update.policy_document(trust.to_string()).send().await.unwrap();
    })
    .await;
    assert_eq!(writes, ["UpdateAssumeRolePolicy", "PutRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_names_another_api_is_replaced() {
    let writes = drift("ResourcePolicy", json!({}), async |ground, _| {
        let lambda = ground.lambda();
        let id = jwthttpapi_core::model::name::statement_id(&crate::ground::owner());
        let remove = lambda.remove_permission().function_name("a").statement_id(&id);
        remove.send().await.unwrap();
        let add = lambda.add_permission().function_name("a").statement_id(&id);
        let add = add
            .action("lambda:InvokeFunction")
            .principal("apigateway.amazonaws.com");
        let add = add.source_arn("arn:aws:execute-api:eu-central-1:123456789012:other/*/*");
        add.send().await.unwrap();
    })
    .await;
    assert_eq!(writes, ["RemovePermission", "AddPermission"]);
}
