//! The API server and AWS away for a while, in the middle of work and at rest: the operator lives through it, or ends as it
//! promised, and what was begun is finished once.

use crate::ground::{Ground, LIMIT, condition, prompt, route};
use jwthttpapi_test_support::{JournalEntry, Line, Operator, deadline};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CHILDREN: [(&str, usize); 4] = [
    ("routes", 1),
    ("integrations", 1),
    ("authorizers", 1),
    ("stages", 1),
];
/// After so long without a renewal a leader ends: 10 s, the pause before the try that finds it out, and that try.
const LEASE_LOST: Duration = Duration::from_secs(10 + 2 + 5);
/// Room for a busy machine to start, end and notice things.
const SLACK: Duration = Duration::from_secs(5);

/// How long AWS refuses connections.
const AWAY: Duration = Duration::from_mins(1);
/// What an object waits for its next look at most, however often it has failed: a minute, and a fifth more.
const NEXT_LOOK: Duration = Duration::from_secs(72);

/// What one look at the object asks of AWS: five lists, the role and its policy, the function.
const REQUESTS_OF_A_LOOK: f64 = 8.0;

fn hello(ground: &Ground) -> Value {
    ground.spec(&json!({"routes": [route("GET /test", "hello")]}))
}

/// Keeps the next request of an operation back, before it is carried out.
fn hold(ground: &Ground, operation: &str) {
    let rule = json!({"operation": operation, "action": {"kind": "hold", "when": "before"}});
    ground.aws().add_fault(&rule).unwrap();
}

/// Waits until a request is kept back.
fn held(ground: &Ground) {
    let mut last = 0;
    loop {
        let watched = ground.aws().wait(last, LIMIT).unwrap();
        assert!(!watched.timed_out, "nothing is kept back");
        if !watched.held.is_empty() {
            return;
        }
        last = watched.last;
    }
}

fn committed(calls: &[JournalEntry], operation: &str) -> usize {
    let made = calls.iter().filter(|call| call.committed);
    made.filter(|call| call.operation == operation).count()
}

#[test]
fn an_api_server_that_restarts_during_a_creation_or_at_rest_costs_nothing_but_time() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let mut operator = ground.operator(&[]);
    hold(&ground, "CreateApi");
    ground.apply("hello", &hello(&ground));
    held(&ground);
    ground.cluster.stop_api_server().unwrap();
    // AWS makes the API, and its id cannot be written down.
    ground.aws().release(None, false).unwrap();
    ground.cluster.start_api_server().unwrap();
    let took = ground.ready("hello");
    println!("ready {took:?} after the API server was back in the middle of a creation");
    ground.one_api("hello", &CHILDREN);
    assert_eq!(committed(&ground.calls(0), "CreateApi"), 1);

    ground.cluster.stop_api_server().unwrap();
    ground.cluster.start_api_server().unwrap();
    ground.patch("hello", &json!({"spec": {"description": "after the restart"}}));
    let took = ground.ready("hello");
    println!("an edit was in force {took:?} after it, the API server just back");
    let id = ground.api_id("hello");
    let api = ground
        .aws()
        .aws("apigateway", "GET", &format!("/v2/apis/{id}"), None)
        .unwrap();
    assert_eq!(api["description"], "after the restart");
    assert_eq!(
        operator.process().try_exit().unwrap(),
        None,
        "the operator lived through it"
    );
}

#[test]
fn a_leader_that_cannot_renew_its_lease_ends_and_the_next_process_finishes() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    ground.free_lease();
    let elected = ["--leader-elect=true"];
    let mut first = ground.operator(&elected);
    hold(&ground, "CreateRoute");
    ground.apply("hello", &hello(&ground));
    held(&ground);
    ground.cluster.stop_api_server().unwrap();
    let began = Instant::now();
    ground.aws().release(None, false).unwrap();
    assert_eq!(first.process().wait(LIMIT).unwrap(), 1);
    println!("ended {:?} after the API server", began.elapsed());
    assert!(began.elapsed() < LEASE_LOST + SLACK, "{:?}", began.elapsed());
    assert!(
        first
            .process()
            .lines()
            .iter()
            .any(|line| line.contains("leadership was lost"))
    );
    ground.cluster.start_api_server().unwrap();
    let _second = ground.operator(&elected);
    ground.ready("hello");
    ground.one_api("hello", &CHILDREN);
    for operation in ["CreateApi", "CreateRoute", "CreateIntegration"] {
        assert_eq!(committed(&ground.calls(0), operation), 1, "{operation}");
    }
}

/// Reconciles that failed so far.
fn failures(operator: &Operator) -> f64 {
    let metrics = operator.metrics().unwrap();
    let failed = metrics
        .iter()
        .filter(|(series, _)| series.starts_with("controller_runtime_reconcile_errors_total"));
    failed.map(|(_, value)| value).sum()
}

/// Requests to AWS so far, answered or not.
fn requests(operator: &Operator) -> f64 {
    let metrics = operator.metrics().unwrap();
    let sent = metrics
        .iter()
        .filter(|(series, _)| series.starts_with("jwthttpapi_aws_requests_total"));
    sent.map(|(_, value)| value).sum()
}

