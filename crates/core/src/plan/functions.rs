//! Functions of the object's own: the log group first, then the role, then the function; in reverse when no route needs it any
//! more. Lambda refuses a change while another is under way, so that each is waited for.

use super::invocation::{delete_role, own_settings};
use super::order::Ordered;
use super::settings::tag_changes;
use super::step::Step;
use crate::model::Owner;
use crate::model::desired::{Desired, Role};
use crate::model::function::{Function, LogGroup};
use crate::model::name::FunctionArn;
use crate::model::observed::{self, Observed, Owned, Reading, State};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct FunctionSteps<'a> {
    /// What functions need, and those that are made.
    pub(super) before: Vec<Ordered>,
    /// What changes in those that are there.
    pub(super) changes: Vec<Ordered>,
    /// Those of them that answer as before until that is done.
    pub(super) changing: BTreeSet<&'a str>,
    pub(super) after: Vec<Ordered>,
}

/// The steps of all of them. What is not proven the owner's is touched by none: the caller reports it.
pub(super) fn functions<'a>(desired: &'a Desired, observed: &Observed, owner: &Owner) -> FunctionSteps<'a> {
    let nothing = Owned::default();
    let mut all = FunctionSteps::default();
    for (name, wanted) in &desired.owned {
        let now = observed.owned.get(name).unwrap_or(&nothing);
        let belongings = log_group(&wanted.log_group, &now.log_group, owner)
            .into_iter()
            .chain(role(&wanted.role, &now.role, owner));
        all.before.extend(belongings.map(routine));
        if now.function.known() == Some(&None) {
            all.before.extend(made(name, wanted).map(routine));
        } else if let Some(now) = ours(&now.function, |function| &function.tags, owner) {
            let changes = changes(name, wanted, now);
            let waits = |step: &Step| matches!(step, Step::AwaitFunction { .. });
            all.changing
                .extend(changes.iter().any(waits).then_some(name.as_str()));
            all.changes.extend(changes.into_iter().map(routine));
        }
    }
    let leaving = observed
        .owned
        .iter()
        .filter(|(name, _)| !desired.owned.contains_key(*name));
    all.after = leaving.flat_map(|(name, now)| remove(name, now, owner)).collect();
    all
}

const fn routine(step: Step) -> Ordered {
    (step, false)
}

/// Takes a function away, then its role; and its logs when neither of them is seen any more.
pub(super) fn remove(name: &str, now: &Owned, owner: &Owner) -> Vec<Ordered> {
    let function = ours(&now.function, |function| &function.tags, owner);
    let function = function.map(|_| Step::DeleteFunction {
        name: name.to_owned(),
    });
    // A function that may be there still needs it.
    let role = ours(&now.role, |role| &role.tags, owner).filter(|_| now.function.known().is_some());
    let role = role.map(delete_role);
    // By it the rest is found again: it stays until the rest was seen to be gone. An answer to its deletion is not enough.
    let is_known = now.function.known().is_some() && now.role.known().is_some();
    let is_alone = is_known && function.is_none() && role.is_none();
    let log_group = ours(&now.log_group, |group| &group.tags, owner).filter(|_| is_alone);
    let log_group = log_group.map(|group| Step::DeleteLogGroup {
        log_group: group.name.clone(),
    });
    let function = function.map(routine).into_iter();
    function
        .chain(role.unwrap_or_default())
        .chain(log_group.map(routine))
        .collect()
}

/// What goes before the role that is taken away at `index`: the function to which it belonged, if that is taken away at all.
pub(super) fn deleted_before<'a>(steps: impl Iterator<Item = &'a Step>, index: usize) -> Option<usize> {
    let steps: Vec<&Step> = steps.take(index).collect();
    steps
        .iter()
        .rposition(|step| matches!(step, Step::DeleteFunction { .. }))
}

/// Whether a function is there and the owner's to change and to delete: its policy goes with it.
pub(super) fn is_own(function: &FunctionArn, observed: &Observed, owner: &Owner) -> bool {
    let owned = observed.owned.get(function.name());
    owned.is_some_and(|owned| ours(&owned.function, |function| &function.tags, owner).is_some())
}

/// What was read and is the owner's, by its tags.
pub(super) fn ours<'a, T>(
    reading: &'a Reading<Option<T>>,
    tags: impl Fn(&T) -> &BTreeMap<String, String>,
    owner: &Owner,
) -> Option<&'a T> {
    let there = reading.known()?.as_ref()?;
    (owner.owns(tags(there))).then_some(there)
}

