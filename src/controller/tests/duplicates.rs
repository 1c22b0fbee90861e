//! A second API of an object that cannot be deleted.

use super::super::pass::Next;
use super::{
    ground::{Ground, IAM_SETTLE, RESYNC},
    roles::{meddle, ready},
};
use jwthttpapi_core::api::{ConditionType, Reason};
use serde_json::json;

/// Somebody leads a domain of theirs to it, say: the object's own API is none the worse, and all else is done and told.
#[tokio::test(start_paused = true)]
async fn a_duplicate_that_cannot_be_deleted_is_named() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let nonce = ground.status().nonce.unwrap();
    let duplicate = ground.api(&nonce).await;
    tokio::time::advance(RESYNC).await;
    let refused = json!({"kind": "fail", "status": 409, "code": "ConflictException"});
    ground.fault("DeleteApi", &refused);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    let said = passed.findings.programmed;
    assert_eq!(said.status, Some(false));
    assert!(said.message.contains(&duplicate), "{}", said.message);
    assert_eq!(passed.status.pending, None);
    ground.sandbox.clear_faults();
    assert_eq!(ground.pass().await.unwrap().next, Next::Resync);
    assert_eq!(ground.sandbox.apis().len(), 1);
}

/// AWS lists them in no order, and a status that says something else each time is written each time.
#[tokio::test(start_paused = true)]
async fn of_several_duplicates_that_cannot_be_deleted_the_same_one_is_named_in_whatever_order_they_come() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let nonce = ground.status().nonce.unwrap();
    for _ in 0..2 {
        ground.api(&nonce).await;
    }
    let refused = json!({"kind": "fail", "status": 409, "code": "ConflictException"});
    ground.fault("DeleteApi", &refused);
    let mut said = Vec::new();
    for order in ["creation", "reversed"] {
        ground.switch(&json!({"list_order": order}));
        tokio::time::advance(RESYNC).await;
        said.push(ground.pass().await.unwrap().findings.programmed.message);
    }
    assert_eq!(said[0], said[1]);
}

/// What else is wrong is looked at again and again, and what was said of the roles stays said.
#[tokio::test(start_paused = true)]
async fn what_others_put_on_a_role_is_told_once_however_often_something_else_fails() {
    let ground = ready().await;
    meddle(&ground).await;
    for _ in 0..6 {
        ground.reconcile().await.unwrap();
    }
    assert_eq!(ground.warnings("ForeignPolicies").len(), 1);
    ground.api(&ground.status().nonce.unwrap()).await;
    tokio::time::advance(RESYNC).await;
    let refused = json!({"kind": "fail", "status": 409, "code": "ConflictException"});
    ground.fault("DeleteApi", &refused);
    for _ in 0..6 {
        ground.reconcile().await.unwrap();
        tokio::time::advance(IAM_SETTLE).await;
    }
    assert_ne!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
    assert_eq!(ground.warnings("ForeignPolicies").len(), 1);
}
