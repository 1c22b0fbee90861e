//! What an object does with the API that an object of its name left behind.

use super::super::{Cluster, pass::Next};
use super::ground::{Ground, SETTLE, cluster, own, owner};
use jwthttpapi_core::api::{PendingOperation, Reason};
use serde_json::{Value, json};

/// The cluster that took the place of the first one.
fn rebuilt(replaced: &[&str]) -> Cluster {
    Cluster {
        kube_system: Some("k2".into()),
        replaced: replaced.iter().map(|&uid| uid.to_owned()).collect(),
        ..cluster()
    }
}

/// A route to a function of the object's own, and one to somebody else's.
fn spec(mode: &str) -> Value {
    let mut spec = own();
    spec["invocation"] = json!({"mode": mode});
    let other = json!({"routeKey": "GET /other", "lambda": {"name": "a"}});
    spec["routes"].as_array_mut().unwrap().push(other);
    spec
}

/// Everything in AWS that the first object's uid or its hashes are in.
fn of_the_first(state: &Value) -> Vec<String> {
    let region = &state["regions"]["eu-central-1"];
    let mut found = Vec::new();
    for (kind, part) in [
        ("roles", &state["roles"]),
        ("functions", &region["functions"]),
        ("log groups", &region["logGroups"]),
        ("apis", &region["apis"]),
    ] {
        let all = part.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = Value::from(all.to_vec()).to_string();
        let needles = [
            format!("\"{}\"", owner().uid),
            jwthttpapi_core::model::name::statement_id(&owner()),
            jwthttpapi_core::model::name::function_prefix(&owner()),
            jwthttpapi_core::model::name::role_name(&owner(), "eu-central-1").name,
        ];
        found.extend(
            needles
                .iter()
                .filter(|needle| text.contains(*needle))
                .map(|needle| format!("{needle} in {kind}")),
        );
    }
    found
}

/// Passes until an object is at rest; those that wait are not waited for.
async fn rest(ground: &mut Ground) {
    for _ in 0..20 {
        let passed = ground.pass().await.unwrap();
        match passed.next {
            Next::Resync if passed.findings.programmed.status == Some(true) => return,
            Next::After(wait) => tokio::time::advance(wait).await,
            _ => {}
        }
    }
    panic!("it does not come to rest");
}

#[tokio::test(start_paused = true)]
async fn a_rebuilt_cluster_takes_its_api_back_and_nothing_of_the_old_uid_is_left() {
    for mode in ["Role", "ResourcePolicy"] {
        let mut ground = Ground::new().await;
        ground.change(spec(mode));
        rest(&mut ground).await;
        let id = ground.status().api_id.unwrap();
        assert!(!of_the_first(&ground.sandbox.state()).is_empty());

        ground.rebuild("u2", rebuilt(&["k1"]));
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.next, Next::After(SETTLE));
        assert_eq!(passed.findings.programmed.reason, Reason::AwaitingVisibility);
        let pending = ground.status().pending.unwrap();
        assert_eq!(pending.operation, PendingOperation::ReclaimApi);
        assert_eq!(
            (pending.api_id, pending.from_uid),
            (Some(id.clone()), Some("u1".into()))
        );
        rest(&mut ground).await;
        let status = ground.status();
        assert_eq!(status.api_id, Some(id), "{mode}");
        assert_eq!(ground.sandbox.apis().len(), 1);
        assert_eq!(of_the_first(&ground.sandbox.state()), [""; 0], "{mode}");

        let writes = |entry: &jwthttpapi_sandbox::Entry| entry.mutating;
        ground.sandbox.clear_journal();
        ground.pass().await.unwrap();
        assert!(!ground.sandbox.journal(0).iter().any(writes), "{mode}");
        ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
        // The logs of its function go when all else was seen to be gone.
        for _ in 0..2 {
            ground.pass().await.unwrap();
        }
        let state = ground.sandbox.state();
        assert!(ground.sandbox.apis().is_empty());
        assert_eq!(state["roles"], json!([]));
        assert_eq!(state["regions"]["eu-central-1"]["logGroups"], json!([]));
    }
}

#[tokio::test(start_paused = true)]
async fn two_clusters_of_one_id_never_write_to_each_others_apis() {
    let mut ground = Ground::new().await;
    rest(&mut ground).await;
    let first = ground.status().api_id.unwrap();
    ground.rebuild("u2", rebuilt(&["k9"]));
    ground.sandbox.clear_journal();
    rest(&mut ground).await;
    assert_ne!(ground.status().api_id.as_ref(), Some(&first));
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.pass().await.unwrap();
    let journal = ground.sandbox.journal(0);
    let touches =
        |entry: &&jwthttpapi_sandbox::Entry| entry.mutating && entry.target.as_ref() == Some(&first);
    assert_eq!(journal.iter().filter(touches).count(), 0);
    assert_eq!(ground.sandbox.apis().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_goes_while_it_takes_over_takes_all_of_it_along() {
    for passes in 1..6 {
        let mut ground = Ground::new().await;
        ground.change(spec("Role"));
        rest(&mut ground).await;
        ground.rebuild("u2", rebuilt(&["k1"]));
        for _ in 0..passes {
            ground.pass().await.unwrap();
            tokio::time::advance(SETTLE).await;
        }
        let taken = ground.status().api_id.is_some();
        assert_eq!(taken, passes > 1);
        ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
        let mut gone = false;
        for _ in 0..5 {
            let passed = ground.pass().await.unwrap();
            gone = passed.next == Next::Change;
            if gone {
                break;
            }
            tokio::time::advance(SETTLE).await;
        }
        assert!(gone, "after {passes}");
        // Until it is taken over, what the first object left is not this one's.
        assert_eq!(ground.sandbox.apis().is_empty(), taken, "after {passes}");
        if taken {
            assert_eq!(of_the_first(&ground.sandbox.state()), [""; 0], "after {passes}");
            assert_eq!(ground.sandbox.state()["roles"], json!([]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_were_left_none_is_taken() {
    let mut ground = Ground::new().await;
    for _ in 0..2 {
        ground.api("n").await;
    }
    ground.rebuild("u2", cluster());
    rest(&mut ground).await;
    assert_eq!(ground.sandbox.apis().len(), 3);
}

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
