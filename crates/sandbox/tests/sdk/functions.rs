//! The life of a function through the SDK.

use std::time::Duration;

use aws_sdk_lambda::{
    Client,
    client::Waiters,
    error::ProvideErrorMetadata,
    operation::create_function::builders::CreateFunctionFluentBuilder,
    primitives::Blob,
    types::{Architecture, Environment, FunctionCode, LastUpdateStatus, Runtime, State},
};
use jwthttpapi_sandbox::{SMALLEST_ARCHIVE, Sandbox};
use serde_json::json;
use tokio::time::Instant;

use crate::clients::{FUNCTION, functions, iam, logs, refused, sandbox, trust};

const ROLE: &str = "arn:aws:iam::123456789012:role/execution";

async fn create_role(sandbox: &Sandbox) {
    iam(sandbox)
        .create_role()
        .role_name("execution")
        .assume_role_policy_document(trust("lambda.amazonaws.com"))
        .send()
        .await
        .unwrap();
}

fn create(client: &Client) -> CreateFunctionFluentBuilder {
    client
        .create_function()
        .function_name("hello")
        .runtime(Runtime::Nodejs24x)
        .role(ROLE)
        .handler("index.handler")
        .code(
            FunctionCode::builder()
                .zip_file(Blob::new(SMALLEST_ARCHIVE))
                .build(),
        )
}

#[tokio::test(start_paused = true)]
async fn creation_and_update_are_waited_for() {
    let sandbox = sandbox(json!({ "function_delay_ms": 3000 }));
    create_role(&sandbox).await;
    let client = functions(&sandbox);
    let start = Instant::now();
    let created = create(&client).send().await.unwrap();
    assert_eq!(
        (created.state(), created.last_update_status()),
        (Some(&State::Pending), None)
    );
    let configure = || {
        let request = client.update_function_configuration().function_name("hello");
        request.timeout(5).send()
    };
    assert_eq!(
        refused(configure().await),
        (409, "ResourceConflictException".into())
    );
    let waiter = client.wait_until_function_active_v2().function_name("hello");
    waiter.wait(Duration::from_secs(10)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(3));

    let updated = configure().await.unwrap();
    assert_eq!(updated.last_update_status(), Some(&LastUpdateStatus::InProgress));
    let code = || {
        let request = client.update_function_code().function_name("hello");
        let request = request.zip_file(Blob::new(SMALLEST_ARCHIVE));
        request.architectures(Architecture::Arm64).send()
    };
    assert_eq!(refused(code().await), (409, "ResourceConflictException".into()));
    let waiter = client.wait_until_function_updated_v2().function_name("hello");
    waiter.wait(Duration::from_secs(10)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(6));
    assert_eq!(code().await.unwrap().architectures(), [Architecture::Arm64]);
}

#[tokio::test(start_paused = true)]
async fn a_function_is_read_back_with_its_tags() {
    let sandbox = sandbox(json!({}));
    create_role(&sandbox).await;
    let client = functions(&sandbox);
    create(&client)
        .tags("jwthttpapi.dev/uid", "1")
        .send()
        .await
        .unwrap();
    let tag = client.tag_resource().resource(FUNCTION).tags("b", "2");
    tag.tags("c/d", "3").send().await.unwrap();
    let untag = client.untag_resource().resource(FUNCTION).tag_keys("b");
    untag.send().await.unwrap();
    let listed = client.list_tags().resource(FUNCTION).send().await.unwrap();
    let found = client.get_function().function_name("hello").send().await.unwrap();
    assert_eq!(found.tags(), listed.tags());
    assert_eq!(found.tags().unwrap().len(), 2);
    assert_eq!(found.configuration().unwrap().function_arn(), Some(FUNCTION));
    assert!(found.code().unwrap().location().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_environment_is_cleared_by_an_empty_one() {
    let sandbox = sandbox(json!({}));
    create_role(&sandbox).await;
    let client = functions(&sandbox);
    let environment = Environment::builder().variables("KEY", "1").build();
    create(&client).environment(environment).send().await.unwrap();
    let update = || client.update_function_configuration().function_name("hello");
    let kept = update().memory_size(256).send().await.unwrap();
    assert_eq!(kept.environment().unwrap().variables().unwrap().len(), 1);
    let nothing = Environment::builder().set_variables(Some([].into())).build();
    let cleared = update().environment(nothing).send().await.unwrap();
    assert_eq!((cleared.environment(), cleared.memory_size()), (None, Some(256)));
}

#[tokio::test(start_paused = true)]
async fn a_role_is_passed_only_with_the_permission_to_pass_it() {
    let sandbox = sandbox(json!({}));
    create_role(&sandbox).await;
    let client = functions(&sandbox);
    let may = |allow: &[&str]| {
        let principal = json!({ "name": "operator", "allow": allow });
        let settings = json!({ "principals": { "AKIDSANDBOX": principal } });
        sandbox.set_settings(sandbox.settings().patched(&settings).unwrap());
    };
    let denied = |action: &str, resource: &str| {
        format!(
            "User: arn:aws:iam::123456789012:user/operator is not authorized to perform: {action} on resource: {resource} \
             because no identity-based policy allows the {action} action"
        )
    };
    may(&["lambda:*"]);
    let refusal = create(&client).send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("AccessDeniedException"));
    assert_eq!(refusal.message(), Some(denied("iam:PassRole", ROLE).as_str()));
    may(&["lambda:CreateFunction", "iam:PassRole"]);
    let refusal = create(&client).tags("a", "1").send().await.unwrap_err();
    assert_eq!(
        refusal.message(),
        Some(denied("lambda:TagResource", FUNCTION).as_str())
    );
    create(&client).send().await.unwrap();
    may(&["lambda:*"]);
    let update = || client.update_function_configuration().function_name("hello");
    assert_eq!(
        refused(update().role(ROLE).send().await),
        (403, "AccessDeniedException".into())
    );
    assert!(update().timeout(5).send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_functions_tags_are_shown_to_whom_may_list_them() {
    let sandbox = sandbox(json!({}));
    create_role(&sandbox).await;
    let client = functions(&sandbox);
    create(&client).tags("a", "1").send().await.unwrap();
    for (actions, shown) in [
        (json!({"allow": ["lambda:*"]}), true),
        (json!({"allow": ["lambda:GetFunction"]}), false),
        (json!({"deny": ["lambda:ListTags"]}), false),
    ] {
        let settings = json!({ "principals": { "AKIDSANDBOX": actions } });
        sandbox.set_settings(sandbox.settings().patched(&settings).unwrap());
        let found = client.get_function().function_name("hello").send().await.unwrap();
        assert_eq!(found.tags().is_some(), shown, "{actions}");
        let listed = client.list_tags().resource(FUNCTION).send().await;
        assert_eq!(listed.is_ok(), shown, "{actions}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_leaves_its_log_group_behind() {
    let sandbox = sandbox(json!({}));
    create_role(&sandbox).await;
    let (client, logs) = (functions(&sandbox), logs(&sandbox));
    create(&client).send().await.unwrap();
    let groups = async || {
        let found = logs
            .describe_log_groups()
            .log_group_name_prefix("/aws/lambda/hello");
        found.send().await.unwrap().log_groups().len()
    };
    assert_eq!(groups().await, 0, "a function comes without one");
    let group = logs.create_log_group().log_group_name("/aws/lambda/hello");
    group.send().await.unwrap();
    let delete = client.delete_function().function_name("hello");
    delete.send().await.unwrap();
    assert_eq!(groups().await, 1);
}
