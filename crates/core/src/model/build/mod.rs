//! Spec to desired state: pure, complete, and the place of every default and every rule that the schema cannot say.

use super::desired::{self, Api, Desired, Guard, Integration, Invocation, Jwt, Role, Route};
use super::document::Document;
use super::name::{self, DEFAULT_AUTHORIZER, FunctionArn, Place, RouteKey};
use super::owner::Owner;
use crate::api::{self, InvocationMode, JwtHttpApiSpec, LambdaBackend, Reason};
use std::collections::{BTreeMap, BTreeSet};

mod checks;
mod functions;
mod rejection;
#[cfg(test)]
mod tests;

pub use rejection::{Policy, Rejection, Violation};

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
        let mut tags = self.policy.default_tags.beneath(&self.spec.tags);
        self.check_reserved();
        self.check_case_of_tags();
        self.check_number_of_tags(tags.len());
        tags.extend(self.owner.tags(nonce, self.spec.deletion_policy()));

        let role_name = name::role_name(self.owner, &self.place.region).under(&self.policy.role_path);
        let brought = self
            .spec
            .invocation
            .as_ref()
            .and_then(|invocation| invocation.role_arn.clone());
        let mode = self.spec.invocation_mode(self.policy.default_invocation);
        let credentials = match (mode, &brought) {
            (InvocationMode::ResourcePolicy, _) => None,
            (InvocationMode::Role, Some(arn)) => Some(arn.clone()),
            (InvocationMode::Role, None) => Some(self.place.role_arn(&role_name)),
        };
        self.check_brought_role(brought.as_deref());

        let authorizers = self.authorizers();
        let owned = self.functions(&tags);
        let (integrations, routes) = self.routes(&authorizers, credentials.as_deref());
        self.check_shapes(&routes);
        self.check_preflight(&routes);

        let invocation = match (mode, brought) {
            (InvocationMode::ResourcePolicy, _) => Invocation::ResourcePolicy,
            (InvocationMode::Role, Some(arn)) => Invocation::Brought { arn },
            (InvocationMode::Role, None) => Invocation::Role(Box::new(Role {
                function: None,
                arn: self.place.role_arn(&role_name),
                name: role_name,
                trust: Document::invoke_trust(),
                policy: Document::invoke_functions(
                    integrations
                        .values()
                        .map(|integration| &integration.function)
                        .collect::<BTreeSet<_>>(),
                ),
                boundary: self.policy.permissions_boundary.clone(),
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
            owned,
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
                .filter(|_| authorizer == DEFAULT_AUTHORIZER && !planted!(ScopesForgotten))
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
        let parsed = match (&backend.function, &backend.name, &backend.arn) {
            (Some(name), None, None) if self.spec.functions.iter().any(|own| own.name == *name) => {
                let name = name::function_name(self.owner, name);
                return FunctionArn::of_name(self.place, &name, None).ok();
            }
            (Some(name), None, None) => {
                let message = format!(
                    "there is no function {name:?}; correct the name, add it to spec.functions, or write name: for a function that exists already"
                );
                self.violate(format!("{path}.function"), Reason::InvalidSpec, message);
                return None;
            }
            (None, Some(name), None) => FunctionArn::of_name(self.place, name, qualifier),
            (None, None, Some(arn)) => FunctionArn::parse(arn, qualifier),
            _ => {
                self.violate(
                    path,
                    Reason::InvalidSpec,
                    "name the function by exactly one of function, name and arn",
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
        } else if let Some(own) = function.name().strip_prefix(&name::function_prefix(self.owner)) {
            let message = format!(
                "{} is one of this object's own; write function: {own:?}, without a qualifier, and have it in spec.functions",
                function.unqualified()
            );
            self.violate(path, Reason::FunctionNotAllowed, message);
        } else if name::is_owned_name(function.name()) {
            let message = format!(
                "{} belongs to another JwtHttpApi object; route to it there, or name a function that belongs to none",
                function.unqualified()
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
}

/// CORS as AWS reads it back; a block that says nothing is none, since AWS keeps no empty one (O).
fn cors(spec: &api::Cors) -> Option<desired::Cors> {
    let set = |items: &[String]| items.iter().cloned().collect();
    let lower = |items: &[String]| {
        items
            .iter()
            .map(|item| {
                if planted!(HeaderCase) {
                    item.clone()
                } else {
                    item.to_lowercase()
                }
            })
            .collect()
    };
    let cors = desired::Cors {
        // Browsers write schemes and hosts in small letters.
        allow_origins: lower(&spec.allow_origins),
        allow_methods: set(&spec.allow_methods),
        allow_headers: lower(&spec.allow_headers),
        expose_headers: lower(&spec.expose_headers),
        max_age: spec.max_age,
        allow_credentials: spec.allow_credentials.unwrap_or(false),
    };
    (cors != desired::Cors::default()).then_some(cors)
}
