//! The switches: everything about AWS that is not confirmed, and everything that a test wants to vary.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{error::InUseStatus, quota::Quotas, throttle::RateLimit};

/// In which order lists come. AWS guarantees none (O).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// Oldest first.
    #[default]
    Creation,
    /// Newest first.
    Reversed,
    /// By a hash of the seed and the identifier: arbitrary, and the same every time.
    Shuffled,
}

/// How API Gateway says that a quota is full (not confirmed; the first is what reports of others show, O).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FullQuota {
    /// 429, by the code of a conflict.
    #[default]
    Conflict,
    /// 429, by the code of a throttle.
    TooManyRequests,
    /// 400.
    BadRequest,
}

/// What the owner of an access key may do. A pattern may hold `*`, and is held against the IAM action
/// (`lambda:GetPolicy`, `apigateway:POST`) and against `<service>:<operation>` (`apigateway:CreateApi`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Principal {
    /// The user's name in messages and in `GetCallerIdentity`.
    pub name: String,
    /// Nothing else is allowed.
    pub allow: Vec<String>,
    /// Refused even if allowed.
    pub deny: Vec<String>,
    /// An identity policy, evaluated as IAM does, resources and conditions included: what it does not allow is refused,
    /// whatever `allow` says.
    pub policy: Option<Value>,
}

impl Default for Principal {
    fn default() -> Self {
        Self {
            name: "sandbox".into(),
            allow: vec!["*".into()],
            deny: Vec::new(),
            policy: None,
        }
    }
}

/// All switches. Each is what the documents say, or the likelier of two behaviours, unless it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by its name"
)]
pub struct Settings {
    /// Milliseconds for which lists lack something new. Reads by id see it at once (I).
    pub list_lag_ms: u64,
    /// Milliseconds for which reads of roles and of functions' policies show what was before a change: IAM is consistent
    /// eventually (D), and other tools read again what Lambda does not show of a policy yet (O). Writes know at once.
    pub read_lag_ms: u64,
    /// Milliseconds until a role, its trust or its policies take effect (D).
    pub iam_delay_ms: u64,
    /// Milliseconds until a stage with `autoDeploy` serves a change (O: seconds).
    pub deploy_delay_ms: u64,
    /// Milliseconds for which a new function is `Pending`, and an update of one `InProgress` (D).
    pub function_delay_ms: u64,
    /// Milliseconds that every call takes, half of them before it is carried out.
    pub latency_ms: u64,
    /// Items per page at most, and when the caller names no number. AWS's default is not documented.
    pub page_size: usize,
    /// The order of lists but those that AWS sorts.
    pub list_order: ListOrder,
    /// Whether an API refuses a second authorizer of the same name (not confirmed).
    pub authorizer_names_unique: bool,
    /// Whether a route keeps its `authorizerId` when its `authorizationType` becomes `NONE`.
    pub keep_authorizer_id_on_none: bool,
    /// Whether a route that still has scopes is refused `NONE`; else it loses them (not confirmed).
    pub refuse_none_with_scopes: bool,
    /// The status of deleting an integration or authorizer in use (O: 409, by one account 400).
    pub delete_in_use_status: InUseStatus,
    /// Whether a change of `disableExecuteApiEndpoint` or CORS mints a deployment, with which the former takes effect (D: it wants
    /// one; of CORS nothing is documented, and it takes effect at once). If not, the former takes effect at once, too.
    pub api_settings_deploy: bool,
    /// How API Gateway says that a quota is full.
    pub full_quota: FullQuota,
    /// Whether `UpdateAuthorizer` fetches the issuer again (presumed, not confirmed).
    pub revalidate_issuer_on_update: bool,
    /// Whether an issuer is refused whose discovery document names another one (O for the import path only).
    pub issuer_must_match_document: bool,
    /// Whether `credentialsArn: ""` takes an integration's role away; else it is ignored (not confirmed).
    pub credentials_arn_empty_clears: bool,
    /// Whether a stage's name may hold hyphens (reports disagree).
    pub stage_name_hyphens: bool,
    /// Whether the request `/x/` matches the route `/x` (reports disagree).
    pub trailing_slash_matches: bool,
    /// Seconds for which an issuer's keys are kept. AWS keeps them for up to two hours (D).
    pub jwks_cache_seconds: u64,
    /// Runtimes that functions can no longer be given (the dates of `nodejs20.x` differ between copies of the
    /// document; those of the older ones I).
    pub blocked_runtimes: BTreeSet<String>,
    /// Whether `Environment` without `Variables` clears a function's environment; else it is ignored (not confirmed).
    pub environment_without_variables_clears: bool,
    /// Whether `UpdateFunctionCode` without `Architectures` goes back to `x86_64`, the default that the service model
    /// names; else the architecture stays (not confirmed).
    pub update_code_resets_architecture: bool,
    /// Whether Lambda refuses a function whose role it cannot assume (O).
    pub function_role_must_be_assumable: bool,
    /// Whether two writes to one API at the same time give the second a 409 (O).
    pub concurrent_modification: bool,
    /// Requests a second by service (`apigateway`, `lambda`, `iam`, `sts`, `logs`). AWS has 10 with a burst of 40 for the
    /// first (D); nothing is limited unless set.
    pub rate_limits: BTreeMap<String, RateLimit>,
    /// Resource quotas.
    pub quotas: Quotas,
    /// What access keys may do, and sessions by the ARN of their role; who is not here may do everything.
    pub principals: BTreeMap<String, Principal>,
    /// Access keys that are answered 403 `ExpiredTokenException`.
    pub expired_keys: BTreeSet<String>,
    /// Access keys that are answered 403 `UnrecognizedClientException`.
    pub invalid_keys: BTreeSet<String>,
    /// Whether a signature is good for five minutes only; off, since a sandbox's clock need not be its callers' (D).
    pub signatures_expire: bool,
    /// `apiEndpoint`, with `{api}` and `{region}` filled in; AWS's own form when absent.
    pub api_endpoint: Option<String>,
}

