//! Many routes, and what a budget does to neighbours.

use crate::ground::{Ground, prompt, route};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn routes(count: usize, function: impl Fn(usize) -> String) -> Vec<Value> {
    (0..count)
        .map(|number| route(&format!("GET /route/{number}"), &function(number)))
        .collect()
}

#[test]
fn three_hundred_routes_over_three_functions_work_in_role_mode() {
    let ground = Ground::new(&prompt());
    ground.functions(&["f0", "f1", "f2"]);
    let _operator = ground.operator(&[]);
    ground.apply(
        "big",
        &ground.spec(&json!({"routes": routes(300, |number| format!("f{}", number % 3))})),
    );
    println!(
        "300 routes over 3 functions: ready after {:?}",
        ground.ready("big")
    );
}

#[test]
fn three_hundred_functions_work_in_resource_policy_mode_and_are_refused_in_role_mode_before_any_write() {
    let ground = Ground::new(&prompt());
    let names: Vec<String> = (0..300).map(|number| format!("function-{number}")).collect();
    ground.functions(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let _operator = ground.operator(&[]);
    let mark = ground.aws().journal_mark().unwrap();
    let spec = |mode: &str| {
        ground.spec(&json!({"invocation": {"mode": mode}, "routes": routes(300, |number| format!("function-{number}"))}))
    };
    ground.apply("big", &spec("Role"));
    let message = ground.unready("big", "PolicyFull");
    assert!(message.contains("ResourcePolicy"), "{message}");
    assert!(ground.calls(mark).iter().all(|call| !call.mutating));
    ground.apply("big", &spec("ResourcePolicy"));
    println!(
        "300 functions by their policies: ready after {:?}",
        ground.ready("big")
    );
}

#[test]
fn while_a_big_creation_runs_under_the_budget_an_edit_elsewhere_and_a_closing_get_through_within_ten_seconds()
{
    let ground = Ground::new(&prompt());
    ground.functions(&["f0", "f1", "f2"]);
    let _operator = ground.operator(&["--apigateway-rate=5"]);
    let small =
        |scopes: &[&str]| ground.spec(&json!({"scopes": scopes, "routes": [route("GET /small", "f0")]}));
    ground.apply("small", &small(&[]));
    ground.ready("small");
    let big = |public: bool| {
        let mut routes = routes(300, |number| format!("f{}", number % 3));
        let mut first = json!({"routeKey": "GET /a/first", "lambda": {"name": "f0"}});
        if public {
            first["public"] = json!(true);
        }
        routes[0] = first;
        ground.spec(&json!({"routes": routes}))
    };
    ground.apply("big", &big(true));
    let made = |key: &str| {
        ground.aws().journal(0).unwrap().iter().any(|call| {
            call.operation == "CreateRoute" && call.committed && call.resource.as_deref() == Some(key)
        })
    };
    let mut last = 0;
    while !made("GET /a/first") {
        let watched = ground.aws().wait(last, crate::ground::LIMIT).unwrap();
        assert!(!watched.timed_out, "the public route was not made");
        last = watched.last;
    }
    let mark = ground.aws().journal_mark().unwrap();
    let began = Instant::now();
    ground.apply("small", &small(&["read"]));
    ground.apply("big", &big(false));
    let (mut edited, mut closed) = (None, None);
    let small_id = ground.api_id("small");
    let mut last = mark;
    while edited.is_none() || closed.is_none() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "edited {edited:?}, closed {closed:?}"
        );
        last = ground.aws().wait(last, Duration::from_secs(1)).unwrap().last;
        for call in ground
            .calls(mark)
            .iter()
            .filter(|call| call.operation == "UpdateRoute" && call.committed)
        {
            let slot = if call.target.as_deref() == Some(&small_id) {
                &mut edited
            } else {
                &mut closed
            };
            slot.get_or_insert_with(|| began.elapsed());
        }
    }
    println!(
        "while 300 routes are made: an edit elsewhere after {edited:?}, a route closed after {closed:?}"
    );
}
