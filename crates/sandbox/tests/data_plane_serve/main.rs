//! Calls of deployed APIs over HTTP, with tokens of an issuer over TLS and functions that run.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test cannot go on without has to be there")]

mod aws;
mod issuer;

use std::time::{SystemTime, UNIX_EPOCH};

use aws::{Aws, Reply};
use serde_json::{Value, json};

/// Tells what it was asked.
const ECHO: &str = "export const handler = async (event) => ({
  route: event.routeKey, path: event.rawPath, parameters: event.pathParameters ?? null,
  jwt: event.requestContext.authorizer?.jwt ?? null,
});";

fn claims(issuer: &str, more: Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({"iss": issuer, "aud": "https://api.example", "sub": "someone", "exp": now + 3600});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

async fn with_token(aws: &Aws, api: &str, path: &str, token: &str) -> Reply {
    let [(name, value)] = bearer(token);
    aws.call(api, "GET", path, &[(name, &value)]).await
}
