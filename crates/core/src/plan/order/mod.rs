//! The order of the steps that decide who may call what, so that no prefix of it opens anything.
//!
//! A small [`State`] of routes and authorizers is changed step by step. A change is *safe* when everybody whom it newly
//! admits anywhere is admitted there by the desired state ([`safety`]). Each round takes the first safe change, in the order
//! of [`candidates`]: what closes an opening first, then what takes access away, then updates of routes that lead elsewhere in
//! the end and that an edit lets others into, edits of authorizers, creations from the most specific route to the broadest, other
//! updates, and deletions from the broadest to the most specific. A route that takes
//! access away by its end goes when the narrower ones are there that take some of its callers over, and without those of them
//! that cannot be made at once.
//!
//! It never gets stuck:
//! * What closes an opening is safe at once. A route that admits everyone can only admit fewer, its deletion exposes nothing
//!   that it did not admit, and a missing route whose wanted form would not be safe yet is created closed.
//! * Without edits the most specific missing route is safe to create; with all of them there, every update to its wanted
//!   form is safe; and then so is deleting the broadest route that nobody wants.
//! * An edit that stays unsafe is made safe by closing the routes that stand in its way: they require a scope that no token
//!   carries until the wanted ones can be set.
//!
//! And it ends: each round makes one authorizer or one route more as it is wanted, or closes a route that is to lead elsewhere or to
//! answer otherwise, of which the rest is done in one update; and an edit, which can be made once, follows the closings that serve it
//! at once.
//!
//! Where AWS has no room for a route that comes ([`super::room`]), one that goes becomes it; when none can yet, whatever else is
//! safe goes first.
//!
//! Steps count as tightening only as long as nothing else was taken before them: whoever executes those alone executes a
//! prefix of the order, which is safe as every prefix is.
//!
//! Safety is judged by pairs of routes that overlap, never by enumerating requests; `properties` holds the result against
//! [`super::access::admission`], request by request.

mod candidates;
mod edits;
mod heirs;
mod room;
mod safety;
mod state;
mod take;
#[cfg(test)]
mod tests;

use super::keep::Kept;
use super::room::Room;
use super::step::Step;
use crate::model::desired::{Desired, Marker};
use crate::model::observed;
use candidates::Candidate;
use state::State;
use std::collections::BTreeSet;

/// A step and whether it takes access away or serves one that does.
pub(super) type Ordered = (Step, bool);

/// Orders everything between the creation of authorizers and the deletion of routes.
pub(super) fn order<'a>(
    desired: &'a Desired,
    api: Option<&'a observed::Api>,
    kept: &Kept<'a>,
    otherwise: BTreeSet<&'a Marker>,
    spare: BTreeSet<&'a str>,
    room: Room,
) -> Vec<Ordered> {
    let mut state = State::new(desired, api, kept, otherwise, spare, room);
    loop {
        let candidates = state.candidates();
        if let Some(next) = next(&mut state, &candidates) {
            state.take(next);
        } else if let Some((edit, in_the_way)) = state.least_blocked(&candidates) {
            state.close(&in_the_way);
            state.take(edit);
        } else {
            return state.into_steps();
        }
    }
}

/// The first safe change; something else where there is no room for a route that it creates.
fn next<'b>(state: &mut State<'_>, candidates: &'b [Candidate]) -> Option<&'b Candidate> {
    let is_safe = |state: &State<'_>, candidate: &Candidate| planted!(AnyOrder) || state.is_safe(candidate);
    let first = candidates.iter().find(|candidate| is_safe(state, candidate))?;
    if state.has_room(first) {
        return Some(first);
    }
    let mut others = candidates.iter().filter(|other| !other.creates());
    others.find(|other| is_safe(state, other)).or(Some(first))
}
