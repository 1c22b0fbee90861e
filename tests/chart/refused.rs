//! What Helm refuses before anything is installed, and in which words.

use serde_json::{Value, json};

use crate::ground::{chart, example, helm, refusal, rendered, with};

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
    for (values, message) in wrong() {
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
    ] {
        let said = refusal(&with(&values));
        assert!(said.contains(message), "{values}: {said}");
    }
}

#[test]
fn what_helm_gives_to_a_dependency_is_no_unknown_value() {
    rendered(&with(
        &json!({"enabled": true, "global": {"imageRegistry": "registry.example.com"}}),
    ))
    .unwrap();
}
