//! The end of an object: the same pipeline with nothing desired, and the finalizer last.

use super::{
    aim::elsewhere,
    attachments,
    belongings::{own, own_role, questions, sources, targets},
    error::Error,
    establish::{ambiguous, awaited, heed, proven},
    expected::STALE_LIST,
    look::{Questions, granted, look, reached_by_policy},
    pass::{Next, Pass, Passed},
    release::release,
    remains::{self, Removal, last_owner},
    unseen::Leaving,
};
use crate::aws::{self, Extent, Fault, Session, Urgency};
use jwthttpapi_core::{
    api::{DeletionPolicy, Draft, JwtHttpApiStatus, Progress, Reason},
    model::{
        Observed, Owner,
        name::{FunctionArn, Place, role_name},
        observed::{Api, FunctionPolicy, Reading},
    },
    plan::{Candidate, Planned, Step, plan_deletion},
    planted,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// One pass over an object that is being deleted.
pub(crate) async fn delete(pass: &mut Pass<'_>) -> Result<Passed, Error> {
    let ctx = pass.ctx;
    pass.findings.progress = Progress::Deleting;
    pass.findings.accepted = Draft::yes(Reason::Accepted, "deletion needs no accepted spec");
    pass.findings.resolved = Draft::yes(Reason::ResolvedRefs, "deletion needs nothing that the spec names");
    if !pass.record.has_finalizer() {
        return Ok((Next::Change, pass.record.status()));
    }
    if pass.record.spec().suspended() && !planted!(DeletesSuspended) {
        pass.findings.suspended = true;
        pass.findings.programmed = Draft::no(
            Reason::Suspended,
            "deletion is held back until spec.suspend is removed",
        );
        return Ok((Next::Resync, pass.record.status()));
    }
    if pass.record.spec().deletion_policy() == DeletionPolicy::Retain && !planted!(DeletesRetained) {
        return release(pass).await;
    }
    planted!(FinalizerFirst => {
        pass.record.remove_finalizer().await?;
    });
    let place = ctx.aws.place(pass.record.spec().region.as_deref()).await?;
    let owner = ctx.owner(pass.record.object());
    if let Some(elsewhere) = elsewhere(&pass.record.status(), &place, &owner) {
        pass.findings.programmed = Draft::no(Reason::AccountMismatch, elsewhere);
        return Ok((Next::Backoff, pass.record.status()));
    }
    let session = ctx.aws.session(&place, pass.record.uid(), Urgency::Delete);
    let teardown = Teardown {
        session: &session,
        place: &place,
        owner: &owner,
    };
    teardown.run(pass).await
}

type Policies = BTreeMap<FunctionArn, Reading<FunctionPolicy>>;

struct Teardown<'a> {
    session: &'a Session,
    place: &'a Place,
    owner: &'a Owner,
}

/// What there is of the object.
struct Found {
    /// Its APIs.
    apis: Vec<Api>,
    /// What stands beside them.
    beside: Observed,
    /// Whether AWS shows no API that could be its own.
    hidden: bool,
}

/// What a pass over a deleted object did before it may let the object go.
struct End<'a> {
    /// Whether it had to change anything.
    worked: bool,
    /// Whether there may be an API that AWS does not show yet.
    unsure: bool,
    /// When the look began that showed it all.
    began: Instant,
    /// How long it takes until what was not shown is gone for sure.
    doubt: Option<Duration>,
    questions: &'a Questions<'a>,
    lineage: &'a BTreeSet<String>,
}

/// What came of the deletion's plans.
enum Taken {
    /// AWS answered that everything is gone; whether there was anything.
    Away { worked: bool },
    /// The pass ends here.
    Not(Next),
}

