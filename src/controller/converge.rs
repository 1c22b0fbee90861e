//! The pipeline of an object that lives: aim, look, establish, and then what `carry_out` does.

use super::{
    aim::aim,
    belongings::own_role,
    carry_out::Found,
    error::Error,
    establish::{Established, Scene, Seen, tells_of_aws},
    expected::{STALE_LIST, may_be_old, stale},
    functions::Own,
    look::{Questions, conflict, look, resolved},
    pass::{Findings, Next, Pass, Passed},
    remains::last_owner,
    turns::urgency,
    unseen::Leaving,
};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{Observed, Proof},
};
use std::collections::BTreeSet;
use tokio::time::{Instant, timeout_at};

/// One pass over a living object. What it found is in it, whatever the result.
pub(crate) async fn converge(pass: &mut Pass<'_>) -> Result<Passed, Error> {
    let ctx = pass.ctx;
    pass.findings.suspended = pass.record.spec().suspended();
    // Restoring the finalizer writes nothing to AWS, so that it is done even for a suspended or refused object.
    if !pass.record.has_finalizer() && tells_of_aws(&pass.record.status()) {
        tracing::warn!("somebody took the finalizer off; it is put on again");
        pass.record.add_finalizer().await?;
    }
    let Some(mut aim) = aim(pass).await? else {
        return Ok((Next::Backoff, pass.record.status()));
    };
    if let Some(status) = settled(pass) {
        return Ok((Next::Resync, status));
    }
    // What is found from here on decides whether it is as wanted.
    pass.memory.converged = None;

    let status = pass.record.status();
    let session = ctx
        .aws
        .session(&aim.place, pass.record.uid(), urgency(pass.record.object()));
    let lost = status.nonce.is_none() && pass.record.has_finalizer();
    let own = Own::of(&aim.owner, pass.record.spec(), &status, lost);
    let has_role = pass.memory.has_role;
    let questions = Questions::of(&aim.desired, &status, &aim.role(), has_role, own);
    let old = may_be_old(&pass.memory);
    let began = Instant::now();
    let sight = look(&session, status.api_id.as_deref(), &questions);
    let Ok(mut sight) = timeout_at(pass.deadline, sight).await else {
        pass.findings.late();
        return Ok((Next::Backoff, status));
    };
    if sight.role.known().is_some() {
        pass.memory.has_role = own_role(&sight.role, &aim.owner).is_some();
    }
    let told = status.role_arn.as_deref();
    aim.desired = aim.desired.standing(&sight.role, &sight.owned, told, &aim.owner);
    pass.findings.resolved = resolved(&aim.desired, &sight);
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
    if !exists
        && (pass.findings.suspended || conflict.is_some() || pass.findings.resolved.status != Some(true))
    {
        // What waits for its user was compared: nothing of it is there.
        if sight.faults.is_empty() {
            ctx.metrics.work().observed(&pass.record.key());
        }
        return Ok((hold_creation(&mut pass.findings, conflict), status));
    }
    let scene = Scene {
        session: &session,
        aim: &aim,
    };
    let (api, created) = match scene.establish(pass, seen).await? {
        Established::Api(api) => (*api, false),
        Established::Made(api) => (*api, true),
        Established::Not(next) => return Ok((next, pass.record.status())),
    };
    if stale(&mut pass.memory, &api) {
        ctx.metrics.skipped_stale();
        pass.findings.programmed = Draft::no(
            Reason::AwaitingVisibility,
            "AWS's lists do not show yet what was made; waiting until they must",
        );
        pass.findings.behind = true;
        return Ok((Next::After(STALE_LIST), pass.record.status()));
    }
    if sight.faults.is_empty() {
        ctx.metrics.work().observed(&pass.record.key());
        pass.findings.observed = true;
    }

    let mut observed = Observed {
        lineage: BTreeSet::from([aim.place.execute_api_arn(&api.id)]),
        last: last_owner(&aim.owner, &status, &BTreeSet::new()),
        api: Some(api),
        role: sight.role,
        functions: sight.functions,
        owned: sight.owned,
    };
    let leaving = Leaving::of(&status, &aim.owner, &aim.place.region, Some(&aim.desired));
    let doubt = pass
        .memory
        .unseen
        .doubt(&mut observed, &leaving, began, ctx.periods.settle);
    let found = Found {
        observed,
        began,
        doubt,
        old,
        faults: sight.faults,
        conflict,
        created,
    };
    scene.carry_out(pass, found).await
}

/// The end of a wait for IAM: the last observation of this generation still holds, and AWS need not be asked again.
fn settled(pass: &mut Pass<'_>) -> Option<JwtHttpApiStatus> {
    let Pass {
        ctx,
        record,
        memory,
        findings,
        ..
    } = pass;
    let status = record.status();
    let (changed, since) = memory.iam.as_ref()?;
    let same = status.iam_changed_at.as_ref() == Some(changed)
        && memory.converged == Some(record.generation())
        && status.reclaimed_from.is_none()
        && !memory.unseen.waits(ctx.periods.settle)
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
