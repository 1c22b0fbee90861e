//! Functions of the object's own: what a difference leads to, and what waits for what.

use super::diff::plan_within;
use super::drift_tests::{NONE, by_policy, desired, function, lines, nothing_made, owning, planned};
use super::room::Room;
use super::sketch::{owner, place, route};
use super::world::World;
use super::{Plan, Service, Step, plan_deletion};
use crate::api::{self, JwtHttpApiSpec, LambdaBackend};
use crate::model::Owner;
use crate::model::name::{execution_role_name, function_name, log_group, statement_id};
use crate::model::observed::{self, Owned, Reading};
use serde_json::json;

/// With functions of its own, to each of which a route leads.
pub(super) fn leading_to(names: &[&str]) -> JwtHttpApiSpec {
    let functions = names.iter().map(|name| api::Function {
        name: (*name).to_owned(),
        ..owning().functions.remove(0)
    });
    let routes = names.iter().map(|name| api::Route {
        route_key: format!("GET /{name}"),
        lambda: LambdaBackend {
            function: Some((*name).to_owned()),
            ..LambdaBackend::default()
        },
        ..api::Route::default()
    });
    JwtHttpApiSpec {
        functions: functions.collect(),
        routes: routes.collect(),
        ..by_policy()
    }
}

pub(super) fn made(spec: &JwtHttpApiSpec) -> World {
    let mut world = nothing_made();
    world.run(&seen(spec, &world));
    world
}

/// The plan of a pass that looks for all that is wanted.
pub(super) fn seen(spec: &JwtHttpApiSpec, world: &World) -> Plan {
    planned(spec, &world.seen(&desired(spec)))
}

/// The steps, with names of AWS as those of the spec.
pub(super) fn steps(spec: &JwtHttpApiSpec, world: &World) -> Vec<String> {
    named(lines(&seen(spec, world)))
}

fn named(mut lines: Vec<String>) -> Vec<String> {
    for name in ["one", "two"] {
        let function = function_name(&owner(), name);
        let role = execution_role_name(&owner(), &place().region, name).name;
        for line in &mut lines {
            *line = line
                .replace(&log_group(&function), &format!("logs of {name}"))
                .replace(&format!("role {role}"), &format!("role of {name}"))
                .replace(&function, name);
        }
    }
    lines
}

fn owned<'a>(world: &'a mut World, name: &str) -> &'a mut Owned {
    let name = function_name(&owner(), name);
    world.observed.owned.get_mut(&name).unwrap()
}

#[test]
fn a_function_that_is_new_waits_for_its_own_role_and_its_own_logs() {
    let own = |name: &str, first: usize| {
        let (role, policy) = (first + 2, first + 3);
        [
            format!("create log group logs of {name}"),
            format!("keep logs of logs of {name} for 30 days"),
            format!("create role of {name} <{first}"),
            format!("let role of {name} write logs"),
            format!("create function {name} <{first} <{role} <{policy}"),
            format!("wait for function {name}"),
        ]
    };
    let made = steps(&leading_to(&["one", "two"]), &nothing_made());
    assert_eq!(made[..12], [own("one", 0), own("two", 6)].concat());
}

#[test]
fn a_route_waits_for_no_role_of_a_function_that_it_does_not_lead_to() {
    let mut spec = leading_to(&["one"]);
    spec.routes.push(route("GET /other", "other"));
    let plan = seen(&spec, &nothing_made());
    assert!(waits_for_iam(&plan, "GET /one"), "{plan}");
    assert!(!waits_for_iam(&plan, "GET /other"), "{plan}");
}

/// A function that is there cannot run without it.
#[test]
fn a_route_waits_for_the_role_that_its_function_has_lost() {
    let mut spec = leading_to(&["one"]);
    let mut world = made(&spec);
    owned(&mut world, "one").role = Reading::Known(None);
    let another = api::Route {
        route_key: "GET /another".into(),
        ..spec.routes[0].clone()
    };
    spec.routes.push(another);
    let plan = seen(&spec, &world);
    assert!(waits_for_iam(&plan, "GET /another"), "{plan}");
}

/// Whether a new route waits for a step to IAM.
fn waits_for_iam(plan: &Plan, key: &str) -> bool {
    let is_it = |step: &Step| matches!(step, Step::CreateRoute { key: of, .. } if of.as_str() == key);
    let route = plan.steps.iter().find(|planned| is_it(&planned.step));
    let mut after = route.unwrap().after.iter();
    after.any(|index| plan.steps[*index].step.service() == Service::Iam)
}

