//! Metrics: how a Prometheus finds them.

use serde_json::{Value, json};

use crate::ground::{example, objects, of_kind, only, with};

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
        json!([{"port": "http", "path": "/metrics", "interval": "1m", "scrapeTimeout": "5s"}])
    );
}
