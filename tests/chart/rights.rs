//! Rights: the operator's, exactly, and those of people.

use std::collections::BTreeSet;

use jwthttpapi_test_support::pairs;
use serde_json::{Value, json};

use crate::ground::{example, objects, of_kind, with};

/// What the operator may do to its objects, wherever it looks after them.
const OF_OBJECTS: [&str; 6] = [
    "create events.k8s.io/events",
    "get jwthttpapi.dev/jwthttpapis",
    "list jwthttpapi.dev/jwthttpapis",
    "patch jwthttpapi.dev/jwthttpapis",
    "patch jwthttpapi.dev/jwthttpapis/status",
    "watch jwthttpapi.dev/jwthttpapis",
];

/// What it may do where it runs.
const OF_THE_LEASE: [&str; 3] = [
    "create coordination.k8s.io/leases",
    "get coordination.k8s.io/leases/jwthttpapi-leader",
    "update coordination.k8s.io/leases/jwthttpapi-leader",
];

/// The most pairs of a resource and a verb that the operator is ever given.
const MOST_PAIRS: usize = 16;

/// The roles that are bound to the operator, each with its namespace or none, in this order.
fn bound(objects: &[Value]) -> Vec<(Option<String>, BTreeSet<String>)> {
    let account = &of_kind(objects, "ServiceAccount")[0]["metadata"];
    let mut bound = Vec::new();
    for binding in objects
        .iter()
        .filter(|object| object["kind"].as_str().unwrap().ends_with("RoleBinding"))
    {
        let subjects =
            json!([{"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}]);
        assert_eq!(binding["subjects"], subjects);
        let namespace = &binding["metadata"]["namespace"];
        let role = objects.iter().find(|object| {
            object["kind"] == binding["roleRef"]["kind"]
                && object["metadata"]["name"] == binding["roleRef"]["name"]
                && object["metadata"]["namespace"] == *namespace
        });
        bound.push((namespace.as_str().map(str::to_owned), pairs(role.unwrap())));
    }
    bound.sort();
    bound
}

fn set<'a>(pairs: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    pairs.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_operator_has_exactly_the_rights_that_it_uses() {
    for name in ["minimal", "full"] {
        let bound = bound(&objects(&example(name)));
        let in_the_cluster = set(OF_OBJECTS.into_iter().chain(["get /namespaces/kube-system"]));
        let where_it_runs = set(OF_THE_LEASE);
        assert!(in_the_cluster.len() + where_it_runs.len() <= MOST_PAIRS);
        assert_eq!(
            bound,
            [
                (None, in_the_cluster),
                (Some("jwthttpapi-system".to_owned()), where_it_runs)
            ],
            "{name}"
        );
    }
}

#[test]
fn an_operator_of_some_namespaces_has_rights_in_these_and_none_in_the_cluster() {
    let objects = objects(&example("namespaced"));
    assert_eq!(
        bound(&objects),
        [
            (Some("jwthttpapi-system".to_owned()), set(OF_THE_LEASE)),
            (Some("team-a".to_owned()), set(OF_OBJECTS)),
            (Some("team-b".to_owned()), set(OF_OBJECTS)),
        ]
    );
    for kind in ["ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"] {
        assert!(of_kind(&objects, kind).is_empty(), "{kind}");
    }
}

#[test]
fn an_operator_of_its_own_namespace_has_both_roles_there() {
    let values = json!({"watchNamespaces": ["jwthttpapi-system"], "clusterId": "blue"});
    let here = Some("jwthttpapi-system".to_owned());
    assert_eq!(
        bound(&objects(&with(&values))),
        [(here.clone(), set(OF_THE_LEASE)), (here, set(OF_OBJECTS))]
    );
}

/// The roles for people: name, labels of aggregation, rights.
fn roles_for_people(values: &Value) -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let objects = objects(values);
    of_kind(&objects, "ClusterRole")
        .into_iter()
        .filter(|role| role["metadata"]["name"] != "jwthttpapi")
        .map(|role| {
            let labels = role["metadata"]["labels"].as_object().unwrap();
            let aggregated = labels
                .iter()
                .filter_map(|(label, value)| Some((label.split_once("/aggregate-to-")?.1, value)))
                .inspect(|(_, value)| assert_eq!(**value, "true"))
                .map(|(role, _)| role.to_owned())
                .collect();
            let name = role["metadata"]["name"].as_str().unwrap();
            (name.to_owned(), aggregated, pairs(role))
        })
        .collect()
}

#[test]
fn people_edit_or_view_objects_and_never_write_a_status() {
    let read = ["get", "list", "watch"];
    let write = ["create", "delete", "deletecollection", "patch", "update"];
    let rights = |verbs: &[&str]| {
        let objects = verbs
            .iter()
            .map(|verb| format!("{verb} jwthttpapi.dev/jwthttpapis"));
        objects
            .chain(["get jwthttpapi.dev/jwthttpapis/status".to_owned()])
            .collect::<BTreeSet<_>>()
    };
    let (editor, viewer) = (rights(&[&read[..], &write[..]].concat()), rights(&read));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let names = ["jwthttpapi-editor", "jwthttpapi-viewer"].map(str::to_owned);
    let [editor_name, viewer_name] = names;
    assert_eq!(
        roles_for_people(&example("minimal")),
        [
            (editor_name.clone(), words(&["admin", "edit"]), editor.clone()),
            (viewer_name.clone(), words(&["view"]), viewer.clone()),
        ]
    );
    assert_eq!(
        roles_for_people(&with(&json!({"userRoles": {"aggregate": false}}))),
        [(editor_name, vec![], editor), (viewer_name, vec![], viewer)]
    );
    assert_eq!(
        roles_for_people(&with(&json!({"userRoles": {"create": false}}))),
        []
    );
}

#[test]
fn without_leader_election_there_is_no_right_to_a_lease() {
    let objects = objects(&with(&json!({"leaderElection": false})));
    assert!(of_kind(&objects, "Role").is_empty());
    assert!(of_kind(&objects, "RoleBinding").is_empty());
}
