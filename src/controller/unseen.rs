//! What status names, nobody wants any more, and AWS does not show.
//!
//! Reads of IAM and Lambda may lag behind what was made a moment ago, by this process or by another one. Such a thing is gone when
//! this process deleted it and no other one's write can still make it again, or when AWS has not shown it for as long as it may
//! take; until then it is unknown.

use super::{expected::STALE_READ, look::granted};
use crate::aws::{Outcome, WRITE_TIMEOUT};
use jwthttpapi_core::{
    api::JwtHttpApiStatus,
    model::{
        Desired, Observed, Owner,
        desired::Invocation,
        document,
        name::{
            FunctionArn, execution_role_name, function_name, function_prefix, log_group, role_name,
            statement_id,
        },
        observed::{FunctionPolicy, Owned, Reading},
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
    /// Whether the object goes, and everything with it.
    goes: bool,
    /// Whether the invoke role is, if there is one.
    role: bool,
    /// Functions of the object's own that are wanted, by their names in AWS, and those that status names.
    wanted: BTreeSet<String>,
    told: BTreeSet<String>,
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
        let told = status.functions.iter();
        let granted = granted(status).into_iter();
        Self {
            owner,
            region,
            goes: desired.is_none(),
            role: !by_role,
            wanted: desired
                .iter()
                .flat_map(|desired| desired.owned.keys().cloned())
                .collect(),
            told: told.map(|told| function_name(owner, &told.name)).collect(),
            statements: granted.filter(|function| !reached.contains(function)).collect(),
        }
    }

    /// The name in the spec of a function that is leaving: status names it, or AWS shows some of it that is the owner's. At the end
    /// of the object whatever has such a name counts: that is the last look.
    fn function(&self, name: &str, seen: &Owned) -> Option<String> {
        let owns = |tags: &BTreeMap<String, String>| self.goes || self.owner.owns(tags);
        let function = seen.function.known().and_then(Option::as_ref);
        let role = seen.role.known().and_then(Option::as_ref);
        let group = seen.log_group.known().and_then(Option::as_ref);
        let is_shown = function.is_some_and(|function| owns(&function.tags))
            || role.is_some_and(|role| owns(&role.tags))
            || group.is_some_and(|group| owns(&group.tags));
        if self.wanted.contains(name) || !(is_shown || self.told.contains(name)) {
            return None;
        }
        name.strip_prefix(&function_prefix(self.owner)).map(str::to_owned)
    }
}

/// What of that may be there all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubt {
    /// How long it takes to be sure of all of it.
    pub(crate) left: Option<Duration>,
    /// How long it takes to be sure of the object's own functions, with their roles and log groups.
    pub(crate) functions: Option<Duration>,
    /// Functions on whose policy a statement of the object's own may stand. What else their policies show is known.
    pub(crate) statements: BTreeSet<FunctionArn>,
}

/// What a process remembers of that between two passes over an object.
#[derive(Clone, Debug)]
pub(crate) struct Unseen {
    things: BTreeMap<Thing, Missing>,
    /// Since when no other process writes for the object, if one ever did: its last write may have been on its way then.
    alone_since: Option<Instant>,
}

/// Who looks for the first time knows nothing of what others wrote a moment ago.
impl Default for Unseen {
    fn default() -> Self {
        Self {
            things: BTreeMap::new(),
            alone_since: Some(Instant::now()),
        }
    }
}

/// Why something is not shown.
#[derive(Clone, Copy, Debug)]
enum Missing {
    /// Nobody knows, since then.
    Since(Instant),
    /// This process deleted it.
    Deleted,
}

