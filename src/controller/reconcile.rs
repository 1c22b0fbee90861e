//! One reconcile: read the object live, let it live or go, report. Bounded in time, and a panic stays where it happened.

use super::{
    backoff,
    context::{Context, Memory},
    converge::converge,
    delete::delete,
    error::Error,
    events, key,
    pass::{Findings, Next},
    record::Record,
};
use crate::{aws::WRITE_TIMEOUT, metrics::Ended};
use futures::FutureExt;
use jwthttpapi_core::api::{
    ConditionType, JwtHttpApi, JwtHttpApiStatus, Polarity, Reason, condition, report,
};
use jwthttpapi_core::planted;
use kube::{ResourceExt, core::DeserializeGuard, runtime::controller::Action};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long a reconcile may take; plans are cut between steps before it is over.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
/// What a plan leaves of the deadline for the looks and the report after it.
const RESERVE: Duration = Duration::from_secs(30);
/// What a pass leaves of the deadline for its report.
const LAST_WORDS: Duration = Duration::from_secs(15);
/// How often in a row something that passes may fail before it is said of an object that was ready.
const PATIENCE: u32 = 3;

/// One reconcile of one object.
pub(crate) async fn reconcile(
    object: Arc<DeserializeGuard<JwtHttpApi>>,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    let key = key(&*object);
    if !ctx.leads() {
        ctx.metrics.work().forget(&key);
        return Ok(Action::await_change());
    }
    let running = ctx.metrics.work().begin(&key);
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    planted!(PanicEndsAll => {
        return visit(&ctx, &namespace, &name)
            .await
            .map(|(ended, wait)| again(&ctx, &key, ended, wait));
    });
    let work = AssertUnwindSafe(visit(&ctx, &namespace, &name)).catch_unwind();
    let visited = tokio::time::timeout(longest(), work).await;
    drop(running);
    match visited {
        Ok(Ok(Ok((ended, wait)))) => Ok(again(&ctx, &key, ended, wait)),
        Ok(Ok(Err(error))) => Err(error),
        Ok(Err(_)) => {
            ctx.metrics.panicked();
            Err(Error::Panic)
        }
        Err(_) => {
            ctx.metrics.timed_out();
            Err(Error::Deadline)
        }
    }
}

/// How long a reconcile may take, unless the bug of waiting for ever is planted.
fn longest() -> Duration {
    planted!(NoTimeouts => {
        return Duration::from_hours(24 * 365);
    });
    DEADLINE
}

/// When an object whose reconcile failed is tried again.
#[expect(clippy::needless_pass_by_value, reason = "the signature of an error policy")]
pub(crate) fn error_policy(
    object: Arc<DeserializeGuard<JwtHttpApi>>,
    error: &Error,
    ctx: Arc<Context>,
) -> Action {
    let wait = wait_after(&ctx, &object.uid().unwrap_or_default(), error);
    again(&ctx, &key(&*object), Ended::error, Some(wait))
}

pub(crate) fn wait_after(ctx: &Context, uid: &str, error: &Error) -> Duration {
    match error {
        Error::Conflict => Duration::from_millis(100),
        Error::Malformed(_) => ctx.resync(),
        Error::Refused(_) => backoff::after_refusal(ctx.refused(uid), fastrand::f64()),
        Error::Kube(_) | Error::Aws(_) | Error::Deadline | Error::Panic => {
            Duration::from_secs(5).mul_f64(1.0 + fastrand::f64())
        }
    }
}

/// How a reconcile ended, and when the object is due again: after a while, or when it changes.
type Due = (Ended, Option<Duration>);

fn again(ctx: &Context, key: &str, ended: Ended, wait: Option<Duration>) -> Action {
    ctx.metrics.ended(ended);
    let Some(wait) = wait else {
        return Action::await_change();
    };
    ctx.metrics.work().planned(key, wait, ended == Ended::error);
    Action::requeue(wait)
}

