//! Carrying a plan out.
//!
//! Steps run in lanes: those to API Gateway one after the other in the plan's order, those to IAM likewise, those to Lambda up
//! to four at once and one after the other for each function. Lanes run together, but for what a step says must go before it.
//! Before each step, and again when its turn in the budget has come, the caller may cut the plan, and the deadline does.
//!
//! Nothing is tried again here: a fault ends its lane, and the caller observes and plans anew. What takes access away goes on
//! where it cannot open anything, see `schedule`.

mod api;
mod children;
mod function;
mod logs;
mod permission;
mod role;
mod schedule;
mod send;

use super::client::WRITE_TIMEOUT;
use super::fault::Fault;
use super::session::{Session, Stop, Turn};
use super::settings::Settings;
use crate::queue::Urgency;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jwthttpapi_core::model::{desired, observed};
use jwthttpapi_core::plan::{Plan, Refs, Service, Settled, Step};
use schedule::Schedule;
use send::Made;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Ids: those of the plan and those of what was made.
    pub refs: Refs,
    /// The API, when a step of the plan made it: its answer is the observation of its settings.
    pub created: Option<observed::Api>,
    /// Steps that succeeded, in the order in which they ended. What was to be deleted and was gone counts.
    pub done: Vec<Step>,
    /// Steps that did not, in the plan's order, and why. Some may have been carried out all the same, see
    /// [`Fault::may_have_committed`].
    pub faults: Vec<(Step, Fault)>,
    /// Steps that were not sent, because of a fault or because the plan was cut.
    pub skipped: Vec<Step>,
    /// Whether the caller or the deadline cut the plan before its end, or AWS was found other than it was made for.
    pub cut: bool,
    /// When the last write was carried out at the latest after which API Gateway deploys the stage anew.
    pub deploying_since: Option<Instant>,
    /// When the last write was carried out at the latest after which IAM needs time to settle.
    pub settles_since: Option<Instant>,
    /// When the last write to IAM or Lambda was carried out at the latest.
    pub wrote_beside: Option<Instant>,
    /// Until when a write that has no answer may still be on its way: an observation is to be believed only if it begins later.
    pub unanswered_until: Option<Instant>,
}

impl Outcome {
    /// Whether the plan was carried out whole.
    pub fn is_complete(&self) -> bool {
        !self.cut && self.faults.is_empty() && self.skipped.is_empty()
    }

    /// Whether AWS is not as it was, or may not be.
    pub fn progressed(&self) -> bool {
        !self.done.is_empty() || self.faults.iter().any(|(_, fault)| fault.may_have_committed())
    }

    /// The steps that were carried out, or may have been.
    pub fn written(&self) -> impl Iterator<Item = &Step> {
        let faults = self.faults.iter();
        let faults = faults.filter(|(_, fault)| fault.may_have_committed());
        self.done.iter().chain(faults.map(|(step, _)| step))
    }

    /// The step and fault to report: those of the gravest reason, the first of several.
    pub fn gravest(&self) -> Option<&(Step, Fault)> {
        self.faults.iter().min_by_key(|(_, fault)| fault.reason())
    }

    fn succeeded(&mut self, step: Step, made: Made) {
        self.wrote(&step, Instant::now());
        match made {
            Made::Nothing => {}
            Made::Api(api) => {
                self.refs.api = Some(api.id.clone());
                self.created = Some(*api);
            }
            Made::Authorizer { name, id } => {
                self.refs.authorizers.insert(name, id);
            }
            Made::Integration { marker, id } => {
                self.refs.integrations.insert(marker, id);
            }
            Made::Route { key, id } => {
                self.refs.routes.insert(key, id);
            }
        }
        self.done.push(step);
    }

    fn failed(&mut self, step: &Step, fault: &Fault) {
        if fault.may_have_committed() {
            let until = Instant::now() + WRITE_TIMEOUT;
            self.unanswered_until = Some(until);
            self.wrote(step, until);
        }
    }

    /// Takes note of what was carried out at an instant at the latest: an answered write may come after one that is still on its
    /// way.
    fn wrote(&mut self, step: &Step, latest: Instant) {
        if step.deploys() {
            self.deploying_since = self.deploying_since.max(Some(latest));
        }
        if step.settles() {
            self.settles_since = self.settles_since.max(Some(latest));
        }
        if matches!(step.service(), Service::Iam | Service::Lambda) {
            self.wrote_beside = self.wrote_beside.max(Some(latest));
        }
    }
}

/// Carries a plan out as far as it goes. `cut` is asked before each step whether to start no more of them, and so is
/// `deadline`; what is in flight ends by itself within the write timeout.
pub async fn run(
    session: &Session,
    plan: Plan,
    cut: &(dyn Fn() -> bool + Sync),
    deadline: Instant,
) -> Outcome {
    run_after(session, plan, None, cut, deadline).await
}

