//! What creations check, and what is read back.

use serde_json::{Value, json};

use crate::model::{
    apigateway::Request,
    error::Refusal,
    testing::{Bench, FUNCTION, input, refused, text},
};

fn create_api(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.gateway(Request::CreateApi {
        input: input(members),
    })
}

fn create_integration(bench: &mut Bench, api: &str, members: Value) -> Result<Value, Refusal> {
    bench.gateway(Request::CreateIntegration {
        api: api.to_owned(),
        input: input(members),
    })
}

fn create_authorizer(bench: &mut Bench, api: &str, change: Value) -> Result<Value, Refusal> {
    let mut members = json!({
        "name": "default",
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["a"] },
    });
    for (name, value) in change.as_object().unwrap() {
        members[name] = value.clone();
    }
    bench.gateway(Request::CreateAuthorizer {
        api: api.to_owned(),
        input: input(members),
    })
}

#[test]
fn an_api_reads_back_its_defaults() {
    let mut bench = Bench::new(json!({}));
    let created = create_api(&mut bench, json!({ "name": "a", "protocolType": "HTTP" })).unwrap();
    let api = text(&created, "apiId");
    let expected = json!({
        "apiEndpoint": format!("https://{api}.execute-api.eu-central-1.amazonaws.com"),
        "apiId": api,
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "createdDate": "1970-01-01T00:16:40Z",
        "disableExecuteApiEndpoint": false,
        "ipAddressType": "ipv4",
        "name": "a",
        "protocolType": "HTTP",
        "routeSelectionExpression": "$request.method $request.path",
        "tags": {},
    });
    assert_eq!(created, expected);
    assert_eq!(bench.gateway(Request::GetApi { api }).unwrap(), expected);
}

#[test]
fn names_of_apis_may_repeat() {
    let mut bench = Bench::new(json!({}));
    assert_ne!(bench.api(), bench.api());
}

#[test]
fn an_api_needs_a_name_of_at_most_128_characters_and_a_protocol() {
    let mut bench = Bench::new(json!({}));
    for members in [
        json!({ "name": "", "protocolType": "HTTP" }),
        json!({ "name": "a".repeat(129), "protocolType": "HTTP" }),
        json!({ "name": "a" }),
        json!({ "name": "a", "protocolType": "SMTP" }),
        json!({ "name": "a", "protocolType": "HTTP", "description": "d".repeat(1025) }),
    ] {
        assert_eq!(refused(create_api(&mut bench, members)).0, 400);
    }
    assert!(
        create_api(
            &mut bench,
            json!({ "name": "ä".repeat(128), "protocolType": "HTTP" })
        )
        .is_ok()
    );
}

#[test]
fn cors_with_credentials_refuses_every_origin() {
    let mut bench = Bench::new(json!({}));
    let cors = json!({ "allowOrigins": ["*"], "allowCredentials": true });
    let members = json!({ "name": "a", "protocolType": "HTTP", "corsConfiguration": cors });
    let (status, code, text) = refused(create_api(&mut bench, members));
    assert_eq!((status, code.as_str()), (400, "BadRequestException"));
    assert_eq!(text, "allow-credentials is not supported if 'allow-origin' is *");
}

#[test]
fn cors_header_names_come_back_in_lower_case_and_methods_verbatim() {
    let mut bench = Bench::new(json!({}));
    let cors = json!({ "allowHeaders": ["X-A"], "exposeHeaders": ["ETag"], "allowMethods": ["GET"] });
    let members = json!({ "name": "a", "protocolType": "HTTP", "corsConfiguration": cors });
    let created = create_api(&mut bench, members).unwrap();
    let cors = &created["corsConfiguration"];
    assert_eq!(
        (&cors["allowHeaders"], &cors["exposeHeaders"]),
        (&json!(["x-a"]), &json!(["etag"]))
    );
    assert_eq!(cors["allowMethods"], json!(["GET"]));
}

