//! Events, on transitions only. An event that cannot be published fails nothing.

use super::context::Context;
use jwthttpapi_core::api::{ConditionType, JwtHttpApi, JwtHttpApiStatus, condition};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event, EventType, Recorder},
};
use std::time::Duration;
use tokio::time::Instant;

/// The longest note, in bytes (API server's validation).
const NOTE: usize = 1000;

/// How many events may tell of one object in a row, and after how long there may be one more: no more than client-go lets
/// Kubernetes' own components publish, however an object comes and goes.
const BURST: u32 = 25;
const EVERY: Duration = Duration::from_mins(5);

/// How many more events may tell of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    left: u32,
    /// Since when one more has been saved up.
    since: Instant,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: BURST,
            since: Instant::now(),
        }
    }
}

impl Allowance {
    fn take(&mut self) -> bool {
        while self.left < BURST && self.since.elapsed() >= EVERY {
            self.left += 1;
            self.since += EVERY;
        }
        if self.left == BURST {
            self.since = Instant::now();
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

/// Publishes an event when Ready changed its status or its reason.
pub(crate) async fn on_transition(
    ctx: &Context,
    allowance: &mut Allowance,
    object: &JwtHttpApi,
    previous: &JwtHttpApiStatus,
    next: &JwtHttpApiStatus,
) {
    let word = |status: &JwtHttpApiStatus| {
        condition(&status.conditions, ConditionType::Ready)
            .map(|ready| (ready.status.clone(), ready.reason.clone(), ready.message.clone()))
    };
    let Some((status, reason, message)) = word(next) else {
        return;
    };
    if word(previous).is_some_and(|(s, r, _)| (s, r) == (status.clone(), reason.clone())) {
        return;
    }
    if !allowance.take() {
        tracing::debug!(reason, "too many events of this object; the status says it");
        return;
    }
    let stalled = condition(&next.conditions, ConditionType::Stalled).is_some();
    publish(ctx, object, stalled, &reason, message).await;
}

/// Publishes one event.
pub(crate) async fn publish(ctx: &Context, object: &JwtHttpApi, warning: bool, reason: &str, note: String) {
    publish_on(ctx, &object.object_ref(&()), warning, reason, note).await;
}

/// Publishes one event on an object that need not be there any more.
pub(crate) async fn publish_on(
    ctx: &Context,
    object: &ObjectReference,
    warning: bool,
    reason: &str,
    note: String,
) {
    let mut note = note;
    while note.len() > NOTE {
        note.pop();
    }
    let event = Event {
        type_: if warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: reason.to_owned(),
        note: Some(note),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    // One that published before would send the note of an earlier event of the same reason in place of this one.
    let recorder = Recorder::new(ctx.client.clone(), ctx.reporter.clone());
    if let Err(error) = recorder.publish(&event, object).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "cannot publish an event"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_object_that_comes_and_goes_is_told_of_a_few_times_and_then_now_and_then() {
        let mut allowance = Allowance::default();
        let mut taken = |tries: u32| (0..tries).filter(|_| allowance.take()).count();
        assert_eq!(taken(40), 25);
        tokio::time::advance(2 * EVERY).await;
        assert_eq!(taken(40), 2);
        tokio::time::advance(100 * EVERY).await;
        assert_eq!(taken(40), 25);
    }
}
