//! Children that this process made and that every complete list must show: a list without them is an old one.

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

/// Remembers the children that the execution of a plan made, and forgets those that it deleted.
pub(crate) fn remember(ctx: &Context, memory: &mut Memory, before: &Refs, outcome: &Outcome) {
    let ids = |refs: &Refs| -> BTreeSet<String> {
        let authorizers = refs.authorizers.values();
        authorizers
            .chain(refs.integrations.values())
            .chain(refs.routes.values())
            .cloned()
            .collect()
    };
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
