//! The core decides and does not act: no runtime, no client and no randomness is among what it is built with.

use std::{collections::BTreeSet, process::Command};

/// What acts, waits, draws lots or talks to somebody.
const IMPURE: [&str; 13] = [
    "async-std",
    "axum",
    "fastrand",
    "getrandom",
    "hyper",
    "kube-client",
    "kube-runtime",
    "mio",
    "rand",
    "reqwest",
    "rustls",
    "smol",
    "tokio",
];

/// Names of the packages that one of this workspace is built with, when it is built alone. `cargo metadata` would not do:
/// it unites the features that all packages of the workspace ask for.
fn built_with(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges=normal", "--prefix=none"])
        .args(["--package", package, "--format={p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn impure(packages: &BTreeSet<String>) -> Vec<&str> {
    packages
        .iter()
        .map(String::as_str)
        .filter(|name| IMPURE.contains(name) || name.starts_with("aws-"))
        .collect()
}

#[test]
fn the_core_is_built_without_runtime_client_and_randomness() {
    let core = built_with("jwthttpapi-core");
    assert_eq!(impure(&core), Vec::<&str>::new());
    assert!(
        core.contains("kube-core") && core.contains("serde_json"),
        "{core:?}"
    );
}

#[test]
fn the_shell_is_built_with_all_of_them() {
    let shell = built_with("jwthttpapi");
    for name in ["tokio", "kube-client", "aws-sdk-apigatewayv2"] {
        assert!(impure(&shell).contains(&name), "{name}");
    }
}
