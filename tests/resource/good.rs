//! What is accepted, and stored exactly as it was sent.

use std::fs;

use serde_json::{Value, json};

use crate::ground::{apply, cluster, object, routes, smallest, stored, with, with_route};

/// Applies each, and finds stored what was sent.
pub(crate) fn accepted(table: Vec<(&str, Value)>) {
    for (name, spec) in table {
        apply(name, &spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stored(name)["spec"], spec, "{name}");
    }
}

#[test]
fn issuers_audiences_and_scopes_are_stored_as_they_were_sent() {
    accepted(vec![
        ("smallest", smallest()),
        (
            "cognito",
            with(json!({"issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"})),
        ),
        (
            "issuer-with-port",
            with(json!({"issuer": "https://login.example.com:8443/realms/one"})),
        ),
        (
            "query-string",
            with(json!({"identitySource": "$request.querystring.token"})),
        ),
        (
            "fifty-audiences",
            with(json!({"audience": (0..50).map(|n| format!("a{n}")).collect::<Vec<_>>()})),
        ),
        (
            "inherited-scopes",
            with(json!({"scopes": ["read:a", "https://example.com/b"]})),
        ),
        ("no-scopes", with_route(json!({"scopes": []}))),
        (
            "ten-scopes",
            with_route(json!({"scopes": (0..10).map(|n| format!("s{n}")).collect::<Vec<_>>()})),
        ),
        (
            "nine-authorizers",
            with(json!({
                "authorizers": (0..9)
                    .map(|n| json!({"name": format!("a{n}"), "issuer": "https://a.example.com", "audience": ["a"]}))
                    .collect::<Vec<_>>(),
                "routes": [{"routeKey": "GET /test", "authorizer": "a8", "lambda": {"name": "hello"}}],
            })),
        ),
    ]);
}

#[test]
fn routes_and_backends_are_stored_as_they_were_sent() {
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
    let longest = format!("GET /{}", "a".repeat(251));
    accepted(vec![
        ("root", with_route(json!({"routeKey": "GET /"}))),
        ("default-route", with_route(json!({"routeKey": "$default"}))),
        ("greedy", with_route(json!({"routeKey": "ANY /a/{b}/{rest+}"}))),
        (
            "odd-path",
            with_route(json!({"routeKey": "POST /a.b/~c/$metadata/d:e@f"})),
        ),
        ("longest-key", with_route(json!({"routeKey": longest}))),
        (
            "public",
            with_route(json!({"public": true, "operationName": "health"})),
        ),
        (
            "explicitly-protected",
            with_route(json!({"public": false, "authorizer": "default", "scopes": ["a"]})),
        ),
        (
            "alias",
            with_route(json!({"lambda": {"name": "hello", "qualifier": "live"}})),
        ),
        (
            "version",
            with_route(json!({"lambda": {"name": "hello", "qualifier": "7"}})),
        ),
        ("whole-arn", with_route(json!({"lambda": {"arn": arn}}))),
        (
            "qualified-arn",
            with_route(json!({"lambda": {"arn": format!("{arn}:live")}})),
        ),
        (
            "arn-and-qualifier",
            with_route(json!({"lambda": {"arn": arn, "qualifier": "live"}})),
        ),
        (
            "arn-in-china",
            with_route(
                json!({"lambda": {"arn": "arn:aws-cn:lambda:cn-north-1:123456789012:function:hello"}}),
            ),
        ),
        (
            "payload-and-timeout",
            with_route(
                json!({"lambda": {"name": "hello", "payloadFormatVersion": "1.0", "timeoutMillis": 50}}),
            ),
        ),
    ]);
}

