//! Upgrades from what earlier operators stored. `fixtures` holds it, with how it was made.

use crate::ground::{Ground, LIMIT, prompt};
use crate::restore::{Translation, restore};
use jwthttpapi_test_support::{deadline, places};
use serde_json::Value;
use std::fs;

/// What the fixtures have in the place of the local issuer's address.
const ISSUER: &str = "https://issuer.example.com/";
const NAMESPACE: &str = "stored";
const NAMES: [&str; 3] = ["policies", "shop", "smallest"];

fn fixture(name: &str) -> Value {
    let path = places::repository()
        .join("tests/e2e/fixtures/the-main-job")
        .join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The uid of the kube-system namespace, in the cluster tag's second half.
fn cluster(state: &Value) -> String {
    let tag = &state["regions"]["eu-central-1"]["apis"][0]["tags"]["jwthttpapi.dev/cluster"];
    tag.as_str().unwrap().split_once('/').unwrap().1.to_owned()
}

#[test]
fn what_the_main_job_stored_is_taken_over_without_a_write_to_aws() {
    let mut ground = Ground::new(&prompt());
    ground
        .cluster
        .kubectl(["create", "namespace", NAMESPACE])
        .unwrap();
    NAMESPACE.clone_into(&mut ground.namespace);
    ground.functions(&["hello", "orders"]);
    ground.alias("orders", "live");
    let state = fixture("aws.json");
    let issuer = ground.issuer.url("");
    let here = ground.kubectl(&[
        "get",
        "namespace",
        "kube-system",
        "-o",
        "jsonpath={.metadata.uid}",
    ]);
    let mut translation = Translation::of([
        (ISSUER.to_owned(), issuer.trim_end_matches('/').to_owned() + "/"),
        (cluster(&state), here),
    ]);
    restore(&ground, &state, &mut translation);
    let stored = translation.apply(&fixture("objects.json"));
    for object in stored.as_array().unwrap() {
        ground
            .cluster
            .store("jwthttpapi.dev/jwthttpapis", object)
            .unwrap();
    }
    deadline::poll("the stored objects", LIMIT, || {
        let listed = ground.kubectl(&["get", "jwthttpapi", "-o", "name"]);
        Ok((listed.lines().count() == NAMES.len()).then_some(()))
    })
    .unwrap();
    let aws = ground.state();
    let mark = ground.aws().journal_mark().unwrap();

    let _operator = ground.operator(&["--cluster-id=stored"]);
    for (name, before) in NAMES.iter().zip(stored.as_array().unwrap()) {
        assert_eq!(before["metadata"]["name"], *name);
        let mut after = ground.verified(name, "1");
        let status = after["status"].as_object_mut().unwrap();
        // Written because it was asked for.
        for answer in ["lastHandledReconcileAt", "lastVerifiedTime"] {
            status.remove(answer);
        }
        assert_eq!(after["status"], before["status"], "{name}");
        assert_eq!(after["spec"], before["spec"], "{name}");
        assert!(ground.is_ready(name), "{name}");
    }
    let writes: Vec<_> = ground
        .calls(mark)
        .into_iter()
        .filter(|call| call.mutating)
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert_eq!(ground.state(), aws);

    // They are this operator's in full: it removes what it has never made.
    for name in ["shop", "smallest"] {
        ground.delete(name);
    }
    let apis = ground.aws().aws("apigateway", "GET", "/v2/apis", None).unwrap();
    assert_eq!(apis["items"].as_array().unwrap().len(), 1, "{apis:#}");
}
