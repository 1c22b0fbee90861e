//! What status must say before AWS is written to: a crash right after leaves nothing of ours unknown.

use jwthttpapi_core::{
    api::{FunctionStatus, JwtHttpApiStatus},
    model::{
        Desired,
        desired::{Invocation, Role},
        function::Function,
        name::FunctionArn,
    },
    plan::{Plan, Step},
    planted,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeSet;

/// What is about to be made that status must know of first.
pub(crate) struct Ahead<'a> {
    /// Functions on whose policy a statement of ours may stand.
    grants: BTreeSet<&'a FunctionArn>,
    /// ARN of the role that may exist.
    role: Option<&'a str>,
    /// Functions of the object's own of which something may exist.
    functions: Vec<&'a Function>,
    /// Whether IAM will have to settle.
    settles: bool,
}

impl<'a> Ahead<'a> {
    /// Everything that a creation makes: the intent says it ahead of the first plan, so that one write of status suffices.
    pub(crate) fn of_creation(desired: &'a Desired) -> Self {
        let role = role(desired);
        let by_policy = desired.invocation == Invocation::ResourcePolicy;
        Self {
            grants: if by_policy {
                desired.backends()
            } else {
                BTreeSet::new()
            },
            role: role.map(|role| role.arn.as_str()),
            functions: desired.owned.values().collect(),
            settles: role.is_some(),
        }
    }

    /// What the steps of a plan make. A role of the object's that is `seen` is told, too: a status that lost it learns of it again
    /// before the integrations that led through it go.
    pub(crate) fn of_plan(
        plan: &'a Plan,
        desired: &'a Desired,
        status: &JwtHttpApiStatus,
        seen: Option<&'a str>,
    ) -> Self {
        let steps = || plan.steps.iter().map(|planned| &planned.step);
        let makes_role =
            steps().any(|step| matches!(step, Step::CreateRole(role) if role.function.is_none()));
        let makes_some_of = |(name, function): &(&String, &Function)| {
            steps().any(|step| match step {
                Step::CreateLogGroup(group) => group.name == function.log_group.name,
                Step::CreateRole(role) => role.function.as_ref() == Some(*name),
                Step::CreateFunction { name: made, .. } => made == *name,
                _ => false,
            })
        };
        // The intent of this creation has said so already.
        let announced = makes_role
            && status.pending.is_some()
            && status.role_arn.is_some()
            && status.iam_changed_at.is_some();
        Self {
            grants: steps()
                .filter_map(|step| match step {
                    Step::AddPermission { function, .. } => Some(function),
                    _ => None,
                })
                .collect(),
            role: role(desired)
                .filter(|_| makes_role)
                .map(|role| role.arn.as_str())
                .or_else(|| seen.filter(|_| status.role_arn.is_none())),
            functions: desired
                .owned
                .iter()
                .filter(makes_some_of)
                .map(|(_, function)| function)
                .collect(),
            settles: !announced && steps().any(Step::settles),
        }
    }

    /// The status that says so, at a time.
    pub(crate) fn on(self, status: JwtHttpApiStatus, now: &Time) -> JwtHttpApiStatus {
        let mut grants: BTreeSet<String> = status.grants.into_iter().collect();
        if !planted!(UnwrittenGrants) {
            grants.extend(self.grants.into_iter().map(ToString::to_string));
        }
        let mut functions = status.functions;
        for function in self.functions {
            if !functions.iter().any(|told| told.name == function.name) {
                functions.push(told(function));
            }
        }
        JwtHttpApiStatus {
            functions,
            grants: grants.into_iter().collect(),
            role_arn: self.role.map(str::to_owned).or(status.role_arn),
            iam_changed_at: if self.settles {
                Some(now.clone())
            } else {
                status.iam_changed_at
            },
            ..status
        }
    }
}

/// What status says of a function.
pub(crate) fn told(function: &Function) -> FunctionStatus {
    FunctionStatus {
        name: function.name.clone(),
        arn: function.arn.to_string(),
    }
}

fn role(desired: &Desired) -> Option<&Role> {
    match &desired.invocation {
        Invocation::Role(role) => Some(role),
        Invocation::Brought { .. } | Invocation::ResourcePolicy => None,
    }
}
