//! The demo, as `make demo` tells it.

use jwthttpapi_test_support::{command, places};
use std::process::Command;

/// It holds each answer, each write and the state in the end against what it tells, and ends with an error when one is another.
#[test]
fn the_demo_comes_as_it_is_told() {
    let demo = places::binary("jwthttpapi-local").unwrap();
    let told = command::run(Command::new(demo).arg("demo"), None).unwrap();
    println!("{told}");
    assert!(
        told.contains("12 writes: the minimum, none of them refused."),
        "{told}"
    );
    assert!(told.contains("AWS is as it was before: empty."), "{told}");
}
