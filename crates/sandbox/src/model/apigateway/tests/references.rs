//! What refers to what: identifiers, uses, cascades, quotas.

use serde_json::json;

use crate::model::{
    apigateway::Request,
    testing::{Bench, FUNCTION, input, refused},
};

#[test]
fn what_does_not_exist_is_404() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let (absent, id) = ("absent".to_owned(), "absent".to_owned());
    for request in [
        Request::GetApi { api: absent.clone() },
        Request::DeleteApi { api: absent.clone() },
        Request::GetRoutes {
            api: absent,
            page: crate::model::testing::first_page(),
        },
        Request::GetAuthorizer {
            api: api.clone(),
            id: id.clone(),
        },
        Request::GetIntegration {
            api: api.clone(),
            id: id.clone(),
        },
        Request::GetRoute {
            api: api.clone(),
            id: id.clone(),
        },
        Request::GetStage {
            api: api.clone(),
            name: id.clone(),
        },
        Request::DeleteAuthorizer {
            api: api.clone(),
            id: id.clone(),
        },
        Request::DeleteIntegration {
            api: api.clone(),
            id: id.clone(),
        },
        Request::DeleteRoute {
            api: api.clone(),
            id: id.clone(),
        },
        Request::DeleteStage {
            api: api.clone(),
            name: id.clone(),
        },
        Request::UpdateRoute {
            api,
            id,
            input: input(json!({})),
        },
    ] {
        let (status, code, _) = refused(bench.gateway(request));
        assert_eq!((status, code.as_str()), (404, "NotFoundException"));
    }
}

#[test]
fn an_authorizer_in_use_is_not_deleted() {
    for (switch, status, code) in [(409, 409, "ConflictException"), (400, 400, "BadRequestException")] {
        let mut bench = Bench::new(json!({ "delete_in_use_status": switch }));
        let api = bench.api();
        let authorizer = bench.authorizer(&api);
        let members = json!({ "routeKey": "GET /a", "authorizationType": "JWT", "authorizerId": authorizer });
        let route = bench.route(&api, members);
        let delete = Request::DeleteAuthorizer {
            api: api.clone(),
            id: authorizer,
        };
        let text = "Cannot delete authorizer 'default', is referenced in route: GET /a".to_owned();
        assert_eq!(
            refused(bench.gateway(delete.clone())),
            (status, code.to_owned(), text)
        );
        bench.gateway(Request::DeleteRoute { api, id: route }).unwrap();
        assert!(bench.gateway(delete).is_ok());
    }
}

#[test]
fn an_integration_in_use_is_not_deleted() {
    for (switch, status, code) in [(409, 409, "ConflictException"), (400, 400, "BadRequestException")] {
        let mut bench = Bench::new(json!({ "delete_in_use_status": switch }));
        let api = bench.api();
        let id = bench.integration(&api);
        let other = bench.integration(&api);
        let target = |id: &str| json!({ "routeKey": "GET /a", "target": format!("integrations/{id}") });
        let route = bench.route(&api, target(&id));
        let delete = Request::DeleteIntegration { api: api.clone(), id };
        let text = format!(
            "Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
        );
        assert_eq!(
            refused(bench.gateway(delete.clone())),
            (status, code.to_owned(), text)
        );
        bench.update_route(&api, &route, target(&other)).unwrap();
        assert!(bench.gateway(delete).is_ok());
    }
}

#[test]
fn deleting_an_api_takes_everything_in_it_along() {
    let mut bench = Bench::new(json!({}));
    let before = bench.world.state(crate::model::Timestamp(0)).unwrap();
    let api = bench.api();
    let integration = bench.integration(&api);
    bench.authorizer(&api);
    bench.route(
        &api,
        json!({ "routeKey": "GET /a", "target": format!("integrations/{integration}") }),
    );
    bench
        .create_stage(&api, json!({ "stageName": "$default", "autoDeploy": true }))
        .unwrap();
    bench.gateway(Request::DeleteApi { api: api.clone() }).unwrap();
    assert_eq!(
        refused(bench.gateway(Request::GetIntegration { api, id: integration })).0,
        404
    );
    assert_eq!(bench.world.state(crate::model::Timestamp(0)).unwrap(), before);
}

#[test]
fn quotas_are_data_and_their_status_is_a_switch() {
    for (full, status, code) in [
        ("conflict", 429, "ConflictException"),
        ("too_many_requests", 429, "TooManyRequestsException"),
        ("bad_request", 400, "BadRequestException"),
    ] {
        let one = json!({ "apis": 1, "authorizers": 1, "integrations": 1, "routes": 1, "stages": 1 });
        let mut bench = Bench::new(json!({ "full_quota": full, "quotas": one }));
        let api = bench.api();
        bench.authorizer(&api);
        bench.integration(&api);
        bench.route(&api, json!({ "routeKey": "GET /a" }));
        bench
            .create_stage(&api, json!({ "stageName": "$default" }))
            .unwrap();
        let members = json!({ "name": "b", "protocolType": "HTTP" });
        let second_api = bench.gateway(Request::CreateApi {
            input: input(members),
        });
        let members = json!({ "integrationType": "AWS_PROXY", "integrationUri": FUNCTION });
        let second_integration = bench.gateway(Request::CreateIntegration {
            api: api.clone(),
            input: input(members),
        });
        for answer in [
            second_api,
            second_integration,
            bench.create_authorizer(&api, "other"),
            bench.create_route(&api, json!({ "routeKey": "GET /b" })),
            bench.create_stage(&api, json!({ "stageName": "other" })),
        ] {
            let (found, error, _) = refused(answer);
            assert_eq!((found, error.as_str()), (status, code));
        }
    }
}

#[test]
fn audiences_and_scopes_have_quotas() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    let authorizer = bench.authorizer(&api);
    let jwt = |audiences: usize| {
        let audience: Vec<String> = (0..audiences).map(|n| n.to_string()).collect();
        json!({ "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": audience } })
    };
    let mut update = |audiences| {
        let (api, id) = (api.clone(), authorizer.clone());
        bench.gateway(Request::UpdateAuthorizer {
            api,
            id,
            input: input(jwt(audiences)),
        })
    };
    assert!(update(50).is_ok());
    assert_eq!(refused(update(51)).0, 400);
    let mut route = |key: &str, scopes: usize| {
        let scopes: Vec<String> = (0..scopes).map(|n| n.to_string()).collect();
        let members = json!({
            "routeKey": key, "authorizationType": "JWT", "authorizerId": authorizer, "authorizationScopes": scopes,
        });
        bench.create_route(&api, members)
    };
    assert!(route("GET /a", 10).is_ok());
    assert_eq!(refused(route("GET /b", 11)).0, 400);
}
