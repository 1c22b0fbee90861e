//! What both simulated services share: the clock, numbered effects with their faults, instances that live and die, the journal.

mod befall;

pub(crate) use crate::effect::digest;
pub use crate::effect::{Asked, Delivery, Effect, Instance, Service};
use crate::{
    OPERATOR,
    deed::Switched,
    effect::changes,
    fault::{Fault, Schedule, Side},
    kubernetes::Store,
    oracle::{Oracle, Rule},
    outage::{Outages, Shape},
};
use jwthttpapi_sandbox::{Sandbox, Settings};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, RwLock, RwLockWriteGuard, watch},
    time::{Instant, sleep},
};

/// 2027-01-15T08:00:00Z: when every simulated life begins, in milliseconds since 1970.
pub const EPOCH: u64 = 1_800_000_000_000;
/// A loop without waiting never lets a paused clock move: from here on nothing is answered.
const MOST_EFFECTS: usize = 20_000;
/// Shared by everybody in a life; clones are handles.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// AWS.
    sandbox: Sandbox,
    /// Its switches when nobody does anything to it.
    usual: Settings,
    oracle: Oracle,
    /// Something was committed, or an instance died.
    changed: watch::Sender<u64>,
    /// A paused instance goes on.
    resumed: Notify,
    /// Whose turn it is: the operator's requests', or somebody's.
    turns: RwLock<()>,
    began: Instant,
}

