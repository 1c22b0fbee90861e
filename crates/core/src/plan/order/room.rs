//! Which of what goes makes room for what comes ([`crate::plan::room`]).

use super::candidates::{Candidate, Change, Level};
use super::state::State;
use crate::plan::step::{Authorize, RouteChange, Step};
use std::collections::BTreeSet;

impl State<'_> {
    /// Whether AWS has room for what a change makes. What presses waits for none.
    pub(super) fn has_room(&mut self, candidate: &Candidate) -> bool {
        match candidate.change {
            Change::Create(index) if candidate.level == Level::Routine && self.is_full() => self
                .goes_for(index, self.is_safe_to_create(index), false)
                .is_some(),
            _ => true,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        let there = self.entries.iter().filter(|entry| entry.exists()).count();
        there + self.strange.len() >= self.room.routes
    }

    /// The broadest route that is not wanted and may go once a missing one is there. One that goes with a step that tightens has to
    /// leave its requests to nobody else.
    pub(super) fn goes_for(&mut self, index: usize, as_wanted: bool, tightens: bool) -> Option<usize> {
        let (coming, _) = self.coming(index, as_wanted)?;
        self.entries.get_mut(index)?.now = Some(coming);
        let entries = self.entries.iter().enumerate().rev();
        let mut unwanted = entries.filter(|(_, entry)| entry.exists() && !entry.is_wanted());
        let may_go = |index| self.is_safe_to_delete(index) && (!tightens || self.leaves_nobody_more(index));
        let goes = unwanted.find_map(|(index, _)| may_go(index).then_some(index));
        self.entries.get_mut(index)?.now = None;
        goes
    }

    /// Turns a route into another, which is there already as far as the state goes.
    pub(super) fn replace(&mut self, goes: usize, comes: usize, authorize: Authorize) -> Option<()> {
        let before = self.entries.get_mut(goes)?.now.take()?;
        let entry = self.entries.get_mut(comes)?;
        let ((key, route), now) = (entry.wanted?, entry.now.as_mut()?);
        now.id = before.id;
        now.known_as = before.known_as.clone();
        let change = RouteChange {
            key: Some(key.clone()),
            authorize: Some(authorize),
            integration: Some(route.integration.clone()),
            operation_name: (before.operation_name != route.operation_name)
                .then(|| route.operation_name.clone()),
        };
        let key = before.known_as;
        self.push(Step::UpdateRoute { key, change });
        Some(())
    }

    /// Takes an integration away that is not wanted and to which no route leads any more. What presses waits for no room.
    pub(super) fn make_room_for_an_integration(&mut self) {
        if self.tightening {
            return;
        }
        let current = self.entries.iter().filter_map(|entry| entry.now.as_ref());
        let current = current.filter_map(|now| now.integration.as_deref());
        let strange = self
            .strange
            .iter()
            .filter_map(|route| route.integration_id.as_deref());
        let used: BTreeSet<&str> = current.chain(strange).collect();
        let idle = self.spare.iter().find(|id| !used.contains(**id)).copied();
        if let Some(id) = idle {
            self.spare.remove(id);
            let id = id.to_owned();
            self.push(Step::DeleteIntegration { id });
        }
    }
}
