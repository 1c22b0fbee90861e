//! Each difference alone, and the steps that it leads to: `!` marks those that tighten, `<` names the steps before them.

use super::sketch::{owner, place, policy, route};
use super::world::World;
use super::{Plan, Step, plan, plan_deletion, plan_release};
use crate::api::{Cors, Invocation, InvocationMode, IpAddressType, JwtHttpApiSpec};
use crate::model::name::{
    FunctionArn, execution_role_name, function_name, log_group, role_name, statement_id,
};
use crate::model::observed::{
    Api, Authorization, Authorizer, FunctionPolicy, Integration, Observed, Reading, Role, Stage,
};
use crate::model::{Desired, Policy, build};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:";

pub(super) fn function(name: &str) -> FunctionArn {
    FunctionArn::of_name(&place(), name, None).unwrap()
}

pub(super) fn spec() -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        issuer: "https://issuer.example.com/".into(),
        audience: vec!["a".into()],
        description: Some("text".into()),
        cors: Some(Cors {
            allow_origins: vec!["*".into()],
            ..Cors::default()
        }),
        tags: BTreeMap::from([("team".into(), "one".into())]),
        routes: vec![route("GET /a", "f"), route("GET /b", "f"), route("GET /c", "g")],
        ..JwtHttpApiSpec::default()
    }
}

pub(super) fn by_policy() -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        invocation: Some(Invocation {
            mode: Some(InvocationMode::ResourcePolicy),
            role_arn: None,
        }),
        ..spec()
    }
}

/// With a function of its own.
pub(super) fn owning() -> JwtHttpApiSpec {
    let function = json!({
        "name": "own", "runtime": "nodejs24.x", "handler": "index.handler", "code": "code",
    });
    JwtHttpApiSpec {
        functions: vec![serde_json::from_value(function).unwrap()],
        ..spec()
    }
}

pub(super) fn desired(spec: &JwtHttpApiSpec) -> Desired {
    build(spec, &owner(), &place(), "nonce", &policy()).unwrap()
}

pub(super) fn planned(spec: &JwtHttpApiSpec, observed: &Observed) -> Plan {
    plan(&desired(spec), observed, &owner(), &place())
}

pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let role = role_name(&owner(), &place().region).name;
    let line = |planned: &super::Planned| {
        let step = planned.step.to_string();
        let step = step.replace(&role, "R").replace(FUNCTION, "");
        let mut line = format!("{}{step}", if planned.tightens { "!" } else { "" });
        for index in &planned.after {
            let _ = write!(line, " <{index}");
        }
        line
    };
    plan.steps.iter().map(line).collect()
}

pub(super) fn nothing_made() -> World {
    World::new(&owner(), &place(), ["f", "g", "h"].map(function))
}

pub(super) fn as_wanted(spec: &JwtHttpApiSpec) -> World {
    let mut world = nothing_made();
    world.run(&planned(spec, &world.observed));
    world
}

/// The steps to what `spec` wants from an AWS that was as `before` wants, and then changed.
fn from(before: &JwtHttpApiSpec, spec: &JwtHttpApiSpec, change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = as_wanted(before);
    change(&mut world);
    lines(&planned(spec, &world.observed))
}

fn after(change: impl FnOnce(&mut Api)) -> Vec<String> {
    from(&spec(), &spec(), |world| change(world.api()))
}

/// The same for a change of the role.
fn after_role(change: impl FnOnce(&mut Role)) -> Vec<String> {
    from(&spec(), &spec(), |world| change(role(world)))
}

pub(super) fn role(world: &mut World) -> &mut Role {
    match &mut world.observed.role {
        Reading::Known(Some(role)) => role,
        other => panic!("{other:?}"),
    }
}

pub(super) const NONE: [&str; 0] = [];

