//! How each field of AWS is cleared (O): every `Update*` merges, and what is left out keeps its value.

use super::sketch::{owner, place, policy};
use super::world::World;
use super::{Authorize, Plan, Step, plan};
use crate::api::{Cors, IpAddressType, JwtHttpApiSpec, LambdaBackend, Route};
use crate::model::build;
use crate::model::name::FunctionArn;
use crate::model::observed::{Owned, Reading};
use std::collections::{BTreeMap, BTreeSet};

fn full() -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        issuer: "https://issuer.example.com/".into(),
        audience: vec!["a".into(), "b".into()],
        identity_source: Some("$request.querystring.token".into()),
        description: Some("text".into()),
        cors: Some(Cors {
            allow_origins: vec!["*".into()],
            ..Cors::default()
        }),
        disable_execute_api_endpoint: Some(true),
        ip_address_type: Some(IpAddressType::Dualstack),
        tags: BTreeMap::from([("team".into(), "one".into())]),
        routes: vec![Route {
            route_key: "GET /a".into(),
            scopes: Some(vec!["read".into()]),
            operation_name: Some("get".into()),
            lambda: LambdaBackend {
                name: Some("f".into()),
                ..LambdaBackend::default()
            },
            ..Route::default()
        }],
        ..JwtHttpApiSpec::default()
    }
}

fn planned(spec: &JwtHttpApiSpec, world: &World) -> Plan {
    let desired = build(spec, &owner(), &place(), "nonce", &policy()).unwrap();
    plan(&desired, &world.observed, &owner(), &place())
}

/// The one step to which an edit of the full spec leads.
fn step(edit: impl FnOnce(&mut JwtHttpApiSpec)) -> Step {
    let mut spec = full();
    edit(&mut spec);
    only(planned(&spec, &world()))
}

fn only(plan: Plan) -> Step {
    let [planned] = <[_; 1]>::try_from(plan.steps).expect("one step");
    planned.step
}

fn world() -> World {
    let function = FunctionArn::of_name(&place(), "f", None).unwrap();
    let mut world = World::new(&owner(), &place(), [function]);
    world.run(&planned(&full(), &world));
    world
}

#[test]
fn a_description_is_cleared_by_an_empty_text() {
    let Step::UpdateApi(change) = step(|spec| spec.description = None) else {
        panic!()
    };
    assert_eq!(change.description.as_deref(), Some(""));
}

#[test]
fn cors_is_removed_by_its_own_call() {
    assert_eq!(step(|spec| spec.cors = None), Step::DeleteCors);
}

#[test]
fn an_endpoint_is_switched_on_again_by_false() {
    let Step::UpdateApi(change) = step(|spec| spec.disable_execute_api_endpoint = None) else {
        panic!()
    };
    assert_eq!(change.disable_execute_api_endpoint, Some(false));
}

#[test]
fn an_address_family_goes_back_to_ipv4_in_so_many_letters() {
    let Step::UpdateApi(change) = step(|spec| spec.ip_address_type = None) else {
        panic!()
    };
    assert_eq!(change.ip_address_type, Some(IpAddressType::Ipv4));
}

#[test]
fn tags_are_removed_by_their_own_call() {
    let mut spec = full();
    spec.tags.clear();
    let steps: Vec<String> = planned(&spec, &world())
        .steps
        .iter()
        .map(|p| p.step.to_string())
        .collect();
    assert_eq!(steps.len(), 2, "the role has them, too: {steps:?}");
    assert!(steps.contains(&"untag API: team".to_owned()), "{steps:?}");
}

#[test]
fn an_authorizers_configuration_is_sent_whole() {
    let Step::UpdateAuthorizer { jwt, .. } = step(|spec| spec.audience = vec!["a".into()]) else {
        panic!()
    };
    assert_eq!(jwt.issuer, "https://issuer.example.com/");
    assert_eq!(jwt.audience, BTreeSet::from(["a".to_owned()]));
    assert_eq!(jwt.identity_source, "$request.querystring.token");
}

#[test]
fn request_parameters_are_dropped_key_by_key() {
    let mut world = world();
    world.api().integrations[0].request_parameters = BTreeMap::from([("overwrite:path".into(), "/x".into())]);
    let Step::UpdateIntegration { drop_parameters, .. } = only(planned(&full(), &world)) else {
        panic!()
    };
    assert_eq!(drop_parameters, BTreeSet::from(["overwrite:path".to_owned()]));
}

