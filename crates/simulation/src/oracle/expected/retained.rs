//! What stays when an object goes that retains what it has.

use super::{items, ownership};
use crate::REGION;
use serde_json::{Map, Value, json};

/// Lists of what there may be in AWS, each with the member that names one of it.
pub(crate) fn lists() -> [(String, &'static str); 4] {
    let services = |list: &str| format!("/regions/{REGION}/{list}");
    [
        ("/roles".to_owned(), "RoleName"),
        (services("apis"), "apiId"),
        (services("functions"), "FunctionName"),
        (services("logGroups"), "logGroupName"),
    ]
}

/// What there is of all that was before.
pub(crate) fn known(before: &Value, state: &Value) -> Value {
    let mut state = state.clone();
    for (list, name) in lists() {
        let there = before.pointer(&list).unwrap_or(&Value::Null);
        if let Some(all) = state.pointer_mut(&list).and_then(Value::as_array_mut) {
            all.retain(|one| items(there).any(|known| known[name] == one[name]));
        }
    }
    state
}

/// All of AWS without the tags that tell whose something is, and what changes with them. They are taken off once, whatever comes of
/// it.
pub(crate) fn untagged(state: &Value) -> Value {
    match state {
        Value::Object(fields) => {
            let mut fields = ownership::without(fields.clone());
            fields.remove("RevisionId");
            let fields = fields.iter().map(|(name, field)| (name.clone(), untagged(field)));
            // To have lost all tags is to have none.
            let is_tags = |name: &str| name.eq_ignore_ascii_case("tags");
            let fields = fields.filter(|(name, field)| !is_tags(name) || !is_empty(field));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let others = items.iter().filter(|item| !ownership::tells(&item["Key"]));
            Value::Array(others.map(untagged).collect())
        }
        plain => plain.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    *value == json!([]) || *value == json!({}) || value.is_null()
}
