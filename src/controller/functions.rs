//! The object's own functions: which ones there may be, whose they are, and when nothing is left of one.

use jwthttpapi_core::{
    api::{Draft, JwtHttpApiSpec, JwtHttpApiStatus, Reason},
    model::{
        Desired, Observed, Owner,
        name::{FunctionArn, function_prefix},
        observed::{Integration, Owned},
    },
    plan::plan_deletion,
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

    /// Those that observed integrations lead to.
    pub(crate) fn reached(owner: &'a Owner, integrations: &[Integration]) -> Self {
        let prefix = function_prefix(owner);
        let name = |integration: &Integration| {
            let arn = FunctionArn::parse(&integration.uri, None).ok()?;
            Some(arn.name().strip_prefix(&prefix)?.to_owned())
        };
        let names = integrations.iter().filter_map(name).collect();
        Self { owner, names }
    }
}

/// What has the name of one that the object wants and is somebody else's; or a function that was the object's, over a role and logs
/// that still are: taken away they would be missed.
pub(crate) fn conflict(owner: &Owner, desired: &Desired, seen: &BTreeMap<String, Owned>) -> Option<Draft> {
    let foreign = |tags: &BTreeMap<String, String>| !owner.owns(tags);
    seen.iter().find_map(|(name, owned)| {
        let wanted = desired.owned.contains_key(name);
        let function = owned.function.known().and_then(Option::as_ref);
        let role = owned.role.known().and_then(Option::as_ref);
        let group = owned.log_group.known().and_then(Option::as_ref);
        let (reason, what) = if function.is_some_and(|function| foreign(&function.tags)) {
            if !wanted && is_gone(owner, name, owned) {
                return None;
            }
            (Reason::FunctionNameConflict, format!("a function named {name}"))
        } else if let Some(group) = group.filter(|group| wanted && foreign(&group.tags)) {
            (
                Reason::FunctionNameConflict,
                format!("a log group named {}", group.name),
            )
        } else if let Some(role) = role.filter(|role| wanted && foreign(&role.tags)) {
            (Reason::RoleNameConflict, format!("a role {}", role.arn))
        } else {
            return None;
        };
        let way_out = if wanted {
            "delete it, or give the function another name"
        } else {
            "delete it, or put its tags back on"
        };
        let message = format!("{what} exists and is not this object's; {way_out}");
        Some(Draft::no(reason, message))
    })
}

/// Whether nothing of the owner's is left of a function, by what was seen of it. That its deletion was answered is not enough.
pub(crate) fn is_gone(owner: &Owner, name: &str, seen: &Owned) -> bool {
    let is_known =
        seen.function.known().is_some() && seen.role.known().is_some() && seen.log_group.known().is_some();
    let alone = Observed {
        owned: BTreeMap::from([(name.to_owned(), seen.clone())]),
        ..Observed::default()
    };
    is_known && plan_deletion(&alone, owner).is_empty()
}
