//! The chart: it installs into a real API server, with the least rights, and keeps what must be kept.

use std::fs;

use jwthttpapi_test_support::{Cluster, Error, OPERATOR_ACCESS_KEY, places, sandbox_values};
use serde_json::{Value, json};

const FUNCTIONS: &str = "arn:aws:lambda:eu-central-1:123456789012:function:hello";

fn get(cluster: &Cluster, args: &[&str]) -> Result<Value, Error> {
    let answer = cluster.kubectl(["get", "--output", "json"].iter().chain(args))?;
    Ok(serde_json::from_str(&answer).unwrap_or(Value::Null))
}

#[test]
fn the_deployment_runs_the_operator_as_the_values_say() {
    let cluster = Cluster::shared().unwrap();
    let values = sandbox_values(
        "http://127.0.0.1:4566",
        "eu-central-1",
        &[FUNCTIONS, "arn:aws:lambda:*:*:function:b-?"],
    );
    let container = cluster.install_chart("jwthttpapi", "values", &values).unwrap();
    assert_eq!(container.service_account, "jwthttpapi");
    assert_eq!(
        container.args,
        [
            "run",
            "--listen=0.0.0.0:8080",
            "--leader-elect=true",
            "--lease-namespace=values",
            "--resync=10m",
            "--log-format=json",
            "--log-level=info",
            &format!("--allowed-functions={FUNCTIONS}"),
            "--allowed-functions=arn:aws:lambda:*:*:function:b-?",
            "--aws-region=eu-central-1",
            "--aws-endpoint-url=http://127.0.0.1:4566",
        ]
    );
    assert_eq!(container.env["AWS_ACCESS_KEY_ID"], OPERATOR_ACCESS_KEY);
    cluster
        .helm(["uninstall", "jwthttpapi", "--namespace", "values"])
        .unwrap();
    get(cluster, &["crd", "jwthttpapis.jwthttpapi.dev"]).unwrap();
}

#[test]
fn nothing_is_allowed_unless_the_values_say_so() {
    let cluster = Cluster::shared().unwrap();
    let chart = places::repository()
        .join("charts/jwthttpapi")
        .display()
        .to_string();
    cluster.helm(["lint", "--strict", &chart]).unwrap();
    let rendered = cluster.helm(["template", "one", &chart]).unwrap();
    assert!(
        !rendered.contains("- --allowed-functions") && !rendered.contains("- --passable-roles"),
        "{rendered}"
    );
    assert!(rendered.contains("- --lease-namespace=default"), "{rendered}");
}

#[test]
fn the_operator_may_do_what_it_does_and_nothing_else() {
    let cluster = Cluster::start().unwrap();
    cluster.install_chart("operator", "rights", &json!({})).unwrap();
    let user = "--as=system:serviceaccount:rights:operator-jwthttpapi";
    let may = |verb: &str, resource: &str, namespace: &str| {
        let answer = cluster.kubectl(["auth", "can-i", verb, resource, user, "--namespace", namespace]);
        answer.is_ok_and(|answer| answer.trim() == "yes")
    };
    for (verb, resource, namespace) in [
        ("list", "jwthttpapis.jwthttpapi.dev", "default"),
        ("watch", "jwthttpapis.jwthttpapi.dev", "default"),
        ("patch", "jwthttpapis.jwthttpapi.dev", "default"),
        ("patch", "jwthttpapis.jwthttpapi.dev/status", "default"),
        ("create", "events.events.k8s.io", "default"),
        ("get", "namespaces/kube-system", ""),
        ("create", "leases.coordination.k8s.io", "rights"),
        ("update", "leases.coordination.k8s.io/jwthttpapi-leader", "rights"),
    ] {
        // can-i takes a subresource by a flag of its own, and a name after a slash.
        let allowed = match resource.strip_suffix("/status") {
            Some(resource) => {
                let args = [
                    "auth",
                    "can-i",
                    verb,
                    resource,
                    "--subresource=status",
                    user,
                    "--namespace",
                    namespace,
                ];
                cluster.kubectl(args).is_ok_and(|answer| answer.trim() == "yes")
            }
            None => may(verb, resource, namespace),
        };
        assert!(allowed, "{verb} {resource}");
    }
    for (verb, resource, namespace) in [
        ("get", "secrets", "rights"),
        ("get", "configmaps", "rights"),
        ("list", "namespaces", ""),
        ("get", "namespaces/default", ""),
        ("create", "jwthttpapis.jwthttpapi.dev", "default"),
        ("update", "jwthttpapis.jwthttpapi.dev", "default"),
        ("delete", "jwthttpapis.jwthttpapi.dev", "default"),
        ("create", "leases.coordination.k8s.io", "default"),
        ("update", "leases.coordination.k8s.io/another", "rights"),
        ("delete", "leases.coordination.k8s.io/jwthttpapi-leader", "rights"),
    ] {
        assert!(!may(verb, resource, namespace), "{verb} {resource}");
    }
}

#[test]
fn the_pod_is_admitted_where_pods_are_restricted() {
    let cluster = Cluster::shared().unwrap();
    cluster.kubectl(["create", "namespace", "restricted"]).unwrap();
    let label = "pod-security.kubernetes.io/enforce=restricted";
    cluster
        .kubectl(["label", "namespace", "restricted", label])
        .unwrap();
    let chart = places::repository()
        .join("charts/jwthttpapi")
        .display()
        .to_string();
    let args = [
        "template",
        "one",
        &chart,
        "--namespace",
        "restricted",
        "--show-only",
        "templates/deployment.yaml",
    ];
    let rendered = cluster.helm(args).unwrap();
    // The admission only warns about a Deployment and refuses its Pods: so ask for a Pod of the template.
    let deployment: Value = serde_json::from_str(&cluster.client_side(&rendered).unwrap()).unwrap();
    let mut pod = deployment["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"] = json!({"name": "one", "namespace": "restricted"});
    pod["spec"]["serviceAccountName"] = "default".into();
    let admitted = cluster.apply(&pod.to_string()).unwrap();
    assert_eq!(admitted, "pod/one created\n");
    pod["metadata"]["name"] = "two".into();
    pod["spec"]["securityContext"] = json!({});
    let refused = cluster.apply(&pod.to_string()).unwrap_err();
    assert!(refused.to_string().contains("violates PodSecurity"), "{refused}");
}

#[test]
fn the_chart_s_definition_is_the_generated_one() {
    let root = places::repository();
    let generated = root.join("crds/jwthttpapis.jwthttpapi.dev.yaml");
    let packed = fs::read_to_string(root.join("charts/jwthttpapi/files/crd.yaml")).unwrap();
    assert!(
        !generated.exists() || fs::read_to_string(generated).unwrap() == packed,
        "run `make generate`"
    );
    let cluster = Cluster::shared().unwrap();
    let chart = root.join("charts/jwthttpapi").display().to_string();
    let rendered = cluster
        .helm(["template", "one", &chart, "--show-only", "templates/crd.yaml"])
        .unwrap();
    let definition: Value = serde_json::from_str(&cluster.client_side(&rendered).unwrap()).unwrap();
    assert_eq!(
        definition["metadata"]["annotations"]["helm.sh/resource-policy"],
        "keep"
    );
}