#[test]
fn an_integration_reads_back_its_defaults() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let members = json!({ "integrationType": "AWS_PROXY", "integrationUri": FUNCTION });
    let mut created = create_integration(&mut bench, &api, members).unwrap();
    created.as_object_mut().unwrap().remove("integrationId");
    assert_eq!(
        created,
        json!({
            "connectionType": "INTERNET",
            "integrationMethod": "POST",
            "integrationType": "AWS_PROXY",
            "integrationUri": FUNCTION,
            "payloadFormatVersion": "1.0",
            "timeoutInMillis": 30_000,
        })
    );
}

#[test]
fn an_integrations_members_are_checked() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    for (member, value, expected) in [
        (
            "timeoutInMillis",
            json!(49),
            "Timeout should be between 50 ms and 30000 ms",
        ),
        (
            "timeoutInMillis",
            json!(30_001),
            "Timeout should be between 50 ms and 30000 ms",
        ),
        (
            "integrationUri",
            json!("hello"),
            "Invalid integration URI specified",
        ),
        (
            "payloadFormatVersion",
            json!("3.0"),
            "Unsupported PayloadFormatVersion 3.0",
        ),
        (
            "connectionType",
            json!("VPC_LINK"),
            "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK",
        ),
        (
            "credentialsArn",
            json!("role"),
            "Invalid ARN specified in the request: CredentialsArn",
        ),
    ] {
        let mut members = json!({ "integrationType": "AWS_PROXY", "integrationUri": FUNCTION });
        members[member] = value;
        let (status, _, text) = refused(create_integration(&mut bench, &api, members));
        assert_eq!((status, text.as_str()), (400, expected));
    }
}

#[test]
fn neither_function_nor_role_has_to_exist() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let members = json!({
        "integrationType": "AWS_PROXY", "integrationUri": format!("{FUNCTION}-absent"),
        "credentialsArn": "arn:aws:iam::123456789012:role/absent",
    });
    assert!(create_integration(&mut bench, &api, members).is_ok());
}

#[test]
fn an_authorizer_reads_back_what_it_was_given() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let mut created = create_authorizer(&mut bench, &api, json!({})).unwrap();
    created.as_object_mut().unwrap().remove("authorizerId");
    assert_eq!(
        created,
        json!({
            "authorizerType": "JWT",
            "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["a"] },
            "name": "default",
        })
    );
}

#[test]
fn an_authorizers_members_are_checked() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let invalid_issuer = "Invalid issuer: Issuer is not a valid URL for JWT Authorizer";
    for (change, expected) in [
        (
            json!({ "jwtConfiguration": null }),
            "JwtConfiguration must not be null for authorizer of type JWT",
        ),
        (
            json!({ "jwtConfiguration": { "issuer": "https://a" } }),
            "Audience is required for authorizers of type JWT",
        ),
        (
            json!({ "jwtConfiguration": { "issuer": "http://a", "audience": ["a"] } }),
            invalid_issuer,
        ),
        (
            json!({ "jwtConfiguration": { "issuer": "accounts.google.com", "audience": ["a"] } }),
            invalid_issuer,
        ),
        (
            json!({ "jwtConfiguration": { "audience": ["a"] } }),
            invalid_issuer,
        ),
    ] {
        let (status, _, text) = refused(create_authorizer(&mut bench, &api, change));
        assert_eq!((status, text.as_str()), (400, expected));
    }
    for source in [
        json!([]),
        json!(["Authorization"]),
        json!(["$request.header."]),
        json!(["$context.path"]),
        json!(["$request.header.a", "$request.header.b"]),
    ] {
        let (status, _, text) = refused(create_authorizer(
            &mut bench,
            &api,
            json!({ "identitySource": source }),
        ));
        assert_eq!(status, 400);
        assert!(text.starts_with("Invalid identity source expression"), "{text}");
    }
    let query = json!({ "identitySource": ["$request.querystring.token"] });
    assert!(create_authorizer(&mut bench, &api, query).is_ok());
}

