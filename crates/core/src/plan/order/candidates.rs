//! What is left to do, the most pressing first.

use super::state::{Entry, State};
use crate::plan::access::Admission;
use std::collections::BTreeSet;

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

/// Its turn among those that press alike and need as many other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    First,
    /// It makes a route that takes callers over from one that is to go.
    Heir,
    /// It is the end of that one.
    AfterHeirs,
}

/// A change and how pressing it is.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) level: Level,
    pub(super) turn: Turn,
    pub(super) change: Change,
}

impl Candidate {
    pub(super) const fn creates(&self) -> bool {
        matches!(self.change, Change::Create(_))
    }
}

impl State<'_> {
    /// Everything that there is to do now. Within a level that presses, what needs the fewest other requests goes first, so
    /// that none of them can hold it up; an edit counts as one, since AWS asks the issuer. Only the end of a route waits until those
    /// are there that take some of its callers over. Of the rest the routes go first that are to lead elsewhere before others are
    /// let into them.
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
                turn: Turn::First,
                change,
            })
            .collect();
        self.let_heirs_come_first(&mut candidates);
        let ahead = self.to_lead_elsewhere();
        let is_ahead = |change: &Change| matches!(change, Change::Update(index) if ahead.contains(index));
        candidates.sort_by_cached_key(|candidate| match candidate.level {
            Level::Routine => {
                let behind = usize::from(!is_ahead(&candidate.change));
                (Level::Routine, behind, Turn::First)
            }
            level => (level, self.prerequisites(&candidate.change), candidate.turn),
        });
        candidates
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

    /// Routes that are to lead elsewhere before an edit lets others into them.
    fn to_lead_elsewhere(&self) -> BTreeSet<usize> {
        self.edits()
            .flat_map(|name| self.opened_before_they_answer_otherwise(name))
            .collect()
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
        let is_twin = |other: &&Entry<'_>| other.is_wanted() && other.pattern.is_twin_of(&entry.pattern);
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
