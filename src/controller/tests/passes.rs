//! What a pass says of an object, and when the next one is due.

use super::super::{
    expected::{STALE_LIST, STALE_READ},
    pass::Next,
};
use super::ground::{DEPLOY_SETTLE, Ground, IAM_SETTLE, PATH, RESYNC, SETTLE};
use crate::aws::{Rate, Settings};
use jwthttpapi_core::api::{ConditionType, FINALIZER, Reason};
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync() {
    let mut ground = Ground::new().await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Resync);
    assert_eq!(passed.findings.accepted.reason, Reason::Accepted);
    assert_eq!(passed.findings.resolved.reason, Reason::ResolvedRefs);
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_new_role_is_given_the_time_that_iam_needs() {
    let mut ground = Ground::new().await;
    ground.change(json!({"invocation": {"mode": "Role"}}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::After(IAM_SETTLE));
    assert_eq!(passed.findings.programmed.reason, Reason::RolePropagating);
}

/// While IAM settles somebody tags the API, which the operator may not undo.
#[tokio::test(start_paused = true)]
async fn what_was_found_and_could_not_be_put_right_is_not_forgotten_when_iam_has_settled() {
    let ground = Ground::new().await;
    ground.change(json!({"invocation": {"mode": "Role"}}));
    ground.reconcile().await.unwrap();
    assert_eq!(
        ground.says(ConditionType::Ready),
        Reason::RolePropagating.as_str()
    );
    let id = ground.status().api_id.unwrap();
    ground.tag(&id, "extra", "x").await;
    ground.fault("UntagResource", &json!({"kind": "access_denied"}));
    let asked = json!({"annotations": {"reconcile.jwthttpapi.dev/requestedAt": "1"}});
    ground.edit("metadata", asked);
    for wait in [Duration::ZERO, IAM_SETTLE] {
        tokio::time::advance(wait).await;
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Ready), Reason::AccessDenied.as_str());
    }
}

/// While IAM settles somebody makes it a question for a person whose the API is.
#[tokio::test(start_paused = true)]
async fn what_was_found_before_anything_was_planned_is_not_forgotten_either() {
    let ground = Ground::new().await;
    ground.change(json!({"invocation": {"mode": "Role"}}));
    ground.reconcile().await.unwrap();
    let id = ground.status().api_id.unwrap();
    ground.tag(&id, "jwthttpapi.dev/nonce", "of somebody else").await;
    let asked = json!({"annotations": {"reconcile.jwthttpapi.dev/requestedAt": "1"}});
    ground.edit("metadata", asked);
    for wait in [Duration::ZERO, IAM_SETTLE] {
        tokio::time::advance(wait).await;
        ground.reconcile().await.unwrap();
        let said = ground.says(ConditionType::Ready);
        assert_eq!(said, Reason::AmbiguousOwnership.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_does_not_exist_backs_off() {
    let mut ground = Ground::new().await;
    ground.change(json!({"routes": [{"routeKey": "GET /a", "lambda": {"name": "nobody"}}]}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.resolved.reason, Reason::FunctionNotFound);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_found_again_is_looked_at_at_once() {
    let mut ground = Ground::new().await;
    let id = ground.api("n").await;
    ground.edit("metadata", json!({"finalizers": [FINALIZER]}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Now);
    assert_eq!(passed.findings.programmed.reason, Reason::Progressing);
    assert_eq!(ground.status().api_id, Some(id));
}

#[tokio::test(start_paused = true)]
async fn an_object_with_nothing_left_in_aws_waits_for_no_time() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    ground.operations("apigateway");
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Change);
    assert_eq!(passed.findings.programmed.message, "nothing is left in AWS");
    assert!(ground.sandbox.apis().is_empty());
    let needed = [
        "GetApi",
        "GetIntegrations",
        "GetApis",
        "DeleteApi",
        "GetApi",
        "GetApis",
    ];
    assert_eq!(ground.operations("apigateway"), needed);
}

/// How long a pass takes on an AWS that needs three seconds to deploy, after a change of the routes.
async fn takes(ground: &mut Ground, routes: &[&str]) -> Duration {
    let route = |key: &&str| json!({"routeKey": key, "lambda": {"name": "a"}});
    let routes: Vec<Value> = routes.iter().map(route).collect();
    ground.change(json!({"routes": routes}));
    tokio::time::advance(STALE_LIST).await;
    let began = Instant::now();
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_deployment_of_one_write_ends_the_wait_and_that_of_several_has_all_its_time() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"deploy_delay_ms": 1_200}));
    // After 0.5 and 1 s more: the stage is made last.
    let looks = Duration::from_millis(1_500);
    assert_eq!(takes(&mut ground, &["GET /a"]).await, looks);
    assert_eq!(takes(&mut ground, &["GET /a", "GET /b"]).await, looks);
    assert_eq!(
        takes(&mut ground, &["GET /a", "GET /c", "GET /d"]).await,
        DEPLOY_SETTLE
    );
    assert_eq!(takes(&mut ground, &["GET /a", "GET /c"]).await, looks);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_waited_for_by_the_next_pass_when_the_time_of_this_one_is_up() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"deploy_delay_ms": 10_000}));
    let time = DEPLOY_SETTLE / 2;
    let began = Instant::now();
    let passed = ground.pass_within(time).await.unwrap();
    assert_eq!(passed.next, Next::Now);
    assert_eq!(passed.findings.programmed.reason, Reason::Progressing);
    assert!(began.elapsed() < time);
    tokio::time::advance(STALE_READ).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
}

