//! The rules of Lambda, one test each.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::Request;
use crate::model::{
    Timestamp,
    deployment::FunctionState,
    error::Refusal,
    iam,
    testing::{Bench, FUNCTION, input, refused, text},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/execution";

fn zip(content: &str) -> String {
    BASE64.encode(format!("PK{content}"))
}

fn members() -> Value {
    json!({
        "FunctionName": "hello", "Runtime": "nodejs24.x", "Role": ROLE, "Handler": "index.handler",
        "Code": { "ZipFile": zip("1") },
    })
}

fn create(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.lambda(Request::CreateFunction {
        input: input(members),
    })
}

fn with_role(settings: Value) -> Bench {
    let mut bench = Bench::new(settings);
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
    }] });
    let input = iam::CreateRole {
        name: "execution".into(),
        trust: trust.to_string(),
        ..Default::default()
    };
    bench.iam(iam::Request::CreateRole { input }).unwrap();
    bench
}

fn with_function() -> Bench {
    let mut bench = with_role(json!({}));
    create(&mut bench, members()).unwrap();
    bench
}

fn read(bench: &mut Bench, function: &str, qualifier: Option<&str>) -> Result<Value, Refusal> {
    let (function, qualifier) = (function.to_owned(), qualifier.map(str::to_owned));
    bench.lambda(Request::GetFunctionConfiguration { function, qualifier })
}

fn add(bench: &mut Bench, qualifier: Option<&str>, id: &str) -> Result<Value, Refusal> {
    let input = input(json!({
        "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:eu-central-1:123456789012:api/*/*",
    }));
    bench.lambda(Request::AddPermission {
        function: "hello".into(),
        qualifier: qualifier.map(str::to_owned),
        input,
    })
}

fn policy(bench: &mut Bench, qualifier: Option<&str>) -> Result<Value, Refusal> {
    bench.lambda(Request::GetPolicy {
        function: "hello".into(),
        qualifier: qualifier.map(str::to_owned),
    })
}

fn remove(bench: &mut Bench, statement: &str) -> Result<Value, Refusal> {
    let (function, statement) = ("hello".to_owned(), statement.to_owned());
    bench.lambda(Request::RemovePermission {
        function,
        qualifier: None,
        statement,
        revision: None,
    })
}

fn with_alias(bench: &mut Bench) {
    bench
        .lambda(Request::PublishVersion {
            function: "hello".into(),
            description: None,
        })
        .unwrap();
    let input = input(json!({ "Name": "live", "FunctionVersion": "1" }));
    bench
        .lambda(Request::CreateAlias {
            function: "hello".into(),
            input,
        })
        .unwrap();
}

#[test]
fn a_function_reads_back_its_defaults_and_the_digest_of_its_code() {
    let mut bench = with_function();
    let found = read(&mut bench, "hello", None).unwrap();
    assert_eq!(
        (&found["Timeout"], &found["MemorySize"]),
        (&json!(3), &json!(128))
    );
    assert_eq!(
        (&found["Architectures"], &found["State"]),
        (&json!(["x86_64"]), &json!("Active"))
    );
    assert_eq!(found["FunctionArn"], json!(FUNCTION));
    assert_eq!(
        found["CodeSha256"],
        json!("Fql9r8eoZOap0R3qWZAdDvCOMBZw2RHXz7WyhmsoJe0=")
    );
}

#[test]
fn a_function_is_found_by_name_partial_and_full_arn() {
    let mut bench = with_function();
    for name in ["hello", "123456789012:function:hello", FUNCTION] {
        assert_eq!(
            text(&read(&mut bench, name, None).unwrap(), "FunctionArn"),
            FUNCTION
        );
    }
}

#[test]
fn a_qualifier_is_in_the_arn_only_if_it_was_asked_for() {
    let mut bench = with_function();
    with_alias(&mut bench);
    for (name, qualifier, suffix) in [
        ("hello", Some("live"), ":live"),
        ("hello:live", None, ":live"),
        ("hello", Some("1"), ":1"),
        ("hello", Some("$LATEST"), ":$LATEST"),
        ("hello", None, ""),
    ] {
        let found = read(&mut bench, name, qualifier).unwrap();
        assert_eq!(text(&found, "FunctionArn"), format!("{FUNCTION}{suffix}"));
    }
}

#[test]
fn what_does_not_exist_is_404_by_its_arn() {
    let mut bench = with_function();
    let (status, code, text) = refused(read(&mut bench, "absent", None));
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(
        text,
        "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:absent"
    );
    assert_eq!(refused(read(&mut bench, "hello", Some("absent"))).0, 404);
    let elsewhere = FUNCTION.replace("eu-central-1", "us-east-1");
    assert_eq!(refused(read(&mut bench, &elsewhere, None)).0, 404);
    let foreign = FUNCTION.replace("123456789012", "210987654321");
    assert_eq!(
        refused(read(&mut bench, &foreign, None)).1,
        "AccessDeniedException"
    );
}

#[test]
fn a_second_function_of_one_name_is_refused() {
    let mut bench = with_function();
    let (status, code, _) = refused(create(&mut bench, members()));
    assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
}

