//! SIGTERM in the middle of a creation: the request in flight ends, nothing new begins, the lease goes last, and the next
//! process finishes what this one began.

use crate::ground::{Ground, LIMIT, prompt, route};
use jwthttpapi_test_support::{Operator, Proxy, Side, Sort};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CHILDREN: [(&str, usize); 4] = [
    ("routes", 2),
    ("integrations", 2),
    ("authorizers", 1),
    ("stages", 1),
];
/// What a process may take to end beyond the request in flight.
const GRACE: Duration = Duration::from_secs(5);

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

/// A creation that is interrupted where `hold` says: `held` waits until a request is kept back there, `release` lets it
/// go on, and it is the last write to AWS, if it is one.
fn interrupted(
    hold: impl FnOnce(&Ground, &Proxy),
    held: impl FnOnce(&Ground, &Proxy),
    release: impl FnOnce(&Ground, &Proxy),
) {
    let ground = Ground::new(&prompt());
    ground.functions(&["one", "two"]);
    let proxy = Proxy::start(ground.cluster).unwrap();
    let elected = ["--leader-elect=true"];
    let mut first = ground.operator_through(&proxy, &elected);
    hold(&ground, &proxy);
    let routes = json!({"routes": [route("GET /one", "one"), route("GET /two", "two")]});
    ground.apply("hello", &ground.spec(&routes));
    held(&ground, &proxy);
    stop(&mut first);
    let mark = ground.aws().journal_mark().unwrap();
    assert_ne!(
        holder(&ground),
        "",
        "the lease is kept while a request is in flight"
    );
    release(&ground, &proxy);
    let began = Instant::now();
    assert_eq!(first.process().wait(LIMIT).unwrap(), 0);
    println!("ended {:?} after its last request went on", began.elapsed());
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
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
    ground.ready("hello");
    ground.one_api("hello", &CHILDREN);
    let committed = |operation: &str| {
        let calls = ground.calls(0);
        let made = calls.iter().filter(|call| call.committed);
        made.filter(|call| call.operation == operation).count()
    };
    for (operation, times) in [("CreateApi", 1), ("CreateRoute", 2), ("CreateIntegration", 2)] {
        assert_eq!(committed(operation), times, "{operation}");
    }
}

fn interrupted_before(operation: &str) {
    let rule: Value = json!({"operation": operation, "action": {"kind": "hold", "when": "before"}});
    interrupted(
        |ground, _| {
            ground.aws().add_fault(&rule).unwrap();
        },
        |ground, _| {
            let mut last = 0;
            loop {
                let watched = ground.aws().wait(last, LIMIT).unwrap();
                assert!(!watched.timed_out, "no {operation}");
                if !watched.held.is_empty() {
                    break;
                }
                last = watched.last;
            }
        },
        |ground, _| ground.aws().release(None, false).unwrap(),
    );
}

#[test]
fn asked_to_stop_before_the_api_is_made_the_process_makes_it_and_nothing_more() {
    interrupted_before("CreateApi");
}

#[test]
fn asked_to_stop_before_a_route_is_made_the_process_makes_it_and_nothing_more() {
    interrupted_before("CreateRoute");
}

#[test]
fn asked_to_stop_while_the_intent_is_written_the_process_makes_no_api() {
    interrupted(
        |_, proxy| proxy.hold(Sort::Write, 2, Side::Before),
        |_, proxy| {
            let held = proxy.held(LIMIT).unwrap();
            assert!(held.path.contains("/hello/status"), "{held:?}");
        },
        |_, proxy| proxy.release(false),
    );
}
