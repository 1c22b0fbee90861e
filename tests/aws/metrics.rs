//! `docs/metrics.md` lists every metric that a scrape can show, and no other.

use crate::ground::ground;
use jwthttpapi::metrics::{Census, Ended, Metrics, RequestMetrics, process};
use jwthttpapi_core::plan::Kind;
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tower::{Layer, ServiceExt};

/// Names as a scrape shows them.
fn names(registry: &Registry) -> Vec<String> {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_document_lists_every_metric_and_no_other() {
    let mut ground = ground(json!({}));
    process::register(&mut ground.registry);
    let metrics = Metrics::new(&mut ground.registry);
    let requests = RequestMetrics::register(&mut ground.registry);

    // A family without a series does not show: each gets one.
    ground.aws.identity().await.unwrap();
    let answer = tower::service_fn(|_| async { Ok::<_, Infallible>(http::Response::new(())) });
    let request = http::Request::new(());
    requests
        .layer("localhost")
        .layer(answer)
        .oneshot(request)
        .await
        .unwrap();
    metrics.ended(Ended::error);
    metrics.leading(true);
    metrics.repaired(Kind::Route);
    metrics.census(Census {
        conditions: [(("Ready", "True".to_owned()), 1)].into(),
        blocked: [("Suspended".to_owned(), 1)].into(),
    });

    let mut documented: Vec<String> = include_str!("../../docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(['`', '{']))
        .map(|(name, _)| name.to_owned())
        .collect();
    documented.sort_unstable();
    let mut names = names(&ground.registry);
    names.sort_unstable();
    assert_eq!(names, documented);
}

#[tokio::test(start_paused = true)]
async fn the_queue_counts_what_waits_runs_and_comes_back() {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let work = metrics.work();
    let shown = |name: &str| {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.to_owned()
    };

    work.woken("demo/a");
    work.woken("demo/a");
    work.woken("demo/b");
    assert_eq!(shown("workqueue_depth"), "2.0", "one object waits once");
    assert_eq!(shown("workqueue_adds_total"), "2");

    let running = work.begin("demo/a");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(shown("workqueue_depth"), "1.0");
    assert_eq!(shown("controller_runtime_active_workers"), "1.0");
    assert_eq!(shown("workqueue_longest_running_processor_seconds"), "5.0");
    assert!(!work.is_stuck());
    drop(running);
    assert_eq!(shown("controller_runtime_active_workers"), "0.0");
    assert_eq!(shown("workqueue_work_duration_seconds_sum"), "5.0");

    work.planned("demo/a", Duration::from_secs(60), true);
    assert_eq!(
        shown("workqueue_depth"),
        "1.0",
        "what is due later does not wait yet"
    );
    assert_eq!(shown("workqueue_retries_total"), "1");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(shown("workqueue_depth"), "2.0");

    work.observed("demo/b");
    work.retain(&["demo/b".to_owned()].into());
    assert_eq!(shown("workqueue_depth"), "1.0", "what is gone waits for nothing");
    assert_eq!(shown("jwthttpapi_last_successful_observation_age_seconds"), "0.0");
}
