//! APIs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    authorizer::Authorizer,
    cors::{self, CorsInput},
    integration::Integration,
    refusal::{bad_request, check_tags, clearable, length, required},
    route::Route,
    stage::Stage,
};
use crate::model::{
    Env, deployment::CorsConfiguration, error::Refusal, paging::Birth, quota::room_for_one_more,
    time::Timestamp,
};

/// An API with everything that `DeleteApi` takes along (O).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Api {
    pub(crate) api_id: String,
    pub(crate) api_endpoint: String,
    api_key_selection_expression: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cors_configuration: Option<CorsConfiguration>,
    created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pub(crate) disable_execute_api_endpoint: bool,
    ip_address_type: String,
    name: String,
    protocol_type: &'static str,
    route_selection_expression: &'static str,
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip)]
    pub(crate) birth: Birth,
    #[serde(skip)]
    pub(crate) authorizers: BTreeMap<String, Authorizer>,
    #[serde(skip)]
    pub(crate) integrations: BTreeMap<String, Integration>,
    #[serde(skip)]
    pub(crate) routes: BTreeMap<String, Route>,
    #[serde(skip)]
    pub(crate) stages: BTreeMap<String, Stage>,
}

/// The members of `CreateApi` and `UpdateApi`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiInput {
    pub(crate) name: Option<String>,
    protocol_type: Option<String>,
    description: Option<String>,
    version: Option<String>,
    cors_configuration: Option<CorsInput>,
    disable_execute_api_endpoint: Option<bool>,
    ip_address_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    target: Option<String>,
    route_key: Option<String>,
    credentials_arn: Option<String>,
}

impl ApiInput {
    pub(crate) fn has_tags(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| !tags.is_empty())
    }
}

impl Api {
    pub(crate) fn create(env: &mut Env, present: usize, input: &ApiInput) -> Result<Self, Refusal> {
        let name = required("Name", input.name.as_ref())?;
        match required("ProtocolType", input.protocol_type.as_ref())?.as_str() {
            "HTTP" => {}
            "WEBSOCKET" => return Err(Refusal::not_modelled("WebSocket APIs")),
            other => return Err(bad_request(format!("Invalid protocol type {other}"))),
        }
        let tags = input.tags.clone().unwrap_or_default();
        check_tags(&tags, &env.settings.quotas)?;
        room_for_one_more("APIs", present, env.settings.quotas.apis, env.settings.full_quota)?;
        let api_id = env.ids.lower(10);
        let mut api = Self {
            api_endpoint: env.api_endpoint(&api_id),
            api_id,
            api_key_selection_expression: "$request.header.x-api-key",
            cors_configuration: None,
            created_date: env.now,
            description: None,
            disable_execute_api_endpoint: false,
            ip_address_type: "ipv4".into(),
            name,
            protocol_type: "HTTP",
            route_selection_expression: "$request.method $request.path",
            tags,
            version: None,
            birth: env.birth(),
            authorizers: BTreeMap::new(),
            integrations: BTreeMap::new(),
            routes: BTreeMap::new(),
            stages: BTreeMap::new(),
        };
        api.merge(input)?;
        Ok(api)
    }

    pub(crate) fn updated(&self, input: &ApiInput) -> Result<Self, Refusal> {
        let mut api = self.clone();
        api.merge(input)?;
        Ok(api)
    }

    /// Description and version are cleared by `""`, the boolean and the address type are written plainly, and CORS
    /// is never cleared here (O).
    fn merge(&mut self, input: &ApiInput) -> Result<(), Refusal> {
        if input.target.is_some() || input.route_key.is_some() || input.credentials_arn.is_some() {
            return Err(Refusal::not_modelled(
                "quick create (target, routeKey, credentialsArn of an API)",
            ));
        }
        if let Some(name) = &input.name {
            length("Name", name, 1..=128)?;
            self.name.clone_from(name);
        }
        if let Some(description) = &input.description {
            length("Description", description, 0..=1024)?;
        }
        clearable(&mut self.description, input.description.as_ref());
        if let Some(version) = &input.version {
            length("Version", version, 0..=64)?;
        }
        clearable(&mut self.version, input.version.as_ref());
        if let Some(disabled) = input.disable_execute_api_endpoint {
            self.disable_execute_api_endpoint = disabled;
        }
        if let Some(kind) = &input.ip_address_type {
            if !matches!(kind.as_str(), "ipv4" | "dualstack") {
                return Err(bad_request(format!("Invalid IpAddressType {kind}")));
            }
            self.ip_address_type.clone_from(kind);
        }
        if let Some(given) = &input.cors_configuration {
            self.cors_configuration = cors::merged(self.cors_configuration.as_ref(), given)?;
        }
        Ok(())
    }
}
