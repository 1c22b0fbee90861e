//! Resource quotas as data.

use serde::{Deserialize, Serialize};

use super::error::Refusal;
use super::settings::FullQuota;

/// How many of everything there may be (D unless said).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// APIs per account and Region (given for Regional APIs; that HTTP APIs share it is I).
    pub apis: usize,
    /// Routes per API.
    pub routes: usize,
    /// Integrations per API.
    pub integrations: usize,
    /// Authorizers per API.
    pub authorizers: usize,
    /// Audiences per authorizer.
    pub audiences: usize,
    /// Scopes per route.
    pub scopes: usize,
    /// Stages per API.
    pub stages: usize,
    /// Stage variables per stage.
    pub stage_variables: usize,
    /// Tags per resource.
    pub tags: usize,
    /// Roles per account.
    pub roles: usize,
    /// Characters of a role's inline policies in sum, white space not counted.
    pub inline_policy_characters: usize,
    /// Characters of a trust policy, white space not counted.
    pub trust_policy_characters: usize,
    /// Bytes of a function's resource policy.
    pub function_policy_bytes: usize,
    /// Bytes of a function's environment variables, as JSON (4 KB, D; how they are measured O).
    pub function_environment_bytes: usize,
    /// Bytes of a function's archive when it is sent inline (D).
    pub function_zip_bytes: usize,
    /// Log groups per account and Region (service model, D).
    pub log_groups: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            apis: 600,
            routes: 300,
            integrations: 300,
            authorizers: 10,
            audiences: 50,
            scopes: 10,
            stages: 10,
            stage_variables: 100,
            tags: 50,
            roles: 1000,
            inline_policy_characters: 10_240,
            trust_policy_characters: 2048,
            function_policy_bytes: 20_480,
            function_environment_bytes: 4096,
            function_zip_bytes: 50 * 1024 * 1024,
            log_groups: 1_000_000,
        }
    }
}

/// Refuses when `present` things of API Gateway fill the quota. How AWS says so is not confirmed; the words
/// are those of reports about authorizers and integrations (O).
pub(crate) fn room_for_one_more(
    what: &str,
    present: usize,
    quota: usize,
    full: FullQuota,
) -> Result<(), Refusal> {
    if present < quota {
        return Ok(());
    }
    let (things, place) = what.split_once(" per ").unwrap_or((what, "account"));
    let message = format!(
        "Maximum number of {things} for this {place} has been reached. Please contact AWS if you need additional {things}."
    );
    Err(match full {
        FullQuota::Conflict => Refusal::new(429, "ConflictException", message),
        FullQuota::TooManyRequests => {
            Refusal::new(429, "TooManyRequestsException", message).with("limitType", format!("Max {what}"))
        }
        FullQuota::BadRequest => Refusal::new(400, "BadRequestException", message),
    })
}
