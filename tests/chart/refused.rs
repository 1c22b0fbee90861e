//! What Helm refuses before anything is installed, and in which words.

use serde_json::{Value, json};

use crate::ground::{chart, example, helm, refusal, released, rendered, with};

/// Wrong values, and what is said of them.
fn wrong() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"replica": 2}),
            "at '': additional properties 'replica' not allowed",
        ),
        (
            json!({"aws": {"regions": "eu-central-1"}}),
            "at '/aws': additional properties 'regions' not allowed",
        ),
        (
            json!({"metrics": {"serviceMonitor": {"intervall": "1m"}}}),
            "at '/metrics/serviceMonitor': additional properties 'intervall' not allowed",
        ),
        (
            json!({"replicas": "two"}),
            "at '/replicas': got string, want integer",
        ),
        (
            json!({"leaderElection": "yes"}),
            "at '/leaderElection': got string, want boolean",
        ),
        (
            json!({"clusterId": 12}),
            "at '/clusterId': got number, want string",
        ),
        (
            json!({"allowedFunctions": "*"}),
            "at '/allowedFunctions': got string, want array",
        ),
        (
            json!({"allowedFunctions": ["hello"]}),
            "at '/allowedFunctions/0': 'hello' does not match pattern",
        ),
        (
            json!({"allowedFunctions": null}),
            "at '': missing property 'allowedFunctions'",
        ),
        (
            json!({"resync": "10 minutes"}),
            "at '/resync': '10 minutes' does not match pattern '^(0*[1-9][0-9]{3,}ms|0*[1-9][0-9]*(s|m|h))$'",
        ),
        (
            json!({"settle": {"iam": 10}}),
            "at '/settle/iam': got number, want string",
        ),
        (
            json!({"budget": {"lambda": {"rate": -1}}}),
            "at '/budget/lambda/rate': minimum: got -1, want 0",
        ),
        (
            json!({"concurrency": 1000}),
            "at '/concurrency': maximum: got 1,000, want 256",
        ),
        (
            json!({"logFormat": "xml"}),
            "at '/logFormat': value must be one of 'json', 'text'",
        ),
    ]
}

/// The same of the Pod, and of what others read of the operator.
fn wrong_about_the_pod() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"terminationGracePeriodSeconds": 5}),
            "at '/terminationGracePeriodSeconds': minimum: got 5, want 40",
        ),
        (
            json!({"podSecurityContext": {"runAsUser": 0}}),
            "at '/podSecurityContext/runAsUser': minimum: got 0, want 1",
        ),
        (
            json!({"podSecurityContext": {"runAsNonRoot": false}}),
            "at '/podSecurityContext': additional properties 'runAsNonRoot' not allowed",
        ),
        (
            json!({"podLabels": {"app.kubernetes.io/name": "mine"}}),
            "invalid propertyName 'app.kubernetes.io/name'",
        ),
        (
            json!({"metrics": {"serviceMonitor": {"labels": {"app.kubernetes.io/instance": "mine"}}}}),
            "invalid propertyName 'app.kubernetes.io/instance'",
        ),
        (
            json!({"metrics": {"prometheusRule": {"labels": {"helm.sh/chart": "mine"}}}}),
            "invalid propertyName 'helm.sh/chart'",
        ),
        (
            json!({"podAnnotations": {"example.com/scrape": true}}),
            "at '/podAnnotations/example.com~1scrape': got boolean, want string",
        ),
        (
            json!({"extraArgs": ["--concurrency", "4"]}),
            "at '/extraArgs/1': '4' does not match pattern",
        ),
        (
            json!({"extraEnv": [{"name": "A", "value": 1}]}),
            "at '/extraEnv/0/value': got number, want string",
        ),
        (
            json!({"extraVolumes": [{"name": "node", "hostPath": {"path": "/"}}]}),
            "at '/extraVolumes/0': additional properties 'hostPath' not allowed",
        ),
        (
            json!({"watchNamespaces": ["Team"], "clusterId": "blue"}),
            "at '/watchNamespaces/0': 'Team' does not match pattern",
        ),
        (
            json!({"image": {"digest": "sha256:abc"}}),
            "at '/image/digest': 'sha256:abc' does not match pattern",
        ),
    ]
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_is_wrong() {
    for (values, message) in wrong().into_iter().chain(wrong_about_the_pod()) {
        let said = refusal(&with(&values));
        assert!(said.contains(message), "{values}: {said}");
    }
}

