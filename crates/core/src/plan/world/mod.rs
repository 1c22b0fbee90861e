//! AWS as far as steps change it: a pure interpreter that knows nothing of how plans are made.
//!
//! It is stricter than AWS where AWS is not known: what might be refused is refused, and a refusal is a panic.

mod others;

use super::access::{Access, Admission};
use super::kind::Service;
use super::planned::{Plan, Refs};
use super::step::{ApiChange, Authorize, RouteChange, Step};
use crate::model::Owner;
use crate::model::desired::{self, Desired, Guard, Jwt, Marker};
use crate::model::name::{CLOSED_SCOPE, DEFAULT_STAGE, FunctionArn, Place, RouteKey};
use crate::model::observed::{
    Api, Authorization, Authorizer, FunctionPolicy, Integration, Observed, Reading, Route, Stage,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The truth about one account, and what gives new ids.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) observed: Observed,
    owner: Owner,
    place: Place,
    ids: usize,
}

impl World {
    /// An account with functions and nothing of the owner's.
    pub(crate) fn new(
        owner: &Owner,
        place: &Place,
        functions: impl IntoIterator<Item = FunctionArn>,
    ) -> Self {
        let empty = || Reading::Known(FunctionPolicy::Policy(json!({})));
        Self {
            observed: Observed {
                api: None,
                role: Reading::Known(None),
                functions: functions
                    .into_iter()
                    .map(|function| (function, empty()))
                    .collect(),
                owned: BTreeMap::new(),
                lineage: BTreeSet::new(),
                last: None,
            },
            owner: owner.clone(),
            place: place.clone(),
            ids: 0,
        }
    }

    pub(crate) fn fresh_id(&mut self, kind: &str) -> String {
        self.ids += 1;
        format!("{kind}{:04}", self.ids)
    }

    /// The API, which must exist.
    pub(crate) fn api(&mut self) -> &mut Api {
        self.observed.api.as_mut().expect("the API exists")
    }

    /// Whom each route admits. Nobody gets through an endpoint that is off.
    pub(crate) fn access(&self) -> Access {
        let Some(api) = &self.observed.api else {
            return Access::new();
        };
        if api.disable_execute_api_endpoint {
            return Access::new();
        }
        let admission = |route: &Route| match &route.authorization {
            Authorization::None => Admission::everyone(),
            Authorization::Other(kind) => Admission::other(kind.clone()),
            Authorization::Jwt {
                authorizer_id,
                scopes,
            } => match api.authorizers.iter().find(|a| a.id == *authorizer_id) {
                Some(Authorizer { jwt: Some(jwt), .. }) => Admission::jwt(&Arc::new(jwt.clone()), scopes),
                _ => Admission::other(format!("authorizer {authorizer_id}")),
            },
        };
        api.routes
            .iter()
            .filter_map(|route| Some((route.parsed()?, admission(route))))
            .collect()
    }

    /// Executes a whole plan in the order in which it is written.
    pub(crate) fn run(&mut self, plan: &Plan) {
        let mut refs = plan.refs.clone();
        for planned in &plan.steps {
            self.execute(&planned.step, &mut refs);
        }
    }

