//! Many routes and much code, and what a budget does to neighbours.

use crate::ground::{Ground, LIMIT, condition, prompt, route};
use jwthttpapi_test_support::{JournalEntry, Operator, REGION, deadline, places};
use serde_json::{Value, json};
use std::{
    fs,
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// Twenty edits a second and more.
const EDIT_EVERY: Duration = Duration::from_millis(45);
/// What an object has to wait for beside one that is edited all the time.
const PROMPTLY: Duration = Duration::from_secs(10);

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

/// A module of sixty thousand bytes that no archive makes much smaller.
fn code(seed: u64) -> String {
    let mut code = String::from("export const handler = async () => ({statusCode: 200, body: 'big'});\n// ");
    let mut number = seed;
    while code.len() < 60_000 {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let digit = u32::try_from(number >> 60).unwrap();
        code.push(char::from_digit(digit, 16).unwrap());
    }
    code
}

/// The most memory that the operator has had, in bytes.
fn peak(operator: &mut Operator) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", operator.process().id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// What the chart lets a container have, in bytes.
fn limit() -> u64 {
    let values = fs::read_to_string(places::repository().join("charts/jwthttpapi/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let limit = values["resources"]["limits"]["memory"].as_str().unwrap();
    limit.strip_suffix("Mi").unwrap().parse::<u64>().unwrap() * 1024 * 1024
}

#[test]
fn twenty_functions_of_sixty_kilobytes_are_made_and_changed_within_the_memory_that_the_chart_grants() {
    let ground = Ground::new(&prompt());
    let mut operator = ground.operator(&[]);
    let apply = |seed: u64| {
        let functions = (0..20).map(|number| {
            json!({"name": format!("f{number}"), "runtime": "nodejs24.x", "handler": "index.handler",
                "code": code(seed + number)})
        });
        let routes = (0..20).map(|number| {
            json!({"routeKey": format!("GET /{number}"), "lambda": {"function": format!("f{number}")}})
        });
        let spec = json!({"functions": functions.collect::<Vec<_>>(), "routes": routes.collect::<Vec<_>>()});
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"name": "big", "namespace": ground.namespace}, "spec": ground.spec(&spec),
        });
        ground.cluster.apply_server_side(&object.to_string()).unwrap();
        ground.ready("big")
    };
    let made = apply(0);
    ground.one_api("big", &[("routes", 20), ("integrations", 20)]);
    let mark = ground.aws().journal_mark().unwrap();
    let changed = apply(100);
    let updates = ground.calls(mark).into_iter().filter(|call| call.mutating);
    let updates: Vec<String> = updates.map(|call| call.operation).collect();
    assert_eq!(updates, ["UpdateFunctionCode"; 20]);
    let (peak, limit) = (peak(&mut operator), limit());
    println!(
        "20 functions of 60 kB: ready after {made:?}, their code changed after {changed:?}, at most {} of {} MiB",
        peak >> 20,
        limit >> 20
    );
    assert!(peak < limit, "{peak} of {limit} bytes");
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
        let watched = ground.aws().wait(last, LIMIT).unwrap();
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

/// Two at a time, under a budget: the crowd takes more than a minute.
#[test]
fn an_object_does_not_wait_behind_a_crowd_of_another_namespace() {
    const CROWD: usize = 40;
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&["--concurrency=2", "--apigateway-rate=5", "--apigateway-burst=5"]);
    let object = |namespace: &str, name: String| {
        json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"namespace": namespace, "name": name},
            "spec": ground.spec(&json!({"routes": [route("GET /test", "hello")]})),
        })
    };
    let crowd: Vec<Value> = (0..CROWD)
        .map(|number| object(&ground.namespace, format!("one-of-many-{number}")))
        .collect();
    let elsewhere = format!("{}-elsewhere", ground.namespace);
    ground
        .cluster
        .kubectl(["create", "namespace", &elsewhere])
        .unwrap();
    let crowd = json!({"apiVersion": "v1", "kind": "List", "items": crowd});
    ground.cluster.apply(&crowd.to_string()).unwrap();
    ground
        .cluster
        .apply(&object(&elsewhere, "alone".into()).to_string())
        .unwrap();
    let began = Instant::now();
    let wait = [
        "wait",
        "jwthttpapi/alone",
        "--for=condition=Ready",
        "--timeout=120s",
        "-n",
        &elsewhere,
    ];
    ground.cluster.kubectl(wait).unwrap();
    let made = began.elapsed();
    let crowd: Value = serde_json::from_str(&ground.kubectl(&["get", "jwthttpapi", "-o", "json"])).unwrap();
    let crowd = crowd["items"].as_array().unwrap();
    let is_ready =
        |object: &&Value| condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
    let ready = crowd.iter().filter(is_ready).count();
    ground
        .cluster
        .kubectl(["delete", "jwthttpapi", "alone", "-n", &elsewhere])
        .unwrap();
    ground
        .cluster
        .kubectl(["delete", "namespace", &elsewhere])
        .unwrap();
    println!(
        "beside a crowd of {CROWD} in another namespace: ready after {made:?}, when {ready} of the crowd were"
    );
    assert!(ready < CROWD / 4, "{ready}");
}

