//! Whether a write to AWS may start now.
//!
//! A leader renews its lease; a write may start until ten seconds after the start of the last renewal that succeeded, and a
//! write takes five seconds at most, so that all of them have ended when another may take the lease.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// A shared handle: the leader's election moves it, every write looks at it right before it is sent.
#[derive(Clone, Debug)]
pub struct Fence(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    Until(Instant),
    Closed,
}

impl Fence {
    /// A fence that lets every write pass: there is no leader election.
    pub fn open() -> Self {
        Self::with(State::Open)
    }

    /// A fence that lets no write pass until it is renewed.
    pub fn closed() -> Self {
        Self::with(State::Closed)
    }

    fn with(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    fn set(&self, next: impl FnOnce(State) -> State) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = next(*state);
    }

    /// Writes may start before `until`. A fence that was made open stays open.
    pub fn renew(&self, until: Instant) {
        self.set(|state| match state {
            State::Open => State::Open,
            State::Until(_) | State::Closed => State::Until(until),
        });
    }

    /// No write starts any more, until the fence is renewed: leadership is lost or about to be given back.
    pub fn close(&self) {
        self.set(|_| State::Closed);
    }

    /// Whether a write may start at `now`.
    pub fn allows(&self, now: Instant) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open => true,
            State::Until(until) => now < until,
            State::Closed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_write_may_start_strictly_before_the_deadline() {
        let now = Instant::now();
        let fence = Fence::closed();
        assert!(!fence.allows(now));
        fence.renew(now + Duration::from_secs(10));
        assert!(fence.allows(now + Duration::from_millis(9_999)));
        assert!(!fence.allows(now + Duration::from_secs(10)));
    }

    #[test]
    fn every_clone_sees_that_leadership_is_given_back() {
        let now = Instant::now();
        let fence = Fence::closed();
        let clone = fence.clone();
        fence.renew(now + Duration::from_secs(10));
        clone.close();
        assert!(!fence.allows(now));
    }

    #[test]
    fn without_election_every_write_passes() {
        let fence = Fence::open();
        fence.renew(Instant::now());
        assert!(fence.allows(Instant::now() + Duration::from_secs(3600)));
    }
}
