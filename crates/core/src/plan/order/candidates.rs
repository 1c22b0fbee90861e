//! What is left to do, the most pressing first.

use super::state::{Entry, State};
use crate::plan::access::Admission;

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
}

/// Candidates by level; those of one level in the order in which they came.
#[derive(Debug)]
pub(super) struct Pending(Vec<Candidate>);

impl Pending {
    /// Takes out the first of which something holds.
    pub(super) fn first_that(&mut self, holds: impl Fn(&Candidate) -> bool) -> Option<Candidate> {
        let position = self.0.iter().position(holds)?;
        Some(self.0.remove(position))
    }

    /// Takes out the edit in whose way the fewest routes stand, with these.
    pub(super) fn least_blocked_edit(
        &mut self,
        in_the_way: impl Fn(&str) -> Vec<usize>,
    ) -> Option<(Candidate, Vec<usize>)> {
        let edits = self.0.iter().enumerate().filter_map(|(position, candidate)| {
            let Change::Edit(name) = &candidate.change else {
                return None;
            };
            Some((position, in_the_way(name)))
        });
        let (position, routes) = edits.min_by_key(|(_, routes)| routes.len())?;
        Some((self.0.remove(position), routes))
    }

    /// Adds candidates, each behind those of its level; a change that is there already keeps its place.
    pub(super) fn extend(&mut self, candidates: impl IntoIterator<Item = Candidate>) {
        for candidate in candidates {
            if !self.0.iter().any(|other| other.change == candidate.change) {
                let position = self.0.partition_point(|other| other.level <= candidate.level);
                self.0.insert(position, candidate);
            }
        }
    }
}

impl State<'_> {
    /// Everything that there is to do. Within a level that presses, what needs the fewest other requests goes first, so
    /// that none of them can hold it up; an edit counts as one, since AWS asks the issuer.
    pub(super) fn candidates(&self) -> Pending {
        let entries = || self.entries.iter().enumerate();
        let edits = self.edits().map(|name| Candidate {
            level: self.level_of_edit(name),
            change: Change::Edit(name.to_owned()),
        });
        let creates = entries()
            .filter(|(_, entry)| entry.now.is_none())
            .map(|(index, entry)| Candidate {
                level: self.level_of_missing(entry),
                change: Change::Create(index),
            });
        let updates = entries().filter_map(|(index, entry)| {
            let change = self.change(entry)?;
            let tightens = change.authorize.is_some();
            Some(Candidate {
                level: if tightens {
                    self.level_of_existing(entry)
                } else {
                    Level::Routine
                },
                change: Change::Update(index),
            })
        });
        let deletes = entries()
            .rev()
            .filter(|(_, entry)| entry.wanted.is_none())
            .map(|(index, entry)| Candidate {
                level: self.level_of_existing(entry),
                change: Change::Delete(index),
            });
        let mut all: Vec<Candidate> = edits.chain(creates).chain(updates).chain(deletes).collect();
        all.sort_by_key(|candidate| match candidate.level {
            Level::Routine => (Level::Routine, 0),
            level => (level, self.prerequisites(&candidate.change)),
        });
        Pending(all)
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
                    usize::from(self.lacks_authorizer(route))
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
        if entry.wanted.is_some() {
            return excess(&now, &entry.goal);
        }
        let mut covered = false;
        let heirs = entry.broader.iter().filter_map(|index| self.entries.get(*index));
        let heirs = heirs
            .filter(|heir| heir.wanted.is_some())
            .take_while(|heir| !std::mem::replace(&mut covered, heir.pattern.contains(&entry.pattern)));
        let level = heirs.map(|heir| excess(&now, &heir.goal)).min();
        let nobody = Admission::nobody();
        let rest = if covered {
            None
        } else {
            Some(excess(&now, &nobody))
        };
        level.into_iter().chain(rest).min().unwrap_or(Level::Routine)
    }

    /// What a missing route leaves open: whatever the broader routes admit that get its requests now.
    fn level_of_missing(&self, entry: &Entry<'_>) -> Level {
        self.beneath(entry)
            .map(|(_, admission)| excess(&admission, &entry.goal))
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
