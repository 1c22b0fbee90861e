//! Functions, their versions and aliases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Answer, checks, conflict, function_arn, invalid, not_found,
    policy::Policies,
    tags,
    version::{FunctionInput, UpdateCodeInput, Version, VersionSettings, sha256},
};
use crate::model::{Env, error::Refusal, iam::Iam, paging::Birth, replica::Replica, time::Timestamp};

pub(super) const LATEST: &str = "$LATEST";

/// A function with everything that `DeleteFunction` takes along.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(super) arn: String,
    pub(super) latest: Version,
    pub(super) versions: BTreeMap<u64, Version>,
    pub(super) aliases: BTreeMap<String, Alias>,
    /// Resource policies by qualifier; that of the function itself has none.
    pub(super) policies: Policies,
    pub(super) shown_policies: Replica<Policies>,
    pub(super) tags: BTreeMap<String, String>,
    /// Until then the function is `Pending`.
    pub(super) active_at: Timestamp,
    pub(super) update: Option<Update>,
    pub(crate) birth: Birth,
}

/// The last change of code or configuration.
#[derive(Clone, Debug)]
pub(super) struct Update {
    /// Until then it is `InProgress`.
    pub(super) until: Timestamp,
    /// What is invoked until then, and afterwards if it fails.
    pub(super) before: Version,
    /// Why it fails.
    pub(super) failure: Option<String>,
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
    /// Defaults: 3 s, 128 MB, `x86_64` (D).
    pub(super) fn create(env: &mut Env, iam: &Iam, input: &FunctionInput) -> Result<Self, Refusal> {
        let name = input.function_name.clone().unwrap_or_default();
        checks::name(&name)?;
        if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
            return Err(Refusal::not_modelled("functions of container images"));
        }
        let (Some(runtime), Some(handler)) = (&input.runtime, &input.handler) else {
            // The text O.
            return Err(invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        };
        let role = input.role.clone().unwrap_or_default();
        checks::role(env, &role)?;
        let architectures = input.architectures.clone();
        let mut settings = VersionSettings {
            runtime: runtime.clone(),
            role,
            handler: handler.clone(),
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            environment: BTreeMap::new(),
            architectures: architectures.unwrap_or_else(default_architectures),
        };
        checks::architectures(&settings.architectures)?;
        settings.merge(env, iam, input)?;
        let tags = input.tags.clone().unwrap_or_default();
        tags::check(env, &tags)?;
        let code = input.code.clone().unwrap_or_default().archive(env)?;
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
            policies: Policies::new(),
            shown_policies: Replica::default(),
            tags,
            active_at: env.now.after(env.settings.function_delay_ms),
            update: None,
            birth: env.birth(),
        };
        if input.publish == Some(true) {
            function.publish_unchecked(env, None);
        }
        Ok(function)
    }

    /// The only way to another architecture (service model, D).
    pub(super) fn update_code(&mut self, env: &mut Env, input: &UpdateCodeInput) -> Answer {
        if input.dry_run == Some(true) {
            return Err(Refusal::not_modelled("UpdateFunctionCode with DryRun"));
        }
        self.check_writable(env, input.revision_id.as_ref())?;
        let code = input.code.archive(env)?;
        let mut settings = self.latest.settings.clone();
        if let Some(architectures) = &input.architectures {
            checks::architectures(architectures)?;
            settings.architectures.clone_from(architectures);
        } else if env.settings.update_code_resets_architecture {
            settings.architectures = default_architectures();
        }
        self.replace(env, settings, code);
        let version = (input.publish == Some(true)).then(|| self.publish_changed(env, None));
        Ok(self.configuration(env, version.as_deref()))
    }

    pub(super) fn update_configuration(&mut self, env: &mut Env, iam: &Iam, input: &FunctionInput) -> Answer {
        self.check_writable(env, input.revision_id.as_ref())?;
        let mut settings = self.latest.settings.clone();
        settings.merge(env, iam, input)?;
        let code = self.latest.code.clone();
        self.replace(env, settings, code);
        Ok(self.configuration(env, None))
    }

    /// Invocations find what was there before until the update is done (service model, D).
    fn replace(&mut self, env: &mut Env, settings: VersionSettings, code: Vec<u8>) {
        let latest = Version {
            name: LATEST.into(),
            code_sha256: sha256(&code),
            code,
            settings,
            last_modified: env.now,
            revision: env.ids.uuid(),
        };
        self.update = Some(Update {
            until: env.now.after(env.settings.function_delay_ms),
            before: std::mem::replace(&mut self.latest, latest),
            failure: env.function_failure.map(str::to_owned),
        });
    }

    /// Nothing new is published while code and configuration are those of the last version (D).
    pub(super) fn publish(&mut self, env: &mut Env, description: Option<&String>) -> Answer {
        self.check_writable(env, None)?;
        let name = self.publish_changed(env, description);
        Ok(self.configuration(env, Some(&name)))
    }

    fn publish_changed(&mut self, env: &mut Env, description: Option<&String>) -> String {
        let same = |last: &Version| {
            last.code_sha256 == self.latest.code_sha256 && last.settings == self.latest.settings
        };
        let unchanged = self
            .versions
            .values()
            .next_back()
            .filter(|last| same(last))
            .map(|last| last.name.clone());
        unchanged.unwrap_or_else(|| self.publish_unchecked(env, description))
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

    pub(super) fn qualified_arn(&self, qualifier: Option<&str>) -> String {
        qualifier.map_or_else(
            || self.arn.clone(),
            |qualifier| format!("{}:{qualifier}", self.arn),
        )
    }

    pub(super) fn version(&self, qualifier: Option<&str>) -> Option<&Version> {
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

    pub(super) fn is_pending(&self, now: Timestamp) -> bool {
        now < self.active_at
    }

    /// The update whose code and configuration are not in force: it is under way, or has failed (I).
    pub(super) fn outstanding(&self, now: Timestamp) -> Option<&Update> {
        let update = self.update.as_ref()?;
        (now < update.until || update.failure.is_some()).then_some(update)
    }

    /// The update that is under way.
    pub(super) fn updating(&self, now: Timestamp) -> Option<&Update> {
        self.update.as_ref().filter(|update| now < update.until)
    }

    /// D; the texts O.
    fn check_writable(&self, env: &Env, revision: Option<&String>) -> Result<(), Refusal> {
        let not_now = "The operation cannot be performed at this time.";
        if self.is_pending(env.now) {
            return Err(conflict(format!(
                "{not_now} The function is currently in the following state: Pending"
            )));
        }
        if self.updating(env.now).is_some() {
            let arn = &self.arn;
            return Err(conflict(format!(
                "{not_now} An update is in progress for resource: {arn}"
            )));
        }
        check_revision(revision, &self.latest.revision)
    }
}

fn default_architectures() -> Vec<String> {
    vec!["x86_64".into()]
}

/// 412 when a revision is named that is not the present one (D).
pub(super) fn check_revision(named: Option<&String>, present: &str) -> Result<(), Refusal> {
    if named.is_none_or(|revision| revision == present) {
        return Ok(());
    }
    let text = "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to \
                retrieve the latest RevisionId";
    Err(Refusal::new(412, "PreconditionFailedException", text))
}