#[test]
fn what_is_as_wanted_leads_to_nothing() {
    let off = JwtHttpApiSpec {
        disable_execute_api_endpoint: Some(true),
        ..spec()
    };
    for spec in [spec(), by_policy(), off] {
        assert_eq!(from(&spec, &spec, |_| {}), NONE);
    }
}

#[test]
fn a_role_goes_before_the_routes_that_need_it() {
    assert_eq!(
        from(&spec(), &spec(), |world| *world = nothing_made()),
        [
            "create role R",
            "let role R invoke 2 functions",
            "create API \"demo-hello\"",
            "create authorizer default",
            "create integration with f",
            "create route GET /a: tokens of default <1",
            "create route GET /b: tokens of default <1",
            "create integration with g",
            "create route GET /c: tokens of default <1",
            "create stage $default",
        ]
    );
}

#[test]
fn a_permission_needs_the_api_and_goes_before_the_routes_that_need_it() {
    assert_eq!(
        from(&spec(), &by_policy(), |world| *world = nothing_made()),
        [
            "create API \"demo-hello\"",
            "let the API invoke f <0",
            "let the API invoke g <0",
            "create authorizer default",
            "create integration with f",
            "create route GET /a: tokens of default <1",
            "create route GET /b: tokens of default <1",
            "create integration with g",
            "create route GET /c: tokens of default <2",
            "create stage $default",
        ]
    );
}

#[test]
fn what_lets_a_route_invoke_goes_when_no_route_needs_it() {
    let moved = |kind: [&str; 2], needed: [u8; 2], last: &[&str]| {
        let [f, g] = needed;
        let steps = [
            kind[0].to_owned(),
            kind[1].to_owned(),
            "create integration with f".to_owned(),
            format!("update route GET /a: integration <{f}"),
            format!("update route GET /b: integration <{f}"),
            "create integration with g".to_owned(),
            format!("update route GET /c: integration <{g}"),
        ];
        let last = last.iter().map(|step| (*step).to_owned());
        steps.into_iter().chain(last).collect::<Vec<_>>()
    };
    let permissions = ["let the API invoke f", "let the API invoke g"];
    let integrations_go = ["delete integration int0003", "delete integration int0006"];
    let [one_goes, other_goes] = integrations_go;
    assert_eq!(
        from(&spec(), &by_policy(), |_| {}),
        moved(
            permissions,
            [0, 1],
            &[
                one_goes,
                other_goes,
                "delete policy of role R <8",
                "delete role R <8"
            ]
        )
    );
    assert_eq!(
        from(&spec(), &by_policy(), |world| role(world).policy = None),
        moved(permissions, [0, 1], &[one_goes, other_goes, "delete role R <8"])
    );
    assert_eq!(
        from(&spec(), &by_policy(), |world| role(world).tags.clear()),
        moved(permissions, [0, 1], &integrations_go),
        "somebody else's role stays"
    );
    // What tells of a permission goes after it.
    assert_eq!(
        from(&by_policy(), &spec(), |_| {}),
        moved(
            ["create role R", "let role R invoke 2 functions"],
            [1, 1],
            &[
                "no longer let the API invoke f <6",
                "no longer let the API invoke g <6",
                "delete integration int0003 <7",
                "delete integration int0006 <8",
            ]
        )
    );
}

#[test]
fn a_setting_that_differs_leads_to_an_update_of_it_alone() {
    assert_eq!(after(|api| api.name = "x".into()), ["update API: name"]);
    assert_eq!(
        after(|api| api.description = "x".into()),
        ["update API: description"]
    );
    assert_eq!(
        after(|api| api.ip_address_type = IpAddressType::Dualstack),
        ["update API: ipAddressType"]
    );
    assert_eq!(
        after(|api| api.tags.extend(
            [("team", "two"), ("x", "y"), ("aws:x", "y")].map(|(key, value)| (key.into(), value.into()))
        )),
        ["untag API: x", "tag API: team"]
    );
    assert_eq!(after(|api| drop(api.tags.remove("team"))), ["tag API: team"]);
}

