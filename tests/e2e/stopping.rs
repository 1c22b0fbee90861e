//! SIGTERM in the middle of a creation, an edit or a deletion: the request in flight ends, nothing new begins, the lease goes
//! last, and the next process finishes what this one began.

use crate::ground::{Ground, LIMIT, prompt, route};
use jwthttpapi_test_support::{Operator, Proxy, Side, Sort};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const CHILDREN: [(&str, usize); 4] = [
    ("routes", 2),
    ("integrations", 2),
    ("authorizers", 1),
    ("stages", 1),
];
/// What a process may take to end beyond the request in flight.
const GRACE: Duration = Duration::from_secs(5);
/// What Kubernetes gives a process between SIGTERM and SIGKILL.
const KILLED_AFTER: Duration = Duration::from_secs(30);

/// The part of a life that is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Creation,
    Edit,
    Deletion,
}

/// The request in flight at the signal, kept back before it is carried out.
#[derive(Clone, Copy, Debug)]
enum InFlight {
    /// The first of an operation in AWS.
    Aws(&'static str),
    /// The n-th write to Kubernetes, of the object's status.
    Status(u64),
}

/// The lease as it is stored.
fn holder(ground: &Ground) -> String {
    let lease = ["get", "lease", "jwthttpapi-leader", "-n", "jwthttpapi-system"];
    let output = ["-o", "jsonpath={.spec.holderIdentity}"];
    ground.kubectl(&[&lease[..], &output[..]].concat())
}

/// Asks an operator to stop, and waits until it has heard.
fn stop(operator: &mut Operator) {
    operator.process().terminate();
    operator
        .process()
        .wait_for_line("that it is stopping", LIMIT, |line| {
            line.contains("stopping").then_some(())
        })
        .unwrap();
}

fn begin(ground: &Ground, part: Part) {
    let apply = |second: &str| {
        let routes = json!({"routes": [route("GET /one", "one"), route("GET /two", second)]});
        ground.apply("hello", &ground.spec(&routes));
    };
    match part {
        Part::Creation => apply("two"),
        Part::Edit => apply("other"),
        Part::Deletion => {
            ground.kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
        }
    }
}

/// Waits until the request is kept back.
fn held(ground: &Ground, proxy: &Proxy, request: InFlight) {
    match request {
        InFlight::Status(_) => {
            let held = proxy.held(LIMIT).unwrap();
            assert!(held.path.contains("/hello/status"), "{held:?}");
        }
        InFlight::Aws(operation) => {
            let mut last = 0;
            loop {
                let watched = ground.aws().wait(last, LIMIT).unwrap();
                if !watched.held.is_empty() {
                    break;
                }
                assert!(!watched.timed_out, "no {operation}");
                last = watched.last;
            }
        }
    }
}

fn interrupted(part: Part, request: InFlight) {
    let ground = Ground::new(&prompt());
    ground.functions(&["one", "two", "other"]);
    let before = ground.state();
    ground.free_lease();
    let proxy = Proxy::start(ground.cluster).unwrap();
    let elected = ["--leader-elect=true"];
    let mut first = ground.operator_through(&proxy, &elected);
    if part != Part::Creation {
        begin(&ground, Part::Creation);
        ground.ready("hello");
    }
    let began = ground.aws().journal_mark().unwrap();
    match request {
        InFlight::Status(nth) => proxy.hold(Sort::Write, nth, Side::Before),
        InFlight::Aws(operation) => {
            let rule: Value = json!({"operation": operation, "action": {"kind": "hold", "when": "before"}});
            ground.aws().add_fault(&rule).unwrap();
        }
    }
    begin(&ground, part);
    held(&ground, &proxy, request);
    let signalled = Instant::now();
    stop(&mut first);
    let mark = ground.aws().journal_mark().unwrap();
    assert_ne!(
        holder(&ground),
        "",
        "the lease is kept while a request is in flight"
    );
    let released = Instant::now();
    ground.aws().release(None, false).unwrap();
    proxy.release(false);
    assert_eq!(first.process().wait(LIMIT).unwrap(), 0);
    println!(
        "{part:?}, {request:?}: ended {:?} after its last request went on",
        released.elapsed()
    );
    assert!(released.elapsed() < GRACE, "{:?}", released.elapsed());
    assert!(signalled.elapsed() < KILLED_AFTER, "{:?}", signalled.elapsed());
    // A write to the status comes before every step of its pass.
    let mark = if matches!(request, InFlight::Status(_)) {
        began
    } else {
        mark
    };
    let begun: Vec<String> = ground
        .calls(mark)
        .into_iter()
        .filter(|call| call.mutating)
        .map(|call| call.operation)
        .collect();
    assert_eq!(begun, Vec::<String>::new(), "no step begins after the signal");
    let last = proxy.requests().pop().unwrap();
    assert_eq!((last.sort, &*last.method), (Sort::Lease, "PUT"));
    assert_eq!(holder(&ground), "");

    let _second = ground.operator_through(&proxy, &elected);
    finished(&ground, part, began, &before);
}

/// That the next process finished what was begun, and did nothing twice.
fn finished(ground: &Ground, part: Part, since: u64, before: &str) {
    let wanted: &[(&str, usize)] = match part {
        Part::Creation => &[("CreateApi", 1), ("CreateRoute", 2), ("CreateIntegration", 2)],
        Part::Edit => &[
            ("CreateIntegration", 1),
            ("UpdateRoute", 1),
            ("DeleteIntegration", 1),
            ("DeleteRoute", 0),
        ],
        Part::Deletion => &[("DeleteApi", 1), ("DeleteRolePolicy", 1), ("DeleteRole", 1)],
    };
    if part == Part::Deletion {
        ground.gone();
        assert_eq!(ground.state(), before);
    } else {
        ground.ready("hello");
        ground.one_api("hello", &CHILDREN);
    }
    let calls = ground.calls(since);
    for (operation, times) in wanted {
        let made = calls.iter().filter(|call| call.committed);
        let made = made.filter(|call| call.operation == *operation).count();
        assert_eq!(made, *times, "{operation}");
    }
}

#[test]
fn asked_to_stop_before_the_api_is_made_the_process_makes_it_and_nothing_more() {
    interrupted(Part::Creation, InFlight::Aws("CreateApi"));
}

#[test]
fn asked_to_stop_before_a_route_is_made_the_process_makes_it_and_nothing_more() {
    interrupted(Part::Creation, InFlight::Aws("CreateRoute"));
}

#[test]
fn asked_to_stop_while_the_intent_is_written_the_process_makes_no_api() {
    interrupted(Part::Creation, InFlight::Status(2));
}

#[test]
fn asked_to_stop_before_a_route_gets_another_function_the_process_gives_it_and_takes_nothing_away() {
    interrupted(Part::Edit, InFlight::Aws("UpdateRoute"));
}

#[test]
fn asked_to_stop_while_an_edit_is_announced_in_the_status_the_process_begins_no_step_of_it() {
    interrupted(Part::Edit, InFlight::Status(1));
}

#[test]
fn asked_to_stop_before_the_api_is_deleted_the_process_deletes_it_and_leaves_the_rest() {
    interrupted(Part::Deletion, InFlight::Aws("DeleteApi"));
}

#[test]
fn asked_to_stop_before_a_role_loses_its_policy_the_process_leaves_the_role() {
    interrupted(Part::Deletion, InFlight::Aws("DeleteRolePolicy"));
}

#[test]
fn asked_to_stop_before_the_api_server_answers_the_process_ends() {
    let ground = Ground::new(&prompt());
    let nowhere = ground.directory().join("nowhere");
    let way = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "nowhere",
        "clusters": [{"name": "nowhere", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
        "users": [{"name": "nobody", "user": {}}],
    });
    std::fs::write(&nowhere, way.to_string()).unwrap();
    let launch = ground.launch(&[]).env("KUBECONFIG", &nowhere);
    let mut process = launch.spawn().unwrap();
    process
        .wait_for_line("that it waits", LIMIT, |line| {
            line.contains("does not answer yet").then_some(())
        })
        .unwrap();
    process.terminate();
    let signalled = Instant::now();
    assert_eq!(process.wait(LIMIT).unwrap(), 0);
    assert!(signalled.elapsed() < GRACE, "{:?}", signalled.elapsed());
}

#[test]
fn half_a_question_for_metrics_keeps_no_process_from_ending() {
    let ground = Ground::new(&prompt());
    let mut operator = ground.operator(&[]);
    let address = operator.url().trim_start_matches("http://").to_owned();
    let mut asker = TcpStream::connect(address).unwrap();
    asker.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    // Its server took the first connection before it answers the second.
    operator.metrics().unwrap();
    stop(&mut operator);
    let stopping = Instant::now();
    assert_eq!(operator.process().wait(LIMIT).unwrap(), 0);
    assert!(stopping.elapsed() < GRACE, "{:?}", stopping.elapsed());
    drop(asker);
}