    /// Executes one step; what it creates is known to the references afterwards.
    pub(crate) fn execute(&mut self, step: &Step, refs: &mut Refs) {
        match step.service() {
            Service::ApiGateway => self.execute_api_gateway(step, refs),
            Service::Iam => self.execute_iam(step),
            Service::Lambda => self.execute_lambda(step, refs),
            Service::Logs => self.execute_logs(step),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    fn execute_api_gateway(&mut self, step: &Step, refs: &mut Refs) {
        if let Some(api) = &self.observed.api {
            assert_eq!(
                refs.api.as_ref(),
                Some(&api.id),
                "a call to an API that is not the one"
            );
        }
        match step {
            Step::CreateApi(wanted) => self.create_api(wanted, refs),
            Step::UpdateApi(change) => update_api(self.api(), change),
            Step::DeleteCors => assert!(self.api().cors.take().is_some(), "there is no CORS to remove"),
            Step::TagApi(tags) => self.api().tags.extend(tags.clone()),
            Step::UntagApi(keys) => self.api().tags.retain(|key, _| !keys.contains(key)),
            Step::DeleteApi { id } => {
                assert_eq!(&self.api().id, id);
                self.observed.api = None;
            }
            Step::CreateAuthorizer { name, jwt } => {
                let id = self.fresh_id("auth");
                let taken = self.api().authorizers.iter().any(|a| a.name == *name);
                assert!(!taken, "a second authorizer {name}");
                refs.authorizers.insert(name.clone(), id.clone());
                self.api().authorizers.push(Authorizer {
                    id,
                    name: name.clone(),
                    jwt: Some(jwt.clone()),
                });
            }
            Step::UpdateAuthorizer { id, name, jwt } => {
                let taken = self.api().authorizers.iter().any(|a| a.name == *name);
                let authorizer = self.api().authorizers.iter_mut().find(|a| a.id == *id);
                let authorizer = authorizer.expect("an authorizer of this API");
                assert!(authorizer.name == *name || !taken, "a second authorizer {name}");
                authorizer.name.clone_from(name);
                authorizer.jwt = Some(jwt.clone());
            }
            Step::DeleteAuthorizer { id, .. } => {
                let used = self.api().routes.iter().any(|route| {
                    matches!(&route.authorization, Authorization::Jwt { authorizer_id, .. } if authorizer_id == id)
                });
                assert!(!used, "an authorizer in use refuses deletion");
                take(&mut self.api().authorizers, |a| a.id == *id);
            }
            Step::CreateIntegration { marker, integration } => {
                let id = self.fresh_id("int");
                refs.integrations.insert(marker.clone(), id.clone());
                let integration = integration_as(id, marker, integration);
                self.api().integrations.push(integration);
            }
            Step::UpdateIntegration {
                id,
                marker,
                integration,
                drop_parameters,
            } => {
                let now = self.api().integrations.iter_mut().find(|i| i.id == *id);
                let now = now.expect("an integration of this API");
                let wanted = integration_as(id.clone(), marker, integration);
                *now = Integration {
                    // What a merge cannot change in place.
                    kind: now.kind.clone(),
                    subtype: now.subtype.clone(),
                    connection_type: now.connection_type.clone(),
                    has_response_parameters: now.has_response_parameters,
                    credentials: if wanted.credentials.is_empty() {
                        now.credentials.clone()
                    } else {
                        wanted.credentials.clone()
                    },
                    request_parameters: std::mem::take(&mut now.request_parameters)
                        .into_iter()
                        .filter(|(key, _)| !drop_parameters.contains(key))
                        .collect(),
                    ..wanted
                };
            }
            Step::DeleteIntegration { id } => {
                let used = |route: &Route| route.integration_id.as_ref() == Some(id);
                assert!(
                    !self.api().routes.iter().any(used),
                    "an integration in use refuses deletion"
                );
                take(&mut self.api().integrations, |i| i.id == *id);
            }
            Step::CreateRoute {
                key,
                authorize,
                integration,
                operation_name,
            } => {
                let same = |route: &Route| route.parsed().is_some_and(|other| other.shape() == key.shape());
                assert!(!self.api().routes.iter().any(same), "a second route {key}");
                let id = self.fresh_id("route");
                refs.routes.insert(key.clone(), id.clone());
                let route = Route {
                    id,
                    key: key.as_str().to_owned(),
                    authorization: self.authorization(authorize, refs),
                    integration_id: Some(self.integration_id(integration, refs)),
                    operation_name: operation_name.clone(),
                };
                self.api().routes.push(route);
            }
            Step::UpdateRoute { key, change } => self.update_route(key, change, refs),
            Step::DeleteRoute { id, key, .. } => {
                let route = take(&mut self.api().routes, |route| route.id == *id);
                assert_eq!(&route.key, key);
            }
            Step::CreateStage => {
                let there = self.api().stages.iter().any(|stage| stage.name == DEFAULT_STAGE);
                assert!(!there, "a second stage");
                self.api().stages.push(Stage {
                    name: DEFAULT_STAGE.to_owned(),
                    auto_deploy: true,
                    ..Stage::default()
                });
            }
            Step::UpdateStage => {
                let stages = &mut self.api().stages;
                let stage = stages.iter_mut().find(|stage| stage.name == DEFAULT_STAGE);
                stage.expect("the stage exists").auto_deploy = true;
            }
            Step::DeleteStage { name } => {
                assert_ne!(name, DEFAULT_STAGE);
                take(&mut self.api().stages, |stage| stage.name == *name);
            }
            other => unreachable!("{other} does not go to API Gateway"),
        }
    }

    fn create_api(&mut self, wanted: &desired::Api, refs: &mut Refs) {
        assert!(self.observed.api.is_none(), "a second API");
        let id = self.fresh_id("api");
        refs.api = Some(id.clone());
        self.observed.api = Some(Api {
            id,
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            cors: wanted.cors.clone(),
            disable_execute_api_endpoint: wanted.disable_execute_api_endpoint,
            ip_address_type: wanted.ip_address_type,
            tags: wanted.tags.clone(),
            ..Api::default()
        });
    }

    fn update_route(&mut self, key: &RouteKey, change: &RouteChange, refs: &Refs) {
        let id = refs
            .routes
            .get(key)
            .expect("a route that is known by its key")
            .clone();
        let authorization = change.authorize.as_ref().map(|a| self.authorization(a, refs));
        let integration = change.integration.as_ref().map(|i| self.integration_id(i, refs));
        if let Some(key) = &change.key {
            let taken = |route: &Route| route.id != id && route.key == key.as_str();
            assert!(!self.api().routes.iter().any(taken), "a second route {key}");
        }
        let routes = &mut self.api().routes;
        let route = routes
            .iter_mut()
            .find(|route| route.id == id)
            .expect("a route of this API");
        if let Some(key) = &change.key {
            key.as_str().clone_into(&mut route.key);
        }
        if let Some(authorization) = authorization {
            route.authorization = authorization;
        }
        if let Some(integration) = integration {
            route.integration_id = Some(integration);
        }
        if let Some(name) = &change.operation_name {
            route.operation_name.clone_from(name);
        }
    }

    fn authorization(&mut self, authorize: &Authorize, refs: &Refs) -> Authorization {
        let (authorizer_id, scopes) = match authorize {
            Authorize::Public => return Authorization::None,
            Authorize::Jwt { authorizer, scopes } => {
                let id = refs
                    .authorizers
                    .get(authorizer)
                    .expect("an authorizer that is known");
                (id.clone(), scopes.clone())
            }
            Authorize::Closed { authorizer_id } => {
                (authorizer_id.clone(), BTreeSet::from([CLOSED_SCOPE.to_owned()]))
            }
        };
        let authorizer = self.api().authorizers.iter().find(|a| a.id == authorizer_id);
        let jwt = &authorizer.expect("an authorizer of this API").jwt;
        assert!(jwt.is_some(), "JWT authorization requires a valid JWT authorizer");
        Authorization::Jwt {
            authorizer_id,
            scopes,
        }
    }

    fn integration_id(&mut self, marker: &Marker, refs: &Refs) -> String {
        let id = refs
            .integrations
            .get(marker)
            .expect("an integration that is known")
            .clone();
        let there = self.api().integrations.iter().any(|i| i.id == id);
        assert!(there, "a target is an integration of this API");
        id
    }
}

fn update_api(api: &mut Api, change: &ApiChange) {
    assert_ne!(change, &ApiChange::default(), "a request that changes nothing");
    if let Some(name) = &change.name {
        api.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        api.description.clone_from(description);
    }
    if let Some(cors) = &change.cors {
        assert_ne!(cors, &desired::Cors::default(), "an empty block removes nothing");
        api.cors = Some(cors.clone());
    }
    if let Some(off) = change.disable_execute_api_endpoint {
        api.disable_execute_api_endpoint = off;
    }
    if let Some(family) = change.ip_address_type {
        api.ip_address_type = family;
    }
}

fn integration_as(id: String, marker: &Marker, wanted: &desired::Integration) -> Integration {
    Integration {
        id,
        description: marker.as_str().to_owned(),
        kind: desired::Integration::TYPE.to_owned(),
        subtype: String::new(),
        uri: wanted.function.to_string(),
        method: desired::Integration::METHOD.to_owned(),
        connection_type: desired::Integration::CONNECTION.to_owned(),
        payload_format_version: wanted.payload_format_version.as_str().to_owned(),
        timeout_millis: wanted.timeout_millis,
        credentials: wanted.credentials.clone().unwrap_or_default(),
        request_parameters: BTreeMap::new(),
        has_response_parameters: false,
    }
}

fn take<T>(items: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> T {
    let position = items.iter().position(is_it).expect("something of this API");
    items.remove(position)
}

/// Whom a desired state admits.
pub(crate) fn desired_access(desired: &Desired) -> Access {
    if desired.api.disable_execute_api_endpoint {
        return Access::new();
    }
    let admission = |guard: &Guard| match guard {
        Guard::Public => Admission::everyone(),
        Guard::Jwt { authorizer, scopes } => {
            let jwt: &Jwt = &desired.authorizers[authorizer];
            Admission::jwt(&Arc::new(jwt.clone()), scopes)
        }
    };
    let routes = desired.routes.iter();
    routes
        .map(|(key, route)| (key.clone(), admission(&route.guard)))
        .collect()
}

/// A plan that is executed lane by lane, as a shell does it.
pub(crate) struct Lanes<'a> {
    plan: &'a Plan,
    refs: Refs,
    done: BTreeSet<usize>,
}

impl<'a> Lanes<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            refs: plan.refs.clone(),
            done: BTreeSet::new(),
        }
    }

    /// Executes one of the steps that may be started, by choice; false when all are done.
    pub(crate) fn advance(&mut self, world: &mut World, choice: usize) -> bool {
        let mut lanes: BTreeMap<Service, usize> = BTreeMap::new();
        for (index, planned) in self.plan.steps.iter().enumerate() {
            if !self.done.contains(&index) {
                lanes.entry(planned.step.service()).or_insert(index);
            }
        }
        if lanes.is_empty() {
            return false;
        }
        let ready = |index: &usize| self.plan.steps[*index].after.is_subset(&self.done);
        let ready: Vec<usize> = lanes.into_values().filter(ready).collect();
        assert!(!ready.is_empty(), "a deadlock between lanes:\n{}", self.plan);
        let next = ready[choice % ready.len()];
        world.execute(&self.plan.steps[next].step, &mut self.refs);
        self.done.insert(next);
        true
    }
}