impl Unseen {
    /// Makes unknown what a look that began at an instant did not show and may be there all the same.
    pub(crate) fn doubt(
        &mut self,
        observed: &mut Observed,
        leaving: &Leaving<'_>,
        began: Instant,
        settle: Duration,
    ) -> Doubt {
        planted!(AbsentAtOnce => {
            return Doubt::default();
        });
        let Leaving { owner, region, .. } = leaving;
        let late_writes = self.late_writes(began, settle);
        let before = std::mem::take(&mut self.things);
        let apis = before.iter().filter(|(thing, _)| matches!(thing, Thing::Api(_)));
        self.things.extend(apis.map(|(thing, why)| (thing.clone(), *why)));
        let mut look = Look {
            before,
            after: &mut self.things,
            began,
            settle,
            late_writes,
        };
        let mut doubt = Doubt::default();
        if leaving.role {
            let role = Thing::Role(role_name(owner, region).name);
            doubt.left = look.at(role, &mut observed.role);
        }
        let id = statement_id(owner);
        for function in &leaving.statements {
            let statement = Thing::Statement(function.clone(), id.clone());
            let shown = match observed.functions.get(function).and_then(Reading::known) {
                Some(FunctionPolicy::Policy(policy)) => Some(document::statement(policy, &id).is_some()),
                // Of a function that is gone nothing is left.
                Some(FunctionPolicy::Missing | FunctionPolicy::Exists) => continue,
                None => None,
            };
            let left = look.of(statement, shown);
            if left.is_some() {
                doubt.statements.insert(function.clone());
            }
            doubt.left = doubt.left.max(left);
        }
        for (name, owned) in &mut observed.owned {
            let Some(told) = leaving.function(name, owned) else {
                continue;
            };
            let role = Thing::Role(execution_role_name(owner, region, &told).name);
            let parts = [
                look.at(role, &mut owned.role),
                look.at(Thing::Function(name.clone()), &mut owned.function),
                look.at(Thing::LogGroup(log_group(name)), &mut owned.log_group),
            ];
            doubt.functions = doubt.functions.max(parts.into_iter().max().flatten());
        }
        doubt.left = doubt.left.max(doubt.functions);
        doubt
    }

    /// Whether something is waited for.
    pub(crate) fn waits(&self, settle: Duration) -> bool {
        let mut missing = self.things.values();
        missing.any(|why| matches!(why, Missing::Since(_)))
            || self.may_return(Instant::now(), settle).is_some()
    }

    /// Nobody made anything for the object before this process.
    pub(crate) fn is_the_first(&mut self) {
        self.alone_since = None;
    }

    /// How long it takes until a write of an earlier process must show that may have been on its way when a look began.
    fn late_writes(&self, began: Instant, settle: Duration) -> Option<Duration> {
        planted!(DeletedForGood => {
            return None;
        });
        let longest = settle.min(WRITE_TIMEOUT + STALE_READ);
        let left = longest.saturating_sub(began.saturating_duration_since(self.alone_since?));
        (!left.is_zero()).then_some(left)
    }

    /// The same if it could make again what this process deleted. Of an API an intent tells.
    pub(crate) fn may_return(&self, began: Instant, settle: Duration) -> Option<Duration> {
        let returns = |(thing, why): (&Thing, &Missing)| {
            matches!(why, Missing::Deleted) && !matches!(thing, Thing::Api(_))
        };
        self.late_writes(began, settle)
            .filter(|_| self.things.iter().any(returns))
    }

    /// Whether this process deleted an API.
    pub(crate) fn has_deleted(&self, api: &str) -> bool {
        self.things.contains_key(&Thing::Api(api.to_owned()))
    }

    /// Remembers what a plan deleted, and forgets it of what the plan made afterwards, or may have.
    pub(crate) fn remember(&mut self, outcome: &Outcome) {
        for step in &outcome.done {
            if let Some(thing) = deleted(step) {
                self.things.insert(thing, Missing::Deleted);
            } else if let Some(thing) = made(step) {
                self.things.remove(&thing);
            }
        }
        for (step, _) in &outcome.faults {
            if let Some(thing) = made(step) {
                self.things.remove(&thing);
            }
        }
    }
}