#[test]
fn a_function_that_changes_waits_for_what_its_role_lacks() {
    let spec = leading_to(&["one", "two"]);
    let mut world = made(&spec);
    for name in ["one", "two"] {
        let Reading::Known(Some(role)) = &mut owned(&mut world, name).role else {
            panic!()
        };
        (role.boundary, role.trust) = (None, json!({}));
        let Reading::Known(Some(function)) = &mut owned(&mut world, name).function else {
            panic!()
        };
        function.configuration.handler = "index.other".into();
    }
    let mut now = steps(&spec, &world);
    now.retain(|step| step.contains("configuration"));
    assert_eq!(
        now,
        [
            "update configuration of function one <0 <1",
            "update configuration of function two <2 <3"
        ]
    );
}

#[test]
fn another_text_or_another_architecture_alone_is_other_code() {
    let spec = leading_to(&["one"]);
    let after = |change: fn(&mut observed::Function)| {
        let mut world = made(&spec);
        let Reading::Known(Some(function)) = &mut owned(&mut world, "one").function else {
            panic!()
        };
        change(function);
        steps(&spec, &world)
    };
    let update = ["update code of function one", "wait for function one"];
    assert_eq!(after(|_| {}), NONE);
    assert_eq!(after(|function| function.sha256 = "another".into()), update);
    assert_eq!(after(|function| function.architecture = "arm64".into()), update);
}

#[test]
fn a_function_that_goes_takes_its_policy_with_it() {
    let world = made(&leading_to(&["one", "two"]));
    let removals = |steps: Vec<String>| {
        let mut removals = named(steps);
        removals.retain(|step| step.contains("no longer let") || step.contains("delete function"));
        removals
    };
    assert_eq!(
        removals(lines(&seen(&leading_to(&["one"]), &world))),
        ["delete function two <1"]
    );
    assert_eq!(
        removals(lines(&plan_deletion(&world.observed, &owner()))),
        ["!delete function one <0", "!delete function two <0"]
    );
    let by_role = JwtHttpApiSpec {
        invocation: None,
        ..leading_to(&["one", "two"])
    };
    let stays = removals(lines(&seen(&by_role, &world)));
    let stays: Vec<&str> = stays
        .iter()
        .map(|step| step.split(" <").next().unwrap())
        .collect();
    let arn = "no longer let the API invoke";
    assert_eq!(
        stays,
        [format!("{arn} one"), format!("{arn} two")],
        "it does not go"
    );
}

/// Of an API that was taken over, while no statement of its says so.
#[test]
fn a_last_owners_statement_goes_from_every_function_that_the_object_leads_to_or_led_to() {
    let last = Owner {
        uid: "before".into(),
        ..owner()
    };
    let mut world = made(&by_policy());
    for name in ["f", "g", "h"] {
        world.add_statement(&function(name), &statement_id(&last), "x");
    }
    world.observed.last = Some(last);
    let only = |name: &str| JwtHttpApiSpec {
        routes: vec![route("GET /a", name)],
        ..by_policy()
    };
    let removals = |spec: &JwtHttpApiSpec| {
        let mut steps = steps(spec, &world);
        steps.retain(|step| step.starts_with("no longer let"));
        let name = |step: String| step.split([' ', '<']).nth(6).unwrap().to_owned();
        steps.into_iter().map(name).collect::<Vec<_>>()
    };
    // Those of f and g are there; h is wanted.
    assert_eq!(removals(&only("f")), ["f", "g", "g"]);
    assert_eq!(removals(&only("h")), ["f", "f", "g", "g", "h"]);
}

#[test]
fn a_route_that_closes_an_opening_waits_for_no_permission_even_where_it_takes_the_place_of_another() {
    let public = || api::Route {
        public: Some(true),
        ..route("ANY /open/{proxy+}", "f")
    };
    let of = |more: api::Route| JwtHttpApiSpec {
        routes: vec![public(), more],
        ..by_policy()
    };
    let world = made(&of(route("GET /other", "f")));
    let after = of(route("GET /open/not", "g"));
    let room = Room {
        routes: 2,
        ..Room::USUAL
    };
    let plan = plan_within(room, &desired(&after), &world.observed, &owner(), &place());
    assert_eq!(
        lines(&plan),
        [
            "let the API invoke g",
            "!create integration with g",
            "!update route GET /other: key GET /open/not tokens of default integration",
        ]
    );
}
