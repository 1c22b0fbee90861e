//! The state of an account, to be compared.

use serde_json::Value;

/// How the operator's ownership tags begin.
const OURS: &str = "jwthttpapi.dev/";

/// The same state with the operator's ownership tags gone from everything: what a release has to leave.
#[must_use]
pub fn released(mut state: Value) -> Value {
    strip(&mut state);
    state
}

/// Tags are an object of keys and values, or, with IAM, a list of pairs that is not shown when it is empty.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !key.starts_with(OURS));
            fields.values_mut().for_each(strip);
            fields.retain(|key, value| !(key == "Tags" && value.as_array().is_some_and(Vec::is_empty)));
        }
        Value::Array(items) => {
            items.retain(|item| !item["Key"].as_str().is_some_and(|key| key.starts_with(OURS)));
            items.iter_mut().for_each(strip);
        }
        _ => {}
    }
}
