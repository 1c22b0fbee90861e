//! Resource policies.

use serde_json::{Value, json};

use super::{add, policy, remove, with_alias, with_function};
use crate::model::{
    lambda::Request,
    testing::{FUNCTION, input, refused, text},
};

#[test]
fn a_statement_has_the_shape_that_aws_gives_it() {
    let mut bench = with_function();
    add(&mut bench, None, "s").unwrap();
    let found: Value = serde_json::from_str(&text(&policy(&mut bench, None).unwrap(), "Policy")).unwrap();
    let statement = json!({
        "Sid": "s",
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:execute-api:eu-central-1:123456789012:api/*/*" } },
    });
    assert_eq!(
        found,
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": [statement] })
    );
    assert_eq!(bench.world.function_policy(FUNCTION), Some(found));
}

#[test]
fn a_second_statement_of_one_id_is_refused() {
    let mut bench = with_function();
    add(&mut bench, None, "s").unwrap();
    let (status, code, text) = refused(add(&mut bench, None, "s"));
    assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
    assert!(
        text.starts_with("The statement id (s) provided already exists."),
        "{text}"
    );
    assert!(add(&mut bench, None, "t").is_ok());
}

#[test]
fn policies_of_function_alias_and_version_are_separate() {
    let mut bench = with_function();
    with_alias(&mut bench);
    add(&mut bench, Some("live"), "s").unwrap();
    assert_eq!(refused(policy(&mut bench, None)).0, 404);
    assert_eq!(refused(policy(&mut bench, Some("1"))).0, 404);
    let statement = bench.world.function_policy(&format!("{FUNCTION}:live")).unwrap();
    assert_eq!(
        statement["Statement"][0]["Resource"],
        json!(format!("{FUNCTION}:live"))
    );
    assert_eq!(bench.world.function_policy(FUNCTION), None);
}

#[test]
fn there_is_no_policy_on_latest() {
    let mut bench = with_function();
    assert_eq!(
        refused(add(&mut bench, Some("$LATEST"), "s")).1,
        "InvalidParameterValueException"
    );
}

#[test]
fn a_function_without_policy_and_a_missing_function_are_both_404() {
    let mut bench = with_function();
    assert_eq!(refused(policy(&mut bench, None)).1, "ResourceNotFoundException");
    add(&mut bench, None, "s").unwrap();
    remove(&mut bench, "s").unwrap();
    assert_eq!(refused(policy(&mut bench, None)).1, "ResourceNotFoundException");
    assert_eq!(refused(remove(&mut bench, "s")).0, 404);
}

#[test]
fn reads_of_a_policy_may_lag_and_writes_know_at_once() {
    let mut bench = with_function();
    bench.world.settings = bench
        .world
        .settings
        .patched(&json!({ "read_lag_ms": 1000 }))
        .unwrap();
    add(&mut bench, None, "s").unwrap();
    assert_eq!(refused(policy(&mut bench, None)).1, "ResourceNotFoundException");
    assert_eq!(refused(add(&mut bench, None, "s")).1, "ResourceConflictException");
    bench.now += 1000;
    remove(&mut bench, "s").unwrap();
    assert!(policy(&mut bench, None).is_ok());
    assert_eq!(refused(remove(&mut bench, "s")).0, 404);
    bench.now += 1000;
    assert_eq!(refused(policy(&mut bench, None)).1, "ResourceNotFoundException");
}

#[test]
fn a_policy_has_at_most_20_kilobytes() {
    let mut bench = with_function();
    let fitting = (0..200)
        .take_while(|n| add(&mut bench, None, &format!("statement-{n}")).is_ok())
        .count();
    assert!((60..=80).contains(&fitting), "{fitting}");
    let (status, code, _) = refused(add(&mut bench, None, "one-more"));
    assert_eq!((status, code.as_str()), (400, "PolicyLengthExceededException"));
}

#[test]
fn a_statements_members_are_checked() {
    let mut bench = with_function();
    for (member, value) in [
        ("StatementId", "a b".to_owned()),
        ("StatementId", "a".repeat(101)),
        ("Action", "s3:GetObject".to_owned()),
        ("Principal", "somebody".to_owned()),
    ] {
        let mut members = json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*" });
        members[member] = json!(value);
        let request = Request::AddPermission {
            function: "hello".into(),
            qualifier: None,
            input: input(members),
        };
        assert_eq!(
            refused(bench.lambda(request)).1,
            "InvalidParameterValueException",
            "{member}"
        );
    }
}

#[test]
fn a_revision_that_is_not_the_present_one_is_412() {
    let mut bench = with_function();
    add(&mut bench, None, "s").unwrap();
    let request = Request::RemovePermission {
        function: "hello".into(),
        qualifier: None,
        statement: "s".into(),
        revision: Some("other".into()),
    };
    let (status, code, _) = refused(bench.lambda(request));
    assert_eq!((status, code.as_str()), (412, "PreconditionFailedException"));
}
