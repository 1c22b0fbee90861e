//! Why a reconcile ends early, and when it is tried again.

use super::super::error::Error;
use super::super::pass::Next;
use super::ground::{Ground, RESYNC, SETTLE, owner};
use crate::{
    api_server::Trouble,
    aws::{Class, Rate, Settings},
};
use http::Method;
use jwthttpapi_core::{
    api::{ConditionType, Reason},
    model::name::statement_id,
};
use kube::runtime::controller::Action;
use serde_json::json;
use std::time::Duration;

/// The one error that a reconcile ends with, and the wait after it, without its jitter of a fifth.
async fn fails(ground: &Ground) -> (Error, Duration) {
    let error = ground.reconcile().await.unwrap_err();
    let wait = ground.wait_after(&error);
    (error, wait)
}

/// A status that the schema or a policy of the cluster is against is refused the next time, too.
#[tokio::test(start_paused = true)]
async fn a_write_that_the_api_server_refuses_is_no_conflict_and_is_tried_ever_less_often() {
    let ground = Ground::new().await;
    let refusal = Trouble::Refusal(422, "Invalid");
    // By the schema, by a policy of the cluster, and by the lack of a right.
    let refusals = [(422, "Invalid"), (400, "BadRequest"), (403, "Forbidden")];
    for (wait, (code, reason)) in [10, 20, 40, 80, 160, 300, 300]
        .into_iter()
        .zip(refusals.into_iter().cycle())
    {
        ground.kubernetes.heal();
        let refusal = Trouble::Refusal(code, reason);
        ground.kubernetes.trouble(Method::PATCH, "/status", refusal);
        let (error, waited) = fails(&ground).await;
        assert!(matches!(error, Error::Refused(_)), "{error}");
        let said = format!("{reason}, as the test asked for");
        assert!(error.to_string().contains(&said), "{error}");
        assert!(is_about(waited, wait), "{waited:?}");
    }
    ground.kubernetes.heal();
    ground.reconcile().await.unwrap();
    ground.kubernetes.trouble(Method::PATCH, "/status", refusal);
    ground.edit("status", json!({"accountId": "999999999999"}));
    let (_, waited) = fails(&ground).await;
    assert!(waited <= Duration::from_secs(12), "{waited:?}");
}

fn is_about(waited: Duration, seconds: u64) -> bool {
    let wait = Duration::from_secs(seconds);
    waited >= wait && waited <= wait.mul_f64(1.2)
}

/// A webhook that does not work, say: each try costs AWS a look, and the next change may work.
#[tokio::test(start_paused = true)]
async fn a_write_that_the_api_server_fails_is_tried_ever_less_often_for_a_minute_at_most() {
    let ground = Ground::new().await;
    let failing = Trouble::Refusal(500, "InternalError");
    ground.kubernetes.trouble(Method::PATCH, "/status", failing);
    for wait in [2, 4, 8, 16, 32, 60, 60] {
        let (error, waited) = fails(&ground).await;
        assert!(matches!(error, Error::Unwritten(_)), "{error}");
        assert!(is_about(waited, wait), "{waited:?}");
    }
}

