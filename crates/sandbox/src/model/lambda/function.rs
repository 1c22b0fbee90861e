//! Functions, their versions and aliases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Answer, conflict, function_arn, invalid, not_found,
    policy::Policy,
    version::{FunctionInput, UpdateCodeInput, Version, VersionSettings, decoded, given, sha256},
};
use crate::model::{
    Env,
    deployment::{FunctionState, FunctionView},
    error::Refusal,
    iam::Iam,
    json,
    paging::Birth,
    time::Timestamp,
};

const LATEST: &str = "$LATEST";

/// A function with everything that `DeleteFunction` takes along.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    arn: String,
    latest: Version,
    versions: BTreeMap<u64, Version>,
    aliases: BTreeMap<String, Alias>,
    /// Resource policies by qualifier; that of the function itself has none.
    pub(super) policies: BTreeMap<Option<String>, Policy>,
    tags: BTreeMap<String, String>,
    active_at: Timestamp,
    pub(crate) birth: Birth,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "members are named as on the wire")]
pub(crate) struct Alias {
    alias_arn: String,
    description: String,
    function_version: String,
    name: String,
    revision_id: String,
}

/// The members of `CreateAlias`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasInput {
    pub(crate) name: String,
    function_version: String,
    description: Option<String>,
}

impl Function {
    /// Defaults: 3 s, 128 MB, `x86_64` (*§10*, D).
    pub(super) fn create(env: &mut Env, iam: &Iam, input: &FunctionInput) -> Result<Self, Refusal> {
        let name = input.function_name.clone().unwrap_or_default();
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(valid) {
            return Err(invalid(format!(
                "Value '{name}' at 'functionName' failed to satisfy constraint"
            )));
        }
        if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
            return Err(Refusal::not_modelled("functions of container images"));
        }
        let mut settings = VersionSettings {
            runtime: given("Runtime", input.runtime.as_ref())?,
            role: given("Role", input.role.as_ref())?,
            handler: given("Handler", input.handler.as_ref())?,
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            environment: BTreeMap::new(),
            architectures: vec!["x86_64".into()],
        };
        settings.merge(env, iam, input)?;
        let code = decoded(input.code.as_ref().and_then(|code| code.zip_file.as_ref()))?;
        let mut function = Self {
            arn: function_arn(env.account, env.region, &name),
            name,
            latest: Version {
                name: LATEST.into(),
                code_sha256: sha256(&code),
                code,
                settings,
                last_modified: env.now,
                revision: env.ids.uuid(),
            },
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            policies: BTreeMap::new(),
            tags: input.tags.clone().unwrap_or_default(),
            active_at: env.now.after(env.settings.function_pending_ms),
            birth: env.birth(),
        };
        if input.publish == Some(true) {
            function.publish_unchecked(env, None);
        }
        Ok(function)
    }

    pub(super) fn update_code(&mut self, env: &mut Env, input: &UpdateCodeInput) -> Answer {
        self.check_writable(env, input.revision_id.as_ref())?;
        let code = decoded(input.zip_file.as_ref())?;
        if let Some(architectures) = &input.architectures {
            self.latest.settings.architectures.clone_from(architectures);
        }
        self.latest.code_sha256 = sha256(&code);
        self.latest.code = code;
        self.touch(env);
        if input.publish == Some(true) {
            self.publish(env, None)
        } else {
            Ok(self.configuration(env, None))
        }
    }

    pub(super) fn update_configuration(&mut self, env: &mut Env, iam: &Iam, input: &FunctionInput) -> Answer {
        self.check_writable(env, input.revision_id.as_ref())?;
        let mut settings = self.latest.settings.clone();
        settings.merge(env, iam, input)?;
        self.latest.settings = settings;
        self.touch(env);
        Ok(self.configuration(env, None))
    }

    /// Nothing new is published while code and configuration are those of the last version (D).
    pub(super) fn publish(&mut self, env: &mut Env, description: Option<&String>) -> Answer {
        self.check_writable(env, None)?;
        let same = |last: &Version| {
            last.code_sha256 == self.latest.code_sha256 && last.settings == self.latest.settings
        };
        let unchanged = self
            .versions
            .values()
            .next_back()
            .filter(|last| same(last))
            .map(|last| last.name.clone());
        let name = unchanged.unwrap_or_else(|| self.publish_unchecked(env, description));
        Ok(self.configuration(env, Some(&name)))
    }

    fn publish_unchecked(&mut self, env: &mut Env, description: Option<&String>) -> String {
        let number = self.versions.keys().next_back().map_or(1, |last| last + 1);
        let mut version = Version {
            name: number.to_string(),
            revision: env.ids.uuid(),
            ..self.latest.clone()
        };
        if let Some(description) = description {
            version.settings.description.clone_from(description);
        }
        self.versions.insert(number, version);
        number.to_string()
    }

    pub(super) fn create_alias(&mut self, env: &mut Env, input: &AliasInput) -> Answer {
        if self.aliases.contains_key(&input.name) {
            return Err(conflict(format!(
                "Alias already exists: {}:{}",
                self.arn, input.name
            )));
        }
        self.version(Some(&input.function_version)).ok_or_else(|| {
            not_found(format!(
                "Function not found: {}:{}",
                self.arn, input.function_version
            ))
        })?;
        let alias = Alias {
            alias_arn: format!("{}:{}", self.arn, input.name),
            description: input.description.clone().unwrap_or_default(),
            function_version: input.function_version.clone(),
            name: input.name.clone(),
            revision_id: env.ids.uuid(),
        };
        let answer = alias.shown();
        self.aliases.insert(input.name.clone(), alias);
        answer
    }

    pub(super) fn alias(&self, name: &str) -> Answer {
        let missing = || not_found(format!("Cannot find alias arn: {}:{name}", self.arn));
        self.aliases.get(name).ok_or_else(missing)?.shown()
    }

    pub(super) fn delete_version(&mut self, qualifier: &str) -> Result<(), Refusal> {
        if let Some(alias) = self
            .aliases
            .values()
            .find(|alias| alias.function_version == qualifier)
        {
            return Err(conflict(format!(
                "Alias {} refers to version {qualifier}",
                alias.name
            )));
        }
        let number = qualifier
            .parse()
            .map_err(|_| invalid(format!("{qualifier} cannot be deleted")))?;
        self.versions.remove(&number);
        self.policies.remove(&Some(qualifier.to_owned()));
        Ok(())
    }

    pub(super) fn check_qualifier(&self, qualifier: Option<&str>) -> Result<(), Refusal> {
        match (self.version(qualifier), qualifier) {
            (Some(_), _) | (None, None) => Ok(()),
            (None, Some(qualifier)) => {
                Err(not_found(format!("Function not found: {}:{qualifier}", self.arn)))
            }
        }
    }

    /// `FunctionArn` has a qualifier only if one was asked for (*§10*, D).
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
            match self.state(env.now) {
                FunctionState::Active => {
                    members.insert("LastUpdateStatus".into(), "Successful".into());
                }
                FunctionState::Pending => {
                    members.insert("StateReason".into(), "The function is being created.".into());
                    members.insert("StateReasonCode".into(), "Creating".into());
                    members.insert("LastUpdateStatus".into(), "InProgress".into());
                }
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
        let version = self.version(qualifier)?;
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

    pub(super) fn qualified_arn(&self, qualifier: Option<&str>) -> String {
        qualifier.map_or_else(
            || self.arn.clone(),
            |qualifier| format!("{}:{qualifier}", self.arn),
        )
    }

    fn version(&self, qualifier: Option<&str>) -> Option<&Version> {
        match qualifier {
            None | Some(LATEST) => Some(&self.latest),
            Some(name) => {
                let number = self
                    .aliases
                    .get(name)
                    .map_or(name, |alias| alias.function_version.as_str());
                match number {
                    LATEST => Some(&self.latest),
                    number => self.versions.get(&number.parse().ok()?),
                }
            }
        }
    }

    fn state(&self, now: Timestamp) -> FunctionState {
        if now < self.active_at {
            FunctionState::Pending
        } else {
            FunctionState::Active
        }
    }

    fn check_writable(&self, env: &Env, revision: Option<&String>) -> Result<(), Refusal> {
        // §10, D.
        if self.state(env.now) == FunctionState::Pending {
            return Err(conflict(format!(
                "The operation cannot be performed at this time. The function is currently in the following state: \
                 Pending: {}",
                self.arn
            )));
        }
        check_revision(revision, &self.latest.revision)
    }

    fn touch(&mut self, env: &mut Env) {
        self.latest.last_modified = env.now;
        self.latest.revision = env.ids.uuid();
    }
}

/// 412 when a revision is named that is not the present one (*§10*, D).
pub(super) fn check_revision(named: Option<&String>, present: &str) -> Result<(), Refusal> {
    if named.is_none_or(|revision| revision == present) {
        return Ok(());
    }
    let text = "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to \
                retrieve the latest RevisionId";
    Err(Refusal::new(412, "PreconditionFailedException", text))
}
