//! Stages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    api::Api,
    refusal::{bad_request, check_tags, length, merge_strings, required},
};
use crate::model::{
    Env, deployment::DeployedRoute, error::Refusal, paging::Birth, quota::Quotas, time::Timestamp,
};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_log_settings: Option<AccessLogSettings>,
    pub(crate) auto_deploy: bool,
    created_date: Timestamp,
    default_route_settings: RouteSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deployment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_deployment_status_message: Option<String>,
    pub(crate) last_updated_date: Timestamp,
    pub(crate) route_settings: BTreeMap<String, RouteSettings>,
    pub(crate) stage_name: String,
    stage_variables: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) birth: Birth,
    /// What the data plane serves.
    #[serde(skip)]
    pub(crate) live: Snapshot,
    /// Automatic deployments on their way, oldest first.
    #[serde(skip)]
    pub(crate) pending: Vec<PendingDeployment>,
}

/// A snapshot that takes effect later.
#[derive(Clone, Debug)]
pub(crate) struct PendingDeployment {
    pub(crate) ready_at: Timestamp,
    pub(crate) id: String,
    /// What it is of, or why it cannot be deployed.
    pub(crate) snapshot: Result<Snapshot, String>,
}

/// What of an API is served once it is deployed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) routes: Vec<DeployedRoute>,
    pub(crate) disabled: bool,
}

/// Throttling of a route. A limit of 0 refuses everything, so an absent one is never written as 0 (O).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteSettings {
    detailed_metrics_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttling_burst_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttling_rate_limit: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessLogSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
}

/// The members of `CreateStage` and `UpdateStage`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageInput {
    access_log_settings: Option<AccessLogSettings>,
    auto_deploy: Option<bool>,
    default_route_settings: Option<RouteSettings>,
    deployment_id: Option<String>,
    description: Option<String>,
    route_settings: Option<BTreeMap<String, RouteSettings>>,
    pub(crate) stage_name: Option<String>,
    stage_variables: Option<BTreeMap<String, String>>,
    tags: Option<BTreeMap<String, String>>,
}

impl RouteSettings {
    /// Merges; nothing of it can be unset (O).
    fn merge(&mut self, given: &Self) -> Result<(), Refusal> {
        let negative = given.throttling_burst_limit.is_some_and(|limit| limit < 0)
            || given.throttling_rate_limit.is_some_and(|limit| limit < 0.0);
        if negative {
            return Err(bad_request("Throttling limits must not be negative"));
        }
        self.detailed_metrics_enabled = given.detailed_metrics_enabled.or(self.detailed_metrics_enabled);
        self.throttling_burst_limit = given.throttling_burst_limit.or(self.throttling_burst_limit);
        self.throttling_rate_limit = given.throttling_rate_limit.or(self.throttling_rate_limit);
        Ok(())
    }

    /// What is read back when nothing was set (O).
    fn unset() -> Self {
        Self {
            detailed_metrics_enabled: Some(false),
            ..Self::default()
        }
    }
}

impl Stage {
    pub(crate) fn create(env: &mut Env, api: &Api, input: &StageInput) -> Result<Self, Refusal> {
        let name = required("StageName", input.stage_name.as_ref())?;
        check_name(&name, env.settings.stage_name_hyphens)?;
        let tags = input.tags.clone().unwrap_or_default();
        check_tags(&tags, &env.settings.quotas)?;
        let mut stage = Self {
            access_log_settings: None,
            auto_deploy: false,
            created_date: env.now,
            default_route_settings: RouteSettings::unset(),
            deployment_id: None,
            description: None,
            last_deployment_status_message: None,
            last_updated_date: env.now,
            route_settings: BTreeMap::new(),
            stage_name: name,
            stage_variables: BTreeMap::new(),
            tags,
            birth: env.birth(),
            live: Snapshot::default(),
            pending: Vec::new(),
        };
        stage.merge(api, &env.settings.quotas, input)?;
        Ok(stage)
    }

