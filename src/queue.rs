//! Who waits, and whose turn is next: by urgency, then by whom they wait for, then in order of arrival.
//!
//! * The most urgent class goes first, but every fifth turn goes to that in which somebody has waited longest, so that routine
//!   work is slowed and never stopped.
//! * Within a class every second turn goes to whoever has waited longest, so that of many long queues one ends after the other;
//!   the rest go to everybody in turn, so that nobody waits behind the queue of another.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// Every how many grants the class goes first in which somebody has waited longest.
const ELDEST_EVERY: u32 = 5;

/// How urgent something is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It takes access away that should not be.
    Tighten,
    /// It serves the deletion of an object.
    Delete,
    /// It serves a new or changed object.
    Create,
    /// It looks for or repairs what somebody else changed.
    Drift,
    /// It verifies an object of which nothing is known to have changed.
    Resync,
}

/// Those who wait, each with a `G` that tells it of its turn.
#[derive(Debug)]
pub(crate) struct Queue<G> {
    classes: BTreeMap<Urgency, Class<G>>,
    tickets: u64,
    grants: u32,
}

/// Those who wait with one urgency.
#[derive(Debug)]
struct Class<G> {
    waiting: BTreeMap<Arc<str>, VecDeque<Waiter<G>>>,
    /// Whether the next grant goes by turns, not by age.
    by_turns: bool,
    /// Whose turn was last.
    last: Option<Arc<str>>,
}

#[derive(Debug)]
struct Waiter<G> {
    ticket: u64,
    grant: G,
}

impl<G> Default for Queue<G> {
    fn default() -> Self {
        Self {
            classes: BTreeMap::new(),
            tickets: 0,
            grants: 0,
        }
    }
}

impl<G> Default for Class<G> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            by_turns: false,
            last: None,
        }
    }
}

impl<G> Queue<G> {
    /// A place at the end of somebody's queue, under a ticket of its own.
    pub(crate) fn enter(&mut self, whose: &Arc<str>, urgency: Urgency, grant: G) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        let class = self.classes.entry(urgency).or_default();
        class
            .waiting
            .entry(Arc::clone(whose))
            .or_default()
            .push_back(Waiter { ticket, grant });
        ticket
    }

    /// Gives a place up; whoever had it, unless its turn has come already.
    pub(crate) fn leave(&mut self, whose: &Arc<str>, urgency: Urgency, ticket: u64) -> Option<G> {
        let class = self.classes.get_mut(&urgency)?;
        let waiters = class.waiting.get_mut(whose)?;
        let place = waiters.iter().position(|waiter| waiter.ticket == ticket)?;
        let left = waiters.remove(place)?;
        if waiters.is_empty() {
            class.waiting.remove(whose);
        }
        Some(left.grant)
    }

    /// Moves a place to where somebody more urgent who came at the same time would have it.
    pub(crate) fn hasten(&mut self, whose: &Arc<str>, from: Urgency, to: Urgency, ticket: u64) {
        let Some(grant) = self.leave(whose, from, ticket) else {
            return;
        };
        let class = self.classes.entry(to).or_default();
        let waiters = class.waiting.entry(Arc::clone(whose)).or_default();
        let place = waiters.partition_point(|waiter| waiter.ticket < ticket);
        waiters.insert(place, Waiter { ticket, grant });
    }

    /// Takes whoever goes next out of the queue.
    pub(crate) fn next(&mut self) -> Option<G> {
        let mut classes = self
            .classes
            .values_mut()
            .filter(|class| !class.waiting.is_empty());
        let class = if self.grants + 1 == ELDEST_EVERY {
            classes.min_by_key(|class| class.eldest().map(|(ticket, _)| ticket))
        } else {
            classes.next()
        }?;
        self.grants = (self.grants + 1) % ELDEST_EVERY;
        class.next()
    }
}

impl<G> Class<G> {
    fn next(&mut self) -> Option<G> {
        let turn = self.turn()?;
        let whose = if self.by_turns {
            Arc::clone(&turn)
        } else {
            Arc::clone(self.eldest()?.1)
        };
        // Whoever is served by age when its turn has come has had its turn.
        if whose == turn {
            self.last = Some(turn);
        }
        self.by_turns = !self.by_turns;
        let waiters = self.waiting.get_mut(&whose)?;
        let first = waiters.pop_front()?;
        if waiters.is_empty() {
            self.waiting.remove(&whose);
        }
        Some(first.grant)
    }

    /// In whose queue somebody has waited longest, and the ticket.
    fn eldest(&self) -> Option<(u64, &Arc<str>)> {
        let firsts = self.waiting.iter();
        firsts
            .filter_map(|(whose, waiters)| Some((waiters.front()?.ticket, whose)))
            .min()
    }

    /// Whose turn it is after the last one.
    fn turn(&self) -> Option<Arc<str>> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self
            .waiting
            .range::<Arc<str>, _>((after, Bound::Unbounded))
            .next();
        next.or_else(|| self.waiting.first_key_value())
            .map(|(whose, _)| Arc::clone(whose))
    }
}
