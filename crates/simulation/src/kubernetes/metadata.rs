//! Metadata, and what writes may do to it.

use super::{Key, refusal::Refusal};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Metadata that no write changes; deletion has its own way.
const KEPT: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
];
/// Metadata of which an empty one is none.
const COLLECTIONS: [&str; 4] = ["finalizers", "labels", "annotations", "ownerReferences"];
/// Whether a write may make this of an object.
pub(super) fn may_become(key: &Key, old: &Value, new: &Value) -> Result<(), Refusal> {
    for field in ["uid", "deletionTimestamp"] {
        let wanted = &new["metadata"][field];
        if !wanted.is_null() && *wanted != old["metadata"][field] {
            let why = format!("metadata.{field}: Invalid value: {wanted}: field is immutable");
            return Err(Refusal::invalid(key, &why));
        }
    }
    if old["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let finalizers = |object: &Value| {
        let list = object["metadata"]["finalizers"].as_array();
        list.cloned().unwrap_or_default()
    };
    let had = finalizers(old);
    let added: Vec<String> = finalizers(new)
        .iter()
        .filter(|finalizer| !had.contains(finalizer))
        .map(ToString::to_string)
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let why = format!(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    Err(Refusal::invalid(key, &why))
}

/// A new generation.
pub(super) fn raise_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
    object["metadata"]["generation"] = (generation + 1).into();
}

/// A time as it is stored.
pub(super) fn stamp(now: Timestamp) -> Value {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// A field of the metadata, empty when there is none.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The metadata of an object.
pub(super) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"].as_object_mut().expect("just made one")
}

/// Takes empty collections away.
pub(super) fn drop_empty(meta: &mut Map<String, Value>) {
    for field in COLLECTIONS {
        let empty = match meta.get(field) {
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Null) => true,
            _ => false,
        };
        if empty {
            meta.remove(field);
        }
    }
}

/// Puts back what no write changes.
pub(super) fn keep(meta: &mut Map<String, Value>, old: &Value) {
    for field in KEPT {
        match old["metadata"].get(field) {
            Some(value) => meta.insert(field.into(), value.clone()),
            None => meta.remove(field),
        };
    }
}

/// Takes away what no object is created with.
pub(super) fn forget(meta: &mut Map<String, Value>) {
    for field in KEPT {
        meta.remove(field);
    }
}