#[test]
fn switching_the_endpoint_off_tightens_and_switching_it_on_does_not() {
    let off = JwtHttpApiSpec {
        disable_execute_api_endpoint: Some(true),
        ..spec()
    };
    let (closes, opens) = (from(&spec(), &off, |_| {}), from(&off, &spec(), |_| {}));
    assert_eq!(closes, ["!update API: disableExecuteApiEndpoint"]);
    assert_eq!(opens, ["update API: disableExecuteApiEndpoint"]);
}

#[test]
fn the_endpoint_is_switched_on_when_all_that_decides_who_gets_in_was_written() {
    let off = JwtHttpApiSpec {
        disable_execute_api_endpoint: Some(true),
        description: None,
        audience: vec!["b".into()],
        ..spec()
    };
    let stale = |world: &mut World| {
        let api = world.api();
        api.stages[0].auto_deploy = false;
        api.authorizers.push(Authorizer {
            id: "spare".into(),
            name: "spare".into(),
            jwt: None,
        });
    };
    assert_eq!(
        from(&off, &spec(), stale),
        [
            "!update authorizer default",
            "update API: description",
            "!switch automatic deployment on",
            "update API: disableExecuteApiEndpoint",
            "delete authorizer spare (spare)",
        ]
    );
}

#[test]
fn of_all_steps_the_one_that_switches_the_endpoint_on_may_overtake_deployments() {
    let off = JwtHttpApiSpec {
        disable_execute_api_endpoint: Some(true),
        ..spec()
    };
    let overtaking = |before: &JwtHttpApiSpec, spec: &JwtHttpApiSpec| {
        let plan = planned(spec, &as_wanted(before).observed);
        let steps = plan.steps.iter().map(|planned| &planned.step);
        steps.filter(|step| step.overtakes()).count()
    };
    assert_eq!(overtaking(&off, &spec()), 1);
    assert_eq!(overtaking(&spec(), &off), 0);
    assert_eq!(overtaking(&spec(), &by_policy()), 0);
}

#[test]
fn a_maximum_age_of_zero_may_stand_for_none_and_one_that_is_not_wanted_goes_with_all_of_cors() {
    let aged = |max_age| JwtHttpApiSpec {
        cors: spec().cors.map(|cors| Cors { max_age, ..cors }),
        ..spec()
    };
    let update = ["update API: cors"].as_slice();
    let anew = ["remove CORS", "update API: cors"].as_slice();
    for (wanted, now, steps) in [
        (None, None, [].as_slice()),
        (None, Some(0), &[]),
        (None, Some(6), anew),
        (Some(0), None, update),
        (Some(0), Some(0), &[]),
        (Some(0), Some(6), update),
        (Some(5), None, update),
        (Some(5), Some(0), update),
        (Some(5), Some(5), &[]),
        (Some(5), Some(6), update),
    ] {
        let spec = aged(wanted);
        let found = from(&spec, &spec, |world| {
            world.api().cors.as_mut().unwrap().max_age = now;
        });
        assert_eq!(found, steps, "{wanted:?} {now:?}");
    }
    assert_eq!(after(|api| api.cors = None), update);
    let without = JwtHttpApiSpec { cors: None, ..spec() };
    assert_eq!(from(&spec(), &without, |_| {}), ["remove CORS"]);
}