/// What changes.
pub struct State {
    /// Kubernetes.
    pub kubernetes: Store,
    /// Every event that was told to people.
    pub told: Vec<serde_json::Value>,
    /// The metrics of every process.
    pub metrics: Vec<Registry>,
    /// Every request so far.
    pub journal: Vec<Effect>,
    /// What is to befall which request.
    pub schedule: Schedule,
    /// How long a request and its answer are on their way.
    pub latency: Duration,
    /// Who may send requests.
    alive: BTreeSet<Instance>,
    /// Whose requests wait.
    paused: BTreeSet<Instance>,
    /// Who died since the driver looked.
    crashed: BTreeSet<Instance>,
    /// Whom the driver is to stop in good order.
    terminated: BTreeSet<Instance>,
    pub(crate) outages: Outages,
    /// The operator's access key, if its source has one.
    pub key: Option<&'static str>,
    /// Whether that is another one now than at first.
    pub rotated: bool,
    /// What deeds have switched in AWS.
    pub switched: Switched,
    /// How often something of the user's was taken away that is not back yet.
    pub away: u32,
    /// How far the time of day is from what it should be.
    skew: SignedDuration,
    last: Instance,
    /// Whether a process may end by a panic: one outside of any reconcile was let happen.
    pub panics: bool,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// Begins a life now, on tokio's clock.
    pub fn new(sandbox: Sandbox, schedule: Schedule, latency: Duration, oracle: Oracle) -> Self {
        let state = State {
            kubernetes: Store::default(),
            told: Vec::new(),
            metrics: Vec::new(),
            journal: Vec::new(),
            schedule,
            latency,
            alive: BTreeSet::new(),
            paused: BTreeSet::new(),
            crashed: BTreeSet::new(),
            terminated: BTreeSet::new(),
            outages: Outages::default(),
            key: Some(OPERATOR),
            rotated: false,
            switched: Switched::default(),
            away: 0,
            skew: SignedDuration::ZERO,
            last: 0,
            panics: false,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            usual: sandbox.settings(),
            sandbox,
            oracle,
            changed: watch::Sender::new(0),
            resumed: Notify::new(),
            turns: RwLock::new(()),
            began: Instant::now(),
        }))
    }

    /// The state; whoever holds it does not wait for anything.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// AWS.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// The switches of AWS when nobody does anything to it.
    pub fn usual(&self) -> &Settings {
        &self.0.usual
    }

    /// The judge.
    pub fn oracle(&self) -> &Oracle {
        &self.0.oracle
    }

    /// Has the oracles judge what AWS has carried out since the last time.
    pub fn judge(&self) {
        self.0.oracle.judge(&self.0.sandbox);
    }

    /// How long the life lasts.
    pub fn elapsed(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// The time of day, as the operator's clock shows it.
    pub fn now(&self) -> Timestamp {
        let skew = self.state().skew;
        let elapsed = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        let epoch = i64::try_from(EPOCH).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(epoch.saturating_add(elapsed)).unwrap_or_default() + skew
    }

    /// Told of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Tells everybody that something changed.
    pub fn announce(&self) {
        self.0.changed.send_modify(|version| *version += 1);
    }

    /// A new process.
    pub fn start(&self) -> Instance {
        let mut state = self.state();
        state.last += 1;
        let instance = state.last;
        state.alive.insert(instance);
        instance
    }

    /// A process has ended: nothing more comes from it. Where lists or reads lag, its successor does not see all that it made.
    pub fn end(&self, instance: Instance) {
        self.state().alive.remove(&instance);
        if self.0.usual.list_lag_ms > 0 || self.0.usual.read_lag_ms > 0 {
            self.oracle().unseen();
        }
    }

    /// Who died since the last look.
    pub fn take_crashed(&self) -> BTreeSet<Instance> {
        std::mem::take(&mut self.state().crashed)
    }

    /// Who is to be stopped in good order since the last look.
    pub fn take_terminated(&self) -> BTreeSet<Instance> {
        std::mem::take(&mut self.state().terminated)
    }

    /// Whether an instance is paused.
    pub fn is_paused(&self, instance: Instance) -> bool {
        self.state().paused.contains(&instance)
    }

    /// One request to a service, or to one of AWS's: numbered, written down, and carried out by `commit` unless something befalls
    /// it.
    pub async fn deliver<T: Send + 'static>(
        &self,
        from: Instance,
        asked: Asked,
        commit: impl Future<Output = T> + Send + 'static,
    ) -> Delivery<T> {
        let (service, part) = (asked.service, asked.part);
        let is_write = changes(service, &asked.name);
        let Some((number, fault, latency)) = self.send(from, asked) else {
            return pending().await;
        };
        while self.is_paused(from) {
            self.0.resumed.notified().await;
        }
        pass(latency).await;
        if let Some(fault) = &fault {
            if let Fault::Outage(outage) = fault {
                self.state().outages.begin(*outage, service, part);
                if service == Service::Kubernetes {
                    self.state().kubernetes.end_watches();
                }
            }
            if let Some(delivery) = self.befall(number, from, service, fault, Side::Before).await {
                return delivery;
            }
        }
        let trouble = self.state().outages.meet(service, part, is_write);
        match trouble {
            Some(Shape::Refused | Shape::Flapping) => return Delivery::Reset,
            Some(Shape::Failing(status)) => return Delivery::Status(status),
            Some(Shape::Silent) => return pending().await,
            Some(Shape::Slow | Shape::Unanswered) | None => {}
        }
        match fault {
            Some(Fault::Late(sender)) => return self.arrive_late(number, from, sender, commit).await,
            Some(Fault::Pause { seconds }) => return self.fall_asleep(number, from, seconds, commit).await,
            _ => {}
        }
        if !self.state().alive.contains(&from) {
            return pending().await;
        }
        let answer = if trouble == Some(Shape::Slow) {
            self.carry_out_slowly(number, from, commit).await
        } else {
            self.carry_out(number, commit).await
        };
        if trouble == Some(Shape::Unanswered) {
            return pending().await;
        }
        if let Some(fault) = &fault {
            match fault {
                Fault::Half => return Delivery::Half(answer),
                Fault::Garbage => return Delivery::Garbage(answer),
                _ => {}
            }
            if let Some(delivery) = self.befall(number, from, service, fault, Side::After).await {
                return delivery;
            }
        }
        pass(latency).await;
        Delivery::Answer(answer)
    }

    /// Carries a request out: not while somebody does what takes several requests.
    async fn carry_out<T>(&self, number: usize, commit: impl Future<Output = T>) -> T {
        let turn = self.0.turns.read().await;
        let answer = commit.await;
        drop(turn);
        if let Some(effect) = self.state().journal.get_mut(number) {
            effect.carried_out = true;
        }
        self.announce();
        answer
    }

    /// While this is held, nothing of the operator's is carried out.
    pub(crate) async fn turn(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.turns.write().await
    }

    fn send(&self, from: Instance, asked: Asked) -> Option<(usize, Option<Fault>, Duration)> {
        let at = self.elapsed();
        let mut state = self.state();
        if !state.alive.contains(&from) {
            return None;
        }
        let number = state.journal.len();
        if number >= MOST_EFFECTS {
            self.0
                .oracle
                .violated(Rule::ComesToRest, format!("more than {MOST_EFFECTS} requests"));
            return None;
        }
        let fault = state.schedule.get(&number).cloned();
        self.0.oracle.sent(from, &asked, at);
        let Asked {
            service,
            name,
            digest,
            ..
        } = asked;
        state.journal.push(Effect {
            at,
            instance: from,
            service,
            name,
            digest,
            fault: fault.clone(),
            carried_out: false,
        });
        Some((number, fault, state.latency))
    }
}

async fn pass(latency: Duration) {
    if !latency.is_zero() {
        sleep(latency).await;
    }
}