/// The same, where what IAM was told at a time before may not be in force yet.
pub async fn run_after(
    session: &Session,
    plan: Plan,
    iam_changed: Option<Instant>,
    cut: &(dyn Fn() -> bool + Sync),
    deadline: Instant,
) -> Outcome {
    let mut outcome = Outcome {
        refs: plan.refs,
        ..Outcome::default()
    };
    let mut schedule = Schedule::new(plan.steps);
    let mut written = Written::before(iam_changed);
    let mut in_flight = FuturesUnordered::new();
    let mut failed = BTreeMap::new();
    loop {
        while !outcome.cut
            && let Some((index, planned)) = schedule.start()
        {
            if cut() || Instant::now() >= deadline {
                outcome.cut = true;
                schedule.not_sent(index);
                break;
            }
            let turn = Turn {
                urgency: urgency(session.urgency(), planned.tightens),
                not_before: planned
                    .settled
                    .as_ref()
                    .and_then(|what| written.settled(what, session.settings())),
                deadline: Some(deadline),
                cut,
            };
            match send::send(session, turn, &outcome.refs, &planned.step) {
                Ok(sending) => in_flight.push(async move { (index, sending.await) }),
                Err(fault) => failed.extend(fail(&mut outcome, &mut schedule, index, fault)),
            }
        }
        let Some((index, result)) = in_flight.next().await else {
            break;
        };
        match result {
            Ok(made) => {
                if let Some(step) = schedule.succeeded(index) {
                    written.done(index, &step);
                    outcome.succeeded(step, made);
                }
            }
            Err(Stop::Cut) => {
                outcome.cut = true;
                schedule.not_sent(index);
            }
            Err(Stop::Fault(fault)) => failed.extend(fail(&mut outcome, &mut schedule, index, fault)),
        }
    }
    // Which of several ended first is chance, and what is said of them is not to change by that.
    outcome.faults = failed.into_values().collect();
    outcome.skipped = schedule.unsent();
    outcome
}

/// When that was written which AWS takes its time with.
#[derive(Debug)]
struct Written {
    /// What is deployed; the plan's beginning stands for all that was written before it, by whomever.
    served: Instant,
    /// In IAM before the plan, as far as the caller knows.
    earlier: Option<Instant>,
    /// The plan's steps that were done, by index.
    steps: BTreeMap<usize, Instant>,
}

impl Written {
    fn before(iam_changed: Option<Instant>) -> Self {
        Self {
            served: Instant::now(),
            earlier: iam_changed,
            steps: BTreeMap::new(),
        }
    }

    fn done(&mut self, index: usize, step: &Step) {
        let now = Instant::now();
        if step.alters_what_is_served() {
            self.served = now;
        }
        self.steps.insert(index, now);
    }

    /// When it is in force; none when nothing has to be waited for.
    fn settled(&self, what: &Settled, settings: &Settings) -> Option<Instant> {
        match what {
            Settled::Deployments => Some(self.served + settings.deploy_settle),
            Settled::Permissions(steps) => {
                let written = steps.iter().filter_map(|index| self.steps.get(index).copied());
                let last = written.chain(self.earlier).max();
                last.map(|last| last + settings.iam_settle)
            }
        }
    }
}

/// Ends what a step's failure ends; the step and its fault under its index.
fn fail(
    outcome: &mut Outcome,
    schedule: &mut Schedule,
    index: usize,
    fault: Fault,
) -> Option<(usize, (Step, Fault))> {
    let step = schedule.failed(index, &fault)?;
    outcome.failed(&step, &fault);
    Some((index, (step, fault)))
}

/// What takes access away goes before everything; deletions stay among their like.
fn urgency(session: Urgency, tightens: bool) -> Urgency {
    if tightens && session != Urgency::Delete {
        Urgency::Tighten
    } else {
        session
    }
}

impl Session {
    /// Creates an API with its tags, unless `cut` says, when its turn in the budget has come, that it is not wanted any
    /// more, or that turn does not come by `deadline`: then there is none, and nothing was sent. The answer shows its settings; it has
    /// no children yet. After an answer that does not come, the API may exist.
    ///
    /// # Errors
    /// When AWS does not answer that the API exists.
    pub async fn create_api(
        &self,
        api: &desired::Api,
        cut: &(dyn Fn() -> bool + Sync),
        deadline: Instant,
    ) -> Result<Option<observed::Api>, Fault> {
        let turn = Turn {
            urgency: self.urgency(),
            not_before: None,
            deadline: Some(deadline),
            cut,
        };
        match api::create(self, turn, api).await {
            Ok(api) => Ok(Some(api)),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Cut) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Class, Operation};
    use jwthttpapi_core::model::name::RoleName;
    use std::time::Duration;

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn unanswered(operation: Operation) -> Fault {
        Fault {
            class: Class::Unanswered,
            ..Fault::unresolved(operation, "")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_without_an_answer_may_be_the_last_one_or_not() {
        let fault = unanswered(Operation::UpdateStage);
        // One is given up at once; another one is answered after so many seconds.
        for (answered, last) in [(3, 5), (19, 19)] {
            let began = Instant::now();
            let mut outcome = Outcome::default();
            outcome.failed(&Step::UpdateStage, &fault);
            tokio::time::advance(second(answered)).await;
            outcome.succeeded(Step::UpdateStage, Made::Nothing);
            assert_eq!(outcome.deploying_since, Some(began + second(last)));
            assert_eq!(outcome.unanswered_until, Some(began + WRITE_TIMEOUT));
            assert_eq!(outcome.settles_since, None);
        }
    }

    /// That another service did not answer makes no read of them old.
    #[tokio::test(start_paused = true)]
    async fn only_writes_to_iam_and_lambda_make_reads_of_them_old() {
        let role = RoleName {
            path: "/".into(),
            name: "role".into(),
        };
        let delete = Step::DeleteRole { role };
        let began = Instant::now();
        let mut outcome = Outcome::default();
        outcome.failed(&Step::UpdateStage, &unanswered(Operation::UpdateStage));
        assert_eq!(outcome.wrote_beside, None);
        outcome.succeeded(delete.clone(), Made::Nothing);
        assert_eq!(outcome.wrote_beside, Some(began));
        outcome.failed(&delete, &unanswered(Operation::DeleteRole));
        assert_eq!(outcome.wrote_beside, Some(began + WRITE_TIMEOUT));
    }
}
