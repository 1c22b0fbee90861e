//! The comparison, kind by kind, and the plan that comes of it.

use super::children::{
    leftovers, mended_integrations, redeploy, spare_integrations, stage, strange_routes, strange_stages,
    to_answer_otherwise,
};
use super::functions::functions;
use super::invocation::{grants, role};
use super::keep::{keep, refs};
use super::links::link;
use super::order::{Ordered, order};
use super::planned::Plan;
use super::room::Room;
use super::settings::{closing, opening, settings};
use super::step::Step;
use crate::model::desired::Desired;
use crate::model::name::Place;
use crate::model::{Observed, Owner};

/// The steps that make AWS equal to the desired state. Total and deterministic; empty exactly when nothing is to be done.
///
/// What could not be read, and a role that is not proven the owner's, get no steps: it is the caller's to say so, and to
/// execute [`only_tightening`](super::only_tightening) steps alone meanwhile.
pub fn plan(desired: &Desired, observed: &Observed, owner: &Owner, place: &Place) -> Plan {
    plan_within(Room::USUAL, desired, observed, owner, place)
}

pub(super) fn plan_within(
    room: Room,
    desired: &Desired,
    observed: &Observed,
    owner: &Owner,
    place: &Place,
) -> Plan {
    let api = observed.api.as_ref();
    let room = room.of(api);
    let kept = keep(desired, api, room);
    let grants = grants(desired, observed, owner, place);
    let role = role(desired, observed, owner);
    let functions = functions(desired, observed, owner);
    let create = || (Step::CreateApi(Box::new(desired.api.clone())), false);

    let mut draft: Vec<Ordered> = Vec::new();
    draft.extend(role.before);
    draft.extend(functions.before);
    draft.extend(api.is_none().then(create));
    draft.extend(grants.before.iter().cloned());
    draft.extend(closing(desired, api));
    draft.extend(strange_stages(api));
    planted!(LeftoversFirst => {
        draft.extend(strange_routes(api));
        draft.extend(leftovers(api, &kept, &[]));
    });
    let spare = spare_integrations(observed, &kept, &grants);
    let otherwise = to_answer_otherwise(&kept, desired, &functions.changing);
    let mut ordered = order(desired, api, &kept, otherwise, spare, room);
    let leftovers = leftovers(api, &kept, &ordered);
    // What takes access away goes before what gives those who are left other answers; who is let in comes after it.
    let lets_in = ordered.iter().position(|(_, tightens)| !tightens);
    let rest = ordered.split_off(lets_in.unwrap_or(ordered.len()));
    draft.extend(ordered);
    draft.extend(functions.changes);
    draft.extend(mended_integrations(&kept, desired));
    draft.extend(rest);
    draft.extend(settings(desired, api));
    draft.extend(stage(api));
    draft.extend(strange_routes(api));
    // Before the endpoint's switch, which waits for what this asks for.
    draft.extend(redeploy(desired, api, &draft));
    draft.extend(opening(desired, api));
    draft.extend(grants.after);
    draft.extend(leftovers);
    draft.extend(role.after);
    draft.extend(functions.after);

    Plan {
        refs: refs(api, &kept),
        steps: link(draft, desired, observed),
    }
}
