//! How many requests a change costs, and how long planning takes.

use super::sketch::{owner, place, policy, route};
use super::world::World;
use super::{Plan, Step, plan};
use crate::api::{Cors, Invocation, InvocationMode, JwtHttpApiSpec, Route};
use crate::model::name::FunctionArn;
use crate::model::{Desired, build};

fn spec() -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        issuer: "https://issuer.example.com/".into(),
        audience: vec!["a".into()],
        cors: Some(Cors {
            allow_origins: vec!["*".into()],
            ..Cors::default()
        }),
        routes: vec![
            route("GET /a", "f"),
            route("GET /b/{id}", "g"),
            route("POST /b", "h"),
        ],
        ..JwtHttpApiSpec::default()
    }
}

fn built(spec: &JwtHttpApiSpec) -> Desired {
    build(spec, &owner(), &place(), "nonce", &policy()).unwrap()
}

fn world() -> World {
    let functions = ["f", "g", "h", "i"].map(|name| FunctionArn::of_name(&place(), name, None).unwrap());
    World::new(&owner(), &place(), functions)
}

fn planned(spec: &JwtHttpApiSpec, world: &World) -> Plan {
    plan(&built(spec), &world.observed, &owner(), &place())
}

/// The plan of a change to the API of [`spec`].
fn edited(edit: impl FnOnce(&mut JwtHttpApiSpec)) -> String {
    let mut world = world();
    world.run(&planned(&spec(), &world));
    let mut spec = spec();
    edit(&mut spec);
    planned(&spec, &world).to_string()
}

#[test]
fn an_api_of_three_routes_is_created_in_eleven_requests_of_which_this_is_the_plan() {
    assert_eq!(
        planned(&spec(), &world()).to_string(),
        "create role jwthttpapi-eu-central-1-ROLE
let role jwthttpapi-eu-central-1-ROLE invoke 3 functions
create API \"demo-hello\"
create authorizer default
create integration with arn:aws:lambda:eu-central-1:123456789012:function:f
create route GET /a: tokens of default
create integration with arn:aws:lambda:eu-central-1:123456789012:function:h
create route POST /b: tokens of default
create integration with arn:aws:lambda:eu-central-1:123456789012:function:g
create route GET /b/{id}: tokens of default
create stage $default
"
        .replace(
            "jwthttpapi-eu-central-1-ROLE",
            &crate::model::name::role_name(&owner(), "eu-central-1").name
        )
    );
}

#[test]
fn an_api_in_resource_policy_mode_costs_a_statement_for_each_function_instead_of_the_role() {
    let mut spec = spec();
    spec.invocation = Some(Invocation {
        mode: Some(InvocationMode::ResourcePolicy),
        role_arn: None,
    });
    assert_eq!(planned(&spec, &world()).steps.len(), 12);
}

#[test]
fn other_scopes_of_one_route_are_one_request() {
    let plan = edited(|spec| spec.routes[0].scopes = Some(vec!["read".into()]));
    assert_eq!(plan, "update route GET /a: tokens of default with read\n");
}

#[test]
fn another_audience_is_one_request() {
    assert_eq!(
        edited(|spec| spec.audience = vec!["b".into()]),
        "update authorizer default\n"
    );
}

#[test]
fn another_function_of_one_route_is_created_repointed_and_deleted() {
    let plan = edited(|spec| spec.routes[0].lambda.name = Some("i".into()));
    let role = crate::model::name::role_name(&owner(), "eu-central-1").name;
    let expected = format!(
        "let role {role} invoke 4 functions
create integration with arn:aws:lambda:eu-central-1:123456789012:function:i
update route GET /a: integration
delete integration int0003
let role {role} invoke 3 functions
"
    );
    assert_eq!(plan, expected);
}

