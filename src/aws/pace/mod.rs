//! The budget: how many requests a service is sent, and whose go first.
//!
//! API Gateway allows ten requests a second with bursts of forty for a whole account and Region, reads and writes of everybody
//! together, and no more on request (D). So the operator keeps a bucket of tokens per service and Region (one
//! process acts in one account), takes a token for each request, and lets nobody's queue hold up the others:
//!
//! * whose turn it is says the module `queue`: by urgency, and fair between objects;
//! * who stops waiting leaves the queue, and a token that was granted and not used goes back;
//! * when AWS throttles, the bucket pauses for everybody: one second, then twice as long each time, up to thirty.
//!
//! There is no task behind a bucket: those who wait hand out its tokens themselves, each to whose turn it is.

#[cfg(test)]
mod tests;

use super::operation::Service;
use crate::queue::{Queue, Urgency};
use jwthttpapi_core::planted;
use prometheus_client::metrics::counter::Counter;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// How fast a service is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second in the long run; zero for no limit.
    pub per_second: f64,
    /// Requests that may be sent at once after a quiet time.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const UNLIMITED: Self = Self {
        per_second: 0.0,
        burst: 0,
    };
    /// Half of what API Gateway allows an account and Region (D): the other half is for everybody else.
    pub const API_GATEWAY: Self = Self {
        per_second: 5.0,
        burst: 20,
    };
    /// Lambda allows `GetPolicy` 15 a second and all other control calls 15 a second in sum (D).
    pub const LAMBDA: Self = Self {
        per_second: 7.0,
        burst: 15,
    };
    /// IAM's rates are not published (D); this is a quiet neighbour's.
    pub const IAM: Self = Self {
        per_second: 5.0,
        burst: 20,
    };
    /// Logs allows `DescribeLogGroups` 10 a second and most other control calls 5 to 10 (D, CloudWatch Logs quotas).
    pub const LOGS: Self = Self {
        per_second: 5.0,
        burst: 10,
    };
    /// STS is asked once for each access key; while it does not answer, by everybody.
    pub const STS: Self = Self {
        per_second: 1.0,
        burst: 5,
    };
}

/// The first pause after a throttle.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after a throttle.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The tokens of one service in one Region.
#[derive(Debug)]
pub(super) struct Bucket {
    service: Service,
    rate: Rate,
    waited: Counter<f64, AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    refilled: Instant,
    /// What is sent tells how many pauses there had been when it was granted.
    queue: Queue<oneshot::Sender<u64>>,
    /// Until when nothing is granted, and how many pauses there were.
    paused_until: Instant,
    pauses: u64,
    next_pause: Duration,
}

/// Leave to send one request. Dropped unused, it goes back.
#[derive(Debug)]
pub(super) struct Permit {
    bucket: Arc<Bucket>,
    pauses: u64,
    used: bool,
}

impl Bucket {
    pub(super) fn new(service: Service, rate: Rate, waited: Counter<f64, AtomicU64>) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            service,
            rate,
            waited,
            state: Mutex::new(State {
                tokens: f64::from(rate.burst.max(1)),
                refilled: now,
                queue: Queue::default(),
                paused_until: now,
                pauses: 0,
                next_pause: FIRST_PAUSE,
            }),
        })
    }

    pub(super) const fn service(&self) -> Service {
        self.service
    }

    /// Tokens at hand: whole requests that could be sent at once; below zero after requests that could not be held back.
    pub(super) fn tokens(&self) -> f64 {
        let mut state = self.lock();
        self.refill(&mut state, Instant::now());
        state.tokens
    }

    /// Waits for leave to send one request for `object`. Cancel safe: dropping the future gives the place up.
    pub(super) async fn acquire(self: &Arc<Self>, object: &Arc<str>, urgency: Urgency) -> Permit {
        let began = Instant::now();
        let (grant, granted) = oneshot::channel();
        let ticket = self.lock().queue.enter(object, urgency, grant);
        let mut place = Place {
            bucket: self,
            object,
            urgency,
            ticket,
            granted,
        };
        let pauses = place.wait().await;
        self.waited.inc_by(began.elapsed().as_secs_f64());
        Permit {
            bucket: Arc::clone(self),
            pauses,
            used: false,
        }
    }

    /// Takes a token for a request that is sent whether there is one or not.
    pub(super) fn debit(&self) {
        let mut state = self.lock();
        self.refill(&mut state, Instant::now());
        state.tokens -= 1.0;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_unlimited(&self) -> bool {
        self.rate.per_second <= 0.0 || planted!(NoBudget)
    }

    fn refill(&self, state: &mut State, now: Instant) {
        let elapsed = now.saturating_duration_since(state.refilled).as_secs_f64();
        let full = f64::from(self.rate.burst.max(1));
        state.tokens = if self.is_unlimited() {
            full
        } else {
            (state.tokens + elapsed * self.rate.per_second).min(full)
        };
        // Not before the end of a pause.
        state.refilled = state.refilled.max(now);
    }

    /// Hands tokens out, each to whose turn it is; gives the time at which there will be another one.
    fn hand_out(&self) -> Instant {
        let now = Instant::now();
        let mut state = self.lock();
        if now < state.paused_until {
            return state.paused_until;
        }
        self.refill(&mut state, now);
        let pauses = state.pauses;
        while self.is_unlimited() || state.tokens >= 1.0 {
            let Some(grant) = state.queue.next() else { break };
            // Who went away between two looks gives nothing back, for nothing was taken.
            if grant.send(pauses).is_ok() {
                state.tokens -= 1.0;
            }
        }
        let missing = (1.0 - state.tokens).max(0.0);
        // Rounded up: a clock that ticks in milliseconds would otherwise wake a little early, and again, and again.
        let wait = if self.is_unlimited() {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(missing / self.rate.per_second)
        };
        now + wait + Duration::from_millis(1)
    }
}

impl Permit {
    /// The request is about to be sent.
    pub(super) fn spend(&mut self) {
        self.used = true;
    }

    /// AWS throttled the request: everybody pauses. Requests that were on their way together make one pause.
    pub(super) fn throttled(&self) {
        let mut state = self.bucket.lock();
        if self.pauses == state.pauses {
            state.pauses += 1;
            state.paused_until = Instant::now() + state.next_pause;
            // What AWS has just refused is not made up for in one burst.
            state.tokens = state.tokens.min(0.0);
            state.refilled = state.paused_until;
            state.next_pause = (state.next_pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// AWS answered the request otherwise. After a pause that means that the pause was long enough.
    pub(super) fn answered(&self) {
        let mut state = self.bucket.lock();
        if self.pauses == state.pauses {
            state.next_pause = FIRST_PAUSE;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.used {
            self.bucket.lock().tokens += 1.0;
        }
    }
}

/// A place in the queue.
struct Place<'a> {
    bucket: &'a Bucket,
    object: &'a Arc<str>,
    urgency: Urgency,
    ticket: u64,
    granted: oneshot::Receiver<u64>,
}

impl Place<'_> {
    async fn wait(&mut self) -> u64 {
        loop {
            let next = self.bucket.hand_out();
            tokio::select! {
                biased;
                granted = &mut self.granted => {
                    // The sender is in the queue until it is used.
                    return granted.unwrap_or_default();
                }
                () = sleep_until(next) => {}
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.bucket.lock();
        state.queue.leave(self.object, self.urgency, self.ticket);
        self.granted.close();
        // Granted, and nobody was there to take it.
        if self.granted.try_recv().is_ok() {
            state.tokens += 1.0;
        }
    }
}
