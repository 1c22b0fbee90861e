//! How long a generation takes until it is Ready.

use super::super::expected::STALE_READ;
use super::ground::{Ground, IAM_SETTLE};
use crate::api_server::Trouble;
use http::Method;
use serde_json::json;

/// The first pass makes the role, the last one finds that it works.
#[tokio::test(start_paused = true)]
async fn the_time_to_ready_counts_from_the_first_look() {
    let ground = Ground::new().await;
    ground.change(json!({"invocation": {"mode": "Role"}}));
    for _ in 0..3 {
        ground.reconcile().await.unwrap();
        tokio::time::advance(IAM_SETTLE / 2).await;
    }
    assert!((ground.metric("jwthttpapi_time_to_ready_seconds_count") - 1.0).abs() < f64::EPSILON);
    let took = ground.metric("jwthttpapi_time_to_ready_seconds_sum");
    assert!(took >= IAM_SETTLE.as_secs_f64(), "{took}");
}

/// What was Ready is the generation before.
#[tokio::test(start_paused = true)]
async fn a_generation_whose_status_the_api_server_does_not_take_is_not_ready() {
    let ground = Ground::new().await;
    let ready = || {
        ground
            .metric("jwthttpapi_time_to_ready_seconds_count")
            .to_string()
    };
    ground.reconcile().await.unwrap();
    assert_eq!(ready(), "1");
    ground.change(json!({"description": "other"}));
    ground.edit("metadata", json!({"generation": 2}));
    tokio::time::advance(STALE_READ).await;
    let changed = Trouble::Refusal(409, "Conflict");
    ground.kubernetes.trouble(Method::PATCH, "/status", changed);
    ground.reconcile().await.unwrap_err();
    assert_eq!(ready(), "1");
    ground.kubernetes.heal();
    ground.reconcile().await.unwrap();
    assert_eq!(ready(), "2");
}
