//! From a difference to its end: plan, write ahead, execute, look again.

use super::{
    ahead::Ahead,
    belongings::own_role,
    conclude::{Conclusion, conclude, facts, withheld},
    error::Error,
    establish::Scene,
    expected::{self, STALE_LIST, STALE_READ},
    pass::{Next, Pass, Passed},
    remains::{self, Removal, last_owner},
    unseen::Doubt,
};
use crate::aws::{self, Extent, Fault, Outcome, Session};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::Observed,
    plan::{Plan, Step, only_tightening, plan},
    planted,
    words::listed,
};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// What the pass found before.
pub(crate) struct Found {
    /// The object's API, alive, with what was read beside it.
    pub(crate) observed: Observed,
    /// When the look at it began.
    pub(crate) began: Instant,
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
    /// What was not shown and may be there all the same.
    pub(crate) doubt: Doubt,
    /// Whether what was read of roles and functions may be older than what this process wrote.
    pub(crate) old: bool,
    /// What has a name that the object needs and is somebody else's.
    pub(crate) conflict: Option<Draft>,
    /// Whether this pass made the API: then nothing seen so far shows its children.
    pub(crate) created: bool,
}

impl Found {
    /// When the next pass is due: before the resync if it has to be looked at again that what was not shown, or may have been
    /// old, is as it was taken to be.
    fn at_the_latest(&self, next: Next) -> Next {
        match self.doubt.left.max(self.old.then_some(STALE_READ)) {
            Some(wait) if next == Next::Resync => Next::After(wait),
            _ => next,
        }
    }
}

impl Scene<'_> {
    /// Makes AWS equal to the aim, as far as it is allowed now, and says how it ended.
    pub(crate) async fn carry_out(&self, pass: &mut Pass<'_>, mut found: Found) -> Result<Passed, Error> {
        let Self { session, aim } = *self;
        let ctx = pass.ctx;
        let mut steps = plan(&aim.desired, &found.observed, &aim.owner, &aim.place);
        if pass.findings.suspended && !planted!(WritesSuspended) {
            let next = self.hold(pass, &found, &steps).await?;
            return Ok((next, past_iam(pass, pass.record.status())));
        }
        // What is not known, missing or somebody else's keeps the rest waiting; taking access away waits for nothing.
        if pass.findings.resolved.status != Some(true) || found.conflict.is_some() || !found.faults.is_empty()
        {
            steps = only_tightening(steps);
        }
        pass.findings.behind = !steps.is_empty();
        let needed = steps.steps.len();
        // What is still shown of a role or a statement that has just gone would be led to.
        if found.old && steps.steps.iter().any(|planned| planned.step.leads_a_route()) {
            steps = only_tightening(steps);
        }
        let held_back = steps.steps.len() < needed;
        // Changes to a generation that was in force are repairs of what others did.
        let drift = pass.record.in_force();
        if !found.created || drift {
            for planned in &steps.steps {
                tracing::info!(step = %planned.step, drift, "planned");
            }
        }
        let known = steps.refs.clone();
        let status = pass.record.status();
        let role = own_role(&found.observed.role, &aim.owner);
        let ahead = Ahead::of_plan(&steps, &aim.desired, &status, role);
        let now = ctx.clock.time();
        pass.record
            .write_midway(ahead.on(status, &now), &pass.findings, &now)
            .await?;
        let cut = || ctx.outdated(pass.record.object());
        let told = pass.record.status().iam_changed_at;
        let changed = pass.memory.iam_changed(told.clone(), None);
        let outcome = aws::run_after(session, steps, changed, &cut, pass.deadline).await;
        pass.memory.iam_changed(told, outcome.settles_since);
        let waits = |step: &Step| matches!(step, Step::AwaitFunction { .. });
        for step in outcome.done.iter().filter(|step| drift && !waits(step)) {
            ctx.metrics.repaired(step.kind());
        }
        expected::remember(ctx, &mut pass.memory, &known, &outcome);
        pass.memory.unseen.remember(&outcome);
        pass.memory.deployments.wrote(
            &outcome,
            found.observed.api.as_ref(),
            found.began,
            ctx.periods.deploy_settle,
        );
        pass.memory.quiet_until = outcome.unanswered_until;
        let seen = std::mem::take(&mut found.observed);
        found.observed = see_again(session, seen, &outcome, found.created).await?;
        let duplicate = if !found.created && outcome.is_complete() {
            self.remove_duplicates(pass, found.observed.api.as_ref()).await?
        } else {
            None
        };

        let end = self.end(&found, &outcome, held_back);
        let mut next = conclude(pass, &end).await?;
        let mut status = facts(pass.record.status(), &end);
        if pass.findings.programmed.status == Some(true)
            && let Some(wait) = self.clear_up(pass, &mut status).await
        {
            next = wait;
        }
        if let Some((id, fault)) = duplicate {
            // The end of a wait for IAM is not to say that all is well.
            pass.memory.converged = None;
            if pass.findings.programmed.status == Some(true) {
                let what = "look at or delete the second API of the object that a list showed";
                let why = format!("cannot {what}, {id}: {}", fault.message());
                pass.findings.programmed = Draft::no(fault.reason(), why);
                next = Next::Backoff;
            }
        }
        Ok((found.at_the_latest(next), past_iam(pass, status)))
    }

    /// What is said of a suspended object: what keeps from telling what is held back, or all of it; and when it is looked at
    /// again. One that AWS is equal to may still have to be deployed, or to wait for IAM.
    async fn hold(&self, pass: &mut Pass<'_>, found: &Found, steps: &Plan) -> Result<Next, Error> {
        pass.findings.behind = !steps.is_empty();
        if withheld(&mut pass.findings, found.conflict.as_ref(), &found.faults) {
            return Ok(Next::Backoff);
        }
        let next = if steps.is_empty() {
            conclude(pass, &self.end(found, &Outcome::default(), false)).await?
        } else {
            pass.findings.programmed = held(steps);
            Next::Resync
        };
        Ok(found.at_the_latest(next))
    }

    /// What a pass comes to that found this and did that.
    fn end<'a>(&'a self, found: &'a Found, outcome: &'a Outcome, held_back: bool) -> Conclusion<'a> {
        Conclusion {
            session: self.session,
            aim: self.aim,
            observed: &found.observed,
            outcome,
            conflict: found.conflict.as_ref(),
            faults: &found.faults,
            doubt: &found.doubt,
            old: found.old,
            held_back,
        }
    }

    /// Removes what the last owner of a taken-over API named by its own uid, now that nothing needs it any more. When to go on, if
    /// that is not the end.
    async fn clear_up(&self, pass: &mut Pass<'_>, status: &mut JwtHttpApiStatus) -> Option<Next> {
        let last = last_owner(&self.aim.owner, status, &BTreeSet::new())?;
        let cut = || pass.ctx.outdated(pass.record.object());
        match remains::remove(self.session, &last, &cut, pass.deadline).await {
            Ok(Removal::Empty) => {
                status.reclaimed_from = None;
                None
            }
            Ok(Removal::Done | Removal::Cut) => Some(Next::After(STALE_LIST)),
            Err((step, fault)) => {
                pass.findings.failure(step.as_ref(), &fault);
                Some(Next::Backoff)
            }
        }
    }
}

