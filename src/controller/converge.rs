//! The pipeline of an object that lives: aim, look, establish, and then what `carry_out` does.

use super::{
    aim::aim,
    carry_out::{Course, Found},
    context::{Context, Memory},
    error::Error,
    establish::{Established, Scene, Seen, tells_of_aws},
    expected::{STALE_LIST, stale},
    functions::Own,
    look::{Questions, conflict, look, resolved},
    pass::{Findings, Next},
    record::Record,
    remains::last_owner,
    unseen::Leaving,
};
use crate::aws::Urgency;
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{Observed, Proof},
};
use std::collections::BTreeSet;
use tokio::time::{Instant, timeout_at};

/// One pass over a living object. What it found is in `findings`, whatever the result.
pub(crate) async fn converge(
    ctx: &Context,
    record: &mut Record,
    memory: &mut Memory,
    findings: &mut Findings,
    deadline: Instant,
) -> Result<(Next, JwtHttpApiStatus), Error> {
    findings.suspended = record.spec().suspended();
    // Restoring the finalizer writes nothing to AWS, so that it is done even for a suspended or refused object.
    if !record.has_finalizer() && tells_of_aws(&record.status()) {
        tracing::warn!("somebody took the finalizer off; it is put on again");
        record.add_finalizer().await?;
    }
    let Some(mut aim) = aim(ctx, record, findings).await? else {
        return Ok((Next::Backoff, record.status()));
    };
    if let Some(status) = settled(ctx, record, memory, findings) {
        return Ok((Next::Resync, status));
    }

    let status = record.status();
    let session = ctx.aws.session(&aim.place, record.uid(), urgency(record));
    let lost = status.nonce.is_none() && record.has_finalizer();
    let own = Own::of(&aim.owner, record.spec(), &status, lost);
    let questions = Questions::of(&aim.desired, &status, &aim.role(), own);
    let sight = look(&session, status.api_id.as_deref(), &questions);
    let Ok(mut sight) = timeout_at(deadline, sight).await else {
        findings.late();
        return Ok((Next::Backoff, status));
    };
    let told = status.role_arn.as_deref();
    aim.desired = aim.desired.standing(&sight.role, &sight.owned, told, &aim.owner);
    findings.resolved = resolved(&aim.desired, &sight);
    let conflict = conflict(ctx, &aim, &sight);

    let seen = match sight.api.take() {
        None => Seen::NoId,
        Some(Ok(None)) => Seen::Missing,
        Some(Ok(Some(api))) => Seen::Api(Box::new(api)),
        Some(Err(fault)) => return Err(fault.into()),
    };
    // An API of somebody else under the stored id is none of ours: one would have to be made.
    let exists = matches!(&seen, Seen::Api(api)
        if aim.owner.proof(&api.tags, status.nonce.as_deref()) > Proof::None);
    if !exists && (findings.suspended || conflict.is_some() || findings.resolved.status != Some(true)) {
        return Ok((hold_creation(findings, conflict), status));
    }
    let created = matches!(seen, Seen::NoId);
    let scene = Scene {
        ctx,
        session: &session,
        aim: &aim,
    };
    let api = match scene.establish(record, memory, findings, seen).await? {
        Established::Api(api) => *api,
        Established::Not(next) => return Ok((next, record.status())),
    };
    if stale(memory, &api) {
        ctx.metrics.skipped_stale();
        findings.programmed = Draft::no(
            Reason::AwaitingVisibility,
            "AWS's lists do not show yet what was made; waiting until they must",
        );
        findings.behind = true;
        return Ok((Next::After(STALE_LIST), record.status()));
    }
    if sight.faults.is_empty() {
        ctx.metrics.work().observed(&record.key());
        findings.observed = true;
    }

    let course = Course {
        ctx,
        session: &session,
        aim: &aim,
        deadline,
    };
    let mut observed = Observed {
        lineage: BTreeSet::from([aim.place.execute_api_arn(&api.id)]),
        last: last_owner(&aim.owner, &status, &BTreeSet::new()),
        api: Some(api),
        role: sight.role,
        functions: sight.functions,
        owned: sight.owned,
    };
    let leaving = Leaving::of(&status, &aim.owner, &aim.place.region, Some(&aim.desired));
    let doubt = memory.unseen.doubt(&mut observed, &leaving, ctx.periods.settle);
    let found = Found {
        observed,
        doubt,
        faults: sight.faults,
        conflict,
        created,
    };
    course.carry_out(record, memory, findings, found).await
}

/// A generation that is not in force yet goes before a verification that was asked for, and that before a resync.
fn urgency(record: &Record) -> Urgency {
    match record.requested() {
        _ if !record.in_force() => Urgency::Create,
        Some(_) => Urgency::Drift,
        None => Urgency::Resync,
    }
}

/// The end of a wait for IAM: the last observation of this generation still holds, and AWS need not be asked again.
fn settled(
    ctx: &Context,
    record: &Record,
    memory: &mut Memory,
    findings: &mut Findings,
) -> Option<JwtHttpApiStatus> {
    let status = record.status();
    let (changed, since) = memory.iam.as_ref()?;
    let same = status.iam_changed_at.as_ref() == Some(changed)
        && memory.converged == Some(record.generation())
        && status.reclaimed_from.is_none()
        && memory.unseen.is_empty()
        && record.requested().is_none();
    if !same || since.elapsed() < ctx.periods.iam_settle {
        return None;
    }
    memory.iam = None;
    findings.resolved = Draft::yes(Reason::ResolvedRefs, "every function exists");
    findings.programmed = memory.attachments.programmed();
    Some(JwtHttpApiStatus {
        iam_changed_at: None,
        ..status
    })
}

/// Nothing is begun that could not be finished.
fn hold_creation(findings: &mut Findings, conflict: Option<Draft>) -> Next {
    if let Some(conflict) = conflict {
        findings.programmed = conflict;
        return Next::Backoff;
    }
    if findings.suspended {
        findings.programmed = Draft::no(
            Reason::Suspended,
            "nothing is created until spec.suspend is removed",
        );
        return Next::Resync;
    }
    findings.programmed = Draft::no(
        findings.resolved.reason,
        "nothing is created before everything exists that the spec names",
    );
    Next::Backoff
}
