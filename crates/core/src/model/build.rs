//! Spec to desired state: pure, complete, and the place of every default and every rule that the schema cannot say.

use super::desired::{self, Api, Desired, Guard, Integration, Invocation, Jwt, Role, Route};
use super::document::{Document, ROLE_POLICY_LIMIT};
use super::name::{self, DEFAULT_AUTHORIZER, FunctionArn, Method, Pattern, Place, RouteKey};
use super::owner::Owner;
use crate::api::{self, InvocationMode, JwtHttpApiSpec, LambdaBackend, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use wildmatch::WildMatch;

/// What the installer allows.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Patterns of function ARNs that routes may lead to; none allows none.
    pub allowed_functions: Vec<WildMatch>,
    /// Patterns of role ARNs that objects may bring; none allows none.
    pub passable_roles: Vec<WildMatch>,
}

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where, such as `spec.routes[GET /a].lambda`.
    pub path: String,
    /// The reason it stands for.
    pub reason: Reason,
    /// What is wrong and what to type instead.
    pub message: String,
}

/// Why a spec cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// At least one, sorted.
    pub violations: Vec<Violation>,
}

impl Rejection {
    /// How many violations a message names before it only counts them.
    const SHOWN: usize = 5;

    /// The reason of the gravest violation: the first.
    pub fn reason(&self) -> Reason {
        self.violations
            .first()
            .map_or(Reason::InvalidSpec, |violation| violation.reason)
    }

    /// All of it in one deterministic, bounded text.
    pub fn message(&self) -> String {
        let mut text = String::new();
        for violation in self.violations.iter().take(Self::SHOWN) {
            let separator = if text.is_empty() { "" } else { "; " };
            let _ = write!(text, "{separator}{}: {}", violation.path, violation.message);
        }
        if self.violations.len() > Self::SHOWN {
            let _ = write!(text, "; and {} more", self.violations.len() - Self::SHOWN);
        }
        text
    }
}

/// Builds the desired state of one object.
///
/// # Errors
/// With every violation at once, none of which the API server could have shown.
pub fn build(
    spec: &JwtHttpApiSpec,
    owner: &Owner,
    place: &Place,
    nonce: &str,
    policy: &Policy,
) -> Result<Desired, Rejection> {
    Builder {
        spec,
        owner,
        place,
        policy,
        violations: BTreeSet::new(),
    }
    .build(nonce)
}

struct Builder<'a> {
    spec: &'a JwtHttpApiSpec,
    owner: &'a Owner,
    place: &'a Place,
    policy: &'a Policy,
    violations: BTreeSet<Violation>,
}

