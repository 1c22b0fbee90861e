//! What an object does with the API that an object of its name left behind.

use super::super::{Cluster, orphans, pass::Next};
use super::ground::{Ground, SETTLE, cluster, own, owner};
use jwthttpapi_core::{
    api::{PendingOperation, Reason},
    model::{Owner, name::statement_id},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

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
            statement_id(&owner()),
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

/// Where the only API is called.
fn endpoint(ground: &Ground) -> String {
    let state = ground.sandbox.state();
    let [api] = state["regions"]["eu-central-1"]["apis"]
        .as_array()
        .unwrap()
        .as_slice()
    else {
        panic!("{state:#}")
    };
    api["apiEndpoint"].as_str().unwrap().to_owned()
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
        let endpoint = endpoint(&ground);
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
        assert_eq!(self::endpoint(&ground), endpoint, "{mode}");
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

/// The cluster under the id that it has when none is given, given or not.
fn by_uid(kube_system: Option<&str>, replaced: &[&str]) -> Cluster {
    Cluster {
        id: "k1".into(),
        kube_system: kube_system.map(Into::into),
        replaced: replaced.iter().map(|&uid| uid.to_owned()).collect(),
        ..cluster()
    }
}

/// What an operator without an id of its own made is the one API after a change, too.
async fn keeps_its_api(change: impl FnOnce(&mut Ground)) {
    let mut ground = Ground::new().await;
    ground.restart(by_uid(Some("k1"), &[]), false);
    rest(&mut ground).await;
    let id = ground.status().api_id;
    change(&mut ground);
    rest(&mut ground).await;
    assert_eq!(ground.status().api_id, id);
    assert_eq!(ground.sandbox.apis().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operator_of_some_namespaces_with_the_uid_for_an_id_keeps_what_that_of_the_cluster_made() {
    keeps_its_api(|ground| ground.restart(by_uid(None, &[]), false)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rebuilt_cluster_that_had_no_id_of_its_own_takes_its_api_back_by_the_uid() {
    keeps_its_api(|ground| ground.rebuild("u2", by_uid(Some("k2"), &["k1"]))).await;
}

/// All of what an object has in AWS: its API, its roles, its functions with their logs, its statements on those of others.
fn things_of(ground: &Ground, uid: &str) -> Value {
    let owner = Owner {
        uid: uid.into(),
        ..owner()
    };
    let state = ground.sandbox.state();
    let region = &state["regions"]["eu-central-1"];
    let tagged = |all: &Value| -> Vec<Value> {
        let all = all.as_array().unwrap().iter();
        all.filter(|thing| thing.to_string().contains(&format!("\"{uid}\"")))
            .cloned()
            .collect()
    };
    let policies = region["functions"].as_array().unwrap().iter();
    let statements = policies.flat_map(|function| {
        let policies = function["Policies"].as_object().unwrap().values();
        policies.flat_map(|policy| policy["Statement"].as_array().cloned().unwrap_or_default())
    });
    let ours = |statement: &Value| statement["Sid"] == statement_id(&owner).as_str();
    json!({
        "apis": tagged(&region["apis"]),
        "roles": tagged(&state["roles"]),
        "functions": tagged(&region["functions"]),
        "logGroups": tagged(&region["logGroups"]),
        "statements": statements.filter(ours).collect::<Vec<_>>(),
    })
}

/// Lets sweeps that delete orphans run for longer than an orphan is let be.
async fn sweep(ground: &mut Ground, cluster: Cluster) {
    ground.restart(cluster, true);
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(orphans::sweep(ground.ctx.clone(), stop.clone()));
    tokio::time::sleep(Duration::from_secs(3600 + 2 * 660)).await;
    stop.cancel();
    sweeping.await.unwrap();
}

/// The life of the first one's object beside the second's, which keeps everything that it has.
async fn live_beside(ground: &mut Ground, cluster: Cluster, mode: &str, other: &str) {
    let kept = things_of(ground, other);
    let amounts: Vec<usize> = ["apis", "functions", "logGroups"]
        .iter()
        .map(|kind| kept[*kind].as_array().unwrap().len())
        .collect();
    assert_eq!(amounts, [1, 1, 1], "{mode}");
    let by_role = mode == "Role";
    assert_eq!(
        kept["roles"].as_array().unwrap().len(),
        if by_role { 2 } else { 1 }
    );
    assert_eq!(kept["statements"].as_array().unwrap().is_empty(), by_role);

    ground.change(spec(mode));
    rest(ground).await;
    assert_eq!(things_of(ground, other), kept, "{mode}: creation");
    let mut changed = spec(mode);
    changed["functions"][0]["memoryMiB"] = json!(256);
    changed["routes"].as_array_mut().unwrap().remove(1);
    ground.change(changed);
    rest(ground).await;
    assert_eq!(things_of(ground, other), kept, "{mode}: a change");
    sweep(ground, cluster).await;
    rest(ground).await;
    assert_eq!(things_of(ground, other), kept, "{mode}: sweeps");
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.pass().await.unwrap();
    assert_eq!(things_of(ground, other), kept, "{mode}: deletion");
}

#[tokio::test(start_paused = true)]
async fn two_clusters_of_one_id_never_write_to_each_others_things() {
    let some = |kube_system: Option<&str>| Cluster {
        kube_system: kube_system.map(str::to_owned),
        namespaces: if kube_system.is_none() {
            vec!["demo".into()]
        } else {
            Vec::new()
        },
        ..cluster()
    };
    for mode in ["Role", "ResourcePolicy"] {
        // The second one's cluster is another whole one, or another one's namespace.
        for second in [some(Some("k9")), some(None)] {
            let mut ground = Ground::new().await;
            ground.change(spec(mode));
            rest(&mut ground).await;
            let mut beside = ground.beside("u2", second.clone());
            live_beside(&mut beside, second.clone(), mode, "u1").await;
            assert_eq!(things_of(&ground, "u2")["apis"], json!([]), "{mode}");

            let mut beside = ground.beside("u3", second);
            beside.change(spec(mode));
            rest(&mut beside).await;
            live_beside(&mut ground, cluster(), mode, "u3").await;
            assert_eq!(things_of(&ground, "u1")["apis"], json!([]), "{mode}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_of_some_namespaces_takes_nothing_over() {
    let some = Cluster {
        kube_system: None,
        namespaces: vec!["demo".into()],
        // The command line refuses it; it must not matter here.
        replaced: vec!["k1".into()],
        ..cluster()
    };
    for first in [cluster(), some.clone()] {
        let mut ground = Ground::new().await;
        ground.restart(first, false);
        ground.change(spec("Role"));
        rest(&mut ground).await;
        let left = things_of(&ground, "u1");
        ground.rebuild("u2", some.clone());
        rest(&mut ground).await;
        assert_eq!(ground.status().reclaimed_from, None);
        assert_eq!(things_of(&ground, "u1"), left);
        assert_eq!(ground.sandbox.apis().len(), 2);
    }
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
        // Of each uid what is in AWS, then logs, then nothing.
        for _ in 0..8 {
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

/// Whoever may write a status may write any uid and any function into it.
#[tokio::test(start_paused = true)]
async fn a_status_that_names_another_objects_uid_and_functions_takes_nothing_of_it() {
    let victim = Owner {
        uid: "victim".into(),
        ..owner()
    };
    let mut ground = Ground::new().await;
    ground.function("theirs").await;
    let request = ground.lambda().add_permission();
    let request = request
        .function_name("theirs")
        .statement_id(statement_id(&victim))
        .action("lambda:InvokeFunction")
        .principal("apigateway.amazonaws.com")
        .source_arn("arn:aws:execute-api:eu-central-1:123456789012:theirapi/*");
    request.send().await.unwrap();
    let stands = async |ground: &Ground| {
        let policy = ground.lambda().get_policy().function_name("theirs").send().await;
        policy.is_ok_and(|policy| policy.policy.unwrap().contains(&statement_id(&victim)))
    };
    ground.reconcile().await.unwrap();
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:theirs";
    let theirs = || json!({"reclaimedFrom": "victim", "grants": [function]});
    ground.edit("status", theirs());
    ground.pass().await.unwrap();
    assert!(stands(&ground).await, "after a pass");
    ground.edit("status", theirs());
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.pass().await.unwrap();
    assert!(stands(&ground).await, "after the deletion");
}
