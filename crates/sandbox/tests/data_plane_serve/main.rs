//! Calls of deployed APIs over HTTP, with tokens of an issuer over TLS and functions that run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test cannot go on without has to be there"
)]

mod aws;
mod execution;
mod issuer;

use std::{
    future,
    time::{SystemTime, UNIX_EPOCH},
};

use aws::{Aws, REGION, Reply, extended};
use issuer::Address;
use jwthttpapi_sandbox::{Account, Clock, Fetcher, Issuers, Options, Sandbox, Settings, serve};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// Tells what it was asked.
const ECHO: &str = "export const handler = async (event) => ({
  route: event.routeKey, path: event.rawPath, parameters: event.pathParameters ?? null,
  jwt: event.requestContext.authorizer?.jwt ?? null,
});";

/// A sandbox over HTTP until dropped.
struct Running {
    aws: Aws,
    sandbox: Sandbox,
    _server: JoinSet<()>,
}

async fn start(address: Option<&Address>) -> Running {
    let authorities: Vec<_> = address.map(Address::ca_file).into_iter().collect();
    let sandbox = Sandbox::new(Options {
        account: Account {
            id: aws::ACCOUNT.to_owned(),
            partition: "aws".to_owned(),
        },
        region: REGION.to_owned(),
        seed: 1,
        settings: Settings {
            function_role_must_be_assumable: false,
            ..Settings::default()
        },
        clock: Clock::System,
        issuers: Issuers::Fetch(Box::new(Fetcher::new(&authorities).unwrap())),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = Aws::at(listener.local_addr().unwrap().to_string());
    let mut server = JoinSet::new();
    let shared = sandbox.clone();
    server.spawn(async move { serve(listener, shared, future::pending()).await.unwrap() });
    Running {
        aws,
        sandbox,
        _server: server,
    }
}

/// An API with one function behind it that API Gateway may invoke; gives the API's id and the routes' target.
async fn echo(aws: &Aws, more: Value) -> (String, String) {
    let function = aws.function("echo", ECHO).await;
    let api = aws.api(more).await;
    aws.permit("echo", &api).await;
    let target = aws.integration(&api, &function, json!({})).await;
    (api, target)
}

/// Claims that pass, with others put in.
fn claims(issuer: &str, more: &Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sound = json!({"iss": issuer, "aud": "https://api.example", "sub": "someone", "exp": now + 3600});
    extended(sound, more)
}

async fn with_token(aws: &Aws, api: &str, path: &str, token: &str) -> Reply {
    aws.call(api, "GET", path, &[("authorization", token)]).await
}

/// The status, with what `www-authenticate` says about the error.
fn verdict(reply: &Reply) -> (u16, String) {
    let description = reply
        .header("www-authenticate")
        .split("error_description=")
        .nth(1)
        .unwrap_or_default();
    (reply.status, description.trim_matches('"').to_owned())
}

#[tokio::test]
async fn a_jwt_route_lets_through_whom_its_issuer_vouches_for() {
    let address = Address::bind().await;
    let issuer = address.issuer.clone();
    let header = json!({"alg": "RS256", "kid": "key-1"});
    let sound = claims(&issuer, &json!({"scope": "write other"}));
    let (jwks, tokens) = issuer::sign(&[
        (header.clone(), sound.clone()),
        (
            header.clone(),
            claims(&issuer, &json!({"aud": "https://other.example"})),
        ),
        (header.clone(), claims(&issuer, &json!({"exp": 1}))),
        (header.clone(), claims(&format!("{issuer}/"), &json!({}))),
        (json!({"alg": "RS256", "kid": "key-2"}), sound.clone()),
        (json!({"alg": "RS512", "kid": "key-1"}), sound.clone()),
    ]);
    let (_, forged) = issuer::sign(&[(header, sound)]);
    let running = start(Some(&address)).await;
    let _issuer = address.serve(jwks);
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    let authorizer = aws.authorizer(&api, "default", &issuer).await;
    let guarded = |scopes: Value| json!({"authorizationType": "JWT", "authorizerId": authorizer, "authorizationScopes": scopes});
    aws.route(&api, "GET /any/{id}", &target, guarded(json!([])))
        .await;
    aws.route(&api, "GET /read", &target, guarded(json!(["read"])))
        .await;
    aws.route(&api, "GET /write", &target, guarded(json!(["read", "write"])))
        .await;
    aws.stage(&api, "$default").await;

    let [good, audience, expired, slash, unknown, rs512] = tokens.as_slice() else {
        unreachable!()
    };
    for (path, token, expected) in [
        ("/any/1", "", (401, "the token is missing")),
        ("/any/1", "nonsense", (401, "the token is malformed")),
        (
            "/any/1",
            audience,
            (401, "the token does not have a valid audience"),
        ),
        ("/any/1", expired, (401, "the token has expired")),
        ("/any/1", slash, (401, "the token does not have a valid issuer")),
        (
            "/any/1",
            unknown,
            (401, "the token's key is unknown to the issuer"),
        ),
        ("/any/1", &forged[0], (401, "the token's signature is invalid")),
        ("/read", good, (403, "the token does not have a required scope")),
        ("/write", good, (200, "")),
        ("/any/1", rs512, (200, "")),
        ("/any/1", good, (200, "")),
        ("/any/1", &format!("Bearer {good}"), (200, "")),
    ] {
        let reply = with_token(aws, &api, path, token).await;
        assert_eq!(
            verdict(&reply),
            (expected.0, expected.1.to_owned()),
            "{path} with {token:.20}: {reply:?}"
        );
    }

    let seen = with_token(aws, &api, "/write", good).await.json();
    assert_eq!(seen["jwt"]["claims"]["sub"], "someone");
    assert_eq!(seen["jwt"]["scopes"], json!(["write", "other"]));
    let seen = with_token(aws, &api, "/any/a%20b", good).await.json();
    assert_eq!(
        (&seen["jwt"]["scopes"], &seen["parameters"]["id"]),
        (&Value::Null, &json!("a b"))
    );
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_in_time_is_named_in_the_401() {
    let address = Address::bind().await;
    let issuer = address.issuer.clone();
    let header = json!({"alg": "RS256", "kid": "key-1"});
    let (jwks, tokens) = issuer::sign(&[(header, claims(&issuer, &json!({})))]);
    let running = start(Some(&address)).await;
    let served = address.serve(jwks);
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    let mute = aws.authorizer(&api, "mute", &format!("{issuer}/mute")).await;
    let sound = aws.authorizer(&api, "sound", &issuer).await;
    for (key, authorizer) in [("GET /mute", mute), ("GET /sound", sound)] {
        aws.route(
            &api,
            key,
            &target,
            json!({"authorizationType": "JWT", "authorizerId": authorizer}),
        )
        .await;
    }
    aws.stage(&api, "$default").await;
    let no_keys = verdict(&with_token(aws, &api, "/mute", &tokens[0]).await);
    assert_eq!(no_keys, (401, "JWKS communication error".to_owned()));
    assert_eq!(with_token(aws, &api, "/sound", &tokens[0]).await.status, 200);

    let silent = (401, "OIDC discovery endpoint communication error".to_owned());
    served.hang();
    assert_eq!(
        verdict(&with_token(aws, &api, "/sound", &tokens[0]).await),
        silent,
        "1.5 s are over"
    );
    served.end().await;
    assert_eq!(
        verdict(&with_token(aws, &api, "/sound", &tokens[0]).await),
        silent,
        "nobody listens"
    );
}

#[tokio::test]
async fn kept_keys_outlive_their_issuer() {
    let address = Address::bind().await;
    let issuer = address.issuer.clone();
    let (jwks, tokens) = issuer::sign(&[(
        json!({"alg": "RS256", "kid": "key-1"}),
        claims(&issuer, &json!({})),
    )]);
    let running = start(Some(&address)).await;
    let served = address.serve(jwks);
    let aws = &running.aws;
    running.sandbox.set_settings(Settings {
        jwks_cache_seconds: 7_200,
        ..running.sandbox.settings()
    });
    let (api, target) = echo(aws, json!({})).await;
    let authorizer = aws.authorizer(&api, "default", &issuer).await;
    aws.route(
        &api,
        "GET /a",
        &target,
        json!({"authorizationType": "JWT", "authorizerId": authorizer}),
    )
    .await;
    aws.stage(&api, "$default").await;
    assert_eq!(with_token(aws, &api, "/a", &tokens[0]).await.status, 200);
    served.end().await;
    assert_eq!(with_token(aws, &api, "/a", &tokens[0]).await.status, 200);
}

#[tokio::test]
async fn without_permission_to_invoke_the_answer_is_500() {
    let running = start(None).await;
    let aws = &running.aws;
    let function = aws.function("hello", ECHO).await;
    let api = aws.api(json!({})).await;
    let trusted = aws.role("trusted", "apigateway.amazonaws.com").await;
    let untrusted = aws.role("untrusted", "lambda.amazonaws.com").await;
    aws.allow("untrusted", &json!("lambda:InvokeFunction"), &function)
        .await;
    for (path, more) in [
        ("/trusted", json!({"credentialsArn": trusted})),
        ("/untrusted", json!({"credentialsArn": untrusted})),
        ("/policy", json!({})),
    ] {
        let target = aws.integration(&api, &function, more).await;
        aws.route(&api, &format!("GET {path}"), &target, json!({})).await;
    }
    aws.stage(&api, "$default").await;
    let denied = json!({"message": "Internal Server Error"});
    for path in ["/trusted", "/untrusted", "/policy"] {
        let reply = aws.call(&api, "GET", path, &[]).await;
        assert_eq!((reply.status, reply.json()), (500, denied.clone()), "{path}");
    }

    aws.allow("trusted", &json!("lambda:InvokeFunction"), &function)
        .await;
    aws.permit("hello", &api).await;
    for (path, status) in [("/trusted", 200), ("/untrusted", 500), ("/policy", 200)] {
        assert_eq!(aws.call(&api, "GET", path, &[]).await.status, status, "{path}");
    }
    aws.allow(
        "trusted",
        &json!("lambda:InvokeFunction"),
        &format!("{function}:live"),
    )
    .await;
    assert_eq!(
        aws.call(&api, "GET", "/trusted", &[]).await.status,
        500,
        "another ARN does not cover it"
    );
}

#[tokio::test]
async fn a_request_reaches_its_stage_by_host_or_path() {
    let running = start(None).await;
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    aws.route(&api, "GET /a", &target, json!({})).await;
    assert_eq!(
        aws.call(&api, "GET", "/a", &[]).await.status,
        404,
        "nothing is deployed"
    );
    aws.stage(&api, "$default").await;
    aws.stage(&api, "live").await;
    let not_found = json!({"message": "Not Found"});
    for (path, expected) in [
        ("/a", Some("/a")),
        ("/live/a", Some("/live/a")),
        ("/live", None),
        ("/other/a", None),
        ("/a/", None),
    ] {
        let reply = aws.call(&api, "GET", path, &[]).await;
        match expected {
            Some(seen) => assert_eq!(
                (reply.status, &reply.json()["path"]),
                (200, &json!(seen)),
                "{path}"
            ),
            None => assert_eq!((reply.status, reply.json()), (404, not_found.clone()), "{path}"),
        }
        assert_ne!(reply.header("apigw-requestid"), "");
    }
    let by_path = aws
        .send(
            "GET",
            &format!("/_sandbox/invoke/{api}/a?q=1"),
            &[],
            String::new(),
        )
        .await;
    assert_eq!(
        (by_path.status, &by_path.json()["route"]),
        (200, &json!("GET /a"))
    );
    assert_eq!(aws.call("nobody", "GET", "/a", &[]).await.status, 404);

    running.sandbox.set_settings(Settings {
        trailing_slash_matches: true,
        ..running.sandbox.settings()
    });
    assert_eq!(aws.call(&api, "GET", "/a/", &[]).await.status, 200);
    aws.gateway(
        "PATCH",
        &format!("/{api}"),
        json!({"disableExecuteApiEndpoint": true}),
    )
    .await;
    assert_eq!(
        aws.call(&api, "GET", "/a", &[]).await.status,
        404,
        "its endpoint is disabled"
    );
}

#[tokio::test]
async fn a_signature_for_a_service_of_aws_does_not_turn_a_call_of_an_api_into_one_of_aws() {
    let running = start(None).await;
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    aws.route(&api, "$default", &target, json!({})).await;
    aws.stage(&api, "$default").await;
    let signature = format!("AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/lambda/aws4_request");
    let reply = aws
        .call(
            &api,
            "GET",
            "/2015-03-31/functions",
            &[("authorization", &signature)],
        )
        .await;
    assert_eq!(reply.json()["route"], "$default");
}

#[tokio::test]
async fn with_cors_preflights_are_answered_and_answers_decorated() {
    let running = start(None).await;
    let aws = &running.aws;
    let cors = json!({"allowOrigins": ["https://app.example"], "allowMethods": ["GET"], "allowHeaders": ["Authorization"]});
    let (api, target) = echo(aws, json!({"corsConfiguration": cors})).await;
    aws.route(&api, "GET /a", &target, json!({})).await;
    aws.stage(&api, "$default").await;
    let origin = ("origin", "https://app.example");
    let asking = [origin, ("access-control-request-method", "GET")];
    let preflight = aws.call(&api, "OPTIONS", "/a", &asking).await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin")),
        (204, origin.1)
    );
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization");
    for (path, status) in [("/a", 200), ("/b", 404)] {
        let reply = aws.call(&api, "GET", path, &[origin]).await;
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (status, origin.1)
        );
    }
    assert_eq!(
        aws.call(&api, "GET", "/a", &[])
            .await
            .header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn a_function_that_fails_is_500_and_one_that_takes_too_long_503() {
    let running = start(None).await;
    let aws = &running.aws;
    let api = aws.api(json!({})).await;
    for (name, code, payload, millis) in [
        (
            "throws",
            "export const handler = async () => { throw new Error('no'); };",
            "2.0",
            30_000,
        ),
        (
            "inferred",
            "export const handler = async () => ({a: 1});",
            "1.0",
            30_000,
        ),
        (
            "sleeps",
            "export const handler = () => new Promise((done) => setTimeout(done, 60000));",
            "2.0",
            50,
        ),
        (
            "answers",
            "export const handler = async () => ({statusCode: 201, body: 'x'});",
            "1.0",
            30_000,
        ),
    ] {
        let function = aws.function(name, code).await;
        aws.permit(name, &api).await;
        let more = json!({"payloadFormatVersion": payload, "timeoutInMillis": millis});
        let target = aws.integration(&api, &function, more).await;
        aws.route(&api, &format!("GET /{name}"), &target, json!({})).await;
    }
    aws.stage(&api, "$default").await;
    for (name, status) in [
        ("throws", 500),
        ("inferred", 500),
        ("sleeps", 503),
        ("answers", 201),
    ] {
        assert_eq!(
            aws.call(&api, "GET", &format!("/{name}"), &[]).await.status,
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_runtime_that_nothing_here_runs_is_502_and_named() {
    let running = start(None).await;
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    aws.set_runtime("echo", "java21").await;
    aws.route(&api, "GET /a", &target, json!({})).await;
    aws.stage(&api, "$default").await;
    let reply = aws.call(&api, "GET", "/a", &[]).await;
    let expected = json!({"message": "SandboxNoInterpreter", "missing": "the runtime java21"});
    assert_eq!((reply.status, reply.json()), (502, expected));
}

#[tokio::test]
async fn a_head_of_more_than_10_240_bytes_is_refused() {
    let running = start(None).await;
    let aws = &running.aws;
    let (api, target) = echo(aws, json!({})).await;
    aws.route(&api, "GET /a", &target, json!({})).await;
    aws.stage(&api, "$default").await;
    for (length, status) in [(9_000, 200), (10_240, 431)] {
        assert_eq!(
            aws.call(&api, "GET", "/a", &[("x-long", &"x".repeat(length))])
                .await
                .status,
            status
        );
    }
}