/// A status that says no more that IAM changed, when that is over.
fn past_iam(pass: &Pass<'_>, status: JwtHttpApiStatus) -> JwtHttpApiStatus {
    let over = pass.findings.programmed.status == Some(true);
    JwtHttpApiStatus {
        iam_changed_at: status.iam_changed_at.filter(|_| !over),
        ..status
    }
}

/// What suspension holds back.
fn held(steps: &Plan) -> Draft {
    let steps = steps.steps.iter().map(|planned| planned.step.to_string());
    let steps = listed(&steps.collect::<Vec<_>>(), "; ");
    let message = format!("held back until spec.suspend is removed: {steps}");
    Draft::no(Reason::Suspended, message)
}

/// The children once more after the last write; an answer that returns the whole object counts as its observation, and a
/// pass that wrote nothing has seen everything already.
async fn see_again(
    session: &Session,
    observed: Observed,
    outcome: &Outcome,
    created: bool,
) -> Result<Observed, Error> {
    if !created && outcome.done.is_empty() && outcome.faults.is_empty() {
        return Ok(observed);
    }
    // What failed may have been done all the same; the next pass looks, after any answer that is still on its way.
    if !outcome.faults.is_empty() || outcome.cut {
        return Ok(observed);
    }
    let Some(api) = observed.api else {
        return Ok(observed);
    };
    let settings = outcome.done.iter().any(|step| {
        matches!(
            step,
            Step::UpdateApi(_) | Step::DeleteCors | Step::TagApi(_) | Step::UntagApi(_)
        )
    });
    let api = if settings {
        session.observe(&api.id, Extent::Whole).await?
    } else {
        session
            .children(&api.id)
            .await?
            .map(|children| children.within(api))
    };
    Ok(Observed { api, ..observed })
}
