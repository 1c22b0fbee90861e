//! The definition: generated, fresh, and what kubectl makes of it.

use std::{env, fs, time::Duration};

use jwthttpapi_core::api;
use jwthttpapi_test_support::{deadline, places};
use serde_json::json;

use crate::ground::{apply, cluster, definition, smallest, stored};

/// The API server publishes a definition's documents some time after it serves the kind.
const PUBLISHED: Duration = Duration::from_mins(1);

#[test]
fn the_definition_in_crds_is_the_types_own() {
    let generated = serde_saphyr::to_string(&api::crd()).unwrap();
    let chart = places::repository().join("charts/jwthttpapi/files/crd.yaml");
    for path in [definition(), chart] {
        if env::var_os("UPDATE_CRDS").is_some_and(|value| value == "1") {
            fs::write(&path, &generated).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap() == generated,
            "{} is stale; run `make generate`, or this test with UPDATE_CRDS=1",
            path.display()
        );
    }
}

#[test]
fn a_new_object_s_status_says_that_nobody_has_seen_it() {
    apply("unseen", &smallest()).unwrap();
    assert_eq!(stored("unseen")["status"], json!({"observedGeneration": -1}));
}

#[test]
fn the_wide_table_has_its_columns() {
    apply("columns", &smallest()).unwrap();
    let header = |output: &[&str]| {
        let answer = cluster()
            .kubectl(["get", "jha", "columns"].iter().chain(output))
            .unwrap();
        answer
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(header(&[]), ["NAME", "READY", "REASON", "ENDPOINT", "AGE"]);
    assert_eq!(
        header(&["--output", "wide"]),
        [
            "NAME", "READY", "REASON", "ENDPOINT", "API-ID", "ROUTES", "REGION", "AGE"
        ]
    );
}

#[test]
fn explain_has_a_text_for_every_field() {
    deadline::poll("the publishing of the documents", PUBLISHED, || {
        Ok(cluster().kubectl(["explain", "jwthttpapi"]).ok())
    })
    .unwrap();
    let explain = |field: &str| {
        cluster()
            .kubectl(["explain", field, "--recursive=false"])
            .unwrap()
    };
    let routes = explain("jwthttpapi.spec.routes");
    for text in [
        "Routes, 1 to 300, each with one backend.",
        "`METHOD /path` with METHOD one of GET",
        "Scopes, of which a token must carry one.",
        "The Lambda function that answers this route.",
    ] {
        assert!(joined(&routes).contains(text), "{routes}");
    }
    for field in [
        "",
        ".spec",
        ".spec.authorizers",
        ".spec.routes",
        ".spec.routes.lambda",
        ".spec.invocation",
        ".spec.cors",
        ".status",
        ".status.pending",
    ] {
        let answer = explain(&format!("jwthttpapi{field}"));
        assert!(!answer.contains("<no description>"), "{field}: {answer}");
    }
    let lambda = joined(&explain("jwthttpapi.spec.routes.lambda.payloadFormatVersion"));
    assert!(lambda.contains(r#"Unless set: "2.0"."#), "{lambda}");
}

/// Without kubectl's line breaks.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
