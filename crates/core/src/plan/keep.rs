//! Which children of an API stay, and the ids that logical names stand for.

use super::children::can_change_in_place;
use super::room::Room;
use super::step::Refs;
use crate::model::desired::{Desired, Guard, Marker};
use crate::model::observed;
use std::cmp::Reverse;
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
    let rank = |id: &str| (Reverse(uses.get(id).copied().unwrap_or_default()), id.to_owned());
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

/// Where there is no room for authorizers that come beside those that go, some of those become them: best one of the same
/// configuration, which changes nobody's access, then the one whose routes move to the other.
fn replace<'a>(desired: &'a Desired, api: &'a observed::Api, room: Room, kept: &mut Kept<'a>) {
    let stays = |id: &str| kept.authorizers.values().any(|kept| kept.id == id);
    let going = api.authorizers.iter().filter(|authorizer| !stays(&authorizer.id));
    let coming = desired.authorizers.iter();
    let coming: Vec<_> = coming
        .filter(|(name, _)| !kept.authorizers.contains_key(name.as_str()))
        .collect();
    let mut too_many = (api.authorizers.len() + coming.len()).saturating_sub(room.authorizers);
    let mut pairs = Vec::new();
    for authorizer in going {
        // Which routes are on one of another kind is not known.
        let Some(now) = &authorizer.jwt else { continue };
        for (name, jwt) in &coming {
            let shared = shared_routes(desired, api, &authorizer.id, name);
            let rank = (now != *jwt, Reverse(shared), &authorizer.id);
            pairs.push((rank, name.as_str(), authorizer));
        }
    }
    pairs.sort_by_key(|(rank, name, _)| (*rank, *name));
    for (_, name, authorizer) in pairs {
        let is_free = !kept.authorizers.values().any(|kept| kept.id == authorizer.id);
        if too_many > 0 && is_free && !kept.authorizers.contains_key(name) {
            kept.authorizers.insert(name, authorizer);
            too_many -= 1;
        }
    }
}

/// How many routes are on one authorizer and shall be on another.
fn shared_routes(desired: &Desired, api: &observed::Api, from: &str, to: &str) -> usize {
    let is_from = |route: &&observed::Route| matches!(&route.authorization, observed::Authorization::Jwt { authorizer_id, .. } if authorizer_id == from);
    let is_to = |route: &observed::Route| {
        let wanted = route.parsed().and_then(|key| desired.routes.get(&key));
        wanted.is_some_and(|route| matches!(&route.guard, Guard::Jwt { authorizer, .. } if authorizer == to))
    };
    api.routes
        .iter()
        .filter(is_from)
        .filter(|route| is_to(route))
        .count()
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
