//! One leader at a time, and a follower that is ready when it falls.

use crate::ground::{Ground, LIMIT, prompt, route};
use serde_json::json;
use std::time::{Duration, Instant};

/// From now until the first request to AWS.
fn first_request(ground: &Ground) -> Duration {
    let began = Instant::now();
    let mark = ground.aws().journal_mark().unwrap();
    let watched = ground.aws().wait(mark, LIMIT).unwrap();
    assert!(!watched.timed_out, "nobody took over");
    began.elapsed()
}

#[test]
fn a_follower_takes_over_within_eighteen_seconds_of_a_death_and_three_of_a_release() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    ground.free_lease();
    let elected = ["--leader-elect=true"];
    let mut first = ground.operator(&elected);
    ground.apply(
        "hello",
        &ground.spec(&json!({"routes": [route("GET /test", "hello")]})),
    );
    ground.ready("hello");
    let mut second = ground.operator(&elected);
    first.process().kill().unwrap();
    let after_death = first_request(&ground);
    ground.kubectl(&[
        "annotate",
        "jwthttpapi",
        "hello",
        "reconcile.jwthttpapi.dev/requestedAt=second",
    ]);
    ground.until("hello", "the second's visit", |object| {
        object["status"]["lastHandledReconcileAt"] == "second"
    });
    let _third = ground.operator(&elected);
    second.process().terminate();
    let after_release = first_request(&ground);
    assert_eq!(second.process().wait(LIMIT).unwrap(), 0);
    println!("taken over {after_death:?} after a death, {after_release:?} after a release");
    assert!(after_death <= Duration::from_secs(18), "{after_death:?}");
    assert!(after_release <= Duration::from_secs(3), "{after_release:?}");
}
