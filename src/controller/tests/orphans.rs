//! What becomes of an API whose object is no more.

use super::super::{
    Cluster,
    orphans::{self, Missing, Sweep},
};
use super::ground::{Ground, PATH, REGION, cluster, own};
use crate::{
    api_server::Trouble,
    aws::{Rate, Settings},
};
use http::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// More than an hour and two periods.
const LONG: Duration = Duration::from_secs(3600 + 2 * 600 + 60);

/// An object that was ready, with a role, and went without its API.
async fn left() -> Ground {
    let mut ground = Ground::new().await;
    let mut spec = own();
    spec["invocation"] = json!({"mode": "Role"});
    ground.change(spec);
    ground.pass().await.unwrap();
    ground.vanish();
    ground
}

/// Lets sweeps run for a time.
async fn sweep(ground: &Ground, time: Duration) {
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    tokio::time::sleep(time).await;
    stop.cancel();
    sweeping.await.unwrap();
}

/// A sweep that has begun to remove something.
async fn removing(ground: &Ground) -> (CancellationToken, JoinHandle<()>) {
    ground.sandbox.clear_journal();
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    while writes(ground).is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (stop, sweeping)
}

fn notes(ground: &Ground) -> Vec<String> {
    let events = ground.kubernetes.within("/events/");
    let found = events.iter().filter(|event| event["reason"] == "OrphanFound");
    found
        .map(|event| {
            format!(
                "{} {}",
                event["regarding"]["uid"].as_str().unwrap(),
                event["note"].as_str().unwrap()
            )
        })
        .collect()
}

/// But for what is somebody else's.
fn nothing_is_left(ground: &Ground) {
    let state = ground.sandbox.state();
    let services = &state["regions"][REGION];
    assert_eq!((&services["apis"], &state["roles"]), (&json!([]), &json!([])));
    assert_eq!(services["functions"].as_array().unwrap().len(), 1);
    assert_eq!(services["logGroups"], json!([]));
}

