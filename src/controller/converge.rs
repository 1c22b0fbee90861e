//! The pipeline of an object that lives: build, look, establish, plan, write ahead, execute, look again.

use super::{
    ahead::write_ahead,
    conclude::{Conclusion, conclude, facts},
    context::{Context, Memory},
    deployment, duplicates,
    error::Error,
    establish::{Established, Scene, Seen},
    look::{Questions, foreign_role, look, resolved},
    pass::{Findings, Next},
    record::Record,
};
use crate::aws::{self, Outcome, Session, Urgency};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{
        Observed, Owner, Proof, build,
        desired::Invocation,
        name::{Place, role_name},
        observed::Api,
    },
    plan::{Plan, Refs, Step, only_tightening, plan},
};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// One pass over a living object. What it found is in `findings`, whatever the result.
#[expect(
    clippy::too_many_lines,
    reason = "the pipeline reads from top to bottom, each step a call"
)]
pub(crate) async fn converge(
    ctx: &Context,
    record: &mut Record,
    memory: &mut Memory,
    findings: &mut Findings,
    deadline: Instant,
) -> Result<(Next, JwtHttpApiStatus), Error> {
    let status = record.status();
    findings.suspended = record.spec().suspended();
    let place = ctx.aws.place(record.spec().region.as_deref()).await?;
    let owner = ctx.owner(record.object());
    if let Some(elsewhere) = elsewhere(&status, &place, &owner) {
        findings.accepted = Draft::yes(Reason::Accepted, "the spec is accepted");
        findings.resolved = Draft::unknown(
            Reason::NotObserved,
            "not looked up in another place than the API's",
        );
        findings.programmed = Draft::no(Reason::AccountMismatch, elsewhere);
        return Ok((Next::Backoff, status));
    }

    let nonce = status
        .nonce
        .clone()
        .unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
    let desired = match build(record.spec(), &owner, &place, &nonce, &ctx.policy) {
        Ok(desired) => desired,
        Err(rejection) => {
            let in_force = status.api_id.as_ref().map_or_else(String::new, |_| {
                format!(
                    "generation {} is not in force, AWS stays as it was: ",
                    record.generation()
                )
            });
            findings.accepted = Draft::no(rejection.reason(), format!("{in_force}{}", rejection.message()));
            findings.resolved = Draft::unknown(
                Reason::NotObserved,
                "not looked up for a spec that is not accepted",
            );
            findings.programmed = Draft::unknown(
                Reason::NotObserved,
                "not compared with a spec that is not accepted",
            );
            return Ok((Next::Backoff, status));
        }
    };
    findings.accepted = Draft::yes(Reason::Accepted, "the spec is accepted");

    if let Some(next) = settled(ctx, record, memory, findings) {
        return Ok(next);
    }

    let session = ctx.aws.session(&place, record.uid(), urgency(record));
    let role = role_name(&owner, &place.region);
    let questions = Questions::of(&desired, &status, &role);
    let mut sight = look(&session, status.api_id.as_deref(), &questions).await;
    findings.resolved = resolved(&desired, &sight);
    let conflict = matches!(desired.invocation, Invocation::Role(_)) && foreign_role(ctx, &owner, &sight);

    let seen = match sight.api.take() {
        None => Seen::NoId,
        Some(Ok(None)) => Seen::Missing,
        Some(Ok(Some(api))) => Seen::Api(Box::new(api)),
        Some(Err(fault)) => return Err(fault.into()),
    };
    // An API of somebody else under the stored id is none of ours: one would have to be made.
    let exists =
        matches!(&seen, Seen::Api(api) if owner.proof(&api.tags, status.nonce.as_deref()) > Proof::None);
    if !exists && (findings.suspended || conflict || findings.resolved.status != Some(true)) {
        return Ok((hold_creation(findings, &role.name, conflict), status));
    }
    let scene = Scene {
        ctx,
        session: &session,
        place: &place,
        owner: &owner,
        desired: &desired,
        nonce: &nonce,
    };
    let created = matches!(seen, Seen::NoId);
    let api = match scene.establish(record, memory, findings, seen).await? {
        Established::Api(api) => *api,
        Established::Not(next) => return Ok((next, record.status())),
    };
    if !findings.suspended && !record.has_finalizer() {
        tracing::warn!("somebody took the finalizer off; it is put on again");
        record.add_finalizer().await?;
    }
    if stale(memory, &api) {
        ctx.metrics.skipped_stale();
        findings.programmed = Draft::no(
            Reason::AwaitingVisibility,
            "AWS's lists do not show yet what was made; waiting until they must",
        );
        findings.behind = true;
        return Ok((Next::After(STALE_LIST), record.status()));
    }

    let observed = Observed {
        api: Some(api),
        role: sight.role.clone(),
        functions: sight.functions.clone(),
    };
    if sight.faults.is_empty() {
        ctx.metrics.work().observed(&record.key());
    }
    let mut steps = plan(&desired, &observed, &owner, &place);
    // What is not known, missing or somebody else's keeps the rest waiting; taking access away waits for nothing.
    if findings.resolved.status != Some(true) || conflict || !sight.faults.is_empty() {
        steps = only_tightening(steps);
    }
    findings.behind = !steps.is_empty();
    if findings.suspended {
        return Ok((held(findings, &steps), record.status()));
    }
    if !created {
        note_drift(ctx, record, &steps);
    }

    let served = deployment::served(observed.api.as_ref());
    let known = steps.refs.clone();
    write_ahead(record, &steps, &desired).await?;
    let cut = || ctx.outdated(record.object());
    let outcome = aws::run(&session, steps, &cut, deadline).await;
    remember_children(ctx, memory, &known, &outcome);
    memory.quiet_until = outcome.unanswered_at.map(|ended| ended + aws::WRITE_TIMEOUT);
    let observed = see_again(&session, observed, &outcome, created).await?;

    if !created && outcome.faults.is_empty() && !outcome.cut {
        duplicates::remove(
            ctx,
            record,
            &session,
            &owner,
            &place,
            observed.api.as_ref(),
            deadline,
        )
        .await?;
    }
    let end = Conclusion {
        session: &session,
        desired: &desired,
        observed: &observed,
        owner: &owner,
        place: &place,
        outcome: &outcome,
        served: served.as_deref(),
        conflict: conflict.then_some(&role.name),
        sight: &sight,
    };
    let next = conclude(ctx, record, memory, findings, &end).await?;
    let status = facts(record.status(), &end);
    let iam_changed_at = status
        .iam_changed_at
        .clone()
        .filter(|_| findings.programmed.status != Some(true));
    Ok((
        next,
        JwtHttpApiStatus {
            iam_changed_at,
            ..status
        },
    ))
}

