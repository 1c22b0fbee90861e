//! What is in the binary that is built, and what is not.

use jwthttpapi::leader::LEASE_NAME;
use jwthttpapi_test_support::places;
use std::fs;

/// The bugs that can be planted, from the lines of their table: `Name: "source", "what";`.
fn bugs(source: &str) -> Vec<&str> {
    let table = source.lines().filter(|line| line.trim_end().ends_with("\";"));
    let names = table.filter_map(|line| line.split_once(": \""));
    names.map(|(name, _)| name.trim()).collect()
}

#[test]
fn the_binary_holds_no_planted_bug() {
    let source = fs::read_to_string(places::repository().join("crates/core/src/planted.rs")).unwrap();
    let bugs = bugs(&source);
    assert!(bugs.len() >= 39, "{bugs:?}");
    let binary = fs::read(env!("CARGO_BIN_EXE_jwthttpapi")).unwrap();
    let binary = String::from_utf8_lossy(&binary);
    assert!(binary.contains(LEASE_NAME));
    let after = binary.split("planted:").skip(1);
    let held: Vec<&&str> = after
        .filter_map(|text| bugs.iter().find(|bug| text.starts_with(**bug)))
        .collect();
    assert!(held.is_empty(), "{held:?}");
}
