//! What has to be in force when a step is sent, so that whom a change lets in before and after it is served all the while.

use super::drift_tests::{FUNCTION, as_wanted, by_policy, function, nothing_made, owning, planned, spec};
use super::function_tests::{made, seen};
use super::sketch::{owner, place, route};
use super::world::World;
use super::{Plan, Settled, plan_deletion};
use crate::api::{self, JwtHttpApiSpec};
use crate::model::name::{role_name, statement_id};
use crate::model::observed::{FunctionPolicy, Reading};
use serde_json::Value;

const NONE: [&str; 0] = [];

/// The steps that wait for something to be in force, in words, and what it is.
fn waits(plan: &Plan) -> Vec<String> {
    let role = role_name(&owner(), &place().region).name;
    let said = |index: usize| {
        let step = plan.steps[index].step.to_string();
        step.replace(&role, "R").replace(FUNCTION, "")
    };
    let waits = plan.steps.iter().enumerate().filter_map(|(index, planned)| {
        let what = match planned.settled.as_ref()? {
            Settled::Deployments => "deployments".to_owned(),
            Settled::Permissions(steps) => {
                let steps: Vec<String> = steps.iter().map(|index| said(*index)).collect();
                format!("[{}]", steps.join(", "))
            }
        };
        Some(format!("{} after {what}", said(index)))
    });
    waits.collect()
}

/// With other functions behind its routes, and one more route.
fn repointed(before: JwtHttpApiSpec) -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        routes: vec![
            route("GET /a", "h"),
            route("GET /b", "f"),
            route("GET /c", "f"),
            route("GET /d", "h"),
        ],
        ..before
    }
}

fn from(before: &JwtHttpApiSpec, after: &JwtHttpApiSpec) -> Vec<String> {
    waits(&planned(after, &as_wanted(before).observed))
}

#[test]
fn a_route_gets_a_function_that_the_role_may_invoke_and_the_other_is_given_up_when_no_deployment_needs_it() {
    assert_eq!(
        from(&spec(), &repointed(spec())),
        [
            "update route GET /a: integration after [let role R invoke 3 functions]",
            // It could invoke that before.
            "update route GET /c: integration after []",
            "let role R invoke 2 functions after deployments",
        ]
    );
}

#[test]
fn a_new_route_waits_for_the_role_where_a_broader_one_serves_its_path_and_stays() {
    let with = |more: &[(&str, &str)]| {
        let mut wider = spec();
        wider
            .routes
            .extend(more.iter().map(|(key, function)| route(key, function)));
        wider
    };
    let (broad, new) = (("GET /{proxy+}", "f"), ("GET /d", "h"));
    let waits_for_role = |before: &[(&str, &str)], after: &[(&str, &str)]| {
        let waits = from(&with(before), &with(after));
        waits.iter().any(|wait| wait.starts_with("create route GET /d"))
    };
    assert!(waits_for_role(&[broad], &[broad, new]));
    assert!(!waits_for_role(&[], &[new]));
    assert!(!waits_for_role(
        &[("POST /{proxy+}", "f")],
        &[("POST /{proxy+}", "f"), new]
    ));
    assert!(!waits_for_role(&[], &[broad, new]));
    // It goes first: it lets in more than the new one does.
    assert!(!waits_for_role(&[broad], &[new]));
}

/// What an earlier plan asked of IAM may be on its way all the same: the caller knows.
#[test]
fn a_route_waits_for_the_role_also_when_this_plan_changes_nothing_of_it() {
    let mut world = as_wanted(&spec());
    let plan = planned(&repointed(spec()), &world.observed);
    let position = plan.steps.iter().position(|step| step.step.settles()).unwrap();
    world.run(&Plan {
        steps: plan.steps[..=position].to_vec(),
        ..plan
    });
    let left = waits(&planned(&repointed(spec()), &world.observed));
    assert_eq!(left[0], "update route GET /a: integration after []");
}

