//! The documents, held against the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use jwthttpapi_core::api::{ConditionType, Polarity, Reason};
use jwthttpapi_test_support::{operator_policy, places};
use serde_json::Value;

/// The cells of every row whose first cell is one word in code quotes, below a heading, until the next one.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    document
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

fn conditions() -> String {
    fs::read_to_string(places::repository().join("docs/conditions.md")).unwrap()
}

fn quoted(word: &str) -> String {
    format!("`{word}`")
}

#[test]
fn every_condition_type_is_documented_once() {
    let rows = rows(&conditions(), "## Conditions");
    let documented: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let types = ConditionType::ALL.map(|kind| quoted(kind.as_str()));
    assert_eq!(documented, types);
    assert!(
        rows.iter()
            .all(|row| row.len() == 4 && row.iter().all(|cell| !cell.is_empty())),
        "{rows:?}"
    );
}

#[test]
fn every_reason_is_documented_once_with_its_conditions_meaning_and_remedy() {
    let rows = rows(&conditions(), "## Reasons");
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        assert_eq!(row.len(), 4, "reason, conditions, meaning, remedy: {row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        for condition in row[1].split(", ") {
            assert!(
                ConditionType::ALL
                    .iter()
                    .any(|kind| quoted(kind.as_str()) == condition),
                "{condition} in {row:?}"
            );
        }
        *seen.entry(&row[0]).or_default() += 1;
    }
    let reasons = Reason::ALL.map(|reason| quoted(reason.as_str()));
    for reason in &reasons {
        assert_eq!(seen.remove(reason.as_str()), Some(1), "{reason}");
    }
    assert!(seen.is_empty(), "no such reasons: {seen:?}");
}

#[test]
fn whatever_can_be_wrong_has_a_row_in_the_troubleshooting() {
    let document = fs::read_to_string(places::repository().join("docs/troubleshooting.md")).unwrap();
    let told = rows(&document, "## The object");
    let wrong = Reason::ALL
        .into_iter()
        .filter(|reason| reason.polarity() != Polarity::Good);
    for reason in wrong {
        let word = quoted(reason.as_str());
        let rows = told
            .iter()
            .filter(|row| row[0].split(", ").any(|named| named == word));
        assert_eq!(rows.count(), 1, "{word}");
    }
}

/// The items of a list, or the one thing that stands in its place.
fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().map(|text| vec![text.to_owned()]);
    one.unwrap_or_else(|| serde_json::from_value(value.clone()).unwrap())
}

fn permissions() -> String {
    fs::read_to_string(places::repository().join("docs/aws-permissions.md")).unwrap()
}

#[test]
fn the_policy_to_start_from_allows_exactly_the_documented_actions() {
    let policy = operator_policy().unwrap();
    let allowed: BTreeSet<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| texts(&statement["Action"]))
        .map(|action| quoted(&action))
        .collect();
    // Always allowed, whatever a policy says.
    let unneeded = quoted("sts:GetCallerIdentity");
    let rows = rows(&permissions(), "## Actions");
    let documented: BTreeSet<String> = rows
        .iter()
        .map(|row| row[0].clone())
        .filter(|row| *row != unneeded)
        .collect();
    assert_eq!(allowed, documented);
    assert_eq!(rows.len(), documented.len() + 1, "each action has one row");
}

#[test]
fn every_star_in_a_resource_of_the_policy_has_its_reason() {
    let policy = operator_policy().unwrap();
    let wide: Vec<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| {
            texts(&statement["Resource"])
                .iter()
                .any(|resource| resource.contains('*'))
        })
        .map(|statement| quoted(statement["Sid"].as_str().unwrap()))
        .collect();
    let rows = rows(&permissions(), "## Why its resources have stars");
    let explained: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(explained, wide);
    assert!(
        rows.iter().all(|row| row.len() == 2 && row[1].len() > 40),
        "{rows:?}"
    );
    // Never everything, and never an action of any name.
    for statement in policy["Statement"].as_array().unwrap() {
        assert!(
            !texts(&statement["Resource"]).contains(&"*".to_owned()),
            "{statement}"
        );
        assert!(
            texts(&statement["Action"])
                .iter()
                .all(|action| !action.contains('*')),
            "{statement}"
        );
    }
}
