//! The situations that are hardest to order, each as the whole plan that comes of it.

use crate::api::{Authorizer, JwtHttpApiSpec, LambdaBackend, PayloadFormatVersion, Route};
use crate::model::build;
use crate::model::name::FunctionArn;
use crate::model::observed;
use crate::plan::properties::never_opens;
use crate::plan::sketch::{owner, place, policy};
use crate::plan::world::World;
use crate::plan::{Plan, plan};

mod heirs;
mod room;

/// A route on an authorizer, or a public one.
fn route(key: &str, authorizer: Option<&str>) -> Route {
    Route {
        route_key: key.into(),
        public: authorizer.is_none().then_some(true),
        authorizer: authorizer.map(str::to_owned),
        lambda: LambdaBackend {
            name: Some("f".into()),
            ..LambdaBackend::default()
        },
        ..Route::default()
    }
}

/// Authorizers by name and the host of their issuer, and routes.
fn spec(authorizers: &[(&str, &str)], routes: Vec<Route>) -> JwtHttpApiSpec {
    let authorizers = authorizers.iter().map(|(name, host)| Authorizer {
        name: (*name).to_owned(),
        issuer: format!("https://{host}.example.com/"),
        audience: vec!["a".into()],
        identity_source: None,
    });
    JwtHttpApiSpec {
        issuer: "https://issuer.example.com/".into(),
        audience: vec!["a".into()],
        authorizers: authorizers.collect(),
        routes,
        ..JwtHttpApiSpec::default()
    }
}

fn planned(spec: &JwtHttpApiSpec, world: &World) -> Plan {
    let desired = build(spec, &owner(), &place(), "nonce", &policy()).unwrap();
    plan(&desired, &world.observed, &owner(), &place())
}

fn world(spec: &JwtHttpApiSpec) -> World {
    let mut world = World::new(
        &owner(),
        &place(),
        [FunctionArn::of_name(&place(), "f", None).unwrap()],
    );
    world.run(&planned(spec, &world));
    world
}

/// The plan for a spec, shown to open nothing and to end well.
fn shown(spec: &JwtHttpApiSpec, mut world: World) -> Vec<String> {
    let desired = build(spec, &owner(), &place(), "nonce", &policy()).unwrap();
    let plan = planned(spec, &world);
    never_opens(world.clone(), &desired, &plan);
    world.run(&plan);
    assert!(planned(spec, &world).is_empty(), "{plan}");
    plan.steps
        .iter()
        .map(|planned| planned.step.to_string())
        .collect()
}

#[test]
fn two_authorizers_that_swap_issuers_and_routes_close_one_route_for_the_time_of_the_swap() {
    let before = spec(
        &[("one", "x"), ("two", "y")],
        vec![route("GET /a", Some("one")), route("GET /b", Some("two"))],
    );
    let after = spec(
        &[("one", "y"), ("two", "x")],
        vec![route("GET /a", Some("two")), route("GET /b", Some("one"))],
    );
    assert_eq!(
        shown(&after, world(&before)),
        [
            "update route GET /a: closed",
            "update authorizer one",
            "update route GET /b: tokens of one",
            "update authorizer two",
            "update route GET /a: tokens of two",
        ]
    );
}

#[test]
fn a_route_leaves_an_authorizer_before_that_is_edited() {
    let before = spec(
        &[("one", "x"), ("two", "y")],
        vec![
            route("GET /a", Some("one")),
            route("GET /b", Some("one")),
            route("GET /c", Some("two")),
        ],
    );
    let after = spec(
        &[("one", "z"), ("two", "y")],
        vec![
            route("GET /a", Some("one")),
            route("GET /b", Some("two")),
            route("GET /c", Some("two")),
        ],
    );
    assert_eq!(
        shown(&after, world(&before)),
        ["update route GET /b: tokens of two", "update authorizer one"]
    );
}

#[test]
fn a_protected_route_is_created_before_the_public_one_that_would_cover_it() {
    let nothing = World::new(
        &owner(),
        &place(),
        [FunctionArn::of_name(&place(), "f", None).unwrap()],
    );
    let routes = vec![
        route("$default", None),
        route("ANY /{proxy+}", None),
        route("GET /admin", Some("default")),
        route("ANY /admin/{proxy+}", Some("default")),
    ];
    let steps = shown(&spec(&[], routes), nothing);
    let routes: Vec<&String> = steps
        .iter()
        .filter(|step| step.starts_with("create route"))
        .collect();
    assert_eq!(
        routes,
        [
            "create route GET /admin: tokens of default",
            "create route ANY /admin/{proxy+}: tokens of default",
            "create route ANY /{proxy+}: public",
            "create route $default: public",
        ]
    );
}

#[test]
fn a_narrow_protected_route_goes_after_the_broad_public_one_that_nobody_wants_either() {
    let keep = || route("GET /z", Some("default"));
    let before = spec(
        &[],
        vec![
            keep(),
            route("GET /admin", Some("default")),
            route("ANY /{proxy+}", None),
        ],
    );
    assert_eq!(
        shown(&spec(&[], vec![keep()]), world(&before)),
        [
            "delete route ANY /{proxy+} (route0006)",
            "delete route GET /admin (route0004)"
        ]
    );
}

