//! One scenario of each kind: what the others differ from.

use super::{ISSUER, OTHER_ISSUER, Scenario};
use serde_json::{Value, json};

/// A route to a function of the user's.
pub(super) fn route(key: &str, function: &str) -> Value {
    json!({"routeKey": key, "lambda": {"name": function}})
}

impl Scenario {
    /// One route, one function, no change: what triples of faults can be run over.
    pub fn smallest() -> Self {
        Self {
            name: "smallest",
            first: json!({
                "issuer": ISSUER, "audience": ["one"],
                "invocation": {"mode": "ResourcePolicy"},
                "routes": [route("GET /a", "one")],
            }),
            second: None,
            switches: json!({}),
            flags: &[],
            replicas: 1,
            elected: false,
            limited: false,
            verified: true,
            resyncs: false,
            neighbour: false,
            abandoned: false,
            planted: None,
        }
    }

    /// A role, CORS, and a change that swaps a function, closes a path, opens another, and moves the issuer.
    pub fn role() -> Self {
        Self {
            name: "role",
            first: json!({
                "issuer": ISSUER, "audience": ["one"], "scopes": ["read"],
                "cors": {
                    "allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"],
                    "allowHeaders": ["X-Request-Id"],
                },
                "routes": [
                    route("GET /a", "one"),
                    {"routeKey": "GET /health", "public": true, "lambda": {"name": "one"}},
                    {"routeKey": "GET /{proxy+}", "public": true, "lambda": {"name": "two"}},
                ],
            }),
            second: Some(json!({
                "issuer": OTHER_ISSUER, "audience": ["two"], "scopes": ["write"],
                "routes": [
                    route("GET /a", "two"),
                    route("GET /health", "one"),
                    {"routeKey": "GET /b", "public": true, "lambda": {"name": "one"}},
                ],
            })),
            resyncs: true,
            ..Self::smallest()
        }
    }

    /// Functions of the object's own, and a change that gives one other code and more memory, makes another and gives a third up.
    pub fn functions() -> Self {
        let function = |name: &str, version: u8| {
            json!({
                "name": name, "runtime": "nodejs24.x", "handler": "index.handler",
                "code": format!("export const handler = async () => {version};"),
            })
        };
        let mut changed = function("kept", 2);
        changed["memoryMiB"] = json!(256);
        let to = |key: &str, name: &str| json!({"routeKey": key, "lambda": {"function": name}});
        Self {
            name: "functions",
            first: json!({
                "issuer": ISSUER, "audience": ["one"], "tags": {"team": "one"},
                "functions": [function("kept", 1), function("left", 1)],
                "routes": [to("GET /kept", "kept"), to("GET /left", "left"), route("GET /one", "one")],
            }),
            second: Some(json!({
                "issuer": ISSUER, "audience": ["one"], "tags": {"team": "one"},
                "functions": [changed, function("new", 1)],
                "routes": [to("GET /kept", "kept"), to("GET /new", "new"), route("GET /one", "one")],
            })),
            resyncs: true,
            ..Self::smallest()
        }
    }

    /// Statements in the functions' policies, two authorizers, a broad route for everybody beneath them, and a change that moves
    /// routes between authorizers and functions and adds one.
    pub fn policy() -> Self {
        Self {
            name: "policy",
            first: json!({
                "issuer": ISSUER, "audience": ["one"],
                "invocation": {"mode": "ResourcePolicy"},
                "tags": {"team": "one"},
                "authorizers": [{"name": "staff", "issuer": OTHER_ISSUER, "audience": ["staff"]}],
                "routes": [
                    route("GET /a", "one"),
                    {"routeKey": "ANY /admin/{proxy+}", "authorizer": "staff", "scopes": ["admin"], "lambda": {"name": "two"}},
                    {"routeKey": "GET /{proxy+}", "public": true, "lambda": {"name": "two"}},
                ],
            }),
            second: Some(json!({
                "issuer": ISSUER, "audience": ["one", "two"],
                "invocation": {"mode": "ResourcePolicy"},
                "tags": {"team": "two"},
                "routes": [
                    route("GET /a", "two"),
                    route("ANY /admin/{proxy+}", "two"),
                    route("POST /c", "three"),
                    {"routeKey": "GET /{proxy+}", "public": true, "lambda": {"name": "two"}},
                ],
            })),
            resyncs: true,
            ..Self::smallest()
        }
    }
}
