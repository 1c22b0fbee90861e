//! Small descriptions of desired and drifted states, for tests that draw them at random.

use super::world::World;
use crate::api::{
    self, Cors, Invocation, InvocationMode, JwtHttpApiSpec, LambdaBackend, PayloadFormatVersion,
};
use crate::model::desired::{Desired, Jwt};
use crate::model::name::{FunctionArn, Place, RouteKey, role_name, statement_id};
use crate::model::observed::{
    Authorization, Authorizer, FunctionPolicy, Integration, Owned, Reading, Role, Route, Stage, State,
};
use crate::model::{Owner, Policy, build};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use wildmatch::WildMatch;

pub(crate) const KEYS: [&str; 16] = [
    "$default",
    "ANY /{proxy+}",
    "GET /{proxy+}",
    "GET /",
    "GET /{x}",
    "GET /a",
    "ANY /a",
    "ANY /a/{p+}",
    "GET /a/{p+}",
    "GET /a/{q+}",
    "GET /a/{x}",
    "GET /a/{y}",
    "GET /a/b",
    "POST /a/b",
    "GET /{x}/b",
    "ANY /a/b/{z}",
];
/// A route of a spec, to a function of this place by its name.
pub(crate) fn route(key: &str, function: &str) -> api::Route {
    api::Route {
        route_key: key.into(),
        lambda: LambdaBackend {
            name: Some(function.into()),
            ..LambdaBackend::default()
        },
        ..api::Route::default()
    }
}

const SCOPES: [&str; 3] = ["s", "t", "u"];
const AUTHORIZERS: [&str; 3] = ["default", "one", "two"];
const FUNCTIONS: [(&str, Option<&str>); 5] = [
    ("f", None),
    ("f", Some("live")),
    ("g", None),
    ("h", None),
    ("i", None),
];
/// Functions of the object's own.
const OWNED: [&str; 2] = ["own", "too"];

pub(crate) fn owner() -> Owner {
    Owner {
        cluster: "cluster".into(),
        kube_system: Some("kube-system".into()),
        uid: "uid".into(),
        namespace: "demo".into(),
        name: "hello".into(),
    }
}

pub(crate) fn place() -> Place {
    Place {
        partition: "aws".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        allowed_functions: vec![WildMatch::new("*")],
        passable_roles: vec![WildMatch::new("*")],
        permissions_boundary: "arn:aws:iam::123456789012:policy/boundary".parse().ok(),
        ..Policy::default()
    }
}

/// An account with all functions.
pub(crate) fn world() -> World {
    World::new(&owner(), &place(), (0..FUNCTIONS.len()).map(function))
}

fn function(index: usize) -> FunctionArn {
    let (name, qualifier) = FUNCTIONS[index % FUNCTIONS.len()];
    FunctionArn::of_name(&place(), name, qualifier).unwrap()
}

