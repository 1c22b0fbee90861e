//! What an owner that is no more has in AWS beside its API: roles, functions, their logs, statements on functions of others.

use super::{
    functions::Own,
    look::{Questions, look, reached_by_policy},
};
use crate::aws::{self, Extent, Fault, Session};
use jwthttpapi_core::{
    api::JwtHttpApiStatus,
    model::{
        Observed, Owner,
        name::role_name,
        observed::{Integration, Owned, Reading},
    },
    plan::{Step, plan_deletion},
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// How far the removal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// AWS shows nothing any more.
    Empty,
    /// There was something, and it was deleted: to be looked at once more.
    Done,
    /// The process stops, or time is over.
    Cut,
}

/// What could not be done, if a step failed, and why.
pub(super) type Failure = (Option<Step>, Fault);

/// The last owner of an API that an object took over, or is about to have taken over when its tags say that it is the object's.
pub(super) fn last_owner(
    owner: &Owner,
    status: &JwtHttpApiStatus,
    api_ids: &BTreeSet<String>,
) -> Option<Owner> {
    let pending = status.pending.as_ref();
    let pending = pending.filter(|pending| pending.api_id.as_ref().is_some_and(|id| api_ids.contains(id)));
    let uid = status
        .reclaimed_from
        .clone()
        .or_else(|| pending?.from_uid.clone())?;
    Some(Owner { uid, ..owner.clone() })
}

/// Reads what there is.
///
/// Functions are known by their log groups, which are made first and deleted last. `integrations` are those of the owner's API, if it
/// has one: they tell of functions, too, and of those on whose policy a statement of the owner's may stand.
pub(super) async fn see(
    session: &Session,
    owner: &Owner,
    integrations: &[Integration],
) -> Result<Observed, Fault> {
    let with_policy = |function| (function, true);
    let questions = Questions {
        extent: Extent::Settings,
        role: role_name(owner, &session.place().region),
        may_have_role: true,
        functions: reached_by_policy(integrations)
            .into_iter()
            .map(with_policy)
            .collect(),
        own: Some(Own::reached(owner, integrations)),
    };
    let sight = look(session, None, &questions).await;
    match sight.faults.into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(Observed {
            api: None,
            role: made_by(owner, sight.role, |role| &role.tags),
            functions: sight.functions,
            lineage: BTreeSet::new(),
            last: None,
            owned: sight
                .owned
                .into_iter()
                .map(|(name, owned)| (name, its_own(owner, owned)))
                .collect(),
        }),
    }
}

/// The last owner's uid comes from status alone: what carries it and names another object is that one's.
fn made_by<T>(
    owner: &Owner,
    seen: Reading<Option<T>>,
    tags: fn(&T) -> &BTreeMap<String, String>,
) -> Reading<Option<T>> {
    match seen {
        Reading::Known(Some(thing)) if !owner.may_have_made(tags(&thing)) => Reading::Known(None),
        seen => seen,
    }
}

fn its_own(owner: &Owner, owned: Owned) -> Owned {
    Owned {
        function: made_by(owner, owned.function, |function| &function.tags),
        role: made_by(owner, owned.role, |role| &role.tags),
        log_group: made_by(owner, owned.log_group, |group| &group.tags),
    }
}

/// Reads what the last owner of an API has beside it, and deletes what there is. Its statements are its
/// successor's by lineage.
pub(super) async fn remove(
    session: &Session,
    owner: &Owner,
    cut: &(dyn Fn() -> bool + Sync),
    deadline: Instant,
) -> Result<Removal, Failure> {
    let observed = see(session, owner, &[]).await.map_err(|fault| (None, fault))?;
    take_away(session, owner, &observed, cut, deadline).await
}

/// Deletes what was seen.
pub(super) async fn take_away(
    session: &Session,
    owner: &Owner,
    observed: &Observed,
    cut: &(dyn Fn() -> bool + Sync),
    deadline: Instant,
) -> Result<Removal, Failure> {
    let plan = plan_deletion(observed, owner);
    if plan.is_empty() {
        return Ok(Removal::Empty);
    }
    for planned in &plan.steps {
        tracing::info!(step = %planned.step, of = %owner.uid, "planned");
    }
    let outcome = aws::run(session, plan, cut, deadline).await;
    if let Some((step, fault)) = outcome.gravest() {
        return Err((Some(step.clone()), fault.clone()));
    }
    Ok(if outcome.cut { Removal::Cut } else { Removal::Done })
}
