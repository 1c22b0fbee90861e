//! Which children of an API stay, and the ids that logical names stand for.

use super::children::can_change_in_place;
use super::planned::Refs;
use super::room::Room;
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
    kept.authorizers = authorizers(desired, api);
    replace(desired, api, room, &mut kept);
    for integration in ranked(api, &api.integrations, |integration| integration.id.as_str()) {
        let wanted = desired
            .integrations
            .iter()
            .find(|(marker, _)| marker.as_str() == integration.description);
        // What AWS cannot change in place is replaced: it is not kept.
        if let Some((marker, _)) = wanted.filter(|(_, wanted)| can_change_in_place(integration, wanted)) {
            kept.integrations.entry(marker).or_insert(integration);
        }
    }
    kept
}

/// The authorizer of each wanted name, one of a name: that which stays.
pub fn authorizers<'a>(
    desired: &'a Desired,
    api: &'a observed::Api,
) -> BTreeMap<&'a str, &'a observed::Authorizer> {
    let mut kept = BTreeMap::new();
    for authorizer in ranked(api, &api.authorizers, |authorizer| authorizer.id.as_str()) {
        if let Some((name, _)) = desired.authorizers.get_key_value(&authorizer.name) {
            kept.entry(name.as_str()).or_insert(authorizer);
        }
    }
    kept
}

/// Those that most routes refer to first, then by id.
fn ranked<'a, T>(api: &observed::Api, all: &'a [T], id: impl Fn(&T) -> &str) -> Vec<&'a T> {
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
    let rank = |one: &T| {
        let uses = uses.get(id(one)).copied().unwrap_or_default();
        (Reverse(uses), id(one).to_owned())
    };
    let mut all: Vec<&T> = all.iter().collect();
    all.sort_by_cached_key(|one| rank(one));
    all
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;
    use crate::model::build;
    use crate::plan::sketch::{owner, place, policy, route};
    use std::collections::BTreeSet;

    /// By name and audience, with one route each and a last one on that of the number.
    fn desired(authorizers: &[(&str, &str)], last: usize) -> Desired {
        let by = |key: &str, name: &str| api::Route {
            authorizer: Some(name.to_owned()),
            ..route(key, "f")
        };
        let names = || authorizers.iter().map(|(name, _)| *name);
        let routes = names().map(|name| by(&format!("GET /{name}"), name));
        let last = by("GET /last", names().nth(last).unwrap());
        let authorizers = authorizers.iter().map(|(name, audience)| api::Authorizer {
            name: (*name).to_owned(),
            issuer: "https://issuer.example.com/".to_owned(),
            audience: vec![(*audience).to_owned()],
            identity_source: None,
        });
        let spec = api::JwtHttpApiSpec {
            issuer: "https://issuer.example.com/".to_owned(),
            audience: vec!["a".to_owned()],
            authorizers: authorizers.collect(),
            routes: routes.chain([last]).collect(),
            ..api::JwtHttpApiSpec::default()
        };
        build(&spec, &owner(), &place(), "nonce", &policy()).unwrap()
    }

    /// Its ids are its names, in capitals.
    fn made(desired: &Desired) -> observed::Api {
        let authorizers = desired.authorizers.iter();
        let routes = desired.routes.iter();
        observed::Api {
            authorizers: authorizers
                .map(|(name, jwt)| observed::Authorizer {
                    id: name.to_uppercase(),
                    name: name.clone(),
                    jwt: Some(jwt.clone()),
                })
                .collect(),
            routes: routes
                .map(|(key, route)| observed::Route {
                    id: key.to_string(),
                    key: key.to_string(),
                    authorization: match &route.guard {
                        Guard::Public => observed::Authorization::None,
                        Guard::Jwt { authorizer, .. } => observed::Authorization::Jwt {
                            authorizer_id: authorizer.to_uppercase(),
                            scopes: BTreeSet::new(),
                        },
                    },
                    integration_id: None,
                    operation_name: String::new(),
                })
                .collect(),
            ..observed::Api::default()
        }
    }

    /// Which authorizer becomes which where there is room for so many.
    fn becomes(before: &Desired, after: &Desired, authorizers: usize) -> Vec<String> {
        let api = made(before);
        let room = Room {
            authorizers,
            ..Room::USUAL
        };
        let kept = keep(after, Some(&api), room);
        let kept = kept.authorizers.iter();
        let other = kept.filter(|(name, authorizer)| authorizer.name != **name);
        other
            .map(|(name, authorizer)| format!("{} {name}", authorizer.name))
            .collect()
    }

    #[test]
    fn only_as_many_authorizers_become_others_as_there_is_no_room_for() {
        let before = desired(&[("a", "x"), ("b", "y"), ("c", "z")], 0);
        let after = desired(&[("d", "x"), ("e", "y"), ("f", "z")], 0);
        assert_eq!(becomes(&before, &after, 6), [""; 0]);
        assert_eq!(becomes(&before, &after, 5), ["a d"]);
        assert_eq!(becomes(&before, &after, 4), ["a d", "b e"]);
        assert_eq!(becomes(&before, &after, 3), ["a d", "b e", "c f"]);
        assert_eq!(becomes(&before, &after, 2), ["a d", "b e", "c f"]);
    }

    #[test]
    fn an_authorizer_becomes_best_one_of_its_own_configuration() {
        let before = desired(&[("a", "x"), ("b", "y")], 0);
        let after = desired(&[("c", "y")], 0);
        assert_eq!(becomes(&before, &after, 2), ["b c"]);
    }

    #[test]
    fn an_authorizer_becomes_rather_the_one_that_its_routes_move_to() {
        let before = desired(&[("a", "x"), ("b", "y")], 1);
        let after = desired(&[("c", "z")], 0);
        assert_eq!(becomes(&before, &after, 2), ["b c"]);
        let before = desired(&[("a", "x"), ("b", "y")], 0);
        assert_eq!(becomes(&before, &after, 2), ["a c"]);
    }
}