#[test]
fn everything_else_is_stored_as_it_was_sent() {
    accepted(vec![
        (
            "role",
            with(json!({"invocation": {"mode": "Role", "roleArn": "arn:aws:iam::123456789012:role/a/b"}})),
        ),
        (
            "resource-policy",
            with(json!({"invocation": {"mode": "ResourcePolicy"}})),
        ),
        (
            "open-cors",
            with(json!({"cors": {"allowOrigins": ["*"], "allowCredentials": false, "maxAge": -1}})),
        ),
        (
            "cors-with-credentials",
            with(json!({"cors": {
                "allowOrigins": ["https://app.example.com", "http://localhost:3000"],
                "allowMethods": ["*"], "allowHeaders": ["authorization", "X-Trace"], "exposeHeaders": ["X-Trace"],
                "allowCredentials": true, "maxAge": 86_400,
            }})),
        ),
        (
            "protected-any-with-cors-and-options",
            with(json!({
                "cors": {"allowOrigins": ["https://app.example.com"]},
                "routes": [
                    {"routeKey": "ANY /{proxy+}", "lambda": {"name": "hello"}},
                    {"routeKey": "OPTIONS /{proxy+}", "public": true, "lambda": {"name": "hello"}},
                ],
            })),
        ),
        (
            "protected-any-with-cors-that-says-nothing",
            with(json!({
                "cors": {}, "routes": [{"routeKey": "ANY /{proxy+}", "lambda": {"name": "hello"}}],
            })),
        ),
        (
            "public-any-with-cors",
            with(json!({
                "cors": {"allowOrigins": ["*"]},
                "routes": [{"routeKey": "ANY /{proxy+}", "public": true, "lambda": {"name": "hello"}}],
            })),
        ),
        (
            "the-rest",
            with(json!({
                "name": "orders", "description": "Orders of the shop", "region": "ap-southeast-2",
                "tags": {"team": "shop", "cost centre": "12/3", "empty": ""},
                "disableExecuteApiEndpoint": true, "ipAddressType": "dualstack", "suspend": true,
                "deletionPolicy": "Retain",
            })),
        ),
        // The longest of Europe's sovereign cloud, of China and of the United States' government.
        ("sovereign-region", with(json!({"region": "eusc-de-east-1"}))),
        ("chinese-region", with(json!({"region": "cn-northwest-1"}))),
        ("government-region", with(json!({"region": "us-gov-west-1"}))),
        (
            "forty-four-tags",
            with(
                json!({"tags": (0..44).map(|n| (format!("key{n}"), json!("v"))).collect::<serde_json::Map<_, _>>()}),
            ),
        ),
    ]);
}

/// The API server counts what its rules cost: all 300 routes, with the longest keys, and each with everything it can have.
#[test]
fn three_hundred_routes_with_the_longest_keys_are_accepted() {
    let longest: Value = (0..300)
        .map(|number| {
            json!({
                "routeKey": format!("DELETE /{}/{number:03}", "a".repeat(244)),
                "authorizer": format!("{}8", "a".repeat(63)),
                "scopes": (0..10).map(|n| format!("{n}{}", "s".repeat(63))).collect::<Vec<_>>(),
                "lambda": {"arn": format!("arn:aws:lambda:eu-central-1:123456789012:function:{}:{}", "f".repeat(64), "q".repeat(128))},
            })
        })
        .collect();
    let authorizers: Value = (0..9)
        .map(|n| json!({"name": format!("{}{n}", "a".repeat(63)), "issuer": "https://a.example.com", "audience": ["a"]}))
        .collect();
    let cors = json!({"allowOrigins": ["https://app.example.com"]});
    // As many as the rule about equal keys compares, each with each.
    let hundred: Value = longest.as_array().unwrap().iter().take(100).cloned().collect();
    for (name, spec) in [
        ("three-hundred-routes", with(json!({"routes": routes(300)}))),
        (
            "hundred-long-routes",
            with(json!({"routes": hundred, "authorizers": authorizers})),
        ),
        (
            "three-hundred-long-routes",
            with(json!({"routes": longest, "authorizers": authorizers, "cors": cors})),
        ),
    ] {
        let file = cluster().directory().join(format!("{name}.json"));
        fs::write(&file, object(name, &spec).to_string()).unwrap();
        cluster()
            .kubectl(["apply", "--server-side", "-f", &file.display().to_string()])
            .unwrap();
        assert_eq!(stored(name)["spec"], spec, "{name}");
    }
}
