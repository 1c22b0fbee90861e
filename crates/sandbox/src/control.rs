//! `/_sandbox/…`: views, faults and switches, in plain JSON.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    faults::Rule,
    sandbox::{Awaited, Release, Sandbox},
    wire::{Parameters, response},
};

/// A request that cannot be served, with its status and why.
struct Problem(u16, String);

type Answer = Result<Value, Problem>;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReleaseInput {
    number: Option<u64>,
    discard: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Several(Vec<Rule>),
    One(Box<Rule>),
}

pub(crate) async fn answer(sandbox: &Sandbox, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let (status, value) = match serve(sandbox, path, request).await {
        Ok(value) => (200, value),
        Err(Problem(status, why)) => (status, json!({ "error": why })),
    };
    response(status, "application/json", format!("{value}\n"))
}

async fn serve(sandbox: &Sandbox, path: &str, request: &Request<Bytes>) -> Answer {
    let query = Parameters::parse(request.uri().query().unwrap_or_default());
    match (request.method().as_str(), path) {
        ("GET", "state") => Ok(sandbox.state()),
        ("GET", "journal") => shown(sandbox.journal(number(&query, "since")?.unwrap_or(0))),
        ("DELETE", "journal") => Ok(json!({ "last": sandbox.clear_journal() })),
        ("GET", "wait") => {
            let what = match number(&query, "ended")? {
                Some(number) => Awaited::EndOf(number),
                None => Awaited::RequestAfter(number(&query, "journal")?.unwrap_or(0)),
            };
            let timeout = number(&query, "timeout_ms")?.unwrap_or(30_000);
            shown(sandbox.wait(what, Duration::from_millis(timeout)).await)
        }
        ("GET", "faults") => shown(sandbox.faults()),
        ("POST", "faults") => {
            let rules = match body(request)? {
                Rules::Several(rules) => rules,
                Rules::One(rule) => vec![*rule],
            };
            Ok(json!({ "ids": sandbox.add_faults(rules) }))
        }
        ("DELETE", "faults") => {
            sandbox.clear_faults();
            Ok(json!({}))
        }
        ("DELETE", path) if path.starts_with("faults/") => {
            let id = path.strip_prefix("faults/").and_then(|id| id.parse().ok());
            match id.filter(|id| sandbox.remove_fault(*id)) {
                Some(_) => Ok(json!({})),
                None => Err(Problem(404, "there is no such rule".into())),
            }
        }
        ("POST", "release") => {
            let input: ReleaseInput = body(request)?;
            let how = if input.discard {
                Release::Discard
            } else {
                Release::Proceed
            };
            Ok(json!({ "released": sandbox.release(input.number, how) }))
        }
        ("GET", "settings") => shown(sandbox.settings()),
        ("PATCH", "settings") => {
            let changes: Value = body(request)?;
            let settings = sandbox
                .settings()
                .patched(&changes)
                .map_err(|error| Problem(400, error.to_string()))?;
            sandbox.set_settings(settings.clone());
            shown(settings)
        }
        ("POST", "reset") => {
            sandbox.reset();
            Ok(json!({}))
        }
        (method, path) => Err(Problem(
            404,
            format!("the sandbox has no {method} /_sandbox/{path}"),
        )),
    }
}

fn number(query: &Parameters, name: &str) -> Result<Option<u64>, Problem> {
    let wrong = |_| Problem(400, format!("{name} is not a number"));
    query
        .get(name)
        .map(|text| text.parse().map_err(wrong))
        .transpose()
}

fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Problem> {
    let text: &[u8] = if request.body().is_empty() {
        b"{}"
    } else {
        request.body()
    };
    serde_json::from_slice(text).map_err(|error| Problem(400, error.to_string()))
}

fn shown<T: serde::Serialize>(item: T) -> Answer {
    serde_json::to_value(item).map_err(|error| Problem(500, error.to_string()))
}
