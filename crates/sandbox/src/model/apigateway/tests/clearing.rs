//! What an update clears, keeps or refuses: member by member.

use serde_json::{Value, json};

use crate::model::{
    apigateway::Request,
    error::Refusal,
    testing::{Bench, FUNCTION, input, refused, text},
};

fn update_api(bench: &mut Bench, api: &str, members: Value) -> Result<Value, Refusal> {
    bench.gateway(Request::UpdateApi {
        api: api.to_owned(),
        input: input(members),
    })
}

fn update_integration(bench: &mut Bench, api: &str, id: &str, members: Value) -> Result<Value, Refusal> {
    let (api, id) = (api.to_owned(), id.to_owned());
    bench.gateway(Request::UpdateIntegration {
        api,
        id,
        input: input(members),
    })
}

fn update_authorizer(bench: &mut Bench, api: &str, id: &str, members: Value) -> Result<Value, Refusal> {
    let (api, id) = (api.to_owned(), id.to_owned());
    bench.gateway(Request::UpdateAuthorizer {
        api,
        id,
        input: input(members),
    })
}

#[test]
fn an_absent_member_keeps_its_value() {
    let mut bench = Bench::new(json!({}));
    let members = json!({ "name": "a", "protocolType": "HTTP", "description": "d", "version": "1" });
    let created = bench
        .gateway(Request::CreateApi {
            input: input(members),
        })
        .unwrap();
    let updated = update_api(&mut bench, &text(&created, "apiId"), json!({ "name": "b" })).unwrap();
    assert_eq!(
        (&updated["name"], &updated["description"], &updated["version"]),
        (&json!("b"), &json!("d"), &json!("1"))
    );
}

#[test]
fn an_apis_description_and_version_are_cleared_by_empty_strings() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    update_api(&mut bench, &api, json!({ "description": "d", "version": "1" })).unwrap();
    let updated = update_api(&mut bench, &api, json!({ "description": "", "version": "" })).unwrap();
    assert_eq!((updated.get("description"), updated.get("version")), (None, None));
}

#[test]
fn cors_is_cleared_only_by_its_own_delete() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let cors = json!({ "allowOrigins": ["https://a.example"], "allowHeaders": ["X-A"] });
    update_api(&mut bench, &api, json!({ "corsConfiguration": cors })).unwrap();
    let kept = update_api(&mut bench, &api, json!({ "corsConfiguration": {} })).unwrap();
    assert_eq!(
        kept["corsConfiguration"]["allowOrigins"],
        json!(["https://a.example"])
    );
    bench
        .gateway(Request::DeleteCorsConfiguration { api: api.clone() })
        .unwrap();
    let read = bench.gateway(Request::GetApi { api }).unwrap();
    assert_eq!(read.get("corsConfiguration"), None);
}

#[test]
fn a_cors_list_that_is_given_replaces_the_old_one() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let first = json!({ "allowOrigins": ["https://a.example"], "allowHeaders": ["X-A", "X-B"], "maxAge": 5 });
    update_api(&mut bench, &api, json!({ "corsConfiguration": first })).unwrap();
    let updated = update_api(
        &mut bench,
        &api,
        json!({ "corsConfiguration": { "allowHeaders": ["X-C"] } }),
    )
    .unwrap();
    assert_eq!(updated["corsConfiguration"]["allowHeaders"], json!(["x-c"]));
    assert_eq!(updated["corsConfiguration"]["maxAge"], json!(5));
    let updated = update_api(
        &mut bench,
        &api,
        json!({ "corsConfiguration": { "allowHeaders": [] } }),
    )
    .unwrap();
    assert_eq!(updated["corsConfiguration"].get("allowHeaders"), None);
}

#[test]
fn the_endpoint_switch_and_the_address_type_are_reset_by_their_defaults() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    update_api(
        &mut bench,
        &api,
        json!({ "disableExecuteApiEndpoint": true, "ipAddressType": "dualstack" }),
    )
    .unwrap();
    let reset = json!({ "disableExecuteApiEndpoint": false, "ipAddressType": "ipv4" });
    let updated = update_api(&mut bench, &api, reset).unwrap();
    assert_eq!(
        (&updated["disableExecuteApiEndpoint"], &updated["ipAddressType"]),
        (&json!(false), &json!("ipv4"))
    );
}

