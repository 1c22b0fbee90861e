//! Routes that come before the end of one that they take callers over from.

use super::room::alike;
use super::{planned, route, shown, spec, world};
use crate::api::Route;
use crate::plan::Step;

#[test]
fn a_broad_route_goes_when_the_narrower_ones_are_there_that_take_its_callers_over() {
    let before = spec(&[("one", "x")], vec![route("ANY /{proxy+}", Some("one"))]);
    let after = spec(
        &[("one", "x"), ("two", "y")],
        vec![
            route("GET /a", Some("one")),
            route("GET /b", Some("one")),
            route("GET /c", Some("two")),
        ],
    );
    let world = world(&before);
    let heirs = planned(&after, &world)
        .steps
        .into_iter()
        .find_map(|planned| match planned.step {
            Step::DeleteRoute { heirs, .. } => Some(heirs.len()),
            _ => None,
        });
    assert_eq!(heirs, Some(2));
    assert_eq!(
        shown(&after, world),
        [
            "create route GET /a: tokens of one",
            "create route GET /b: tokens of one",
            "delete route ANY /{proxy+} (route0004)",
            // It presses, too, and needs an authorizer, which nothing that needs none waits for.
            "create authorizer two",
            "create route GET /c: tokens of two",
        ]
    );
}

/// They come with the rest, when everything is there that the spec names; it does not wait for them.
#[test]
fn a_broad_route_that_is_open_to_everyone_goes_before_anything_comes() {
    let before = spec(&[], vec![route("ANY /{proxy+}", None)]);
    let after = spec(&[], vec![route("GET /a", None), route("GET /b", Some("default"))]);
    let steps = shown(&after, world(&before));
    assert!(steps[0].starts_with("delete route ANY /{proxy+}"), "{steps:?}");
}

#[test]
fn of_the_routes_that_come_those_alone_press_that_take_callers_over() {
    let before = spec(&[("one", "x")], vec![route("ANY /b/{proxy+}", Some("one"))]);
    let after = spec(
        &[("one", "x")],
        vec![route("GET /a", Some("one")), route("GET /b/c", Some("one"))],
    );
    assert_eq!(
        shown(&after, world(&before)),
        [
            "create route GET /b/c: tokens of one",
            "delete route ANY /b/{proxy+} (route0004)",
            "create route GET /a: tokens of one",
        ]
    );
}

#[test]
fn nobody_is_let_in_early_for_the_end_of_a_route_that_takes_no_access_away() {
    let kept = vec![route("ANY /{proxy+}", Some("one"))];
    let with = |routes: Vec<Route>| [kept.clone(), routes].concat();
    let before = spec(
        &[("one", "x")],
        with(vec![
            route("ANY /b/{proxy+}", Some("one")),
            route("GET /d", Some("one")),
        ]),
    );
    let after = spec(
        &[("one", "x"), ("two", "y")],
        with(vec![route("GET /b/c", Some("one")), route("GET /d", Some("two"))]),
    );
    assert_eq!(
        shown(&after, world(&before)),
        [
            "create authorizer two",
            "update route GET /d: tokens of two",
            "create route GET /b/c: tokens of one",
            "delete route ANY /b/{proxy+} (route0005)",
        ]
    );
}

#[test]
fn where_there_is_no_room_for_those_who_take_its_callers_over_a_route_waits_for_nobody() {
    let full = |key| spec(&[("one", "x")], alike(0..299, vec![route(key, Some("one"))]));
    assert_eq!(
        shown(&full("GET /b/c"), world(&full("ANY /b/{proxy+}"))),
        [
            "delete route ANY /b/{proxy+} (route0304)",
            "create route GET /b/c: tokens of one",
        ]
    );
}

#[test]
fn those_who_cannot_be_made_at_once_hold_no_route_back_that_goes() {
    let before = spec(
        &[("one", "x")],
        vec![
            route("ANY /b/{proxy+}", Some("one")),
            route("ANY /c/d/{proxy+}", Some("one")),
        ],
    );
    let after = spec(&[("same", "x")], vec![route("GET /b/a", Some("same"))]);
    assert_eq!(
        shown(&after, world(&before)),
        [
            "delete route ANY /b/{proxy+} (route0005)",
            "delete route ANY /c/d/{proxy+} (route0004)",
            "create authorizer same",
            "create route GET /b/a: tokens of same",
            "delete authorizer one (auth0002)",
        ]
    );
}
