//! Where AWS has no room for more.

use super::{planned, route, shown, spec, world};
use crate::api::{LambdaBackend, Route};
use crate::model::observed;
use crate::plan::only_tightening;

/// Routes of one authorizer and one integration, and others.
pub(super) fn alike(routes: std::ops::Range<i32>, more: Vec<Route>) -> Vec<Route> {
    let one = |number| route(&format!("GET /{number}"), Some("default"));
    routes.map(one).chain(more).collect()
}

/// Routes of one authorizer, each with an integration of its own.
fn numbered(routes: std::ops::Range<i32>) -> Vec<Route> {
    let one = |number| Route {
        lambda: LambdaBackend {
            timeout_millis: Some(1000 + number),
            ..route("GET /", None).lambda
        },
        ..route(&format!("GET /{number}"), Some("default"))
    };
    routes.map(one).collect()
}

#[test]
fn in_a_full_api_a_route_that_goes_becomes_the_one_that_comes() {
    let alike = |routes, default: Option<&str>| {
        let default = default.map(|authorizer| route("$default", Some(authorizer)));
        spec(&[], alike(routes, default.into_iter().collect()))
    };
    assert_eq!(
        shown(&alike(1..300, Some("default")), world(&alike(0..300, None))),
        ["update route GET /0: key $default tokens of default integration"]
    );
    // With one less there is room for both.
    assert_eq!(
        shown(&alike(1..299, Some("default")), world(&alike(0..299, None))),
        [
            "create route $default: tokens of default",
            "delete route GET /0 (route0004)"
        ]
    );
}

#[test]
fn in_a_full_api_a_route_that_has_no_room_yet_waits_for_whatever_else_can_be_done() {
    let steps = |routes: std::ops::Range<i32>| {
        let mut world = world(&spec(&[], alike(routes.clone(), Vec::new())));
        // A key that the operator could not have written goes at the end.
        let strange = observed::Route {
            id: "strange".into(),
            key: "GET /0/".into(),
            ..world.api().routes[0].clone()
        };
        world.api().routes.push(strange);
        let mut after = spec(&[], alike(routes, vec![route("$default", Some("default"))]));
        after.routes[0].operation_name = Some("named".into());
        shown(&after, world)
    };
    let (create, update) = (
        "create route $default: tokens of default",
        "update route GET /0: operationName",
    );
    let delete = "delete route GET /0/ (strange)";
    assert_eq!(steps(0..299), [update, create, delete]);
    // With one less there is room.
    assert_eq!(steps(0..298), [create, update, delete]);
}

#[test]
fn what_tightens_takes_no_place_whose_paths_would_be_opened() {
    let others = |more| spec(&[], alike(0..298, vec![route("$default", None), more]));
    let before = others(route("GET /u", Some("default")));
    let after = others(route("GET /secret", Some("default")));
    let plan = planned(&after, &world(&before));
    let tightening: Vec<String> = only_tightening(plan)
        .steps
        .iter()
        .map(|planned| planned.step.to_string())
        .collect();
    assert_eq!(tightening, ["create route GET /secret: tokens of default"]);
}

#[test]
fn nothing_is_closed_to_make_room() {
    let routes = |more: Vec<Route>| {
        let fixed = vec![route("$default", None), route("ANY /x/{proxy+}", Some("one"))];
        alike(0..295, [fixed, more].concat())
    };
    let leave = ["GET /u/{x}", "GET /v/{x}", "GET /w/{x}"].map(|key| route(key, Some("default")));
    let come = ["GET /{z}/k", "GET /{z}/l", "GET /x/s"].map(|key| route(key, Some("one")));
    let before = spec(&[("one", "x")], routes(leave.into()));
    let after = spec(&[("one", "y")], routes(come.into()));
    let steps = shown(&after, world(&before));
    let closed = steps.iter().position(|step| step.ends_with(": closed"));
    let created = steps.iter().position(|step| step.starts_with("create route"));
    assert!(created < closed || closed.is_none(), "{steps:?}");
}

#[test]
fn in_a_full_api_an_integration_that_no_route_leads_to_goes_before_the_next_one_comes() {
    let before = spec(&[], numbered(0..299));
    let mut after = before.clone();
    for route in after.routes.iter_mut().take(2) {
        route.lambda.timeout_millis = Some(5000 + route.lambda.timeout_millis.unwrap_or_default());
    }
    let f = "integration with arn:aws:lambda:eu-central-1:123456789012:function:f";
    assert_eq!(
        shown(&after, world(&before)),
        [
            &format!("create {f}"),
            "update route GET /0: integration",
            "delete integration int0003",
            &format!("create {f}"),
            "update route GET /1: integration",
            "delete integration int0005",
        ]
    );
}

#[test]
fn the_last_authorizer_of_ten_becomes_the_one_that_takes_its_place() {
    let names: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
    let of = |range: std::ops::Range<usize>| {
        let authorizers: Vec<(&str, &str)> = names[range].iter().map(|name| (name.as_str(), "x")).collect();
        let routes = authorizers
            .iter()
            .map(|(name, _)| route(&format!("GET /{name}"), Some(name)));
        let mut routes: Vec<Route> = routes.collect();
        let last = authorizers.last().map(|(name, _)| *name);
        routes.push(route("GET /moves", last));
        routes.extend([route("GET /", Some("default"))]);
        spec(&authorizers, routes)
    };
    let change = |before, after| {
        let mut steps = shown(&of(after), world(&of(before)));
        steps.retain(|step| step.contains(" authorizer "));
        steps
    };
    assert_eq!(change(0..9, 1..10), ["update authorizer a9"]);
    // With nine there is room for both.
    assert_eq!(
        change(0..8, 1..9),
        ["create authorizer a8", "delete authorizer a0 (auth0005)"]
    );
}
