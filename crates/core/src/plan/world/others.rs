//! What steps change beside the API: roles, policies of functions, the object's own functions and their logs.

use super::World;
use crate::model::document::{self, Permission};
use crate::model::function::LogGroup;
use crate::model::name::{FunctionArn, RoleName, statement_id};
use crate::model::observed::{Function, FunctionPolicy, Observed, Owned, Reading, Role, State};
use crate::model::{Desired, Owner, desired};
use crate::plan::planned::Refs;
use crate::plan::step::Step;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl World {
    /// What a pass sees that looks for everything that is wanted.
    pub(crate) fn seen(&self, desired: &Desired) -> Observed {
        let mut seen = self.observed.clone();
        for (name, function) in &desired.owned {
            seen.owned.entry(name.clone()).or_insert_with(nothing);
            let policy = seen.functions.entry(function.arn.clone());
            policy.or_insert(Reading::Known(FunctionPolicy::Missing));
        }
        seen
    }

    fn owned(&mut self, name: &str) -> &mut Owned {
        self.observed.owned.entry(name.to_owned()).or_insert_with(nothing)
    }

    /// The role that a step may touch: ours, by proof.
    fn own_role(&mut self, name: &RoleName) -> &mut Role {
        let arn = self.place.role_arn(name);
        let executing = self.observed.owned.values_mut().map(|owned| &mut owned.role);
        let role = [&mut self.observed.role]
            .into_iter()
            .chain(executing)
            .filter_map(|reading| there(reading))
            .find(|role| role.arn == arn)
            .expect("a role that exists");
        ours(&self.owner, &role.tags);
        role
    }

    pub(super) fn execute_iam(&mut self, step: &Step) {
        match step {
            Step::CreateRole(wanted) => self.create_role(wanted),
            Step::UpdateTrust { role, trust } => self.own_role(role).trust = trust.to_value(),
            Step::PutBoundary { role, boundary, .. } => {
                self.own_role(role).boundary = Some(boundary.as_str().to_owned());
            }
            Step::PutRolePolicy { role, policy, .. } => {
                self.own_role(role).policy = Some(policy.to_value());
            }
            Step::TagRole { role, tags } => self.own_role(role).tags.extend(tags.clone()),
            Step::UntagRole { role, keys } => self.own_role(role).tags.retain(|key, _| !keys.contains(key)),
            Step::DeleteRolePolicy { role } => {
                assert!(self.own_role(role).policy.take().is_some(), "there is no policy");
            }
            Step::DeleteRole { role } => self.delete_role(role),
            other => unreachable!("{other} does not go to IAM"),
        }
    }

    fn create_role(&mut self, wanted: &desired::Role) {
        let role = match &wanted.function {
            Some(function) => &mut self.owned(function).role,
            None => &mut self.observed.role,
        };
        assert_eq!(*role, Reading::Known(None), "the role exists");
        *role = Reading::Known(Some(Role {
            arn: wanted.arn.clone(),
            trust: wanted.trust.to_value(),
            policy: None,
            boundary: wanted.boundary.as_ref().map(|arn| arn.as_str().to_owned()),
            tags: wanted.tags.clone(),
        }));
    }

    fn delete_role(&mut self, name: &RoleName) {
        let role = self.own_role(name);
        assert!(role.policy.is_none(), "a role with a policy refuses deletion");
        let arn = role.arn.clone();
        let is_it = |reading: &Reading<Option<Role>>| matches!(reading, Reading::Known(Some(role)) if role.arn == arn);
        if is_it(&self.observed.role) {
            self.observed.role = Reading::Known(None);
            return;
        }
        let owned = self.observed.owned.values_mut().find(|owned| is_it(&owned.role));
        let owned = owned.expect("the role of a function");
        let runs =
            |function: &Function| function.configuration.role == arn && self.owner.owns(&function.tags);
        let needed = there(&mut owned.function).is_some_and(|function| runs(function));
        assert!(!needed, "a function still runs under {arn}");
        owned.role = Reading::Known(None);
    }

    pub(super) fn execute_lambda(&mut self, step: &Step, refs: &Refs) {
        match step {
            Step::AddPermission {
                function,
                statement_id,
            } => {
                let api = refs.api.as_ref().expect("the API is known");
                let arn = Permission::new(&self.owner, &self.place, api).source_arn;
                self.add_statement(function, statement_id, &arn);
            }
            Step::RemovePermission {
                function,
                statement_id: id,
            } => {
                assert_eq!(id, &statement_id(&self.owner), "somebody else's statement");
                let policy = self.policy(function);
                assert!(
                    document::statement(policy, id).is_some(),
                    "there is no statement {id}"
                );
                let statements = policy["Statement"].as_array_mut().expect("a list");
                statements.retain(|statement| statement["Sid"] != json!(id));
            }
            Step::CreateFunction { name, function } => {
                let owned = self.owned(name);
                assert_eq!(owned.function, Reading::Known(None), "the function exists");
                let role = there(&mut owned.role).map(|role| role.arn.clone());
                assert_eq!(role.as_ref(), Some(&function.configuration.role), "no such role");
                let logs = there(&mut owned.log_group).map(|group| group.name.clone());
                assert_eq!(logs.as_ref(), Some(&function.log_group.name), "no log group");
                owned.function = Reading::Known(Some(Function {
                    sha256: function.code.sha256.clone(),
                    architecture: function.code.architecture.as_str().to_owned(),
                    configuration: function.configuration.clone(),
                    state: State::Changing,
                    tags: function.tags.clone(),
                }));
                let policy = Reading::Known(FunctionPolicy::Policy(json!({})));
                self.observed.functions.insert(function.arn.clone(), policy);
            }
            Step::AwaitFunction { name } => self.own_function(name).state = State::Settled,
            Step::UpdateFunctionCode { name, code } => {
                let function = self.settled_function(name);
                function.sha256.clone_from(&code.sha256);
                code.architecture.as_str().clone_into(&mut function.architecture);
                function.state = State::Changing;
            }
            Step::UpdateFunctionConfiguration { name, configuration } => {
                let function = self.settled_function(name);
                function.configuration = (**configuration).clone();
                function.state = State::Changing;
            }
            Step::TagFunction { name, tags } => self.own_function(name).tags.extend(tags.clone()),
            Step::UntagFunction { name, keys } => {
                self.own_function(name).tags.retain(|key, _| !keys.contains(key));
            }
            Step::DeleteFunction { name } => {
                self.own_function(name);
                self.owned(name).function = Reading::Known(None);
                let gone = |arn: &FunctionArn, reading: &mut Reading<FunctionPolicy>| {
                    if arn.name() == name {
                        *reading = Reading::Known(FunctionPolicy::Missing);
                    }
                };
                let policies = self.observed.functions.iter_mut();
                policies.for_each(|(arn, reading)| gone(arn, reading));
            }
            other => unreachable!("{other} does not go to Lambda"),
        }
    }

    fn own_function(&mut self, name: &str) -> &mut Function {
        let owner = self.owner.clone();
        let function = there(&mut self.owned(name).function).expect("a function that exists");
        ours(&owner, &function.tags);
        function
    }

    fn settled_function(&mut self, name: &str) -> &mut Function {
        let function = self.own_function(name);
        assert_ne!(function.state, State::Changing, "{name} refuses a second change");
        function
    }

    pub(super) fn execute_logs(&mut self, step: &Step) {
        match step {
            Step::CreateLogGroup(wanted) => {
                let name = wanted.name.strip_prefix("/aws/lambda/").expect("a function's");
                let log_group = &mut self.owned(name).log_group;
                assert_eq!(*log_group, Reading::Known(None), "the log group exists");
                *log_group = Reading::Known(Some(LogGroup {
                    retention_days: None,
                    ..wanted.clone()
                }));
            }
            Step::PutRetention { log_group, days } => {
                self.own_log_group(log_group).retention_days = Some(*days);
            }
            Step::TagLogGroup { log_group, tags } => self.own_log_group(log_group).tags.extend(tags.clone()),
            Step::UntagLogGroup { log_group, keys } => {
                self.own_log_group(log_group)
                    .tags
                    .retain(|key, _| !keys.contains(key));
            }
            Step::DeleteLogGroup { log_group } => {
                self.own_log_group(log_group);
                let name = log_group.strip_prefix("/aws/lambda/").expect("a function's");
                let owner = self.owner.clone();
                let owned = self.owned(name);
                let writes = there(&mut owned.function).is_some_and(|function| owner.owns(&function.tags));
                assert!(!writes, "{name} still writes to its log group");
                owned.log_group = Reading::Known(None);
            }
            other => unreachable!("{other} does not go to CloudWatch Logs"),
        }
    }

    fn own_log_group(&mut self, name: &str) -> &mut LogGroup {
        let groups = self.observed.owned.values_mut();
        let group = groups
            .filter_map(|owned| there(&mut owned.log_group))
            .find(|group| group.name == name)
            .expect("a log group that exists");
        ours(&self.owner, &group.tags);
        group
    }

    fn policy(&mut self, function: &FunctionArn) -> &mut Value {
        match self.observed.functions.get_mut(function) {
            Some(Reading::Known(FunctionPolicy::Policy(policy))) => policy,
            other => panic!("{function} has no policy: {other:?}"),
        }
    }

    /// Puts a statement into a function's policy.
    pub(crate) fn add_statement(&mut self, function: &FunctionArn, id: &str, source_arn: &str) {
        let policy = self.policy(function);
        assert!(
            document::statement(policy, id).is_none(),
            "a second statement {id}"
        );
        let mut statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        statements.push(json!({"Sid": id, "Effect": "Allow", "Action": Permission::ACTION,
            "Principal": {"Service": Permission::PRINCIPAL}, "Resource": function.to_string(),
            "Condition": {"ArnLike": {"AWS:SourceArn": source_arn}}}));
        *policy = json!({"Version": "2012-10-17", "Statement": statements});
    }
}

/// A function of which nothing is there.
pub(crate) fn nothing() -> Owned {
    Owned {
        function: Reading::Known(None),
        role: Reading::Known(None),
        log_group: Reading::Known(None),
    }
}

fn there<T>(reading: &mut Reading<Option<T>>) -> Option<&mut T> {
    match reading {
        Reading::Known(Some(value)) => Some(value),
        _ => None,
    }
}

fn ours(owner: &Owner, tags: &BTreeMap<String, String>) {
    assert!(owner.owns(tags), "somebody else's");
}
