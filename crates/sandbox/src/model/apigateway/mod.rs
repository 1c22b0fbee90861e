//! API Gateway v2, HTTP APIs.
#![expect(clippy::struct_field_names, reason = "members are named as on the wire")]

mod api;
mod authorizer;
mod cors;
mod deploy;
mod integration;
mod refusal;
mod request;
mod route;
mod route_key;
mod stage;
mod tags;
#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use self::{
    api::{Api, ApiInput},
    authorizer::AuthorizerInput,
    integration::IntegrationInput,
    request::Request,
    route::RouteInput,
    stage::StageInput,
};
use self::{
    authorizer::{Authorizer, check_name_is_free},
    integration::Integration,
    refusal::{bad_request, conflict, not_found},
    route::Route,
    stage::Stage,
};
use super::{
    Env,
    error::{InUseStatus, Refusal},
    json,
    paging::{Birth, PageRequest, page},
    quota::room_for_one_more,
    time::Timestamp,
};

/// API Gateway in one Region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) apis: BTreeMap<String, Api>,
}

type Answer = Result<Value, Refusal>;

impl Gateway {
    /// Carries out one request. A refused request changes nothing.
    pub(crate) fn apply(&mut self, env: &mut Env, request: &Request) -> Answer {
        self.settle(env.now);
        match request {
            Request::CreateApi { input } => self.create_api(env, input),
            Request::GetApi { api } => json(self.api(api)?),
            Request::GetApis { page } => list(env, page, self.apis.values().map(|api| (api.birth, api))),
            Request::UpdateApi { api, input } => {
                let api = self.api_mut(api)?;
                let before = std::mem::replace(api, api.updated(input)?);
                api.deploy_settings(env, &before);
                json(api)
            }
            Request::DeleteApi { api } => {
                self.apis.remove(api).ok_or_else(|| not_found("API", api))?;
                Ok(Value::Null)
            }
            Request::DeleteCorsConfiguration { api } => {
                let api = self.api_mut(api)?;
                let before = api.clone();
                api.cors_configuration = None;
                api.deploy_settings(env, &before);
                Ok(Value::Null)
            }
            Request::CreateAuthorizer { api, input } => self.api_mut(api)?.create_authorizer(env, input),
            Request::GetAuthorizer { api, id } => json(self.api(api)?.authorizer(id)?),
            Request::GetAuthorizers { api, page } => list(
                env,
                page,
                self.api(api)?.authorizers.values().map(|item| (item.birth, item)),
            ),
            Request::UpdateAuthorizer { api, id, input } => {
                self.api_mut(api)?.update_authorizer(env, id, input)
            }
            Request::DeleteAuthorizer { api, id } => self.api_mut(api)?.delete_authorizer(env, id),
            Request::CreateIntegration { api, input } => self.api_mut(api)?.create_integration(env, input),
            Request::GetIntegration { api, id } => json(self.api(api)?.integration(id)?),
            Request::GetIntegrations { api, page } => list(
                env,
                page,
                self.api(api)?
                    .integrations
                    .values()
                    .map(|item| (item.birth, item)),
            ),
            Request::UpdateIntegration { api, id, input } => {
                self.api_mut(api)?.update_integration(env, id, input)
            }
            Request::DeleteIntegration { api, id } => self.api_mut(api)?.delete_integration(env, id),
            Request::CreateRoute { api, input } => self.api_mut(api)?.create_route(env, input),
            Request::GetRoute { api, id } => json(self.api(api)?.route(id)?),
            Request::GetRoutes { api, page } => list(
                env,
                page,
                self.api(api)?.routes.values().map(|item| (item.birth, item)),
            ),
            Request::UpdateRoute { api, id, input } => self.api_mut(api)?.update_route(env, id, input),
            Request::DeleteRoute { api, id } => self.api_mut(api)?.delete_route(env, id),
            Request::CreateStage { api, input } => self.api_mut(api)?.create_stage(env, input),
            Request::GetStage { api, name } => json(self.api(api)?.stage(name)?),
            Request::GetStages { api, page } => list(
                env,
                page,
                self.api(api)?.stages.values().map(|item| (item.birth, item)),
            ),
            Request::UpdateStage { api, name, input } => self.api_mut(api)?.update_stage(env, name, input),
            Request::DeleteStage { api, name } => {
                let removed = self.api_mut(api)?.stages.remove(name);
                removed
                    .map(|_| Value::Null)
                    .ok_or_else(|| not_found("Stage", name))
            }
            Request::DeleteAccessLogSettings { api, name } => {
                self.api_mut(api)?.stage_mut(name)?.access_log_settings = None;
                Ok(Value::Null)
            }
            Request::DeleteRouteSettings { api, name, key } => {
                let removed = self.api_mut(api)?.stage_mut(name)?.route_settings.remove(key);
                removed
                    .map(|_| Value::Null)
                    .ok_or_else(|| not_found("RouteSettings", key))
            }
            Request::TagResource { arn, tags } => self.tag(env, arn, tags).map(|()| json!({})),
            Request::UntagResource { arn, keys } => self.untag(env, arn, keys).map(|()| Value::Null),
            Request::GetTags { arn } => self.read_tags(env, arn).map(|tags| json!({ "tags": tags })),
        }
    }

