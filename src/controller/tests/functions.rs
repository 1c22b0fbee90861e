//! What a pass says and does about the object's own functions.

use super::super::pass::Next;
use super::ground::{Ground, cluster, own, owner};
use jwthttpapi_core::{
    api::Reason,
    model::name::{execution_role_name, function_name, log_group, role_name},
};
use jwthttpapi_test_support::released;
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
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
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

/// An object with a function of its own that stays in AWS when it goes, and goes now.
async fn leaving() -> Ground {
    let mut ground = Ground::new().await;
    let mut spec = own();
    spec["invocation"] = json!({"mode": "Role"});
    spec["deletionPolicy"] = json!("Retain");
    ground.change(spec);
    ground.pass().await.unwrap();
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_kept_loses_our_tags_with_its_role_and_its_logs_and_nothing_else() {
    let mut ground = leaving().await;
    let before = ground.sandbox.state();
    assert!(before.to_string().contains("jwthttpapi.dev/uid"));
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    let after = ground.sandbox.state();
    assert!(!after.to_string().contains("jwthttpapi.dev/"), "{after:#}");
    assert_eq!(after, released(before));
    assert_eq!(ground.warnings("Deleting"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn with_aws_away_a_release_names_the_functions_with_their_roles_and_logs_too() {
    let mut ground = leaving().await;
    let before = ground.sandbox.state();
    ground.restart(cluster(), false);
    ground.switch(&json!({"expired_keys": ["AKIDOPERATOR"]}));
    let (api, role) = (ground.status().api_id.unwrap(), ground.status().role_arn.unwrap());
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    assert_eq!(ground.sandbox.state(), before);
    let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
    let function = function_name(&owner(), "hello");
    for words in [
        format!("API {api}"),
        format!("role {role}"),
        format!("function, role, log group of {function}"),
    ] {
        assert!(told.contains(&words), "{told}");
    }
    assert_eq!(told.matches("no valid credentials").count(), 1, "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_a_release_may_not_read_is_named_as_what_it_is() {
    for (operation, words, why) in [
        ("GetFunction", "function of", "lambda:GetFunction"),
        ("ListTagsForResource", "log group of", "logs:ListTagsForResource"),
        (
            "DescribeLogGroups",
            "whatever has a log group",
            "logs:DescribeLogGroups",
        ),
        ("GetRole", "role of", "iam:GetRole"),
    ] {
        let mut ground = leaving().await;
        let denied = json!({"kind": "fail", "status": 403, "code": "AccessDeniedException"});
        ground.fault(operation, &denied);
        assert_eq!(ground.pass().await.unwrap().next, Next::Change);
        let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
        assert!(told.contains(words) && told.contains(why), "{told}");
        assert_eq!(
            told.matches(" of jwthttpapi").count(),
            usize::from(words.ends_with("of")),
            "{told}"
        );
        let kept = ground
            .sandbox
            .state()
            .to_string()
            .matches("jwthttpapi.dev/uid")
            .count();
        let wanted = match operation {
            "DescribeLogGroups" => 0,
            "GetRole" => 2,
            _ => 1,
        };
        assert_eq!(kept, wanted, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_names_what_it_did_not_try_after_a_refusal() {
    let mut ground = leaving().await;
    let denied = json!({"kind": "fail", "status": 403, "code": "AccessDenied"});
    ground.fault("UntagRole", &denied);
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
    let own = execution_role_name(&owner(), "eu-central-1", "hello").name;
    let invoke = role_name(&owner(), "eu-central-1").name;
    assert!(told.contains(&own) && told.contains(&invoke), "{told}");
    assert_eq!(told.matches("iam:UntagRole").count(), 1, "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_log_group_of_somebody_else_is_left_alone_and_named() {
    let mut ground = Ground::new().await;
    let name = log_group(&function_name(&owner(), "hello"));
    let create = ground.logs().create_log_group().log_group_name(&name);
    create.send().await.unwrap();
    let before = ground.sandbox.state();
    ground.change(own());
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNameConflict);
    let message = passed.findings.programmed.message;
    assert!(
        message.contains(&format!("a log group named {name}")),
        "{message}"
    );
    assert_eq!(ground.sandbox.state(), before);
}