#[test]
fn an_object_that_is_edited_twenty_times_a_second_keeps_no_other_waiting_and_touches_nothing_of_its() {
    let ground = Ground::new(&prompt());
    ground.functions(&["busy", "calm"]);
    let _operator = ground.operator(&["--apigateway-rate=5"]);
    let spec = |function: &str, scopes: &[&str]| {
        ground.spec(&json!({"scopes": scopes, "routes": [route("GET /test", function)]}))
    };
    ground.apply("busy", &spec("busy", &[]));
    ground.ready("busy");
    let (stop, stopped) = channel::<()>();
    let (gate, path) = (ground.cluster.gate().unwrap(), ground.path("busy"));
    let editor = thread::spawn(move || {
        let (began, mut edits) = (Instant::now(), 0_u32);
        while stopped.recv_timeout(EDIT_EVERY) == Err(RecvTimeoutError::Timeout) {
            edits += 1;
            let edit = json!({"spec": {"scopes": [format!("scope-{edits}")], "description": format!("edit {edits}")}});
            gate.merge(&path, &edit).unwrap();
        }
        (edits, began.elapsed())
    });
    let mark = ground.aws().journal_mark().unwrap();
    ground.apply("calm", &spec("calm", &[]));
    let made = ground.ready("calm");
    ground.apply("calm", &spec("calm", &["read"]));
    let edited = ground.ready("calm");
    // What the busy one does from now on is all that happens.
    let since = ground.aws().journal_mark().unwrap();
    let status = ground.object("calm")["status"].clone();
    let role = status["roleArn"].as_str().unwrap().rsplit('/').next().unwrap();
    let calm = || {
        let state = ground.aws().state().unwrap();
        let one = |things: &Value, key: &str, wanted: &Value| {
            let things = things.as_array().unwrap();
            things
                .iter()
                .find(|thing| thing[key] == *wanted)
                .cloned()
                .unwrap()
        };
        let apis = &state["regions"][REGION]["apis"];
        let api = one(apis, "apiId", &status["apiId"]);
        (api, one(&state["roles"], "Arn", &status["roleArn"]))
    };
    let before = calm();
    let asked = || ground.calls(since).len();
    deadline::poll(
        "as many more requests as ten looks at the busy one",
        LIMIT,
        || Ok((asked() >= 10 * 5).then_some(())),
    )
    .unwrap();
    stop.send(()).unwrap();
    let (edits, took) = editor.join().unwrap();
    ground.ready("busy");
    println!("beside {edits} edits in {took:?}: ready after {made:?}, an edit in force after {edited:?}");
    assert!(
        f64::from(edits) >= 10.0 * took.as_secs_f64(),
        "{edits} edits in {took:?}"
    );
    assert!(made < PROMPTLY && edited < PROMPTLY, "{made:?} {edited:?}");
    assert_eq!(calm(), before);
    let touched = |call: &JournalEntry| {
        let target = call.target.as_deref();
        target.is_some() && (target == status["apiId"].as_str() || target == Some(role))
    };
    assert!(
        !ground.calls(since).iter().any(touched),
        "{:#?}",
        ground.calls(since)
    );
    let made = ground.calls(mark).into_iter().filter(|call| call.committed);
    assert_eq!(made.filter(|call| call.operation == "CreateApi").count(), 1);
    let route = |name: &str| {
        let id = ground.api_id(name);
        let routes = ground
            .aws()
            .aws("apigateway", "GET", &format!("/v2/apis/{id}/routes"), None);
        routes.unwrap()["items"][0]["authorizationScopes"].clone()
    };
    assert_eq!(
        (route("calm"), route("busy")),
        (json!(["read"]), json!([format!("scope-{edits}")]))
    );
}