#[test]
fn a_jwt_configuration_is_replaced_as_a_whole() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.authorizer(&api);
    let only_issuer = json!({ "jwtConfiguration": { "issuer": "https://issuer.example/" } });
    assert_eq!(
        refused(update_authorizer(&mut bench, &api, &id, only_issuer)).0,
        400
    );
    let whole = json!({ "jwtConfiguration": { "issuer": "https://other.example", "audience": ["b"] } });
    let updated = update_authorizer(&mut bench, &api, &id, whole).unwrap();
    assert_eq!(
        updated["jwtConfiguration"],
        json!({ "issuer": "https://other.example", "audience": ["b"] })
    );
    let renamed = update_authorizer(&mut bench, &api, &id, json!({ "name": "other" })).unwrap();
    assert_eq!(renamed["jwtConfiguration"], updated["jwtConfiguration"]);
}

#[test]
fn members_of_other_authorizer_types_are_refused_on_jwt() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.authorizer(&api);
    for members in [
        json!({ "enableSimpleResponses": false }),
        json!({ "authorizerPayloadFormatVersion": "2.0" }),
        json!({ "authorizerResultTtlInSeconds": 0 }),
    ] {
        assert_eq!(refused(update_authorizer(&mut bench, &api, &id, members)).0, 400);
    }
}

#[test]
fn request_parameters_merge_and_an_empty_value_drops_one() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.integration(&api);
    let parameters = json!({ "append:header.a": "1", "append:header.b": "2" });
    update_integration(&mut bench, &api, &id, json!({ "requestParameters": parameters })).unwrap();
    let kept = update_integration(&mut bench, &api, &id, json!({ "requestParameters": {} })).unwrap();
    assert_eq!(kept["requestParameters"], parameters);
    let drop = json!({ "requestParameters": { "append:header.a": "" } });
    let dropped = update_integration(&mut bench, &api, &id, drop).unwrap();
    assert_eq!(dropped["requestParameters"], json!({ "append:header.b": "2" }));
}

#[test]
fn response_parameters_of_a_status_are_dropped_by_an_empty_map() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.integration(&api);
    let parameters =
        json!({ "200": { "overwrite:statuscode": "201" }, "500": { "overwrite:statuscode": "502" } });
    update_integration(&mut bench, &api, &id, json!({ "responseParameters": parameters })).unwrap();
    let updated = update_integration(
        &mut bench,
        &api,
        &id,
        json!({ "responseParameters": { "200": {} } }),
    )
    .unwrap();
    assert_eq!(
        updated["responseParameters"],
        json!({ "500": { "overwrite:statuscode": "502" } })
    );
}

#[test]
fn an_integrations_description_is_cleared_by_an_empty_string() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.integration(&api);
    update_integration(&mut bench, &api, &id, json!({ "description": "d" })).unwrap();
    let updated = update_integration(&mut bench, &api, &id, json!({ "description": "" })).unwrap();
    assert_eq!(updated.get("description"), None);
}

#[test]
fn whether_empty_credentials_clear_is_a_switch() {
    for (clears, left) in [
        (true, None),
        (false, Some(json!("arn:aws:iam::123456789012:role/r"))),
    ] {
        let mut bench = Bench::new(json!({ "credentials_arn_empty_clears": clears }));
        let api = bench.api();
        let id = bench.integration(&api);
        let role = json!({ "credentialsArn": "arn:aws:iam::123456789012:role/r" });
        update_integration(&mut bench, &api, &id, role).unwrap();
        let updated = update_integration(&mut bench, &api, &id, json!({ "credentialsArn": "" })).unwrap();
        assert_eq!(updated.get("credentialsArn"), left.as_ref());
    }
}

#[test]
fn what_an_integration_is_given_is_read_back() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.integration(&api);
    let members = json!({ "payloadFormatVersion": "2.0", "timeoutInMillis": 50, "integrationUri": format!("{FUNCTION}:live") });
    let updated = update_integration(&mut bench, &api, &id, members).unwrap();
    assert_eq!(updated["payloadFormatVersion"], json!("2.0"));
    assert_eq!(updated["timeoutInMillis"], json!(50));
    assert_eq!(updated["integrationUri"], json!(format!("{FUNCTION}:live")));
}

