//! The core is pure because nothing that it is built from could make it otherwise.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests and sees no test in a function that one calls"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Names, or beginnings of names, of runtimes, clients and sources of randomness.
const IMPURE: [&str; 14] = [
    "tokio",
    "async-std",
    "smol",
    "mio",
    "hyper",
    "reqwest",
    "aws-",
    "rustls",
    "kube-client",
    "kube-runtime",
    "rand",
    "fastrand",
    "getrandom",
    "socket2",
];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|prefix| name.starts_with(prefix))
}

#[test]
fn the_core_declares_no_client_and_no_feature_that_brings_one() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let core = packages
        .iter()
        .find(|package| package["name"] == "jwthttpapi-core")
        .unwrap();
    let dependencies = core["dependencies"].as_array().unwrap();
    let normal: Vec<&Value> = dependencies
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .collect();
    for dependency in &normal {
        assert!(!is_impure(dependency["name"].as_str().unwrap()), "{dependency}");
    }
    let kube = normal
        .iter()
        .find(|dependency| dependency["name"] == "kube")
        .unwrap();
    assert_eq!(kube["uses_default_features"], Value::Bool(false));
    assert_eq!(kube["features"], serde_json::json!(["derive"]));
}

/// What a build of the core alone links. `cargo metadata` cannot say it: it adds up the features of the whole workspace.
#[test]
fn the_core_links_no_runtime_no_client_and_no_randomness() {
    let tree = cargo(&[
        "tree",
        "-p",
        "jwthttpapi-core",
        "-e",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        names.contains("serde_json") && names.contains("k8s-openapi"),
        "{names:?}"
    );
    let impure: Vec<&&str> = names.iter().filter(|name| is_impure(name)).collect();
    assert!(impure.is_empty(), "{impure:?}");
}

#[test]
fn clippy_keeps_clocks_out_of_the_core() {
    let rules = include_str!("../clippy.toml");
    for clock in [
        "std::time::SystemTime::now",
        "std::time::Instant::now",
        "k8s_openapi::jiff::Timestamp::now",
        "k8s_openapi::jiff::Zoned::now",
    ] {
        assert!(rules.contains(&format!("path = \"{clock}\"")), "{clock}");
    }
    // A clippy.toml in a crate replaces the workspace's: what that says has to stand here, too.
    let workspace = include_str!("../../../clippy.toml");
    for line in workspace
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with([' ', '#']))
    {
        let key = line.split(" = ").next().unwrap();
        assert!(rules.contains(key), "{line}");
    }
}
