//! Which routes come before one that goes, so that whoever passes before and after is served all the while (decision 10).

use super::candidates::{Candidate, Change, Level, Turn};
use super::state::{Entry, State};
use crate::model::name::RouteKey;
use std::collections::{BTreeMap, BTreeSet};

impl State<'_> {
    /// Lets the creations of heirs press as the ends do that wait for them.
    pub(super) fn let_heirs_come_first(&self, candidates: &mut [Candidate]) {
        let heirs = self.heirs(candidates);
        let inherit: BTreeSet<usize> = heirs.values().flatten().copied().collect();
        for candidate in candidates {
            match (candidate.level, &candidate.change) {
                (Level::Routine, Change::Create(index)) if inherit.contains(index) => {
                    (candidate.level, candidate.turn) = (Level::Excess, Turn::Heir);
                }
                (_, Change::Delete(index)) if heirs.contains_key(index) => {
                    candidate.turn = Turn::AfterHeirs;
                }
                _ => {}
            }
        }
    }

    /// Of routes that go too far and may go at once, the missing ones that take requests over from them, if one of those lets in some
    /// of the same callers: who passes before and after is served all the while when they come first. They need nothing but
    /// themselves, so that nothing else can hold the end of the others up.
    fn heirs(&self, candidates: &[Candidate]) -> BTreeMap<usize, Vec<usize>> {
        let mut heirs = BTreeMap::new();
        let too_wide = candidates.iter().filter_map(|candidate| match candidate.change {
            Change::Delete(index) if candidate.level == Level::Excess => Some(index),
            _ => None,
        });
        let mut can_be_made = None;
        for index in too_wide {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            if self.is_full() || !self.leaves_callers_to_missing_ones(entry) || !self.is_safe_to_delete(index)
            {
                continue;
            }
            let can_be_made = can_be_made.get_or_insert_with(|| self.can_be_made_alone());
            let narrower = entry.narrower.iter().copied();
            let made: Vec<usize> = narrower.filter(|index| can_be_made.contains(index)).collect();
            if !made.is_empty() && !planted!(EndsFirst) {
                heirs.insert(index, made);
            }
        }
        heirs
    }

    fn leaves_callers_to_missing_ones(&self, entry: &Entry<'_>) -> bool {
        let now = entry.now.as_ref().map(|now| self.admission(&now.guard));
        now.is_some_and(|now| {
            self.missing(entry)
                .any(|missing| !now.all(|callers| !missing.goal.admits(callers)))
        })
    }

    /// Missing routes that need no authorizer and no integration to be made first, and that would open nothing.
    fn can_be_made_alone(&self) -> BTreeSet<usize> {
        let entries = self.entries.iter().enumerate();
        let missing = entries.filter(|(_, entry)| !entry.exists());
        let alone = missing.filter(|(index, entry)| {
            entry.wanted.is_some_and(|(_, route)| {
                self.lacks_authorizer(route).is_none()
                    && self.integrations.contains_key(&route.integration)
                    && self.is_safe_to_create(*index)
            })
        });
        alone.map(|(index, _)| index).collect()
    }

    /// The narrower routes that were made to take its callers over, if a route may go without them as well. With each of them it
    /// leaves less to the broader ones, so that it may go with any of them.
    pub(super) fn dispensable_heirs(&mut self, index: usize) -> BTreeSet<RouteKey> {
        let Some(entry) = self.entries.get(index) else {
            return BTreeSet::new();
        };
        let narrower = entry.narrower.iter().copied();
        let heirs: Vec<usize> = narrower.filter(|heir| self.heirs.contains(heir)).collect();
        let mut made = Vec::new();
        for heir in heirs {
            if let Some(entry) = self.entries.get_mut(heir)
                && let Some(now) = entry.now.take()
            {
                made.push((heir, now));
            }
        }
        let may_go = self.is_safe_to_delete(index);
        let keys = made.iter().map(|(_, now)| now.key.clone()).collect();
        for (heir, now) in made {
            if let Some(entry) = self.entries.get_mut(heir) {
                entry.now = Some(now);
            }
        }
        if may_go { keys } else { BTreeSet::new() }
    }
}
