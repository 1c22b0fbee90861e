//! Resource policies of functions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answer, conflict,
    function::{Function, check_revision},
    invalid, not_found,
};
use crate::model::{Env, error::Refusal};

/// The policy of a function, an alias or a version.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    statements: Vec<(String, Value)>,
    revision: String,
}

/// Those of a function, by qualifier.
pub(super) type Policies = BTreeMap<Option<String>, Policy>;

/// The members of `AddPermission`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PermissionInput {
    pub(crate) statement_id: String,
    action: String,
    pub(crate) principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    revision_id: Option<String>,
}

impl Policy {
    pub(super) fn document(&self) -> Value {
        let statements: Vec<&Value> = self.statements.iter().map(|(_, statement)| statement).collect();
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements })
    }
}

impl Function {
    /// Not an upsert; at most 20 KB; no policy on `$LATEST` (D/O).
    pub(super) fn add_permission(
        &mut self,
        env: &mut Env,
        qualifier: Option<&str>,
        input: &PermissionInput,
    ) -> Answer {
        check_policy_qualifier(qualifier)?;
        let key = qualifier.map(str::to_owned);
        let arn = self.qualified_arn(qualifier);
        let present = self.policies.get(&key);
        if let Some(policy) = present {
            check_revision(input.revision_id.as_ref(), &policy.revision)?;
            if policy.statements.iter().any(|(id, _)| *id == input.statement_id) {
                let id = &input.statement_id;
                return Err(conflict(format!(
                    "The statement id ({id}) provided already exists. Please provide a new statement id, or remove \
                     the existing statement."
                )));
            }
        }
        let statement = input.statement(&arn)?;
        let mut statements = present
            .map(|policy| policy.statements.clone())
            .unwrap_or_default();
        statements.push((input.statement_id.clone(), statement.clone()));
        let policy = Policy {
            statements,
            revision: env.ids.uuid(),
        };
        let size = policy.document().to_string().len();
        let most = env.settings.quotas.function_policy_bytes;
        if size > most {
            let text = format!("The final policy size ({size}) is bigger than the limit ({most}).");
            return Err(Refusal::new(400, "PolicyLengthExceededException", text));
        }
        self.keep_policies(env);
        self.policies.insert(key, policy);
        Ok(json!({ "Statement": statement.to_string() }))
    }

    /// A function without a policy answers like a function that does not exist (D/O).
    pub(super) fn policy(&self, env: &Env, qualifier: Option<&str>) -> Answer {
        check_policy_qualifier(qualifier)?;
        let policies = self.shown_policies.shown(env.now, &self.policies);
        let policy = policies.get(&qualifier.map(str::to_owned));
        let policy = policy.ok_or_else(|| not_found("The resource you requested does not exist."))?;
        Ok(json!({ "Policy": policy.document().to_string(), "RevisionId": policy.revision }))
    }

    pub(super) fn policy_document(&self, qualifier: Option<&str>) -> Option<Value> {
        self.policies
            .get(&qualifier.map(str::to_owned))
            .map(Policy::document)
    }

    pub(super) fn remove_permission(
        &mut self,
        env: &mut Env,
        qualifier: Option<&str>,
        statement: &str,
        revision: Option<&String>,
    ) -> Answer {
        check_policy_qualifier(qualifier)?;
        let key = qualifier.map(str::to_owned);
        let missing = || not_found(format!("Statement {statement} is not found in resource policy."));
        let mut policy = self.policies.get(&key).cloned().ok_or_else(missing)?;
        check_revision(revision, &policy.revision)?;
        let index = policy
            .statements
            .iter()
            .position(|(id, _)| id == statement)
            .ok_or_else(missing)?;
        self.keep_policies(env);
        policy.statements.remove(index);
        policy.revision = env.ids.uuid();
        if policy.statements.is_empty() {
            self.policies.remove(&key);
        } else {
            self.policies.insert(key, policy);
        }
        Ok(Value::Null)
    }

    /// What reads go on showing for a while, before a change.
    fn keep_policies(&mut self, env: &Env) {
        let lag = env.settings.read_lag_ms;
        self.shown_policies.keep(env.now, lag, &self.policies);
    }
}

impl PermissionInput {
    /// The shape that AWS gives to a statement (O).
    fn statement(&self, resource: &str) -> Result<Value, Refusal> {
        let id = &self.statement_id;
        if id.is_empty()
            || id.len() > 100
            || !id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        {
            return Err(invalid(format!(
                "Value '{id}' at 'statementId' failed to satisfy constraint"
            )));
        }
        if !(self.action == "lambda:*" || self.action.starts_with("lambda:")) {
            return Err(invalid(format!(
                "Value '{}' at 'action' failed to satisfy constraint",
                self.action
            )));
        }
        let mut conditions = Map::new();
        if let Some(arn) = &self.source_arn {
            conditions.insert("ArnLike".into(), json!({ "AWS:SourceArn": arn }));
        }
        if let Some(account) = &self.source_account {
            conditions.insert("StringEquals".into(), json!({ "AWS:SourceAccount": account }));
        }
        let mut statement = json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": principal(&self.principal)?,
            "Action": self.action,
            "Resource": resource,
        });
        if let (false, Value::Object(members)) = (conditions.is_empty(), &mut statement) {
            members.insert("Condition".into(), Value::Object(conditions));
        }
        Ok(statement)
    }
}

fn principal(given: &str) -> Result<Value, Refusal> {
    if given == "*" {
        return Ok(json!("*"));
    }
    if given.ends_with(".amazonaws.com") || given.ends_with(".amazonaws.com.cn") {
        return Ok(json!({ "Service": given }));
    }
    if given.len() == 12 && given.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(json!({ "AWS": format!("arn:aws:iam::{given}:root") }));
    }
    if given.starts_with("arn:") {
        return Ok(json!({ "AWS": given }));
    }
    Err(invalid(
        "The provided principal was invalid. Please check the principal and try again.",
    ))
}

fn check_policy_qualifier(qualifier: Option<&str>) -> Result<(), Refusal> {
    if qualifier == Some("$LATEST") {
        return Err(invalid(
            "We currently do not support adding policies for $LATEST.",
        ));
    }
    Ok(())
}
