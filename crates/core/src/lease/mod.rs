//! Leadership: when a replica takes the lease, holds it, has lost it, and until when its writes may start.
//!
//! An [`Elector`] is one replica as a state machine. The shell tells it what happened and when, and does what it answers:
//!
//! ```text
//!              Look             Read: free, ours or silent             Written
//!  Rest (≤ 2 s) ───► Read lease ───────────────────────────► Claim it ─────────► Rest, leading
//!       ▲                │ Read: somebody else's                 │
//!       └────────────────┴───────────── Failed ──────────────────┘
//! ```
//!
//! Writes to AWS may start before [`Elector::writes_until`], which a leader moves with each renewal and which counts from
//! the moment before the renewal's first request. A follower counts from the moment after the answer that showed a change,
//! by the version of the lease. Both count on their own monotonic clock: the times in a lease are for people.
//!
//! # What is checked
//!
//! `properties` goes through every state of two and of three electors around one lease, in discrete time; what runs there is
//! this very machine. Between any two steps anything may happen: time may pass, a process may stand still for any time,
//! requests and answers may be lost, a write may be stored after its sender gave it up, a leader may leave, a replica may die
//! and start again under another name; clocks may run a tenth too slow or too fast. Then:
//!
//! * No two replicas may start a write at the same time: never have two an unexpired [`Elector::writes_until`].
//! * With clocks of one rate, a write that was sent when its check passed, and took five seconds at most, has ended before
//!   another replica may start one. Clocks that run apart by the rates above let the two overlap by some 3 s
//!   (15 s ÷ 0.9 − 15 s ÷ 1.1).
//! * A process that stands still between its check and its sending sends late what had passed the check, and nothing after
//!   it. When is bounded by nothing: no lease can do that. How much is: a write for each step that was being executed, as its
//!   generation wanted it. That is why the protocol holds with two leaders.
//!
//! And without such troubles, when each request is answered at once:
//!
//! * A leader that died is followed after 15 s and one pause (2 s), one that left after one pause; whatever had happened
//!   before. With requests that take up to a second it is 22 s and 6 s.
//! * The leader never changes, and its writes never wait for a renewal; also with such requests.
//!
//! Not modelled: a monotonic clock that stands still (a suspended machine) or is further off than that, two processes of one
//! name, an API server that accepts a write on an old version, somebody else who writes the lease.

mod document;
#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod search;

pub use document::{claimed, holder, released};

use std::time::Duration;

/// The spans of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// How long a lease lasts without renewal.
    pub lease: Duration,
    /// How long after the start of its last successful renewal a leader may start writes.
    pub renew_deadline: Duration,
    /// How often a leader renews and a follower looks.
    pub retry: Duration,
}

/// The operator's.
pub const TERMS: Terms = Terms {
    lease: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry: Duration::from_secs(2),
};

/// One replica. Its times are a monotonic clock's of its own, since any moment before its first event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Elector {
    terms: Terms,
    role: Role,
    /// When the look at the lease that is under way began.
    began: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// The version of somebody else's lease last seen, and since when.
    Following(Option<(String, Duration)>),
    /// When the last successful renewal began.
    Leading(Duration),
    /// It gives the lease back.
    Leaving,
}

/// What happened to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It is time to look at the lease.
    Look,
    /// Nothing that writes runs any more, and the lease is to be given back.
    Leave,
    /// The lease was read; there may be none.
    Read(Option<Found<'a>>),
    /// The write was accepted.
    Written,
    /// A request was refused or not answered.
    Failed,
}

/// A lease as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Who holds it.
    pub holder: Holder<'a>,
    /// Its resource version, which every write changes.
    pub version: &'a str,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// It is free.
    Nobody,
    /// This replica.
    Me,
    /// Another one.
    Other(&'a str),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the lease.
    Read,
    /// Write it as [`claimed`], on the version just read.
    Claim,
    /// Write it as [`released`], on the version just read.
    Release,
    /// Wait so long, then look again.
    Rest(Duration),
    /// End: it does not lead any more.
    Lost(Loss),
    /// End: the lease is given back, or was not this replica's.
    Left,
}

