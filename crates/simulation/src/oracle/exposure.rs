//! Never open: nobody passes whom neither the generation in force nor the wanted one admits, judged by the data plane. And
//! served throughout: whom all of them admit reaches a function meanwhile.

use super::{expected, reach::reaches};
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
/// So many routes an API may have (D).
const ROUTES: usize = 300;
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
    /// Whether the first of them is in force.
    in_force: bool,
    /// Requests that all of them admit; none until they are asked for.
    shared: Option<Vec<Request>>,
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
    spec: Value,
}

impl Generation {
    /// What a route leads to, and how it is invoked.
    fn behind(&self, key: &str) -> (&Value, &Value) {
        let mut routes = self.spec["routes"].as_array().into_iter().flatten();
        let route = routes.find(|route| route["routeKey"] == key);
        (
            route.map_or(&Value::Null, |route| &route["lambda"]),
            &self.spec["invocation"],
        )
    }
}

/// A path, a method, and which of the tokens.
struct Request {
    path: String,
    method: &'static str,
    token: usize,
    /// Whether one route takes it in every generation.
    one_route: bool,
    /// Whether every generation leads it to the same function in the same way.
    stays: bool,
    /// Whether that is so, by a route that admits the same callers in every generation.
    same: bool,
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
        self.shared = None;
        self.generations.push(Generation {
            deployment: expected::deployment(spec),
            cors: spec["cors"].is_object(),
            spec: spec.clone(),
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
        self.in_force = true;
        self.shared = None;
    }

    /// The spec that is in force, and those wanted since; none before the first is in force.
    pub(crate) fn since_rest(&self) -> impl Iterator<Item = &Value> {
        let generations = self.generations.iter().filter(|_| self.in_force);
        generations.map(|generation| &generation.spec)
    }

    /// Whether another generation than the one in force is wanted.
    pub(crate) fn is_changing(&self) -> bool {
        self.in_force && self.generations.len() > 1
    }

    /// Requests that every generation admits, and that find no route in an API or no function behind it, or an endpoint that is
    /// switched off. Who is turned away is among them only where nothing changes about the route: a path may be closed on the way from
    /// one to the other. Nor is who finds no route and needs no token, or is led
    /// to another function by another route: what is too wide goes before that is made, and at once when it is open to everyone.
    pub(crate) fn unserved(&mut self, sandbox: &Sandbox, api: &str) -> Vec<String> {
        let Some(deployment) = sandbox.deployment(api, "$default", sandbox.now()) else {
            return Vec::new();
        };
        let shared = self.shared.take().unwrap_or_else(|| self.shared());
        let unserved = shared.iter().filter_map(|request| {
            let Request {
                path,
                method,
                token,
                one_route,
                stays,
                same,
            } = request;
            if deployment.disabled {
                return Some(format!("{method} {path} finds the endpoint switched off"));
            }
            let cors = sandbox.cors(api).is_some();
            let token = self.tokens.get(*token)?.as_ref();
            match self.admission(&deployment, cors, asked(method, path), token) {
                Admission::Nowhere if *stays && token.is_some() => {
                    Some(format!("{method} {path} finds no route"))
                }
                Admission::Refused(..) | Admission::Shut(_) if *same => Some(format!(
                    "{method} {path} is turned away, and nothing about it changes"
                )),
                Admission::Admitted(route)
                    if (*stays || *one_route) && !reaches(sandbox, &deployment, route) =>
                {
                    let key = &route.route_key;
                    Some(format!("{method} {path} does not reach the function of {key}"))
                }
                _ => None,
            }
        });
        let unserved = unserved.collect();
        self.shared = Some(shared);
        unserved
    }

    /// For each path and method the first token with which every generation admits it.
    fn shared(&self) -> Vec<Request> {
        let mut shared = Vec::new();
        // Where there is none, what goes has to make it first.
        let mut generations = self.generations.iter();
        let has_room = generations.all(|generation| generation.deployment.routes.len() < ROUTES);
        for path in &self.paths {
            for method in METHODS {
                let every = |token: &Option<Token>| {
                    let mut generations = self.generations.iter();
                    generations.all(|generation| {
                        self.passes(
                            &generation.deployment,
                            generation.cors,
                            asked(method, path),
                            token.as_ref(),
                        )
                    })
                };
                if let Some(token) = self.tokens.iter().position(every) {
                    let taken: Vec<_> = self
                        .generations
                        .iter()
                        .filter_map(|generation| {
                            let token = self.tokens.get(token)?.as_ref();
                            let Generation { deployment, cors, .. } = generation;
                            match self.admission(deployment, *cors, asked(method, path), token) {
                                Admission::Admitted(route) => {
                                    let behind = generation.behind(&route.route_key);
                                    Some((&route.route_key, behind, &route.authorization))
                                }
                                _ => None,
                            }
                        })
                        .collect();
                    let one_route = taken.windows(2).all(|pair| pair[0].0 == pair[1].0);
                    let stays = has_room && taken.windows(2).all(|pair| pair[0].1 == pair[1].1);
                    let same = stays
                        && taken
                            .windows(2)
                            .all(|pair| pair[0].0 == pair[1].0 && pair[0].2 == pair[1].2);
                    let path = path.clone();
                    shared.push(Request {
                        path,
                        method,
                        token,
                        one_route,
                        stays,
                        same,
                    });
                }
            }
        }
        shared
    }

    fn admission<'a>(
        &self,
        deployment: &'a Deployment,
        cors: bool,
        asked: Asked<'_>,
        token: Option<&Token>,
    ) -> Admission<'a> {
        let credential = token.map(|token| Credential {
            identity_source: &token.source,
            claims: &token.claims,
        });
        let credentials: Vec<Credential<'_>> = credential.into_iter().collect();
        admit(deployment, cors, asked, &credentials, self.slash, NOW)
    }

    fn passes(&self, deployment: &Deployment, cors: bool, asked: Asked<'_>, token: Option<&Token>) -> bool {
        let admission = self.admission(deployment, cors, asked, token);
        !deployment.disabled && matches!(admission, Admission::Admitted(_))
    }

    /// Requests that an API, so deployed, admits and no generation does.
    pub(crate) fn open(&self, deployment: &Deployment, cors: bool) -> Vec<String> {
        let mut open = Vec::new();
        for path in &self.paths {
            for method in METHODS {
                for token in &self.tokens {
                    let passes = |deployment: &Deployment, cors| {
                        self.passes(deployment, cors, asked(method, path), token.as_ref())
                    };
                    if passes(deployment, cors)
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

/// A request that is no preflight.
const fn asked<'a>(method: &'a str, path: &'a str) -> Asked<'a> {
    Asked {
        method,
        path,
        preflight: false,
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
