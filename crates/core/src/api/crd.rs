//! The definition of the kind, as it is installed.

use super::JwtHttpApi;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSON, JSONSchemaProps,
};
use kube::CustomResourceExt;
use serde_json::json;

/// The `CustomResourceDefinition`.
///
/// The API server gives a new object's status an observed generation that no generation has, so that nobody takes an object
/// for settled that was never seen (kstatus, reliability §D.1).
pub fn crd() -> CustomResourceDefinition {
    let mut crd = JwtHttpApi::crd();
    for status in crd.spec.versions.iter_mut().filter_map(status_schema) {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
    crd
}

fn status_schema(version: &mut CustomResourceDefinitionVersion) -> Option<&mut JSONSchemaProps> {
    let root = version.schema.as_mut()?.open_api_v3_schema.as_mut()?;
    root.properties.as_mut()?.get_mut("status")
}
