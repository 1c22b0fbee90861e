//! Who waits: by urgency, then by object, then in order of arrival.

use super::Urgency;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Every how many grants the class goes first in which somebody has waited longest.
const ELDEST_EVERY: u32 = 5;

/// Leave for one request: what it carries tells how many pauses there had been when it was granted.
pub(super) type Grant = oneshot::Sender<u64>;

#[derive(Debug, Default)]
pub(super) struct Queue {
    classes: BTreeMap<Urgency, Class>,
    tickets: u64,
    grants: u32,
}

/// Those who wait with one urgency.
#[derive(Debug, Default)]
struct Class {
    waiting: BTreeMap<Arc<str>, VecDeque<Waiter>>,
    /// Whether the next grant goes by turns, not by age.
    by_turns: bool,
    /// Whose turn was last.
    last: Option<Arc<str>>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    grant: Grant,
}

impl Queue {
    /// A place at the end of the object's queue, under a ticket of its own.
    pub(super) fn enter(&mut self, object: &Arc<str>, urgency: Urgency, grant: Grant) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        let class = self.classes.entry(urgency).or_default();
        class
            .waiting
            .entry(Arc::clone(object))
            .or_default()
            .push_back(Waiter { ticket, grant });
        ticket
    }

    pub(super) fn leave(&mut self, object: &Arc<str>, urgency: Urgency, ticket: u64) {
        let Some(class) = self.classes.get_mut(&urgency) else {
            return;
        };
        if let Some(waiters) = class.waiting.get_mut(object) {
            waiters.retain(|waiter| waiter.ticket != ticket);
            if waiters.is_empty() {
                class.waiting.remove(object);
            }
        }
    }

    /// Takes whoever goes next out of the queue.
    pub(super) fn next(&mut self) -> Option<Grant> {
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

impl Class {
    fn next(&mut self) -> Option<Grant> {
        let turn = self.turn()?;
        let object = if self.by_turns {
            Arc::clone(&turn)
        } else {
            Arc::clone(self.eldest()?.1)
        };
        // Whoever is served by age when its turn has come has had its turn.
        if object == turn {
            self.last = Some(turn);
        }
        self.by_turns = !self.by_turns;
        let waiters = self.waiting.get_mut(&object)?;
        let first = waiters.pop_front()?;
        if waiters.is_empty() {
            self.waiting.remove(&object);
        }
        Some(first.grant)
    }

    /// The object of whoever has waited longest, and the ticket.
    fn eldest(&self) -> Option<(u64, &Arc<str>)> {
        let firsts = self.waiting.iter();
        firsts
            .filter_map(|(object, waiters)| Some((waiters.front()?.ticket, object)))
            .min()
    }

    /// The object after the one whose turn was last.
    fn turn(&self) -> Option<Arc<str>> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self
            .waiting
            .range::<Arc<str>, _>((after, Bound::Unbounded))
            .next();
        next.or_else(|| self.waiting.first_key_value())
            .map(|(object, _)| Arc::clone(object))
    }
}
