//! CloudWatch Logs through the SDK.

use std::collections::HashMap;

use aws_sdk_cloudwatchlogs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use jwthttpapi_sandbox::{Rule, Service};
use serde_json::json;

use crate::clients::{logs, refused, sandbox};

const GROUP: &str = "/aws/lambda/hello";
const ARN: &str = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/hello";

async fn create(client: &Client, name: &str) {
    let request = client.create_log_group().log_group_name(name);
    request
        .tags("jwthttpapi.dev/uid", "1")
        .tags("b", "2")
        .send()
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn log_groups() {
    let client = logs(&sandbox(json!({ "page_size": 2 })));
    for name in [GROUP, "/aws/lambda/hello-3", "/aws/lambda/hello-2", "other"] {
        create(&client, name).await;
    }
    let again = client.create_log_group().log_group_name(GROUP).send().await;
    assert_eq!(refused(again), (400, "ResourceAlreadyExistsException".into()));

    let mut pages = client
        .describe_log_groups()
        .log_group_name_prefix(GROUP)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let names = page
            .log_groups()
            .iter()
            .filter_map(|group| group.log_group_name());
        found.push(names.collect::<Vec<_>>().join(" "));
    }
    let expected = ["/aws/lambda/hello /aws/lambda/hello-2", "/aws/lambda/hello-3"];
    assert_eq!(found, expected);

    let retention = |days| {
        client
            .put_retention_policy()
            .log_group_name(GROUP)
            .retention_in_days(days)
    };
    retention(14).send().await.unwrap();
    assert_eq!(
        refused(retention(15).send().await),
        (400, "InvalidParameterException".into())
    );
    let read = async || {
        let answer = client.describe_log_groups().log_group_name_prefix(GROUP).limit(1);
        answer.send().await.unwrap().log_groups()[0].clone()
    };
    let group = read().await;
    assert_eq!(group.retention_in_days(), Some(14));
    assert_eq!(group.arn(), Some(format!("{ARN}:*").as_str()));
    assert_eq!(group.log_group_arn(), Some(ARN));
    assert_eq!(group.creation_time(), Some(1_800_000_000_000));
    let forever = client.delete_retention_policy().log_group_name(GROUP);
    forever.send().await.unwrap();
    assert_eq!(read().await.retention_in_days(), None);

    let delete = || client.delete_log_group().log_group_name(GROUP).send();
    delete().await.unwrap();
    assert_eq!(refused(delete().await), (400, "ResourceNotFoundException".into()));
}

#[tokio::test(start_paused = true)]
async fn tags_of_log_groups() {
    let client = logs(&sandbox(json!({})));
    create(&client, GROUP).await;
    let tag = client.tag_resource().resource_arn(ARN).tags("b", "3");
    tag.tags("c", "4").send().await.unwrap();
    let untag = client.untag_resource().resource_arn(ARN).tag_keys("c");
    untag.send().await.unwrap();
    let found = client
        .list_tags_for_resource()
        .resource_arn(ARN)
        .send()
        .await
        .unwrap();
    let expected = [("jwthttpapi.dev/uid", "1"), ("b", "3")];
    let expected: HashMap<_, _> = expected
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    assert_eq!(found.tags(), Some(&expected));
    let starred = client.list_tags_for_resource().resource_arn(format!("{ARN}:*"));
    assert_eq!(refused(starred.send().await), (400, "ValidationException".into()));
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_of_a_log_group_is_named_with_its_resource() {
    let denied =
        json!({ "AKIDSANDBOX": { "name": "operator", "allow": ["logs:CreateLogGroup", "logs:Describe*"] } });
    let client = logs(&sandbox(json!({ "principals": denied })));
    client
        .create_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    assert!(client.describe_log_groups().send().await.is_ok());
    let text = |error: Option<&str>| error.unwrap_or_default().to_owned();
    let retention = client
        .put_retention_policy()
        .log_group_name(GROUP)
        .retention_in_days(1);
    let refusal = retention.send().await.unwrap_err();
    assert_eq!(
        text(refusal.message()),
        format!(
            "User: arn:aws:iam::123456789012:user/operator is not authorized to perform: logs:PutRetentionPolicy on \
             resource: {ARN}:log-stream: because no identity-based policy allows the logs:PutRetentionPolicy action"
        )
    );
    let tagged = client.create_log_group().log_group_name("other").tags("a", "1");
    let refusal = tagged.send().await.unwrap_err();
    assert_eq!(
        (refusal.code(), text(refusal.message()).as_str()),
        (
            Some("AccessDeniedException"),
            "User with accountId: 123456789012 is not authorized to perform CreateLogGroup with Tags"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn faults_journal_state_and_reset_know_log_groups() {
    let sandbox = sandbox(json!({}));
    let client = logs(&sandbox);
    let before = sandbox.state();
    let rule: Rule = serde_json::from_value(json!({
        "service": "logs", "operation": "CreateLogGroup", "target": GROUP, "action": { "kind": "drop", "when": "after" },
    }))
    .unwrap();
    sandbox.add_faults(vec![rule]);
    let lost = client.create_log_group().log_group_name(GROUP).send().await;
    assert!(matches!(lost, Err(SdkError::DispatchFailure(_))));
    client
        .describe_log_groups()
        .log_group_name_prefix(GROUP)
        .send()
        .await
        .unwrap();
    let seen: Vec<_> = sandbox
        .journal(0)
        .into_iter()
        .map(|entry| {
            (
                entry.service,
                entry.operation,
                entry.target,
                entry.resource,
                entry.committed,
            )
        })
        .collect();
    let group = Some(GROUP.to_owned());
    assert_eq!(
        seen,
        [
            (
                Service::Logs,
                "CreateLogGroup".to_owned(),
                group.clone(),
                None,
                true
            ),
            (Service::Logs, "DescribeLogGroups".to_owned(), None, group, false),
        ]
    );
    let state = sandbox.state();
    assert_eq!(
        state["regions"]["eu-central-1"]["logGroups"][0]["logGroupName"],
        json!(GROUP)
    );
    sandbox.reset();
    assert_eq!(sandbox.state(), before);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_not_modelled_says_so() {
    let client = logs(&sandbox(json!({})));
    let answer = client.describe_log_streams().log_group_name(GROUP).send().await;
    assert_eq!(refused(answer), (501, "SandboxNotModelled".into()));
}
