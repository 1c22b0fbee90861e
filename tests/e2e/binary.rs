//! What is in the binary that is built, and what is not.

use jwthttpapi::leader::LEASE_NAME;
use jwthttpapi_test_support::{command, known_bugs, places, planted_in};
use std::{env, fs, path::Path, process::Command};

#[test]
fn the_binary_holds_no_planted_bug() {
    let path = Path::new(env!("CARGO_BIN_EXE_jwthttpapi"));
    let binary = fs::read(path).unwrap();
    assert!(String::from_utf8_lossy(&binary).contains(LEASE_NAME));
    assert_eq!(planted_in(path).unwrap(), [].into());
}

/// Else the test above, and the same look at the release binary by `make bench`, would find nothing anywhere.
#[test]
fn a_binary_in_which_a_bug_can_be_planted_holds_the_names_of_all_even_optimised_as_a_release_is() {
    let bugs = known_bugs().unwrap();
    assert!(bugs.len() >= 39, "{bugs:?}");
    let directory = places::scratch("planted").unwrap();
    let table = places::repository().join("crates/core/src/planted.rs");
    // One that plants nothing, and asks for one bug: most of the table is of no use to it.
    let program = format!(
        "#![allow(dead_code)] #[path = {:?}] mod planted;
         fn main() {{ println!(\"{{}}\", planted::is(planted::Bug::NoFence)); }}",
        table.display().to_string()
    );
    let (source, binary) = (directory.path().join("main.rs"), directory.path().join("main"));
    fs::write(&source, program).unwrap();
    let release = ["opt-level=s", "lto=fat", "codegen-units=1", "strip=symbols"];
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args(["--edition=2024", "--cap-lints=allow"])
        .args(release.iter().flat_map(|option| ["-C", option]))
        .arg("-o")
        .args([&binary, &source]);
    command::run(&mut rustc, None).unwrap();
    assert_eq!(planted_in(&binary).unwrap(), bugs);
}
