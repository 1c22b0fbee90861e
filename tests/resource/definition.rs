//! The definition: generated, fresh, and what kubectl makes of it.

use std::{env, fs, time::Duration};

use jwthttpapi_core::api;
use jwthttpapi_test_support::{deadline, places};
use serde_json::{Value, json};

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

/// Every field below a schema by its path, with its text.
fn fields(schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let text = field["description"].as_str().unwrap_or_default();
        found.push((path.clone(), text.to_owned()));
        fields(field, &path, found);
    }
    if schema["items"].is_object() {
        fields(&schema["items"], path, found);
    }
}

#[test]
fn every_field_has_whole_sentences_and_kubectl_lists_it() {
    let definition = serde_json::to_value(api::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    for part in ["spec", "status"] {
        let mut found = Vec::new();
        fields(&schema["properties"][part], part, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for (path, text) in &found {
            let begins = text.starts_with(|first: char| first.is_alphanumeric() || first == '`');
            assert!(begins && text.ends_with('.') && text.len() > 12, "{path}: {text}");
        }
        let answer = deadline::poll("the publishing of the documents", PUBLISHED, || {
            let field = format!("jwthttpapi.{part}");
            Ok(cluster().kubectl(["explain", &field, "--recursive"]).ok())
        })
        .unwrap();
        let (_, listed) = answer.split_once("FIELDS:").unwrap();
        let mut listed: Vec<&str> = listed
            .lines()
            .filter_map(|line| Some(line.split_once("\t<")?.0.trim()))
            .collect();
        let mut names: Vec<&str> = found
            .iter()
            .map(|(path, _)| path.rsplit('.').next().unwrap())
            .collect();
        listed.sort_unstable();
        names.sort_unstable();
        assert_eq!(listed, names, "{answer}");
    }
}

/// Without kubectl's line breaks.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
