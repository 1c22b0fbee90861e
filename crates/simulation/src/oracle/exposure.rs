//! Never open: nobody passes whom neither the generation in force nor the wanted one admits, judged by the data plane.

use super::expected;
use crate::scenario::{ISSUER, OTHER_ISSUER, Scenario};
use jwthttpapi_sandbox::{
    Sandbox,
    data_plane::{
        admission::{Admission, Asked, Credential, admit},
        matcher::TrailingSlash,
    },
    model::deployment::Deployment,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const HEADER: &str = "$request.header.Authorization";
const METHODS: [&str; 3] = ["GET", "POST", "OPTIONS"];
/// Tokens are valid whenever a life takes place.
const NOW: u64 = 1_800_000_000;

/// Who was ever to pass, and the requests that try.
pub(crate) struct Exposure {
    /// The generation in force, and those wanted since.
    generations: Vec<Generation>,
    paths: Vec<String>,
    tokens: Vec<Option<Map<String, Value>>>,
}

struct Generation {
    deployment: Deployment,
    cors: bool,
}

impl Exposure {
    /// Probes for every path and every issuer, audience and scope of a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let specs = [Some(&scenario.first), scenario.second.as_ref()];
        let specs: Vec<&Value> = specs.into_iter().flatten().collect();
        let mut paths: BTreeSet<String> = BTreeSet::from(["/elsewhere".to_owned()]);
        let (mut audiences, mut scopes) = (BTreeSet::from(["stranger"]), BTreeSet::from([""]));
        for spec in specs {
            let routes = spec["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
            let keys = routes.iter().filter_map(|route| route["routeKey"].as_str());
            paths.extend(keys.map(path));
            collect(spec, &mut audiences, &mut scopes);
        }
        let mut tokens = vec![None];
        for issuer in [ISSUER, OTHER_ISSUER, "https://stranger.example/"] {
            for audience in &audiences {
                for scope in &scopes {
                    let claims = json!({"iss": issuer, "aud": audience, "scope": scope, "exp": NOW * 2});
                    tokens.push(claims.as_object().cloned());
                }
            }
        }
        Self {
            generations: Vec::new(),
            paths: paths.into_iter().collect(),
            tokens,
        }
    }

    /// A spec is wanted from now on, and the ones before may still be in force.
    pub(crate) fn also(&mut self, spec: &Value) {
        self.generations.push(Generation {
            deployment: expected::deployment(spec),
            cors: spec["cors"].is_object(),
        });
    }

    /// The newest is in force, and none of those before.
    pub(crate) fn settle(&mut self) {
        let newest = self.generations.pop();
        self.generations = newest.into_iter().collect();
    }

    /// Requests that an API admits and no generation does.
    pub(crate) fn judge(&self, sandbox: &Sandbox, api: &str) -> Vec<String> {
        let Some(deployment) = sandbox.deployment(api, "$default", sandbox.now()) else {
            return Vec::new();
        };
        let cors = sandbox.api_settings(api).is_some_and(|(cors, _)| cors.is_some());
        let mut open = Vec::new();
        for path in &self.paths {
            for method in METHODS {
                let asked = Asked {
                    method,
                    path,
                    preflight: false,
                };
                for token in &self.tokens {
                    let passes = |deployment: &Deployment, cors| {
                        let credential = token.as_ref().map(|claims| Credential {
                            identity_source: HEADER,
                            claims,
                        });
                        let credentials: Vec<Credential<'_>> = credential.into_iter().collect();
                        let admission = admit(
                            deployment,
                            cors,
                            asked,
                            &credentials,
                            TrailingSlash::Significant,
                            NOW,
                        );
                        matches!(admission, Admission::Admitted(_))
                    };
                    if passes(&deployment, cors)
                        && !self
                            .generations
                            .iter()
                            .any(|generation| passes(&generation.deployment, generation.cors))
                    {
                        let who = token.as_ref().map_or_else(
                            || "everybody".to_owned(),
                            |claims| {
                                format!(
                                    "{} for {} with {:?}",
                                    claims["iss"], claims["aud"], claims["scope"]
                                )
                            },
                        );
                        open.push(format!("{method} {path} is open to {who}"));
                    }
                }
            }
        }
        open
    }
}

/// Audiences and scopes anywhere in a spec.
fn collect<'a>(place: &'a Value, audiences: &mut BTreeSet<&'a str>, scopes: &mut BTreeSet<&'a str>) {
    match place {
        Value::Object(fields) => {
            for (name, value) in fields {
                let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                match name.as_str() {
                    "audience" => audiences.extend(texts),
                    "scopes" => scopes.extend(texts),
                    _ => collect(value, audiences, scopes),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, audiences, scopes)),
        _ => {}
    }
}

/// A path that a route key takes: every parameter filled in.
fn path(key: &str) -> String {
    let path = key.split_once(' ').map_or("/anything", |(_, path)| path);
    let segments = path.split('/').map(|segment| match segment {
        greedy if greedy.ends_with("+}") => "deep/down",
        parameter if parameter.starts_with('{') => "value",
        literal => literal,
    });
    segments.collect::<Vec<_>>().join("/")
}
