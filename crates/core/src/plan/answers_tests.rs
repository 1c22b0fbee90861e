//! Who is let in reaches what a change is to answer with, and nothing before (decision 11): here of functions of the object's own
//! that get other code in the same change.

use super::function_tests::{leading_to, made, steps};
use crate::api::{self, JwtHttpApiSpec};

/// A public route to a function of its own, and one with tokens.
fn before() -> JwtHttpApiSpec {
    let mut spec = leading_to(&["one", "two"]);
    spec.routes[1].public = Some(true);
    spec
}

/// With other code of a function.
fn with_other_code(mut spec: JwtHttpApiSpec, name: &str) -> JwtHttpApiSpec {
    let mut functions = spec.functions.iter_mut();
    let function = functions.find(|function| function.name == name).unwrap();
    function.code = "export const handler = async () => 'other';".into();
    spec
}

/// Another route to the first of them.
fn narrow() -> api::Route {
    api::Route {
        route_key: "GET /narrow".into(),
        ..before().routes.remove(0)
    }
}

#[test]
fn a_route_is_opened_when_its_function_has_its_other_code() {
    let mut spec = with_other_code(before(), "one");
    spec.routes[0].public = Some(true);
    assert_eq!(
        steps(&spec, &made(&before())),
        [
            "update code of function one",
            "wait for function one",
            "update route GET /one: public <1",
            "delete authorizer default (auth0002)",
        ]
    );
}

#[test]
fn a_function_gets_its_other_code_when_its_route_is_closed_and_deployed() {
    let mut spec = with_other_code(before(), "two");
    spec.routes[1].public = None;
    assert_eq!(
        steps(&spec, &made(&before())),
        [
            "!update route GET /two: tokens of default",
            "update code of function two <0",
            "wait for function two",
        ]
    );
}

#[test]
fn a_route_whose_callers_and_code_are_exchanged_is_closed_until_the_code_is_there() {
    let mut was = before();
    was.routes[0].scopes = Some(vec!["staff".into()]);
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes[0].scopes = Some(vec!["customers".into()]);
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "!update route GET /one: tokens of default with jwthttpapi.dev/closed",
            "update code of function one <0",
            "wait for function one",
            "update route GET /one: tokens of default with customers <2",
        ]
    );
}

/// Those who were served by the broader one find it closed meanwhile.
#[test]
fn a_narrower_route_is_made_closed_while_its_function_is_to_get_other_code() {
    let mut was = before();
    was.routes[1].route_key = "GET /{all+}".into();
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes.push(narrow());
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "!create route GET /narrow: tokens of default with jwthttpapi.dev/closed",
            "update code of function one <0",
            "wait for function one",
            "update route GET /narrow: tokens of default <2",
        ]
    );
}

#[test]
fn an_authorizer_that_takes_more_tokens_waits_for_the_code_and_closes_nothing() {
    let mut spec = with_other_code(before(), "one");
    spec.audience.push("another".into());
    assert_eq!(
        steps(&spec, &made(&before())),
        [
            "update code of function one",
            "wait for function one",
            "update authorizer default <1",
        ]
    );
}

#[test]
fn an_endpoint_is_switched_on_when_every_function_has_its_code() {
    let mut was = before();
    was.disable_execute_api_endpoint = Some(true);
    let spec = with_other_code(before(), "one");
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "update code of function one",
            "wait for function one",
            "update API: disableExecuteApiEndpoint <1",
        ]
    );
}

/// It is still known by its first key.
#[test]
fn a_route_that_becomes_another_waits_for_the_code_as_well() {
    let mut was = before();
    was.routes[0].route_key = "GET /{one}".into();
    was.routes[0].scopes = Some(vec!["staff".into()]);
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes[0].route_key = "GET /{another}".into();
    spec.routes[0].scopes = Some(vec!["customers".into()]);
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "!update route GET /{one}: key GET /{another} tokens of default with jwthttpapi.dev/closed",
            "update code of function one <0",
            "wait for function one",
            "update route GET /{one}: tokens of default with customers <2",
        ]
    );
}

/// No integration is there yet from which to tell.
#[test]
fn the_first_route_to_a_function_that_is_there_is_made_closed_while_that_is_to_get_other_code() {
    let mut was = before();
    was.routes.remove(0);
    was.routes[0].route_key = "GET /{all+}".into();
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes.push(narrow());
    let steps = steps(&spec, &made(&was));
    let index = |text: &str| steps.iter().position(|step| step.starts_with(text)).unwrap();
    assert!(steps[index("!create route GET /narrow")].ends_with("jwthttpapi.dev/closed"));
    let code = index("wait for function one");
    let opened = &steps[index("update route GET /narrow: tokens of default")];
    assert!(opened.ends_with(&format!("<{code}")), "{steps:#?}");
}

#[test]
fn a_route_that_becomes_another_and_is_opened_by_that_waits_for_the_code() {
    let mut was = before();
    was.routes[0].route_key = "GET /{one}".into();
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes[0].route_key = "GET /{another}".into();
    spec.routes[0].public = Some(true);
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "update code of function one",
            "wait for function one",
            "update route GET /{one}: key GET /{another} public <1",
            "delete authorizer default (auth0004)",
        ]
    );
}

/// Whom it serves stays the same.
#[test]
fn a_route_whose_parameter_gets_another_name_alone_waits_for_no_code() {
    let mut was = before();
    was.routes[0].route_key = "GET /{one}".into();
    let mut spec = with_other_code(was.clone(), "one");
    spec.routes[0].route_key = "GET /{another}".into();
    assert_eq!(
        steps(&spec, &made(&was)),
        [
            "update code of function one",
            "wait for function one",
            "update route GET /{one}: key GET /{another}",
        ]
    );
}

#[test]
fn of_two_routes_that_become_others_each_waits_for_the_code_of_its_own_function() {
    let keyed = |mut spec: JwtHttpApiSpec, keys: [&str; 2], scope: &str| {
        for (route, key) in spec.routes.iter_mut().zip(keys) {
            route.route_key = key.into();
            route.public = None;
            route.scopes = Some(vec![scope.into()]);
        }
        spec
    };
    let was = keyed(before(), ["GET /a/{one}", "GET /b/{two}"], "staff");
    let other = with_other_code(with_other_code(was.clone(), "one"), "two");
    let spec = keyed(other, ["GET /a/{1}", "GET /b/{2}"], "customers");
    let steps = steps(&spec, &made(&was));
    for (name, key) in [("one", "GET /a/{one}"), ("two", "GET /b/{two}")] {
        let code = steps
            .iter()
            .position(|step| *step == format!("wait for function {name}"))
            .unwrap();
        let opened = format!("update route {key}: tokens of default with customers <{code}");
        assert!(steps.contains(&opened), "{steps:#?}");
    }
}
