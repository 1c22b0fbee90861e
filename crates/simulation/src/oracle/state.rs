//! What AWS has come to when a phase is at rest.

use super::{
    Court, Rule, expected, is_held,
    rest::{Rest, difference, is_served},
};
use crate::{OBJECT, fault::Fault, world::World};
use serde_json::Value;
use std::collections::BTreeSet;

/// A rule that is broken, and how.
pub(super) type Found = (Rule, String);

/// What a phase has come to.
pub(super) struct Come<'a> {
    world: &'a World,
    /// All of AWS.
    aws: Value,
    /// Whether the object is gone.
    pub(super) gone: bool,
    /// Whether it is suspended.
    held: bool,
    /// Whether something is wrong that nobody puts right, since it is suspended.
    left_alone: bool,
}

impl Court {
    pub(super) fn come<'a>(&self, world: &'a World) -> Come<'a> {
        let object = world.state().kubernetes.get(&OBJECT).ok();
        let gone = object.is_none();
        let held = object.is_some_and(|object| is_held(&object));
        Come {
            world,
            aws: world.sandbox().state(),
            gone,
            held,
            left_alone: held && (self.excuses.drifted || self.excuses.orphaned > 0),
        }
    }

    pub(super) fn judged_at_rest(&self, come: &Come<'_>) -> Vec<Found> {
        let mut found = self.beside(come);
        if !come.gone && !come.left_alone {
            found.extend(self.stands(come));
        }
        found.extend(self.stays_behind(come));
        found
    }

    /// What is of others, and what is left of an object that is gone.
    fn beside(&self, come: &Come<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut compare = |rule: Rule, expected: &Value, shown: &Value| {
            if expected != shown {
                found.push((rule, difference(expected, shown)));
            }
        };
        let Self {
            before, excuses, uid, ..
        } = self;
        let state = &come.aws;
        if come.gone && self.retains() {
            compare(
                Rule::NothingForeign,
                &expected::others(before),
                &expected::others(&expected::known(before, state)),
            );
            let rest = self.rest.as_ref();
            if let Some(rest) = rest.filter(|_| !excuses.drifted && excuses.orphaned == 0) {
                let (was, is) = (expected::untagged(&rest.aws), expected::untagged(state));
                compare(Rule::NothingLeft, &was, &is);
            }
        } else if come.gone && !excuses.leave_something() {
            let (was, is) = (excuses.all_but_lost(before), excuses.all_but_lost(state));
            compare(Rule::NothingLeft, &was, &is);
        } else {
            if come.gone && !excuses.went.contains(uid) {
                // Whatever its predecessors left, nothing of its own stays. Of statements those are that name an API that it made.
                let own = |state| {
                    let mut shown = expected::shown(&excuses.all_but_lost(state), uid);
                    if let Some(grants) = shown["grants"].as_object_mut() {
                        grants.retain(|_, grant| !excuses.taken_over && self.names_own_api(grant));
                    }
                    shown
                };
                compare(Rule::NothingLeft, &own(before), &own(state));
            }
            let known = excuses.let_go.then(|| expected::known(before, state));
            compare(
                Rule::NothingForeign,
                &expected::others(before),
                &expected::others(known.as_ref().unwrap_or(state)),
            );
        }
        found
    }

    /// What is the living object's.
    fn stands(&self, come: &Come<'_>) -> Vec<Found> {
        let spec = if come.held { &self.in_force } else { &self.wanted };
        let (wanted, shown) = self.compared(spec, &come.aws, &self.uid);
        let differs = (wanted != shown).then(|| (Rule::AsSpecified, difference(&wanted, &shown)));
        let sandbox = come.world.sandbox();
        let own = self.own(sandbox).into_iter();
        let unserved = own.filter(|id| !is_served(sandbox, id)).map(|id| {
            let how = format!("{id} does not serve what it is configured to");
            (Rule::AsSpecified, how)
        });
        differs.into_iter().chain(unserved).collect()
    }

    /// What predecessors left, and what was let go.
    fn stays_behind(&self, come: &Come<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        let excuses = &self.excuses;
        let state = come.world.state();
        let schedule = &state.schedule;
        // What is hidden from a list, or is nobody's by its tags, cannot be taken over.
        let takes_over = !come.gone
            && !come.held
            && schedule.len() == 1
            && excuses.orphaned == 1
            && !self.retains()
            && !(self.lagging || self.reads_lag || excuses.let_go || excuses.forgot_namesake);
        if let Some(orphan) = self.orphans.first().filter(|_| takes_over) {
            let how = format!("the namesake's API {orphan} was not taken over");
            found.push((Rule::OneApi, how));
        }
        // What befalls a deletion may leave something behind, and a release may leave tags on: that is told.
        let mut told = state.told.iter();
        let is_excused = if self.retains() {
            schedule.values().any(|fault| !is_of_the_process(fault))
                || told.any(|event| event.to_string().contains(STILL_ON))
        } else {
            !schedule.is_empty()
        };
        if come.gone && !is_excused && come.aws.to_string().contains(&self.uid) {
            found.push((Rule::NothingLeft, "something carries the object's uid".to_owned()));
        }
        let alive = come.world.sandbox().apis().into_iter();
        let alive: BTreeSet<String> = alive.map(|(id, _)| id).collect();
        let gone = self.orphans.difference(&alive);
        found.extend(gone.filter(|_| !self.deletes_orphans).map(|orphan| {
            let how = format!("the namesake's API {orphan} is gone");
            (Rule::NothingForeign, how)
        }));
        found
    }

    fn names_own_api(&self, grant: &Value) -> bool {
        let text = grant.to_string();
        self.apis.iter().any(|api| text.contains(api.as_str()))
    }

    fn retains(&self) -> bool {
        self.wanted["deletionPolicy"] == "Retain"
    }

    /// What follows is judged by what there is now.
    pub(super) fn goes_on(&mut self, come: Come<'_>) {
        if !come.gone && !come.held {
            self.in_force = self.wanted.clone();
            self.exposure.settle();
        }
        let excuses = &mut self.excuses;
        excuses.drifted &= come.left_alone;
        excuses.drifted_unseen &= come.left_alone;
        excuses.opened &= come.left_alone;
        if !come.left_alone {
            excuses.let_in.clear();
        }
        excuses.damaged &= come.held;
        excuses.late = false;
        excuses.slept = false;
        let suspended = self.wanted["suspend"] == true;
        self.rest = (!come.gone).then_some(Rest {
            aws: come.aws,
            suspended,
        });
    }
}

/// What an event says of an object that was let go with its tags on.
const STILL_ON: &str = "ownership tags still on";

/// Whether a fault leaves AWS and the object as they are.
fn is_of_the_process(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Crash(_) | Fault::Panic | Fault::Terminate | Fault::Pause { .. }
    )
}