#[test]
fn a_route_made_protected_and_led_elsewhere_is_closed_before_anything_else() {
    let mut world = world();
    let mut open = spec();
    open.routes[0].public = Some(true);
    world.run(&planned(&open, &world));
    let mut closed = spec();
    closed.routes[0].lambda.name = Some("i".into());
    closed.routes.insert(0, route("GET /c", "i"));
    let plan = planned(&closed, &world);
    let first = plan
        .steps
        .iter()
        .find(|planned| planned.step.service() == super::Service::ApiGateway);
    let first = first.unwrap();
    assert_eq!(first.step.to_string(), "update route GET /a: tokens of default");
    assert!(first.tightens && first.after.is_empty());
}

#[test]
fn three_hundred_routes_are_planned_quickly_from_nothing_and_when_all_are_found_open() {
    let mut spec = spec();
    spec.cors = None;
    spec.routes = (0..298)
        .map(|index| {
            route(
                &format!("GET /resource{index}/{{id}}"),
                ["f", "g", "h"][index % 3],
            )
        })
        .collect();
    spec.routes.push(route("ANY /{proxy+}", "f"));
    spec.routes.push(route("$default", "f"));
    let desired = built(&spec);
    let mut world = world();
    // Counted in work, not in time: a debug build plans each of these in about half a second.
    let creation = plan(&desired, &world.observed, &owner(), &place());
    assert_eq!(creation.steps.len(), 2 + 1 + 1 + 3 + 300 + 1);
    world.run(&creation);
    for route in &mut world.api().routes {
        route.authorization = crate::model::observed::Authorization::None;
    }
    let repair = plan(&desired, &world.observed, &owner(), &place());
    assert_eq!(repair.steps.len(), 300);
    assert!(repair.steps.iter().all(|planned| planned.tightens));
}

/// Each of those that go lies beneath each of those that come and take its callers over.
#[test]
fn routes_that_give_way_to_as_many_narrower_ones_are_planned_quickly() {
    let of = |key: fn(usize) -> String| {
        let mut spec = spec();
        spec.routes = (0..80).map(|index| route(&key(index), "f")).collect();
        spec
    };
    let mut world = world();
    world.run(&planned(&of(|index| format!("GET /{{x}}/b{index}")), &world));
    let change = planned(&of(|index| format!("GET /a{index}/{{y}}")), &world);
    let come = change.steps.iter().take(80);
    let mut come = come.map(|planned| &planned.step);
    assert!(come.all(|step| matches!(step, Step::CreateRoute { .. })));
    assert_eq!(change.steps.len(), 160);
}

/// A set of audiences and scopes for each route would be hundreds of megabytes, and all pairs of them hours.
#[test]
fn routes_that_all_overlap_with_the_most_audiences_and_scopes_are_planned_quickly_in_little_memory() {
    let scope = |set: usize, n: usize| format!("{set}-{n}-{}", "s".repeat(59));
    let mut spec = spec();
    spec.cors = None;
    spec.issuer = format!("https://issuer.example.com/{}", "i".repeat(2_000));
    spec.audience = (10..60).map(|n| format!("{n}{}", "a".repeat(510))).collect();
    spec.routes = (0..240)
        .map(|index: usize| {
            let method = ["GET", "ANY"][index % 2];
            let key = format!("{method} /{}{{rest+}}", "a/".repeat(index / 2));
            Route {
                scopes: Some((0..10).map(|n| scope(index % 7, n)).collect()),
                ..route(&key, "f")
            }
        })
        .collect();
    let mut world = world();
    let desired = built(&spec);
    let creation = plan(&desired, &world.observed, &owner(), &place());
    assert_eq!(creation.steps.len(), 2 + 1 + 1 + 1 + 240 + 1);
    world.run(&creation);
    // Every route gets the scopes of another one.
    for (index, route) in spec.routes.iter_mut().enumerate() {
        route.scopes = Some((0..10).map(|n| scope((index + 1) % 7, n)).collect());
    }
    let change = plan(&built(&spec), &world.observed, &owner(), &place());
    assert_eq!(change.steps.len(), 240);
}