/// Why a replica does not lead any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// This one holds the lease.
    Taken(String),
    /// It was not renewed in time.
    Expired,
}

impl Elector {
    /// A replica that has seen nothing.
    pub const fn new(terms: Terms) -> Self {
        Self {
            terms,
            role: Role::Following(None),
            began: Duration::ZERO,
        }
    }

    /// Until when writes may start; none when it does not lead.
    pub fn writes_until(&self) -> Option<Duration> {
        match self.role {
            Role::Leading(renewed) => Some(renewed + self.terms.renew_deadline),
            Role::Following(_) | Role::Leaving => None,
        }
    }

    /// Takes what happened, `now`, and tells what to do.
    pub fn on(&mut self, event: Event<'_>, now: Duration) -> Effect {
        match event {
            Event::Look => {
                self.began = now;
                Effect::Read
            }
            Event::Leave => {
                self.role = Role::Leaving;
                Effect::Read
            }
            Event::Read(found) => self.read(found, now),
            Event::Written => {
                if self.role != Role::Leaving {
                    self.role = Role::Leading(self.began);
                }
                self.done(now)
            }
            Event::Failed => self.done(now),
        }
    }

    fn read(&mut self, found: Option<Found<'_>>, now: Duration) -> Effect {
        let holder = found.map_or(Holder::Nobody, |found| found.holder);
        match (&self.role, holder) {
            (Role::Leaving, Holder::Me) => Effect::Release,
            (Role::Leaving, Holder::Nobody | Holder::Other(_)) => Effect::Left,
            (Role::Following(_) | Role::Leading(_), Holder::Nobody | Holder::Me) => Effect::Claim,
            (Role::Leading(_), Holder::Other(other)) => self.lose(Loss::Taken(other.to_owned())),
            (Role::Following(seen), Holder::Other(_)) => {
                let version = found.map_or("", |found| found.version);
                let since = match seen {
                    Some((seen, since)) if seen == version => *since,
                    _ => now,
                };
                self.role = Role::Following(Some((version.to_owned(), since)));
                let remaining = (since + self.terms.lease).saturating_sub(now);
                if remaining.is_zero() {
                    Effect::Claim
                } else {
                    Effect::Rest(remaining.min(self.terms.retry))
                }
            }
        }
    }

    /// A look has ended.
    fn done(&mut self, now: Duration) -> Effect {
        match self.role {
            Role::Leaving => Effect::Left,
            Role::Leading(renewed) if now >= renewed + self.terms.renew_deadline => self.lose(Loss::Expired),
            Role::Leading(_) | Role::Following(_) => Effect::Rest(self.terms.retry),
        }
    }