#[test]
fn an_integration_is_put_right_in_place_where_aws_can_change_it_and_replaced_where_not() {
    let changes: [fn(&mut Integration); 6] = [
        |integration| integration.uri = "x".into(),
        |integration| integration.method = "x".into(),
        |integration| integration.payload_format_version = "x".into(),
        |integration| integration.timeout_millis = 1,
        |integration| integration.credentials = "x".into(),
        |integration| integration.request_parameters = [("a".to_owned(), "b".to_owned())].into(),
    ];
    for change in changes {
        let steps = after(|api| change(&mut api.integrations[0]));
        assert_eq!(steps, ["put integration int0003 right"]);
    }
    let replaced = [
        "create integration with f",
        "update route GET /a: integration",
        "update route GET /b: integration",
        "delete integration int0003",
    ];
    let changes: [fn(&mut Integration); 5] = [
        |integration| integration.kind = "x".into(),
        |integration| integration.subtype = "x".into(),
        |integration| integration.connection_type = "x".into(),
        |integration| integration.has_response_parameters = true,
        |integration| integration.description = "x".into(),
    ];
    for change in changes {
        assert_eq!(after(|api| change(&mut api.integrations[0])), replaced);
    }
    // Whether an empty text clears a role is not known.
    let stray = |world: &mut World| world.api().integrations[0].credentials = "x".into();
    assert_eq!(from(&by_policy(), &by_policy(), stray), replaced);
}

#[test]
fn the_parameters_that_go_from_an_integration_are_named() {
    let mut world = as_wanted(&spec());
    let parameters = ["a", "b"].map(|key| (key.to_owned(), "x".to_owned()));
    world.api().integrations[0].request_parameters = parameters.into();
    let plan = planned(&spec(), &world.observed);
    let [Step::UpdateIntegration { drop_parameters, .. }] = [&plan.steps[0].step] else {
        panic!("{plan}")
    };
    assert_eq!(drop_parameters.iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_default_stage_deploys_by_itself_and_another_goes_at_once() {
    let other = Stage {
        name: "x".into(),
        auto_deploy: true,
        ..Stage::default()
    };
    assert_eq!(after(|api| api.stages.push(other)), ["!delete stage x"]);
    assert_eq!(after(|api| api.stages.clear()), ["create stage $default"]);
    assert_eq!(
        after(|api| api.stages[0].auto_deploy = false),
        ["!switch automatic deployment on"]
    );
}

#[test]
fn a_deployment_that_failed_is_asked_for_again_by_a_route_as_it_is() {
    let says = |text: &str| {
        let text = Some(text.to_owned());
        after(|api| api.stages[0].deployment_message = text)
    };
    assert_eq!(says("Successfully deployed stage with deployment ID 'a'"), NONE);
    let [asked] = <[String; 1]>::try_from(says("the integration is gone")).unwrap();
    assert!(
        asked.starts_with("!update route") && asked.contains("operationName"),
        "{asked}"
    );
    let written = after(|api| {
        api.stages[0].deployment_message = Some("the integration is gone".to_owned());
        api.authorizers[0].name = "other".to_owned();
    });
    assert!(
        !written.iter().any(|step| step.contains("operationName")),
        "{written:?}"
    );
    // An endpoint that is to be switched on serves what that makes up for.
    let off = after(|api| {
        api.stages[0].deployment_message = Some("the integration is gone".to_owned());
        api.disable_execute_api_endpoint = true;
    });
    let [asked, switched] = <[String; 2]>::try_from(off).unwrap();
    assert!(asked.contains("operationName"), "{asked}");
    assert!(switched.contains("disableExecuteApiEndpoint"), "{switched}");
}

#[test]
fn of_duplicates_the_most_used_stays_then_the_one_of_the_lowest_id_wherever_it_stands() {
    let (authorizer, integration) = ("auth0002", "int0003");
    for id in ["a", "z"] {
        for position in [0, 1] {
            let steps = after(|api| {
                let double = Authorizer {
                    id: id.into(),
                    ..api.authorizers[0].clone()
                };
                api.authorizers.insert(position, double);
            });
            assert_eq!(steps, [format!("delete authorizer default ({id})")], "unused");
            let steps = after(|api| {
                let double = Integration {
                    id: id.into(),
                    ..api.integrations[0].clone()
                };
                api.integrations.insert(position, double);
            });
            assert_eq!(steps, [format!("delete integration {id}")], "unused");
            let (kept, gone) = if id < integration {
                (id, integration)
            } else {
                (integration, id)
            };
            let steps = after(|api| {
                let double = Integration {
                    id: id.into(),
                    ..api.integrations[0].clone()
                };
                api.integrations.insert(position, double);
                api.routes[0].integration_id = Some(id.into());
            });
            let route = if kept == id { "GET /b" } else { "GET /a" };
            assert_eq!(
                steps,
                [
                    format!("update route {route}: integration"),
                    format!("delete integration {gone}")
                ],
                "used once, each"
            );
            let steps = after(|api| {
                let double = Authorizer {
                    id: id.into(),
                    ..api.authorizers[0].clone()
                };
                api.authorizers.insert(position, double);
                for route in &mut api.routes[1..] {
                    let Authorization::Jwt { authorizer_id, .. } = &mut route.authorization else {
                        panic!()
                    };
                    *authorizer_id = id.into();
                }
            });
            assert_eq!(
                steps,
                [
                    "update route GET /a: tokens of default".to_owned(),
                    format!("delete authorizer default ({authorizer})")
                ],
                "used twice"
            );
        }
    }
}

#[test]
fn what_nobody_asked_for_goes_at_once_when_it_is_open_and_else_at_the_end() {
    let strange = |authorization: Option<Authorization>| {
        after(|api| {
            let mut route = api.routes[0].clone();
            (route.id, route.key) = ("r".into(), "GET /{a}/{a}".into());
            route.authorization = authorization.unwrap_or(route.authorization);
            api.routes.push(route);
        })
    };
    assert_eq!(
        strange(Some(Authorization::None)),
        ["!delete route GET /{a}/{a} (r)"]
    );
    assert_eq!(strange(None), ["delete route GET /{a}/{a} (r)"]);
    let authorizer = Authorizer {
        id: "a".into(),
        name: "x".into(),
        jwt: None,
    };
    assert_eq!(
        after(|api| api.authorizers.push(authorizer)),
        ["delete authorizer x (a)"]
    );
}

fn naming<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let arns: Vec<String> = names.into_iter().map(|name| function(name).to_string()).collect();
    let statement = json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arns});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

