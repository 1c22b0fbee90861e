//! Lists of the status whose entries the definition tells apart.

use jwthttpapi_core::api::crd;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::LazyLock};

/// A list, and the fields by which its entries are told apart: as a whole when there are none.
struct Distinct {
    name: String,
    keys: Vec<String>,
}

static DISTINCT: LazyLock<Vec<Distinct>> = LazyLock::new(|| {
    let crd = serde_json::to_value(crd()).unwrap_or_default();
    let status =
        &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
    let lists = status.as_object().into_iter().flatten();
    lists
        .filter(|(_, list)| matches!(list["x-kubernetes-list-type"].as_str(), Some("map" | "set")))
        .map(|(name, list)| Distinct {
            name: name.clone(),
            keys: serde_json::from_value(list["x-kubernetes-list-map-keys"].clone()).unwrap_or_default(),
        })
        .collect()
});

/// The first entry of a status that is there twice, in the API server's words.
pub(super) fn duplicate(status: &Value) -> Option<String> {
    DISTINCT.iter().find_map(|Distinct { name, keys }| {
        let mut seen = BTreeSet::new();
        let entries = status[name].as_array()?.iter().enumerate();
        entries
            .map(|(number, entry)| (number, identity(entry, keys)))
            .find(|(_, identity)| !seen.insert(identity.clone()))
            .map(|(number, identity)| format!("status.{name}[{number}]: Duplicate value: {identity}"))
    })
}

fn identity(entry: &Value, keys: &[String]) -> String {
    if keys.is_empty() {
        return entry.to_string();
    }
    let fields = keys.iter().map(|key| (key.clone(), entry[key].clone()));
    Value::Object(fields.collect::<Map<_, _>>()).to_string()
}
