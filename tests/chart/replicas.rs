//! Replicas: how they are replaced, spread, and kept while nodes are drained.

use serde_json::{Value, json};

use crate::ground::{objects, of_kind, only, with};

fn deployment(values: &Value) -> Value {
    only(&objects(&with(values)), "Deployment")["spec"].clone()
}

#[test]
fn of_a_rolling_update_the_new_replica_is_ready_before_the_old_one_ends() {
    assert_eq!(
        deployment(&json!({}))["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    );
    let mine = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}});
    assert_eq!(deployment(&json!({"strategy": mine}))["strategy"], mine);
}

#[test]
fn without_a_lease_there_are_never_two_at_once() {
    assert_eq!(
        deployment(&json!({"leaderElection": false}))["strategy"],
        json!({"type": "Recreate"})
    );
}

/// Helm merges what is typed into what was there, and the API server refuses the two together.
#[test]
fn of_a_rolling_update_nothing_is_left_where_replicas_are_recreated() {
    let merged = json!({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}});
    for leader_election in [false, true] {
        assert_eq!(
            deployment(&json!({"leaderElection": leader_election, "strategy": merged}))["strategy"],
            json!({"type": "Recreate"})
        );
    }
}

#[test]
fn several_replicas_are_spread_over_zones_and_nodes() {
    let spread = |values: Value| {
        deployment(&values)["template"]["spec"]
            .get("topologySpreadConstraints")
            .cloned()
    };
    let labels = json!({"app.kubernetes.io/name": "jwthttpapi", "app.kubernetes.io/instance": "jwthttpapi"});
    let selector = json!({"matchLabels": labels});
    let constraint = |key: &str| {
        json!({
            "topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector,
            "matchLabelKeys": ["pod-template-hash"],
        })
    };
    assert_eq!(spread(json!({})), None);
    assert_eq!(
        spread(json!({"replicas": 2})),
        Some(json!([
            constraint("topology.kubernetes.io/zone"),
            constraint("kubernetes.io/hostname")
        ]))
    );
    let own = json!({"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"});
    let mut completed = own.clone();
    completed["labelSelector"] = selector;
    let mut with_none = own.clone();
    with_none["labelSelector"] = Value::Null;
    assert_eq!(
        spread(json!({"topologySpreadConstraints": [own, with_none]})),
        Some(json!([completed, completed]))
    );
    for selector in [
        json!({"matchLabels": {"app": "mine"}}),
        json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        json!({}),
    ] {
        let mut with_selector = own.clone();
        with_selector["labelSelector"] = selector;
        let constraints = json!([with_selector]);
        assert_eq!(
            spread(json!({"topologySpreadConstraints": constraints})),
            Some(constraints)
        );
    }
}

#[test]
fn a_budget_keeps_all_but_one_of_several_and_never_blocks_a_single_one() {
    let budget = |values: Value| {
        let objects = objects(&with(&values));
        of_kind(&objects, "PodDisruptionBudget")
            .first()
            .map(|budget| budget["spec"].clone())
    };
    assert_eq!(budget(json!({})), None);
    let of_two = budget(json!({"replicas": 2})).unwrap();
    assert_eq!(of_two["maxUnavailable"], 1);
    assert_eq!(
        of_two["selector"],
        deployment(&json!({"replicas": 2}))["selector"]
    );
    let percentage = json!({"replicas": 2, "podDisruptionBudget": {"maxUnavailable": "50%"}});
    assert_eq!(budget(percentage).unwrap()["maxUnavailable"], "50%");
    assert_eq!(
        budget(json!({"replicas": 2, "podDisruptionBudget": {"enabled": false}})),
        None
    );
}
