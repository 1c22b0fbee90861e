//! Several who apply one object, each with the fields that it owns; and what nobody can own.

use std::fs;

use jwthttpapi_test_support::Error;
use serde_json::{Value, json};

use crate::ground::{apply, cluster, object, smallest, stored, with, with_route};

/// An object in a file, where kubectl can read it.
fn written(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap();
    let file = cluster().directory().join(format!("{name}.json"));
    fs::write(&file, object.to_string()).unwrap();
    file.display().to_string()
}

/// Runs `kubectl apply` on an object with further arguments.
fn apply_with(args: &[&str], object: &Value) -> Result<String, Error> {
    cluster().kubectl(["apply", "-f", &written(object)].iter().chain(args))
}

/// Applies on the server's side what a manager wants of an object.
fn apply_as(manager: &str, name: &str, spec: &Value) -> Result<String, Error> {
    let manager = format!("--field-manager={manager}");
    apply_with(&["--server-side", &manager], &object(name, spec))
}

fn route(key: &str, function: &str) -> Value {
    json!({"routeKey": key, "lambda": {"name": function}})
}

/// The keys of the stored routes with their functions, sorted.
fn routes(name: &str) -> Vec<(String, String)> {
    let spec = &stored(name)["spec"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut routes: Vec<_> = spec["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| (text(&route["routeKey"]), text(&route["lambda"]["name"])))
        .collect();
    routes.sort();
    routes
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, function): &(&str, &str)| ((*key).to_owned(), (*function).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn managers_own_routes_by_their_keys_and_a_conflict_says_whose_a_field_is() {
    let name = "managed";
    let (catalogue, orders) = (
        route("GET /articles", "articles"),
        route("POST /orders", "orders"),
    );
    apply_as("catalogue", name, &with(json!({"routes": [catalogue]}))).unwrap();
    apply_as("orders", name, &json!({"routes": [orders]})).unwrap();
    let both = [("GET /articles", "articles"), ("POST /orders", "orders")];
    assert_eq!(routes(name), pairs(&both));

    for (what, spec) in [
        (
            r#".spec.routes[routeKey="GET /articles"].lambda.name"#,
            json!({"routes": [orders, route("GET /articles", "other")]}),
        ),
        (
            ".spec.issuer",
            json!({"issuer": "https://other.example.com/", "routes": [orders]}),
        ),
    ] {
        let refused = apply_as("orders", name, &spec).unwrap_err().to_string();
        assert!(
            refused.contains(r#"conflict with "catalogue""#) && refused.contains(what),
            "{refused}"
        );
    }
    assert_eq!(routes(name), pairs(&both));

    // What a manager applies no longer goes, and nothing of another's with it.
    let renamed = route("PUT /orders/{id}", "orders");
    apply_as("orders", name, &json!({"routes": [renamed]})).unwrap();
    assert_eq!(
        routes(name),
        pairs(&[("GET /articles", "articles"), ("PUT /orders/{id}", "orders")])
    );
    apply_as("orders", name, &json!({})).unwrap();
    assert_eq!(routes(name), pairs(&both[..1]));
}

#[test]
fn unknown_fields_are_named_when_asked_for_and_pruned_otherwise() {
    let misspelt = [
        ("spec.isuer", with(json!({"isuer": "https://example.com/"}))),
        ("spec.routes[0].timeout", with_route(json!({"timeout": 1000}))),
        (
            "spec.routes[0].lambda.alias",
            with_route(json!({"lambda": {"name": "hello", "alias": "live"}})),
        ),
        (
            "spec.cors.origins",
            with(json!({"cors": {"allowOrigins": ["*"], "origins": ["*"]}})),
        ),
    ];
    for (number, (field, spec)) in misspelt.iter().enumerate() {
        let name = format!("strict-{number}");
        let object = object(&name, spec);
        let refused = apply_with(&["--validate=strict"], &object)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(&format!("unknown field \"{field}\"")),
            "{refused}"
        );
        apply_with(&["--validate=ignore"], &object).unwrap();
        let mut pruned = spec.clone();
        // As a JSON pointer below the spec.
        let path = field.replace(['.', '['], "/").replace(']', "");
        let (owner, last) = path.trim_start_matches("spec").rsplit_once('/').unwrap();
        let owner = pruned.pointer_mut(owner).unwrap().as_object_mut().unwrap();
        assert!(owner.remove(last).is_some(), "{field}");
        assert_eq!(stored(&name)["spec"], pruned, "{field}");
    }
}

#[test]
fn a_status_that_a_user_applies_is_not_stored() {
    let mut with_status = object("own-status", &smallest());
    with_status["status"] = json!({"apiId": "a1b2c3d4e5", "observedGeneration": 7});
    cluster().apply(&with_status.to_string()).unwrap();
    apply("own-status", &smallest()).unwrap();
    assert_eq!(stored("own-status")["status"], json!({"observedGeneration": -1}));
}
