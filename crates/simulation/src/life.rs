//! One life of an object: created, changed, looked at, deleted, with whatever the schedule lets befall the operator meanwhile.

mod processes;

use crate::{
    NEIGHBOUR, OBJECT,
    fault::Schedule,
    ground::Ground,
    instance::Running,
    oracle::{Oracle, Rule, Violation, is_held, is_ready},
    scenario::Scenario,
    world::{EPOCH, Effect, Instance, World},
};
use jwthttpapi::cli::Settings;
use jwthttpapi_core::api::REQUESTED_AT;
use jwthttpapi_sandbox::{Clock, Timestamp};
use serde_json::{Value, json};
use std::{collections::BTreeSet, ops::Range, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How long a phase may take. Waits between failures grow to five minutes.
const LIMIT: Duration = Duration::from_secs(3600);
/// How long late requests and answers are waited for after a phase: longer than any wait for AWS's lists.
pub(crate) const SETTLE: Duration = Duration::from_secs(70);
/// How long an orphan may be there: it is looked for once in a period of resyncs, twice an hour apart, and a process that begins
/// anew knows of none.
const ORPHANED: Duration = Duration::from_hours(6);
/// Two periods of resyncs, and their jitter.
const TWO_RESYNCS: Duration = Duration::from_secs(1500);
/// How often it is looked at what AWS serves while that may change by itself.
const OFTEN: Duration = Duration::from_millis(250);
/// How long a request or an answer is on its way.
const LATENCY: Duration = Duration::from_millis(3);

/// The parts of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// From the object's creation until it is Ready and still.
    Create,
    /// From its change on.
    Update,
    /// From a verification that is asked for on.
    Steady,
    /// From its deletion on.
    Delete,
}

/// What a life came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every request.
    pub journal: Vec<Effect>,
    /// Which requests belong to which phase.
    pub phases: Vec<(Phase, Range<usize>)>,
    /// What must not be.
    pub violations: Vec<Violation>,
    /// How long it lasted, by its own clock.
    pub lasted: Duration,
}

/// Lives it, in a thread of its own in which the seed decides every draw.
pub fn live(ground: &Ground, scenario: &Scenario, schedule: &Schedule, seed: u64) -> Outcome {
    in_a_thread(seed, scenario, async |seed| {
        Life::begin(ground, scenario, schedule, seed).run().await
    })
}

/// Runs a life in a thread of its own in which the seed decides every draw.
pub(crate) fn in_a_thread(
    seed: u64,
    #[cfg_attr(
        not(planted),
        expect(unused_variables, reason = "it says which bug is planted")
    )]
    scenario: &Scenario,
    life: impl AsyncFnOnce(u64) -> Outcome + Send,
) -> Outcome {
    let run = || {
        #[cfg(planted)]
        jwthttpapi_core::planted::plant(scenario.planted.and_then(jwthttpapi_core::planted::Bug::named));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        // Begun inside: outside of the runtime an instant is one of the machine's clock.
        runtime.block_on(async { life(seed).await })
    };
    match jwthttpapi_entropy::seeded(seed, run) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            let how = format!("the life ended in a panic: {}", text.unwrap_or_default());
            Outcome {
                violations: vec![Violation {
                    rule: Rule::Alive,
                    how,
                }],
                ..Outcome::default()
            }
        }
    }
}

pub(crate) struct Life<'a> {
    pub(crate) scenario: &'a Scenario,
    settings: Settings,
    pub(crate) world: World,
    pub(crate) oracle: Oracle,
    running: Vec<Running>,
    /// Which of them are to end in good order.
    asked_to_stop: BTreeSet<Instance>,
    /// Whether nothing befalls it.
    undisturbed: bool,
    phases: Vec<(Phase, Range<usize>)>,
}

impl<'a> Life<'a> {
    pub(crate) fn begin(ground: &Ground, scenario: &'a Scenario, schedule: &Schedule, seed: u64) -> Self {
        let beginning = if scenario.neighbour {
            &ground.beside
        } else {
            &ground.alone
        };
        let sandbox = beginning.sandbox.fork(Clock::tokio(Timestamp(EPOCH)), seed);
        let switches = sandbox.settings().patched(&scenario.switches).expect("switches");
        sandbox.set_settings(switches);
        let oracle = Oracle::new(beginning.before.clone(), scenario);
        let world = World::new(sandbox, schedule.clone(), LATENCY, oracle.clone());
        if let Some(neighbour) = &beginning.neighbour {
            world.state().kubernetes.restore(&NEIGHBOUR, neighbour);
        }
        Self {
            scenario,
            settings: scenario.settings(),
            world,
            oracle,
            running: Vec::new(),
            asked_to_stop: BTreeSet::new(),
            // Two that act at once do everything twice.
            undisturbed: schedule.is_empty() && (scenario.elected || scenario.replicas == 1),
            phases: Vec::new(),
        }
    }

