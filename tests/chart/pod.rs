//! The Pod: what nobody can loosen, what everybody can add, and its probes.

use std::{fs, process::Command};

use jwthttpapi_test_support::{command, places};
use serde_json::{Value, json};

use crate::ground::{chart, example, helm, objects, of_kind, only, with};

/// The Deployment's Pod: metadata and specification.
fn pod(values: &Value) -> Value {
    only(&objects(values), "Deployment")["spec"]["template"].clone()
}

fn container(values: &Value) -> Value {
    let pod = pod(values);
    let containers = pod["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

#[test]
fn the_pod_keeps_to_the_restricted_standard_whatever_the_values_say() {
    let platform_s =
        with(&json!({"podSecurityContext": {"runAsUser": null, "runAsGroup": null, "fsGroup": null}}));
    for (values, ids) in [
        (
            example("minimal"),
            json!({"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}),
        ),
        (
            example("full"),
            json!({"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}),
        ),
        (platform_s, json!({})),
    ] {
        let spec = pod(&values)["spec"].clone();
        let mut wanted = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        wanted
            .as_object_mut()
            .unwrap()
            .extend(ids.as_object().unwrap().clone());
        assert_eq!(spec["securityContext"], wanted);
        assert_eq!(
            container(&values)["securityContext"],
            json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            })
        );
        for field in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
            assert!(spec.get(field).is_none(), "{field}");
        }
    }
}

#[test]
fn the_token_is_mounted_into_the_operator_s_pod_alone() {
    let objects = objects(&example("minimal"));
    let account = only(&objects, "ServiceAccount");
    assert_eq!(account["automountServiceAccountToken"], false);
    let spec = pod(&example("minimal"))["spec"].clone();
    assert_eq!(spec["automountServiceAccountToken"], true);
    assert_eq!(spec["serviceAccountName"], account["metadata"]["name"]);
}

#[test]
fn a_service_account_of_one_s_own_is_used_and_not_made() {
    let values = with(&json!({"serviceAccount": {"create": false, "name": "mine"}}));
    let objects = objects(&values);
    assert!(crate::ground::of_kind(&objects, "ServiceAccount").is_empty());
    assert_eq!(pod(&values)["spec"]["serviceAccountName"], "mine");
    assert_eq!(
        only(&objects, "ClusterRoleBinding")["subjects"][0]["name"],
        "mine"
    );
    let annotated = crate::ground::objects(&example("full"));
    assert_eq!(
        only(&annotated, "ServiceAccount")["metadata"]["annotations"],
        json!({"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/jwthttpapi"})
    );
}

/// A Pod gets its identity when it is made, so that a Pod that stays would go on under the old one.
#[test]
fn a_change_of_the_service_accounts_annotations_makes_the_pods_anew_and_nothing_else_does() {
    let template = |values: Value| {
        let objects = objects(&with(&values));
        only(&objects, "Deployment")["spec"]["template"].clone()
    };
    let role = |name: &str| {
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        json!({"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": arn}}})
    };
    assert_ne!(template(role("one")), template(role("two")));
    assert_ne!(template(role("one")), template(json!({})));
    let mut labelled = role("one");
    labelled["metrics"] = json!({"service": {"enabled": false}});
    assert_eq!(template(role("one")), template(labelled));
}

#[test]
fn each_probe_asks_its_own_path_with_the_times_of_the_values() {
    let of = |name: &str| {
        let container = container(&example(name));
        ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| container[probe].clone())
    };
    let [live, ready] = ["/livez", "/readyz"].map(|path| json!({"path": path, "port": "http"}));
    assert_eq!(
        of("minimal"),
        [
            json!({"httpGet": live, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 30}),
            json!({"httpGet": live, "periodSeconds": 10, "timeoutSeconds": 2, "failureThreshold": 3}),
            json!({"httpGet": ready, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 2}),
        ]
    );
    let [start, live, ready] = of("full");
    assert_eq!(start["failureThreshold"], 60);
    assert_eq!(live["periodSeconds"], 20);
    assert_eq!(ready["initialDelaySeconds"], 1);
    assert_eq!(
        container(&example("full"))["ports"],
        json!([{"name": "http", "containerPort": 8080}])
    );
}