const BOUND: &str = "bound role R by arn:aws:iam::123456789012:policy/boundary";

#[test]
fn a_role_is_bounded_before_anything_lets_it_do_more() {
    let widened = |role: &mut Role| {
        role.boundary = None;
        role.trust = json!({});
        role.policy = Some(naming(vec!["f"]));
    };
    assert_eq!(
        after_role(widened),
        [BOUND, "update trust of role R", "let role R invoke 2 functions"]
    );
}

#[test]
fn a_boundary_that_nobody_asks_for_any_more_is_left_on_the_role() {
    let world = as_wanted(&spec());
    let unbounded = Policy {
        permissions_boundary: None,
        ..policy()
    };
    let desired = build(&spec(), &owner(), &place(), "nonce", &unbounded).unwrap();
    assert!(plan(&desired, &world.observed, &owner(), &place()).is_empty());
}

#[test]
fn traffic_waits_for_iam_when_a_boundary_takes_the_place_of_another_and_not_when_it_is_the_first() {
    let settles = |before: Option<&str>| {
        let mut world = as_wanted(&spec());
        role(&mut world).boundary = before.map(str::to_owned);
        let plan = planned(&spec(), &world.observed);
        plan.steps
            .iter()
            .map(|planned| planned.step.settles())
            .collect::<Vec<_>>()
    };
    assert_eq!(settles(None), [false]);
    assert_eq!(settles(Some("arn:aws:iam::123456789012:policy/another")), [true]);
}

#[test]
fn a_tag_of_a_role_that_changes_the_case_of_its_key_is_not_taken_off_again() {
    let steps = after_role(|role| {
        let value = role.tags.remove("team").unwrap();
        role.tags.insert("Team".into(), value);
    });
    assert_eq!(steps, ["tag role R: team"]);
}

