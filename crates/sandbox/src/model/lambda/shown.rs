//! How a function shows: to callers of Lambda, to invocations, and to tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Answer,
    function::{Function, LATEST},
    version::Version,
};
use crate::model::{
    Env,
    deployment::{FunctionState, FunctionView},
    json,
    time::Timestamp,
};

impl Function {
    /// `FunctionArn` has a qualifier only if one was asked for (D).
    pub(super) fn configuration(&self, env: &Env, qualifier: Option<&str>) -> Value {
        let version = self.version(qualifier).unwrap_or(&self.latest);
        let settings = &version.settings;
        let mut answer = json!({
            "FunctionName": self.name,
            "FunctionArn": self.qualified_arn(qualifier),
            "Runtime": settings.runtime,
            "Role": settings.role,
            "Handler": settings.handler,
            "CodeSize": version.code.len(),
            "Description": settings.description,
            "Timeout": settings.timeout,
            "MemorySize": settings.memory_size,
            "LastModified": version.last_modified.lambda(),
            "CodeSha256": version.code_sha256,
            "Version": version.name,
            "TracingConfig": { "Mode": "PassThrough" },
            "RevisionId": version.revision,
            "State": self.state(env.now),
            "PackageType": "Zip",
            "Architectures": settings.architectures,
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", self.name) },
        });
        if let Value::Object(members) = &mut answer {
            if !settings.environment.is_empty() {
                members.insert("Environment".into(), json!({ "Variables": settings.environment }));
            }
            // LastUpdateStatus is first set when the creation is done (service model, D).
            if self.is_pending(env.now) {
                members.insert("StateReason".into(), "The function is being created.".into());
                members.insert("StateReasonCode".into(), "Creating".into());
            } else {
                let failure = self.update.as_ref().and_then(|update| update.failure.as_ref());
                let status = match failure {
                    _ if self.updating(env.now).is_some() => "InProgress",
                    Some(code) => {
                        members.insert("LastUpdateStatusReasonCode".into(), code.as_str().into());
                        "Failed"
                    }
                    None => "Successful",
                };
                members.insert("LastUpdateStatus".into(), status.into());
            }
        }
        answer
    }

    pub(super) fn described(&self, env: &Env, qualifier: Option<&str>) -> Answer {
        let region = env.region;
        let location = format!(
            "https://awslambda-{region}-tasks.s3.{region}.amazonaws.com/{}",
            self.name
        );
        let mut answer = json!({
            "Configuration": self.configuration(env, qualifier),
            "Code": { "RepositoryType": "S3", "Location": location },
        });
        if let (false, Value::Object(members)) = (self.tags.is_empty(), &mut answer) {
            members.insert("Tags".into(), json(&self.tags)?);
        }
        Ok(answer)
    }

    pub(super) fn view(&self, qualifier: Option<&str>, now: Timestamp) -> Option<FunctionView> {
        let version = self.invoked(qualifier, now)?;
        Some(FunctionView {
            arn: self.qualified_arn(qualifier),
            runtime: version.settings.runtime.clone(),
            handler: version.settings.handler.clone(),
            zip: version.code.clone(),
            environment: version.settings.environment.clone(),
            timeout_seconds: version.settings.timeout,
            memory_mib: version.settings.memory_size,
            state: self.state(now),
        })
    }

    /// The role that an invocation runs under.
    pub(super) fn execution_role(&self, qualifier: Option<&str>, now: Timestamp) -> Option<&str> {
        Some(self.invoked(qualifier, now)?.settings.role.as_str())
    }

    /// What an invocation finds: the version before an update, while that is in progress (service model, D) or has failed.
    fn invoked(&self, qualifier: Option<&str>, now: Timestamp) -> Option<&Version> {
        let version = self.version(qualifier)?;
        match self.outstanding(now) {
            Some(update) if version.name == LATEST => Some(&update.before),
            Some(_) | None => Some(version),
        }
    }

    fn state(&self, now: Timestamp) -> FunctionState {
        if self.is_pending(now) {
            FunctionState::Pending
        } else {
            FunctionState::Active
        }
    }

    /// Everything about the function in one value, its policies included.
    pub(crate) fn shown(&self, env: &Env) -> Answer {
        let mut state = self.configuration(env, None);
        if let Value::Object(members) = &mut state {
            let versions: Vec<Value> = self
                .versions
                .values()
                .map(|version| self.configuration(env, Some(&version.name)))
                .collect();
            let policies: BTreeMap<&str, Value> = self
                .policies
                .iter()
                .map(|(qualifier, policy)| (qualifier.as_deref().unwrap_or(LATEST), policy.document()))
                .collect();
            members.insert("Versions".into(), Value::Array(versions));
            members.insert("Aliases".into(), json(self.aliases.values().collect::<Vec<_>>())?);
            members.insert("Policies".into(), json(policies)?);
            members.insert("Tags".into(), json(&self.tags)?);
        }
        Ok(state)
    }
}
