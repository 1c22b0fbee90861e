//! Metrics: how a Prometheus finds them.

use serde_json::{Value, json};

use crate::ground::{example, objects, of_kind, only, released, with};

/// Whether a selector picks what carries these labels.
fn picks(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object().unwrap();
    !selector.is_empty() && selector.iter().all(|(name, value)| labels[name] == *value)
}

#[test]
fn the_service_leads_to_the_pods_port() {
    let objects = objects(&example("minimal"));
    let service = only(&objects, "Service");
    let template = &only(&objects, "Deployment")["spec"]["template"];
    assert!(picks(
        &service["spec"]["selector"],
        &template["metadata"]["labels"]
    ));
    assert_eq!(
        service["spec"]["ports"],
        json!([{"name": "http", "port": 8080, "targetPort": "http"}])
    );
    let without = crate::ground::objects(&with(&json!({"metrics": {"service": {"enabled": false}}})));
    assert!(of_kind(&without, "Service").is_empty());
}

/// A release's name may have dots, that of a Service none.
#[test]
fn a_release_with_a_dot_in_its_name_has_a_service_without() {
    let text = released("team.a", &example("minimal")).unwrap();
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    objects.retain(|object| !object.is_null() && object["kind"] != "CustomResourceDefinition");
    let service = only(&objects, "Service");
    assert_eq!(service["metadata"]["name"], "team-a-jwthttpapi-metrics");
    assert_eq!(
        only(&objects, "Deployment")["metadata"]["name"],
        "team-a-jwthttpapi"
    );
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        assert!(!name.contains('.'), "{name}");
    }
}

#[test]
fn a_service_monitor_is_there_when_asked_for_and_picks_the_service() {
    assert!(of_kind(&objects(&example("minimal")), "ServiceMonitor").is_empty());
    let objects = objects(&example("full"));
    let (monitor, service) = (only(&objects, "ServiceMonitor"), only(&objects, "Service"));
    assert!(picks(
        &monitor["spec"]["selector"]["matchLabels"],
        &service["metadata"]["labels"]
    ));
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    assert_eq!(
        monitor["spec"]["endpoints"],
        json!([{
            "port": "http", "path": "/metrics", "honorLabels": true, "interval": "1m", "scrapeTimeout": "5s",
        }])
    );
}

/// Expressions and how long they must hold, as `docs/metrics.md` has them.
fn documented() -> Vec<(String, Option<String>)> {
    let text = include_str!("../../docs/metrics.md");
    let (_, table) = text.split_once("| alert | when |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let (_, when) = row.split_once(" | `").unwrap();
        let (expression, rest) = when.split_once('`').unwrap();
        let minutes = rest.trim_end_matches(" |").strip_prefix(" for ");
        let minutes = minutes.map(|words| format!("{}m", words.strip_suffix(" minutes").unwrap()));
        (expression.to_owned(), minutes)
    })
    .collect()
}

#[test]
fn the_alerts_are_the_documented_ones_about_the_releases_own_namespace() {
    assert!(of_kind(&objects(&example("minimal")), "PrometheusRule").is_empty());
    let objects = objects(&example("full"));
    let rule = only(&objects, "PrometheusRule");
    assert_eq!(rule["metadata"]["labels"]["release"], "prometheus");
    let namespace = rule["metadata"]["namespace"].as_str().unwrap();
    let here = format!("namespace=\"{namespace}\"");
    let rules = rule["spec"]["groups"][0]["rules"].as_array().unwrap();
    let found = rules.iter().map(|rule| {
        let expression = rule["expr"].as_str().unwrap();
        assert!(expression.contains(&here), "{expression}");
        let anywhere = [format!(",{here}"), format!("{{{here}}}")]
            .iter()
            .fold(expression.to_owned(), |text, own| text.replace(own, ""));
        (anywhere, rule["for"].as_str().map(str::to_owned))
    });
    assert_eq!(found.collect::<Vec<_>>(), documented());
}
