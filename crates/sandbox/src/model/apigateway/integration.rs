//! Integrations with Lambda functions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refusal::{bad_request, clearable, length, merge_strings, required};
use crate::model::{Env, arn, error::Refusal, paging::Birth, settings::Settings};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration {
    connection_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credentials_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pub(crate) integration_id: String,
    integration_method: &'static str,
    integration_type: &'static str,
    pub(crate) integration_uri: String,
    pub(crate) payload_format_version: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_parameters: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) timeout_in_millis: u64,
    #[serde(skip)]
    pub(crate) birth: Birth,
}

/// The members of `CreateIntegration` and `UpdateIntegration`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationInput {
    connection_id: Option<String>,
    connection_type: Option<String>,
    credentials_arn: Option<String>,
    description: Option<String>,
    integration_method: Option<String>,
    integration_subtype: Option<String>,
    integration_type: Option<String>,
    pub(crate) integration_uri: Option<String>,
    payload_format_version: Option<String>,
    request_parameters: Option<BTreeMap<String, String>>,
    response_parameters: Option<BTreeMap<String, BTreeMap<String, String>>>,
    timeout_in_millis: Option<i64>,
}

impl IntegrationInput {
    /// The role that it is given.
    pub(crate) fn role(&self) -> Option<&str> {
        self.credentials_arn.as_deref().filter(|arn| !arn.is_empty())
    }
}

impl Integration {
    /// Neither the function nor the role has to exist or to be allowed: AWS accepts, and calls fail (D).
    pub(crate) fn create(env: &mut Env, input: &IntegrationInput) -> Result<Self, Refusal> {
        required("IntegrationType", input.integration_type.as_ref())?;
        check_kind(input)?;
        let mut integration = Self {
            connection_type: "INTERNET",
            credentials_arn: None,
            description: None,
            integration_id: env.ids.lower(7),
            integration_method: "POST",
            integration_type: "AWS_PROXY",
            integration_uri: required("IntegrationUri", input.integration_uri.as_ref())?,
            // O: what is left out becomes 1.0, though the model text calls it required.
            payload_format_version: "1.0".into(),
            request_parameters: BTreeMap::new(),
            response_parameters: BTreeMap::new(),
            timeout_in_millis: 30_000,
            birth: env.birth(),
        };
        integration.merge(env.settings, input)?;
        Ok(integration)
    }

    pub(crate) fn updated(&self, settings: &Settings, input: &IntegrationInput) -> Result<Self, Refusal> {
        check_kind(input)?;
        let mut integration = self.clone();
        integration.merge(settings, input)?;
        Ok(integration)
    }

    fn merge(&mut self, settings: &Settings, input: &IntegrationInput) -> Result<(), Refusal> {
        if let Some(uri) = &input.integration_uri {
            length("IntegrationUri", uri, 1..=2048)?;
            if !arn::is_lambda_uri(uri) {
                return Err(bad_request("Invalid integration URI specified"));
            }
            self.integration_uri.clone_from(uri);
        }
        if let Some(description) = &input.description {
            length("Description", description, 0..=1024)?;
        }
        clearable(&mut self.description, input.description.as_ref());
        if let Some(version) = &input.payload_format_version {
            if !matches!(version.as_str(), "1.0" | "2.0") {
                return Err(bad_request(format!("Unsupported PayloadFormatVersion {version}")));
            }
            self.payload_format_version.clone_from(version);
        }
        if let Some(millis) = input.timeout_in_millis {
            self.timeout_in_millis = u64::try_from(millis)
                .ok()
                .filter(|millis| (50..=30_000).contains(millis))
                .ok_or_else(|| bad_request("Timeout should be between 50 ms and 30000 ms"))?;
        }
        match input.credentials_arn.as_deref() {
            // I: that it clears is probable, not confirmed.
            Some("") if settings.credentials_arn_empty_clears => self.credentials_arn = None,
            None | Some("") => {}
            Some(role) if arn::is_role_or_user(role) => self.credentials_arn = Some(role.to_owned()),
            Some(_) => {
                return Err(bad_request(
                    "Invalid ARN specified in the request: CredentialsArn",
                ));
            }
        }
        merge_strings(&mut self.request_parameters, input.request_parameters.as_ref());
        // O: a status code is dropped with an empty map.
        for (status, parameters) in input.response_parameters.iter().flatten() {
            if parameters.is_empty() {
                self.response_parameters.remove(status);
            } else {
                self.response_parameters
                    .insert(status.clone(), parameters.clone());
            }
        }
        Ok(())
    }
}

fn check_kind(input: &IntegrationInput) -> Result<(), Refusal> {
    match input.integration_type.as_deref() {
        None | Some("AWS_PROXY") => {}
        Some("HTTP_PROXY") => return Err(Refusal::not_modelled("integrations of the type HTTP_PROXY")),
        Some(other) => {
            let text = format!("Integration type {other} is not supported for APIs with protocol type HTTP");
            return Err(bad_request(text));
        }
    }
    if input.integration_subtype.is_some() {
        return Err(Refusal::not_modelled("integrations with AWS services"));
    }
    match (input.connection_type.as_deref(), &input.connection_id) {
        (None | Some("INTERNET"), _) => {}
        (Some("VPC_LINK"), None) => {
            return Err(bad_request(
                "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK",
            ));
        }
        (Some("VPC_LINK"), Some(_)) => return Err(Refusal::not_modelled("VPC links")),
        (Some(other), _) => return Err(bad_request(format!("Invalid ConnectionType {other}"))),
    }
    match input.integration_method.as_deref() {
        None | Some("POST" | "ANY") => Ok(()),
        // I: Lambda's invocation is a POST whatever is said; anything else is refused to be strict.
        Some(other) => Err(bad_request(format!(
            "IntegrationMethod {other} is not valid for Lambda functions"
        ))),
    }
}