/// What the API server calls hangs, and the client has waited for as long as it waits.
#[test]
fn a_write_without_an_answer_is_tried_ever_less_often_too() {
    let error = Error::of_write(kube::Error::LinesCodecMaxLineLengthExceeded);
    assert!(matches!(error, Error::Unwritten(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_changed_meanwhile_is_read_again_soon() {
    let ground = Ground::new().await;
    let changed = Trouble::Refusal(409, "Conflict");
    ground.kubernetes.trouble(Method::PATCH, "/hello", changed);
    let (error, wait) = fails(&ground).await;
    assert!(matches!(error, Error::Conflict), "{error}");
    assert_eq!(wait, Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_is_asked_again_after_seconds() {
    let ground = Ground::new().await;
    let away = Trouble::Refusal(503, "ServiceUnavailable");
    ground.kubernetes.trouble(Method::GET, "/hello", away);
    let (error, wait) = fails(&ground).await;
    assert!(matches!(error, Error::Kube(_)), "{error}");
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_aws_ends_the_pass_and_is_said_in_the_status() {
    let mut ground = Ground::new().await;
    let expired = json!({"expired_keys": ["AKIDOPERATOR"]});
    let settings = ground.sandbox.settings().patched(&expired).unwrap();
    ground.sandbox.set_settings(settings);
    let Err(Error::Aws(fault)) = ground.pass().await else {
        panic!("the pass did not end with a fault of AWS")
    };
    assert_eq!(fault.class, Class::CredentialsUnavailable);
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), "CredentialsUnavailable");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_parse_is_looked_at_again_at_the_resync() {
    let ground = Ground::new().await;
    ground.change(json!({"routes": "nonsense"}));
    let (error, wait) = fails(&ground).await;
    assert!(matches!(error, Error::Malformed(_)), "{error}");
    assert_eq!(wait, RESYNC);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_gets_no_answer_ends_at_its_deadline() {
    let ground = Ground::new().await;
    ground.kubernetes.trouble(Method::GET, "/hello", Trouble::Silence);
    let began = tokio::time::Instant::now();
    let (error, wait) = fails(&ground).await;
    assert!(matches!(error, Error::Deadline), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(120));
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_does_not_end_in_time_says_so_in_the_status() {
    let ground = Ground::new().await;
    let route = |number| json!({"routeKey": format!("GET /{number}"), "lambda": {"name": "a"}});
    ground.change(json!({"routes": (0..20).map(route).collect::<Vec<_>>()}));
    ground.reconcile().await.unwrap();
    ground.switch(&json!({"latency_ms": 9_000, "page_size": 1}));
    let route = json!({"routeKey": "GET /a", "lambda": {"name": "a"}});
    ground.change(json!({"routes": [route]}));
    // What passes is not worth a flap, unless it lasts.
    for said in ["Succeeded", "Succeeded", "Succeeded", "Throttled"] {
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Ready), said);
    }
}

/// Not the first look alone: what comes after a plan waits in the same budget.
#[tokio::test(start_paused = true)]
async fn a_pass_that_does_not_end_in_time_says_so_in_the_status() {
    let mut ground = Ground::new().await;
    let apigateway = Rate {
        per_second: 0.01,
        burst: 7,
    };
    ground.set(Settings {
        apigateway,
        ..Settings::default()
    });
    let began = tokio::time::Instant::now();
    ground.reconcile().await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(120),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(ground.says(ConditionType::Ready), "Throttled");
    assert_eq!(ground.sandbox.apis().len(), 1);
}

/// Nothing of the plan was sent in all that time.
#[tokio::test(start_paused = true)]
async fn a_plan_that_the_budget_lets_nothing_out_of_says_so_and_is_tried_ever_less_often() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    let statement_id = statement_id(&owner());
    let remove = ground.lambda().remove_permission().function_name("a");
    remove.statement_id(statement_id).send().await.unwrap();
    // The two reads of the function take all of it.
    let lambda = Rate {
        per_second: 0.001,
        burst: 2,
    };
    ground.set(Settings {
        lambda,
        ..Settings::default()
    });
    let said = ground.pass().await.unwrap();
    assert_eq!(said.next, Next::Backoff);
    assert_eq!(said.findings.programmed.reason, Reason::Throttled);
}

/// The wait between two of them is no success.
#[tokio::test(start_paused = true)]
async fn a_creation_that_is_refused_again_and_again_counts_as_one_failure_that_lasts() {
    let ground = Ground::new().await;
    let denied = json!({"kind": "fail", "status": 403, "code": "AccessDeniedException"});
    ground.fault("CreateApi", &denied);
    let failures = || ground.ctx.recall(&owner().uid).failures.0;
    for refused in 1..=3 {
        ground.reconcile().await.unwrap();
        assert_eq!(failures(), refused);
        tokio::time::advance(SETTLE / 2).await;
        ground.reconcile().await.unwrap();
        assert_eq!(failures(), refused);
        tokio::time::advance(SETTLE).await;
    }
    ground.sandbox.clear_faults();
    ground.reconcile().await.unwrap();
    assert_eq!(failures(), 0);
}

/// Between two of them AWS has to show first whether the one before was carried out.
#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_again_and_again_counts_as_one_failure_that_lasts() {
    let ground = Ground::new().await;
    ground.fault(
        "AddPermission",
        &json!({"kind": "fail", "status": 503, "code": "ServiceException"}),
    );
    let failures = || ground.ctx.recall(&owner().uid).failures.0;
    for failed in 1..=3 {
        ground.reconcile().await.unwrap();
        assert_eq!(failures(), failed);
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Programmed), "AwaitingVisibility");
        assert_eq!(failures(), failed);
        tokio::time::advance(SETTLE).await;
    }
    ground.sandbox.clear_faults();
    ground.reconcile().await.unwrap();
    assert_eq!(failures(), 0);
}

/// It fails nothing, but something is amiss: patience is for what could not be seen.
#[tokio::test(start_paused = true)]
async fn a_wait_after_a_failure_is_not_said_to_be_ready() {
    let ground = Ground::new().await;
    ground.reconcile().await.unwrap();
    ground.fault(
        "GetApi",
        &json!({"kind": "fail", "status": 500, "code": "InternalFailure"}),
    );
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), "Succeeded");
    ground.sandbox.clear_faults();
    let id = ground.sandbox.apis()[0].0.clone();
    ground.gateway().delete_api().api_id(id).send().await.unwrap();
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), "AwaitingVisibility");
}

