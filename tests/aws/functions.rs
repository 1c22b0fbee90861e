//! Functions of the object's own: their life, their faults, and what is left of them.

use crate::ground::{Ground, desired, ground, owner, patient_ground, place, soon};
use jwthttpapi::aws::Class;
use jwthttpapi_core::model::Desired;
use jwthttpapi_core::model::name::function_name;
use jwthttpapi_core::model::observed::{Reading, State};
use jwthttpapi_core::plan::{Plan, Step, plan};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// An API with one function of its own.
fn spec(function: &Value) -> Value {
    let mut own = json!({
        "name": "hello", "runtime": "nodejs24.x", "handler": "index.handler",
        "code": "export const handler = async () => ({});",
    });
    for (field, value) in function.as_object().unwrap() {
        own[field] = value.clone();
    }
    json!({
        "functions": [own],
        "routes": [{"routeKey": "GET /test", "lambda": {"function": "hello"}}],
    })
}

async fn made(ground: &Ground, function: &Value) -> String {
    ground.create(&desired(spec(function))).await
}

#[tokio::test(start_paused = true)]
async fn a_function_is_made_with_its_log_group_and_its_role_and_nothing_is_left_to_do() {
    let ground = ground(json!({}));
    let desired = desired(spec(&json!({})));
    let (id, plan) = begun(&ground, &desired).await;
    let outcome = ground.run(plan).await;
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    let mut writes = ground.writes();
    writes.sort();
    let wanted = [
        "CreateApi",
        "CreateAuthorizer",
        "CreateFunction",
        "CreateIntegration",
        "CreateLogGroup",
        "CreateRole",
        "CreateRole",
        "CreateRoute",
        "CreateStage",
        "PutRetentionPolicy",
        "PutRolePolicy",
        "PutRolePolicy",
    ];
    assert_eq!(writes, wanted);
    ground.assert_converged(&desired, &id).await;
}

