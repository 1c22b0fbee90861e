//! Code and configuration of a function, and what of them is checked.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::invalid;
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
    pub(super) timeout: Option<u32>,
    pub(super) memory_size: Option<u32>,
    pub(super) publish: Option<bool>,
    pub(super) environment: Option<EnvironmentInput>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) package_type: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) revision_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeInput {
    pub(super) zip_file: Option<String>,
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
    pub(super) zip_file: Option<String>,
    pub(super) publish: Option<bool>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) revision_id: Option<String>,
}

impl VersionSettings {
    pub(super) fn merge(&mut self, env: &Env, iam: &Iam, input: &FunctionInput) -> Result<(), Refusal> {
        if let Some(role) = &input.role {
            // §10, O.
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
            let families = ["nodejs", "python", "java", "dotnet", "ruby", "provided"];
            if !families.iter().any(|family| runtime.starts_with(family)) {
                return Err(invalid(format!(
                    "Value {runtime} at 'runtime' failed to satisfy constraint"
                )));
            }
            self.runtime.clone_from(runtime);
        }
        if let Some(timeout) = input.timeout {
            self.timeout = within("timeout", timeout, 1, 900)?;
        }
        if let Some(memory_size) = input.memory_size {
            self.memory_size = within("memorySize", memory_size, 128, 10_240)?;
        }
        if let Some(variables) = input
            .environment
            .as_ref()
            .and_then(|given| given.variables.as_ref())
        {
            // The pattern of the service model, D.
            let valid = |name: &str| {
                let mut rest = name.chars();
                rest.next().is_some_and(|first| first.is_ascii_alphabetic())
                    && name.len() > 1
                    && rest.all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if let Some(name) = variables.keys().find(|name| !valid(name)) {
                return Err(invalid(format!(
                    "Environment variable name '{name}' failed to satisfy constraint"
                )));
            }
            self.environment.clone_from(variables);
        }
        if let Some(handler) = &input.handler {
            self.handler.clone_from(handler);
        }
        if let Some(description) = &input.description {
            self.description.clone_from(description);
        }
        if let Some(architectures) = &input.architectures {
            self.architectures.clone_from(architectures);
        }
        Ok(())
    }
}

fn within(what: &str, value: u32, least: u32, most: u32) -> Result<u32, Refusal> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(invalid(format!(
        "Value '{value}' at '{what}' must be between {least} and {most}"
    )))
}

pub(super) fn given(what: &str, value: Option<&String>) -> Result<String, Refusal> {
    value.filter(|value| !value.is_empty()).cloned().ok_or_else(|| {
        invalid(format!(
            "{what} is mandatory for functions created with deployment packages."
        ))
    })
}

pub(super) fn decoded(zip: Option<&String>) -> Result<Vec<u8>, Refusal> {
    let zip = zip.ok_or_else(|| Refusal::not_modelled("function code that is not sent inline (ZipFile)"))?;
    let code = BASE64
        .decode(zip)
        .map_err(|_| invalid("ZipFile is not valid base64"))?;
    if code.starts_with(b"PK") {
        return Ok(code);
    }
    Err(invalid(
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ))
}

/// `CodeSha256` (*§10*, D).
pub(super) fn sha256(code: &[u8]) -> String {
    BASE64.encode(Sha256::digest(code))
}
