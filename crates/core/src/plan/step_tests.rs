//! What steps say of themselves.

use super::drift_tests::{as_wanted, desired, lines, nothing_made, owning, planned, role, spec};
use super::{ApiChange, Kind, Plan, Step};
use crate::api::IpAddressType;
use crate::model::desired::Cors;
use serde_json::json;

fn those(plan: &Plan, is: impl Fn(&Step) -> bool) -> Vec<String> {
    let steps = plan.steps.iter().map(|planned| &planned.step);
    let those = steps.zip(lines(plan)).filter(|(step, _)| is(step));
    those.map(|(_, line)| line).collect()
}

#[test]
fn what_stands_in_a_stage_deploys_it_and_nothing_beside_it_does() {
    let plan = planned(&spec(), &nothing_made().observed);
    let rest = [
        "create role R",
        "let role R invoke 2 functions",
        "create API \"demo-hello\"",
    ];
    assert_eq!(those(&plan, |step| !step.deploys()), rest);
    assert_eq!(those(&plan, Step::deploys).len(), plan.steps.len() - rest.len());
}

#[test]
fn of_an_apis_settings_the_endpoints_switch_and_cors_deploy() {
    let deploys = |change| Step::UpdateApi(change).deploys();
    let nothing = ApiChange::default;
    let [switch, cors] = [Some(true), Some(false)].map(|disable_execute_api_endpoint| ApiChange {
        disable_execute_api_endpoint,
        ..nothing()
    });
    assert!(deploys(switch) && deploys(cors));
    let cors = Some(Cors::default());
    assert!(deploys(ApiChange { cors, ..nothing() }));
    assert!(Step::DeleteCors.deploys());
    assert!(!deploys(ApiChange {
        name: Some("x".into()),
        description: Some("x".into()),
        ip_address_type: Some(IpAddressType::Ipv4),
        ..nothing()
    }));
}

#[test]
fn traffic_waits_for_iam_when_the_role_that_invokes_is_new_or_may_do_more() {
    let made = planned(&owning(), &nothing_made().seen(&desired(&owning())));
    assert_eq!(
        those(&made, Step::settles),
        ["create role R", "let role R invoke 2 functions"],
        "and for no role of a function"
    );
    let mut world = as_wanted(&spec());
    role(&mut world).trust = json!({});
    let trusted = planned(&spec(), &world.observed);
    assert_eq!(those(&trusted, Step::settles), ["update trust of role R"]);
}

#[test]
fn the_deletion_of_one_api_is_a_plan() {
    let plan = Plan::of_deletion("one");
    assert!(Plan::default().is_empty() && !plan.is_empty());
    assert_eq!(lines(&plan), ["!delete API one"]);
}

#[test]
fn metrics_call_a_kind_by_its_name_in_small_letters() {
    for (kind, word) in [
        (Kind::Api, "api"),
        (Kind::Authorizer, "authorizer"),
        (Kind::Integration, "integration"),
        (Kind::Route, "route"),
        (Kind::Stage, "stage"),
        (Kind::Role, "role"),
        (Kind::Permission, "permission"),
        (Kind::Function, "function"),
        (Kind::LogGroup, "log_group"),
    ] {
        assert_eq!(kind.as_str(), word);
    }
}
