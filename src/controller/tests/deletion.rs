//! What a pass over an object that goes does, and says when it cannot.

use super::super::{error::Error, expected::STALE_LIST, pass::Next};
use super::ground::{Ground, SETTLE, own, owner};
use crate::{
    api_server::Trouble,
    aws::{Rate, Settings},
};
use http::Method;
use jwthttpapi_core::{
    api::{FINALIZER, Reason},
    model::name::function_name,
};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_deletion_that_its_user_suspends_takes_no_further_step() {
    // One request to IAM in ten seconds: the role goes long after the API.
    let iam = Rate {
        per_second: 0.1,
        burst: 1,
    };
    for meanwhile in [json!({"suspend": true}), json!({"deletionPolicy": "Retain"})] {
        let mut ground = Ground::new().await;
        ground.change(json!({"invocation": {"mode": "Role"}}));
        ground.pass().await.unwrap();
        ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
        ground.set(Settings {
            iam,
            ..Settings::default()
        });
        let user = async {
            while !ground.sandbox.apis().is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            ground.change(meanwhile.clone());
            ground.edit("metadata", json!({"generation": 2}));
            ground.show();
        };
        let (passed, ()) = tokio::join!(ground.reconcile(), user);
        assert!(matches!(passed, Err(Error::Conflict)), "{passed:?}");
        assert_ne!(ground.sandbox.state()["roles"], json!([]), "{meanwhile}");
    }
}

/// As for one that lives: it is for a person to say whose it is.
#[tokio::test(start_paused = true)]
async fn a_deletion_takes_no_api_that_names_another_nonce_and_takes_the_only_one_that_names_none() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let id = ground.status().api_id.unwrap();
    ground.tag(&id, "jwthttpapi.dev/nonce", "of somebody else").await;
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    for stored in [json!(id), Value::Null] {
        ground.edit("status", json!({"apiId": stored}));
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.next, Next::Backoff, "{stored}");
        assert_eq!(passed.findings.programmed.reason, Reason::AmbiguousOwnership);
        assert_eq!(ground.sandbox.apis().len(), 1);
    }
    ground.untag(&id, "jwthttpapi.dev/nonce").await;
    ground.pass().await.unwrap();
    assert!(ground.sandbox.apis().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deletion_waits_from_the_first_sight_of_an_intent_that_another_process_wrote_anew() {
    let mut ground = Ground::new().await;
    let intent = |since| json!({"nonce": "mine", "pending": {"operation": "CreateApi", "since": since}});
    ground.edit("metadata", json!({"finalizers": [FINALIZER]}));
    ground.edit("status", intent("2027-01-15T08:00:00Z"));
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    assert_eq!(ground.pass().await.unwrap().next, Next::After(SETTLE));
    tokio::time::advance(SETTLE).await;
    ground.edit("status", intent("2027-01-15T08:00:35Z"));
    assert_eq!(ground.pass().await.unwrap().next, Next::After(SETTLE));
    tokio::time::advance(SETTLE).await;
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
}

/// Its nonce tells that one was made once.
#[tokio::test(start_paused = true)]
async fn a_deletion_waits_for_an_api_whose_id_was_lost_and_that_lists_do_not_show_yet() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"list_lag_ms": 25_000}));
    ground.reconcile().await.unwrap();
    tokio::time::advance(STALE_LIST).await;
    ground.reconcile().await.unwrap();
    assert_eq!(ground.status().pending, None);
    ground.edit("status", json!({"apiId": null}));
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    while ground.pass().await.unwrap().next != Next::Change {
        tokio::time::advance(SETTLE).await;
    }
    assert!(ground.sandbox.apis().is_empty());
}

/// What is found in the order in which requests end would be said in that order, now so, now so.
#[tokio::test(start_paused = true)]
async fn of_several_troubles_of_a_deletion_the_gravest_is_said() {
    let mut ground = Ground::new().await;
    let mut spec = own();
    spec["invocation"] = json!({"mode": "Role"});
    ground.change(spec);
    ground.pass().await.unwrap();
    ground.fault(
        "DeleteFunction",
        &json!({"kind": "fail", "status": 409, "code": "ResourceConflictException"}),
    );
    ground.fault("DeleteRole", &json!({"kind": "access_denied"}));
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AccessDenied);
}

/// Of several that are as grave the first of the plan, and not the one that ended first.
#[tokio::test(start_paused = true)]
async fn of_several_troubles_of_one_kind_the_plans_first_is_said() {
    let mut ground = Ground::new().await;
    let mut spec = own();
    let mut second = spec["functions"][0].clone();
    second["name"] = json!("other");
    spec["functions"].as_array_mut().unwrap().push(second);
    ground.change(spec);
    ground.pass().await.unwrap();
    let unavailable = json!({"kind": "fail", "status": 503, "code": "ServiceUnavailable"});
    let no_answer = json!({"kind": "hold", "when": "before"});
    let mut said = Vec::new();
    // The first one fails at once, or when its time is up and the second one has long failed.
    for first in [&unavailable, &no_answer] {
        let name = function_name(&owner(), "hello");
        let first = json!({"operation": "DeleteFunction", "target": name, "times": 1, "action": first});
        let rest = json!({"operation": "DeleteFunction", "times": null, "action": unavailable});
        ground.sandbox.clear_faults();
        let rules = [first, rest].map(|rule| serde_json::from_value(rule).unwrap());
        ground.sandbox.add_faults(rules.into());
        ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
        let passed = ground.pass().await.unwrap();
        said.push(passed.findings.programmed.message);
    }
    assert!(said.iter().all(|message| message.contains("-hello")), "{said:?}");
}

/// A webhook keeps the finalizer on, say: each try would tell the same.
#[tokio::test(start_paused = true)]
async fn what_is_released_with_its_tags_on_is_told_of_once() {
    let ground = Ground::new().await;
    ground.reconcile().await.unwrap();
    ground.fault("UntagResource", &json!({"kind": "access_denied"}));
    ground.change(json!({"deletionPolicy": "Retain"}));
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    let refusal = Trouble::Refusal(500, "InternalError");
    ground.kubernetes.trouble(Method::PATCH, "/hello", refusal);
    for _ in 0..3 {
        ground.reconcile().await.unwrap_err();
    }
    let [told] = <[String; 1]>::try_from(ground.warnings(Reason::Deleting.as_str())).unwrap();
    assert!(told.contains("released under deletionPolicy Retain"), "{told}");
}
