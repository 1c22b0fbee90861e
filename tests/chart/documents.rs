//! The chart's words: the table of values and the schema's descriptions say what `values.yaml` says.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::{
    ground::{chart, fresh},
    values::{Row, rows},
};

const BEGIN: &str = "<!-- values, by `make generate-chart` -->\n";
const END: &str = "<!-- /values -->";
/// What Helm gives to charts that others depend on; of no effect in the templates.
const OF_HELM: [&str; 2] = ["enabled", "global"];

#[test]
fn the_table_of_values_is_that_of_values_yaml() {
    let path = chart().join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let table: String = rows().iter().map(line).collect();
    let head = "| value | default | what it says | flag |\n|---|---|---|---|\n";
    fresh(&path, &format!("{before}{BEGIN}{head}{table}{END}{after}"));
}

fn line(row: &Row) -> String {
    let Row {
        path,
        default,
        description,
        flag,
    } = row;
    let flag = flag
        .as_ref()
        .map(|flag| format!("`--{flag}`"))
        .unwrap_or_default();
    format!("| `{path}` | `{default}` | {description} | {flag} |\n")
}

#[test]
fn the_schema_has_every_value_with_its_description_and_no_other() {
    let path = chart().join("values.schema.json");
    let mut schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let rows = rows();
    for row in &rows {
        let pointer = format!("/properties/{}", row.path.replace('.', "/properties/"));
        let Some(property) = schema.pointer_mut(&pointer) else {
            panic!("values.schema.json lacks {}", row.path);
        };
        property["description"] = row.description.clone().into();
    }
    let known: BTreeSet<String> = rows.into_iter().map(|row| row.path).collect();
    let mut paths = BTreeSet::new();
    leaves(&schema, "", &known, &mut paths);
    let own: BTreeSet<String> = known.into_iter().chain(OF_HELM.map(str::to_owned)).collect();
    assert_eq!(paths, own);
    fresh(&path, &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

/// Collects the properties, going into those that are no value themselves.
fn leaves(schema: &Value, prefix: &str, known: &BTreeSet<String>, into: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().unwrap() {
        let path = format!("{prefix}{name}");
        if property["properties"].is_object() && !known.contains(&path) {
            assert_eq!(
                property["additionalProperties"], false,
                "{path} takes unknown keys"
            );
            leaves(property, &format!("{path}."), known, into);
        } else {
            into.insert(path);
        }
    }
}
