//! The definition of the kind, as it is installed.

use super::JwtHttpApi;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSON, JSONSchemaProps, ValidationRule,
};
use kube::CustomResourceExt;
use serde_json::json;

/// The `CustomResourceDefinition`.
///
/// The API server gives a new object's status an observed generation that no generation has, so that nobody takes an object
/// for settled that was never seen (kstatus). And it takes only names that leave room in those of events.
pub fn crd() -> CustomResourceDefinition {
    let mut crd = JwtHttpApi::crd();
    for object in crd.spec.versions.iter_mut().filter_map(object_schema) {
        object.x_kubernetes_validations = Some(vec![name_fits_events()]);
        if let Some(status) = status_schema(object) {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
        }
    }
    crd
}

fn object_schema(version: &mut CustomResourceDefinitionVersion) -> Option<&mut JSONSchemaProps> {
    version.schema.as_mut()?.open_api_v3_schema.as_mut()
}

fn status_schema(object: &mut JSONSchemaProps) -> Option<&mut JSONSchemaProps> {
    object.properties.as_mut()?.get_mut("status")
}

/// An event's name is that of its object, a dot and sixteen digits (kube's recorder), and has at most 253 characters. Objects
/// that exist already keep their names.
fn name_fits_events() -> ValidationRule {
    ValidationRule {
        rule: "oldSelf.hasValue() || self.metadata.name.size() <= 236".to_owned(),
        message: Some(
            "a name has at most 236 characters, so that events can be named after it; choose a shorter one"
                .to_owned(),
        ),
        optional_old_self: Some(true),
        ..ValidationRule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, to_value};

    /// Every rule in a schema.
    fn rules(schema: &Value) -> Vec<&Value> {
        let own = schema.get("x-kubernetes-validations").and_then(Value::as_array);
        let below: Vec<&Value> = match schema {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        let below = below.into_iter().flat_map(rules);
        own.into_iter().flatten().chain(below).collect()
    }

    #[test]
    fn a_new_object_has_observed_a_generation_that_there_is_not() {
        let mut crd = crd();
        let object = object_schema(&mut crd.spec.versions[0]).unwrap();
        let status = status_schema(object).unwrap();
        assert_eq!(status.default, Some(JSON(json!({"observedGeneration": -1}))));
    }

    #[test]
    fn every_rule_of_the_schema_asks_something_and_says_what_to_do() {
        let crd = to_value(crd()).unwrap();
        let rules = rules(&crd);
        assert!(rules.len() > 20, "{}", rules.len());
        for rule in rules {
            let text = |field| rule.get(field).and_then(Value::as_str).unwrap_or_default();
            assert!(text("rule").len() > 5 && text("message").len() > 20, "{rule}");
        }
    }
}
