//! What an object may have in AWS: what to ask for, and which APIs are meant.

use super::{
    context::Context,
    functions::Own,
    look::{Questions, granted},
    record::Record,
};
use crate::aws::Extent;
use jwthttpapi_core::{
    api::{InvocationMode, JwtHttpApiStatus},
    model::{
        Owner,
        name::{Place, RoleName},
        observed::{Api, Reading, Role},
        owner::nonce,
    },
    plan::Candidate,
};
use std::collections::{BTreeMap, BTreeSet};

/// The object's APIs as statements name them: those that carry proof, and the one of the stored id when that is gone.
pub(super) fn sources(
    place: &Place,
    owner: &Owner,
    apis: &[Api],
    status: &JwtHttpApiStatus,
) -> BTreeSet<String> {
    let stored = status.api_id.as_ref();
    let gone = stored.filter(|id| !apis.iter().any(|api| api.id == **id));
    let ours = apis.iter().filter(|api| owner.owns(&api.tags));
    ours.map(|api| &api.id)
        .chain(gone)
        .map(|id| place.execute_api_arn(id))
        .collect()
}

/// ARN of the object's own role, when AWS shows it.
pub(super) fn own_role<'a>(seen: &'a Reading<Option<Role>>, owner: &Owner) -> Option<&'a str> {
    let role = seen.known()?.as_ref()?;
    owner.owns(&role.tags).then_some(role.arn.as_str())
}

/// The object's own functions as its deletion knows them.
pub(super) fn own<'a>(record: &Record, owner: &'a Owner) -> Option<Own<'a>> {
    let status = record.status();
    Own::of(owner, record.spec(), &status, status.nonce.is_none())
}

/// What deletion asks for: IAM only where a role may be, Lambda only where a statement may stand.
pub(super) fn questions<'a>(
    ctx: &Context,
    record: &Record,
    role: &RoleName,
    has_role: bool,
    own: Option<Own<'a>>,
) -> Questions<'a> {
    let status = record.status();
    let spec = record.spec();
    let brought = spec
        .invocation
        .as_ref()
        .is_some_and(|invocation| invocation.role_arn.is_some());
    let mode = spec.invocation_mode(ctx.policy.default_invocation);
    let by_role = mode == InvocationMode::Role && !brought;
    let lost = status.nonce.is_none();
    let may_have_role = status.role_arn.is_some() || lost || by_role || has_role;
    Questions {
        extent: Extent::Integrations,
        role: role.clone(),
        may_have_role,
        functions: granted(&status)
            .into_iter()
            .map(|function| (function, true))
            .collect(),
        own,
    }
}

/// The APIs to delete, of those that a list shows and of the `stored` one as it was read: those of complete proof; else the only one
/// of ours, when status has no nonce or the API names none (ADR 3). Otherwise none, and which ones could be meant, sorted.
pub(super) fn targets(
    owner: &Owner,
    status: &JwtHttpApiStatus,
    listed: &[Candidate],
    stored: Option<&Api>,
) -> Result<BTreeSet<String>, Vec<String>> {
    let listed = listed.iter().map(|api| (&api.id, api.nonce.as_deref()));
    let stored = stored.filter(|api| owner.owns(&api.tags));
    let stored = stored.map(|api| (&api.id, nonce(&api.tags)));
    // What was read is newer than what was listed.
    let shown: BTreeMap<&String, Option<&str>> = listed.chain(stored).collect();
    let ours = status.nonce.as_deref();
    let (mine, others): (Vec<_>, Vec<_>) = shown
        .iter()
        .partition(|(_, theirs)| ours.is_some() && **theirs == ours);
    let only_one = mine.is_empty() && others.len() == 1;
    let names_none = ours.is_none() || others.iter().all(|(_, theirs)| theirs.is_none());
    let is_certain = others.is_empty() || (only_one && names_none);
    let ids = shown.into_keys().cloned();
    if is_certain {
        Ok(ids.collect())
    } else {
        Err(ids.collect())
    }
}
