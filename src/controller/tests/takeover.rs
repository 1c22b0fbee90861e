//! What is waited for before an object takes over what was left behind.

use super::super::pass::Next;
use super::ground::{Ground, SETTLE, cluster};
use crate::{
    api_server::Trouble,
    aws::{Rate, Settings},
};
use http::Method;
use jwthttpapi_core::api::{PendingOperation, Reason};
use serde_json::json;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn what_was_left_is_not_taken_over_when_its_tags_changed_while_that_was_waited_for() {
    let mut ground = Ground::new().await;
    let id = ground.api("n").await;
    ground.rebuild("u2", cluster());
    ground.pass().await.unwrap();
    tokio::time::advance(SETTLE).await;
    // A list that lags shows it as it was.
    ground.switch(&json!({"list_lag_ms": 3_600_000}));
    ground.tag(&id, "jwthttpapi.dev/uid", "u3").await;
    ground.sandbox.clear_journal();
    ground.pass().await.unwrap();
    let wrote = ground.sandbox.journal(0);
    assert!(
        !wrote
            .iter()
            .any(|entry| entry.mutating && entry.target.as_deref() == Some(&id))
    );
}

/// Who looks for orphans may have looked at the object just before that, and sends a deletion for as long.
#[tokio::test(start_paused = true)]
async fn the_wait_before_a_takeover_begins_when_it_is_announced() {
    let slow = Duration::from_secs(9);
    let mut ground = Ground::new().await;
    let id = ground.api("n").await;
    ground.rebuild("u2", cluster());
    let slowly = Trouble::Slowness(slow);
    ground.kubernetes.trouble(Method::PATCH, "/status", slowly);
    ground.pass().await.unwrap();
    let announced = ground.status().pending.unwrap().operation;
    assert_eq!(announced, PendingOperation::ReclaimApi);
    ground.kubernetes.heal();
    tokio::time::advance(SETTLE.saturating_sub(slow / 2)).await;
    ground.pass().await.unwrap();
    assert_eq!(ground.status().api_id, None);
    tokio::time::advance(slow / 2).await;
    ground.pass().await.unwrap();
    assert_eq!(ground.status().api_id.as_deref(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_takeover_that_the_budget_does_not_let_out_says_so() {
    let mut ground = Ground::new().await;
    ground.api("n").await;
    ground.rebuild("u2", cluster());
    // Two lists and a look at the API take all of it.
    let apigateway = Rate {
        per_second: 0.001,
        burst: 3,
    };
    ground.set(Settings {
        apigateway,
        ..Settings::default()
    });
    ground.pass().await.unwrap();
    tokio::time::advance(SETTLE).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::Throttled);
}
