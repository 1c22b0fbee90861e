//! What reads show of what writes have changed already.

use std::collections::VecDeque;

use super::time::Timestamp;

/// States of something before its last changes, for reads that are answered by a copy that lags.
#[derive(Clone, Debug)]
pub(crate) struct Replica<T> {
    /// Until when each of them is shown, oldest first.
    past: VecDeque<(Timestamp, T)>,
}

impl<T> Default for Replica<T> {
    fn default() -> Self {
        Self {
            past: VecDeque::new(),
        }
    }
}

impl<T: Clone> Replica<T> {
    /// Keeps what was before a change that happens now.
    pub(crate) fn keep(&mut self, now: Timestamp, lag: u64, before: &T) {
        let over = self.past.partition_point(|(until, _)| *until <= now);
        self.past.drain(..over);
        if lag > 0 {
            self.past.push_back((now.after(lag), before.clone()));
        }
    }

    /// What a read shows now.
    pub(crate) fn shown<'a>(&'a self, now: Timestamp, current: &'a T) -> &'a T {
        let old = self.past.iter().find(|(until, _)| *until > now);
        old.map_or(current, |(_, before)| before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_shows_when_its_lag_is_over_and_no_sooner() {
        let mut replica = Replica::default();
        replica.keep(Timestamp(10), 5, &"none");
        replica.keep(Timestamp(12), 5, &"one");
        let shown = |now| *replica.shown(Timestamp(now), &"two");
        assert_eq!(
            [10, 14, 15, 16, 17].map(shown),
            ["none", "none", "one", "one", "two"]
        );
    }

    #[test]
    fn without_a_lag_a_change_shows_at_once() {
        let mut replica = Replica::default();
        replica.keep(Timestamp(10), 0, &"none");
        assert_eq!(*replica.shown(Timestamp(10), &"one"), "one");
    }
}