#[test]
fn nothing_waits_before_there_is_a_stage() {
    let with = |more: Option<api::Route>| JwtHttpApiSpec {
        routes: vec![route("GET /{proxy+}", "f")]
            .into_iter()
            .chain(more)
            .collect(),
        ..spec()
    };
    let mut world = as_wanted(&with(None));
    let observed = |world: &World| {
        let wanted = with(Some(route("GET /d", "h")));
        let repointed = JwtHttpApiSpec {
            routes: vec![route("GET /{proxy+}", "h")],
            ..spec()
        };
        [wanted, repointed].map(|spec| waits(&planned(&spec, &world.observed)))
    };
    let for_role = |waits: &[String]| waits.iter().filter(|wait| wait.contains("after [")).count();
    assert_eq!(observed(&world).map(|waits| for_role(&waits)), [1, 1]);
    world.observed.api.as_mut().unwrap().stages.clear();
    assert_eq!(observed(&world).map(|waits| for_role(&waits)), [0, 0]);
}

#[test]
fn statements_in_functions_policies_are_in_force_at_once_and_go_when_no_deployment_needs_them() {
    assert_eq!(
        from(&by_policy(), &repointed(by_policy())),
        ["no longer let the API invoke g after deployments"]
    );
}

#[test]
fn from_a_role_to_statements_and_back_what_served_before_stays_until_the_deployment_has_left_it() {
    assert_eq!(
        from(&spec(), &by_policy()),
        [
            "delete policy of role R after deployments",
            "delete role R after deployments"
        ]
    );
    let made = "[create role R, let role R invoke 2 functions]";
    let routes = ["a", "b", "c"].map(|path| format!("update route GET /{path}: integration after {made}"));
    let grants =
        ["f", "g"].map(|function| format!("no longer let the API invoke {function} after deployments"));
    assert_eq!(from(&by_policy(), &spec()), [&routes[..], &grants[..]].concat());
}

/// It is closed at once, and gets the other function when it may.
#[test]
fn a_route_is_closed_before_anything_is_waited_for() {
    let mut closed = repointed(spec());
    for route in &mut closed.routes {
        route.scopes = Some(vec!["read".into()]);
    }
    let plan = planned(&closed, &as_wanted(&spec()).observed);
    let steps = plan.steps.iter().filter(|planned| planned.tightens);
    let closing: Vec<String> = steps.clone().map(|planned| planned.step.to_string()).collect();
    let closes = |path| format!("update route GET /{path}: tokens of default with read");
    assert_eq!(closing, ["a", "b", "c"].map(closes));
    assert!(
        steps
            .into_iter()
            .all(|planned| planned.settled.is_none() && planned.after.is_empty())
    );
    assert!(
        waits(&plan)
            .iter()
            .any(|wait| wait.starts_with("update route GET /a: integration after"))
    );
}

#[test]
fn a_first_creation_waits_for_nothing_but_the_trust_of_roles_that_functions_run_under() {
    let created = |spec: &JwtHttpApiSpec| waits(&seen(spec, &nothing_made()));
    assert_eq!(created(&spec()), NONE);
    let own = created(&owning());
    assert_eq!(own.len(), 1);
    assert!(
        own[0].starts_with("create function ") && own[0].contains(" after [create role "),
        "{own:?}"
    );
}

#[test]
fn a_function_of_the_objects_own_goes_when_no_deployment_needs_it() {
    let leaving = waits(&seen(&spec(), &made(&owning())));
    assert_eq!(leaving.len(), 3, "{leaving:?}");
    for (step, what) in leaving
        .iter()
        .zip(["delete function ", "delete policy of role ", "delete role "])
    {
        assert!(
            step.starts_with(what) && step.ends_with(" after deployments"),
            "{step}"
        );
    }
}

/// Every moment without it is one without service.
#[test]
fn a_statement_that_is_put_right_waits_for_nothing() {
    let mut world = as_wanted(&by_policy());
    let empty = Reading::Known(FunctionPolicy::Policy(Value::Null));
    world.observed.functions.insert(function("f"), empty);
    world.add_statement(&function("f"), &statement_id(&owner()), "x");
    let plan = planned(&by_policy(), &world.observed);
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(waits(&plan), NONE);
}

#[test]
fn a_deletion_waits_for_nothing() {
    let gone = |world: &World| waits(&plan_deletion(&world.observed, &owner()));
    assert_eq!(gone(&made(&owning())), NONE);
    assert_eq!(gone(&as_wanted(&by_policy())), NONE);
}
