//! The budget: how many requests a service is sent, and whose go first.
//!
//! API Gateway allows ten requests a second with bursts of forty for a whole account and Region, reads and writes of everybody
//! together, and no more on request (D, aws-facts §1). So the operator keeps a bucket of tokens per service and Region (one
//! process acts in one account), takes a token for each request, and lets nobody's queue hold up the others:
//!
//! * the most urgent class goes first, and within it objects take turns, however long the queue of each is;
//! * every fifth token goes to whoever has waited longest, so that routine work is slowed and never stopped;
//! * who stops waiting leaves the queue, and a token that was granted and not used goes back;
//! * when AWS throttles, the bucket pauses for everybody: one second, then twice as long each time, up to thirty.
//!
//! There is no task behind a bucket: those who wait hand out its tokens themselves, each to whose turn it is.

use super::operation::Service;
use jwthttpapi_core::planted;
use prometheus_client::metrics::counter::Counter;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
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
    /// Half of what API Gateway allows an account and Region (D, aws-facts §1): the other half is for everybody else.
    pub const API_GATEWAY: Self = Self {
        per_second: 5.0,
        burst: 20,
    };
    /// Lambda allows `GetPolicy` 15 a second and all other control calls 15 a second in sum (D, aws-facts §1).
    pub const LAMBDA: Self = Self {
        per_second: 7.5,
        burst: 15,
    };
    /// IAM's rates are not published (D, aws-facts §11); this is a quiet neighbour's.
    pub const IAM: Self = Self {
        per_second: 5.0,
        burst: 20,
    };
    /// Logs allows `DescribeLogGroups` 10 a second and most other control calls 5 to 10 (D, CloudWatch Logs quotas).
    pub const LOGS: Self = Self {
        per_second: 5.0,
        burst: 10,
    };
    /// STS is asked once per process; while it does not answer, by everybody.
    pub const STS: Self = Self {
        per_second: 1.0,
        burst: 5,
    };
}

/// How urgent a request is, the most urgent first.
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

/// Every how many grants whoever has waited longest goes first.
const ELDEST_EVERY: u32 = 5;
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
    queue: Queue,
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

/// Who waits: by urgency, then by object, then in order of arrival.
#[derive(Debug, Default)]
struct Queue {
    classes: BTreeMap<Urgency, Class>,
    tickets: u64,
    grants: u32,
}

#[derive(Debug, Default)]
struct Class {
    waiting: BTreeMap<Arc<str>, VecDeque<Waiter>>,
    /// Whose turn was last.
    last: Option<Arc<str>>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    grant: oneshot::Sender<u64>,
}