/// How long a list that misses what this process made is left alone before it is read again.
pub(crate) const STALE_LIST: std::time::Duration = std::time::Duration::from_secs(2);

/// Why the operator must keep its hands off: it acts elsewhere than where the API is.
pub(crate) fn elsewhere(status: &JwtHttpApiStatus, place: &Place, owner: &Owner) -> Option<String> {
    let differs = |stored: &Option<String>, now: &str| stored.as_deref().is_some_and(|stored| stored != now);
    let parts = [
        ("account", "accountId", &status.account_id, &place.account),
        ("Region", "region", &status.region, &place.region),
        ("cluster id", "clusterId", &status.cluster_id, &owner.cluster),
    ];
    let (what, field, stored, now) = parts
        .into_iter()
        .find(|(_, _, stored, now)| differs(stored, now))?;
    let stored = stored.as_deref().unwrap_or_default();
    Some(format!(
        "the API is in {what} {stored} and the operator acts in {now}; give the operator credentials and settings of {stored}, or empty status.{field} if the API is to be looked for in {now}"
    ))
}

/// A new generation goes before a verification that was asked for, and that before a resync.
fn urgency(record: &Record) -> Urgency {
    let status = record.status();
    let in_force = status.api_id.is_some() && status.observed_generation == Some(record.generation());
    match record.requested() {
        _ if !in_force => Urgency::Create,
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
) -> Option<(Next, JwtHttpApiStatus)> {
    let status = record.status();
    let (changed, since) = memory.iam.as_ref()?;
    let same = status.iam_changed_at.as_ref() == Some(changed)
        && memory.converged == Some(record.generation())
        && record.requested().is_none();
    if !same || since.elapsed() < ctx.periods.iam_settle {
        return None;
    }
    memory.iam = None;
    findings.resolved = Draft::yes(Reason::ResolvedRefs, "every function exists");
    findings.programmed = Draft::yes(Reason::Programmed, "AWS is equal to the spec");
    Some((
        Next::Resync,
        JwtHttpApiStatus {
            iam_changed_at: None,
            ..status
        },
    ))
}

/// Nothing is begun that could not be finished.
fn hold_creation(findings: &mut Findings, role: &str, conflict: bool) -> Next {
    findings.programmed = if conflict {
        Draft::no(Reason::RoleNameConflict, role_conflict(role))
    } else if findings.suspended {
        Draft::no(
            Reason::Suspended,
            "nothing is created until spec.suspend is removed",
        )
    } else {
        Draft::no(
            findings.resolved.reason,
            "nothing is created before everything exists that the spec names",
        )
    };
    if findings.suspended && !conflict {
        Next::Resync
    } else {
        Next::Backoff
    }
}

pub(crate) fn role_conflict(role: &str) -> String {
    format!(
        "a role named {role} exists and is not this object's; delete it, or bring a role with spec.invocation.roleArn"
    )
}

/// What suspension holds back.
fn held(findings: &mut Findings, steps: &Plan) -> Next {
    findings.programmed = if steps.is_empty() {
        Draft::yes(Reason::Programmed, "AWS is equal to the spec")
    } else {
        let text: Vec<String> = steps
            .steps
            .iter()
            .take(5)
            .map(|planned| planned.step.to_string())
            .collect();
        let more = steps.steps.len().saturating_sub(text.len());
        let more = if more == 0 {
            String::new()
        } else {
            format!("; and {more} more")
        };
        Draft::no(
            Reason::Suspended,
            format!(
                "held back until spec.suspend is removed: {}{more}",
                text.join("; ")
            ),
        )
    };
    Next::Resync
}

/// Changes at a generation that was in force are repairs of what others did.
fn note_drift(ctx: &Context, record: &Record, steps: &Plan) {
    let in_force = record.status().observed_generation == Some(record.generation());
    if steps.is_empty() {
        return;
    }
    for planned in &steps.steps {
        tracing::info!(step = %planned.step, drift = in_force, "planned");
    }
    if in_force {
        ctx.metrics.repaired("plan");
    }
}

/// Whether the lists miss children that this process made a short while ago.
fn stale(memory: &mut Memory, api: &Api) -> bool {
    let Some((ids, until)) = &memory.expected else {
        return false;
    };
    let shown: BTreeSet<&str> = api
        .routes
        .iter()
        .map(|route| route.id.as_str())
        .chain(api.integrations.iter().map(|integration| integration.id.as_str()))
        .chain(api.authorizers.iter().map(|authorizer| authorizer.id.as_str()))
        .collect();
    let missing = ids.iter().any(|id| !shown.contains(id.as_str()));
    if missing && Instant::now() < *until {
        return true;
    }
    memory.expected = None;
    false
}

/// Ids of children: those that a plan's execution made are in every complete list from now on.
fn remember_children(ctx: &Context, memory: &mut Memory, before: &Refs, outcome: &Outcome) {
    let ids = |refs: &Refs| -> BTreeSet<String> {
        let authorizers = refs.authorizers.values();
        authorizers
            .chain(refs.integrations.values())
            .chain(refs.routes.values())
            .cloned()
            .collect()
    };
    let mut expected = memory.expected.take().map(|(ids, _)| ids).unwrap_or_default();
    expected.extend(ids(&outcome.refs).difference(&ids(before)).cloned());
    for step in &outcome.done {
        if let Step::DeleteAuthorizer { id, .. }
        | Step::DeleteIntegration { id }
        | Step::DeleteRoute { id, .. } = step
        {
            expected.remove(id);
        }
    }
    memory.expected = (!expected.is_empty()).then(|| (expected, Instant::now() + ctx.periods.settle));
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
        session.observe(&api.id).await?
    } else {
        session
            .children(&api.id)
            .await?
            .map(|children| children.within(api))
    };
    Ok(Observed { api, ..observed })
}
