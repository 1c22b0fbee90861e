//! What status names, nobody wants any more, and AWS does not show.
//!
//! Reads of IAM and Lambda may lag behind what was made a moment ago, by this process or by another one. Such a thing is gone when
//! this process deleted it, or when AWS has not shown it for as long as it may take; until then it is unknown.

use super::look::granted;
use crate::aws::Outcome;
use jwthttpapi_core::{
    api::JwtHttpApiStatus,
    model::{
        Desired, Observed, Owner,
        desired::Invocation,
        document,
        name::{FunctionArn, execution_role_name, function_name, log_group, role_name, statement_id},
        observed::{FunctionPolicy, Reading},
    },
    plan::Step,
    planted,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// Something of the object's, by its name in AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Api(String),
    Role(String),
    Function(String),
    LogGroup(String),
    /// A statement in a function's policy, by its id.
    Statement(FunctionArn, String),
}

/// What status names and nobody wants any more.
pub(crate) struct Leaving<'a> {
    owner: &'a Owner,
    region: &'a str,
    /// Whether the invoke role is, if there is one.
    role: bool,
    /// Functions of the object's own: names in the spec by those in AWS.
    functions: BTreeMap<String, String>,
    /// Functions on whose policy a statement of the object's may stand.
    statements: BTreeSet<FunctionArn>,
}

impl<'a> Leaving<'a> {
    /// What a status names and the spec does not want. `desired` is none for an object that goes.
    pub(crate) fn of(
        status: &JwtHttpApiStatus,
        owner: &'a Owner,
        region: &'a str,
        desired: Option<&Desired>,
    ) -> Self {
        let by_role = desired.is_some_and(|desired| matches!(desired.invocation, Invocation::Role(_)));
        let by_policy = desired.filter(|desired| desired.invocation == Invocation::ResourcePolicy);
        let reached = by_policy.map(Desired::backends).unwrap_or_default();
        let wanted = |name: &str| desired.is_some_and(|desired| desired.owned.contains_key(name));
        let told = status.functions.iter().map(|told| told.name.clone());
        let told = told.map(|name| (function_name(owner, &name), name));
        let granted = granted(status).into_iter();
        Self {
            owner,
            region,
            role: !by_role,
            functions: told.filter(|(name, _)| !wanted(name)).collect(),
            statements: granted.filter(|function| !reached.contains(function)).collect(),
        }
    }
}

/// What of that may be there all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubt {
    /// How long it takes to be sure of all of it.
    pub(crate) left: Option<Duration>,
    /// Functions on whose policy a statement of the object's own may stand. What else their policies show is known.
    pub(crate) statements: BTreeSet<FunctionArn>,
}

/// What a process remembers of that between two passes over an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unseen {
    /// Since when AWS does not show it.
    since: BTreeMap<Thing, Instant>,
    /// What this process deleted.
    deleted: BTreeSet<Thing>,
}

impl Unseen {
    /// Makes unknown what was not shown and may be there all the same.
    pub(crate) fn doubt(
        &mut self,
        observed: &mut Observed,
        leaving: &Leaving<'_>,
        settle: Duration,
    ) -> Doubt {
        planted!(AbsentAtOnce => {
            return Doubt::default();
        });
        let Leaving { owner, region, .. } = leaving;
        let mut look = Look {
            before: std::mem::take(&mut self.since),
            unseen: self,
            settle,
            doubt: Doubt::default(),
        };
        if leaving.role {
            let role = Thing::Role(role_name(owner, region).name);
            look.at(role, &mut observed.role);
        }
        let id = statement_id(owner);
        for function in &leaving.statements {
            // Of a function that is gone nothing is left.
            let reading = observed.functions.get(function);
            let Some(FunctionPolicy::Policy(policy)) = reading.and_then(Reading::known) else {
                continue;
            };
            let statement = Thing::Statement(function.clone(), id.clone());
            if document::statement(policy, &id).is_some() {
                look.is_shown(&statement);
            } else if look.is_unsure(statement) {
                look.doubt.statements.insert(function.clone());
            }
        }
        for (name, owned) in &mut observed.owned {
            let Some(told) = leaving.functions.get(name) else {
                continue;
            };
            let role = Thing::Role(execution_role_name(owner, region, told).name);
            look.at(role, &mut owned.role);
            let function = Thing::Function(name.clone());
            look.at(function, &mut owned.function);
            let logs = Thing::LogGroup(log_group(name));
            look.at(logs, &mut owned.log_group);
        }
        look.doubt
    }

    /// Whether AWS shows everything that status names, or it is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// Whether this process deleted an API.
    pub(crate) fn has_deleted(&self, api: &str) -> bool {
        self.deleted.contains(&Thing::Api(api.to_owned()))
    }

    /// Remembers what a plan deleted, and forgets it of what the plan may have made.
    pub(crate) fn remember(&mut self, outcome: &Outcome) {
        let faults = outcome.faults.iter().map(|(step, _)| step);
        for made in outcome.done.iter().chain(faults).filter_map(made) {
            self.deleted.remove(&made);
        }
        self.deleted.extend(outcome.done.iter().filter_map(deleted));
    }
}

/// One look at everything that is leaving.
struct Look<'a> {
    unseen: &'a mut Unseen,
    before: BTreeMap<Thing, Instant>,
    settle: Duration,
    doubt: Doubt,
}

impl Look<'_> {
    fn at<T>(&mut self, thing: Thing, reading: &mut Reading<Option<T>>) {
        let Some(seen) = reading.known() else { return };
        if seen.is_some() {
            self.is_shown(&thing);
        } else if self.is_unsure(thing) {
            *reading = Reading::Unknown;
        }
    }

    fn is_shown(&mut self, thing: &Thing) {
        self.unseen.deleted.remove(thing);
    }

    /// Whether something that was not shown may be there.
    fn is_unsure(&mut self, thing: Thing) -> bool {
        if self.unseen.deleted.contains(&thing) {
            return false;
        }
        let since = self.before.remove(&thing).unwrap_or_else(Instant::now);
        self.unseen.since.insert(thing, since);
        let left = self.settle.saturating_sub(since.elapsed());
        if left.is_zero() {
            return false;
        }
        self.doubt.left = self.doubt.left.max(Some(left));
        true
    }
}

fn made(step: &Step) -> Option<Thing> {
    match step {
        Step::CreateRole(role) => Some(Thing::Role(role.name.name.clone())),
        Step::CreateLogGroup(group) => Some(Thing::LogGroup(group.name.clone())),
        Step::CreateFunction { name, .. } => Some(Thing::Function(name.clone())),
        Step::AddPermission {
            function,
            statement_id,
        } => Some(Thing::Statement(function.clone(), statement_id.clone())),
        _ => None,
    }
}

fn deleted(step: &Step) -> Option<Thing> {
    match step {
        Step::DeleteApi { id } => Some(Thing::Api(id.clone())),
        Step::DeleteRole { role } => Some(Thing::Role(role.name.clone())),
        Step::DeleteLogGroup { log_group } => Some(Thing::LogGroup(log_group.clone())),
        Step::DeleteFunction { name } => Some(Thing::Function(name.clone())),
        Step::RemovePermission {
            function,
            statement_id,
        } => Some(Thing::Statement(function.clone(), statement_id.clone())),
        _ => None,
    }
}
