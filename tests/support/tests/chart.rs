//! The chart: it installs into a real API server, with the least rights, and keeps what must be kept.

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
            &format!("--allowed-functions={FUNCTIONS}"),
            "--allowed-functions=arn:aws:lambda:*:*:function:b-?",
            "--default-invocation=Role",
            "--role-path=/jwthttpapi/",
            "--aws-region=eu-central-1",
            "--aws-endpoint-url=http://127.0.0.1:4566",
            "--delete-orphans=false",
            "--resync=10m",
            "--list-settle=30s",
            "--iam-settle=10s",
            "--deploy-settle=5s",
            "--apigateway-rate=5",
            "--apigateway-burst=20",
            "--lambda-rate=7",
            "--iam-rate=5",
            "--logs-rate=5",
            "--concurrency=8",
            "--leader-elect=true",
            "--lease-namespace=values",
            "--listen=0.0.0.0:8080",
            "--log-format=json",
            "--log-level=info",
        ]
    );
    assert_eq!(container.env["AWS_ACCESS_KEY_ID"], OPERATOR_ACCESS_KEY);
    cluster
        .helm(["uninstall", "jwthttpapi", "--namespace", "values"])
        .unwrap();
    get(cluster, &["crd", "jwthttpapis.jwthttpapi.dev"]).unwrap();
}

#[test]
fn the_operator_may_do_what_it_does_and_nothing_else() {
    let cluster = Cluster::start().unwrap();
    cluster
        .install_chart(
            "operator",
            "rights",
            &sandbox_values("http://127.0.0.1:1", "eu-central-1", &[FUNCTIONS]),
        )
        .unwrap();
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
        ("patch", "leases.coordination.k8s.io/jwthttpapi-leader", "rights"),
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
        "--set",
        "allowedFunctions={*},image.repository=jwthttpapi",
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
