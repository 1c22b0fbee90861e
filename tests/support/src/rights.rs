//! What the documents and the chart grant an operator.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::{Error, places};

/// The IAM policy of `docs/aws-permissions.md`; its account is that of every sandbox here.
///
/// # Errors
///
/// The document cannot be read, or holds no policy.
pub fn operator_policy() -> Result<Value, Error> {
    documented(0)
}

/// The statement of that document by which nobody makes a role, or fills one, that the boundary does not bound.
///
/// # Errors
///
/// The document cannot be read, or does not hold it.
pub fn only_bounded_roles() -> Result<Value, Error> {
    documented(1)
}

/// One of the blocks of JSON in that document.
fn documented(number: usize) -> Result<Value, Error> {
    let path = places::repository().join("docs/aws-permissions.md");
    let document = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let unreadable = |why: String| Error::document("what docs/aws-permissions.md grants", why);
    let block = document
        .split("```json\n")
        .nth(number + 1)
        .and_then(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .ok_or_else(|| unreadable(format!("it has no block {number} of JSON")))?;
    serde_json::from_str(block).map_err(|error| unreadable(error.to_string()))
}

/// Each verb that a role of Kubernetes grants, with its resource: `update coordination.k8s.io/leases/jwthttpapi-leader`.
pub fn pairs(role: &Value) -> BTreeSet<String> {
    let words = |rule: &Value, field: &str| -> Vec<String> {
        let listed = rule.get(field).and_then(Value::as_array);
        listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let mut pairs = BTreeSet::new();
    for rule in role.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let names = words(rule, "resourceNames");
        let names = if names.is_empty() {
            vec![String::new()]
        } else {
            names.iter().map(|name| format!("/{name}")).collect()
        };
        for (group, resource) in words(rule, "apiGroups")
            .iter()
            .flat_map(|group| words(rule, "resources").into_iter().map(move |one| (group, one)))
        {
            for verb in words(rule, "verbs") {
                pairs.extend(
                    names
                        .iter()
                        .map(|name| format!("{verb} {group}/{resource}{name}")),
                );
            }
        }
    }
    pairs
}
