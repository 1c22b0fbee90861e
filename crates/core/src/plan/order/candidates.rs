//! What is left to do, the most pressing first.

use super::state::{Entry, State};
use crate::plan::access::Admission;
use std::collections::{BTreeMap, BTreeSet};

/// How pressing a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// A path is open to everyone that should not be.
    Open,
    /// A path admits somebody whom it should not.
    Excess,
    /// The rest.
    Routine,
}

/// A change, of an authorizer by its name or of a route by its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Edit(String),
    Create(usize),
    Update(usize),
    Delete(usize),
}

/// A change and how pressing it is.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) level: Level,
    pub(super) change: Change,
    /// Whether it makes a route that takes callers over from one that is to go.
    pub(super) inherits: bool,
}

impl Candidate {
    pub(super) const fn creates(&self) -> bool {
        matches!(self.change, Change::Create(_))
    }
}

impl State<'_> {
    /// Everything that there is to do now. Within a level that presses, what needs the fewest other requests goes first, so
    /// that none of them can hold it up; an edit counts as one, since AWS asks the issuer. Only the end of a route waits until those
    /// are there that take some of its callers over.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let entries = || self.entries.iter().enumerate();
        let edits = self.edits().map(|name| Change::Edit(name.to_owned()));
        let missing = entries().filter(|(_, entry)| !entry.exists() && entry.is_wanted());
        let different = entries().filter(|(_, entry)| self.change(entry).is_some());
        let unwanted =
            entries().filter(|(_, entry)| entry.exists() && !entry.is_wanted() && !planted!(ExtrasStay));
        let changes = edits
            .chain(missing.map(|(index, _)| Change::Create(index)))
            .chain(different.map(|(index, _)| Change::Update(index)))
            .chain(unwanted.rev().map(|(index, _)| Change::Delete(index)));
        let mut candidates: Vec<Candidate> = changes
            .map(|change| Candidate {
                level: self.level(&change),
                change,
                inherits: false,
            })
            .collect();
        let heirs = self.heirs(&candidates);
        let inherit: BTreeSet<usize> = heirs.values().flatten().copied().collect();
        for candidate in &mut candidates {
            let Candidate {
                level,
                change,
                inherits,
            } = candidate;
            if *level == Level::Routine && matches!(change, Change::Create(index) if inherit.contains(index))
            {
                (*level, *inherits) = (Level::Excess, true);
            }
        }
        let waits = |change: &Change| matches!(change, Change::Delete(index) if heirs.contains_key(index));
        candidates.sort_by_cached_key(|candidate| match candidate.level {
            Level::Routine => (Level::Routine, 0, 0),
            Level::Excess if candidate.inherits => (Level::Excess, 1, 0),
            Level::Excess if waits(&candidate.change) => (Level::Excess, 2, 0),
            level => (level, 0, self.prerequisites(&candidate.change)),
        });
        candidates
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

    /// The edit in whose way the fewest routes stand, with these.
    pub(super) fn least_blocked<'b>(
        &self,
        candidates: &'b [Candidate],
    ) -> Option<(&'b Candidate, Vec<usize>)> {
        let edits = candidates.iter().filter_map(|candidate| match &candidate.change {
            Change::Edit(name) => Some((candidate, self.in_the_way(name))),
            _ => None,
        });
        edits.min_by_key(|(_, routes)| routes.len())
    }

    /// Once something routine was taken nothing presses any more: what did was safe before, or depends on the routine.
    fn level(&self, change: &Change) -> Level {
        if !self.tightening {
            return Level::Routine;
        }
        let entry = |index: &usize| self.entries.get(*index);
        let level = match change {
            Change::Edit(name) => Some(self.level_of_edit(name)),
            Change::Create(index) => entry(index).map(|entry| self.level_of_missing(entry)),
            // An update that leaves the guard as it is takes nothing away.
            Change::Update(index) => entry(index)
                .filter(|entry| {
                    self.change(entry)
                        .is_some_and(|change| change.authorize.is_some())
                })
                .map(|entry| self.level_of_existing(entry)),
            Change::Delete(index) => entry(index).map(|entry| self.level_of_existing(entry)),
        };
        level.unwrap_or(Level::Routine)
    }

    /// How many other requests a change needs before it.
    fn prerequisites(&self, change: &Change) -> usize {
        match change {
            Change::Edit(_) => 1,
            Change::Delete(_) => 0,
            Change::Create(index) | Change::Update(index) => {
                let wanted = self.entries.get(*index).and_then(|entry| entry.wanted);
                let integration = matches!(change, Change::Create(_));
                wanted.map_or(0, |(_, route)| {
                    usize::from(self.lacks_authorizer(route).is_some())
                        + usize::from(integration && !self.integrations.contains_key(&route.integration))
                })
            }
        }
    }

    /// How far a route goes beyond what is wanted of it. One that nobody wants is held against the wanted routes beneath
    /// it, which get its requests in the end.
    fn level_of_existing(&self, entry: &Entry<'_>) -> Level {
        let Some(now) = entry.now.as_ref().map(|now| self.admission(&now.guard)) else {
            return Level::Routine;
        };
        if entry.is_wanted() {
            return excess(&now, &entry.goal);
        }
        // A wanted route of the same shape gets all of them.
        let is_twin = |other: &&Entry<'_>| {
            other.is_wanted()
                && other.pattern.contains(&entry.pattern)
                && entry.pattern.contains(&other.pattern)
        };
        if let Some(twin) = self.entries.iter().find(is_twin) {
            return excess(&now, &twin.goal);
        }
        let heirs = self.beneath(entry, Entry::is_wanted, Entry::is_wanted);
        let covered = heirs
            .last()
            .is_some_and(|heir| heir.pattern.contains(&entry.pattern));
        let rest = (!covered).then(|| excess(&now, &Admission::nobody()));
        let heirs = heirs.into_iter().map(|heir| excess(&now, &heir.goal));
        heirs.chain(rest).min().unwrap_or(Level::Routine)
    }

    /// What a missing route leaves open: whatever the broader routes admit that get its requests now.
    fn level_of_missing(&self, entry: &Entry<'_>) -> Level {
        // What a more specific route gets, now or in the end, is its own matter.
        let takes = |other: &Entry<'_>| other.exists() || other.is_wanted();
        self.beneath(entry, Entry::exists, takes)
            .into_iter()
            .filter_map(|broader| broader.now.as_ref())
            .map(|now| excess(&self.admission(&now.guard), &entry.goal))
            .min()
            .unwrap_or(Level::Routine)
    }

    fn level_of_edit(&self, name: &str) -> Level {
        let takes_away = self.edited(name).any(|(_, now, then)| !now.within(&then));
        if takes_away { Level::Excess } else { Level::Routine }
    }
}

fn excess(now: &Admission, goal: &Admission) -> Level {
    if now.within(goal) {
        Level::Routine
    } else if now.is_everyone() {
        Level::Open
    } else {
        Level::Excess
    }
}