    fn lose(&mut self, loss: Loss) -> Effect {
        self.role = Role::Following(None);
        Effect::Lost(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: Option<Found<'_>> = Some(Found {
        holder: Holder::Other("a"),
        version: "1",
    });
    const OURS: Option<Found<'_>> = Some(Found {
        holder: Holder::Me,
        version: "1",
    });

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// One that looks at `began` and writes successfully at `written`.
    fn leader(began: Duration, written: Duration) -> (Elector, Effect) {
        let mut elector = Elector::new(TERMS);
        assert_eq!(elector.on(Event::Look, began), Effect::Read);
        assert_eq!(elector.on(Event::Read(None), began), Effect::Claim);
        let effect = elector.on(Event::Written, written);
        (elector, effect)
    }

    #[test]
    fn a_silent_holder_is_followed_after_exactly_the_lease() {
        let mut elector = Elector::new(TERMS);
        let mut look = |now| {
            elector.on(Event::Look, at(now));
            elector.on(Event::Read(OTHERS), at(now))
        };
        assert_eq!(look(1_000), Effect::Rest(TERMS.retry));
        assert_eq!(look(14_500), Effect::Rest(at(1_500)));
        assert_eq!(look(15_999), Effect::Rest(at(1)));
        assert_eq!(look(16_000), Effect::Claim);
        assert_eq!(look(17_000), Effect::Claim, "until it is written");
    }

    #[test]
    fn each_change_of_the_lease_lets_it_last_again() {
        let mut elector = Elector::new(TERMS);
        elector.on(Event::Read(OTHERS), at(0));
        let renewed = OTHERS.map(|found| Found {
            version: "2",
            ..found
        });
        assert_eq!(
            elector.on(Event::Read(renewed), at(15_000)),
            Effect::Rest(TERMS.retry)
        );
        assert_eq!(elector.on(Event::Read(renewed), at(29_999)), Effect::Rest(at(1)));
        assert_eq!(elector.on(Event::Read(renewed), at(30_000)), Effect::Claim);
    }

    #[test]
    fn a_free_lease_is_taken_at_once_and_ones_own_is_renewed() {
        let free = OURS.map(|found| Found {
            holder: Holder::Nobody,
            ..found
        });
        for found in [None, free, OURS] {
            assert_eq!(Elector::new(TERMS).on(Event::Read(found), at(0)), Effect::Claim);
        }
    }

    #[test]
    fn writes_may_start_until_ten_seconds_after_the_renewal_began() {
        assert_eq!(Elector::new(TERMS).writes_until(), None);
        let (mut elector, effect) = leader(at(1_000), at(4_000));
        assert_eq!(effect, Effect::Rest(TERMS.retry));
        assert_eq!(elector.writes_until(), Some(at(11_000)));
        elector.on(Event::Look, at(6_000));
        assert_eq!(elector.writes_until(), Some(at(11_000)), "not renewed yet");
        elector.on(Event::Read(OURS), at(7_000));
        elector.on(Event::Written, at(8_000));
        assert_eq!(elector.writes_until(), Some(at(16_000)));
    }

    #[test]
    fn a_leader_that_could_not_renew_for_ten_seconds_has_lost_the_lease() {
        let (mut elector, _) = leader(at(0), at(0));
        elector.on(Event::Look, at(9_000));
        assert_eq!(elector.on(Event::Failed, at(9_999)), Effect::Rest(TERMS.retry));
        assert_eq!(elector.on(Event::Failed, at(10_000)), Effect::Lost(Loss::Expired));
        assert_eq!(elector.writes_until(), None);
        assert_eq!(
            leader(at(0), at(10_000)).1,
            Effect::Lost(Loss::Expired),
            "too late"
        );
    }

    #[test]
    fn a_leader_that_sees_another_holder_has_lost_the_lease() {
        let (mut elector, _) = leader(at(0), at(0));
        assert_eq!(
            elector.on(Event::Read(OTHERS), at(1)),
            Effect::Lost(Loss::Taken("a".to_owned()))
        );
        assert_eq!(elector.writes_until(), None);
    }

    #[test]
    fn a_leader_that_leaves_starts_no_write_and_gives_back_what_is_its_own() {
        let leave = |found| {
            let (mut elector, _) = leader(at(0), at(0));
            assert_eq!(elector.on(Event::Leave, at(1)), Effect::Read);
            assert_eq!(elector.writes_until(), None);
            (elector.on(Event::Read(found), at(2)), elector)
        };
        for found in [None, OTHERS] {
            assert_eq!(leave(found).0, Effect::Left);
        }
        for end in [Event::Written, Event::Failed] {
            let (effect, mut elector) = leave(OURS);
            assert_eq!(effect, Effect::Release);
            assert_eq!(elector.on(end, at(3)), Effect::Left);
            assert_eq!(elector.writes_until(), None);
        }
    }

    #[test]
    fn a_follower_whose_request_fails_looks_again_after_a_pause() {
        assert_eq!(
            Elector::new(TERMS).on(Event::Failed, at(0)),
            Effect::Rest(TERMS.retry)
        );
    }

    #[test]
    fn a_write_that_starts_last_has_ended_when_the_lease_can_be_taken() {
        let write = Duration::from_secs(5);
        assert_eq!(TERMS.renew_deadline + write, TERMS.lease);
    }
}
