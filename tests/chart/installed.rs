//! The chart in a real API server, beside what `tests/support/tests/chart.rs` shows of it.

use std::{fs, path::PathBuf, sync::LazyLock};

use jwthttpapi_test_support::{Cluster, Error, places};
use serde_json::Value;

use crate::ground::{chart, example};

/// One cluster for all, with the definition as somebody else has applied it.
fn cluster() -> &'static Cluster {
    static READY: LazyLock<&'static Cluster> = LazyLock::new(|| {
        let cluster = Cluster::shared().unwrap();
        let definition = places::repository().join("crds/jwthttpapis.jwthttpapi.dev.yaml");
        cluster.apply(&fs::read_to_string(definition).unwrap()).unwrap();
        let established = ["wait", "--for=condition=Established", "--timeout=30s"];
        let definition = ["crd/jwthttpapis.jwthttpapi.dev"];
        cluster.kubectl(established.iter().chain(&definition)).unwrap();
        cluster
    });
    *READY
}

/// Installs a release into a namespace of its name.
fn install(release: &str, values: &Value, more: &[&str]) -> Result<String, Error> {
    let file = written(release, values);
    let [chart, file] = [chart(), file].map(|path| path.display().to_string());
    let place = ["--namespace", release, "--create-namespace"];
    let install = ["install", release, &chart, "--values", &file];
    cluster().helm(install.iter().chain(&place).chain(more))
}

/// Values in a file, where Helm can read them.
fn written(release: &str, values: &Value) -> PathBuf {
    let file = cluster().directory().join(format!("{release}-values.json"));
    fs::write(&file, values.to_string()).unwrap();
    file
}

fn get(args: &[&str]) -> Value {
    let answer = cluster().kubectl(["get", "--output", "json"].iter().chain(args));
    serde_json::from_str(&answer.unwrap()).unwrap()
}

#[test]
fn the_api_server_takes_what_the_examples_make() {
    let mut full = example("full");
    // The one has another test, the others need the Prometheus operator's definitions.
    full["crds"]["install"] = false.into();
    for kind in ["serviceMonitor", "prometheusRule"] {
        full["metrics"][kind]["enabled"] = false.into();
    }
    install("full", &full, &[]).unwrap();
    let budget = get(&["poddisruptionbudget", "gateways", "-n", "full"]);
    assert_eq!(budget["spec"]["maxUnavailable"], "50%");
    let deployment = get(&["deployment", "gateways", "-n", "full"]);
    assert_eq!(deployment["spec"]["replicas"], 3);
}

#[test]
fn an_operator_of_some_namespaces_may_do_nothing_elsewhere() {
    for namespace in ["team-a", "team-b", "team-c"] {
        cluster().kubectl(["create", "namespace", namespace]).unwrap();
    }
    install("some", &example("namespaced"), &[]).unwrap();
    let may = |verb: &str, resource: &str, namespace: &str| {
        let user = "--as=system:serviceaccount:some:some-jwthttpapi";
        let answer = cluster().kubectl(["auth", "can-i", verb, resource, user, "--namespace", namespace]);
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
    let named = |kinds: &str| {
        let label = "app.kubernetes.io/instance=some";
        cluster()
            .kubectl(["get", kinds, "-A", "-l", label, "-o", "name"])
            .unwrap()
    };
    assert_eq!(named("clusterroles,clusterrolebindings"), "");
    assert_eq!(named("roles").lines().count(), 3);
    assert!(!may("update", lease, "team-a"));
    assert!(!may("get", "namespaces/kube-system", ""));
}

#[test]
fn a_definition_that_is_there_is_taken_over_when_asked_and_stays() {
    let release_of_the_definition = || {
        let definition = get(&["crd", "jwthttpapis.jwthttpapi.dev"]);
        definition["metadata"]["annotations"]["meta.helm.sh/release-name"].clone()
    };
    let values = example("minimal");
    for release in ["one", "two"] {
        let refused = install(release, &values, &[]).unwrap_err();
        assert!(
            refused.to_string().contains("invalid ownership metadata"),
            "{refused}"
        );
        install(release, &values, &["--take-ownership"]).unwrap();
        let uninstall = ["uninstall", release, "--namespace", release];
        cluster().helm(uninstall).unwrap();
        assert_eq!(release_of_the_definition(), release);
    }
}