    /// Lets automatic deployments take effect.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for api in self.apis.values_mut() {
            api.settle(now);
        }
    }

    fn create_api(&mut self, env: &mut Env, input: &ApiInput) -> Answer {
        let api = Api::create(env, self.apis.len(), input)?;
        let answer = json(&api);
        self.apis.insert(api.api_id.clone(), api);
        answer
    }

    fn api(&self, id: &str) -> Result<&Api, Refusal> {
        self.apis.get(id).ok_or_else(|| not_found("API", id))
    }

    fn api_mut(&mut self, id: &str) -> Result<&mut Api, Refusal> {
        self.apis.get_mut(id).ok_or_else(|| not_found("API", id))
    }
}

impl Api {
    fn authorizer(&self, id: &str) -> Result<&Authorizer, Refusal> {
        self.authorizers
            .get(id)
            .ok_or_else(|| not_found("Authorizer", id))
    }

    fn integration(&self, id: &str) -> Result<&Integration, Refusal> {
        self.integrations
            .get(id)
            .ok_or_else(|| not_found("Integration", id))
    }

    fn route(&self, id: &str) -> Result<&Route, Refusal> {
        self.routes.get(id).ok_or_else(|| not_found("Route", id))
    }

    fn stage(&self, name: &str) -> Result<&Stage, Refusal> {
        self.stages.get(name).ok_or_else(|| not_found("Stage", name))
    }

    fn stage_mut(&mut self, name: &str) -> Result<&mut Stage, Refusal> {
        self.stages.get_mut(name).ok_or_else(|| not_found("Stage", name))
    }

    fn create_authorizer(&mut self, env: &mut Env, input: &AuthorizerInput) -> Answer {
        let (quotas, full) = (&env.settings.quotas, env.settings.full_quota);
        room_for_one_more(
            "authorizers per API",
            self.authorizers.len(),
            quotas.authorizers,
            full,
        )?;
        let authorizer = Authorizer::create(env, input)?;
        if env.settings.authorizer_names_unique {
            check_name_is_free(self.authorizers.values(), &authorizer.name)?;
        }
        let answer = json(&authorizer);
        self.authorizers
            .insert(authorizer.authorizer_id.clone(), authorizer);
        self.deploy_automatically(env);
        answer
    }

    fn update_authorizer(&mut self, env: &mut Env, id: &str, input: &AuthorizerInput) -> Answer {
        let authorizer = self.authorizer(id)?.updated(env, input)?;
        if env.settings.authorizer_names_unique {
            let others = self
                .authorizers
                .values()
                .filter(|other| other.authorizer_id != id);
            check_name_is_free(others, &authorizer.name)?;
        }
        let answer = json(&authorizer);
        self.authorizers.insert(id.to_owned(), authorizer);
        self.deploy_automatically(env);
        answer
    }

    /// O.
    fn delete_authorizer(&mut self, env: &mut Env, id: &str) -> Answer {
        let name = self.authorizer(id)?.name.clone();
        let users = self.routes_where(|route| route.authorizer_id.as_deref() == Some(id));
        if !users.is_empty() {
            let keys: Vec<&str> = users.iter().map(|route| route.route_key.as_str()).collect();
            let text = format!(
                "Cannot delete authorizer '{name}', is referenced in route: {}",
                keys.join(", ")
            );
            return Err(in_use(env, text));
        }
        self.authorizers.remove(id);
        self.deploy_automatically(env);
        Ok(Value::Null)
    }

    fn create_integration(&mut self, env: &mut Env, input: &IntegrationInput) -> Answer {
        let (quotas, full) = (&env.settings.quotas, env.settings.full_quota);
        room_for_one_more(
            "integrations per API",
            self.integrations.len(),
            quotas.integrations,
            full,
        )?;
        let integration = Integration::create(env, input)?;
        let answer = json(&integration);
        self.integrations
            .insert(integration.integration_id.clone(), integration);
        self.deploy_automatically(env);
        answer
    }