#[test]
fn a_new_route_over_an_open_path_is_created_closed_while_its_authorizer_waits_for_an_edit() {
    let routes = || vec![route("GET /{proxy+}", None), route("GET /z", Some("one"))];
    let mut after = spec(&[("one", "y")], routes());
    after.routes.push(route("ANY /a", Some("one")));
    assert_eq!(
        shown(&after, world(&spec(&[("one", "x")], routes()))),
        [
            "create route ANY /a: tokens of one with jwthttpapi.dev/closed",
            "update authorizer one",
            "update route ANY /a: tokens of one",
        ]
    );
}

#[test]
fn an_authorizer_of_another_kind_becomes_the_wanted_one_before_a_route_refers_to_it() {
    let mut world = world(&spec(&[], vec![route("GET /a", None)]));
    world.api().authorizers.push(observed::Authorizer {
        id: "other".into(),
        name: "default".into(),
        jwt: None,
    });
    assert_eq!(
        shown(&spec(&[], vec![route("GET /a", Some("default"))]), world),
        [
            "update authorizer default",
            "update route GET /a: tokens of default"
        ]
    );
}

#[test]
fn keys_of_one_shape_are_changed_in_place_and_a_second_one_is_deleted() {
    let mut world = world(&spec(&[], vec![route("GET /a/{x}", Some("default"))]));
    let twin = observed::Route {
        id: "twin".into(),
        key: "GET /a/{y}".into(),
        authorization: observed::Authorization::None,
        ..world.api().routes[0].clone()
    };
    world.api().routes.push(twin);
    assert_eq!(
        shown(&spec(&[], vec![route("GET /a/{id}", Some("default"))]), world),
        [
            "delete route GET /a/{y} (twin)",
            "update route GET /a/{x}: key GET /a/{id}"
        ]
    );
}

/// The same function by an integration of its own.
fn by_another_integration(route: Route) -> Route {
    Route {
        lambda: LambdaBackend {
            payload_format_version: Some(PayloadFormatVersion::V1),
            ..route.lambda
        },
        ..route
    }
}

#[test]
fn of_two_open_routes_the_one_whose_authorizer_is_there_is_closed_first() {
    let public = vec![
        route("GET /a", None),
        route("GET /b", None),
        route("GET /z", Some("two")),
    ];
    let mut after = spec(&[("one", "x"), ("two", "y")], public.clone());
    after.routes[0] = route("GET /a", Some("one"));
    after.routes[1] = route("GET /b", Some("two"));
    assert_eq!(
        shown(&after, world(&spec(&[("two", "y")], public))),
        [
            "update route GET /b: tokens of two",
            "create authorizer one",
            "update route GET /a: tokens of one",
        ]
    );
}

#[test]
fn of_two_missing_routes_the_one_whose_integration_is_there_is_created_first() {
    let routes = || vec![route("GET /{proxy+}", None), route("GET /z", Some("default"))];
    let mut after = spec(&[], routes());
    after
        .routes
        .push(by_another_integration(route("GET /a", Some("default"))));
    after.routes.push(route("GET /b", Some("default")));
    assert_eq!(
        shown(&after, world(&spec(&[], routes()))),
        [
            "create route GET /b: tokens of default",
            "create integration with arn:aws:lambda:eu-central-1:123456789012:function:f",
            "create route GET /a: tokens of default",
        ]
    );
}

#[test]
fn an_open_route_that_shall_also_lead_elsewhere_waits_for_no_integration() {
    let routes = |authorizer| {
        vec![
            route("GET /a", authorizer),
            route("GET /b", authorizer),
            route("GET /z", Some("default")),
        ]
    };
    let mut after = spec(&[], routes(Some("default")));
    after.routes[0] = by_another_integration(after.routes[0].clone());
    assert_eq!(
        shown(&after, world(&spec(&[], routes(None)))),
        [
            "update route GET /a: tokens of default",
            "update route GET /b: tokens of default",
            "create integration with arn:aws:lambda:eu-central-1:123456789012:function:f",
            "update route GET /a: integration",
        ]
    );
}

/// Those of the one authorizer never were to reach the new function, and those of the other never the old one.
#[test]
fn a_route_that_lets_others_in_and_leads_elsewhere_lets_nobody_in_until_it_does() {
    let authorizers = [("one", "x"), ("two", "y")];
    let routes = |authorizer| vec![route("GET /a", Some(authorizer)), route("GET /z", Some("one"))];
    let mut after = spec(&authorizers, routes("two"));
    after.routes[0] = by_another_integration(after.routes[0].clone());
    assert_eq!(
        shown(&after, world(&spec(&authorizers, routes("one")))),
        [
            "create authorizer two",
            "update route GET /a: tokens of two with jwthttpapi.dev/closed",
            "create integration with arn:aws:lambda:eu-central-1:123456789012:function:f",
            "update route GET /a: tokens of two integration",
        ]
    );
}