#[test]
fn an_absent_authorization_type_keeps_jwt() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let authorizer = bench.authorizer(&api);
    let members = json!({ "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer });
    let id = bench.route(&api, members);
    let updated = bench
        .update_route(&api, &id, json!({ "operationName": "o" }))
        .unwrap();
    assert_eq!(updated["authorizationType"], json!("JWT"));
    assert_eq!(updated["authorizerId"], json!(authorizer));
    let opened = bench
        .update_route(
            &api,
            &id,
            json!({ "authorizationType": "NONE", "authorizerId": "" }),
        )
        .unwrap();
    assert_eq!(
        (&opened["authorizationType"], opened.get("authorizerId")),
        (&json!("NONE"), None)
    );
}

#[test]
fn scopes_and_operation_names_are_cleared_by_emptiness() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let authorizer = bench.authorizer(&api);
    let members = json!({
        "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer,
        "authorizationScopes": ["read"], "operationName": "o",
    });
    let id = bench.route(&api, members);
    let kept = bench.update_route(&api, &id, json!({})).unwrap();
    assert_eq!(
        (&kept["authorizationScopes"], &kept["operationName"]),
        (&json!(["read"]), &json!("o"))
    );
    let cleared = bench
        .update_route(
            &api,
            &id,
            json!({ "authorizationScopes": [], "operationName": "" }),
        )
        .unwrap();
    assert_eq!(
        (cleared.get("authorizationScopes"), cleared.get("operationName")),
        (None, None)
    );
}

#[test]
fn whether_none_keeps_the_authorizer_is_a_switch() {
    for keeps in [true, false] {
        let mut bench = Bench::new(json!({ "keep_authorizer_id_on_none": keeps }));
        let api = bench.api();
        let authorizer = bench.authorizer(&api);
        let members = json!({ "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer });
        let id = bench.route(&api, members);
        let updated = bench
            .update_route(&api, &id, json!({ "authorizationType": "NONE" }))
            .unwrap();
        assert_eq!(updated.get("authorizerId").is_some(), keeps);
        let deleted = bench.gateway(Request::DeleteAuthorizer { api, id: authorizer });
        assert_eq!(deleted.is_err(), keeps, "a kept reference is in use");
    }
}

#[test]
fn whether_none_with_scopes_is_refused_is_a_switch() {
    for refuses in [true, false] {
        let mut bench = Bench::new(json!({ "refuse_none_with_scopes": refuses }));
        let api = bench.api();
        let authorizer = bench.authorizer(&api);
        let members = json!({
            "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer, "authorizationScopes": ["s"],
        });
        let id = bench.route(&api, members);
        let bare = bench.update_route(&api, &id, json!({ "authorizationType": "NONE" }));
        assert_eq!(bare.is_err(), refuses);
        let complete = json!({ "authorizationType": "NONE", "authorizerId": "", "authorizationScopes": [] });
        assert!(bench.update_route(&api, &id, complete).is_ok());
    }
}

#[test]
fn a_route_key_can_be_changed_but_not_to_a_taken_one() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let id = bench.route(&api, json!({ "routeKey": "GET /a" }));
    bench.route(&api, json!({ "routeKey": "GET /b" }));
    assert_eq!(
        refused(bench.update_route(&api, &id, json!({ "routeKey": "GET /b" }))).0,
        409
    );
    let updated = bench
        .update_route(&api, &id, json!({ "routeKey": "GET /c" }))
        .unwrap();
    assert_eq!(updated["routeKey"], json!("GET /c"));
    assert!(
        bench
            .update_route(&api, &id, json!({ "routeKey": "GET /c" }))
            .is_ok(),
        "its own key is free for it"
    );
}

#[test]
fn a_stages_description_cannot_be_cleared() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench
        .create_stage(&api, json!({ "stageName": "$default", "description": "d" }))
        .unwrap();
    assert_eq!(
        bench.update_stage(&api, json!({ "description": "" })).unwrap()["description"],
        json!("d")
    );
}

