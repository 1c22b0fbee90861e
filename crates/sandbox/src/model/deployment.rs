//! What the data plane serves, and how it asks for it.
//!
//! A deployment is an immutable snapshot: what was written to routes, integrations and authorizers after it was
//! minted is not in it (O). An API's CORS configuration is not part of it and takes effect at once; whether its endpoint is switched off
//! is, unless the switch `api_settings_deploy` says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The routes of one API as a stage serves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The deployment id that `GetStage` shows.
    pub id: String,
    /// The API that the snapshot was taken of.
    pub api_id: String,
    /// Twelve digits: the account that owns the API.
    pub account: String,
    /// The Region that the API lives in.
    pub region: String,
    /// The first word of every ARN: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The stage's name; `$default` is served without a path prefix.
    pub stage: String,
    /// Every route, in the order of its creation.
    pub routes: Vec<DeployedRoute>,
    /// Whether the endpoint was disabled.
    pub disabled: bool,
}

/// One route of a [`Deployment`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployedRoute {
    /// The id that `GetRoutes` shows.
    pub route_id: String,
    /// `$default` or `<METHOD> /<path>`.
    pub route_key: String,
    /// Who may call the route.
    pub authorization: Authorization,
    /// What answers; none when the route has no target.
    pub integration: Option<DeployedIntegration>,
    /// Passed to access logs and to the integration.
    pub operation_name: Option<String>,
}

/// Who may call a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Authorization {
    /// Everyone.
    None,
    /// Signed callers whose IAM policies allow it.
    AwsIam,
    /// Whoever a Lambda authorizer lets through.
    Custom,
    /// Bearers of a token.
    Jwt {
        /// The authorizer's name.
        authorizer_name: String,
        /// Where the token is looked for: `$request.header.<Name>` or `$request.querystring.<name>`.
        identity_source: String,
        /// Compared byte for byte with the token's `iss`.
        issuer: String,
        /// One of them has to be in the token's `aud`, or to be its `client_id` when `aud` is absent.
        audience: Vec<String>,
        /// Any one of them suffices; none are asked for when empty.
        scopes: Vec<String>,
    },
}

/// The Lambda integration behind a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployedIntegration {
    /// The id that `GetIntegrations` shows.
    pub integration_id: String,
    /// As it was given: a function ARN or the long invocation form.
    pub uri: String,
    /// `1.0` or `2.0`.
    pub payload_format_version: String,
    /// Milliseconds, 50 to 30,000.
    pub timeout_millis: u64,
    /// The role to assume; none means that the function's resource policy decides.
    pub credentials_arn: Option<String>,
}

/// An API's answers to cross-origin requests. Header names are lower-cased as AWS returns them (O).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorsConfiguration {
    /// Origins, `*`, or `scheme://*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Methods, verbatim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Request headers, lower-cased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Response headers, lower-cased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Seconds, -1 to 86,400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// Whether credentials may be sent.
    #[serde(default)]
    pub allow_credentials: bool,
}

/// Whether a function can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FunctionState {
    /// Being created; an invocation is refused with 409 (D).
    Pending,
    /// Ready.
    Active,
}

/// A function, version or alias as an invocation finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionView {
    /// With the qualifier, when one was asked for.
    pub arn: String,
    /// Such as `nodejs24.x`.
    pub runtime: String,
    /// Such as `index.handler`.
    pub handler: String,
    /// The code as it was uploaded.
    #[serde(skip)]
    pub zip: Vec<u8>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Seconds, 1 to 900.
    pub timeout_seconds: u32,
    /// MiB, 128 to 10,240.
    pub memory_mib: u32,
    /// Whether it can be run.
    pub state: FunctionState,
}

/// A role as IAM's evaluation sees it at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleView {
    /// The role's ARN with its path.
    pub arn: String,
    /// The trust policy, parsed.
    pub trust: Value,
    /// Inline policies in the order of their names, parsed. Documents of attached managed policies are not known.
    pub policies: Vec<Value>,
    /// The permissions boundary's ARN.
    pub boundary: Option<String>,
}
