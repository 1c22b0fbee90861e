//! Whose everything is: the tags that tell it.

use crate::{KUBE_SYSTEM, OBJECT};
use serde_json::{Map, Value, json};

/// What ownership tags begin with.
const PREFIX: &str = "jwthttpapi.dev/";

/// The object's own uid, and the nonce of its API: what everything of it is tagged with.
pub(super) struct Proof<'a> {
    pub(super) uid: &'a str,
    pub(super) nonce: Option<&'a Value>,
}

/// The ownership tags of everything that a spec asks for, with words for what no spec decides.
pub(super) fn of(spec: &Value) -> Value {
    json!({
        "cluster": format!("{KUBE_SYSTEM}/{KUBE_SYSTEM}"),
        "uid": "the object's",
        "namespace": OBJECT.namespace,
        "name": OBJECT.name,
        "nonce": "the API's",
        "deletion-policy": spec["deletionPolicy"].as_str().unwrap_or("Delete"),
    })
}

/// Ownership tags in the same form.
pub(super) fn shown(tags: &Map<String, Value>, proof: &Proof<'_>) -> Value {
    let own = tags.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(PREFIX)?;
        let word = match key {
            "uid" if value == proof.uid => json!("the object's"),
            "nonce" if Some(value) == proof.nonce => json!("the API's"),
            _ => value.clone(),
        };
        Some((key.to_owned(), word))
    });
    Value::Object(own.collect())
}

/// The nonce in an API's tags.
pub(super) fn nonce(api: &Value) -> Option<&Value> {
    api["tags"].get(format!("{PREFIX}nonce"))
}

/// Whether the name of a tag is one of those that tell whose something is.
pub(super) fn tells(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with(PREFIX))
}

/// Tags but those that tell whose something is.
pub(super) fn without(mut tags: Map<String, Value>) -> Map<String, Value> {
    tags.retain(|key, _| !key.starts_with(PREFIX));
    tags
}