#[test]
fn what_people_add_to_the_pod_is_there() {
    let values = example("full");
    let (pod, container) = (pod(&values), container(&values));
    assert_eq!(pod["metadata"]["labels"]["team"], "platform");
    let mut annotations = pod["metadata"]["annotations"].clone();
    let of_the_account = annotations.as_object_mut().unwrap();
    assert!(of_the_account.remove("jwthttpapi.dev/service-account").is_some());
    assert_eq!(annotations, values["podAnnotations"]);
    for field in ["priorityClassName", "tolerations", "affinity", "imagePullSecrets"] {
        assert_eq!(pod["spec"][field], values[field], "{field}");
    }
    assert_eq!(
        pod["spec"]["nodeSelector"],
        json!({"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"})
    );
    assert_eq!(pod["spec"]["terminationGracePeriodSeconds"], 60);
    assert_eq!(pod["spec"]["volumes"], values["extraVolumes"]);
    assert_eq!(container["volumeMounts"], values["extraVolumeMounts"]);
    assert_eq!(container["env"], values["extraEnv"]);
    assert_eq!(
        container["resources"]["requests"],
        values["resources"]["requests"]
    );
    assert_eq!(container["args"][0], "run");
    assert_eq!(
        container["args"].as_array().unwrap().last(),
        values["extraArgs"].get(0)
    );
}

/// `kubectl describe pod` shows why a replica ended: the last lines of its log.
#[test]
fn what_ended_a_replica_stands_in_its_status() {
    assert_eq!(
        container(&example("minimal"))["terminationMessagePolicy"],
        "FallbackToLogsOnError"
    );
}

#[test]
fn a_digest_outranks_the_tag_and_the_tag_the_version() {
    let image = |image: Value| container(&with(&json!({"image": image})))["image"].clone();
    let digest = format!("sha256:{}", "0".repeat(64));
    let repository = "registry.example.com/jwthttpapi";
    assert_eq!(
        image(json!({})),
        format!("{repository}:{}", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(image(json!({"tag": "main"})), format!("{repository}:main"));
    assert_eq!(
        image(json!({"tag": "main", "digest": digest})),
        format!("{repository}@{digest}")
    );
}

#[test]
fn where_the_platform_picks_the_user_the_pod_names_none() {
    let context = |values: Value| {
        let objects = objects(&with(&values));
        only(&objects, "Deployment")["spec"]["template"]["spec"]["securityContext"].clone()
    };
    assert_eq!(context(json!({}))["runAsUser"], 65_532);
    let picked = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    assert_eq!(context(json!({"openshift": true})), picked);
}

#[test]
fn names_that_look_like_numbers_or_booleans_stay_text() {
    let values = json!({"watchNamespaces": ["no", "123"], "clusterId": "blue"});
    let objects = objects(&with(&values));
    let roles = of_kind(&objects, "Role");
    let namespaces: Vec<&Value> = roles.iter().map(|role| &role["metadata"]["namespace"]).collect();
    assert!(namespaces.contains(&&json!("no")) && namespaces.contains(&&json!("123")));
    for name in ["true", "null"] {
        let named = json!({"fullnameOverride": name, "replicas": 2, "serviceAccount": {"name": "123"}});
        for object in crate::ground::objects(&with(&named)) {
            assert!(object["metadata"]["name"].is_string(), "{object}");
            for place in [
                "/roleRef/name",
                "/subjects/0/name",
                "/spec/template/spec/serviceAccountName",
            ] {
                let name = object.pointer(place);
                assert!(name.is_none_or(Value::is_string), "{place}: {object}");
            }
        }
    }
}

/// Flux puts the chart's digest behind one.
#[test]
fn a_version_with_a_plus_makes_labels_all_the_same() {
    let copy = places::scratch("chart").unwrap();
    let directory = copy.path().display().to_string();
    let mut cp = Command::new("cp");
    command::run(
        cp.args(["-r", &format!("{}/.", chart().display()), &directory]),
        None,
    )
    .unwrap();
    let file = copy.path().join("Chart.yaml");
    let versioned = fs::read_to_string(&file)
        .unwrap()
        .replace("\nversion: 0.1.0\n", "\nversion: 0.1.0+abc\n");
    assert!(versioned.contains("+abc"));
    fs::write(&file, versioned).unwrap();
    let text = helm(&["template", "jwthttpapi", &directory], &example("minimal")).unwrap();
    assert!(text.contains("helm.sh/chart: jwthttpapi-0.1.0_abc\n") && !text.contains("0.1.0+abc"));
}