impl Queue {
    fn enter(&mut self, object: &Arc<str>, urgency: Urgency, grant: oneshot::Sender<u64>) -> u64 {
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

    fn leave(&mut self, object: &Arc<str>, urgency: Urgency, ticket: u64) {
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

    /// Takes whose turn it is out of the queue.
    fn next(&mut self) -> Option<oneshot::Sender<u64>> {
        let (urgency, object) = if self.grants + 1 == ELDEST_EVERY {
            self.eldest()?
        } else {
            let turn = |(urgency, class): (&Urgency, &Class)| Some((*urgency, class.turn()?));
            self.classes.iter().find_map(turn)?
        };
        self.grants = (self.grants + 1) % ELDEST_EVERY;
        let class = self.classes.get_mut(&urgency)?;
        let waiter = class.waiting.get_mut(&object)?.pop_front()?;
        class.last = Some(Arc::clone(&object));
        if class.waiting.get(&object).is_some_and(VecDeque::is_empty) {
            class.waiting.remove(&object);
        }
        Some(waiter.grant)
    }

    fn eldest(&self) -> Option<(Urgency, Arc<str>)> {
        self.classes
            .iter()
            .flat_map(|(urgency, class)| class.waiting.iter().map(move |entry| (*urgency, entry)))
            .filter_map(|(urgency, (object, waiters))| Some((waiters.front()?.ticket, urgency, object)))
            .min()
            .map(|(_, urgency, object)| (urgency, Arc::clone(object)))
    }
}

impl Class {
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::pin::pin;
    use tokio::task::JoinSet;

    fn bucket(per_second: f64, burst: u32) -> Arc<Bucket> {
        Bucket::new(
            Service::ApiGateway,
            Rate { per_second, burst },
            Counter::default(),
        )
    }

    async fn spend(bucket: &Arc<Bucket>, object: &Arc<str>, urgency: Urgency) {
        bucket.acquire(object, urgency).await.spend();
    }

    /// Lets `many` requests of an object wait, and notes in `order` when each is granted.
    fn queue(
        tasks: &mut JoinSet<()>,
        bucket: &Arc<Bucket>,
        order: &Arc<Mutex<Vec<&'static str>>>,
        (object, urgency, many): (&'static str, Urgency, usize),
    ) {
        for _ in 0..many {
            let (bucket, order) = (Arc::clone(bucket), Arc::clone(order));
            tasks.spawn(async move {
                spend(&bucket, &Arc::from(object), urgency).await;
                order.lock().unwrap().push(object);
            });
        }
    }

    async fn settle() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (bucket, object) = (bucket(5.0, 20), Arc::from("a"));
        let began = Instant::now();
        for _ in 0..20 {
            spend(&bucket, &object, Urgency::Create).await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..80 {
            spend(&bucket, &object, Urgency::Create).await;
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(16), "{took:?}");
        assert!(took <= Duration::from_millis(16_100), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_waiters_together_get_no_more_than_the_rate() {
        let (bucket, order) = (bucket(5.0, 1), Arc::default());
        let mut tasks = JoinSet::new();
        queue(&mut tasks, &bucket, &order, ("a", Urgency::Create, 51));
        tokio::time::sleep(Duration::from_millis(5_100)).await;
        assert_eq!(order.lock().unwrap().len(), 26);
    }

    #[tokio::test(start_paused = true)]
    async fn behind_three_hundred_of_another_object_the_second_grant_at_latest_is_ours() {
        for before in 0..10 {
            let (bucket, order) = (bucket(5.0, 1), Arc::default());
            let mut tasks = JoinSet::new();
            queue(&mut tasks, &bucket, &order, ("long", Urgency::Create, 300));
            settle().await;
            tokio::time::sleep(Duration::from_millis(210 * before)).await;
            let granted = order.lock().unwrap().len();
            queue(&mut tasks, &bucket, &order, ("short", Urgency::Create, 1));
            tokio::time::sleep(Duration::from_millis(420)).await;
            let order = order.lock().unwrap();
            assert!(
                order.iter().skip(granted).take(2).any(|o| *o == "short"),
                "{before}: {order:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_tightens_goes_before_what_creates() {
        let (bucket, order) = (bucket(5.0, 1), Arc::default());
        let mut tasks = JoinSet::new();
        queue(&mut tasks, &bucket, &order, ("creates", Urgency::Create, 4));
        settle().await;
        queue(&mut tasks, &bucket, &order, ("tightens", Urgency::Tighten, 2));
        while tasks.join_next().await.is_some() {}
        let order = order.lock().unwrap();
        assert_eq!(
            *order,
            ["creates", "tightens", "tightens", "creates", "creates", "creates"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn urgent_work_without_end_does_not_stop_routine() {
        let (bucket, order) = (bucket(5.0, 1), Arc::default());
        let mut tasks = JoinSet::new();
        queue(&mut tasks, &bucket, &order, ("resyncs", Urgency::Resync, 5));
        settle().await;
        queue(&mut tasks, &bucket, &order, ("tightens", Urgency::Tighten, 1000));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let order = order.lock().unwrap();
        let routine = order
            .iter()
            .skip(1)
            .filter(|object| **object == "resyncs")
            .count();
        assert_eq!(routine, 4, "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_takes_no_token() {
        let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
        spend(&bucket, &object, Urgency::Create).await;
        for _ in 0..10 {
            let waiting = bucket.acquire(&object, Urgency::Create);
            assert!(
                tokio::time::timeout(Duration::from_millis(10), waiting)
                    .await
                    .is_err()
            );
        }
        let began = Instant::now();
        spend(&bucket, &object, Urgency::Create).await;
        assert!(began.elapsed() <= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_grant_that_nobody_took_and_a_permit_unused_go_back() {
        let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
        drop(bucket.acquire(&object, Urgency::Create).await);
        assert!((bucket.tokens() - 1.0).abs() < 1e-9);
        spend(&bucket, &object, Urgency::Create).await;
        {
            let mut granted = pin!(bucket.acquire(&object, Urgency::Create));
            assert!(granted.as_mut().now_or_never().is_none());
            tokio::time::sleep(Duration::from_secs(2)).await;
            // Another who waits hands the token to the first in the queue, who then goes away.
            let other = bucket.acquire(&object, Urgency::Create);
            assert!(pin!(other).now_or_never().is_none());
        }
        assert!((bucket.tokens() - 1.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_pauses_everybody_longer_each_time_and_a_good_answer_ends_that() {
        let (bucket, object) = (bucket(0.0, 0), Arc::from("a"));
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            let began = Instant::now();
            let mut permit = bucket.acquire(&object, Urgency::Create).await;
            permit.spend();
            permit.throttled();
            let mut next = bucket.acquire(&object, Urgency::Create).await;
            next.spend();
            assert_eq!(began.elapsed().as_secs(), pause);
        }
        let mut permit = bucket.acquire(&object, Urgency::Create).await;
        permit.spend();
        permit.answered();
        permit.throttled();
        let began = Instant::now();
        spend(&bucket, &object, Urgency::Create).await;
        assert_eq!(began.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_requests_go_out_one_by_one() {
        let (bucket, object) = (bucket(1.0, 20), Arc::from("a"));
        let mut permit = bucket.acquire(&object, Urgency::Create).await;
        permit.spend();
        permit.throttled();
        let began = Instant::now();
        for _ in 0..3 {
            assert!(bucket.tokens() < 1.0);
            spend(&bucket, &object, Urgency::Create).await;
        }
        assert_eq!(began.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_throttled_together_make_one_pause() {
        let (bucket, object) = (bucket(0.0, 0), Arc::from("a"));
        let permit = || async {
            let mut permit = bucket.acquire(&object, Urgency::Create).await;
            permit.spend();
            permit
        };
        let (one, other) = (permit().await, permit().await);
        one.throttled();
        other.throttled();
        let began = Instant::now();
        permit().await;
        assert_eq!(began.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_without_leave_is_made_up_for() {
        let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
        bucket.debit();
        bucket.debit();
        let began = Instant::now();
        spend(&bucket, &object, Urgency::Create).await;
        assert_eq!(began.elapsed().as_secs(), 2);
    }
}
