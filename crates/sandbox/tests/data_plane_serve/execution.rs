//! What an invocation does with the function's execution role, and when there is none to invoke.

use jwthttpapi_sandbox::Settings;
use serde_json::{Value, json};

use crate::{
    ECHO, Running,
    aws::{ACCOUNT, REGION},
    start,
};

const GROUP: &str = "/aws/lambda/hello";
const WRITE: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// A function behind `GET /a`, as its execution role would have it; gives the API's id.
async fn deployed(running: &Running) -> String {
    let aws = &running.aws;
    let function = aws.function("hello", ECHO).await;
    let api = aws.api(json!({})).await;
    aws.permit("hello", &api).await;
    let target = aws.integration(&api, &function, json!({})).await;
    aws.route(&api, "GET /a", &target, json!({})).await;
    aws.stage(&api, "$default").await;
    api
}

fn streams(running: &Running, group: usize) -> Value {
    running.sandbox.state()["regions"][REGION]["logGroups"][group]["logStreams"].clone()
}

fn streams_of(group: &str) -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*")
}

#[tokio::test]
async fn a_function_writes_to_its_log_group_as_far_as_its_role_may_and_answers_in_any_case() {
    let running = start(None).await;
    let aws = &running.aws;
    aws.logs("CreateLogGroup", json!({"logGroupName": GROUP})).await;
    let api = deployed(&running).await;
    let call = async || assert_eq!(aws.call(&api, "GET", "/a", &[]).await.status, 200);

    call().await;
    assert_eq!(streams(&running, 0), json!({}), "there is no role");
    aws.role("execution", "lambda.amazonaws.com").await;
    call().await;
    assert_eq!(streams(&running, 0), json!({}), "the role may nothing");
    aws.allow("execution", &json!(WRITE), &streams_of("/aws/lambda/other"))
        .await;
    call().await;
    assert_eq!(streams(&running, 0), json!({}), "the role is for another group");
    aws.allow("execution", &json!(WRITE), &streams_of(GROUP)).await;
    call().await;
    assert_eq!(streams(&running, 0)["sandbox"]["events"], json!(3));
    call().await;
    assert_eq!(streams(&running, 0)["sandbox"]["events"], json!(6));
    assert_ne!(
        running.sandbox.state()["regions"][REGION]["logGroups"][0]["storedBytes"],
        json!(0)
    );
}

#[tokio::test]
async fn a_log_group_that_is_missing_is_made_only_by_a_role_that_may() {
    let running = start(None).await;
    let aws = &running.aws;
    let api = deployed(&running).await;
    aws.role("execution", "lambda.amazonaws.com").await;
    aws.allow("execution", &json!(WRITE), &streams_of(GROUP)).await;
    assert_eq!(aws.call(&api, "GET", "/a", &[]).await.status, 200);
    assert_eq!(streams(&running, 0), Value::Null);
    aws.allow("execution", &json!("logs:*"), "*").await;
    assert_eq!(aws.call(&api, "GET", "/a", &[]).await.status, 200);
    assert_eq!(streams(&running, 0)["sandbox"]["events"], json!(3));
}

#[tokio::test]
async fn a_function_that_is_pending_is_not_invoked() {
    let running = start(None).await;
    let settings = running.sandbox.settings();
    running.sandbox.set_settings(Settings {
        function_delay_ms: 3_600_000,
        ..settings
    });
    let api = deployed(&running).await;
    let reply = running.aws.call(&api, "GET", "/a", &[]).await;
    assert_eq!(
        (reply.status, reply.json()),
        (500, json!({"message": "Internal Server Error"}))
    );
}
