//! Code and configuration of a function, and what of them is checked.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{checks, invalid};
use crate::model::{Env, error::Refusal, iam::Iam, time::Timestamp};

/// Code and configuration.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) name: String,
    pub(super) code: Vec<u8>,
    pub(super) code_sha256: String,
    pub(super) settings: VersionSettings,
    pub(super) last_modified: Timestamp,
    pub(super) revision: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VersionSettings {
    pub(super) runtime: String,
    pub(super) role: String,
    pub(super) handler: String,
    pub(super) description: String,
    pub(super) timeout: u32,
    pub(super) memory_size: u32,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) architectures: Vec<String>,
}

/// The members of `CreateFunction` and `UpdateFunctionConfiguration`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FunctionInput {
    pub(crate) function_name: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) code: Option<CodeInput>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<i64>,
    pub(super) memory_size: Option<i64>,
    pub(super) publish: Option<bool>,
    pub(super) environment: Option<EnvironmentInput>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) package_type: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) revision_id: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Members that AWS knows and that are not modelled, each with what it is when nobody sets it (service model, D).
const OTHERS: [(&str, &str); 15] = [
    ("CapacityProviderConfig", ""),
    ("CodeSigningConfigArn", ""),
    ("DeadLetterConfig", ""),
    ("DurableConfig", ""),
    ("EphemeralStorage", r#"{"Size":512}"#),
    ("FileSystemConfigs", ""),
    ("ImageConfig", ""),
    ("KMSKeyArn", ""),
    ("Layers", ""),
    ("LoggingConfig", r#"{"LogFormat":"Text"}"#),
    ("PublishTo", ""),
    ("SnapStart", r#"{"ApplyOn":"None"}"#),
    ("TenancyConfig", ""),
    ("TracingConfig", r#"{"Mode":"PassThrough"}"#),
    ("VpcConfig", ""),
];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeInput {
    pub(super) zip_file: Option<String>,
    s3_bucket: Option<String>,
    image_uri: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EnvironmentInput {
    variables: Option<BTreeMap<String, String>>,
}

/// The members of `UpdateFunctionCode`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateCodeInput {
    #[serde(flatten)]
    pub(super) code: CodeInput,
    pub(super) dry_run: Option<bool>,
    pub(super) publish: Option<bool>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) revision_id: Option<String>,
}

impl FunctionInput {
    /// What would have no effect is not taken as if it had one. Members that AWS does not know either are ignored (I).
    fn refuse_others(&self) -> Result<(), Refusal> {
        let unset = [json!(null), json!(""), json!([]), json!({})];
        let set = self.others.iter().find(|(name, given)| {
            let known = OTHERS.iter().find(|(other, _)| name == other);
            known.is_some_and(|(_, default)| {
                !unset.contains(given) && default.parse().ok().as_ref() != Some(*given)
            })
        });
        match set {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::not_modelled(&format!("{name} of functions"))),
        }
    }
}

impl CodeInput {
    /// The archive that is sent inline (the text O).
    pub(super) fn archive(&self, env: &Env) -> Result<Vec<u8>, Refusal> {
        match &self.zip_file {
            Some(zip) => checks::archive(env, zip),
            None if self.s3_bucket.is_some() || self.image_uri.is_some() => Err(Refusal::not_modelled(
                "function code that is not sent inline (ZipFile)",
            )),
            None => Err(invalid("Please provide a source for function code.")),
        }
    }
}

impl VersionSettings {
    /// What is not named keeps its value; empty `Variables` clear the environment (D).
    pub(super) fn merge(&mut self, env: &Env, iam: &Iam, input: &FunctionInput) -> Result<(), Refusal> {
        input.refuse_others()?;
        if let Some(role) = &input.role {
            checks::role(env, role)?;
            // O.
            if env.settings.function_role_must_be_assumable
                && !iam.trusts(role, "lambda.amazonaws.com", env.now)
            {
                return Err(invalid(
                    "The role defined for the function cannot be assumed by Lambda.",
                ));
            }
            self.role.clone_from(role);
        }
        if let Some(runtime) = &input.runtime {
            checks::runtime(env, runtime)?;
            self.runtime.clone_from(runtime);
        }
        if let Some(timeout) = input.timeout {
            self.timeout = checks::within("timeout", timeout, 1, 900)?;
        }
        if let Some(memory_size) = input.memory_size {
            self.memory_size = checks::within("memorySize", memory_size, 128, 10_240)?;
        }
        if let Some(handler) = &input.handler {
            checks::handler(handler)?;
            self.handler.clone_from(handler);
        }
        if let Some(description) = &input.description {
            checks::description(description)?;
            self.description.clone_from(description);
        }
        let variables = input.environment.as_ref().map(|given| &given.variables);
        match variables {
            Some(Some(variables)) => {
                checks::environment(env, variables)?;
                self.environment.clone_from(variables);
            }
            Some(None) if env.settings.environment_without_variables_clears => self.environment.clear(),
            Some(None) | None => {}
        }
        Ok(())
    }
}

/// `CodeSha256` (D).
pub(super) fn sha256(code: &[u8]) -> String {
    BASE64.encode(Sha256::digest(code))
}