#[tokio::test(start_paused = true)]
async fn code_and_configuration_change_one_after_the_other_each_in_one_request() {
    let ground = ground(json!({"function_delay_ms": 2_500}));
    let id = made(&ground, &json!({"environment": {"OLD": "1"}})).await;
    let began = Instant::now();
    let changed = json!({"code": "export const handler = async () => 1;", "memoryMiB": 256});
    let writes = ground.converge(&desired(spec(&changed)), &id).await;
    assert_eq!(writes, ["UpdateFunctionCode", "UpdateFunctionConfiguration"]);
    // Each is waited for, and looked at once a second.
    assert_eq!(began.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn each_part_of_a_function_is_changed_by_its_own_request() {
    for (change, writes) in [
        (json!({"runtime": "nodejs22.x"}), ["UpdateFunctionConfiguration"]),
        (json!({"timeoutSeconds": 10}), ["UpdateFunctionConfiguration"]),
        (
            json!({"environment": {"NAME": "x"}}),
            ["UpdateFunctionConfiguration"],
        ),
        (json!({"architecture": "arm64"}), ["UpdateFunctionCode"]),
        (json!({"logRetentionDays": 7}), ["PutRetentionPolicy"]),
    ] {
        let ground = ground(json!({}));
        let id = made(&ground, &json!({})).await;
        assert_eq!(
            ground.converge(&desired(spec(&change)), &id).await,
            writes,
            "{change}"
        );
        ground.sandbox.clear_journal();
        assert_eq!(
            ground.converge(&desired(spec(&json!({}))), &id).await,
            writes,
            "{change} undone"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_build_lets_through_is_one_that_lambda_takes() {
    let ground = ground(json!({}));
    let id = made(&ground, &json!({"environment": {"NAME": "x".repeat(4_085)}})).await;
    let quotes = json!({"environment": {"NAME": "\"".repeat(2_042)}});
    let writes = ground.converge(&desired(spec(&quotes)), &id).await;
    assert_eq!(writes, ["UpdateFunctionConfiguration"]);
}

#[tokio::test(start_paused = true)]
async fn another_name_is_another_function_and_the_old_one_goes_with_its_role_and_its_logs() {
    let ground = ground(json!({}));
    let id = made(&ground, &json!({})).await;
    let mut renamed = spec(&json!({"name": "bye"}));
    renamed["routes"][0]["lambda"]["function"] = "bye".into();
    let renamed = desired(renamed);
    let outcome = ground.run(ground.plan(&renamed, Some(&id)).await).await;
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    let name = function_name(&owner(), "hello");
    assert_eq!(
        ground.observe(&renamed, Some(&id)).await.owned[&name].role,
        Reading::Known(None)
    );
    // Its logs tell of it until it was seen to be gone.
    assert_eq!(ground.converge(&renamed, &id).await, ["DeleteLogGroup"]);
    let (left, faults) = ground
        .session()
        .owned(&owner(), &["hello".to_owned()].into())
        .await;
    assert!(faults.is_empty());
    let hello = &left[&name];
    assert_eq!(hello.function, Reading::Known(None));
    assert_eq!(hello.role, Reading::Known(None));
    assert_eq!(hello.log_group, Reading::Known(None));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_nobody_knows_of_is_found_by_its_log_group() {
    let ground = ground(json!({}));
    made(&ground, &json!({})).await;
    let (seen, _) = ground.session().owned(&owner(), &[].into()).await;
    assert_eq!(
        seen.keys().collect::<Vec<_>>(),
        [&function_name(&owner(), "hello")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_the_list_does_not_show_yet_is_there_all_the_same() {
    let ground = ground(json!({}));
    let wanted = desired(spec(&json!({})));
    let id = made(&ground, &json!({})).await;
    let settings = ground.sandbox.settings().patched(&json!({"list_lag_ms": 25_000}));
    ground.sandbox.set_settings(settings.unwrap());
    let seen = ground.observe(&wanted, Some(&id)).await.owned;
    let group = &seen[&function_name(&owner(), "hello")].log_group;
    assert!(group.known().is_some_and(Option::is_some), "{group:?}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_yet_is_no_refusal() {
    let ground = ground(json!({"function_role_must_be_assumable": true, "iam_delay_ms": 8_000}));
    let desired = desired(spec(&json!({})));
    let (id, plan) = begun(&ground, &desired).await;
    let outcome = ground.run(plan).await;
    let faults: Vec<Class> = outcome.faults.iter().map(|(_, fault)| fault.class).collect();
    assert_eq!(faults, [Class::RoleNotReady]);
    tokio::time::advance(Duration::from_secs(8)).await;
    let again = ground.plan(&desired, Some(&id)).await;
    let outcome = ground.run(again).await;
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    ground.assert_converged(&desired, &id).await;
}

/// The API and the plan of everything else of what is wanted.
async fn begun(ground: &Ground, desired: &Desired) -> (String, Plan) {
    let session = ground.session();
    let api = session
        .create_api(&desired.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap();
    let id = api.id.clone();
    let mut observed = ground.observe(desired, None).await;
    observed.api = Some(api);
    (id, plan(desired, &observed, &owner(), &place()))
}

#[tokio::test(start_paused = true)]
async fn no_function_is_made_under_a_role_that_is_too_new() {
    let switches = json!({"function_role_must_be_assumable": true, "iam_delay_ms": 8_000});
    let ground = patient_ground(&switches, Duration::from_secs(10));
    let desired = desired(spec(&json!({})));
    let (id, plan) = begun(&ground, &desired).await;
    let began = Instant::now();
    let outcome = ground.run(plan).await;
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    // Only what needs the function comes after it.
    let writes = ground.writes();
    let at = writes.iter().position(|write| write == "CreateFunction").unwrap();
    assert_eq!(writes[at..], ["CreateFunction", "CreateRoute", "CreateStage"]);
    assert_eq!(
        writes.iter().filter(|write| *write == "CreateFunction").count(),
        1
    );
    ground.assert_converged(&desired, &id).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_new_role_ends_when_nobody_wants_the_function_any_more() {
    let ground = patient_ground(&json!({}), Duration::from_secs(10));
    let (_, plan) = begun(&ground, &desired(spec(&json!({})))).await;
    let began = Instant::now();
    let cut = || began.elapsed() >= Duration::from_millis(2_500);
    let deadline = began + Duration::from_secs(60);
    let outcome = jwthttpapi::aws::run(&ground.session(), plan, &cut, deadline).await;
    assert!(outcome.cut && outcome.faults.is_empty(), "{:?}", outcome.faults);
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert!(!ground.writes().iter().any(|write| write == "CreateFunction"));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_lambda_cannot_make_is_said_to_have_failed_and_asked_for_again() {
    let ground = ground(json!({}));
    let wanted = desired(spec(&json!({"memoryMiB": 256})));
    let id = made(&ground, &json!({})).await;
    let rule = json!({"operation": "UpdateFunctionConfiguration", "times": 2,
        "action": {"kind": "fail_function", "code": "InternalError"}});
    ground.fault(rule);
    let outcome = ground.run(ground.plan(&wanted, Some(&id)).await).await;
    assert!(!outcome.is_complete());
    // It reads back as it was asked for, and is no more than that.
    let outcome = ground.run(ground.plan(&wanted, Some(&id)).await).await;
    let (step, fault) = outcome.gravest().unwrap();
    assert!(matches!(step, Step::AwaitFunction { .. }), "{step}");
    assert_eq!(fault.class, Class::FunctionFailed);
    assert!(fault.message().contains("InternalError"), "{}", fault.message());
    ground.converge(&wanted, &id).await;
    let (seen, _) = ground.session().owned(&owner(), &[].into()).await;
    let seen = seen
        .values()
        .next()
        .unwrap()
        .function
        .known()
        .cloned()
        .flatten()
        .unwrap();
    assert_eq!(seen.state, State::Settled);
}

/// As long as Lambda takes: the budget has no part in it.
#[tokio::test(start_paused = true)]
async fn a_function_that_lambda_does_not_get_done_with_is_told_and_the_pass_ends() {
    let ground = ground(json!({}));
    let id = made(&ground, &json!({})).await;
    let settings = ground.sandbox.settings();
    let slow = settings.patched(&json!({"function_delay_ms": 600_000}));
    ground.sandbox.set_settings(slow.unwrap());
    let wanted = desired(spec(
        &json!({"memoryMiB": 256, "code": "export const handler = async () => 1;"}),
    ));
    let plan = ground.plan(&wanted, Some(&id)).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    let outcome = jwthttpapi::aws::run(&ground.session(), plan, &|| false, deadline).await;
    assert!(!outcome.cut && Instant::now() <= deadline);
    let (step, fault) = outcome.gravest().unwrap();
    assert!(matches!(step, Step::AwaitFunction { .. }), "{step}");
    assert_eq!(fault.class, Class::Unfinished);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_takes_functions_roles_and_log_groups_and_leaves_the_account_as_it_was() {
    let ground = ground(json!({}));
    let before = ground.sandbox.state();
    let wanted = desired(spec(&json!({})));
    let id = made(&ground, &json!({})).await;
    for _ in 0..2 {
        let plan = ground.deletion(&wanted, &id).await;
        let outcome = ground.run(plan).await;
        assert!(outcome.is_complete(), "{:?}", outcome.faults);
    }
    assert_eq!(ground.sandbox.state(), before);
}