fn backend(index: usize) -> LambdaBackend {
    match index.checked_sub(FUNCTIONS.len()) {
        None => LambdaBackend {
            arn: Some(function(index).to_string()),
            ..LambdaBackend::default()
        },
        Some(own) => LambdaBackend {
            function: Some(OWNED[own].to_owned()),
            ..LambdaBackend::default()
        },
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RouteSketch {
    key: usize,
    /// An authorizer and a set of scopes, or public.
    guard: Option<(usize, u8)>,
    function: usize,
    old_payload: bool,
    named: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct JwtSketch {
    issuer: u8,
    /// A set, never empty.
    audience: u8,
    by_query: bool,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, drawn at random"
)]
pub(crate) struct Sketch {
    routes: Vec<RouteSketch>,
    authorizers: [JwtSketch; 3],
    mode: u8,
    cors: bool,
    off: bool,
    tagged: bool,
    /// Whether an authorizer is wanted that no route uses.
    spare: bool,
    /// Which version of the code and of the configuration the object's own functions have, and which of them no route needs.
    owned: u8,
}

pub(crate) fn sketches() -> impl Strategy<Value = Sketch> {
    let guard = prop_oneof![
        1 => Just(None),
        3 => (0..AUTHORIZERS.len(), 0_u8..8).prop_map(Some),
    ];
    let route = (
        0..KEYS.len(),
        guard,
        0..FUNCTIONS.len() + OWNED.len(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(key, guard, function, old_payload, named)| RouteSketch {
            key,
            guard,
            function,
            old_payload,
            named,
        });
    let jwt = || {
        (0_u8..2, 1_u8..4, prop::bool::weighted(0.2)).prop_map(|(issuer, audience, by_query)| JwtSketch {
            issuer,
            audience,
            by_query,
        })
    };
    (
        vec(route, 0..7),
        [jwt(), jwt(), jwt()],
        prop_oneof![3 => Just(0_u8), 3 => Just(1), 1 => Just(2)],
        any::<bool>(),
        prop::bool::weighted(0.1),
        any::<bool>(),
        prop::bool::weighted(0.1),
        0_u8..16,
    )
        .prop_map(
            |(routes, authorizers, mode, cors, off, tagged, spare, owned)| Sketch {
                routes,
                authorizers,
                mode,
                cors,
                off,
                tagged,
                spare,
                owned,
            },
        )
}

fn subset<'a>(items: &'a [&'a str], bits: u8) -> impl Iterator<Item = String> + 'a {
    let chosen = move |index: &usize| bits & (1 << *index) != 0;
    (0..items.len())
        .filter(chosen)
        .map(|index| items[index].to_owned())
}

impl JwtSketch {
    fn issuer(&self) -> String {
        format!("https://issuer-{}.example.com/", self.issuer)
    }

    fn audience(&self) -> Vec<String> {
        subset(&["a", "b"], self.audience).collect()
    }

    fn identity_source(&self) -> Option<String> {
        self.by_query.then(|| "$request.querystring.token".to_owned())
    }

    fn jwt(&self) -> Jwt {
        Jwt {
            identity_source: self
                .identity_source()
                .unwrap_or_else(|| "$request.header.Authorization".into()),
            issuer: self.issuer(),
            audience: self.audience().into_iter().collect(),
        }
    }
}

impl Sketch {
    /// The same with all routes led to one function, and with no function of its own.
    pub(crate) fn of_one_function(mut self) -> Self {
        self.owned = 0;
        for route in &mut self.routes {
            (route.function, route.old_payload) = (0, false);
        }
        self
    }

    /// The same with other routes.
    pub(crate) fn with_routes_of(self, other: &Self) -> Self {
        Self {
            routes: other.routes.clone(),
            ..self
        }
    }

    /// This one with parts of another, as an edit would have them.
    pub(crate) fn blended(&self, other: &Self, parts: u8) -> Self {
        let takes = |bit: u8| parts & (1 << bit) != 0;
        let mut blended = self.clone();
        if takes(0) {
            blended.authorizers = other.authorizers.clone();
        } else if takes(1) {
            blended.authorizers.swap(0, 1);
        }
        match parts >> 6 {
            0 => {}
            1 => {
                let count = blended.routes.len() / 2;
                blended.routes.truncate(count);
                blended.routes.extend(other.routes.iter().take(2).cloned());
            }
            2 => {
                for (route, with) in blended.routes.iter_mut().zip(&other.routes) {
                    route.guard = with.guard;
                }
            }
            _ => blended.routes = other.routes.clone(),
        }
        if takes(2) {
            blended.mode = other.mode;
        }
        if takes(3) {
            (blended.cors, blended.off) = (other.cors, other.off);
        }
        if takes(4) {
            (blended.tagged, blended.spare) = (other.tagged, other.spare);
        }
        if takes(5) {
            blended.owned = other.owned;
        }
        blended
    }

    pub(crate) fn spec(&self) -> JwtHttpApiSpec {
        let mut shapes = BTreeSet::new();
        let routes = self.routes.iter().filter(|route| {
            let key = RouteKey::parse(KEYS[route.key]).unwrap();
            shapes.insert(key.shape())
        });
        let routes = routes.map(|route| api::Route {
            route_key: KEYS[route.key].to_owned(),
            public: route.guard.is_none().then_some(true),
            authorizer: route.guard.map(|(index, _)| AUTHORIZERS[index].to_owned()),
            scopes: route.guard.map(|(_, bits)| subset(&SCOPES, bits).collect()),
            operation_name: route.named.then(|| format!("operation{}", route.function)),
            lambda: LambdaBackend {
                payload_format_version: route.old_payload.then_some(PayloadFormatVersion::V1),
                ..backend(route.function)
            },
        });
        let [default, others @ ..] = &self.authorizers;
        let others = others.iter().zip(AUTHORIZERS.iter().skip(1));
        JwtHttpApiSpec {
            issuer: default.issuer(),
            audience: default.audience(),
            identity_source: default.identity_source(),
            authorizers: others
                .map(|(jwt, name)| api::Authorizer {
                    name: (*name).to_owned(),
                    issuer: jwt.issuer(),
                    audience: jwt.audience(),
                    identity_source: jwt.identity_source(),
                })
                .collect(),
            routes: routes.collect(),
            functions: self.functions().collect(),
            invocation: Some(Invocation {
                mode: Some(if self.mode == 1 {
                    InvocationMode::ResourcePolicy
                } else {
                    InvocationMode::Role
                }),
                role_arn: (self.mode == 2).then(|| "arn:aws:iam::123456789012:role/brought".to_owned()),
            }),
            cors: self.cors.then(|| Cors {
                allow_origins: vec!["https://app.example.com".into()],
                allow_headers: vec!["X-One".into()],
                ..Cors::default()
            }),
            tags: if self.tagged {
                BTreeMap::from([("team".into(), "a".into())])
            } else {
                BTreeMap::new()
            },
            disable_execute_api_endpoint: self.off.then_some(true),
            ..JwtHttpApiSpec::default()
        }
    }

    /// Those that routes lead to, and one more.
    fn functions(&self) -> impl Iterator<Item = api::Function> + '_ {
        let used = |index| {
            let mut routes = self.routes.iter();
            routes.any(|route| route.function == FUNCTIONS.len() + index)
        };
        let spare = usize::from(self.owned & 1);
        let wanted = move |index: &usize| used(*index) || (self.spare && *index == spare);
        (0..OWNED.len()).filter(wanted).map(|index| api::Function {
            name: OWNED[index].to_owned(),
            runtime: api::Runtime::Python313,
            handler: "index.handler".to_owned(),
            code: format!("version = {}", self.owned & 2),
            memory_mib: (self.owned & 4 != 0).then_some(256),
            timeout_seconds: None,
            environment: BTreeMap::new(),
            architecture: (self.owned & 8 != 0).then_some(api::Architecture::Arm),
            log_retention_days: (self.owned & 4 != 0).then_some(7),
        })
    }

    /// The desired state. CORS goes where preflights would be caught.
    pub(crate) fn desired(&self) -> Desired {
        let build = |spec| build(&spec, &owner(), &place(), "nonce", &policy());
        let mut desired = build(self.spec()).unwrap_or_else(|_| {
            let spec = JwtHttpApiSpec {
                cors: None,
                ..self.spec()
            };
            build(spec).expect("a sketch has no other fault")
        });
        if self.spare {
            let spare = self.authorizers[1].jwt();
            desired
                .authorizers
                .entry(AUTHORIZERS[1].to_owned())
                .or_insert(spare);
        }
        desired
    }
}

/// Something that somebody did to AWS by hand.
#[derive(Clone, Debug)]
pub(crate) struct Drift {
    kind: u8,
    at: usize,
    with: usize,
}

pub(crate) fn drifts() -> impl Strategy<Value = Drift> {
    (0_u8..41, 0_usize..16, 0_usize..16).prop_map(|(kind, at, with)| Drift { kind, at, with })
}

impl Drift {
    /// Does it, where there is something to do it to.
    pub(crate) fn apply(&self, world: &mut World) {
        match self.kind {
            0..=23 if world.observed.api.is_some() => self.apply_to_api(world),
            24..=29 | 40 => self.apply_to_others(world),
            30..=39 => self.apply_to_owned(world),
            _ => {}
        }
    }

    fn authorization(&self, world: &mut World) -> Authorization {
        let authorizers = &world.api().authorizers;
        let authorizer = (!authorizers.is_empty()).then(|| &authorizers[self.at % authorizers.len()]);
        match (self.with % 4, authorizer) {
            (0, _) => Authorization::None,
            (1, Some(authorizer)) if authorizer.jwt.is_some() => Authorization::Jwt {
                authorizer_id: authorizer.id.clone(),
                scopes: subset(&SCOPES, u8::try_from(self.with / 4).unwrap()).collect(),
            },
            (2, _) => Authorization::Other("CUSTOM".into()),
            _ => Authorization::Other("AWS_IAM".into()),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each thing that somebody may do"
    )]
    fn apply_to_api(&self, world: &mut World) {
        let authorization = self.authorization(world);
        let new = world.fresh_id("drift");
        let api = world.api();
        let (routes, authorizers) = (api.routes.len(), api.authorizers.len());
        let integrations = api.integrations.len();
        match self.kind {
            0..=2 if routes > 0 => api.routes[self.at % routes].authorization = Authorization::None,
            3 | 4 if routes > 0 => api.routes[self.at % routes].authorization = authorization,
            5..=8 => {
                let key = KEYS[self.at];
                if api.routes.iter().all(|route| route.key != key) {
                    api.routes.push(Route {
                        id: new,
                        key: key.to_owned(),
                        authorization,
                        integration_id: None,
                        operation_name: String::new(),
                    });
                }
            }
            9 => {
                let key = ["TRACE /a", "GET /a/", "GET /a{b}", "whatever"][self.at % 4];
                if api.routes.iter().all(|route| route.key != key) {
                    api.routes.push(Route {
                        id: new,
                        key: key.to_owned(),
                        authorization,
                        integration_id: None,
                        operation_name: String::new(),
                    });
                }
            }
            10 if routes > 0 => {
                api.routes.remove(self.at % routes);
            }
            11 if routes > 0 => {
                let key = api.routes[self.at % routes]
                    .key
                    .replace("{x}", "{y}")
                    .replace("{p+}", "{q+}");
                if api.routes.iter().all(|route| route.key != key) {
                    api.routes[self.at % routes].key = key;
                }
            }
            12 if routes > 0 => api.routes[self.at % routes].operation_name = "drifted".into(),
            13 if authorizers > 0 => {
                let twin = Authorizer {
                    id: if self.with > 7 { new } else { format!("a{new}") },
                    ..api.authorizers[self.at % authorizers].clone()
                };
                let moved = if twin.jwt.is_some() { self.with % 3 } else { 0 };
                for route in api.routes.iter_mut().take(moved) {
                    if let Authorization::Jwt { authorizer_id, .. } = &mut route.authorization {
                        authorizer_id.clone_from(&twin.id);
                    }
                }
                api.authorizers.push(twin);
            }
            14 | 15 if authorizers > 0 => {
                let with = u8::try_from(self.with).unwrap();
                let jwt = JwtSketch {
                    issuer: with & 1,
                    audience: 1 + (with >> 1) % 3,
                    by_query: false,
                };
                api.authorizers[self.at % authorizers].jwt = Some(jwt.jwt());
            }
            16 => {
                // A kind that the operator does not make, which no JWT route can have.
                let name = AUTHORIZERS
                    .iter()
                    .find(|name| api.authorizers.iter().all(|a| a.name != **name));
                let name = name.filter(|_| self.with > 3).copied().unwrap_or("foreign");
                api.authorizers.push(Authorizer {
                    id: new,
                    name: name.to_owned(),
                    jwt: None,
                });
            }
            17 if integrations > 0 => {
                let twin = Integration {
                    id: if self.with > 7 { new } else { format!("a{new}") },
                    ..api.integrations[self.at % integrations].clone()
                };
                api.integrations.push(twin);
            }
            18 if integrations > 0 => {
                let integration = &mut api.integrations[self.at % integrations];
                match self.with % 7 {
                    0 => integration.uri = "arn:aws:lambda:eu-central-1:123456789012:function:evil".into(),
                    1 => integration.timeout_millis = 50,
                    2 => {
                        integration.request_parameters =
                            BTreeMap::from([("overwrite:path".into(), "/x".into())]);
                    }
                    3 => integration.kind = "HTTP_PROXY".into(),
                    4 => integration.has_response_parameters = true,
                    5 => integration.description = "somebody's".into(),
                    _ => integration.credentials = "arn:aws:iam::123456789012:role/other".into(),
                }
            }
            19 => api.stages.push(Stage {
                name: new,
                ..Stage::default()
            }),
            20 => api.stages.retain(|_| self.with > 7),
            21 => api.stages.iter_mut().for_each(|stage| stage.auto_deploy = false),
            22 => match self.with % 5 {
                0 => api.cors = Some(crate::model::desired::Cors::default()),
                1 => api.cors = None,
                2 => api.description = "drifted".into(),
                3 => api.disable_execute_api_endpoint = !api.disable_execute_api_endpoint,
                _ => api.name = "drifted".into(),
            },
            23 => {
                api.tags.insert("foreign".into(), "tag".into());
                api.tags
                    .insert("aws:cloudformation:stack-name".into(), "s".into());
            }
            _ => {}
        }
    }

    fn apply_to_owned(&self, world: &mut World) {
        let owned = &mut world.observed.owned;
        let count = owned.len().max(1);
        let Some(owned) = owned.values_mut().nth(self.at % count) else {
            return;
        };
        let foreign = BTreeMap::from([("foreign".to_owned(), "tag".to_owned())]);
        match (self.kind, owned) {
            (30, owned) => owned.log_group = Reading::Known(None),
            (
                31,
                Owned {
                    log_group: Reading::Known(Some(group)),
                    ..
                },
            ) => group.retention_days = None,
            (
                32,
                Owned {
                    log_group: Reading::Known(Some(group)),
                    ..
                },
            ) => group.tags.extend(foreign),
            (
                33,
                Owned {
                    role: Reading::Known(Some(role)),
                    ..
                },
            ) => role.policy = None,
            (
                34,
                Owned {
                    role: Reading::Known(Some(role)),
                    ..
                },
            ) => role.trust = json!({}),
            (
                35,
                Owned {
                    role: Reading::Known(Some(role)),
                    ..
                },
            ) => role.tags = foreign,
            (
                36,
                Owned {
                    function: Reading::Known(Some(function)),
                    ..
                },
            ) => {
                function.configuration.handler = "evil.handler".into();
                function.tags.extend(foreign);
            }
            (
                37,
                Owned {
                    function: Reading::Known(Some(function)),
                    ..
                },
            ) => {
                function.sha256 = "drifted".into();
                function.state = if self.with > 7 {
                    State::Changing
                } else {
                    State::Settled
                };
            }
            (
                38,
                Owned {
                    function: Reading::Known(Some(function)),
                    ..
                },
            ) => function.tags = foreign,
            _ => {}
        }
    }

    fn apply_to_others(&self, world: &mut World) {
        let function = function(self.at);
        match (self.kind, &mut world.observed.role) {
            (24, role @ Reading::Known(_)) => *role = Reading::Known(None),
            (25, Reading::Known(Some(role))) => {
                role.trust = json!({"Version": "2012-10-17", "Statement": []});
            }
            (26, Reading::Known(Some(role))) => {
                let arn = "arn:aws:lambda:eu-central-1:123456789012:function:other";
                role.policy = (self.with > 3).then(|| {
                    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                        "Action": "lambda:InvokeFunction", "Resource": if self.with > 9 { arn } else { "*" }}})
                });
            }
            (27, Reading::Known(Some(role))) => {
                role.tags.insert("foreign".into(), "tag".into());
            }
            (40, Reading::Known(Some(role))) => {
                let another = "arn:aws:iam::123456789012:policy/another";
                role.boundary = (self.with > 7).then(|| another.to_owned());
            }
            (28, role @ Reading::Known(None)) => {
                *role = Reading::Known(Some(Role {
                    arn: place().role_arn(&role_name(&owner(), &place().region)),
                    trust: json!({}),
                    ..Role::default()
                }));
            }
            (29, _) => {
                let ours = statement_id(&owner());
                let (id, source) = if self.with > 7 {
                    (ours.as_str(), "arn:aws:execute-api:::old/*/*")
                } else {
                    ("theirs", "x")
                };
                let state = &world.observed.functions[&function];
                let Some(FunctionPolicy::Policy(policy)) = state.known() else {
                    return;
                };
                if crate::model::document::statement(policy, id).is_none() {
                    world.add_statement(&function, id, source);
                }
            }
            _ => {}
        }
    }
}