    async fn run(mut self) -> Outcome {
        self.start();
        let ended = self.phases().await;
        if let Err(problem) = ended {
            self.oracle.violated(Rule::ComesToRest, problem);
        }
        self.end().await
    }

    /// Stops the processes, and says what it all came to.
    pub(crate) async fn end(mut self) -> Outcome {
        self.stop().await;
        self.oracle.ended(&self.world);
        let state = self.world.state();
        Outcome {
            journal: state.journal.clone(),
            phases: self.phases.clone(),
            violations: self.oracle.violations(),
            lasted: self.world.elapsed(),
        }
    }

    async fn phases(&mut self) -> Result<(), String> {
        let update = self.scenario.second.is_some().then_some(Phase::Update);
        let steady = self.scenario.verified.then_some(Phase::Steady);
        let living = [Some(Phase::Create), update, steady];
        for phase in living.into_iter().flatten() {
            self.phase(phase).await?;
            if self.object().is_none() {
                self.oracle.at_rest(&self.world, Phase::Delete);
                return Ok(());
            }
            self.oracle.at_rest(&self.world, phase);
        }
        self.phase(Phase::Delete).await?;
        if self.object().is_some_and(|object| is_held(&object)) {
            self.oracle.at_rest(&self.world, Phase::Delete);
            self.lift();
            self.phase(Phase::Delete).await?;
        }
        self.oracle.at_rest(&self.world, Phase::Delete);
        Ok(())
    }

    /// The user lifts the suspension.
    fn lift(&mut self) {
        let Some(mut object) = self.object() else { return };
        object["spec"]["suspend"] = json!(false);
        self.oracle.wanted(&object["spec"]);
        let _ = self.world.state().kubernetes.edit(&OBJECT, object);
    }

    /// Has the user do what a phase begins with, and waits until it has come to rest.
    pub(crate) async fn phase(&mut self, phase: Phase) -> Result<(), String> {
        let from = self.world.state().journal.len();
        let uid = self.object().unwrap_or_default()["metadata"]["uid"].clone();
        self.user(phase);
        if phase == Phase::Delete && self.scenario.abandoned {
            let is_removed = |world: &World| {
                let mut apis = world.sandbox().apis().into_iter();
                apis.all(|(_, tags)| tags.get("jwthttpapi.dev/uid").is_none_or(|of| uid != *of))
            };
            self.until(ORPHANED, is_removed).await;
        }
        let mut ended = self.come_to_rest(phase).await;
        if ended.is_ok() && phase == Phase::Steady && self.scenario.resyncs && self.object().is_some() {
            self.rest().await;
            ended = self.come_to_rest(phase).await;
        }
        let to = self.world.state().journal.len();
        self.phases.push((phase, from..to));
        ended
    }

    /// Waits for resyncs, and has those judged that come when everything before is long over.
    pub(crate) async fn rest(&mut self) {
        let from = self.world.state().journal.len();
        self.until(TWO_RESYNCS / 2, |_| false).await;
        let begun = self.world.state().journal.len();
        self.until(TWO_RESYNCS / 2, |_| false).await;
        let effects = self.world.state().journal[from..].to_vec();
        if effects.iter().all(|effect| effect.fault.is_none()) {
            self.oracle.quiet(&effects[begun - from..]);
        }
    }

    async fn come_to_rest(&mut self, phase: Phase) -> Result<(), String> {
        self.world.announce();
        let (began, from) = (self.world.elapsed(), self.world.state().journal.len());
        let took = self.reach(phase).await?.saturating_sub(began);
        if self.undisturbed {
            let effects = self.world.state().journal[from..].to_vec();
            self.oracle
                .prompt(phase, took, &effects, self.scenario.is_usual());
        }
        // Somebody's change is found when the object is looked at next.
        // A second API is found by the list of all, which is read once per resync period.
        if self.oracle.may_be_doubled() && phase != Phase::Delete {
            self.until(TWO_RESYNCS, |_| false).await;
            self.reach(phase).await?;
        }
        while phase != Phase::Delete && self.oracle.must_be_looked_at() && self.object().is_some() {
            // Lists may not show it yet.
            self.until(SETTLE, |_| false).await;
            // Another word each time: the same one would ask for nothing.
            let word = self.world.state().journal.len();
            self.ask(&format!("{phase:?} {word}"));
            self.world.announce();
            self.reach(phase).await?;
        }
        // A namesake that somebody made meanwhile is deleted, too.
        if phase == Phase::Delete && self.object().is_some() {
            self.world.delete();
            self.world.announce();
            self.reach(phase).await?;
        }
        Ok(())
    }