#[test]
fn an_issuer_that_cannot_be_reached_is_refused_by_name() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench.issuer = Err("connection refused".into());
    let (status, code, text) = refused(create_authorizer(&mut bench, &api, json!({})));
    assert_eq!((status, code.as_str()), (400, "BadRequestException"));
    for part in [
        "Caught exception when connecting to",
        "for issuer https://issuer.example/",
        "Please try again later",
        "Error: Invalid issuer: https://issuer.example/.",
        "Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn whether_an_update_fetches_the_issuer_again_is_a_switch() {
    for fetches in [true, false] {
        let mut bench = Bench::new(json!({ "revalidate_issuer_on_update": fetches }));
        let api = bench.api();
        let id = bench.authorizer(&api);
        bench.issuer = Err("connection refused".into());
        let members =
            json!({ "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["b"] } });
        let updated = bench.gateway(Request::UpdateAuthorizer {
            api,
            id,
            input: input(members),
        });
        assert_eq!(updated.is_err(), fetches);
    }
}

#[test]
fn whether_the_discovery_document_has_to_agree_is_a_switch() {
    for agrees in [true, false] {
        let mut bench = Bench::new(json!({ "issuer_must_match_document": agrees }));
        let api = bench.api();
        bench.issuer = Ok("https://issuer.example".into());
        assert_eq!(create_authorizer(&mut bench, &api, json!({})).is_err(), agrees);
    }
}

#[test]
fn whether_authorizer_names_are_unique_is_a_switch() {
    for unique in [true, false] {
        let mut bench = Bench::new(json!({ "authorizer_names_unique": unique }));
        let api = bench.api();
        bench.authorizer(&api);
        let second = bench.create_authorizer(&api, "default");
        assert_eq!(second.is_err(), unique);
        assert!(bench.create_authorizer(&api, "other").is_ok());
    }
}

#[test]
fn a_route_reads_back_its_defaults() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let mut created = bench.create_route(&api, json!({ "routeKey": "GET /a" })).unwrap();
    created.as_object_mut().unwrap().remove("routeId");
    assert_eq!(
        created,
        json!({ "apiKeyRequired": false, "authorizationType": "NONE", "routeKey": "GET /a" })
    );
}

#[test]
fn a_second_route_of_one_key_is_refused() {
    let mut bench = Bench::new(json!({}));
    let (api, other) = (bench.api(), bench.api());
    bench.route(&api, json!({ "routeKey": "GET /a" }));
    let (status, code, text) = refused(bench.create_route(&api, json!({ "routeKey": "GET /a" })));
    assert_eq!((status, code.as_str()), (409, "ConflictException"));
    assert_eq!(text, "Route with key GET /a already exists for this API");
    assert!(
        bench
            .create_route(&other, json!({ "routeKey": "GET /a" }))
            .is_ok()
    );
}

#[test]
fn a_routes_authorization_is_checked() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let authorizer = bench.authorizer(&api);
    let invalid = "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT \
                   authorizer.";
    let scopes = "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type";
    for (members, expected) in [
        (json!({ "authorizationType": "JWT" }), invalid),
        (
            json!({ "authorizationType": "JWT", "authorizerId": "absent" }),
            invalid,
        ),
        (json!({ "authorizationScopes": ["s"] }), scopes),
        (
            json!({ "authorizationScopes": ["s"], "authorizationType": "AWS_IAM" }),
            scopes,
        ),
    ] {
        let mut members = members;
        members["routeKey"] = json!("GET /a");
        let (status, _, text) = refused(bench.create_route(&api, members));
        assert_eq!((status, text.as_str()), (400, expected));
    }
    let members = json!({ "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer });
    assert!(bench.create_route(&api, members).is_ok());
}

#[test]
fn a_target_names_an_integration_of_the_api() {
    let mut bench = Bench::new(json!({}));
    let (api, other) = (bench.api(), bench.api());
    let (mine, foreign) = (bench.integration(&api), bench.integration(&other));
    let create = |bench: &mut Bench, target: String| {
        bench.create_route(&api, json!({ "routeKey": "GET /a", "target": target }))
    };
    for target in [String::new(), mine.clone(), "integrations/".to_owned()] {
        let (status, _, text) = refused(create(&mut bench, target));
        assert_eq!(status, 400);
        assert!(
            text.starts_with("Unexpected or malformed target in route"),
            "{text}"
        );
    }
    assert_eq!(
        refused(create(&mut bench, format!("integrations/{foreign}"))).0,
        400
    );
    assert!(create(&mut bench, format!("integrations/{mine}")).is_ok());
}

#[test]
fn a_stage_reads_back_its_defaults() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let created = bench
        .create_stage(&api, json!({ "stageName": "$default" }))
        .unwrap();
    assert_eq!(
        created,
        json!({
            "autoDeploy": false,
            "createdDate": "1970-01-01T00:16:40Z",
            "defaultRouteSettings": { "detailedMetricsEnabled": false },
            "lastUpdatedDate": "1970-01-01T00:16:40Z",
            "routeSettings": {},
            "stageName": "$default",
            "stageVariables": {},
            "tags": {},
        })
    );
}

#[test]
fn stage_names_are_unique_and_simple() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench
        .create_stage(&api, json!({ "stageName": "$default" }))
        .unwrap();
    assert_eq!(
        refused(bench.create_stage(&api, json!({ "stageName": "$default" }))).0,
        409
    );
    for name in ["", "a b", "$other", "a/b"] {
        assert_eq!(
            refused(bench.create_stage(&api, json!({ "stageName": name }))).0,
            400,
            "{name}"
        );
    }
}

