//! One pass over one object: what it goes by, what it found so far, and when the next one is due.

use super::{
    context::{Context, Memory},
    expected::STALE_LIST,
    record::Record,
};
use crate::aws::Fault;
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Polarity, Progress, Reason, Report},
    plan::Step,
};
use std::time::Duration;
use tokio::time::Instant;

/// One pass over one object.
pub(crate) struct Pass<'a> {
    pub(crate) ctx: &'a Context,
    /// The object as it was read last.
    pub(crate) record: Record,
    /// What this process remembers of it.
    pub(crate) memory: Memory,
    pub(crate) findings: Findings,
    /// When plans are cut between steps.
    pub(crate) deadline: Instant,
}

/// When the next pass is due, and the status that this one leaves.
pub(crate) type Passed = (Next, JwtHttpApiStatus);

/// When an object is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At the next resync.
    Resync,
    /// After a while that is known.
    After(Duration),
    /// After a failure, by its reason and how often it happened.
    Backoff,
    /// At once: the pass came forward, and there is more to do.
    Now,
    /// When it changes.
    Change,
}

impl Next {
    /// After a pass that was cut. Going on at once without progress would spin for as long as the cause of the cut lasts; the
    /// change itself wakes, too.
    pub(crate) const fn after_cut(progressed: bool) -> Self {
        if progressed {
            Self::Now
        } else {
            Self::After(STALE_LIST)
        }
    }
}

impl Pass<'_> {
    /// What is said of a plan that was cut, and when another pass goes on: the object changed, or this process stops leading, or
    /// the budget let nothing out in all the time that the pass had.
    pub(crate) fn was_cut(&mut self, progressed: bool) -> Next {
        self.was_cut_until(self.deadline, progressed)
    }

    /// The same of a plan that had less time.
    pub(crate) fn was_cut_until(&mut self, deadline: Instant, progressed: bool) -> Next {
        if !progressed && Instant::now() >= deadline {
            self.findings.late();
            return Next::Backoff;
        }
        self.findings.programmed = Draft::unknown(Reason::Progressing, CHANGED);
        Next::after_cut(progressed)
    }
}

/// What is said of a pass that another one has to go on with.
pub(crate) const CHANGED: &str = "something changed while work was going on";

/// What a pass found so far.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one pass")]
pub(crate) struct Findings {
    pub(crate) accepted: Draft,
    pub(crate) resolved: Draft,
    pub(crate) programmed: Draft,
    pub(crate) progress: Progress,
    pub(crate) suspended: bool,
    /// Whether AWS has shown what there is of the object.
    pub(crate) observed: bool,
    /// Whether AWS was looked at and changes were found to be due: from then on Ready may not stay as it was.
    pub(crate) behind: bool,
    /// Whether nothing was tried, since what was tried before may show yet or is not due again: neither a failure nor the end of
    /// those before.
    pub(crate) waits: bool,
}

impl Default for Findings {
    fn default() -> Self {
        let unknown = || Draft::unknown(Reason::Progressing, "not looked at yet");
        Self {
            accepted: unknown(),
            resolved: unknown(),
            programmed: unknown(),
            progress: Progress::Living,
            suspended: false,
            observed: false,
            behind: false,
            waits: false,
        }
    }
}

const UNSEEN: &str = "what the spec names could not be looked up";

impl Findings {
    /// A fault of AWS keeps AWS from being equal to the spec, or from being seen to be.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        self.programmed = Draft::no(fault.reason(), fault.message());
        if self.resolved.status.is_none() {
            self.resolved = Draft::unknown(Reason::NotObserved, UNSEEN);
        }
        if self.accepted.status.is_none() && fault.reason().polarity() == Polarity::NeedsHuman {
            self.accepted = Draft::unknown(Reason::NotObserved, "the spec was not looked at yet");
        }
    }

    /// The pass did not end in time.
    pub(crate) fn late(&mut self) {
        self.programmed = Draft::no(
            Reason::Throttled,
            "there are more requests to AWS waiting than the operator's budget lets out in time; --apigateway-rate, --lambda-rate, --iam-rate and --logs-rate set it",
        );
        if self.resolved.status.is_none() {
            self.resolved = Draft::unknown(Reason::NotObserved, UNSEEN);
        }
    }

    /// A step of a plan failed, or the look before it.
    pub(crate) fn failure(&mut self, step: Option<&Step>, fault: &Fault) {
        self.fault(fault);
        if let Some(step) = step {
            self.programmed.message = format!("cannot {step}: {}", self.programmed.message);
        }
    }

    /// As a report, with how often passes ended so.
    pub(crate) fn report(&self, failures: u32) -> Report {
        Report {
            accepted: self.accepted.clone(),
            resolved: self.resolved.clone(),
            programmed: self.programmed.clone(),
            progress: self.progress,
            suspended: self.suspended,
            failures,
        }
    }

    /// The reason that decides: none when all is well.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.report(0).violated().map(|draft| draft.reason)
    }
}