#[test]
fn stage_variables_merge_and_an_empty_value_drops_one() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let members = json!({ "stageName": "$default", "stageVariables": { "a": "1", "b": "2" } });
    bench.create_stage(&api, members).unwrap();
    let updated = bench
        .update_stage(&api, json!({ "stageVariables": { "a": "", "c": "3" } }))
        .unwrap();
    assert_eq!(updated["stageVariables"], json!({ "b": "2", "c": "3" }));
}

#[test]
fn access_logs_are_cleared_only_by_their_own_delete() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let logs = json!({ "destinationArn": "arn:aws:logs:eu-central-1:1:log-group:g", "format": "$context.requestId" });
    bench
        .create_stage(
            &api,
            json!({ "stageName": "$default", "accessLogSettings": logs }),
        )
        .unwrap();
    assert_eq!(
        bench
            .update_stage(&api, json!({ "accessLogSettings": {} }))
            .unwrap()["accessLogSettings"],
        logs
    );
    let name = "$default".to_owned();
    bench
        .gateway(Request::DeleteAccessLogSettings {
            api: api.clone(),
            name,
        })
        .unwrap();
    assert_eq!(bench.stage(&api).get("accessLogSettings"), None);
}

#[test]
fn route_settings_merge_and_are_dropped_by_their_own_delete() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench.route(&api, json!({ "routeKey": "GET /a" }));
    let first = json!({ "GET /a": { "throttlingBurstLimit": 5 } });
    bench
        .create_stage(&api, json!({ "stageName": "$default", "routeSettings": first }))
        .unwrap();
    let second = json!({ "GET /a": { "throttlingRateLimit": 1.5 } });
    let merged = bench
        .update_stage(&api, json!({ "routeSettings": second }))
        .unwrap();
    let both =
        json!({ "detailedMetricsEnabled": false, "throttlingBurstLimit": 5, "throttlingRateLimit": 1.5 });
    assert_eq!(merged["routeSettings"]["GET /a"], both);
    let request = Request::DeleteRouteSettings {
        api: api.clone(),
        name: "$default".into(),
        key: "GET /a".into(),
    };
    bench.gateway(request).unwrap();
    assert_eq!(bench.stage(&api)["routeSettings"], json!({}));
}

#[test]
fn default_route_settings_merge_and_cannot_be_reset() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let burst = json!({ "throttlingBurstLimit": 5 });
    bench
        .create_stage(
            &api,
            json!({ "stageName": "$default", "defaultRouteSettings": burst }),
        )
        .unwrap();
    let updated = bench
        .update_stage(&api, json!({ "defaultRouteSettings": {} }))
        .unwrap();
    assert_eq!(updated["defaultRouteSettings"]["throttlingBurstLimit"], json!(5));
}

#[test]
fn a_deployment_id_is_refused_while_auto_deploy_is_on() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench
        .create_stage(&api, json!({ "stageName": "$default", "autoDeploy": true }))
        .unwrap();
    let (status, _, text) = refused(bench.update_stage(&api, json!({ "deploymentId": "abc" })));
    assert_eq!(status, 400);
    assert_eq!(
        text,
        "Deployment ID cannot be set on this stage because AutoDeploy is enabled"
    );
}

#[test]
fn tags_change_only_through_their_own_operations() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let arn = format!("arn:aws:apigateway:eu-central-1::/apis/{api}");
    update_api(&mut bench, &api, json!({ "tags": { "ignored": "1" } })).unwrap();
    let tags = input(json!({ "a": "1", "b": "2" }));
    bench
        .gateway(Request::TagResource {
            arn: arn.clone(),
            tags,
        })
        .unwrap();
    bench
        .gateway(Request::UntagResource {
            arn: arn.clone(),
            keys: vec!["a".into(), "absent".into()],
        })
        .unwrap();
    assert_eq!(
        bench.gateway(Request::GetTags { arn }).unwrap(),
        json!({ "tags": { "b": "2" } })
    );
    assert_eq!(
        bench.gateway(Request::GetApi { api }).unwrap()["tags"],
        json!({ "b": "2" })
    );
}
