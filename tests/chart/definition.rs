//! The definition: the generated one, kept, and left out when asked.

use std::fs;

use jwthttpapi_test_support::places;
use serde_json::{Value, json};

use crate::ground::{example, objects, of_kind, only, with};

#[test]
fn the_chart_has_the_generated_definition_and_has_it_kept() {
    let generated = places::repository().join("crds/jwthttpapis.jwthttpapi.dev.yaml");
    let generated: Value = serde_saphyr::from_str(&fs::read_to_string(generated).unwrap()).unwrap();
    let objects = objects(&example("minimal"));
    let mut definition = only(&objects, "CustomResourceDefinition").clone();
    let annotations = definition["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    let kept = json!({
        "argocd.argoproj.io/sync-options": "Prune=false",
        "helm.sh/resource-policy": "keep",
    });
    assert_eq!(annotations, Some(kept));
    assert!(definition == generated, "run `make generate`");
}

#[test]
fn the_definition_can_be_left_to_somebody_else() {
    let objects = objects(&with(&json!({"crds": {"install": false}})));
    assert!(of_kind(&objects, "CustomResourceDefinition").is_empty());
}
