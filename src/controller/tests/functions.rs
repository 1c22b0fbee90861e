//! What a pass says and does about the object's own functions.

use super::super::pass::Next;
use super::ground::{Ground, own, owner};
use jwthttpapi_core::{api::Reason, model::name::function_name};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn functions_are_in_status_before_anything_of_them_is_made() {
    let mut ground = Ground::new().await;
    ground.change(own());
    let denied = json!({"kind": "fail", "status": 400, "code": "AccessDeniedException"});
    ground.fault("CreateLogGroup", &denied);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AccessDenied);
    let told = ground.status().functions;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].name, "hello");
    assert!(told[0].arn.ends_with(&function_name(&owner(), "hello")));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_left_the_spec_leaves_aws_and_status() {
    let mut ground = Ground::new().await;
    ground.change(own());
    ground.pass().await.unwrap();
    ground.change(json!({}));
    // The function and its role, then its logs, then a look that finds nothing any more.
    let passes = [
        (Reason::Progressing, 1),
        (Reason::Progressing, 1),
        (Reason::Programmed, 0),
    ];
    for (reason, told) in passes {
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.findings.programmed.reason, reason);
        assert_eq!(passed.status.functions.len(), told);
    }
    let state = ground.sandbox.state();
    let services = &state["regions"]["eu-central-1"];
    assert_eq!(services["functions"].as_array().unwrap().len(), 1);
    assert_eq!(services["logGroups"], json!([]));
    assert_eq!(state["roles"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_object_without_functions_asks_nothing_of_cloudwatch_logs() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.pass().await.unwrap();
    assert_eq!(ground.operations("logs"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_function_of_somebody_else_is_left_alone_and_named() {
    let mut ground = Ground::new().await;
    let name = function_name(&owner(), "hello");
    ground.function(&name).await;
    let before = ground.sandbox.state();
    ground.change(own());
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNameConflict);
    assert!(passed.findings.programmed.message.contains(&name));
    assert_eq!(ground.sandbox.state(), before);
}
