//! What a pass says of a suspended object, and when.

use super::super::{expected::STALE_READ, pass::Next};
use super::ground::{Ground, IAM_SETTLE, RESYNC, merge};
use jwthttpapi_core::api::Reason;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn what_is_suspended_is_held_and_looked_at_again_at_the_resync() {
    let mut ground = Ground::new().await;
    ground.change(json!({"suspend": true}));
    ground.ctx.metrics.work().woken("demo/hello");
    tokio::time::advance(RESYNC).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Resync);
    assert_eq!(passed.findings.programmed.reason, Reason::Suspended);
    assert!(ground.sandbox.apis().is_empty());
    let age = ground.metric("jwthttpapi_last_successful_observation_age_seconds");
    assert!(age < RESYNC.as_secs_f64(), "what is wanted so raises no alarm");
}

#[tokio::test(start_paused = true)]
async fn what_is_suspended_is_ready_when_it_is_deployed_and_iam_has_settled() {
    let mut ground = Ground::new().await;
    ground.change(json!({"invocation": {"mode": "Role"}}));
    ground.pass().await.unwrap();
    ground.change(json!({"invocation": {"mode": "Role"}, "suspend": true}));
    ground.edit("metadata", json!({"generation": 2}));
    tokio::time::advance(STALE_READ).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::RolePropagating);
    let Next::After(left) = passed.next else {
        panic!("{:?}", passed.next)
    };
    tokio::time::advance(left).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);

    let mut ground = Ground::new().await;
    ground.switch(&json!({"deploy_delay_ms": 3_000}));
    let began = Instant::now();
    ground.pass_within(Duration::from_secs(1)).await.unwrap();
    ground.change(json!({"suspend": true}));
    ground.edit("metadata", json!({"generation": 2}));
    tokio::time::advance(STALE_READ).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    assert!(began.elapsed() >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_is_suspended_tells_of_all_that_is_held_back_and_is_not_ready_unseen() {
    let by_role = |more: Value| {
        let mut spec = json!({"suspend": true, "invocation": {"mode": "Role"}});
        merge(&mut spec, more);
        spec
    };
    let mut ground = Ground::new().await;
    ground.function("b").await;
    ground.change(by_role(json!({"suspend": false})));
    ground.pass().await.unwrap();
    // What is read of the role may be older than what was just written.
    ground.change(by_role(
        json!({"routes": [{"routeKey": "GET /a", "lambda": {"name": "b"}}]}),
    ));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Suspended);
    ground.change(by_role(json!({})));
    tokio::time::advance(IAM_SETTLE * 12).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    assert_eq!(passed.next, Next::Resync);
    ground.edit("status", json!({"iamChangedAt": passed.status.iam_changed_at}));
    ground.fault("GetRole", &json!({"kind": "access_denied"}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AccessDenied);
    assert_eq!(passed.next, Next::Backoff);
}