async fn visit(ctx: &Context, namespace: &str, name: &str) -> Result<Due, Error> {
    let started = Instant::now();
    let mut record = match Record::read(&ctx.client, namespace, name).await {
        Ok(Some(record)) => record,
        Ok(None) => return Ok((Ended::success, None)),
        Err(error) => return Err(error),
    };
    planted!(StaleObject => {
        record.show_cached(&ctx.store);
    });
    let uid = record.uid();
    let mut memory = ctx.recall(&uid);
    if let Some(until) = memory.quiet_until.take() {
        tokio::time::sleep_until(until).await;
        // The process may have been asked to stop meanwhile.
        if !ctx.leads() {
            return Ok((Ended::success, None));
        }
    }
    let mut findings = Findings::default();
    let before = record.status();
    let deadline = started + DEADLINE.saturating_sub(RESERVE);

    let pass = async {
        if record.is_deleting() {
            Box::pin(delete(ctx, &mut record, &mut memory, &mut findings, deadline)).await
        } else {
            Box::pin(converge(ctx, &mut record, &mut memory, &mut findings, deadline)).await
        }
    };
    let passed = timeout_at(started + longest().saturating_sub(LAST_WORDS), pass).await;
    let (next, status) = match passed {
        Ok(Ok(passed)) => passed,
        Err(_) => {
            findings.late();
            // A write that was cut may still be on its way.
            memory.quiet_until = Some(Instant::now() + WRITE_TIMEOUT);
            (Next::Backoff, record.status())
        }
        Ok(Err(Error::Aws(fault))) => {
            tracing::warn!(error = %fault, "AWS failed");
            findings.fault(&fault);
            (Next::Backoff, record.status())
        }
        Ok(Err(error)) => {
            ctx.remember(&uid, memory);
            return Err(error);
        }
    };
    if record.is_deleting() && !record.has_finalizer() {
        return Ok((Ended::success, None));
    }
    count_failures(&mut memory, &findings, next);
    let result = say(ctx, &mut record, &memory, &findings, &before, status).await;
    if before.observed_generation != Some(record.generation()) {
        memory.arrived = Some((record.generation(), started));
    }
    time_to_ready(ctx, &record, &mut memory);
    if result.is_ok() {
        memory.refusals = 0;
    } else {
        // What was seen is not told yet: the next pass has to see it, too.
        memory.converged = None;
    }
    let due = schedule(ctx, &memory, &findings, next);
    ctx.remember(&uid, memory);
    result?;
    Ok(due)
}

/// Whether a failure passes by itself. Several such reasons in turn count as one failure that lasts.
fn passes(reason: Reason) -> bool {
    reason.polarity() == Polarity::Passing && reason != Reason::FunctionNotFound
}

fn count_failures(memory: &mut Memory, findings: &Findings, next: Next) {
    let reason = findings.reason().filter(|_| next == Next::Backoff);
    memory.failures = match (memory.failures, reason) {
        (_, None) => (0, None),
        ((count, Some(last)), Some(reason)) if last == reason || (passes(last) && passes(reason)) => {
            (count.saturating_add(1), Some(reason))
        }
        (_, Some(reason)) => (1, Some(reason)),
    };
}

/// Writes the status if it differs, and an event if Ready turned.
async fn say(
    ctx: &Context,
    record: &mut Record,
    memory: &Memory,
    findings: &Findings,
    before: &JwtHttpApiStatus,
    status: JwtHttpApiStatus,
) -> Result<(), Error> {
    let now = ctx.clock.time();
    let generation = record.generation();
    let patient = has_patience(findings, memory, before, generation);
    let mut next = if patient {
        status
    } else {
        report(&status, &findings.report(memory.failures.0), generation, &now)
    };
    planted!(StampEveryPass => {
        next.last_verified_time = Some(now.clone());
    });
    if !patient && let Some(asked) = record.requested().cloned() {
        next.last_handled_reconcile_at = Some(asked);
        next.last_verified_time = findings.observed.then_some(now).or(next.last_verified_time);
    }
    let previous = before.clone();
    record.write(next.clone()).await?;
    events::on_transition(&ctx.recorder, record.object(), &previous, &next).await;
    Ok(())
}

fn is_ready(status: &JwtHttpApiStatus) -> bool {
    condition(&status.conditions, ConditionType::Ready).is_some_and(|ready| ready.status == "True")
}

/// Measures how long a generation that this process saw arrive takes until it is Ready.
fn time_to_ready(ctx: &Context, record: &Record, memory: &mut Memory) {
    if let Some((arrived, since)) = memory.arrived
        && arrived == record.generation()
        && is_ready(&record.status())
    {
        ctx.metrics.ready_after(since.elapsed());
        memory.arrived = None;
    }
}

/// Whether Ready stays as it was although this pass could not see AWS: what passes is not worth a flap, unless it lasts or
/// changes were known to be due.
fn has_patience(findings: &Findings, memory: &Memory, before: &JwtHttpApiStatus, generation: i64) -> bool {
    is_ready(before)
        && findings.reason().is_some_and(passes)
        && !findings.behind
        && before.observed_generation == Some(generation)
        && memory.failures.1.is_some()
        && memory.failures.0 <= PATIENCE
}

fn schedule(ctx: &Context, memory: &Memory, findings: &Findings, next: Next) -> Due {
    match next {
        Next::Resync => (
            Ended::success,
            Some(backoff::resync(ctx.resync(), fastrand::f64())),
        ),
        Next::After(wait) => (Ended::requeue_after, Some(wait.max(AT_ONCE))),
        Next::Now => (Ended::requeue_after, Some(AT_ONCE)),
        Next::Backoff => {
            let reason = findings.reason().unwrap_or(Reason::ProgressingWithRetry);
            if reason.polarity() == Polarity::NeedsHuman {
                planted!(TerminalForever => {
                    return (Ended::error, None);
                });
                ctx.metrics.terminal();
            }
            let wait = backoff::after_failure(reason, memory.failures.0, fastrand::f64());
            (Ended::error, Some(wait))
        }
        Next::Change => (Ended::success, None),
    }
}

/// The shortest wait, so that no mistake in a pass makes it spin.
const AT_ONCE: Duration = Duration::from_millis(1);