#[test]
fn helm_lint_takes_every_example_strictly_and_no_wrong_value() {
    let chart = chart().display().to_string();
    let lint = |values: &Value| helm(&["lint", "--strict", &chart], values);
    for name in crate::ground::EXAMPLES {
        lint(&example(name)).unwrap();
    }
    for (values, _) in wrong().into_iter().take(3) {
        assert!(lint(&with(&values)).is_err(), "{values}");
    }
}

#[test]
fn a_budget_that_lets_no_node_be_drained_is_refused() {
    for (most, said) in [
        (json!("0%"), "'0%' does not match pattern"),
        (json!(0), "minimum: got 0, want 1"),
    ] {
        let refusal = refusal(&with(&json!({"podDisruptionBudget": {"maxUnavailable": most}})));
        let place = "at '/podDisruptionBudget/maxUnavailable': ";
        assert!(refusal.contains(&format!("{place}{said}")), "{refusal}");
    }
}

#[test]
fn without_allowed_functions_the_installer_is_told_what_to_type() {
    for values in [json!({}), json!({"allowedFunctions": []})] {
        let said = refusal(&values);
        for words in [
            "allowedFunctions is not set",
            "--set 'allowedFunctions={arn:aws:lambda:eu-central-1:123456789012:function:team-a-*}'",
            "--set 'allowedFunctions={*}'",
        ] {
            assert!(said.contains(words), "{values}: {said}");
        }
    }
    let image = json!({"repository": "registry.example.com/jwthttpapi"});
    rendered(&json!({"allowedFunctions": ["*"], "image": image})).unwrap();
}