    pub(crate) fn updated(&self, env: &Env, api: &Api, input: &StageInput) -> Result<Self, Refusal> {
        let mut stage = self.clone();
        stage.merge(api, &env.settings.quotas, input)?;
        stage.last_updated_date = env.now;
        Ok(stage)
    }

    fn merge(&mut self, api: &Api, quotas: &Quotas, input: &StageInput) -> Result<(), Refusal> {
        self.auto_deploy = input.auto_deploy.unwrap_or(self.auto_deploy);
        if input.deployment_id.is_some() {
            // O: refused also when it is the id that was read back.
            return Err(if self.auto_deploy {
                bad_request("Deployment ID cannot be set on this stage because AutoDeploy is enabled")
            } else {
                Refusal::not_modelled("deployments that are made by hand")
            });
        }
        if let Some(description) = input.description.as_ref().filter(|text| !text.is_empty()) {
            // O: `""` is ignored, so a description cannot be cleared.
            length("Description", description, 1..=1024)?;
            self.description = Some(description.clone());
        }
        self.merge_variables(quotas, input)?;
        if let Some(given) = &input.default_route_settings {
            self.default_route_settings.merge(given)?;
        }
        for (key, given) in input.route_settings.iter().flatten() {
            // O: routes come before the settings that name them; several reports have a 404.
            if !api.routes.values().any(|route| route.route_key == *key) {
                let text = format!("Unable to find Route by key {key} within the provided RouteSettings");
                return Err(Refusal::new(404, "NotFoundException", text));
            }
            self.route_settings
                .entry(key.clone())
                .or_insert_with(RouteSettings::unset)
                .merge(given)?;
        }
        if let Some(given) = &input.access_log_settings {
            self.merge_access_log(given)?;
        }
        Ok(())
    }

    fn merge_variables(&mut self, quotas: &Quotas, input: &StageInput) -> Result<(), Refusal> {
        for (key, value) in input.stage_variables.iter().flatten() {
            length("A stage variable's name", key, 1..=64)?;
            length("A stage variable's value", value, 0..=512)?;
        }
        merge_strings(&mut self.stage_variables, input.stage_variables.as_ref());
        if self.stage_variables.len() > quotas.stage_variables {
            let most = quotas.stage_variables;
            return Err(bad_request(format!(
                "A stage can have at most {most} stage variables"
            )));
        }
        Ok(())
    }

    /// Empty settings clear nothing: only `DeleteAccessLogSettings` does (D/O).
    fn merge_access_log(&mut self, given: &AccessLogSettings) -> Result<(), Refusal> {
        if given.destination_arn.is_none() && given.format.is_none() {
            return Ok(());
        }
        let mut settings = self.access_log_settings.clone().unwrap_or_default();
        settings.destination_arn = given.destination_arn.clone().or(settings.destination_arn);
        settings.format = given.format.clone().or(settings.format);
        let identified = |format: &str| {
            ["$context.requestId", "$context.extendedRequestId"]
                .iter()
                .any(|variable| format.contains(variable))
        };
        // O.
        if !settings.format.as_deref().is_some_and(identified) {
            return Err(bad_request(
                "Access log format must contain $context.requestId or $context.extendedRequestId",
            ));
        }
        if !settings
            .destination_arn
            .as_deref()
            .is_some_and(|destination| destination.contains(":logs:"))
        {
            return Err(bad_request(
                "Access log destination must be a CloudWatch Logs group",
            ));
        }
        self.access_log_settings = Some(settings);
        Ok(())
    }
}

/// `$default`, or letters, digits and underscores (D; the text O); hyphens are disputed.
fn check_name(name: &str, hyphens: bool) -> Result<(), Refusal> {
    length("StageName", name, 1..=128)?;
    if name == "$default"
        || name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || (hyphens && c == '-'))
    {
        return Ok(());
    }
    Err(bad_request("Stage name only allows a-zA-Z0-9_"))
}