    fn update_integration(&mut self, env: &mut Env, id: &str, input: &IntegrationInput) -> Answer {
        let integration = self.integration(id)?.updated(env.settings, input)?;
        let answer = json(&integration);
        self.integrations.insert(id.to_owned(), integration);
        self.deploy_automatically(env);
        answer
    }

    /// O.
    fn delete_integration(&mut self, env: &mut Env, id: &str) -> Answer {
        self.integration(id)?;
        let users = self.routes_where(|route| route.integration_id() == Some(id));
        if !users.is_empty() {
            let ids: Vec<&str> = users.iter().map(|route| route.route_id.as_str()).collect();
            let ids = ids.join(", ");
            let text = format!(
                "Cannot delete Integration because it is referenced by the following Routes with Ids: [{ids}]"
            );
            return Err(in_use(env, text));
        }
        self.integrations.remove(id);
        self.deploy_automatically(env);
        Ok(Value::Null)
    }

    fn create_route(&mut self, env: &mut Env, input: &RouteInput) -> Answer {
        let (quotas, full) = (&env.settings.quotas, env.settings.full_quota);
        room_for_one_more("routes per API", self.routes.len(), quotas.routes, full)?;
        let route = Route::create(env, self, input)?;
        let answer = json(&route);
        self.routes.insert(route.route_id.clone(), route);
        self.deploy_automatically(env);
        answer
    }

    fn update_route(&mut self, env: &mut Env, id: &str, input: &RouteInput) -> Answer {
        let route = self.route(id)?.updated(env.settings, self, input)?;
        let answer = json(&route);
        self.routes.insert(id.to_owned(), route);
        self.deploy_automatically(env);
        answer
    }

    /// Settings that a stage has for the route's key stay behind (I).
    fn delete_route(&mut self, env: &mut Env, id: &str) -> Answer {
        self.routes.remove(id).ok_or_else(|| not_found("Route", id))?;
        self.deploy_automatically(env);
        Ok(Value::Null)
    }

    fn create_stage(&mut self, env: &mut Env, input: &StageInput) -> Answer {
        let (quotas, full) = (&env.settings.quotas, env.settings.full_quota);
        room_for_one_more("stages per API", self.stages.len(), quotas.stages, full)?;
        let stage = Stage::create(env, self, input)?;
        let name = stage.stage_name.clone();
        if self.stages.contains_key(&name) {
            return Err(conflict("Stage already exists"));
        }
        self.stages.insert(name.clone(), stage);
        self.deploy_stage(env, &name);
        json(self.stage(&name)?)
    }

    fn update_stage(&mut self, env: &mut Env, name: &str, input: &StageInput) -> Answer {
        if input.stage_name.as_deref().is_some_and(|given| given != name) {
            return Err(bad_request("A stage's name cannot be changed"));
        }
        let present = self.stage(name)?;
        let stage = present.updated(env, self, input)?;
        let switched_on = stage.auto_deploy && !present.auto_deploy;
        self.stages.insert(name.to_owned(), stage);
        if switched_on {
            self.deploy_stage(env, name);
        }
        json(self.stage(name)?)
    }

    fn routes_where(&self, holds: impl Fn(&Route) -> bool) -> Vec<&Route> {
        let mut routes: Vec<&Route> = self.routes.values().filter(|route| holds(route)).collect();
        routes.sort_by_key(|route| route.birth.order);
        routes
    }

    /// Everything about the API in one value.
    pub(crate) fn state(&self) -> Answer {
        let mut state = json(self)?;
        if let Value::Object(members) = &mut state {
            members.insert(
                "authorizers".into(),
                json(self.authorizers.values().collect::<Vec<_>>())?,
            );
            members.insert(
                "integrations".into(),
                json(self.integrations.values().collect::<Vec<_>>())?,
            );
            members.insert("routes".into(), json(self.routes.values().collect::<Vec<_>>())?);
            members.insert("stages".into(), json(self.stages.values().collect::<Vec<_>>())?);
        }
        Ok(state)
    }
}

fn in_use(env: &Env, text: String) -> Refusal {
    match env.settings.delete_in_use_status {
        InUseStatus::Conflict => conflict(text),
        InUseStatus::BadRequest => bad_request(text),
    }
}

fn list<T: Serialize>(env: &Env, request: &PageRequest, items: impl Iterator<Item = (Birth, T)>) -> Answer {
    let page = page(env.settings, env.seed, env.now, request, items)
        .map_err(|_| bad_request("Invalid NextToken specified"))?;
    let mut answer = json!({ "items": json(page.items)? });
    if let (Some(next), Value::Object(members)) = (page.next, &mut answer) {
        members.insert("nextToken".into(), next.into());
    }
    Ok(answer)
}
