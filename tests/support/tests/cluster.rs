//! The local Kubernetes: it starts, answers as Kubernetes does, counts its requests and leaves nothing behind.

use std::{path::Path, process::Command};

use jwthttpapi_test_support::{Cluster, Error, command};
use serde_json::json;

/// A kind whose one field has a pattern.
const PEBBLES: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pebbles.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: pebbles, singular: pebble, kind: Pebble}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: "self.colour != 'green'", message: "pebbles are grey; choose another colour"}
            properties: {colour: {type: string, maxLength: 20}}
"#;

/// Every process whose command line names this directory.
fn processes_of(directory: &Path) -> Result<Vec<String>, Error> {
    let listed = command::run(Command::new("ps").args(["-eo", "pid=,stat=,args="]), None)?;
    let named = directory.display().to_string();
    Ok(listed
        .lines()
        .filter(|line| line.contains(&named))
        .map(str::to_owned)
        .collect())
}

#[test]
fn a_cluster_ends_with_everything_it_started() {
    let cluster = Cluster::start().unwrap();
    let directory = cluster.directory().to_owned();
    assert_eq!(
        processes_of(&directory).unwrap().len(),
        3,
        "etcd, API server and controllers run"
    );
    drop(cluster);
    assert_eq!(processes_of(&directory).unwrap(), Vec::<String>::new());
    assert!(!directory.exists());
}

#[test]
fn a_manifest_is_applied_or_refused_with_the_reason_and_every_request_is_counted() {
    let cluster = Cluster::shared().unwrap();
    cluster.apply(PEBBLES).unwrap();
    cluster
        .kubectl(["wait", "--for=condition=Established", "crd/pebbles.example.com"])
        .unwrap();

    let pebble = |colour: &str| {
        let head = "{apiVersion: example.com/v1, kind: Pebble, metadata: {name: one, namespace: default}";
        format!("{head}, spec: {{colour: {colour}}}}}")
    };
    let refused = cluster.apply(&pebble("green")).unwrap_err();
    let Error::Ended { output, .. } = refused else {
        panic!("{refused}")
    };
    assert!(
        output.contains("pebbles are grey; choose another colour"),
        "{output}"
    );

    let mark = cluster.audit_mark().unwrap();
    assert_eq!(
        cluster.apply(&pebble("grey")).unwrap(),
        "pebble.example.com/one created\n"
    );
    let requests = cluster.requests(mark, "admin").unwrap();
    let created: Vec<_> = requests
        .iter()
        .filter(|entry| entry.resource == "pebbles" && entry.verb == "create")
        .collect();
    assert_eq!(created.len(), 1, "{requests:#?}");
    assert_eq!(created[0].code, 201);
    assert_eq!(cluster.requests(mark, "somebody else").unwrap(), []);
}

#[test]
fn a_service_account_may_do_what_its_role_says_and_nothing_more() {
    let cluster = Cluster::shared().unwrap();
    cluster.kubectl(["create", "namespace", "demo"]).unwrap();
    cluster
        .kubectl(["create", "serviceaccount", "reader", "--namespace", "demo"])
        .unwrap();
    cluster
        .kubectl([
            "create",
            "role",
            "reader",
            "--namespace",
            "demo",
            "--verb",
            "get",
            "--resource",
            "configmaps",
        ])
        .unwrap();
    let subject = "demo:reader";
    cluster
        .kubectl([
            "create",
            "rolebinding",
            "reader",
            "--namespace",
            "demo",
            "--role",
            "reader",
            "--serviceaccount",
            subject,
        ])
        .unwrap();
    cluster
        .kubectl(["create", "configmap", "one", "--namespace", "demo"])
        .unwrap();

    let kubeconfig = cluster.kubeconfig_for_service_account("demo", "reader").unwrap();
    let as_reader = |args: &[&str]| {
        let config = kubeconfig.display().to_string();
        cluster.kubectl(
            ["--kubeconfig", &config, "--namespace", "demo"]
                .iter()
                .chain(args),
        )
    };
    let mark = cluster.audit_mark().unwrap();
    as_reader(&["get", "configmap", "one"]).unwrap();
    let refused = as_reader(&["delete", "configmap", "one"]).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("cannot delete resource \"configmaps\""),
        "{refused}"
    );

    let requests = cluster
        .requests(mark, "system:serviceaccount:demo:reader")
        .unwrap();
    let seen: Vec<_> = requests
        .iter()
        .filter(|entry| entry.resource == "configmaps")
        .map(|entry| (entry.verb.as_str(), entry.name.as_str(), entry.code))
        .collect();
    assert_eq!(seen, [("get", "one", 200), ("delete", "one", 403)]);
}

#[test]
fn a_namespace_goes_when_it_is_deleted() {
    let cluster = Cluster::shared().unwrap();
    cluster.kubectl(["create", "namespace", "brief"]).unwrap();
    cluster
        .kubectl(["delete", "namespace", "brief", "--timeout", "60s"])
        .unwrap();
    let left = cluster
        .kubectl(["get", "namespaces", "--output", "name"])
        .unwrap();
    assert!(!left.contains("namespace/brief"), "{left}");
}

#[test]
fn the_gate_reads_and_merges_and_says_what_is_refused() {
    let cluster = Cluster::shared().unwrap();
    let made = ["create", "configmap", "gated", "--from-literal=a=1"];
    cluster.kubectl(made).unwrap();
    let gate = cluster.gate().unwrap();
    let path = "/api/v1/namespaces/default/configmaps/gated";
    assert_eq!(gate.read(path).unwrap()["data"], json!({"a": "1"}));
    let merged = gate.merge(path, &json!({"data": {"a": null, "b": "2"}})).unwrap();
    assert_eq!(merged["data"], json!({"b": "2"}));
    assert_eq!(gate.read(path).unwrap(), merged);
    let missing = gate.read(&format!("{path}-not")).unwrap_err().to_string();
    assert!(
        missing.contains("404") && missing.contains("gated-not"),
        "{missing}"
    );
}