#[test]
fn without_an_image_the_installer_is_told_what_to_type() {
    let said = refusal(&json!({"allowedFunctions": ["*"]}));
    for words in ["no image is published", "--set image.repository="] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn values_that_exclude_each_other_are_refused_with_what_to_type() {
    for (values, message) in [
        (json!({"watchNamespaces": ["team-a"]}), "--set clusterId=NAME"),
        (
            json!({"reclaimFrom": ["0f2c58ff-6a3f-4b0c-9d6e-6f2a1d8f0e11"]}),
            "reclaimFrom wants clusterId: that of the cluster which made the APIs, or the UID of its kube-system namespace where none was set",
        ),
        (
            json!({"watchNamespaces": ["team-a"], "clusterId": "blue", "deleteOrphans": true}),
            "leave them or watchNamespaces out",
        ),
        (
            json!({"replicas": 2, "leaderElection": false}),
            "--set leaderElection=true, or --set replicas=1",
        ),
        (
            json!({"serviceAccount": {"create": false}}),
            "--set serviceAccount.name=NAME",
        ),
        (
            json!({"serviceAccount": {"create": false, "name": "mine", "annotations": {"example.com/a": "b"}}}),
            "annotate mine itself and leave serviceAccount.annotations out, or --set serviceAccount.create=true",
        ),
        (
            json!({"metrics": {"service": {"enabled": false}, "serviceMonitor": {"enabled": true}}}),
            "--set metrics.service.enabled=true",
        ),
        (
            json!({"extraArgs": ["--concurrency=4"]}),
            "extraArgs repeats --concurrency",
        ),
        (
            json!({"leaderElection": false, "strategy": {"type": "RollingUpdate"}}),
            "--set strategy.type=Recreate, or --set leaderElection=true",
        ),
        (
            json!({"leaderElection": false, "strategy": {"rollingUpdate": {"maxSurge": 1}}}),
            "--set strategy.type=Recreate",
        ),
        (json!({"resync": "48h"}), "--set resync=24h"),
        (json!({"settle": {"list": "90000s"}}), "--set settle.list=24h"),
        (json!({"settle": {"iam": "2m"}}), "--set settle.iam=1m"),
        (
            json!({"logLevel": "info,aws_smithy_runtime::client=trace"}),
            "leave aws_smithy_runtime::client=trace out",
        ),
        (
            json!({"logLevel": "kube_client::client::builder=debug"}),
            "leave kube_client::client::builder=debug out",
        ),
    ] {
        let said = refusal(&with(&values));
        assert!(said.contains(message), "{values}: {said}");
    }
}

/// The Prometheus operator leaves out a monitor whose scrape may take longer than it has until the next one.
#[test]
fn a_scrape_that_may_take_longer_than_its_interval_is_refused() {
    let monitor = |interval: &str, timeout: &str, enabled: bool| {
        let monitor = json!({"enabled": enabled, "interval": interval, "scrapeTimeout": timeout});
        with(&json!({"metrics": {"serviceMonitor": monitor}}))
    };
    for (interval, timeout) in [
        ("5s", "10s"),
        ("59s", "1m"),
        ("500ms", "1s"),
        ("9999ms", "10s"),
        ("59m", "1h"),
    ] {
        let said = refusal(&monitor(interval, timeout, true));
        let message = format!("--set metrics.serviceMonitor.scrapeTimeout={interval}");
        assert!(said.contains(&message), "{interval}, {timeout}: {said}");
        rendered(&monitor(interval, timeout, false)).unwrap();
    }
    for (interval, timeout) in [
        ("10s", "10s"),
        ("60s", "1m"),
        ("1m", "59s"),
        ("1s", "999ms"),
        ("1h", "60m"),
    ] {
        rendered(&monitor(interval, timeout, true)).unwrap();
    }
    // What is left out is as the Prometheus has it.
    for left_out in ["interval", "scrapeTimeout"] {
        let mut values = monitor("5s", "10s", true);
        values["metrics"]["serviceMonitor"][left_out] = Value::Null;
        rendered(&values).unwrap();
    }
}

#[test]
fn a_release_whose_name_no_service_may_have_is_told_to_take_another() {
    let values = example("minimal");
    for release in ["1", "2nd-jwthttpapi"] {
        let said = released(release, &values).unwrap_err().to_string();
        assert!(said.contains("--set fullnameOverride=NAME"), "{release}: {said}");
        let named = with(&json!({"fullnameOverride": "second"}));
        released(release, &named).unwrap();
    }
}

#[test]
fn an_image_may_be_in_any_repository_which_has_neither_tag_nor_digest() {
    let image = |repository: &str| with(&json!({"image": {"repository": repository}}));
    for repository in [
        "jwthttpapi",
        "team/jwthttpapi",
        "registry.example.com/team/jwthttpapi",
        "registry.example.com:5000/jwthttpapi",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/jwthttpapi",
        "[2001:db8::1]:5000/jwthttpapi",
    ] {
        rendered(&image(repository)).unwrap();
    }
    for repository in [
        "jwthttpapi:v1",
        "registry.example.com:5000/jwthttpapi:v1",
        "registry.example.com/jwthttpapi@sha256:abc",
        "jwthttpapi@v1",
        "https://images.example.com/jwthttpapi",
        "registry.example.com/",
        " jwthttpapi",
    ] {
        let said = refusal(&image(repository));
        let message = format!("at '/image/repository': '{repository}' does not match pattern");
        assert!(said.contains(&message), "{said}");
    }
}

#[test]
fn what_helm_gives_to_a_dependency_is_no_unknown_value() {
    rendered(&with(
        &json!({"enabled": true, "global": {"imageRegistry": "registry.example.com"}}),
    ))
    .unwrap();
}