#[test]
fn roles_of_the_owners_stay_under_their_path_and_everything_leads_through_them() {
    let mut world = as_wanted(&owning());
    let elsewhere = Policy {
        role_path: "/team/".parse().unwrap(),
        ..policy()
    };
    let desired = build(&owning(), &owner(), &place(), "nonce", &elsewhere).unwrap();
    let stands = |world: &World, told: Option<&str>| {
        let observed = &world.observed;
        let desired = desired.clone();
        let desired = desired.standing(&observed.role, &observed.owned, told, &owner());
        lines(&plan(&desired, observed, &owner(), &place()))
    };
    assert_eq!(stands(&world, None), NONE);
    let arn = role(&mut world).arn.clone();
    // What could not be read stands where status says.
    world.observed.role = Reading::Unknown;
    assert_eq!(stands(&world, Some(&arn)), NONE);
    world.observed.role = Reading::Known(None);
    let made = stands(&world, Some(&arn));
    assert_eq!(made[..2], ["create role R", "let role R invoke 2 functions"]);
    assert!(
        made.iter().any(|line| line.starts_with("create integration")),
        "{made:?}"
    );
}

#[test]
fn a_role_of_somebody_else_or_of_another_name_says_nothing_of_where_ours_is() {
    let mut world = as_wanted(&owning());
    let elsewhere = Policy {
        role_path: "/team/".parse().unwrap(),
        ..policy()
    };
    let desired = build(&owning(), &owner(), &place(), "nonce", &elsewhere).unwrap();
    role(&mut world).tags.clear();
    world.observed.owned.clear();
    let observed = &world.observed;
    let stands = |role, told| desired.clone().standing(role, &observed.owned, told, &owner());
    assert_eq!(stands(&observed.role, None), desired);
    let other = "arn:aws:iam::123456789012:role/jwthttpapi/another";
    assert_eq!(stands(&Reading::Unknown, Some(other)), desired);
}

#[test]
fn a_role_of_ours_is_put_right_and_no_other() {
    assert_eq!(
        after_role(|role| role.trust = json!({})),
        ["update trust of role R"]
    );
    let tags = |role: &mut Role| {
        role.tags.remove("team");
        role.tags.insert("x".into(), "y".into());
    };
    assert_eq!(after_role(tags), ["untag role R: x", "tag role R: team"]);
    assert_eq!(
        after_role(|role| role.policy = None),
        ["let role R invoke 2 functions"]
    );
    let narrower = |role: &mut Role| role.boundary = None;
    assert_eq!(after_role(narrower), [BOUND]);
    assert_eq!(after_role(|role| role.tags.clear()), NONE);
    let reading = |reading| from(&spec(), &spec(), |world| world.observed.role = reading);
    assert_eq!(reading(Reading::Unknown), NONE);
    assert_eq!(
        reading(Reading::Known(None)),
        ["create role R", "let role R invoke 2 functions"]
    );
}

#[test]
fn a_function_that_leaves_the_policy_while_another_joins_stays_until_the_end_where_both_have_room() {
    let put = |names: Vec<&str>| {
        let mut world = as_wanted(&spec());
        role(&mut world).policy = Some(naming(names));
        let plan = planned(&spec(), &world.observed);
        let steps = plan.steps.iter().map(|planned| match &planned.step {
            Step::PutRolePolicy { policy, widens, .. } => (policy.resources().len(), *widens),
            other => panic!("{other}"),
        });
        steps.collect::<Vec<_>>()
    };
    assert_eq!(put(vec!["f", "g"]), []);
    assert_eq!(put(vec!["f"]), [(2, true)]);
    assert_eq!(put(vec!["f", "g", "h"]), [(2, false)]);
    assert_eq!(put(vec!["f", "h"]), [(3, true), (2, false)]);
    let many: Vec<String> = (0..200).map(|index| format!("function-{index:03}")).collect();
    assert_eq!(put(many.iter().map(String::as_str).collect()), [(2, true)]);
}

