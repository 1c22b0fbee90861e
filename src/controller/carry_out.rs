//! From a difference to its end: plan, write ahead, execute, look again.

use super::{
    ahead::Ahead,
    aim::Aim,
    belongings::own_role,
    conclude::{Conclusion, conclude, facts},
    context::{Context, Memory},
    duplicates,
    error::Error,
    expected::{self, STALE_LIST},
    pass::{Findings, Next},
    record::Record,
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

/// What carrying out needs of the pass.
pub(crate) struct Course<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) session: &'a Session,
    pub(crate) aim: &'a Aim,
    pub(crate) deadline: Instant,
}

/// What the pass found before.
pub(crate) struct Found {
    /// The object's API, alive, with what was read beside it.
    pub(crate) observed: Observed,
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
    /// What was not shown and may be there all the same.
    pub(crate) doubt: Doubt,
    /// What has a name that the object needs and is somebody else's.
    pub(crate) conflict: Option<Draft>,
    /// Whether this pass made the API, or would have: then nothing seen so far shows its children.
    pub(crate) created: bool,
}

impl Course<'_> {
    /// Makes AWS equal to the aim, as far as it is allowed now, and says how it ended.
    pub(crate) async fn carry_out(
        &self,
        record: &mut Record,
        memory: &mut Memory,
        findings: &mut Findings,
        found: Found,
    ) -> Result<(Next, JwtHttpApiStatus), Error> {
        let Self {
            ctx, session, aim, ..
        } = *self;
        let mut steps = plan(&aim.desired, &found.observed, &aim.owner, &aim.place);
        // What is not known, missing or somebody else's keeps the rest waiting; taking access away waits for nothing.
        if findings.resolved.status != Some(true) || found.conflict.is_some() || !found.faults.is_empty() {
            steps = only_tightening(steps);
        }
        findings.behind = !steps.is_empty();
        if findings.suspended && !planted!(WritesSuspended) {
            findings.programmed = held(&steps);
            return Ok((Next::Resync, record.status()));
        }
        // Changes to a generation that was in force are repairs of what others did.
        let drift = record.in_force();
        if !found.created {
            for planned in &steps.steps {
                tracing::info!(step = %planned.step, drift, "planned");
            }
        }
        let known = steps.refs.clone();
        let status = record.status();
        let role = own_role(&found.observed.role, &aim.owner);
        let ahead = Ahead::of_plan(&steps, &aim.desired, &status, role);
        let now = ctx.clock.time();
        record
            .write_midway(ahead.on(status, &now), findings, &now)
            .await?;
        let cut = || ctx.outdated(record.object());
        let outcome = aws::run(session, steps, &cut, self.deadline).await;
        for step in outcome.done.iter().filter(|_| drift) {
            ctx.metrics.repaired(step.kind());
        }
        expected::remember(ctx, memory, &known, &outcome);
        memory.unseen.remember(&outcome);
        memory
            .deployments
            .wrote(&outcome, found.observed.api.as_ref(), ctx.periods.deploy_settle);
        memory.quiet_until = outcome.unanswered_at.map(|ended| ended + aws::WRITE_TIMEOUT);
        let observed = see_again(session, found.observed, &outcome, found.created).await?;
        if !found.created && outcome.is_complete() {
            duplicates::remove(ctx, record, session, aim, observed.api.as_ref(), self.deadline).await?;
        }

        let end = Conclusion {
            session,
            aim,
            observed: &observed,
            outcome: &outcome,
            conflict: found.conflict.as_ref(),
            faults: &found.faults,
            doubt: &found.doubt,
        };
        let mut next = conclude(ctx, record, memory, findings, &end).await?;
        let mut status = facts(record.status(), &end);
        if findings.programmed.status == Some(true)
            && let Some(wait) = self.clear_up(&mut status, findings).await
        {
            next = wait;
        }
        if findings.programmed.status == Some(true) {
            status.iam_changed_at = None;
        }
        if let (Next::Resync, Some(left)) = (next, found.doubt.left) {
            next = Next::After(left);
        }
        Ok((next, status))
    }

    /// Removes what the last owner of a taken-over API named by its own uid, now that nothing needs it any more. When to go on, if
    /// that is not the end.
    async fn clear_up(&self, status: &mut JwtHttpApiStatus, findings: &mut Findings) -> Option<Next> {
        let last = last_owner(&self.aim.owner, status, &BTreeSet::new())?;
        let cut = || !self.ctx.leads();
        match remains::remove(self.session, &last, &cut, self.deadline).await {
            Ok(Removal::Empty) => {
                status.reclaimed_from = None;
                None
            }
            Ok(Removal::Done | Removal::Cut) => Some(Next::After(STALE_LIST)),
            Err((step, fault)) => {
                findings.failure(step.as_ref(), &fault);
                Some(Next::Backoff)
            }
        }
    }
}

/// What suspension holds back.
fn held(steps: &Plan) -> Draft {
    if steps.is_empty() {
        return Draft::yes(Reason::Programmed, "AWS is equal to the spec");
    }
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
