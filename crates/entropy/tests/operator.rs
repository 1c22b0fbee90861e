//! What simulates is no part of what is shipped.

use std::process::Command;

#[test]
fn the_operator_links_nothing_of_the_simulation() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "jwthttpapi",
            "--edges",
            "normal",
        ])
        .args(["--prefix", "none", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(
        tree.lines().any(|line| line.starts_with("jwthttpapi-core ")),
        "{tree}"
    );
    for other in [
        "jwthttpapi-entropy",
        "jwthttpapi-sandbox",
        "jwthttpapi-simulation",
    ] {
        assert!(
            !tree.lines().any(|line| line.starts_with(other)),
            "{other} is linked"
        );
    }
}