#[test]
fn a_statement_is_added_replaced_and_removed_where_the_policy_is_known() {
    let id = statement_id(&owner());
    let empty = || Reading::Known(FunctionPolicy::Policy(json!({})));
    let of_f = |reading| {
        from(&by_policy(), &by_policy(), |world| {
            world.observed.functions.insert(function("f"), reading);
        })
    };
    assert_eq!(of_f(empty()), ["let the API invoke f"]);
    for reading in [
        Reading::Unknown,
        Reading::Known(FunctionPolicy::Exists),
        Reading::Known(FunctionPolicy::Missing),
    ] {
        assert_eq!(of_f(reading), NONE);
    }
    let of_another_api = from(&by_policy(), &by_policy(), |world| {
        world.observed.functions.insert(function("f"), empty());
        world.add_statement(&function("f"), &id, "x");
    });
    assert_eq!(
        of_another_api,
        ["no longer let the API invoke f", "let the API invoke f"]
    );
    let of_no_route = from(&by_policy(), &by_policy(), |world| {
        world.add_statement(&function("h"), &id, "x");
    });
    assert_eq!(of_no_route, ["no longer let the API invoke h"]);
}

/// To a namesake the log group is what tells of all three.
#[test]
fn a_functions_log_group_is_made_before_its_role_and_that_before_the_function() {
    let desired = desired(&owning());
    let plan = plan(&desired, &nothing_made().seen(&desired), &owner(), &place());
    let position = |wanted: fn(&Step) -> bool| {
        let mut steps = plan.steps.iter();
        steps.position(|planned| wanted(&planned.step)).expect("a step")
    };
    let group = position(|step| matches!(step, Step::CreateLogGroup(_)));
    let role = position(|step| matches!(step, Step::CreateRole(role) if role.function.is_some()));
    let function = position(|step| matches!(step, Step::CreateFunction { .. }));
    assert!(plan.steps[role].after.contains(&group));
    assert!(plan.steps[function].after.contains(&role));
}

/// An API that was taken over has statements under the uid of its last owner.
#[test]
fn statements_that_name_the_objects_api_are_its_own_whoever_had_it_before() {
    let before = "jwthttpapi-0000000000000000";
    let mut world = as_wanted(&by_policy());
    let ours = place().execute_api_arn(&world.api().id);
    let theirs = place().execute_api_arn("another");
    let empty = Reading::Known(FunctionPolicy::Policy(Value::Null));
    world.observed.functions.insert(function("i"), empty);
    world.add_statement(&function("f"), before, &ours);
    world.add_statement(&function("h"), before, &ours);
    world.add_statement(&function("i"), before, &theirs);
    world.add_statement(&function("i"), "by-hand", &ours);
    let of_the_owner = world.observed.lineage.clone();
    world.observed.lineage.insert(ours.clone());
    assert_eq!(
        lines(&planned(&by_policy(), &world.observed)),
        ["no longer let the API invoke f", "no longer let the API invoke h"]
    );
    let removals = |plan: &Plan| {
        let steps = plan.steps.iter().map(|planned| &planned.step);
        let removals = steps.filter(|step| matches!(step, Step::RemovePermission { .. }));
        removals.count()
    };
    // Its own on f and g.
    world.observed.lineage = of_the_owner;
    assert_eq!(removals(&plan_deletion(&world.observed, &owner())), 2);
    world.observed.lineage.insert(ours);
    assert_eq!(removals(&plan_deletion(&world.observed, &owner())), 4);
    // What somebody widened names the API no more. A status may name any uid: where the API does not lead that is not enough.
    let last = crate::model::Owner {
        uid: "before".into(),
        ..owner()
    };
    for name in ["f", "i"] {
        world.add_statement(&function(name), &statement_id(&last), &theirs);
    }
    assert_eq!(removals(&plan_deletion(&world.observed, &owner())), 4);
    world.observed.last = Some(last);
    assert_eq!(removals(&plan_deletion(&world.observed, &owner())), 5);
    assert_eq!(removals(&planned(&by_policy(), &world.observed)), 3);
}

