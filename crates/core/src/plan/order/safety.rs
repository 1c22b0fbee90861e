//! Whether a change opens anything, judged by pairs of routes.

use super::candidates::{Candidate, Change, Level};
use super::state::{Entry, State};
use crate::plan::access::{Admission, Callers};

impl State<'_> {
    /// Whether everybody whom a change newly admits anywhere is admitted there by the desired state.
    pub(super) fn is_safe(&self, candidate: &Candidate) -> bool {
        match &candidate.change {
            Change::Edit(name) => self.in_the_way(name).is_empty(),
            // What presses most is created closed when it cannot be created as wanted.
            Change::Create(index) => {
                self.can_be_guarded(*index)
                    && (candidate.level == Level::Open || self.is_safe_to_create(*index))
            }
            Change::Update(index) => self.can_be_guarded(*index) && self.is_safe_to_update(*index),
            Change::Delete(index) => self.is_safe_to_delete(*index),
        }
    }

    /// Whether a wanted route's authorizer can be made, where it has to be, without opening another route.
    fn can_be_guarded(&self, index: usize) -> bool {
        let wanted = self.entries.get(index).and_then(|entry| entry.wanted);
        let lacking = wanted.and_then(|(_, route)| self.lacks_authorizer(route));
        lacking.is_none_or(|name| self.in_the_way(name).is_empty())
    }

    /// Routes that an edit of an authorizer would open.
    pub(super) fn in_the_way(&self, name: &str) -> Vec<usize> {
        self.edited(name)
            .filter(|(index, now, then)| !self.is_safe_change(*index, now, then))
            .map(|(index, _, _)| index)
            .collect()
    }

    /// Whether a missing route may be created as it is wanted: the desired state admits whom it admits, or whoever gets its
    /// requests now does.
    pub(super) fn is_safe_to_create(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let Some((_, route)) = entry.wanted else {
            return false;
        };
        let beneath: Vec<_> = self
            .beneath(entry, Entry::exists, Entry::exists)
            .into_iter()
            .filter_map(|broader| Some((broader, self.admission(&broader.now.as_ref()?.guard))))
            .collect();
        let covered = beneath
            .last()
            .is_some_and(|(broader, _)| broader.pattern.contains(&entry.pattern));
        self.wanted_admission(route, &entry.goal).all(|callers| {
            self.allows(index, callers)
                || (covered && beneath.iter().all(|(_, admission)| admission.admits(callers)))
        })
    }

    fn is_safe_to_update(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let (Some(now), Some((_, route))) = (&entry.now, entry.wanted) else {
            return false;
        };
        let then = self.wanted_admission(route, &entry.goal);
        self.is_safe_change(index, &self.admission(&now.guard), &then)
    }

    /// A route that goes exposes the broader ones that lie beneath it. Each may then get its requests, as far as no route
    /// that is still missing will.
    pub(super) fn is_safe_to_delete(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let Some(now) = &entry.now else { return false };
        let own = self.admission(&now.guard);
        entry.broader.iter().all(|next| {
            let Some(broader) = self.entries.get(*next) else {
                return true;
            };
            let Some(below) = &broader.now else { return true };
            self.admission(&below.guard).all(|callers| {
                own.admits(callers)
                    || (broader.is_wanted()
                        && broader.goal.admits(callers)
                        && self
                            .missing(broader)
                            .filter(|other| other.pattern.overlaps(&entry.pattern))
                            .all(|other| other.goal.admits(callers)))
            })
        })
    }

    /// Whether everybody who gets through beneath a route gets through it now.
    pub(super) fn leaves_nobody_more(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let own = entry.now.as_ref().map(|now| self.admission(&now.guard));
        let broader = entry
            .broader
            .iter()
            .filter_map(|next| self.entries.get(*next)?.now.as_ref());
        own.is_some_and(|own| {
            broader
                .map(|below| self.admission(&below.guard))
                .all(|below| below.within(&own))
        })
    }

    fn is_safe_change(&self, index: usize, now: &Admission, then: &Admission) -> bool {
        then.all(|callers| now.admits(callers) || self.allows(index, callers))
    }

    /// Whether the desired state admits these callers wherever this route takes requests now or will take them: it gets them in
    /// the end, or a more specific route does that is still missing.
    fn allows(&self, index: usize, callers: Callers<'_>) -> bool {
        self.entries.get(index).is_some_and(|entry| {
            entry.is_wanted()
                && entry.goal.admits(callers)
                && self.missing(entry).all(|other| other.goal.admits(callers))
        })
    }
}
