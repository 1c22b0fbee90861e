//! What this process wrote a moment ago: a list without the children that it made is an old one, and what is read of roles and of
//! functions may be.

use super::context::{Context, Memory};
use crate::aws::Outcome;
use jwthttpapi_core::{
    model::observed::Api,
    plan::{Refs, Step},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// How long a list that misses what this process made is left alone before it is read again.
pub(crate) const STALE_LIST: Duration = Duration::from_secs(2);
/// For how long what is read of roles and functions may be older than what this process wrote.
pub(crate) const STALE_READ: Duration = Duration::from_secs(2);

/// Whether the lists miss children that this process made a short while ago.
pub(crate) fn stale(memory: &mut Memory, api: &Api) -> bool {
    let Some((ids, until)) = &memory.expected else {
        return false;
    };
    let shown: BTreeSet<&str> = api
        .routes
        .iter()
        .map(|route| route.id.as_str())
        .chain(api.integrations.iter().map(|integration| integration.id.as_str()))
        .chain(api.authorizers.iter().map(|authorizer| authorizer.id.as_str()))
        .collect();
    let missing = ids.iter().any(|id| !shown.contains(id.as_str()));
    if missing && Instant::now() < *until {
        return true;
    }
    memory.expected = None;
    false
}

/// Whether what is read now of roles and of functions may be older than what this process wrote: that it is as wanted proves nothing.
pub(crate) fn may_be_old(memory: &Memory) -> bool {
    let wrote = memory.wrote_beside;
    wrote.is_some_and(|wrote| wrote.elapsed() < STALE_READ)
}

/// Remembers what the execution of a plan wrote beside the API, and the children that it made, and forgets those that it deleted.
pub(crate) fn remember(ctx: &Context, memory: &mut Memory, before: &Refs, outcome: &Outcome) {
    let ids = |refs: &Refs| -> BTreeSet<String> {
        let authorizers = refs.authorizers.values();
        authorizers
            .chain(refs.integrations.values())
            .chain(refs.routes.values())
            .cloned()
            .collect()
    };
    memory.wrote_beside = outcome.wrote_beside.or(memory.wrote_beside);
    let mut expected = memory.expected.take().map(|(ids, _)| ids).unwrap_or_default();
    expected.extend(ids(&outcome.refs).difference(&ids(before)).cloned());
    for step in &outcome.done {
        if let Step::DeleteAuthorizer { id, .. }
        | Step::DeleteIntegration { id }
        | Step::DeleteRoute { id, .. } = step
        {
            expected.remove(id);
        }
    }
    memory.expected = (!expected.is_empty()).then(|| (expected, Instant::now() + ctx.periods.settle));
}
