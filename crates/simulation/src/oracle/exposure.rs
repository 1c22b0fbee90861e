//! Never open: nobody passes whom neither the generation in force nor the wanted one admits, judged by the data plane.

use super::expected;
use crate::scenario::{ISSUER, OTHER_ISSUER};
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

/// Of a long list of audiences, scopes or authorizers so many are tried.
const MOST_TRIED: usize = 4;
/// Of many routes the paths of so many.
const MOST_PATHS: usize = 16;
const HEADER: &str = "$request.header.Authorization";
const METHODS: [&str; 3] = ["GET", "POST", "OPTIONS"];
/// Tokens are valid whenever a life takes place.
const NOW: u64 = 1_800_000_000;

/// Who was ever to pass, and the requests that try.
#[derive(Default)]
pub(crate) struct Exposure {
    /// The generation in force, and those wanted since.
    generations: Vec<Generation>,
    /// Of everything that any spec so far names, and of what none does.
    paths: BTreeSet<String>,
    sources: BTreeSet<String>,
    issuers: BTreeSet<String>,
    audiences: BTreeSet<String>,
    scopes: BTreeSet<String>,
    tokens: Vec<Option<Token>>,
    /// What AWS takes a `/` at the end for.
    slash: TrailingSlash,
}

struct Generation {
    deployment: Deployment,
    cors: bool,
}

/// A token, and where a request carries it.
struct Token {
    source: String,
    claims: Map<String, Value>,
}

impl Exposure {
    /// For an AWS with these switches.
    pub(crate) fn new(switches: &Value) -> Self {
        let ignored = switches["trailing_slash_matches"] == true;
        Self {
            slash: if ignored {
                TrailingSlash::Ignored
            } else {
                TrailingSlash::Significant
            },
            ..Self::default()
        }
    }

    /// A spec is wanted from now on, and the ones before may still be in force. Every path, and every place of a token, issuer,
    /// audience and scope that it names is tried from now on.
    pub(crate) fn also(&mut self, spec: &Value) {
        self.generations.push(Generation {
            deployment: expected::deployment(spec),
            cors: spec["cors"].is_object(),
        });
        let keys = spec["routes"].as_array().into_iter().flatten();
        let keys = keys.filter_map(|route| route["routeKey"].as_str());
        for path in keys.take(MOST_PATHS).map(path) {
            if self.slash == TrailingSlash::Ignored {
                self.paths.insert(format!("{path}/"));
            }
            self.paths.insert(path);
        }
        self.paths.insert("/elsewhere".to_owned());
        self.sources.insert(HEADER.to_owned());
        self.issuers
            .extend([ISSUER, OTHER_ISSUER, "https://stranger.example/"].map(str::to_owned));
        self.audiences.insert("stranger".to_owned());
        self.scopes.insert(String::new());
        self.collect(spec);
        self.tokens = vec![None];
        for source in &self.sources {
            for issuer in &self.issuers {
                for audience in &self.audiences {
                    for scope in &self.scopes {
                        let claims = json!({"iss": issuer, "aud": audience, "scope": scope, "exp": NOW * 2});
                        let claims = claims.as_object().cloned().unwrap_or_default();
                        let source = source.clone();
                        self.tokens.push(Some(Token { source, claims }));
                    }
                }
            }
        }
    }

    /// Issuers, audiences, scopes and places of tokens anywhere in a spec.
    fn collect(&mut self, place: &Value) {
        match place {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let texts = || {
                        let list = value.as_array().into_iter().flatten().chain([value]);
                        list.filter_map(Value::as_str).map(str::to_owned).take(MOST_TRIED)
                    };
                    match name.as_str() {
                        "audience" => self.audiences.extend(texts()),
                        "scopes" => self.scopes.extend(texts()),
                        "issuer" => self.issuers.extend(texts()),
                        "identitySource" => self.sources.extend(texts()),
                        _ => self.collect(value),
                    }
                }
            }
            Value::Array(items) => items.iter().take(MOST_TRIED).for_each(|item| self.collect(item)),
            _ => {}
        }
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
        let cors = sandbox.cors(api).is_some();
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
                        let credential = token.as_ref().map(|token| Credential {
                            identity_source: &token.source,
                            claims: &token.claims,
                        });
                        let credentials: Vec<Credential<'_>> = credential.into_iter().collect();
                        let admission = admit(deployment, cors, asked, &credentials, self.slash, NOW);
                        !deployment.disabled && matches!(admission, Admission::Admitted(_))
                    };
                    if passes(&deployment, cors)
                        && !self
                            .generations
                            .iter()
                            .any(|generation| passes(&generation.deployment, generation.cors))
                    {
                        let who = token.as_ref().map_or_else(
                            || "everybody".to_owned(),
                            |token| {
                                let claims = &token.claims;
                                format!(
                                    "{} for {} with {:?} in {}",
                                    claims["iss"], claims["aud"], claims["scope"], token.source
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
