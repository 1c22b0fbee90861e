//! Events, on transitions only. An event that cannot be published fails nothing.

use super::context::Context;
use jwthttpapi_core::api::{ConditionType, JwtHttpApi, JwtHttpApiStatus, condition};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event, EventType, Recorder},
};

/// The longest note, in bytes (API server's validation).
const NOTE: usize = 1000;

/// Publishes an event when Ready changed its status or its reason.
pub(crate) async fn on_transition(
    ctx: &Context,
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