    /// Waits until a phase has reached its end and stays there; when it did.
    pub(crate) async fn reach(&mut self, phase: Phase) -> Result<Duration, String> {
        while self.until(LIMIT, |world| reached(world, phase)).await {
            let (when, befallen) = (self.world.elapsed(), self.befallen());
            self.until(SETTLE, |_| false).await;
            if self.befallen() == befallen && reached(&self.world, phase) {
                return Ok(when);
            }
        }
        let object = self.object().unwrap_or_default();
        Err(format!("{phase:?} did not end: {object}"))
    }

    /// How many requests a fault has befallen, or an outage has met: nothing is at rest while there are more of them.
    fn befallen(&self) -> usize {
        let state = self.world.state();
        let faults = state.journal.iter().filter(|effect| effect.fault.is_some());
        faults.count() + state.outages.troubled()
    }

    pub(crate) fn object(&self) -> Option<Value> {
        let object = self.world.state().kubernetes.get(&OBJECT).ok()?;
        Some(Value::clone(&object))
    }

    /// What the user does at the beginning of a phase.
    pub(crate) fn user(&mut self, phase: Phase) {
        match phase {
            Phase::Create => {
                self.oracle.wanted(&self.scenario.first);
                let object = json!({
                    "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
                    "spec": self.scenario.first,
                });
                let now = self.world.now();
                let made = self.world.state().kubernetes.create(&OBJECT, object, now);
                let made = made.expect("a new object");
                self.oracle
                    .lives(made["metadata"]["uid"].as_str().unwrap_or_default());
            }
            Phase::Update => {
                let spec = self.scenario.second.clone().unwrap_or_default();
                self.oracle.wanted(&spec);
                if let Some(mut object) = self.object() {
                    object["spec"] = spec;
                    let _ = self.world.state().kubernetes.edit(&OBJECT, object);
                }
            }
            Phase::Steady => self.ask("now"),
            Phase::Delete if self.scenario.abandoned => self.world.abandon(),
            Phase::Delete => self.world.delete(),
        }
    }

    /// Asks for a verification.
    pub(crate) fn ask(&self, word: &str) {
        let annotation = json!({"metadata": {"annotations": {REQUESTED_AT: word}}});
        let _ = self.world.state().kubernetes.merge(&OBJECT, false, &annotation);
    }

    /// Keeps the processes running until a goal is reached, or for a while.
    pub(crate) async fn until(&mut self, limit: Duration, goal: impl Fn(&World) -> bool) -> bool {
        let end = Instant::now() + limit;
        let mut changes = self.world.changes();
        loop {
            self.mind_processes().await;
            if goal(&self.world) {
                return true;
            }
            let next = if self.sees_whether_it_is_served() {
                end.min(Instant::now() + OFTEN)
            } else {
                end
            };
            // With no timer armed a paused clock would wait for ever.
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = sleep_until(next) => if next == end { return goal(&self.world) },
            }
        }
    }

    /// Looks whether those are served at this moment who are to be, if that is to be looked at.
    fn sees_whether_it_is_served(&self) -> bool {
        let sandbox = self.world.sandbox();
        let lives = || {
            self.object()
                .is_some_and(|object| object["metadata"]["deletionTimestamp"].is_null())
        };
        let sees = self.undisturbed && self.oracle.is_changing(sandbox) && lives();
        if sees {
            self.oracle.served(sandbox);
        }
        sees
    }
}

/// Whether a phase has reached its end. An object that somebody deleted meanwhile has reached the end of all, and one that is
/// suspended goes no further. Nor is it the end while something of the user's is away.
fn reached(world: &World, phase: Phase) -> bool {
    if world.state().away > 0 {
        return false;
    }
    let Ok(object) = world.state().kubernetes.get(&OBJECT) else {
        return true;
    };
    if phase == Phase::Delete {
        // A namesake that somebody made meanwhile is another object.
        let another = object["metadata"]["deletionTimestamp"].is_null() && is_ready(&object);
        return another || is_held(&object);
    }
    let asked = &object["metadata"]["annotations"][REQUESTED_AT];
    let answered = asked.is_null() || object["status"]["lastHandledReconcileAt"] == *asked;
    (is_ready(&object) || is_held(&object)) && answered
}
