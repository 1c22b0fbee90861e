//! The process killed with -9 at every request to AWS, one after the other, with the request carried out and its answer
//! held back: each time one API and Ready in the end, or nothing left.

use crate::ground::{Ground, prompt, route};
use jwthttpapi_test_support::OPERATOR_ACCESS_KEY;
use serde_json::{Value, json};

/// Kills an operator at each request of what `begin` causes, until one gets through; how often it was killed.
fn kill_at_every_call(ground: &Ground, begin: impl FnOnce(), through: impl Fn() -> bool) -> usize {
    let mut kills = 0;
    let mut begin = Some(begin);
    loop {
        let mark = ground.aws().journal_mark().unwrap();
        let hold = json!({
            "access_key": OPERATOR_ACCESS_KEY, "from": kills + 1, "action": {"kind": "hold", "when": "after"},
        });
        ground.aws().add_fault(&hold).unwrap();
        let mut operator = ground.operator(&[]);
        if let Some(begin) = begin.take() {
            begin();
        }
        let mut last = mark;
        let held = loop {
            let watched = ground
                .aws()
                .wait(last, std::time::Duration::from_millis(500))
                .unwrap();
            last = watched.last;
            if !watched.held.is_empty() {
                break true;
            }
            if watched.timed_out && through() {
                break false;
            }
        };
        operator.process().kill().unwrap();
        ground.aws().clear_faults().unwrap();
        ground.aws().release(None, false).unwrap();
        if !held {
            return kills;
        }
        kills += 1;
    }
}

const CHILDREN: [(&str, usize); 4] = [
    ("routes", 2),
    ("integrations", 2),
    ("authorizers", 1),
    ("stages", 1),
];

fn survives(mode: &str) {
    let ground = Ground::new(&prompt());
    ground.functions(&["one", "two", "other"]);
    let before = ground.state();
    let spec = |second: &str| -> Value {
        ground.spec(&json!({
            "invocation": {"mode": mode}, "routes": [route("GET /one", "one"), route("GET /two", second)],
        }))
    };
    let created = kill_at_every_call(
        &ground,
        || ground.apply("hello", &spec("two")),
        || ground.is_ready("hello"),
    );
    ground.one_api("hello", &CHILDREN);
    let edited = kill_at_every_call(
        &ground,
        || ground.apply("hello", &spec("other")),
        || ground.is_ready("hello"),
    );
    ground.one_api("hello", &CHILDREN);
    let deleted = kill_at_every_call(
        &ground,
        || {
            ground.kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
        },
        || ground.is_gone(),
    );
    ground.gone();
    assert_eq!(ground.state(), before);
    println!("{mode}: killed {created} times in creation, {edited} in an edit, {deleted} in deletion");
    assert!(
        created >= 11 && edited >= 4 && deleted >= 2,
        "{created} {edited} {deleted}"
    );
}

#[test]
fn killed_at_every_call_in_role_mode_one_api_is_ready_in_the_end_or_nothing_left() {
    survives("Role");
}

#[test]
fn killed_at_every_call_in_resource_policy_mode_one_api_is_ready_in_the_end_or_nothing_left() {
    survives("ResourcePolicy");
}