#[test]
fn an_integration_that_cannot_change_in_place_is_replaced() {
    for field in ["integrationType", "connectionType"] {
        let mut world = world();
        let integration = &mut world.api().integrations[0];
        if field == "integrationType" {
            integration.kind = "HTTP_PROXY".into();
        } else {
            integration.connection_type = "VPC_LINK".into();
        }
        let steps: Vec<String> = planned(&full(), &world)
            .steps
            .iter()
            .map(|p| p.step.to_string())
            .collect();
        let begins: Vec<&str> = steps.iter().map(|step| step.split(' ').next().unwrap()).collect();
        assert_eq!(begins, ["create", "update", "delete"], "{steps:?}");
    }
}

#[test]
fn credentials_go_by_replacement_since_clearing_them_is_not_known_to_work() {
    let mut spec = full();
    spec.invocation = Some(crate::api::Invocation {
        mode: Some(crate::api::InvocationMode::ResourcePolicy),
        role_arn: None,
    });
    let mut replaced = world();
    replaced.run(&planned(&spec, &replaced));
    assert_eq!(replaced.api().integrations[0].credentials, "");
    // Ours without a role, to which somebody gave one.
    replaced.api().integrations[0].credentials = "arn:aws:iam::123456789012:role/other".into();
    let plan = planned(&spec, &replaced);
    replaced.run(&plan);
    assert!(planned(&spec, &replaced).is_empty(), "{plan}");
}

#[test]
fn a_route_becomes_public_by_none_in_so_many_letters() {
    let mut spec = full();
    spec.routes[0].public = Some(true);
    spec.routes[0].scopes = None;
    let plan = planned(&spec, &world());
    let Step::UpdateRoute { change, .. } = &plan.steps[0].step else {
        panic!("{plan}")
    };
    assert_eq!(change.authorize, Some(Authorize::Public));
}

#[test]
fn scopes_are_cleared_by_an_empty_list_with_type_and_authorizer_beside_it() {
    let Step::UpdateRoute { change, .. } = step(|spec| spec.routes[0].scopes = None) else {
        panic!()
    };
    let authorizer = "default".to_owned();
    let scopes = BTreeSet::new();
    assert_eq!(change.authorize, Some(Authorize::Jwt { authorizer, scopes }));
}

#[test]
fn an_operation_name_is_cleared_by_an_empty_text() {
    let Step::UpdateRoute { change, .. } = step(|spec| spec.routes[0].operation_name = None) else {
        panic!()
    };
    assert_eq!(change.operation_name.as_deref(), Some(""));
}

#[test]
fn a_release_takes_the_owners_tags_away_and_nothing_else() {
    let mut world = world();
    let before = world.observed.clone();
    let plan = super::plan_release(&world.observed, &owner());
    world.run(&plan);
    let ours =
        |tags: &BTreeMap<String, String>| tags.keys().any(|key| crate::model::owner::is_ownership_tag(key));
    let (was, now) = (before.api.unwrap(), world.api().clone());
    assert!(ours(&was.tags) && !ours(&now.tags) && now.tags["team"] == "one");
    assert_eq!(
        crate::model::observed::Api {
            tags: was.tags.clone(),
            ..now
        },
        was
    );
    let role = world.observed.role.known().cloned().flatten().unwrap();
    assert!(!ours(&role.tags) && role.tags["team"] == "one" && role.policy.is_some());
    assert!(super::plan_release(&world.observed, &owner()).is_empty());
}

#[test]
fn a_release_leaves_the_code_and_the_logs_of_a_function_of_ones_own_as_they_are() {
    let function = serde_json::json!({"name": "own", "runtime": "python3.13", "handler": "index.handler",
        "code": "code", "logRetentionDays": 7});
    let spec = JwtHttpApiSpec {
        functions: vec![serde_json::from_value(function).unwrap()],
        ..full()
    };
    let mut world = world();
    let desired = build(&spec, &owner(), &place(), "nonce", &policy()).unwrap();
    world.run(&plan(&desired, &world.seen(&desired), &owner(), &place()));
    let before = world.observed.owned.clone();
    world.run(&super::plan_release(&world.observed, &owner()));
    let theirs = |tags: &mut BTreeMap<String, String>| {
        tags.retain(|key, _| !crate::model::owner::is_ownership_tag(key));
        assert_eq!(tags["team"], "one");
    };
    let mut wanted = before.clone();
    for owned in wanted.values_mut() {
        let Owned {
            function: Reading::Known(Some(function)),
            role: Reading::Known(Some(role)),
            log_group: Reading::Known(Some(group)),
        } = owned
        else {
            panic!("{owned:?}")
        };
        assert_eq!(group.retention_days, Some(7));
        for tags in [&mut function.tags, &mut role.tags, &mut group.tags] {
            theirs(tags);
        }
    }
    assert_eq!(world.observed.owned, wanted);
    assert_ne!(wanted, before);
    assert!(super::plan_release(&world.observed, &owner()).is_empty());
}