fn log_group(wanted: &LogGroup, now: &Reading<Option<LogGroup>>, owner: &Owner) -> Vec<Step> {
    let log_group = || wanted.name.clone();
    let keep = |days| Step::PutRetention {
        log_group: log_group(),
        days,
    };
    if now.known() == Some(&None) {
        let keep = wanted.retention_days.map(keep);
        return [Step::CreateLogGroup(wanted.clone())]
            .into_iter()
            .chain(keep)
            .collect();
    }
    let Some(now) = ours(now, |group| &group.tags, owner) else {
        return Vec::new();
    };
    let keep = wanted
        .retention_days
        .filter(|_| now.retention_days != wanted.retention_days)
        .map(keep);
    let (set, unset) = tag_changes(&wanted.tags, &now.tags);
    let tag = (!set.is_empty()).then(|| Step::TagLogGroup {
        log_group: log_group(),
        tags: set,
    });
    let untag = (!unset.is_empty()).then(|| Step::UntagLogGroup {
        log_group: log_group(),
        keys: unset,
    });
    keep.into_iter().chain(untag).chain(tag).collect()
}

fn role(wanted: &Role, now: &Reading<Option<observed::Role>>, owner: &Owner) -> Vec<Step> {
    let put = || Step::PutRolePolicy {
        role: wanted.name.clone(),
        policy: wanted.policy.clone(),
        // Traffic waits for no logs.
        widens: false,
    };
    if now.known() == Some(&None) {
        return vec![Step::CreateRole(Box::new(wanted.clone())), put()];
    }
    let Some(now) = ours(now, |role| &role.tags, owner) else {
        return Vec::new();
    };
    let fits = now
        .policy
        .as_ref()
        .is_some_and(|policy| wanted.policy.matches(policy));
    let mut steps = own_settings(wanted, now);
    steps.extend((!fits).then(put));
    steps
}

fn made(name: &str, wanted: &Function) -> impl Iterator<Item = Step> {
    let create = Step::CreateFunction {
        name: name.to_owned(),
        function: Box::new(wanted.clone()),
    };
    let wait = Step::AwaitFunction {
        name: name.to_owned(),
    };
    [create, wait].into_iter()
}

fn changes(name: &str, wanted: &Function, now: &observed::Function) -> Vec<Step> {
    let name = || name.to_owned();
    let wait = || Step::AwaitFunction { name: name() };
    let mut steps = Vec::new();
    if now.state == State::Changing {
        steps.push(wait());
    }
    if now.sha256 != wanted.code.sha256 || now.architecture != wanted.code.architecture.as_str() {
        let code = Box::new(wanted.code.clone());
        steps.extend([Step::UpdateFunctionCode { name: name(), code }, wait()]);
    }
    // A change that failed is not what was asked, whatever reads back: it is asked for again.
    let failed = steps.is_empty() && matches!(now.state, State::ChangeFailed(_));
    if now.configuration != wanted.configuration || failed {
        let configuration = Box::new(wanted.configuration.clone());
        let update = Step::UpdateFunctionConfiguration {
            name: name(),
            configuration,
        };
        steps.extend([update, wait()]);
    }
    // Nothing makes up for a creation that failed: the wait says so until somebody changes something.
    if steps.is_empty() && matches!(now.state, State::Failed(_)) {
        steps.push(wait());
    }
    let (set, unset) = tag_changes(&wanted.tags, &now.tags);
    if !unset.is_empty() {
        steps.push(Step::UntagFunction {
            name: name(),
            keys: unset,
        });
    }
    if !set.is_empty() {
        steps.push(Step::TagFunction {
            name: name(),
            tags: set,
        });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DeletionPolicy;

    #[test]
    fn a_role_stays_while_its_function_may_be_there_and_a_log_group_until_nothing_else_is() {
        let owner = Owner {
            cluster: "c".into(),
            kube_system: None,
            uid: "u".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        };
        let group = LogGroup {
            name: "/aws/lambda/f".into(),
            retention_days: None,
            tags: owner.tags("n", DeletionPolicy::Delete),
        };
        let role = observed::Role {
            arn: "arn:aws:iam::123456789012:role/jwthttpapi/f".into(),
            tags: group.tags.clone(),
            ..observed::Role::default()
        };
        let steps_after = |function, role| {
            let now = Owned {
                function,
                role,
                log_group: Reading::Known(Some(group.clone())),
            };
            let steps = remove("f", &now, &owner).into_iter();
            steps.map(|(step, _)| step.to_string()).collect::<Vec<_>>()
        };
        let steps = |role| steps_after(Reading::Known(None), role);
        assert_eq!(steps(Reading::Unknown), [""; 0]);
        // A function that may be there may still need its role.
        let role = Reading::Known(Some(role));
        assert_eq!(steps_after(Reading::Unknown, role.clone()), [""; 0]);
        assert_eq!(steps(role), ["delete role f"]);
        assert_eq!(steps(Reading::Known(None)), ["delete log group /aws/lambda/f"]);
    }
}