#[test]
fn an_aws_that_falls_silent_is_named_asked_ever_less_often_and_nothing_is_doubled() {
    let mut ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let operator = ground.operator(&[]);
    hold(&ground, "CreateIntegration");
    ground.apply("hello", &hello(&ground));
    held(&ground);
    // What is kept back never arrives; what comes from now on waits in the kernel, and nobody answers it.
    ground.aws().release(None, true).unwrap();
    ground.sandbox.process().freeze();
    let (began, before) = (Instant::now(), requests(&operator));
    ground.unready("hello", "AwsUnreachable");
    deadline::poll("the fourth failure", LIMIT, || {
        Ok((failures(&operator) >= 4.0).then_some(()))
    })
    .unwrap();
    let (away, sent) = (began.elapsed(), requests(&operator) - before);
    println!("AWS was away for {away:?}: 4 failures, {sent} requests");
    // Between the failures lie 2, 4 and 8 s at least, and 10 s of waiting for answers in each.
    assert!(away >= Duration::from_secs(2 + 4 + 8 + 3 * 10), "{away:?}");
    assert!(sent <= 4.0 * REQUESTS_OF_A_LOOK, "{sent} requests");
    let object = ground.object("hello");
    assert_eq!(condition(&object, "Ready").unwrap()["reason"], "AwsUnreachable");
    ground.sandbox.process().thaw();
    ground.verify("hello", "1");
    let took = ground.ready("hello");
    println!("ready {took:?} after AWS was back");
    ground.one_api("hello", &CHILDREN);
    let calls = ground.calls(0);
    for operation in [
        "CreateApi",
        "CreateRole",
        "CreateRoute",
        "CreateIntegration",
        "CreateStage",
    ] {
        assert_eq!(committed(&calls, operation), 1, "{operation}");
    }
}

/// Waits until so many requests are kept back.
fn all_held(ground: &Ground, count: usize) {
    deadline::poll("all that is to be kept back", LIMIT, || {
        let mark = ground.aws().journal_mark()?;
        let watched = ground.aws().wait(mark, LIMIT)?;
        Ok((watched.held.len() == count).then_some(()))
    })
    .unwrap();
}

/// The reason that a condition is true, or false, for.
fn reason(ground: &Ground, name: &str, kind: &str) -> Value {
    let object = ground.object(name);
    condition(&object, kind).map_or(Value::Null, |condition| condition["reason"].clone())
}

#[test]
fn an_edit_and_a_deletion_outlive_a_minute_in_which_aws_refuses_every_connection_and_are_finished_without_a_restart()
 {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello", "other"]);
    let mut line = Line::start(ground.aws().url()).unwrap();
    let mut operator = ground.operator(&[&format!("--aws-endpoint-url={}", line.url())]);
    for name in ["edited", "deleted"] {
        ground.apply(name, &hello(&ground));
        ground.ready(name);
    }
    let mark = ground.aws().journal_mark().unwrap();
    hold(&ground, "UpdateRoute");
    ground.apply(
        "edited",
        &ground.spec(&json!({"routes": [route("GET /test", "other")]})),
    );
    all_held(&ground, 1);
    hold(&ground, "DeleteApi");
    ground.kubectl(&["delete", "jwthttpapi", "deleted", "--wait=false"]);
    all_held(&ground, 2);
    line.cut().unwrap();
    // What is kept back never arrives.
    ground.aws().release(None, true).unwrap();
    ground.aws().clear_faults().unwrap();
    let (began, before) = (Instant::now(), requests(&operator));
    ground.unready("edited", "AwsUnreachable");
    ground.unready("deleted", "AwsUnreachable");
    deadline::poll("the end of the minute", LIMIT, || {
        for name in ["edited", "deleted"] {
            assert_eq!(reason(&ground, name, "Ready"), "AwsUnreachable", "{name}");
        }
        Ok((began.elapsed() >= AWAY).then_some(()))
    })
    .unwrap();
    assert_eq!(reason(&ground, "deleted", "DeletionBlocked"), "AwsUnreachable");
    let (failed, sent) = (failures(&operator), requests(&operator) - before);
    println!("AWS refused connections for {AWAY:?}: {failed} failures, {sent} requests");
    assert!(failed >= 2.0 * 5.0, "{failed} failures");
    assert!(sent <= failed * REQUESTS_OF_A_LOOK, "{sent} requests");

    line.mend().unwrap();
    let mended = Instant::now();
    ground.ready("edited");
    ground.kubectl(&["wait", "--for=delete", "jwthttpapi/deleted", "--timeout=120s"]);
    println!("all was done {:?} after AWS was back", mended.elapsed());
    assert!(mended.elapsed() < NEXT_LOOK + SLACK, "{:?}", mended.elapsed());
    assert_eq!(
        operator.process().try_exit().unwrap(),
        None,
        "nobody restarted it"
    );
    ground.one_api("edited", &CHILDREN);
    let calls = ground.calls(mark);
    for (operation, times) in [
        ("CreateApi", 0),
        ("CreateIntegration", 1),
        ("UpdateRoute", 1),
        ("DeleteIntegration", 1),
        ("DeleteApi", 1),
        ("DeleteRole", 1),
    ] {
        assert_eq!(committed(&calls, operation), times, "{operation}");
    }
}
