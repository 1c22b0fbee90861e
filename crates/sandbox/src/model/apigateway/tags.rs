//! Tags of APIs and stages, addressed by ARN.

use std::collections::BTreeMap;

use super::{
    Gateway,
    refusal::{bad_request, check_tags, not_found},
};
use crate::model::{Env, error::Refusal};

impl Gateway {
    pub(super) fn tag(
        &mut self,
        env: &Env,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let present = self.tags_of(env, arn)?;
        let mut merged = present.clone();
        merged.extend(tags.clone());
        check_tags(&merged, &env.settings.quotas)?;
        *present = merged;
        Ok(())
    }

    pub(super) fn untag(&mut self, env: &Env, arn: &str, keys: &[String]) -> Result<(), Refusal> {
        let present = self.tags_of(env, arn)?;
        for key in keys {
            present.remove(key);
        }
        Ok(())
    }

    pub(super) fn read_tags(&mut self, env: &Env, arn: &str) -> Result<BTreeMap<String, String>, Refusal> {
        self.tags_of(env, arn).cloned()
    }

    /// The ARN carries no account id: `arn:<partition>:apigateway:<region>::/apis/<id>[/stages/<name>]` (D).
    /// Routes, integrations and authorizers cannot be tagged (D).
    fn tags_of(&mut self, env: &Env, arn: &str) -> Result<&mut BTreeMap<String, String>, Refusal> {
        let malformed = || bad_request(format!("Invalid resource ARN specified: {arn}"));
        let prefix = format!("arn:{}:apigateway:{}::/apis/", env.account.partition, env.region);
        let path: Vec<&str> = arn
            .strip_prefix(&prefix)
            .ok_or_else(malformed)?
            .split('/')
            .collect();
        match path.as_slice() {
            [id] => Ok(&mut self.api_mut(id)?.tags),
            [id, "stages", name] => {
                let stage = self.api_mut(id)?.stages.get_mut(*name);
                Ok(&mut stage.ok_or_else(|| not_found("Stage", name))?.tags)
            }
            _ => Err(malformed()),
        }
    }
}