#[test]
fn a_role_that_lambda_cannot_assume_is_refused_until_it_has_propagated() {
    let mut bench = with_role(json!({ "iam_delay_ms": 5000 }));
    let (status, code, text) = refused(create(&mut bench, members()));
    assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
    assert_eq!(
        text,
        "The role defined for the function cannot be assumed by Lambda."
    );
    bench.now += 5000;
    assert!(create(&mut bench, members()).is_ok());

    let mut lenient = Bench::new(json!({ "function_role_must_be_assumable": false }));
    assert!(create(&mut lenient, members()).is_ok());
}

#[test]
fn a_functions_members_are_checked() {
    let mut bench = with_role(json!({}));
    for (member, value) in [
        ("FunctionName", json!("a b")),
        ("FunctionName", json!("a".repeat(65))),
        ("Runtime", json!("cobol")),
        ("Handler", json!(null)),
        ("Timeout", json!(901)),
        ("MemorySize", json!(64)),
        ("Environment", json!({ "Variables": { "A-B": "1" } })),
        ("Environment", json!({ "Variables": { "A": "1" } })),
        ("Code", json!({ "ZipFile": BASE64.encode("no zip") })),
    ] {
        let mut members = members();
        members[member] = value;
        assert_eq!(refused(create(&mut bench, members)).0, 400, "{member}");
    }
}

#[test]
fn a_new_function_is_pending_for_as_long_as_is_set() {
    let mut bench = with_role(json!({ "function_pending_ms": 1000 }));
    create(&mut bench, members()).unwrap();
    assert_eq!(
        read(&mut bench, "hello", None).unwrap()["State"],
        json!("Pending")
    );
    let update = Request::UpdateFunctionConfiguration {
        function: "hello".into(),
        input: input(json!({ "Timeout": 5 })),
    };
    assert_eq!(
        refused(bench.lambda(update.clone())).1,
        "ResourceConflictException"
    );
    let view = bench.world.function("hello", None, Timestamp(bench.now)).unwrap();
    assert_eq!(view.state, FunctionState::Pending);
    bench.now += 1000;
    assert_eq!(read(&mut bench, "hello", None).unwrap()["State"], json!("Active"));
    assert!(bench.lambda(update).is_ok());
}

#[test]
fn code_and_configuration_are_updated_apart() {
    let mut bench = with_function();
    let before = read(&mut bench, "hello", None).unwrap();
    let input_code = input(json!({ "ZipFile": zip("2") }));
    bench
        .lambda(Request::UpdateFunctionCode {
            function: "hello".into(),
            input: input_code,
        })
        .unwrap();
    let input_configuration = input(json!({ "Environment": { "Variables": { "KEY": "1" } } }));
    let request = Request::UpdateFunctionConfiguration {
        function: "hello".into(),
        input: input_configuration,
    };
    let after = bench.lambda(request).unwrap();
    assert_ne!(after["CodeSha256"], before["CodeSha256"]);
    assert_ne!(after["RevisionId"], before["RevisionId"]);
    assert_eq!(after["Handler"], before["Handler"]);
    let view = bench
        .world
        .function(FUNCTION, None, Timestamp(bench.now))
        .unwrap();
    assert_eq!(
        (view.zip.as_slice(), view.environment["KEY"].as_str()),
        (b"PK2".as_slice(), "1")
    );
}

#[test]
fn a_version_keeps_its_code_and_an_alias_points_to_it() {
    let mut bench = with_function();
    with_alias(&mut bench);
    let input_code = input(json!({ "ZipFile": zip("2") }));
    bench
        .lambda(Request::UpdateFunctionCode {
            function: "hello".into(),
            input: input_code,
        })
        .unwrap();
    let now = Timestamp(bench.now);
    let view = |bench: &Bench, name: &str| bench.world.function(name, None, now).unwrap();
    assert_eq!(view(&bench, "hello:live").zip, b"PK1");
    assert_eq!(view(&bench, &format!("{FUNCTION}:1")).zip, b"PK1");
    assert_eq!(view(&bench, "hello").zip, b"PK2");
    assert_eq!(view(&bench, "hello:live").arn, format!("{FUNCTION}:live"));
    assert_eq!(bench.world.function("hello:absent", None, now), None);
}

#[test]
fn nothing_is_published_twice() {
    let mut bench = with_function();
    let publish = Request::PublishVersion {
        function: "hello".into(),
        description: None,
    };
    assert_eq!(bench.lambda(publish.clone()).unwrap()["Version"], json!("1"));
    assert_eq!(bench.lambda(publish).unwrap()["Version"], json!("1"));
}

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

#[test]
fn deleting_a_function_takes_policies_versions_and_aliases_along() {
    let mut bench = with_function();
    let before = bench.world.state(Timestamp(0)).unwrap();
    bench
        .lambda(Request::DeleteFunction {
            function: "hello".into(),
            qualifier: None,
        })
        .unwrap();
    create(&mut bench, members()).unwrap();
    with_alias(&mut bench);
    add(&mut bench, None, "s").unwrap();
    bench
        .lambda(Request::DeleteFunction {
            function: FUNCTION.into(),
            qualifier: None,
        })
        .unwrap();
    assert_eq!(refused(read(&mut bench, "hello", None)).0, 404);
    assert_eq!(bench.world.function_policy(FUNCTION), None);
    assert_ne!(bench.world.state(Timestamp(0)).unwrap(), before);
}
