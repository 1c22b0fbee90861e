//! One reconcile: read the object live, let it live or go, report. Bounded in time, and a panic stays where it happened.

use super::{
    backoff,
    context::Context,
    converge::converge,
    delete::delete,
    error::Error,
    events, key,
    pass::{Findings, Next, Pass},
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
    let uid = object.uid().unwrap_or_default();
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
        // What it sent is not remembered: the next one is to know as little as that of a new process.
        Ok(Err(_)) => {
            ctx.forget(&uid);
            ctx.metrics.panicked();
            Err(Error::Panic)
        }
        Err(_) => {
            ctx.forget(&uid);
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
        // Each try costs AWS a look.
        Error::Refused(_) => backoff::after_refusal(ctx.untaken(uid), fastrand::f64()),
        Error::Unwritten(_) => backoff::after_unwritten(ctx.untaken(uid), fastrand::f64()),
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
    let Some(record) = Record::read(&ctx.client, namespace, name).await? else {
        return Ok((Ended::success, None));
    };
    let uid = record.uid();
    let mut pass = Pass {
        ctx,
        record,
        memory: ctx.recall(&uid),
        findings: Findings::default(),
        deadline: started + DEADLINE.saturating_sub(RESERVE),
    };
    planted!(StaleObject => {
        pass.record.show_cached(&ctx.store);
    });
    if let Some(until) = pass
        .memory
        .quiet_until
        .take()
        .filter(|_| !planted!(BelievesAtOnce))
    {
        tokio::time::sleep_until(until).await;
        // The process may have been asked to stop meanwhile.
        if !ctx.leads() {
            return Ok((Ended::success, None));
        }
    }
    let before = pass.record.status();
    let last_words = started + longest().saturating_sub(LAST_WORDS);
    let passed = if pass.record.is_deleting() {
        timeout_at(last_words, Box::pin(delete(&mut pass))).await
    } else {
        timeout_at(last_words, Box::pin(converge(&mut pass))).await
    };
    let (next, status) = match passed {
        Ok(Ok(passed)) => passed,
        Err(_) => {
            pass.findings.late();
            // A write that was cut may still be on its way.
            pass.memory.quiet_until = Some(Instant::now() + WRITE_TIMEOUT);
            (Next::Backoff, pass.record.status())
        }
        Ok(Err(Error::Aws(fault))) => {
            tracing::warn!(error = %fault, "AWS failed");
            pass.findings.fault(&fault);
            (Next::Backoff, pass.record.status())
        }
        Ok(Err(error)) => {
            ctx.remember(&uid, pass.memory);
            return Err(error);
        }
    };
    if pass.record.is_deleting() && !pass.record.has_finalizer() {
        return Ok((Ended::success, None));
    }
    count_failures(&mut pass, next);
    let result = say(&mut pass, &before, status).await;
    let generation = pass.record.generation();
    pass.memory.arrived.take_if(|(arrived, _)| *arrived != generation);
    if before.observed_generation != Some(generation) {
        pass.memory.arrived.get_or_insert((generation, started));
    }
    if result.is_ok() {
        pass.memory.untaken = 0;
        time_to_ready(&mut pass);
    } else {
        // What was seen is not told yet: the next pass has to see it, too.
        pass.memory.converged = None;
    }
    let due = schedule(&pass, next);
    ctx.remember(&uid, pass.memory);
    result?;
    Ok(due)
}

/// Whether a failure passes by itself. Several such reasons in turn count as one failure that lasts.
fn passes(reason: Reason) -> bool {
    reason.polarity() == Polarity::Passing && reason != Reason::FunctionNotFound
}

fn count_failures(pass: &mut Pass<'_>, next: Next) {
    let Pass { memory, findings, .. } = pass;
    if findings.waits && !planted!(WaitEndsFailures) {
        return;
    }
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
async fn say(pass: &mut Pass<'_>, before: &JwtHttpApiStatus, status: JwtHttpApiStatus) -> Result<(), Error> {
    let patient = has_patience(pass, before);
    let Pass {
        ctx,
        record,
        memory,
        findings,
        ..
    } = pass;
    let now = ctx.clock.time();
    let mut next = if patient {
        status
    } else {
        let report_of = findings.report(memory.failures.0);
        report(&status, &report_of, record.generation(), &now)
    };
    planted!(StampEveryPass => {
        next.last_verified_time = Some(now.clone());
    });
    if !patient && let Some(asked) = record.requested().cloned() {
        next.last_handled_reconcile_at = Some(asked);
        next.last_verified_time = findings.observed.then_some(now).or(next.last_verified_time);
    }
    record.write(next.clone()).await?;
    events::on_transition(ctx, &mut memory.events, record.object(), before, &next).await;
    Ok(())
}

fn is_ready(status: &JwtHttpApiStatus) -> bool {
    condition(&status.conditions, ConditionType::Ready).is_some_and(|ready| ready.status == "True")
}

/// Measures how long a generation that this process saw arrive takes until it is Ready.
fn time_to_ready(pass: &mut Pass<'_>) {
    let Pass {
        ctx, record, memory, ..
    } = pass;
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
fn has_patience(pass: &Pass<'_>, before: &JwtHttpApiStatus) -> bool {
    let Pass {
        record,
        memory,
        findings,
        ..
    } = pass;
    is_ready(before)
        && findings.reason().is_some_and(passes)
        && !findings.behind
        && !findings.waits
        && before.observed_generation == Some(record.generation())
        && memory.failures.1.is_some()
        && memory.failures.0 <= PATIENCE
}

fn schedule(pass: &Pass<'_>, next: Next) -> Due {
    let Pass {
        ctx,
        memory,
        findings,
        ..
    } = pass;
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