/// The cause of the cut may last.
#[tokio::test(start_paused = true)]
async fn a_pass_that_was_cut_is_gone_on_with_at_once_only_if_it_came_forward() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"deploy_delay_ms": 10_000}));
    let passed = ground.pass_within(DEPLOY_SETTLE / 2).await.unwrap();
    assert_eq!(passed.next, Next::Now);
    ground.forget();
    ground.ctx.leading.store(false, Ordering::Relaxed);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Progressing);
    assert_eq!(passed.next, Next::After(STALE_LIST));
}

/// They take effect with a deployment (D for the endpoint) that may not show: its time is waited for then. An endpoint that is
/// switched on waits as long before that.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_switched_and_cors_are_waited_for_as_routes_are() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    ground.switch(&json!({"api_settings_deploy": false}));
    let cors = json!({"allowOrigins": ["https://app.example.com"]});
    for (change, waits) in [
        (json!({"description": "other"}), Duration::ZERO),
        (
            json!({"description": "other", "disableExecuteApiEndpoint": true}),
            DEPLOY_SETTLE,
        ),
        (json!({"description": "other"}), 2 * DEPLOY_SETTLE),
        (json!({"description": "other", "cors": cors}), DEPLOY_SETTLE),
        (json!({"description": "other"}), DEPLOY_SETTLE),
    ] {
        tokio::time::advance(DEPLOY_SETTLE).await;
        ground.change(change.clone());
        let began = Instant::now();
        ground.pass().await.unwrap();
        assert_eq!(began.elapsed(), waits, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_waits_for_no_deployment() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"deploy_delay_ms": 3_000}));
    let ctx = ground.ctx.clone();
    let began = Instant::now();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        ctx.leading.store(false, Ordering::Relaxed);
    };
    let (passed, ()) = tokio::join!(ground.pass(), stop);
    let passed = passed.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Progressing);
    assert_eq!(passed.next, Next::Now);
    assert_eq!(began.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn an_intent_that_is_found_waits_and_then_apis_that_cannot_be_told_apart_are_named() {
    let mut ground = Ground::new().await;
    let id = ground.api("another").await;
    ground.edit("metadata", json!({"finalizers": [FINALIZER]}));
    let pending = json!({"operation": "CreateApi", "since": "2027-01-15T08:00:00Z"});
    ground.edit("status", json!({"nonce": "mine", "pending": pending}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::After(SETTLE));
    assert_eq!(passed.findings.programmed.reason, Reason::AwaitingVisibility);
    tokio::time::advance(SETTLE).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::AmbiguousOwnership);
    assert!(passed.findings.programmed.message.contains(&id));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_refused_says_so_while_the_next_one_waits() {
    for (status, code, reason) in [
        (403, "AccessDeniedException", Reason::AccessDenied),
        (500, "InternalFailure", Reason::AwaitingVisibility),
    ] {
        let mut ground = Ground::new().await;
        ground.fault(
            "CreateApi",
            &json!({"kind": "fail", "status": status, "code": code}),
        );
        assert!(ground.pass().await.is_err(), "{code}");
        let waiting = ground.pass().await.unwrap();
        assert_eq!(waiting.next, Next::After(SETTLE), "{code}");
        assert_eq!(waiting.findings.programmed.reason, reason, "{code}");
        // Of another spec nothing was refused yet.
        ground.change(json!({"description": "another"}));
        ground.edit("metadata", json!({"generation": 2}));
        let waiting = ground.pass().await.unwrap();
        let awaited = Reason::AwaitingVisibility;
        assert_eq!(waiting.findings.programmed.reason, awaited, "{code}");
    }
}

/// It may have been carried out at the end of that time.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_creation_begins_when_its_answer_is_given_up() {
    let mut ground = Ground::new().await;
    // The list takes the budget, and the creation waits for its turn.
    let apigateway = Rate {
        per_second: 0.1,
        burst: 1,
    };
    ground.set(Settings {
        apigateway,
        ..Settings::default()
    });
    ground.fault("CreateApi", &json!({"kind": "hold", "when": "after"}));
    assert!(ground.pass().await.is_err());
    let waiting = ground.pass().await.unwrap();
    assert_eq!(waiting.next, Next::After(SETTLE));
}

#[tokio::test(start_paused = true)]
async fn in_another_account_nothing_is_looked_at() {
    let mut ground = Ground::new().await;
    ground.edit("status", json!({"accountId": "999999999999"}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AccountMismatch);
    assert_eq!(passed.findings.resolved.reason, Reason::NotObserved);
}

#[tokio::test(start_paused = true)]
async fn trouble_of_aws_has_a_reason_of_its_own() {
    let fail = |status: u16, code: &str| json!({"kind": "fail", "status": status, "code": code});
    let create = "CreateRoute";
    for (operation, action, reason) in [
        (create, fail(400, "BadRequestException"), Reason::AwsRefused),
        (create, fail(418, "Odd"), Reason::InternalError),
        (create, fail(500, "InternalFailure"), Reason::ProgressingWithRetry),
        (
            "CreateStage",
            json!({"kind": "fail_deployment", "message": "the integration is gone"}),
            Reason::DeploymentFailed,
        ),
    ] {
        let mut ground = Ground::new().await;
        ground.fault(operation, &action);
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.findings.programmed.reason, reason, "{action}");
        assert_eq!(passed.next, Next::Backoff, "{action}");
    }
}

/// Whoever suspends an object has not made AWS any faster.
/// A plan that leaves out what may not be done now says nothing of what is held back.
/// What it tells of would stay behind when the object is deleted.
#[tokio::test(start_paused = true)]
async fn a_finalizer_that_somebody_took_off_comes_back_whatever_else_the_pass_may_not_do() {
    for (spec, status) in [
        (json!({"suspend": true}), json!({})),
        (json!({"issuer": "http://no"}), json!({})),
        (json!({}), json!({"accountId": "999999999999"})),
    ] {
        let mut ground = Ground::new().await;
        ground.pass().await.unwrap();
        ground.change(spec);
        ground.edit("status", status);
        ground.edit("metadata", json!({"finalizers": []}));
        ground.pass().await.unwrap();
        let object = ground.kubernetes.get(PATH).unwrap();
        assert_eq!(object["metadata"]["finalizers"], json!([FINALIZER]));
    }
}

/// An answer that says so, and nothing done: each look finds the same still to do.
#[tokio::test(start_paused = true)]
async fn what_aws_never_shows_is_looked_for_a_few_times_and_then_ever_less_often() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let nothing_done = json!({"kind": "fail", "status": 200, "code": "Fine"});
    ground.fault("UpdateRoute", &nothing_done);
    let route = json!({"routeKey": "GET /a", "operationName": "other", "lambda": {"name": "a"}});
    ground.change(json!({"routes": [route]}));
    for next in [
        Next::After(STALE_LIST),
        Next::After(STALE_LIST),
        Next::After(STALE_LIST),
        Next::Backoff,
        Next::Backoff,
    ] {
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.next, next);
        let said = passed.findings.programmed.message;
        assert!(said.starts_with("still to do: "), "{said}");
    }
    ground.sandbox.clear_faults();
    assert_eq!(ground.pass().await.unwrap().next, Next::Resync);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_all_apis_that_cannot_be_read_keeps_no_object_from_being_ready() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    tokio::time::advance(RESYNC).await;
    let refused = json!({"kind": "fail", "status": 400, "code": "BadRequestException"});
    ground.fault("GetApis", &refused);
    ground.operations("apigateway");
    for reads in [1, 0] {
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.next, Next::Resync);
        assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
        // Of many objects one asks, once in a period, whatever came of it.
        let asked = ground.operations("apigateway");
        assert_eq!(asked.iter().filter(|asked| *asked == "GetApis").count(), reads);
    }
}