impl Teardown<'_> {
    async fn run(&self, pass: &mut Pass<'_>) -> Result<Passed, Error> {
        heed(&pass.record.status(), &mut pass.memory);
        let role = role_name(self.owner, &self.place.region);
        let own = own(&pass.record, self.owner);
        let questions = questions(pass.ctx, &pass.record, &role, pass.memory.has_role, own);
        let began = Instant::now();
        let Some(Found {
            apis,
            mut beside,
            hidden,
        }) = self.look(pass, &questions).await?
        else {
            return Ok((Next::Backoff, pass.record.status()));
        };
        if !apis.is_empty() {
            self.tell(pass, &beside).await?;
        }
        let (lineage, last) = (beside.lineage.clone(), beside.last.clone());
        let leaving = Leaving::of(&pass.record.status(), self.owner, &self.place.region, None);
        let settle = pass.ctx.periods.settle;
        let doubt = pass.memory.unseen.doubt(&mut beside, &leaving, began, settle);
        let worked = match self.take_away(pass, apis, beside).await {
            Taken::Away { worked } => worked,
            Taken::Not(next) => return Ok((next, pass.record.status())),
        };
        if let Some(last) = last
            && let Some(next) = self.clear_up(pass, &last).await
        {
            return Ok((next, pass.record.status()));
        }
        pass.findings.programmed = Draft::no(
            Reason::Deleting,
            "waiting until AWS shows nothing of this object any more",
        );
        // A create may still be on its way, or not show yet: an intent without the API that it made, a status that lost its
        // intent or its id, an id that is nobody's or somebody else's. A process that deleted the API has seen it.
        let status = pass.record.status();
        let unsure = match &status.api_id {
            None => true,
            Some(id) => hidden && !pass.memory.unseen.has_deleted(id),
        };
        let end = End {
            worked,
            unsure,
            began,
            doubt: doubt.left.max(pass.memory.unseen.may_return(began, settle)),
            questions: &questions,
            lineage: &lineage,
        };
        self.finish(pass, &end).await
    }

    /// Reads what there is of the object; nothing when that, or whose it is, could not be told, which the findings say then.
    async fn look(&self, pass: &mut Pass<'_>, questions: &Questions<'_>) -> Result<Option<Found>, Error> {
        let status = pass.record.status();
        let list = pass.ctx.index.read(&self.place.region, self.session);
        let sight = async { tokio::join!(look(self.session, status.api_id.as_deref(), questions), list) };
        let Ok((sight, list)) = timeout_at(pass.deadline, sight).await else {
            pass.findings.late();
            return Ok(None);
        };
        let listed = if planted!(NoListBeforeRelease) {
            Vec::new()
        } else {
            proven(self.owner, &list?)
        };
        let stored = sight.api.transpose()?.flatten();
        let targets = match targets(self.owner, &status, &listed, stored.as_ref()) {
            Ok(targets) => targets,
            Err(ids) => {
                pass.ctx.metrics.refused();
                pass.findings.programmed = Draft::no(Reason::AmbiguousOwnership, ambiguous(&ids));
                return Ok(None);
            }
        };
        if let Some(fault) = sight.faults.first() {
            pass.findings.fault(fault);
            return Ok(None);
        }
        pass.ctx.metrics.work().observed(&pass.record.key());
        pass.findings.observed = true;
        let mut apis: Vec<Api> = stored.into_iter().collect();
        for id in &targets {
            if !apis.iter().any(|api| api.id == *id) {
                apis.extend(self.session.observe(id, questions.extent).await?);
            }
        }
        let lineage = sources(self.place, self.owner, &apis, &status);
        // A status may name what is somebody else's: nothing of it is told, nor taken.
        apis.retain(|api| self.owner.owns(&api.tags) && targets.contains(&api.id));
        let mut functions = sight.functions;
        if let Err(fault) = self.read_policies(&apis, &mut functions).await {
            pass.findings.fault(&fault);
            return Ok(None);
        }
        let beside = Observed {
            api: None,
            role: sight.role,
            functions,
            owned: sight.owned,
            lineage,
            last: last_owner(self.owner, &status, &targets),
        };
        Ok(Some(Found {
            hidden: apis.is_empty() && targets.is_empty(),
            apis,
            beside,
        }))
    }

    /// Writes down what integrations told, which is gone with them.
    async fn tell(&self, pass: &mut Pass<'_>, beside: &Observed) -> Result<(), Error> {
        let status = pass.record.status();
        let told = beside.functions.keys().map(ToString::to_string);
        let grants: BTreeSet<String> = status.grants.iter().cloned().chain(told).collect();
        let next = JwtHttpApiStatus {
            grants: grants.into_iter().collect(),
            role_arn: status
                .role_arn
                .or_else(|| own_role(&beside.role, self.owner).map(str::to_owned)),
            reclaimed_from: beside.last.as_ref().map(|last| last.uid.clone()),
            ..status
        };
        let now = pass.ctx.clock.time();
        pass.record.write_midway(next, &pass.findings, &now).await?;
        Ok(())
    }

    /// Reads the policies of the functions of which only the APIs tell.
    async fn read_policies(&self, apis: &[Api], known: &mut Policies) -> Result<(), Fault> {
        for api in apis {
            let more: BTreeMap<FunctionArn, bool> = reached_by_policy(&api.integrations)
                .into_iter()
                .filter(|function| !known.contains_key(function))
                .map(|function| (function, true))
                .collect();
            let (read, mut faults) = super::look::functions(self.session, &more).await;
            known.extend(read);
            if !faults.is_empty() {
                return Err(faults.swap_remove(0));
            }
        }
        Ok(())
    }

    /// Deletes the APIs, and with the last of them what stands beside them.
    async fn take_away(&self, pass: &mut Pass<'_>, mut apis: Vec<Api>, beside: Observed) -> Taken {
        let last = Observed {
            api: apis.pop(),
            ..beside
        };
        let others = apis.into_iter().map(|api| Observed {
            api: Some(api),
            ..Observed::default()
        });
        let (mut worked, mut progressed) = (false, false);
        for observed in others.chain([last]) {
            let plan = plan_deletion(&observed, self.owner);
            worked |= !plan.is_empty();
            for planned in &plan.steps {
                tracing::info!(step = %planned.step, "planned");
            }
            let cut = || pass.ctx.reconsidered(pass.record.object());
            let outcome = aws::run(self.session, plan, &cut, pass.deadline).await;
            progressed |= outcome.progressed();
            pass.memory.unseen.remember(&outcome);
            if let Some((step, fault)) = outcome.gravest() {
                pass.findings.failure(Some(step), fault);
                if let Some(kept) = attachments::kept(self.session, step, fault).await {
                    pass.findings.programmed = kept;
                }
                return Taken::Not(Next::Backoff);
            }
            if outcome.cut {
                return Taken::Not(pass.was_cut(progressed));
            }
        }
        Taken::Away { worked }
    }

    /// Deletes what the last owner of a taken-over API named by its own uid. When to go on, unless nothing is left of it.
    async fn clear_up(&self, pass: &mut Pass<'_>, last: &Owner) -> Option<Next> {
        let cut = || pass.ctx.reconsidered(pass.record.object());
        match remains::remove(self.session, last, &cut, pass.deadline).await {
            Ok(Removal::Empty) => None,
            Ok(Removal::Done | Removal::Cut) => {
                pass.findings.programmed =
                    Draft::unknown(Reason::Progressing, "looking once more for what is left");
                Some(Next::After(STALE_LIST))
            }
            Err((step, fault)) => {
                pass.findings.failure(step.as_ref(), &fault);
                Some(Next::Backoff)
            }
        }
    }

    /// The finalizer goes after a fresh, empty observation past the settle time of any intent.
    async fn finish(&self, pass: &mut Pass<'_>, end: &End<'_>) -> Result<Passed, Error> {
        let status = pass.record.status();
        if end.unsure && !planted!(HastyRelease) {
            let since = *pass.memory.unsettled.get_or_insert_with(Instant::now);
            let left = pass.ctx.periods.settle;
            let left = left.saturating_sub(end.began.saturating_duration_since(since));
            if !left.is_zero() {
                pass.findings.programmed = Draft::no(Reason::AwaitingVisibility, awaited(&status));
                return Ok((Next::After(left), status));
            }
        }
        if let Some(left) = end.doubt.filter(|_| !planted!(HastyRelease)) {
            pass.findings.programmed = Draft::no(
                Reason::AwaitingVisibility,
                "AWS may not show everything yet that status names; waiting until it must",
            );
            return Ok((Next::After(left), status));
        }
        if end.worked {
            let questions = Questions {
                extent: Extent::Settings,
                role: end.questions.role.clone(),
                may_have_role: end.questions.may_have_role || status.role_arn.is_some(),
                functions: granted(&status)
                    .into_iter()
                    .map(|function| (function, true))
                    .collect(),
                own: own(&pass.record, self.owner),
            };
            let list = pass.ctx.index.read(&self.place.region, self.session);
            let (sight, list) = tokio::join!(look(self.session, status.api_id.as_deref(), &questions), list);
            let shown: Vec<Candidate> = proven(self.owner, &list?);
            let api = sight.api.transpose()?.flatten();
            if let Some(fault) = sight.faults.first() {
                pass.findings.fault(fault);
                return Ok((Next::Backoff, status));
            }
            let rest = plan_deletion(
                &Observed {
                    api,
                    role: sight.role,
                    functions: sight.functions,
                    owned: sight.owned,
                    lineage: end.lineage.clone(),
                    last: None,
                },
                self.owner,
            );
            let mut alive = false;
            for candidate in &shown {
                alive |= self.session.api(&candidate.id).await?.is_some();
            }
            if alive || !rest.is_empty() {
                // Logs wait until all else was seen to be gone: that is no failure.
                let is_log_group = |planned: &Planned| matches!(planned.step, Step::DeleteLogGroup { .. });
                let next = if !alive && rest.steps.iter().all(is_log_group) {
                    Next::After(STALE_LIST)
                } else {
                    Next::Backoff
                };
                return Ok((next, status));
            }
        }
        tracing::info!("AWS shows nothing of the object any more");
        pass.record.remove_finalizer().await?;
        pass.findings.programmed = Draft::yes(Reason::Programmed, "nothing is left in AWS");
        Ok((Next::Change, status))
    }
}
