//! Callers with a policy of IAM: its actions, resources and conditions decide.

use aws_sdk_apigatewayv2::{error::ProvideErrorMetadata, types::ProtocolType};
use aws_sdk_iam::types::Tag;
use jwthttpapi_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::clients::{gateway, iam, refused, sandbox, trust};

const DENIED: &str = "AccessDenied";

/// A sandbox whose caller may do what these statements allow.
fn allowing(statements: Value) -> Sandbox {
    let principal = json!({"name": "operator", "policy": {"Version": "2012-10-17", "Statement": statements}});
    sandbox(json!({"principals": {"AKIDSANDBOX": principal}}))
}

#[tokio::test(start_paused = true)]
async fn roles_are_allowed_by_their_path_and_tags_by_an_action_of_their_own() {
    let roles = "arn:aws:iam::123456789012:role/jwthttpapi/*";
    let client = iam(&allowing(json!([
        {"Effect": "Allow", "Action": ["iam:GetRole", "iam:CreateRole"], "Resource": roles},
    ])));
    let create = |path: &str| {
        let create = client.create_role().role_name("hello").path(path);
        create.assume_role_policy_document(trust("lambda.amazonaws.com"))
    };
    assert_eq!(refused(create("/").send().await), (403, DENIED.into()));
    let tag = Tag::builder().key("a").value("1").build().unwrap();
    let refusal = create("/jwthttpapi/").tags(tag).send().await.unwrap_err();
    assert!(refusal.message().unwrap().contains("iam:TagRole"), "{refusal:?}");
    // It is not known where a role would be that does not exist.
    let get = || client.get_role().role_name("hello").send();
    let refusal = get().await.unwrap_err();
    assert!(
        refusal
            .message()
            .unwrap()
            .contains("arn:aws:iam::123456789012:role/hello "),
        "{refusal:?}"
    );
    create("/jwthttpapi/").send().await.unwrap();
    get().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn apis_are_allowed_by_verb_and_path_and_tagged_ones_by_what_is_said_to_be_asked_for_besides() {
    let statement = |actions: &[&str], path: &str| {
        let arn = format!("arn:aws:apigateway:*::{path}");
        json!({"Effect": "Allow", "Action": actions, "Resource": arn})
    };
    let sandbox = allowing(json!([statement(&["apigateway:POST"], "/apis")]));
    let client = gateway(&sandbox);
    let create = || client.create_api().name("api").protocol_type(ProtocolType::Http);
    let api = create().send().await.unwrap();
    let denied = (403, "AccessDeniedException".to_owned());
    let stage = client
        .create_stage()
        .api_id(api.api_id().unwrap())
        .stage_name("$default");
    assert_eq!(refused(stage.send().await), denied);
    assert_eq!(refused(client.get_apis().send().await), denied);
    let refusal = create().tags("a", "1").send().await.unwrap_err();
    assert!(
        refusal.message().unwrap().contains("apigateway:TagResource"),
        "{refusal:?}"
    );
    let entry = sandbox.journal(0).pop().unwrap();
    let asked: Vec<&str> = entry.permissions.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(
        asked,
        ["apigateway:POST", "apigateway:TagResource", "apigateway:PUT"]
    );
}