fn writes(ground: &Ground) -> Vec<String> {
    let entries = ground.sandbox.journal(0).into_iter();
    entries
        .filter(|entry| entry.mutating)
        .map(|entry| entry.operation)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_reported_once_after_an_hour_and_kept() {
    let ground = left().await;
    let id = ground.sandbox.apis()[0].0.clone();
    ground.sandbox.clear_journal();
    sweep(&ground, Duration::from_secs(3600)).await;
    assert_eq!(notes(&ground), [""; 0]);
    sweep(&ground, 2 * LONG).await;
    let notes = notes(&ground);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("u1 the API ") && notes[0].contains(&id),
        "{notes:?}"
    );
    let warns = "deleted by hand, the API leaves its roles, functions and log groups";
    assert!(notes[0].contains(warns), "{notes:?}");
    assert_eq!(writes(&ground), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_gauge_of_orphans_rises_with_one_and_falls_when_its_object_is_back() {
    let ground = left().await;
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    let count = || ground.metric("jwthttpapi_orphans_found").to_string();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(count(), "0");
    tokio::time::sleep(LONG).await;
    assert_eq!(count(), "1");
    ground.appear("u1", &Value::Null);
    tokio::time::sleep(LONG).await;
    assert_eq!(count(), "0");
    stop.cancel();
    sweeping.await.unwrap();
}

/// The lease is given back when the sweeper has ended, so that nobody else begins while its step is under way.
#[tokio::test(start_paused = true)]
async fn a_process_that_stops_ends_the_step_that_removes_an_orphan_and_begins_no_other() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    ground.switch(&json!({"latency_ms": 4_000}));
    let (stop, sweeping) = removing(&ground).await;
    stop.cancel();
    sweeping.await.unwrap();
    let begun: Vec<_> = ground
        .sandbox
        .journal(0)
        .into_iter()
        .filter(|entry| entry.mutating)
        .collect();
    assert!(begun.iter().all(|entry| entry.status.is_some()), "{begun:?}");
    assert!(!ground.sandbox.apis().is_empty());
}

/// Who takes it over announces that, and waits.
#[tokio::test(start_paused = true)]
async fn an_orphan_is_deleted_before_anybody_can_have_taken_it_over_or_not_at_all() {
    // The looks take the budget, and the deletion has its turn seconds later.
    let apigateway = Rate {
        per_second: 0.1,
        burst: 5,
    };
    for (settle, stays) in [(9, true), (25, false)] {
        let mut ground = Ground::new().await;
        ground.pass().await.unwrap();
        ground.vanish();
        ground.set(Settings {
            apigateway,
            ..Settings::default()
        });
        let ctx = Arc::get_mut(&mut ground.ctx).unwrap();
        ctx.delete_orphans = true;
        ctx.periods.settle = Duration::from_secs(settle);
        sweep(&ground, LONG).await;
        assert_eq!(ground.sandbox.apis().len(), usize::from(stays), "{settle} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_gauge_of_orphans_falls_when_one_is_deleted() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    let denied = json!({"kind": "fail", "status": 403, "code": "AccessDeniedException"});
    ground.fault("DeleteApi", &denied);
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    let count = || ground.metric("jwthttpapi_orphans_found").to_string();
    tokio::time::sleep(LONG).await;
    assert_eq!(count(), "1");
    ground.sandbox.clear_faults();
    tokio::time::sleep(LONG).await;
    assert_eq!((count().as_str(), ground.sandbox.apis().len()), ("0", 0));
    stop.cancel();
    sweeping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_deleted_with_all_that_belongs_to_it_where_the_installer_wants_it() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    sweep(&ground, LONG).await;
    nothing_is_left(&ground);
}

/// Its status went with the object, and somebody deleted the log group by which a function is known else.
#[tokio::test(start_paused = true)]
async fn an_orphans_functions_are_known_by_its_integrations_too() {
    let mut ground = left().await;
    let group = ground.sandbox.state()["regions"]["eu-central-1"]["logGroups"][0]["logGroupName"].clone();
    let deletion = ground
        .logs()
        .delete_log_group()
        .log_group_name(group.as_str().unwrap());
    deletion.send().await.unwrap();
    ground.restart(cluster(), true);
    sweep(&ground, LONG).await;
    nothing_is_left(&ground);
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_cannot_be_deleted_keeps_no_other_one() {
    let mut ground = left().await;
    ground.api("other").await;
    ground.restart(cluster(), true);
    let mut ids = ground.sandbox.apis().into_iter().map(|(id, _)| id);
    let (one, other) = (ids.next().unwrap(), ids.next().unwrap());
    let rule = json!({
        "operation": "DeleteApi", "target": one, "times": null,
        "action": {"kind": "fail", "status": 403, "code": "AccessDeniedException"},
    });
    ground
        .sandbox
        .add_faults(vec![serde_json::from_value(rule).unwrap()]);
    sweep(&ground, LONG).await;
    let left: Vec<String> = ground.sandbox.apis().into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, [one], "{other}");
}

#[tokio::test(start_paused = true)]
async fn an_orphan_whose_removal_was_cut_is_found_again_by_its_api() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    ground.fault(
        "DeleteRole",
        &json!({"kind": "fail", "status": 500, "code": "ServiceFailure"}),
    );
    sweep(&ground, LONG).await;
    assert_eq!(ground.sandbox.apis().len(), 1);
    ground.sandbox.clear_faults();
    sweep(&ground, LONG).await;
    assert!(ground.sandbox.apis().is_empty());
    assert_eq!(ground.sandbox.state()["roles"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_objects_that_fails_says_nothing_of_any_of_them() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    ground
        .kubernetes
        .trouble(Method::GET, "/jwthttpapis", Trouble::Refusal(403, "Forbidden"));
    sweep(&ground, LONG).await;
    assert_eq!((ground.sandbox.apis().len(), notes(&ground).len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_cannot_go_on_says_whether_aws_or_kubernetes_keeps_it() {
    let look = async |ground: &Ground| {
        let sweep = Sweep {
            ctx: &ground.ctx,
            kube_system: "k1",
            stop: &CancellationToken::new(),
        };
        sweep.region(REGION, &mut Missing::default()).await
    };
    let mut ground = left().await;
    ground.restart(cluster(), true);
    ground.fault("GetApis", &json!({"kind": "access_denied"}));
    let kept = look(&ground).await.unwrap_err();
    assert!(matches!(kept, orphans::Trouble::Aws(_)), "{kept}");
    assert!(kept.to_string().contains("apigateway:GET"), "{kept}");
    ground.sandbox.clear_faults();
    let refusal = Trouble::Refusal(403, "Forbidden");
    ground.kubernetes.trouble(Method::GET, "/jwthttpapis", refusal);
    let kept = look(&ground).await.unwrap_err();
    assert!(matches!(kept, orphans::Trouble::Kubernetes(_)), "{kept}");
    assert!(
        kept.to_string().contains("the objects cannot be listed"),
        "{kept}"
    );
    ground.kubernetes.heal();
    look(&ground).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_stays_in_its_look() {
    let ground = left().await;
    ground
        .kubernetes
        .trouble(Method::GET, "/jwthttpapis", Trouble::Panic);
    sweep(&ground, LONG).await;
    ground.kubernetes.heal();
    sweep(&ground, LONG).await;
    assert_eq!((ground.sandbox.apis().len(), notes(&ground).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_lives_and_an_api_of_another_cluster_are_no_orphans() {
    let other = Cluster {
        kube_system: Some("k2".into()),
        ..cluster()
    };
    let some = Cluster {
        kube_system: None,
        namespaces: vec!["demo".into()],
        ..cluster()
    };
    for (cluster, alive) in [(cluster(), true), (other, false), (some, false)] {
        let mut ground = left().await;
        if alive {
            ground = Ground::new().await;
            ground.pass().await.unwrap();
        }
        ground.restart(cluster, true);
        ground.sandbox.clear_journal();
        sweep(&ground, LONG).await;
        assert_eq!((ground.sandbox.apis().len(), notes(&ground).len()), (1, 0));
        assert_eq!(writes(&ground), [""; 0]);
    }
}

/// Lists of objects come in pages.
#[tokio::test(start_paused = true)]
async fn an_object_behind_many_others_lives() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let here = PATH.strip_suffix("hello").unwrap();
    for number in 0..120 {
        let name = format!("a{number}");
        let metadata = json!({"namespace": "demo", "name": name, "uid": name});
        let other =
            json!({"apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi", "metadata": metadata});
        ground.kubernetes.put(&format!("{here}{name}"), other);
    }
    ground.restart(cluster(), true);
    sweep(&ground, LONG).await;
    assert_eq!((ground.sandbox.apis().len(), notes(&ground).len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_kept_is_no_orphan() {
    let mut ground = left().await;
    let id = ground.sandbox.apis()[0].0.clone();
    ground.tag(&id, "jwthttpapi.dev/deletion-policy", "Retain").await;
    ground.restart(cluster(), true);
    sweep(&ground, LONG).await;
    assert_eq!((ground.sandbox.apis().len(), notes(&ground).len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_an_object_takes_over_is_not_deleted() {
    let mut ground = left().await;
    let id = ground.sandbox.apis()[0].0.clone();
    ground.restart(cluster(), true);
    sweep(&ground, Duration::from_secs(3660)).await;
    let pending: Value = json!({
        "operation": "ReclaimApi", "since": "2027-01-15T08:00:00Z", "apiId": id, "fromUid": "u1",
    });
    ground.appear("u2", &json!({"pending": pending}));
    sweep(&ground, LONG).await;
    assert_eq!(ground.sandbox.apis()[0].0, id);
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_is_taken_over_while_it_is_removed_keeps_its_api() {
    let mut ground = left().await;
    let id = ground.sandbox.apis()[0].0.clone();
    ground.restart(cluster(), true);
    ground.switch(&json!({"latency_ms": 100}));
    let (stop, sweeping) = removing(&ground).await;
    ground.appear("u2", &json!({"apiId": id}));
    tokio::time::sleep(LONG).await;
    stop.cancel();
    sweeping.await.unwrap();
    assert_eq!(ground.sandbox.apis()[0].0, id);
}

/// Its last owner's hour begins when that one goes, not when the one before went.
#[tokio::test(start_paused = true)]
async fn an_api_that_two_objects_left_one_after_the_other_is_an_orphan_an_hour_after_the_second() {
    let ground = left().await;
    let id = ground.sandbox.apis()[0].0.clone();
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    let missed_since = Duration::from_secs(600);
    tokio::time::sleep(missed_since + Duration::from_secs(60)).await;
    ground.tag(&id, "jwthttpapi.dev/uid", "u2").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(notes(&ground), [""; 0]);
    tokio::time::sleep(LONG).await;
    stop.cancel();
    sweeping.await.unwrap();
    let [note] = <[_; 1]>::try_from(notes(&ground)).unwrap();
    assert!(note.starts_with("u2 "), "{note}");
}

#[tokio::test(start_paused = true)]
async fn what_an_object_was_released_with_is_not_deleted_as_an_orphan() {
    let mut ground = left().await;
    ground.restart(cluster(), true);
    ground.ctx.keep("u1");
    sweep(&ground, LONG).await;
    assert_eq!(ground.sandbox.apis().len(), 1);
    let [note] = <[_; 1]>::try_from(notes(&ground)).unwrap();
    assert!(note.starts_with("u1 ") && !note.contains("is deleted"), "{note}");
}
