//! Roles and their tags.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    document::{self, Kind},
    validation,
};
use crate::model::{Env, deployment::RoleView, error::Refusal, json, paging::Birth, time::Timestamp};

/// What RFC 3986 leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(super) path: String,
    pub(crate) id: String,
    pub(super) arn: String,
    created: Timestamp,
    trust: String,
    description: Option<String>,
    pub(crate) max_session_duration: u32,
    boundary: Option<String>,
    tags: BTreeMap<String, String>,
    pub(super) inline: BTreeMap<String, String>,
    pub(super) attached: BTreeMap<String, String>,
    pub(super) birth: Birth,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The members of `CreateRole`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CreateRole {
    pub(crate) name: String,
    pub(crate) path: Option<String>,
    pub(crate) trust: String,
    pub(crate) description: Option<String>,
    pub(crate) max_session_duration: Option<u32>,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<Tag>,
}

impl Role {
    pub(super) fn create(env: &mut Env, input: &CreateRole) -> Result<Self, Refusal> {
        check_name("roleName", &input.name, 64)?;
        let path = input.path.clone().unwrap_or_else(|| "/".into());
        if path.len() > 512 || !path.starts_with('/') || !path.ends_with('/') {
            return Err(validation("The specified value for path is invalid."));
        }
        if input
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() > 1000)
        {
            return Err(validation("The specified value for description is too long."));
        }
        let mut role = Self {
            name: input.name.clone(),
            id: format!("AROA{}", env.ids.upper(17)),
            arn: format!(
                "arn:{}:iam::{}:role{path}{}",
                env.account.partition, env.account.id, input.name
            ),
            path,
            created: env.now,
            trust: String::new(),
            description: input.description.clone(),
            max_session_duration: input.max_session_duration.unwrap_or(3600),
            boundary: None,
            tags: BTreeMap::new(),
            inline: BTreeMap::new(),
            attached: BTreeMap::new(),
            birth: env.birth(),
        };
        role.set_trust(env, &input.trust)?;
        role.set_boundary(input.boundary.as_deref())?;
        role.tag(env, &input.tags)?;
        Ok(role)
    }

    /// Replaces the trust policy (D).
    pub(super) fn set_trust(&mut self, env: &Env, trust: &str) -> Result<(), Refusal> {
        document::check(trust, Kind::Trust)?;
        let most = env.settings.quotas.trust_policy_characters;
        if document::length(trust) > most {
            let text = format!("Cannot exceed quota for ACLSizePerRole: {most}");
            return Err(Refusal::new(409, "LimitExceeded", text));
        }
        trust.clone_into(&mut self.trust);
        Ok(())
    }

    pub(super) const fn boundary(&self) -> Option<&String> {
        self.boundary.as_ref()
    }

    pub(super) fn set_boundary(&mut self, arn: Option<&str>) -> Result<(), Refusal> {
        if arn.is_some_and(|arn| !arn.starts_with("arn:") || !arn.contains(":policy/")) {
            return Err(validation(
                "The specified value for permissionsBoundary is invalid.",
            ));
        }
        self.boundary = arn.map(str::to_owned);
        Ok(())
    }

    /// Keys that differ in case are one, and the case is kept: the other spelling is replaced, and two in one request are
    /// refused (IAM User Guide, rules for tagging, D; the text O).
    pub(super) fn tag(&mut self, env: &Env, tags: &[Tag]) -> Result<(), Refusal> {
        let keys: BTreeSet<String> = tags.iter().map(|tag| tag.key.to_ascii_lowercase()).collect();
        if keys.len() < tags.len() {
            let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Refusal::new(400, "InvalidInput", text));
        }
        for tag in tags {
            let lengths = (1..=128).contains(&tag.key.chars().count()) && tag.value.chars().count() <= 256;
            if !lengths || tag.key.to_ascii_lowercase().starts_with("aws:") {
                return Err(Refusal::new(
                    400,
                    "InvalidInput",
                    format!("The tag {} is not valid.", tag.key),
                ));
            }
            self.tags.retain(|key, _| !key.eq_ignore_ascii_case(&tag.key));
            self.tags.insert(tag.key.clone(), tag.value.clone());
        }
        if self.tags.len() > env.settings.quotas.tags {
            let text = format!(
                "The number of tags has reached the maximum limit of {}",
                env.settings.quotas.tags
            );
            return Err(Refusal::new(409, "LimitExceeded", text));
        }
        Ok(())
    }

    /// In every case, too (I).
    #[expect(
        clippy::unnecessary_wraps,
        reason = "one of several changes that `Iam::write` carries out"
    )]
    pub(super) fn untag(&mut self, keys: &[String]) -> Result<(), Refusal> {
        self.tags
            .retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
        Ok(())
    }

    pub(super) fn shown_tags(&self) -> Vec<Value> {
        self.tags
            .iter()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect()
    }

    /// Documents come percent-encoded (D).
    pub(super) fn shown(&self, tags: bool) -> Result<Value, Refusal> {
        let mut role = json!({
            "Path": self.path,
            "RoleName": self.name,
            "RoleId": self.id,
            "Arn": self.arn,
            "CreateDate": json(self.created)?,
            "AssumeRolePolicyDocument": encoded(&self.trust),
            "MaxSessionDuration": self.max_session_duration,
        });
        if let Value::Object(members) = &mut role {
            if let Some(description) = &self.description {
                members.insert("Description".into(), description.as_str().into());
            }
            if let Some(arn) = &self.boundary {
                let boundary = json!({ "PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn });
                members.insert("PermissionsBoundary".into(), boundary);
            }
            if tags && !self.tags.is_empty() {
                members.insert("Tags".into(), Value::Array(self.shown_tags()));
            }
        }
        Ok(role)
    }

    pub(super) fn view(&self) -> RoleView {
        RoleView {
            arn: self.arn.clone(),
            trust: parsed(&self.trust),
            policies: self.inline.values().map(|document| parsed(document)).collect(),
            boundary: self.boundary.clone(),
        }
    }

    pub(super) fn parsed_policies(&self) -> BTreeMap<&str, Value> {
        self.inline
            .iter()
            .map(|(name, document)| (name.as_str(), parsed(document)))
            .collect()
    }
}

/// Documents were checked when they were written.
fn parsed(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or(Value::Null)
}

pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}

/// `[\w+=,.@-]` (D).
pub(super) fn check_name(what: &str, name: &str, longest: usize) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=longest).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(validation(format!(
        "The specified value for {what} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}
