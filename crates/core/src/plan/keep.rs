//! Which children of an API stay, and the ids that logical names stand for.

use super::children::can_change_in_place;
use super::step::Refs;
use crate::model::desired::{Desired, Marker};
use crate::model::observed;
use std::collections::BTreeMap;

/// Children of the API that stay, chosen among duplicates.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    /// By name.
    pub(super) authorizers: BTreeMap<&'a str, &'a observed::Authorizer>,
    /// By marker; only those that the desired state asks for.
    pub(super) integrations: BTreeMap<&'a Marker, &'a observed::Integration>,
}

/// Chooses among duplicates: the one that most routes refer to, then the lowest id.
pub(super) fn keep<'a>(desired: &'a Desired, api: Option<&'a observed::Api>) -> Kept<'a> {
    let mut kept = Kept::default();
    let Some(api) = api else { return kept };
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for route in &api.routes {
        let authorizer = match &route.authorization {
            observed::Authorization::Jwt { authorizer_id, .. } => Some(authorizer_id.as_str()),
            _ => None,
        };
        for id in route.integration_id.as_deref().into_iter().chain(authorizer) {
            *uses.entry(id).or_default() += 1;
        }
    }
    let rank = |id: &str| {
        (
            std::cmp::Reverse(uses.get(id).copied().unwrap_or_default()),
            id.to_owned(),
        )
    };
    for authorizer in &api.authorizers {
        let entry = kept
            .authorizers
            .entry(authorizer.name.as_str())
            .or_insert(authorizer);
        if rank(&authorizer.id) < rank(&entry.id) {
            *entry = authorizer;
        }
    }
    for integration in &api.integrations {
        let wanted = desired
            .integrations
            .iter()
            .find(|(marker, _)| marker.as_str() == integration.description);
        // What AWS cannot change in place is replaced: it is not kept.
        let Some((marker, _)) = wanted.filter(|(_, wanted)| can_change_in_place(integration, wanted)) else {
            continue;
        };
        let entry = kept.integrations.entry(marker).or_insert(integration);
        if rank(&integration.id) < rank(&entry.id) {
            *entry = integration;
        }
    }
    kept
}

pub(super) fn refs(api: Option<&observed::Api>, kept: &Kept<'_>) -> Refs {
    let Some(api) = api else { return Refs::default() };
    Refs {
        api: Some(api.id.clone()),
        authorizers: kept
            .authorizers
            .iter()
            .map(|(name, a)| ((*name).to_owned(), a.id.clone()))
            .collect(),
        integrations: kept
            .integrations
            .iter()
            .map(|(marker, i)| ((*marker).clone(), i.id.clone()))
            .collect(),
        routes: api
            .routes
            .iter()
            .rev()
            .filter_map(|route| Some((route.parsed()?, route.id.clone())))
            .collect(),
    }
}