/// What a panicking reconcile had sent is not known.
#[tokio::test(start_paused = true)]
async fn after_a_panic_no_more_is_remembered_than_by_a_new_process() {
    let ground = Ground::new().await;
    ground.reconcile().await.unwrap();
    assert!(ground.ctx.recall(&owner().uid).converged.is_some());
    ground.kubernetes.trouble(Method::GET, "/hello", Trouble::Panic);
    fails(&ground).await;
    assert!(ground.ctx.recall(&owner().uid).converged.is_none());
}

/// Each new reason would otherwise begin the count anew.
#[tokio::test(start_paused = true)]
async fn a_trouble_that_shows_itself_now_so_now_so_is_one_that_lasts() {
    let ground = Ground::new().await;
    ground.reconcile().await.unwrap();
    let failing = json!({"kind": "fail", "status": 500, "code": "InternalFailure"});
    let throttled = json!({"kind": "throttle"});
    let troubles = [&failing, &throttled].into_iter().cycle();
    let said = ["Succeeded", "Succeeded", "Succeeded", "Throttled"];
    for (trouble, said) in troubles.zip(said) {
        ground.sandbox.clear_faults();
        ground.fault("GetApi", trouble);
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Ready), said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_of_verification_is_told_only_when_aws_was_seen() {
    let ground = Ground::new().await;
    let ask = |when: &str| {
        let annotations = json!({"annotations": {"reconcile.jwthttpapi.dev/requestedAt": when}});
        ground.edit("metadata", annotations);
    };
    ground.fault("GetApis", &json!({"kind": "access_denied"}));
    ask("first");
    ground.reconcile().await.unwrap();
    let status = ground.status();
    assert_eq!(status.last_handled_reconcile_at.as_deref(), Some("first"));
    assert_eq!(status.last_verified_time, None);
    ground.sandbox.clear_faults();
    ask("second");
    ground.reconcile().await.unwrap();
    let status = ground.status();
    assert_eq!(status.last_handled_reconcile_at.as_deref(), Some("second"));
    assert!(status.last_verified_time.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_panic_stays_in_its_reconcile() {
    let ground = Ground::new().await;
    ground.kubernetes.trouble(Method::GET, "/hello", Trouble::Panic);
    let (error, wait) = fails(&ground).await;
    assert!(matches!(error, Error::Panic), "{error}");
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
    ground.kubernetes.heal();
    assert_ne!(ground.reconcile().await.unwrap(), Action::await_change());
}