/// The edit lets others into the one route, and what the other one needs of it comes before that moves.
#[test]
fn an_edit_waits_for_the_routes_that_it_would_open_too_early_and_others_wait_for_it() {
    let audiences = |first: &[&str], second: Option<&[&str]>| {
        let mut spec = spec(&[], Vec::new());
        spec.audience = first.iter().map(ToString::to_string).collect();
        spec.authorizers = second
            .into_iter()
            .map(|audience| Authorizer {
                name: "two".into(),
                issuer: spec.issuer.clone(),
                audience: audience.iter().map(ToString::to_string).collect(),
                identity_source: None,
            })
            .collect();
        spec
    };
    let mut before = audiences(&["x"], Some(&["x", "y"]));
    before.routes = vec![route("GET /a", Some("two")), route("GET /b", Some("default"))];
    let mut after = audiences(&["x", "y"], None);
    after.routes = vec![
        route("GET /a", Some("default")),
        by_another_integration(route("GET /b", Some("default"))),
    ];
    assert_eq!(
        shown(&after, world(&before)),
        [
            "create integration with arn:aws:lambda:eu-central-1:123456789012:function:f",
            "update route GET /b: integration",
            "update authorizer default",
            "update route GET /a: tokens of default",
            "delete authorizer two (auth0002)",
        ]
    );
}

#[test]
fn a_missing_route_opens_nothing_where_another_has_its_requests() {
    let broad = || route("GET /{proxy+}", None);
    let before = spec(
        &[],
        vec![
            broad(),
            route("GET /{x}/b", Some("default")),
            route("GET /z", Some("default")),
        ],
    );
    let after = spec(
        &[],
        vec![
            broad(),
            route("ANY /{x}/b", Some("default")),
            route("GET /z", Some("default")),
        ],
    );
    let plan = planned(&after, &world(&before));
    assert_eq!(plan.steps.len(), 2, "{plan}");
    assert!(plan.steps.iter().all(|planned| !planned.tightens), "{plan}");
}

#[test]
fn an_edit_that_takes_access_away_tightens_and_one_that_gives_it_does_not() {
    let with = |audience: &[&str]| JwtHttpApiSpec {
        audience: audience.iter().map(ToString::to_string).collect(),
        ..spec(&[], vec![route("GET /a", Some("default"))])
    };
    let tightens = |before: &[&str], after: &[&str]| {
        let plan = planned(&with(after), &world(&with(before)));
        assert_eq!(plan.to_string(), "update authorizer default\n");
        plan.steps[0].tightens
    };
    assert!(tightens(&["a", "b"], &["a"]));
    assert!(tightens(&["a"], &["b"]));
    assert!(!tightens(&["a"], &["a", "b"]));
}

#[test]
fn a_new_route_over_a_path_that_is_not_open_waits_for_the_edit_of_its_authorizer() {
    let routes = |of_b| {
        vec![
            route("GET /{proxy+}", Some("two")),
            route("GET /b", Some(of_b)),
            route("GET /z", Some("one")),
        ]
    };
    let before = spec(&[("one", "x"), ("two", "y")], routes("one"));
    let mut after = spec(&[("one", "z"), ("two", "y")], routes("two"));
    after.routes.push(route("ANY /a", Some("one")));
    assert_eq!(
        shown(&after, world(&before)),
        [
            "update route GET /b: tokens of two",
            "update authorizer one",
            "create route ANY /a: tokens of one",
        ]
    );
}

#[test]
fn an_authorizer_of_another_kind_is_made_the_wanted_one_when_that_opens_no_other_route() {
    let routes = |of_d| vec![route("GET /b", Some("two")), route("GET /d", Some(of_d))];
    let mut world = world(&spec(&[("two", "y")], routes("two")));
    world.api().authorizers.push(observed::Authorizer {
        id: "other".into(),
        name: "one".into(),
        jwt: None,
    });
    for route in &mut world.api().routes {
        if route.key == "GET /b" {
            route.authorization = observed::Authorization::Jwt {
                authorizer_id: "other".into(),
                scopes: [].into(),
            };
        }
    }
    // Not run: a route can be on such an authorizer only if that has several identity sources, and the world has none.
    let plan = planned(&spec(&[("one", "x"), ("two", "z")], routes("one")), &world);
    assert_eq!(
        plan.to_string().lines().collect::<Vec<_>>(),
        [
            "update route GET /b: closed",
            "update authorizer one",
            "update route GET /d: tokens of one",
            "update authorizer two",
            "update route GET /b: tokens of two",
        ]
    );
}

#[test]
fn a_broad_route_is_opened_when_the_protected_one_within_it_is_there() {
    let routes = |broad, rest| vec![route("GET /{proxy+}", broad), route("$default", Some(rest))];
    let before = spec(&[("one", "x"), ("two", "y")], routes(Some("two"), "one"));
    let mut after = spec(&[("one", "z"), ("two", "y")], routes(None, "two"));
    after.routes.push(route("GET /admin", Some("one")));
    assert_eq!(
        shown(&after, world(&before)),
        [
            "update route $default: closed",
            "update authorizer one",
            "create route GET /admin: tokens of one",
            "update route GET /{proxy+}: public",
            "update route $default: tokens of two",
        ]
    );
}