#[test]
fn settings_of_a_route_that_does_not_exist_are_refused() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let members = json!({ "stageName": "$default", "routeSettings": { "GET /a": {} } });
    let (status, _, text) = refused(bench.create_stage(&api, members));
    assert_eq!(
        (status, text.as_str()),
        (
            404,
            "Unable to find Route by key GET /a within the provided RouteSettings"
        )
    );
}

#[test]
fn tags_have_limits() {
    let mut bench = Bench::new(json!({}));
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
    for tags in [
        json!({ "aws:a": "1" }),
        json!({ long_key: "1" }),
        json!({ "a": long_value }),
        json!({ "a": "é#" }),
        Value::Object(many),
    ] {
        assert_eq!(
            refused(create_api(
                &mut bench,
                json!({ "name": "a", "protocolType": "HTTP", "tags": tags })
            ))
            .0,
            400
        );
    }
    let fifty: serde_json::Map<String, Value> = (0..50).map(|n| (format!("k{n}"), json!("v"))).collect();
    let created = create_api(
        &mut bench,
        json!({ "name": "a", "protocolType": "HTTP", "tags": fifty }),
    )
    .unwrap();
    let arn = format!(
        "arn:aws:apigateway:eu-central-1::/apis/{}",
        text(&created, "apiId")
    );
    let one_more = Request::TagResource {
        arn,
        tags: input(json!({ "another": "1" })),
    };
    assert_eq!(refused(bench.gateway(one_more)).0, 400);
}

#[test]
fn stages_are_tagged_by_an_arn_of_their_own_and_other_arns_are_refused() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    bench
        .create_stage(&api, json!({ "stageName": "$default", "tags": { "a": "1" } }))
        .unwrap();
    let read = |bench: &mut Bench, arn: String| bench.gateway(Request::GetTags { arn });
    let prefix = format!("arn:aws:apigateway:eu-central-1::/apis/{api}");
    let stage = read(&mut bench, format!("{prefix}/stages/$default"));
    assert_eq!(stage.unwrap(), json!({ "tags": { "a": "1" } }));
    assert_eq!(
        refused(read(&mut bench, format!("{prefix}/stages/absent"))).0,
        404
    );
    assert_eq!(refused(read(&mut bench, format!("{prefix}/routes/x"))).0, 400);
    let with_account = format!("arn:aws:apigateway:eu-central-1:123456789012:/apis/{api}");
    assert_eq!(refused(read(&mut bench, with_account)).0, 400);
}