#[test]
fn deletion_and_release_touch_what_is_proven_ours() {
    let tags = "jwthttpapi.dev/cluster, jwthttpapi.dev/deletion-policy, jwthttpapi.dev/name, \
                jwthttpapi.dev/namespace, jwthttpapi.dev/nonce, jwthttpapi.dev/uid";
    let (untag_api, untag_role) = (format!("untag API: {tags}"), format!("untag role R: {tags}"));
    let mut world = as_wanted(&spec());
    let deletion = |world: &World| lines(&plan_deletion(&world.observed, &owner()));
    let release = |world: &World| lines(&plan_release(&world.observed, &owner()));
    assert_eq!(
        deletion(&world),
        [
            "!delete API api0001",
            "!delete policy of role R <0",
            "!delete role R <0"
        ]
    );
    assert_eq!(release(&world), [untag_api.as_str(), untag_role.as_str()]);
    role(&mut world).tags.clear();
    assert_eq!(deletion(&world), ["!delete API api0001"]);
    assert_eq!(release(&world), [untag_api]);
    world.api().tags.clear();
    assert_eq!(deletion(&world), NONE);
    assert_eq!(release(&world), NONE);
    assert_eq!(
        deletion(&as_wanted(&by_policy())),
        [
            "!delete API api0001",
            "!no longer let the API invoke f <0",
            "!no longer let the API invoke g <0",
        ]
    );
}

#[test]
fn deletion_and_release_go_through_a_function_of_ones_own_its_role_and_its_logs() {
    let keys = "jwthttpapi.dev/cluster, jwthttpapi.dev/deletion-policy, jwthttpapi.dev/name, \
                jwthttpapi.dev/namespace, jwthttpapi.dev/nonce, jwthttpapi.dev/uid";
    let own = function_name(&owner(), "own");
    let role = execution_role_name(&owner(), &place().region, "own").name;
    let group = log_group(&own);
    let desired = desired(&owning());
    let mut world = nothing_made();
    world.run(&plan(&desired, &world.seen(&desired), &owner(), &place()));
    let deletion = |world: &World| lines(&plan_deletion(&world.observed, &owner())).split_off(3);
    let release = |world: &World| lines(&plan_release(&world.observed, &owner())).split_off(2);
    let delete = [
        format!("!delete function {own} <0"),
        format!("!delete policy of role {role} <0 <3"),
        format!("!delete role {role} <0 <3"),
    ];
    let untag = ["function", "role", "log group"]
        .iter()
        .zip([&own, &role, &group])
        .map(|(what, name)| format!("untag {what} {name}: {keys}"))
        .collect::<Vec<_>>();
    assert_eq!(deletion(&world), delete);
    assert_eq!(release(&world), untag);
    let mut after = world.clone();
    after.run(&plan_deletion(&world.observed, &owner()));
    assert_eq!(
        lines(&plan_deletion(&after.observed, &owner())),
        [format!("!delete log group {group}")]
    );
    let owned = world.observed.owned.get_mut(&own).unwrap();
    if let Reading::Known(Some(group)) = &mut owned.log_group {
        group.tags.clear();
    }
    owned.role = Reading::Unknown;
    assert_eq!(deletion(&world), delete[..1]);
    assert_eq!(release(&world), untag[..1]);
    let owned = world.observed.owned.get_mut(&own).unwrap();
    if let Reading::Known(Some(function)) = &mut owned.function {
        function.tags.clear();
    }
    assert_eq!(deletion(&world), NONE);
    assert_eq!(release(&world), NONE);
}
