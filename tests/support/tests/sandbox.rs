//! The sandbox and the local issuer together: what the demo stands on, without Kubernetes.

use std::time::Duration;

use jwthttpapi_test_support::{Claims, Error, Issuer, Sandbox, SandboxClient, places};
use serde_json::{Value, json};

const AUDIENCE: &str = "https://hello.example.com";
const FUNCTION: &str =
    "export const handler = async (event) => ({hello: event.requestContext.authorizer.jwt.claims.sub});";

/// Makes an API with one protected route by hand, as the operator would: its id.
fn make_api(aws: &SandboxClient, issuer: &str) -> Result<String, Error> {
    let arn = aws.create_function("hello", "nodejs22.x", "index.handler", &[("index.mjs", FUNCTION)])?;
    let gateway = |path: &str, body: &Value| aws.aws("apigateway", "POST", path, Some(body));
    let text = |answer: &Value, name: &str| {
        answer
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };

    let api = text(
        &gateway("/v2/apis", &json!({"name": "hello", "protocolType": "HTTP"}))?,
        "apiId",
    );
    let authorizer = gateway(
        &format!("/v2/apis/{api}/authorizers"),
        &json!({
            "name": "default", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": {"issuer": issuer, "audience": [AUDIENCE]},
        }),
    )?;
    let integration = gateway(
        &format!("/v2/apis/{api}/integrations"),
        &json!({"integrationType": "AWS_PROXY", "integrationUri": arn, "payloadFormatVersion": "2.0"}),
    )?;
    gateway(
        &format!("/v2/apis/{api}/routes"),
        &json!({
            "routeKey": "GET /test", "target": format!("integrations/{}", text(&integration, "integrationId")),
            "authorizationType": "JWT", "authorizerId": text(&authorizer, "authorizerId"),
        }),
    )?;
    gateway(
        &format!("/v2/apis/{api}/stages"),
        &json!({"stageName": "$default", "autoDeploy": true}),
    )?;
    aws.aws(
        "lambda",
        "POST",
        "/2015-03-31/functions/hello/policy",
        Some(&json!({
            "StatementId": "by-hand", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        })),
    )?;
    Ok(api)
}

#[test]
fn a_route_made_by_hand_admits_the_issuers_tokens_and_every_call_is_in_the_journal() {
    let directory = places::scratch("jwthttpapi-sandbox-").unwrap();
    let issuer = Issuer::start().unwrap();
    let sandbox = Sandbox::start(&issuer.authority(), &json!({}), directory.path().join("log")).unwrap();
    let aws = sandbox.client();
    let before = aws.journal_mark().unwrap();
    let api = make_api(aws, &issuer.url("one")).unwrap();

    let call = |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        aws.invoke(&api, "GET", "/test", &headers, None).unwrap()
    };
    assert_eq!(call(None).status, 401);
    let token = issuer.token("one", &Claims::new("alice", AUDIENCE)).unwrap();
    let answer = call(Some(&token));
    assert_eq!(
        (answer.status, answer.json().unwrap()),
        (200, json!({"hello": "alice"})),
        "{answer:?}"
    );
    let elsewhere = issuer
        .token("one", &Claims::new("alice", "https://elsewhere"))
        .unwrap();
    assert_eq!(call(Some(&elsewhere)).status, 401);
    let expired = issuer
        .token("one", &Claims::new("alice", AUDIENCE).expires_in(-60))
        .unwrap();
    assert_eq!(call(Some(&expired)).status, 401);
    let another = issuer.token("two", &Claims::new("alice", AUDIENCE)).unwrap();
    assert_eq!(call(Some(&another)).status, 401);

    let journal = aws.journal(before).unwrap();
    let operations: Vec<_> = journal.iter().map(|entry| entry.operation.as_str()).collect();
    assert_eq!(
        operations,
        [
            "CreateRole",
            "CreateFunction",
            "CreateApi",
            "CreateAuthorizer",
            "CreateIntegration",
            "CreateRoute",
            "CreateStage",
            "AddPermission",
        ]
    );
    assert!(
        journal.iter().all(|entry| entry.mutating && entry.committed),
        "{journal:#?}"
    );
}

#[test]
fn a_fault_holds_an_answer_until_it_is_released() {
    let directory = places::scratch("jwthttpapi-faults-").unwrap();
    let issuer = Issuer::start().unwrap();
    let sandbox = Sandbox::start(&issuer.authority(), &json!({}), directory.path().join("log")).unwrap();
    let aws = sandbox.client();
    let mark = aws.journal_mark().unwrap();
    aws.add_fault(&json!({"operation": "CreateApi", "action": {"kind": "hold", "when": "after"}}))
        .unwrap();
    std::thread::scope(|scope| {
        let created = scope.spawn(|| {
            aws.aws(
                "apigateway",
                "POST",
                "/v2/apis",
                Some(&json!({"name": "held", "protocolType": "HTTP"})),
            )
        });
        let watched = aws.wait(mark, Duration::from_secs(20)).unwrap();
        assert_eq!(watched.held.len(), 1, "{watched:?}");
        assert!(aws.journal(mark).unwrap()[0].committed);
        aws.release(None, false).unwrap();
        assert!(created.join().unwrap().unwrap()["apiId"].is_string());
    });
    aws.clear_faults().unwrap();
}
