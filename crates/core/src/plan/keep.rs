//! Which children of an API stay, and the ids that logical names stand for.

use super::children::can_change_in_place;
use super::room::Room;
use super::step::Refs;
use crate::model::desired::{Desired, Jwt, Marker};
use crate::model::observed;
use std::collections::BTreeMap;

/// Children of the API that stay, chosen among duplicates.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    /// By the wanted name, which one that takes another's place does not have yet.
    pub(super) authorizers: BTreeMap<&'a str, &'a observed::Authorizer>,
    /// By marker; only those that the desired state asks for.
    pub(super) integrations: BTreeMap<&'a Marker, &'a observed::Integration>,
}

/// Chooses among duplicates: the one that most routes refer to, then the lowest id.
pub(super) fn keep<'a>(desired: &'a Desired, api: Option<&'a observed::Api>, room: Room) -> Kept<'a> {
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
        let Some((name, _)) = desired.authorizers.get_key_value(&authorizer.name) else {
            continue;
        };
        let entry = kept.authorizers.entry(name).or_insert(authorizer);
        if rank(&authorizer.id) < rank(&entry.id) {
            *entry = authorizer;
        }
    }
    replace(desired, api, room, &mut kept);
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

/// Where there is no room for authorizers that come beside those that go, some of those become them: one of the same
/// configuration if there is one, which changes nobody's access.
fn replace<'a>(desired: &'a Desired, api: &'a observed::Api, room: Room, kept: &mut Kept<'a>) {
    let stays =
        |authorizer: &&observed::Authorizer| kept.authorizers.values().any(|kept| kept.id == authorizer.id);
    let (_, mut going): (Vec<_>, Vec<_>) = api.authorizers.iter().partition(stays);
    going.sort_by_key(|authorizer| (&authorizer.name, &authorizer.id));
    let mut coming: Vec<_> = desired.authorizers.iter().collect();
    coming.retain(|(name, _)| !kept.authorizers.contains_key(name.as_str()));
    let too_many = (api.authorizers.len() + coming.len()).saturating_sub(room.authorizers);
    let is_as = |jwt: &Jwt, authorizer: &observed::Authorizer| authorizer.jwt.as_ref() == Some(jwt);
    coming.sort_by_key(|(_, jwt)| !going.iter().any(|authorizer| is_as(jwt, authorizer)));
    for (name, jwt) in coming.into_iter().take(too_many) {
        let same = going.iter().position(|authorizer| is_as(jwt, authorizer));
        let index = same.unwrap_or_default();
        if index < going.len() {
            kept.authorizers.insert(name, going.remove(index));
        }
    }
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