impl Builder<'_> {
    fn build(mut self, nonce: &str) -> Result<Desired, Rejection> {
        let mut tags = self.spec.tags.clone();
        tags.extend(self.owner.tags(nonce, self.spec.deletion_policy()));

        let role_name = name::role_name(self.owner, &self.place.region);
        let brought = self
            .spec
            .invocation
            .as_ref()
            .and_then(|invocation| invocation.role_arn.clone());
        let mode = self
            .spec
            .invocation
            .as_ref()
            .and_then(|invocation| invocation.mode)
            .unwrap_or_default();
        let credentials = match (mode, &brought) {
            (InvocationMode::ResourcePolicy, _) => None,
            (InvocationMode::Role, Some(arn)) => Some(arn.clone()),
            (InvocationMode::Role, None) => Some(self.place.role_arn(&role_name)),
        };
        self.check_tags();
        self.check_brought_role(brought.as_deref());

        let authorizers = self.authorizers();
        let (integrations, routes) = self.routes(&authorizers, credentials.as_deref());
        self.check_shapes(&routes);
        self.check_preflight(&routes);

        let invocation = match (mode, brought) {
            (InvocationMode::ResourcePolicy, _) => Invocation::ResourcePolicy,
            (InvocationMode::Role, Some(arn)) => Invocation::Brought { arn },
            (InvocationMode::Role, None) => Invocation::Role(Box::new(Role {
                arn: self.place.role_arn(&role_name),
                name: role_name,
                trust: Document::invoke_trust(),
                policy: Document::invoke_functions(
                    integrations
                        .values()
                        .map(|integration| &integration.function)
                        .collect::<BTreeSet<_>>(),
                ),
                tags: tags.clone(),
            })),
        };
        self.check_policy_size(&invocation);

        if !self.violations.is_empty() {
            return Err(Rejection {
                violations: self.violations.into_iter().collect(),
            });
        }
        Ok(Desired {
            api: Api {
                name: name::api_name(self.owner, self.spec.name.as_deref()),
                description: self.spec.description.clone().unwrap_or_default(),
                cors: self.spec.cors.as_ref().and_then(cors),
                disable_execute_api_endpoint: self.spec.disable_execute_api_endpoint.unwrap_or(false),
                ip_address_type: self.spec.ip_address_type.unwrap_or_default(),
                tags,
            },
            authorizers,
            integrations,
            routes,
            invocation,
        })
    }

    fn violate(&mut self, path: impl Into<String>, reason: Reason, message: impl Into<String>) {
        self.violations.insert(Violation {
            path: path.into(),
            reason,
            message: message.into(),
        });
    }

    fn authorizers(&self) -> BTreeMap<String, Jwt> {
        let jwt = |issuer: &str, audience: &[String], source: Option<&String>| Jwt {
            identity_source: source
                .map_or("$request.header.Authorization", String::as_str)
                .to_owned(),
            issuer: issuer.to_owned(),
            audience: audience.iter().cloned().collect(),
        };
        // Only those that a route uses: AWS would otherwise have to reach an issuer for nothing.
        let spec = self.spec;
        let used: BTreeSet<&str> = spec
            .routes
            .iter()
            .filter(|route| !route.public.unwrap_or(false))
            .map(|route| route.authorizer.as_deref().unwrap_or(DEFAULT_AUTHORIZER))
            .collect();
        let default = jwt(&spec.issuer, &spec.audience, spec.identity_source.as_ref());
        [(DEFAULT_AUTHORIZER, default)]
            .into_iter()
            .chain(spec.authorizers.iter().map(|authorizer| {
                let jwt = jwt(
                    &authorizer.issuer,
                    &authorizer.audience,
                    authorizer.identity_source.as_ref(),
                );
                (authorizer.name.as_str(), jwt)
            }))
            .filter(|(name, _)| used.contains(name))
            .map(|(name, jwt)| (name.to_owned(), jwt))
            .collect()
    }

    fn routes(
        &mut self,
        authorizers: &BTreeMap<String, Jwt>,
        credentials: Option<&str>,
    ) -> (BTreeMap<desired::Marker, Integration>, BTreeMap<RouteKey, Route>) {
        let mut integrations = BTreeMap::new();
        let mut routes = BTreeMap::new();
        for route in &self.spec.routes {
            let path = format!("spec.routes[{}]", route.route_key);
            let key = match RouteKey::parse(&route.route_key) {
                Ok(key) => key,
                Err(error) => {
                    self.violate(format!("{path}.routeKey"), Reason::InvalidSpec, error.to_string());
                    continue;
                }
            };
            let guard = self.guard(route, authorizers, &path);
            let Some(function) = self.function(&route.lambda, &format!("{path}.lambda")) else {
                continue;
            };
            let integration = Integration {
                function,
                payload_format_version: route.lambda.payload_format_version.unwrap_or_default(),
                timeout_millis: route
                    .lambda
                    .timeout_millis
                    .and_then(|millis| u32::try_from(millis).ok())
                    .unwrap_or(30_000),
                credentials: credentials.map(str::to_owned),
            };
            let marker = integration.marker();
            integrations.insert(marker.clone(), integration);
            let operation_name = route.operation_name.clone().unwrap_or_default();
            if routes
                .insert(
                    key,
                    Route {
                        guard,
                        integration: marker,
                        operation_name,
                    },
                )
                .is_some()
            {
                self.violate(
                    path,
                    Reason::InvalidSpec,
                    "two routes have this routeKey; keep one of them",
                );
            }
        }
        (integrations, routes)
    }

    fn guard(&mut self, route: &api::Route, authorizers: &BTreeMap<String, Jwt>, path: &str) -> Guard {
        if route.public.unwrap_or(false) {
            return Guard::Public;
        }
        let authorizer = route
            .authorizer
            .as_deref()
            .unwrap_or(DEFAULT_AUTHORIZER)
            .to_owned();
        if !authorizers.contains_key(&authorizer) {
            let message = format!(
                "there is no authorizer {authorizer:?}; correct the name or add it to spec.authorizers"
            );
            self.violate(format!("{path}.authorizer"), Reason::InvalidSpec, message);
        }
        let inherited = || {
            self.spec
                .scopes
                .as_deref()
                .filter(|_| authorizer == DEFAULT_AUTHORIZER)
                .unwrap_or_default()
        };
        let scopes = route
            .scopes
            .as_deref()
            .unwrap_or_else(inherited)
            .iter()
            .cloned()
            .collect();
        Guard::Jwt { authorizer, scopes }
    }

    fn function(&mut self, backend: &LambdaBackend, path: &str) -> Option<FunctionArn> {
        let qualifier = backend.qualifier.as_deref();
        let parsed = match (&backend.name, &backend.arn) {
            (Some(name), None) => FunctionArn::of_name(self.place, name, qualifier),
            (None, Some(arn)) => FunctionArn::parse(arn, qualifier),
            _ => {
                self.violate(
                    path,
                    Reason::InvalidSpec,
                    "name the function by exactly one of name and arn",
                );
                return None;
            }
        };
        let function = match parsed {
            Ok(function) => function,
            Err(error) => {
                self.violate(path, Reason::InvalidSpec, error.to_string());
                return None;
            }
        };
        if !function.is_in(self.place) {
            let message = format!(
                "{function} is not in account {} and Region {} of this API; name a function that is",
                self.place.account, self.place.region
            );
            self.violate(path, Reason::FunctionNotAllowed, message);
        } else if !self
            .policy
            .allowed_functions
            .iter()
            .any(|pattern| pattern.matches(function.unqualified()))
        {
            let message = format!(
                "{} matches no pattern of the operator's --allowed-functions; ask who installed it to add one, or name another function",
                function.unqualified()
            );
            self.violate(path, Reason::FunctionNotAllowed, message);
        }
        Some(function)
    }

    /// The keys of a map have no pattern in a schema.
    fn check_tags(&mut self) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " .:+=@_/-".contains(c);
        let wrong: Vec<&String> = self
            .spec
            .tags
            .keys()
            .filter(|key| !key.chars().all(allowed))
            .collect();
        for key in wrong {
            let message =
                "a tag key has letters, digits, spaces and . : + = @ _ / - only; choose another key";
            self.violate(format!("spec.tags[{key}]"), Reason::InvalidSpec, message);
        }
    }

    fn check_brought_role(&mut self, arn: Option<&str>) {
        let Some(arn) = arn else { return };
        if !self
            .policy
            .passable_roles
            .iter()
            .any(|pattern| pattern.matches(arn))
        {
            let message = format!(
                "{arn} matches no pattern of the operator's --passable-roles; ask who installed it to add one, or remove roleArn so that the operator makes a role"
            );
            self.violate("spec.invocation.roleArn", Reason::RoleNotAllowed, message);
        }
    }

    /// AWS keeps keys that differ only in parameters' names apart or not; either way one of them would never be called.
    fn check_shapes(&mut self, routes: &BTreeMap<RouteKey, Route>) {
        let mut seen: BTreeMap<String, &RouteKey> = BTreeMap::new();
        for key in routes.keys() {
            if let Some(first) = seen.insert(key.shape(), key) {
                let message = format!("it matches the same requests as {first}; keep one of the two");
                self.violate(format!("spec.routes[{key}]"), Reason::InvalidSpec, message);
            }
        }
    }

    /// With CORS a protected `ANY` or `$default` route catches preflights, too: each needs a public `OPTIONS` route that
    /// covers its paths and goes before it (O, aws-facts §3).
    fn check_preflight(&mut self, routes: &BTreeMap<RouteKey, Route>) {
        if self.spec.cors.is_none() {
            return;
        }
        let preflight = |pattern: &Pattern| match pattern {
            Pattern::Path(Method::Any, segments) => Some(Pattern::Path(Method::Options, segments.clone())),
            Pattern::Default => {
                let rest = vec![name::Segment::Greedy("proxy".to_owned())];
                Some(Pattern::Path(Method::Options, rest))
            }
            Pattern::Path(..) => None,
        };
        let uncovered: Vec<_> = routes
            .iter()
            .filter(|(_, route)| route.guard != Guard::Public)
            .filter_map(|(key, _)| Some((key, preflight(key.pattern())?)))
            .filter(|(key, wanted)| {
                !routes.iter().any(|(other, route)| {
                    route.guard == Guard::Public
                        && matches!(other.pattern(), Pattern::Path(Method::Options, _))
                        && other.pattern().contains(wanted)
                        && other.pattern().precedence(key.pattern()).is_lt()
                })
            })
            .map(|(key, wanted)| (key.clone(), wanted))
            .collect();
        for (key, wanted) in uncovered {
            let message = format!(
                "with cors this protected route also catches the browser's OPTIONS preflight; add a route {:?} with public: true",
                written(&wanted)
            );
            self.violate(format!("spec.routes[{key}]"), Reason::InvalidSpec, message);
        }
    }

    fn check_policy_size(&mut self, invocation: &Invocation) {
        let Invocation::Role(role) = invocation else {
            return;
        };
        let size = role.policy.size();
        if size > ROLE_POLICY_LIMIT {
            let message = format!(
                "the role's policy for {} functions would have {size} characters and IAM allows {ROLE_POLICY_LIMIT}; set invocation.mode: ResourcePolicy, or bring a role with invocation.roleArn",
                role.policy.resources().len()
            );
            self.violate("spec.invocation", Reason::PolicyFull, message);
        }
    }
}

fn written(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Default => "$default".to_owned(),
        Pattern::Path(method, segments) => {
            let mut text = format!("{} ", method.as_str());
            for segment in segments {
                let _ = match segment {
                    name::Segment::Literal(literal) => write!(text, "/{literal}"),
                    name::Segment::Param(name) => write!(text, "/{{{name}}}"),
                    name::Segment::Greedy(name) => write!(text, "/{{{name}+}}"),
                };
            }
            if segments.is_empty() {
                text.push('/');
            }
            text
        }
    }
}

/// CORS as AWS reads it back; a block that says nothing is none, since AWS keeps no empty one (O).
fn cors(spec: &api::Cors) -> Option<desired::Cors> {
    let set = |items: &[String]| items.iter().cloned().collect();
    let lower = |items: &[String]| items.iter().map(|item| item.to_lowercase()).collect();
    let cors = desired::Cors {
        allow_origins: set(&spec.allow_origins),
        allow_methods: set(&spec.allow_methods),
        allow_headers: lower(&spec.allow_headers),
        expose_headers: lower(&spec.expose_headers),
        max_age: spec.max_age,
        allow_credentials: spec.allow_credentials.unwrap_or(false),
    };
    (cors != desired::Cors::default()).then_some(cors)
}
