//! The status of a `JwtHttpApi`: what the operator knows, and what it is about to do.
//!
//! Ids in here are hints, verified by ownership before anything is written to AWS. `pending` and `nonce` are the write-ahead
//! intent of a creation; `grants` names every function on whose policy a statement of ours may stand.

#![expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats each type inside a function body"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Observed state of a `JwtHttpApi`, written by the operator alone.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JwtHttpApiStatus {
    /// Generation of the spec to which Ready or Stalled refers; -1 until the object was ready, stalled or suspended for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// AWS account that holds the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,

    /// AWS Region that holds the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,

    /// Cluster id in the ownership tags of everything in AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,

    /// Id of the HTTP API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<String>,

    /// Base URL of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,

    /// Stages and their URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<StageStatus>,

    /// Authorizers and their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub authorizers: Vec<AuthorizerStatus>,

    /// Functions of this object that exist or may exist, with their log groups and roles; written before they are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub functions: Vec<FunctionStatus>,

    /// ARN of the role that invokes the functions; written before the role is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,

    /// What the operator was about to do that AWS cannot do twice; gone when a read has shown the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,

    /// Random proof of ownership, made with the first intent and kept for the object's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,

    /// Qualified ARNs of functions whose policy may hold a statement for this API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub grants: Vec<String>,

    /// Uid of the predecessor whose API was taken over, until everything named by it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reclaimed_from: Option<String>,

    /// When a role, its trust or a wider policy was last about to be written; Ready waits until IAM has settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam_changed_at: Option<Time>,

    /// When AWS was last verified on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_verified_time: Option<Time>,

    /// The value of the annotation reconcile.jwthttpapi.dev/requestedAt that was last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// Accepted, `ResolvedRefs`, Programmed and Ready always; Reconciling, Stalled and `DeletionBlocked` only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// A stage and where it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// Name of the stage.
    pub name: String,
    /// URL of the stage.
    pub url: String,
}

/// An authorizer and its id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerStatus {
    /// Name of the authorizer.
    pub name: String,
    /// Id that AWS gave it.
    pub id: String,
}

/// A function of the object's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionStatus {
    /// Name in the spec.
    pub name: String,
    /// ARN of the function in AWS.
    pub arn: String,
}

/// A write-ahead intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// What was about to be done.
    pub operation: PendingOperation,
    /// The API that is taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<String>,
    /// Uid of the object that it is taken over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_uid: Option<String>,
    /// When, for people; nothing is decided by it.
    pub since: Time,
}

/// Operations that are announced before they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PendingOperation {
    /// An HTTP API is being created.
    CreateApi,
    /// The API of an object of the same name that is no more is being taken over.
    ReclaimApi,
}
