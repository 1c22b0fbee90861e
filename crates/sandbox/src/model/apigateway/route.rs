//! Routes.

use serde::{Deserialize, Serialize};

use super::{
    api::Api,
    refusal::{bad_request, clearable, conflict, length, required},
    route_key,
};
use crate::model::{Env, error::Refusal, paging::Birth, settings::Settings};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Route {
    api_key_required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorization_scopes: Vec<String>,
    pub(crate) authorization_type: AuthorizationType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation_name: Option<String>,
    pub(crate) route_id: String,
    pub(crate) route_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip)]
    pub(crate) birth: Birth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum AuthorizationType {
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "AWS_IAM")]
    AwsIam,
    #[serde(rename = "JWT")]
    Jwt,
}

/// The members of `CreateRoute` and `UpdateRoute`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteInput {
    api_key_required: Option<bool>,
    authorization_scopes: Option<Vec<String>>,
    authorization_type: Option<String>,
    authorizer_id: Option<String>,
    operation_name: Option<String>,
    pub(crate) route_key: Option<String>,
    target: Option<String>,
}

impl Route {
    pub(crate) fn create(env: &mut Env, api: &Api, input: &RouteInput) -> Result<Self, Refusal> {
        let mut route = Self {
            api_key_required: false,
            authorization_scopes: Vec::new(),
            authorization_type: AuthorizationType::None,
            authorizer_id: None,
            operation_name: None,
            route_id: env.ids.lower(7),
            route_key: required("RouteKey", input.route_key.as_ref())?,
            target: None,
            birth: env.birth(),
        };
        route.merge(env.settings, api, input)?;
        Ok(route)
    }

    pub(crate) fn updated(
        &self,
        settings: &Settings,
        api: &Api,
        input: &RouteInput,
    ) -> Result<Self, Refusal> {
        let mut route = self.clone();
        route.merge(settings, api, input)?;
        Ok(route)
    }

    /// The integration that the target names.
    pub(crate) fn integration_id(&self) -> Option<&str> {
        self.target
            .as_deref()
            .and_then(|target| target.strip_prefix("integrations/"))
    }

    fn merge(&mut self, settings: &Settings, api: &Api, input: &RouteInput) -> Result<(), Refusal> {
        if let Some(key) = &input.route_key {
            route_key::check(key)?;
            self.check_key_is_free(api, key)?;
            self.route_key.clone_from(key);
        }
        if input.api_key_required == Some(true) {
            return Err(bad_request(
                "ApiKeyRequired is not currently supported for HTTP APIs",
            ));
        }
        if let Some(name) = &input.operation_name {
            length("OperationName", name, 0..=64)?;
        }
        clearable(&mut self.operation_name, input.operation_name.as_ref());
        if let Some(target) = &input.target {
            check_target(api, target)?;
            self.target = Some(target.clone());
        }
        self.merge_authorization(settings, input)?;
        self.check_authorization(settings, api)
    }

    /// An absent type keeps the old one; `""` clears the authorizer's id and `[]` the scopes (O). Whether
    /// `NONE` alone drops id and scopes is not confirmed: two switches.
    fn merge_authorization(&mut self, settings: &Settings, input: &RouteInput) -> Result<(), Refusal> {
        clearable(&mut self.authorizer_id, input.authorizer_id.as_ref());
        if let Some(scopes) = &input.authorization_scopes {
            self.authorization_scopes.clone_from(scopes);
        }
        self.authorization_type = match input.authorization_type.as_deref() {
            None => self.authorization_type,
            Some("NONE") => AuthorizationType::None,
            Some("AWS_IAM") => AuthorizationType::AwsIam,
            Some("JWT") => AuthorizationType::Jwt,
            Some("CUSTOM") => return Err(Refusal::not_modelled("Lambda authorizers")),
            Some(other) => return Err(bad_request(format!("Invalid AuthorizationType {other}"))),
        };
        if self.authorization_type != AuthorizationType::Jwt {
            if !settings.keep_authorizer_id_on_none {
                self.authorizer_id = None;
            }
            if input.authorization_scopes.is_none() && !settings.refuse_none_with_scopes {
                self.authorization_scopes.clear();
            }
        }
        Ok(())
    }

    /// Texts: O.
    fn check_authorization(&self, settings: &Settings, api: &Api) -> Result<(), Refusal> {
        let authorizer = self
            .authorizer_id
            .as_ref()
            .map(|id| api.authorizers.contains_key(id));
        match (self.authorization_type, authorizer) {
            (AuthorizationType::Jwt, Some(true)) => {}
            (AuthorizationType::Jwt, None | Some(false)) => {
                return Err(bad_request(
                    "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT \
                     authorizer.",
                ));
            }
            (AuthorizationType::None | AuthorizationType::AwsIam, Some(false)) => {
                return Err(bad_request("Invalid authorizer ID specified."));
            }
            (AuthorizationType::None | AuthorizationType::AwsIam, None | Some(true)) => {
                if !self.authorization_scopes.is_empty() {
                    return Err(bad_request(
                        "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type",
                    ));
                }
            }
        }
        if self.authorization_scopes.len() > settings.quotas.scopes {
            let most = settings.quotas.scopes;
            return Err(bad_request(format!(
                "A route can have at most {most} authorization scopes"
            )));
        }
        self.authorization_scopes
            .iter()
            .try_for_each(|scope| length("An authorization scope", scope, 1..=64))
    }

    /// O; that keys which differ in the names of parameters alone conflict, in these words, O (plutomi #271).
    fn check_key_is_free(&self, api: &Api, key: &str) -> Result<(), Refusal> {
        let others = || {
            api.routes
                .values()
                .filter(|other| other.route_id != self.route_id)
        };
        if others().any(|other| other.route_key == key) {
            return Err(conflict(format!(
                "Route with key {key} already exists for this API"
            )));
        }
        let shape = route_key::shape(key);
        match others().find(|other| route_key::shape(&other.route_key) == shape) {
            Some(Self { route_key: other, .. }) => Err(conflict(format!(
                "The provided route key \"{key}\" has a conflicting variable on the same hierarchical level as \"{other}\""
            ))),
            None => Ok(()),
        }
    }
}

/// O for the form; that the integration has to exist is I.
fn check_target(api: &Api, target: &str) -> Result<(), Refusal> {
    let id = target
        .strip_prefix("integrations/")
        .filter(|id| !id.is_empty() && target.len() <= 128);
    let id = id.ok_or_else(|| bad_request(format!("Unexpected or malformed target in route {target}")))?;
    if api.integrations.contains_key(id) {
        return Ok(());
    }
    Err(bad_request(format!(
        "Invalid Integration identifier specified in route target {target}"
    )))
}