/// One look at everything that is leaving. What it does not come across is wanted again, or forgotten by status.
struct Look<'a> {
    before: BTreeMap<Thing, Missing>,
    after: &'a mut BTreeMap<Thing, Missing>,
    began: Instant,
    settle: Duration,
    /// How long what this process deleted may be made again by an earlier one.
    late_writes: Option<Duration>,
}

impl Look<'_> {
    /// Makes a reading unknown if what it does not show may be there. How long it takes to be sure, then.
    fn at<T>(&mut self, thing: Thing, reading: &mut Reading<Option<T>>) -> Option<Duration> {
        let left = self.of(thing, reading.known().map(Option::is_some))?;
        *reading = Reading::Unknown;
        Some(left)
    }

    /// The same of something that was shown, or not, or could not be read.
    fn of(&mut self, thing: Thing, shown: Option<bool>) -> Option<Duration> {
        let before = self.before.remove(&thing);
        let why = match shown {
            Some(true) => return None,
            Some(false) => before.unwrap_or_else(|| Missing::Since(Instant::now())),
            None => {
                self.after.extend(before.map(|why| (thing, why)));
                return None;
            }
        };
        self.after.insert(thing, why);
        match why {
            Missing::Deleted => self.late_writes,
            Missing::Since(since) => {
                let left = self
                    .settle
                    .saturating_sub(self.began.saturating_duration_since(since));
                (!left.is_zero()).then_some(left)
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use jwthttpapi_core::model::function::LogGroup;

    #[test]
    fn what_only_a_log_group_tells_of_is_doubted_too() {
        let owner = Owner {
            cluster: "c".into(),
            kube_system: None,
            uid: "u".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        };
        let status = JwtHttpApiStatus::default();
        let name = function_name(&owner, "own");
        let group = LogGroup {
            name: log_group(&name),
            retention_days: None,
            tags: BTreeMap::new(),
        };
        let seen = Owned {
            function: Reading::Known(None),
            role: Reading::Known(None),
            log_group: Reading::Known(Some(group)),
        };
        let mut observed = Observed {
            owned: BTreeMap::from([(name.clone(), seen)]),
            ..Observed::default()
        };
        let leaving = Leaving::of(&status, &owner, "eu-central-1", None);
        let settle = Duration::from_secs(35);
        let doubt = Unseen::default().doubt(&mut observed, &leaving, Instant::now(), settle);
        assert_eq!(observed.owned[&name].role, Reading::Unknown);
        assert!(doubt.functions.is_some() && doubt.left == doubt.functions);
    }

    /// A list may keep a look for long after a policy was read in it.
    #[tokio::test(start_paused = true)]
    async fn what_a_look_shows_is_judged_by_when_it_began() {
        let settle = Duration::from_secs(35);
        let mut unseen = Unseen::default();
        unseen.remember(&Outcome {
            done: vec![Step::DeleteLogGroup {
                log_group: "group".into(),
            }],
            ..Outcome::default()
        });
        tokio::time::advance(Duration::from_secs(3)).await;
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(unseen.may_return(began, settle), Some(Duration::from_secs(4)));
        assert_eq!(unseen.may_return(Instant::now(), settle), None);
    }

    /// A statement that differs is replaced: by one plan, under one id.
    #[test]
    fn what_one_plan_deletes_and_makes_again_is_not_deleted() {
        let function =
            FunctionArn::parse("arn:aws:lambda:eu-central-1:123456789012:function:a", None).unwrap();
        let statement_id = "id".to_owned();
        let statement = Thing::Statement(function.clone(), statement_id.clone());
        let add = Step::AddPermission {
            function: function.clone(),
            statement_id: statement_id.clone(),
        };
        let remove = Step::RemovePermission {
            function,
            statement_id,
        };
        let mut unseen = Unseen::default();
        for (done, is_deleted) in [
            (vec![remove.clone()], true),
            (vec![remove.clone(), add.clone()], false),
            (vec![add, remove], true),
        ] {
            unseen.remember(&Outcome {
                done,
                ..Outcome::default()
            });
            assert_eq!(unseen.things.contains_key(&statement), is_deleted);
        }
    }
}