/// What was deprecated so long ago that nothing can be made of it any more.
const BLOCKED_RUNTIMES: [&str; 24] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "java8",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "ruby2.5",
    "ruby2.7",
    "go1.x",
    "provided",
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            list_lag_ms: 0,
            read_lag_ms: 0,
            iam_delay_ms: 0,
            deploy_delay_ms: 0,
            function_delay_ms: 0,
            latency_ms: 0,
            page_size: 25,
            list_order: ListOrder::Creation,
            authorizer_names_unique: true,
            keep_authorizer_id_on_none: false,
            refuse_none_with_scopes: false,
            delete_in_use_status: InUseStatus::Conflict,
            api_settings_deploy: true,
            full_quota: FullQuota::default(),
            revalidate_issuer_on_update: true,
            issuer_must_match_document: false,
            credentials_arn_empty_clears: true,
            stage_name_hyphens: true,
            trailing_slash_matches: false,
            jwks_cache_seconds: 0,
            blocked_runtimes: BLOCKED_RUNTIMES.map(str::to_owned).into(),
            environment_without_variables_clears: false,
            update_code_resets_architecture: false,
            function_role_must_be_assumable: true,
            concurrent_modification: false,
            rate_limits: BTreeMap::new(),
            quotas: Quotas::default(),
            principals: BTreeMap::new(),
            expired_keys: BTreeSet::new(),
            invalid_keys: BTreeSet::new(),
            signatures_expire: false,
            api_endpoint: None,
        }
    }
}

/// Settings that cannot be read.
#[derive(Debug, Error)]
#[error("settings: {0}")]
pub struct SettingsError(#[from] serde_json::Error);

impl Settings {
    /// Applies a JSON merge patch: what it does not name stays, `null` goes back to the default.
    ///
    /// # Errors
    /// When the patch names a switch that does not exist, or gives one a value of the wrong kind.
    pub fn patched(&self, patch: &Value) -> Result<Self, SettingsError> {
        let mut merged = serde_json::to_value(self)?;
        merge(&mut merged, patch);
        Ok(serde_json::from_value(merged)?)
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(members) = target {
        for (name, change) in changes {
            if change.is_null() {
                members.remove(name);
            } else {
                merge(members.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_null_restores_the_default() {
        let patched = Settings::default()
            .patched(&json!({"page_size": 2, "quotas": {"routes": 3}}))
            .unwrap();
        assert_eq!(
            (patched.page_size, patched.quotas.routes, patched.quotas.apis),
            (2, 3, 600)
        );
        let restored = patched
            .patched(&json!({"page_size": null, "quotas": {"routes": null}}))
            .unwrap();
        assert_eq!(restored, Settings::default());
    }

    #[test]
    fn a_switch_that_does_not_exist_is_refused() {
        assert!(Settings::default().patched(&json!({"page_sise": 2})).is_err());
        assert!(
            Settings::default()
                .patched(&json!({"delete_in_use_status": 404}))
                .is_err()
        );
    }
}
