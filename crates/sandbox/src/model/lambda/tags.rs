//! Tags of functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Lambda, checks, function::Function, function_not_found, invalid, resolve};
use crate::model::{Env, arn::FunctionReference, error::Refusal, tags};

impl Lambda {
    pub(super) fn tag(&mut self, env: &Env, arn: &str, tags: &BTreeMap<String, String>) -> Answer {
        let present = &mut self.tagged(env, arn)?.tags;
        let mut merged = present.clone();
        merged.extend(tags.clone());
        check(env, &merged)?;
        *present = merged;
        Ok(Value::Null)
    }

    pub(super) fn untag(&mut self, env: &Env, arn: &str, keys: &[String]) -> Answer {
        let present = &mut self.tagged(env, arn)?.tags;
        present.retain(|key, _| !keys.contains(key));
        Ok(Value::Null)
    }

    /// `Tags` is there even when there are none (I).
    pub(super) fn list_tags(&mut self, env: &Env, arn: &str) -> Answer {
        Ok(json!({ "Tags": self.tagged(env, arn)?.tags }))
    }

    /// Named by a full ARN (service model, D) without a qualifier (the text O).
    fn tagged(&mut self, env: &Env, arn: &str) -> Result<&mut Function, Refusal> {
        let reference = FunctionReference::parse(arn).filter(|reference| reference.region.is_some());
        let reference = reference.ok_or_else(|| {
            let text = "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:…";
            checks::constraint("resource", arn, text)
        })?;
        if reference.qualifier.is_some() {
            return Err(invalid(
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            ));
        }
        let (name, _) = resolve(env, arn, None)?;
        let missing = || function_not_found(env.account, env.region, &name);
        self.functions.get_mut(&name).ok_or_else(missing)
    }
}

/// 50 a function (D; the text I).
pub(super) fn check(env: &Env, tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if tags.len() > env.settings.quotas.tags {
        return Err(invalid("Number of tags exceeds resource tag limit."));
    }
    tags::flaw(tags).map_or(Ok(()), |flaw| Err(invalid(flaw)))
}
