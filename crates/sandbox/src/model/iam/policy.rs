//! Inline policies and attachments of managed ones.

use serde_json::{Value, json};

use super::{
    document::{self, Kind},
    role::{Role, check_name, encoded},
    validation,
};
use crate::model::{Env, error::Refusal};

impl Role {
    /// An upsert; the quota is the sum over the role (D; the text O).
    pub(super) fn put_policy(&mut self, env: &Env, name: &str, document: &str) -> Result<(), Refusal> {
        check_name("policyName", name, 128)?;
        document::check(document, Kind::Permissions)?;
        self.inline.insert(name.to_owned(), document.to_owned());
        let sum: usize = self
            .inline
            .values()
            .map(|document| document::length(document))
            .sum();
        let most = env.settings.quotas.inline_policy_characters;
        if sum > most {
            let text = format!(
                "Maximum policy size of {most} bytes exceeded for role {}",
                self.name
            );
            return Err(Refusal::new(409, "LimitExceeded", text));
        }
        Ok(())
    }

    pub(super) fn delete_policy(&mut self, name: &str) -> Result<(), Refusal> {
        self.inline
            .remove(name)
            .map(|_| ())
            .ok_or_else(|| no_such_policy(name))
    }

    pub(super) fn inline_policy(&self, name: &str) -> Result<Value, Refusal> {
        let document = self.inline.get(name).ok_or_else(|| no_such_policy(name))?;
        Ok(json!({ "RoleName": self.name, "PolicyName": name, "PolicyDocument": encoded(document) }))
    }

    pub(super) fn inline_policy_names(&self) -> Vec<Value> {
        self.inline.keys().map(|name| name.as_str().into()).collect()
    }

    /// An upsert too. Whether the policy exists is not checked: managed policies are not modelled.
    pub(super) fn attach(&mut self, arn: &str) -> Result<(), Refusal> {
        let name = arn
            .rsplit('/')
            .next()
            .filter(|_| arn.starts_with("arn:") && arn.contains(":policy/"));
        let name = name.ok_or_else(|| validation(format!("ARN {arn} is not valid.")))?;
        self.attached.insert(arn.to_owned(), name.to_owned());
        Ok(())
    }

    pub(super) fn detach(&mut self, arn: &str) -> Result<(), Refusal> {
        let missing = || Refusal::new(404, "NoSuchEntity", format!("Policy {arn} was not found."));
        self.attached.remove(arn).map(|_| ()).ok_or_else(missing)
    }

    pub(super) fn attachments(&self) -> Vec<Value> {
        let attached = self.attached.iter();
        attached
            .map(|(arn, name)| json!({ "PolicyName": name, "PolicyArn": arn }))
            .collect()
    }

    /// D; texts O.
    pub(super) fn check_deletable(&self) -> Result<(), Refusal> {
        let conflict = |what| {
            Err(Refusal::new(
                409,
                "DeleteConflict",
                format!("Cannot delete entity, must {what} first."),
            ))
        };
        if !self.attached.is_empty() {
            return conflict("detach all policies");
        }
        if !self.inline.is_empty() {
            return conflict("delete policies");
        }
        Ok(())
    }
}

fn no_such_policy(name: &str) -> Refusal {
    Refusal::new(
        404,
        "NoSuchEntity",
        format!("The role policy with name {name} cannot be found."),
    )
}
