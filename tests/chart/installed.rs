//! The chart in a real API server, beside what `tests/support/tests/chart.rs` shows of it.

use std::fs;

use jwthttpapi_test_support::{Cluster, Error};
use serde_json::Value;

use crate::ground::{chart, example};

fn install(cluster: &Cluster, release: &str, values: &Value, more: &[&str]) -> Result<String, Error> {
    let file = cluster.directory().join(format!("{release}-values.json"));
    fs::write(&file, values.to_string()).unwrap();
    let [chart, file] = [chart(), file].map(|path| path.display().to_string());
    let place = ["--namespace", release, "--create-namespace"];
    let install = ["install", release, &chart, "--values", &file];
    cluster.helm(install.iter().chain(&place).chain(more))
}

fn get(cluster: &Cluster, args: &[&str]) -> Value {
    let answer = cluster.kubectl(["get", "--output", "json"].iter().chain(args));
    serde_json::from_str(&answer.unwrap()).unwrap()
}

#[test]
fn the_api_server_takes_what_the_examples_make() {
    let cluster = Cluster::shared().unwrap();
    let mut full = example("full");
    // The one has another test, the other needs the Prometheus operator's definition.
    full["crds"]["install"] = false.into();
    full["metrics"]["serviceMonitor"]["enabled"] = false.into();
    install(cluster, "full", &full, &[]).unwrap();
    let budget = get(cluster, &["poddisruptionbudget", "gateways", "-n", "full"]);
    assert_eq!(budget["spec"]["maxUnavailable"], "50%");
    let deployment = get(cluster, &["deployment", "gateways", "-n", "full"]);
    assert_eq!(deployment["spec"]["replicas"], 3);
}

#[test]
fn an_operator_of_some_namespaces_may_do_nothing_elsewhere() {
    let cluster = Cluster::shared().unwrap();
    for namespace in ["team-a", "team-b", "team-c"] {
        cluster.kubectl(["create", "namespace", namespace]).unwrap();
    }
    install(cluster, "some", &example("namespaced"), &[]).unwrap();
    let may = |verb: &str, resource: &str, namespace: &str| {
        let user = "--as=system:serviceaccount:some:some-jwthttpapi";
        let answer = cluster.kubectl(["auth", "can-i", verb, resource, user, "--namespace", namespace]);
        answer.is_ok_and(|answer| answer.trim() == "yes")
    };
    for namespace in ["team-a", "team-b"] {
        assert!(
            may("watch", "jwthttpapis.jwthttpapi.dev", namespace),
            "{namespace}"
        );
        assert!(may("create", "events.events.k8s.io", namespace), "{namespace}");
    }
    let lease = "leases.coordination.k8s.io/jwthttpapi-leader";
    assert!(may("update", lease, "some"));
    for namespace in ["team-c", "some"] {
        assert!(
            !may("get", "jwthttpapis.jwthttpapi.dev", namespace),
            "{namespace}"
        );
    }
    assert!(!may("update", lease, "team-a"));
    assert!(!may("get", "namespaces/kube-system", ""));
}

#[test]
fn the_definition_that_stays_can_be_taken_over_by_another_release() {
    let cluster = Cluster::shared().unwrap();
    let release_of_the_definition = || {
        let definition = get(cluster, &["crd", "jwthttpapis.jwthttpapi.dev"]);
        definition["metadata"]["annotations"]["meta.helm.sh/release-name"].clone()
    };
    let values = example("minimal");
    install(cluster, "one", &values, &[]).unwrap();
    cluster.helm(["uninstall", "one", "--namespace", "one"]).unwrap();
    assert_eq!(release_of_the_definition(), "one");
    let refused = install(cluster, "two", &values, &[]).unwrap_err();
    assert!(
        refused.to_string().contains("invalid ownership metadata"),
        "{refused}"
    );
    install(cluster, "two", &values, &["--take-ownership"]).unwrap();
    assert_eq!(release_of_the_definition(), "two");
}
