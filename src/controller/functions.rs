//! The object's own functions: which ones there may be, whose they are, and when nothing is left of one.

use jwthttpapi_core::{
    api::{Draft, JwtHttpApiSpec, JwtHttpApiStatus, Reason},
    model::{
        Owner, Proof,
        observed::{Owned, Reading},
    },
    plan::Step,
};
use std::collections::{BTreeMap, BTreeSet};

/// The owner's functions that a pass asks for, by their names in the spec.
pub(crate) struct Own<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) names: BTreeSet<String>,
}

impl<'a> Own<'a> {
    /// Those that the spec wants and those that status says may be left of earlier specs. None of either, and a status that
    /// was not `lost`: nothing is asked.
    pub(crate) fn of(
        owner: &'a Owner,
        spec: &JwtHttpApiSpec,
        status: &JwtHttpApiStatus,
        lost: bool,
    ) -> Option<Self> {
        let wanted = spec.functions.iter().map(|function| function.name.clone());
        let left = status.functions.iter().map(|function| function.name.clone());
        let names: BTreeSet<String> = wanted.chain(left).collect();
        (lost || !names.is_empty()).then_some(Self { owner, names })
    }
}

/// What has the name of one of the object's own and is somebody else's.
pub(crate) fn conflict(owner: &Owner, seen: &BTreeMap<String, Owned>) -> Option<Draft> {
    let foreign = |tags: &BTreeMap<String, String>| owner.proof(tags, None) == Proof::None;
    seen.iter().find_map(|(name, owned)| {
        let function = owned.function.known().and_then(Option::as_ref);
        let role = owned.role.known().and_then(Option::as_ref);
        let group = owned.log_group.known().and_then(Option::as_ref);
        let (reason, what) = if function.is_some_and(|function| foreign(&function.tags)) {
            (Reason::FunctionNameConflict, format!("a function named {name}"))
        } else if let Some(group) = group.filter(|group| foreign(&group.tags)) {
            (
                Reason::FunctionNameConflict,
                format!("a log group named {}", group.name),
            )
        } else if let Some(role) = role.filter(|role| foreign(&role.tags)) {
            (Reason::RoleNameConflict, format!("a role {}", role.arn))
        } else {
            return None;
        };
        let message =
            format!("{what} exists and is not this object's; delete it, or give the function another name");
        Some(Draft::no(reason, message))
    })
}

/// Whether nothing of a function is left: what was seen of it was not there, or was deleted since.
pub(crate) fn is_gone(name: &str, seen: &Owned, done: &[Step]) -> bool {
    let function = |step: &Step| matches!(step, Step::DeleteFunction { name: deleted } if deleted == name);
    let role = |step: &Step, arn: &str| matches!(step, Step::DeleteRole { role } if arn.rsplit('/').next() == Some(role.name.as_str()));
    let group =
        |step: &Step, name: &str| matches!(step, Step::DeleteLogGroup { log_group } if log_group == name);
    (seen.function.known() == Some(&None) || done.iter().any(function))
        && match &seen.role {
            Reading::Known(Some(seen)) => done.iter().any(|step| role(step, &seen.arn)),
            other => other.known().is_some(),
        }
        && match &seen.log_group {
            Reading::Known(Some(seen)) => done.iter().any(|step| group(step, &seen.name)),
            other => other.known().is_some(),
        }
}
