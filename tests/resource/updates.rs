//! What may change later.

use serde_json::{Value, json};

use crate::ground::{apply, stored, with};

#[test]
fn a_region_is_for_life() {
    let here = || with(json!({"region": "eu-central-1"}));
    let there = || with(json!({"region": "us-east-1"}));
    let nowhere = || with(json!({}));
    let table: [(&str, Value, Value); 3] = [
        ("region-set-later", nowhere(), here()),
        ("region-changed", here(), there()),
        ("region-removed", here(), nowhere()),
    ];
    for (name, before, after) in table {
        apply(name, &before).unwrap();
        let error = apply(name, &after).unwrap_err().to_string();
        let says = "region cannot be set, changed or removed after creation; create a second object with the other region, then delete this one";
        assert!(error.contains("spec.region: ") && error.contains(says), "{error}");
        assert_eq!(stored(name)["spec"], before);
    }
}

#[test]
fn everything_else_may_change() {
    let name = "changes";
    apply(name, &with(json!({"region": "eu-central-1"}))).unwrap();
    let full = with(json!({
        "region": "eu-central-1",
        "name": "other", "description": "other", "issuer": "https://other.example.com", "audience": ["other"],
        "identitySource": "$request.header.X-Token", "scopes": ["a"],
        "authorizers": [{"name": "b", "issuer": "https://b.example.com", "audience": ["b"]}],
        "routes": [{"routeKey": "POST /other", "authorizer": "b", "lambda": {"name": "other"}}],
        "invocation": {"mode": "ResourcePolicy"}, "cors": {"allowOrigins": ["*"]}, "tags": {"a": "b"},
        "disableExecuteApiEndpoint": true, "ipAddressType": "dualstack", "suspend": true, "deletionPolicy": "Retain",
    }));
    for spec in [full, with(json!({"region": "eu-central-1"}))] {
        apply(name, &spec).unwrap();
        assert_eq!(stored(name)["spec"], spec);
    }
}
