//! Faults as the SDK meets them, and what the journal says of them.

use std::time::Duration;

use aws_sdk_apigatewayv2::error::SdkError;
use jwthttpapi_sandbox::{Awaited, Release, Rule, Sandbox};
use serde_json::{Value, json};

use crate::clients::{create_api, functions, gateway, iam, logs, refused, sandbox};

fn fault(sandbox: &Sandbox, rule: Value) -> u64 {
    let rule: Rule = serde_json::from_value(rule).unwrap();
    sandbox.add_faults(vec![rule])[0]
}

async fn apis(sandbox: &Sandbox) -> usize {
    gateway(sandbox).get_apis().send().await.unwrap().items().len()
}

async fn try_create(
    sandbox: &Sandbox,
) -> Result<(), SdkError<aws_sdk_apigatewayv2::operation::create_api::CreateApiError>> {
    gateway(sandbox)
        .create_api()
        .name("api")
        .protocol_type("HTTP".into())
        .send()
        .await
        .map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn an_error_instead_of_the_answer() {
    let sandbox = sandbox(json!({}));
    let action =
        json!({ "kind": "fail", "status": 500, "code": "InternalServerErrorException", "message": "m" });
    fault(
        &sandbox,
        json!({ "operation": "CreateApi", "from": 2, "action": action }),
    );
    create_api(&gateway(&sandbox)).await;
    assert_eq!(
        refused(try_create(&sandbox).await),
        (500, "InternalServerErrorException".into())
    );
    assert_eq!(apis(&sandbox).await, 1);
    let entry = sandbox.journal(1).remove(0);
    assert_eq!(
        (entry.status, entry.committed, entry.fault),
        (Some(500), false, Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_in_spite_of_the_write() {
    let sandbox = sandbox(json!({}));
    let action =
        json!({ "kind": "fail", "when": "after", "status": 500, "code": "InternalServerErrorException" });
    fault(&sandbox, json!({ "action": action }));
    assert_eq!(refused(try_create(&sandbox).await).0, 500);
    assert_eq!(apis(&sandbox).await, 1);
    assert!(sandbox.journal(0)[0].committed);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_before_or_after_the_write() {
    for (when, committed) in [("before", false), ("after", true)] {
        let sandbox = sandbox(json!({}));
        fault(&sandbox, json!({ "action": { "kind": "drop", "when": when } }));
        assert!(matches!(
            try_create(&sandbox).await,
            Err(SdkError::DispatchFailure(_))
        ));
        let entry = sandbox.journal(0).remove(0);
        assert_eq!(
            (entry.committed, entry.dropped, entry.status),
            (committed, true, None)
        );
        assert_eq!(apis(&sandbox).await, usize::from(committed));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off() {
    let sandbox = sandbox(json!({}));
    fault(&sandbox, json!({ "action": { "kind": "truncate" } }));
    assert!(matches!(
        try_create(&sandbox).await,
        Err(SdkError::ResponseError(_))
    ));
    assert_eq!(apis(&sandbox).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_held_request_is_seen_by_who_waits_and_goes_on_when_released() {
    let sandbox = sandbox(json!({}));
    fault(&sandbox, json!({ "action": { "kind": "hold", "when": "after" } }));
    let held = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { try_create(&sandbox).await }
    });
    let watched = sandbox
        .wait(Awaited::RequestAfter(7), Duration::from_secs(1))
        .await;
    assert_eq!(
        (watched.held.as_slice(), watched.timed_out),
        ([1].as_slice(), false)
    );
    let entry = sandbox.journal(0).remove(0);
    assert_eq!((entry.held, entry.committed, entry.status), (true, true, None));
    assert_eq!(sandbox.release(Some(1), Release::Proceed), 1);
    assert!(held.await.unwrap().is_ok());
    assert_eq!(sandbox.journal(0)[0].status, Some(201));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_sender_died_is_carried_out_or_discarded_as_released() {
    for (release, expected) in [(Release::Proceed, 1), (Release::Discard, 0)] {
        let sandbox = sandbox(json!({}));
        fault(
            &sandbox,
            json!({ "action": { "kind": "hold", "when": "before" } }),
        );
        assert!(matches!(
            try_create(&sandbox).await,
            Err(SdkError::TimeoutError(_))
        ));
        assert_eq!(apis(&sandbox).await, 0);
        sandbox.release(None, release);
        let ended = sandbox.wait(Awaited::EndOf(1), Duration::from_secs(1)).await;
        assert!(!ended.timed_out);
        assert_eq!(apis(&sandbox).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn taking_a_rule_away_releases_what_it_holds() {
    let sandbox = sandbox(json!({}));
    let rule = fault(
        &sandbox,
        json!({ "action": { "kind": "hold", "when": "before" } }),
    );
    let held = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { try_create(&sandbox).await }
    });
    sandbox
        .wait(Awaited::RequestAfter(9), Duration::from_secs(1))
        .await;
    assert!(sandbox.remove_fault(rule));
    assert!(held.await.unwrap().is_ok());
    assert!(!sandbox.remove_fault(rule));
}

#[tokio::test(start_paused = true)]
async fn throttles_and_denials_by_service() {
    let sandbox = sandbox(json!({}));
    fault(&sandbox, json!({ "times": 4, "action": { "kind": "throttle" } }));
    assert_eq!(
        refused(try_create(&sandbox).await),
        (429, "TooManyRequestsException".into())
    );
    let functions = functions(&sandbox);
    assert_eq!(
        refused(functions.list_functions().send().await),
        (429, "TooManyRequestsException".into())
    );
    let iam = iam(&sandbox);
    assert_eq!(refused(iam.list_roles().send().await), (400, "Throttling".into()));
    let logs = logs(&sandbox);
    assert_eq!(
        refused(logs.describe_log_groups().send().await),
        (400, "ThrottlingException".into())
    );
    fault(
        &sandbox,
        json!({ "times": null, "action": { "kind": "access_denied" } }),
    );
    assert_eq!(
        refused(try_create(&sandbox).await),
        (403, "AccessDeniedException".into())
    );
    assert_eq!(
        refused(iam.list_roles().send().await),
        (403, "AccessDenied".into())
    );
    assert_eq!(
        refused(logs.describe_log_groups().send().await),
        (400, "AccessDeniedException".into())
    );
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_operation_target_and_resource() {
    let sandbox = sandbox(json!({}));
    let client = gateway(&sandbox);
    let api = create_api(&client).await;
    client
        .create_route()
        .api_id(&api)
        .route_key("GET /a")
        .send()
        .await
        .unwrap();
    client.get_routes().api_id(&api).send().await.unwrap();
    let seen: Vec<_> = sandbox
        .journal(0)
        .into_iter()
        .map(|entry| {
            (
                entry.operation,
                entry.target,
                entry.resource,
                entry.mutating,
                entry.committed,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("CreateApi".to_owned(), None, Some("api".to_owned()), true, true),
            (
                "CreateRoute".to_owned(),
                Some(api.clone()),
                Some("GET /a".to_owned()),
                true,
                true
            ),
            ("GetRoutes".to_owned(), Some(api), None, false, false),
        ]
    );
    assert_eq!(sandbox.clear_journal(), 3);
    assert_eq!(sandbox.journal(0), []);
    apis(&sandbox).await;
    assert_eq!(sandbox.journal(3)[0].number, 4);
}
