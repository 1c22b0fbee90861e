//! What is in force before a step of a change is sent.

use crate::ground::{Ground, desired, patient_ground, soon};
use jwthttpapi::aws::{run, run_after};
use jwthttpapi_core::model::Desired;
use jwthttpapi_core::plan::{Plan, Step};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// `--iam-settle` here; `--deploy-settle` is as usual.
const IAM: Duration = Duration::from_secs(10);
const DEPLOY: Duration = Duration::from_secs(5);

fn led_to(function: &str) -> Desired {
    desired(json!({
        "invocation": {"mode": "Role"},
        "routes": [{"routeKey": "GET /a", "lambda": {"name": function}}],
    }))
}

/// An API in Role mode, whose route is to lead to another function.
async fn changed() -> (Ground, Plan, String) {
    let ground = patient_ground(&json!({}), IAM);
    ground.functions(&["a", "b"]).await;
    let id = ground.create(&led_to("a")).await;
    let plan = ground.plan(&led_to("b"), Some(&id)).await;
    (ground, plan, id)
}

/// The same when the role may invoke the other function already.
async fn permitted() -> (Ground, Plan) {
    let (ground, plan, id) = changed().await;
    let first = Plan {
        refs: plan.refs,
        steps: plan.steps.into_iter().take(1).collect(),
    };
    let outcome = ground.run(first).await;
    assert!(matches!(
        outcome.done[..],
        [Step::PutRolePolicy { widens: true, .. }]
    ));
    let plan = ground.plan(&led_to("b"), Some(&id)).await;
    (ground, plan)
}

#[tokio::test(start_paused = true)]
async fn a_route_is_led_to_another_function_when_the_role_may_invoke_it_and_the_first_goes_when_that_is_deployed()
 {
    let (ground, plan, _) = changed().await;
    let began = Instant::now();
    let outcome = run(&ground.session(), plan, &|| false, soon()).await;
    assert!(outcome.is_complete());
    assert_eq!(outcome.settles_since.unwrap().duration_since(began).as_secs(), 0);
    assert_eq!(began.elapsed().as_secs(), (IAM + DEPLOY).as_secs());
}

#[tokio::test(start_paused = true)]
async fn what_was_told_to_iam_before_a_plan_is_waited_for_as_far_as_the_caller_knows_of_it() {
    let (ground, plan) = permitted().await;
    let began = Instant::now();
    let told = Some(began - Duration::from_secs(4));
    let outcome = run_after(&ground.session(), plan, told, &|| false, soon()).await;
    assert!(outcome.is_complete());
    assert_eq!(began.elapsed().as_secs(), 6 + DEPLOY.as_secs());

    let (ground, plan) = permitted().await;
    let began = Instant::now();
    assert!(ground.run(plan).await.is_complete());
    assert_eq!(began.elapsed().as_secs(), DEPLOY.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_waits_is_cut_within_a_second_when_it_is_not_wanted_any_more() {
    let (ground, plan, _) = changed().await;
    let began = Instant::now();
    let cut = || began.elapsed() > Duration::from_secs(3);
    let outcome = run(&ground.session(), plan, &cut, soon()).await;
    assert!(outcome.cut && began.elapsed() < Duration::from_secs(5));
    let leads_elsewhere = |step: &Step| matches!(step, Step::UpdateRoute { .. });
    assert!(outcome.skipped.iter().any(leads_elsewhere));
    assert!(!outcome.done.iter().any(leads_elsewhere));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_stays_off_when_its_stage_deploys_no_more_and_comes_on_with_the_next_plan() {
    let wanted = |disabled: bool, audience: &str| {
        desired(json!({
            "invocation": {"mode": "ResourcePolicy"}, "audience": [audience], "disableExecuteApiEndpoint": disabled,
            "routes": [{"routeKey": "GET /a", "lambda": {"name": "a"}}],
        }))
    };
    let ground = patient_ground(&json!({}), IAM);
    ground.functions(&["a"]).await;
    let id = ground.create(&wanted(true, "one")).await;
    let (on, plan) = (
        wanted(false, "two"),
        ground.plan(&wanted(false, "two"), Some(&id)).await,
    );
    let update = ground.gateway().update_stage().api_id(&id);
    let stopped = update.stage_name("$default").auto_deploy(false).send().await;
    stopped.unwrap();

    let outcome = ground.run(plan).await;
    assert!(outcome.cut && outcome.faults.is_empty());
    assert!(ground.api(&id).await.disable_execute_api_endpoint);
    let writes = ground.converge(&on, &id).await;
    assert_eq!(writes, ["UpdateStage", "UpdateApi"]);
    assert!(!ground.api(&id).await.disable_execute_api_endpoint);
}
