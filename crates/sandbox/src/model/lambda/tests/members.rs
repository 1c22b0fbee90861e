//! What the members of a function may be.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{configure, create, members, read, update_code, with_function, with_role};
use crate::model::testing::{Bench, refused};

const FOUND_BY_THE_MODEL: &str = "ValidationException";
const FOUND_BY_LAMBDA: &str = "InvalidParameterValueException";

/// The refusal of a function with another value of one member.
fn refusal(bench: &mut Bench, member: &str, value: Value) -> (u16, String, String) {
    let mut members = members();
    members[member] = value;
    refused(create(bench, members))
}

#[test]
fn a_functions_members_are_checked() {
    let mut bench = with_role(json!({}));
    for (member, value, expected) in [
        ("FunctionName", json!("a b"), FOUND_BY_THE_MODEL),
        ("FunctionName", json!(""), FOUND_BY_THE_MODEL),
        ("FunctionName", json!("a".repeat(65)), FOUND_BY_THE_MODEL),
        ("Runtime", json!("cobol"), FOUND_BY_LAMBDA),
        ("Runtime", json!("nodejs24"), FOUND_BY_LAMBDA),
        ("Runtime", json!(null), FOUND_BY_LAMBDA),
        ("Handler", json!(null), FOUND_BY_LAMBDA),
        ("Handler", json!(""), FOUND_BY_THE_MODEL),
        ("Handler", json!("index handler"), FOUND_BY_THE_MODEL),
        ("Handler", json!("h".repeat(129)), FOUND_BY_THE_MODEL),
        ("Description", json!("d".repeat(257)), FOUND_BY_THE_MODEL),
        ("Timeout", json!(0), FOUND_BY_THE_MODEL),
        ("Timeout", json!(901), FOUND_BY_THE_MODEL),
        ("MemorySize", json!(127), FOUND_BY_THE_MODEL),
        ("MemorySize", json!(10_241), FOUND_BY_THE_MODEL),
        ("MemorySize", json!(-1), FOUND_BY_THE_MODEL),
        ("Architectures", json!(["riscv"]), FOUND_BY_THE_MODEL),
        ("Architectures", json!([]), FOUND_BY_THE_MODEL),
        ("Architectures", json!(["arm64", "x86_64"]), FOUND_BY_THE_MODEL),
        ("Role", json!("execution"), FOUND_BY_THE_MODEL),
        ("Role", json!(null), FOUND_BY_THE_MODEL),
        (
            "Environment",
            json!({ "Variables": { "A-B": "1" } }),
            FOUND_BY_THE_MODEL,
        ),
        (
            "Environment",
            json!({ "Variables": { "A": "1" } }),
            FOUND_BY_THE_MODEL,
        ),
        (
            "Environment",
            json!({ "Variables": { "_AB": "1" } }),
            FOUND_BY_THE_MODEL,
        ),
        ("Code", json!({}), FOUND_BY_LAMBDA),
    ] {
        let (status, code, text) = refusal(&mut bench, member, value.clone());
        assert_eq!(
            (status, code.as_str()),
            (400, expected),
            "{member}: {value}: {text}"
        );
    }
}

#[test]
fn the_bounds_themselves_are_allowed() {
    let mut bench = with_function();
    for (member, value) in [
        ("Timeout", json!(1)),
        ("Timeout", json!(900)),
        ("MemorySize", json!(128)),
        ("MemorySize", json!(10_240)),
        ("Handler", json!("h".repeat(128))),
        ("Description", json!("d".repeat(256))),
        ("Runtime", json!("python3.13")),
    ] {
        let found = configure(&mut bench, json!({ member: value })).unwrap();
        assert_eq!(found[member], value, "{member}");
    }
    let mut longest = members();
    longest["FunctionName"] = json!("a".repeat(64));
    assert!(create(&mut bench, longest).is_ok());
}

#[test]
fn a_refused_update_changes_nothing() {
    let mut bench = with_function();
    let before = read(&mut bench, "hello", None).unwrap();
    let refusal = configure(&mut bench, json!({ "Handler": "other.handler", "Timeout": 901 }));
    assert_eq!(refused(refusal).0, 400);
    let refusal = update_code(
        &mut bench,
        json!({ "ZipFile": super::zip("2"), "Architectures": ["riscv"] }),
    );
    assert_eq!(refused(refusal).0, 400);
    assert_eq!(read(&mut bench, "hello", None).unwrap(), before);
}

#[test]
fn runtimes_are_blocked_as_is_set() {
    let mut bench = with_role(json!({}));
    for blocked in ["nodejs20.x", "nodejs18.x", "python3.8", "go1.x"] {
        let (_, code, text) = refusal(&mut bench, "Runtime", json!(blocked));
        assert_eq!(code, FOUND_BY_LAMBDA);
        let expected = format!("The runtime parameter of {blocked} is no longer supported");
        assert!(text.starts_with(&expected), "{text}");
    }
    bench.world.settings.blocked_runtimes.remove("nodejs20.x");
    let mut members = members();
    members["Runtime"] = json!("nodejs20.x");
    assert!(create(&mut bench, members).is_ok());
    assert_eq!(
        refused(configure(&mut bench, json!({ "Runtime": "go1.x" }))).1,
        FOUND_BY_LAMBDA
    );
}

#[test]
fn names_of_variables_that_lambda_sets_are_reserved() {
    let mut bench = with_role(json!({}));
    let variables = json!({ "AWS_REGION": "1", "AWS_LAMBDA_FUNCTION_NAME": "1", "MINE": "1" });
    let (_, code, text) = refusal(&mut bench, "Environment", json!({ "Variables": variables }));
    assert_eq!(code, FOUND_BY_LAMBDA);
    assert!(
        text.ends_with("Reserved keys used in this request: AWS_LAMBDA_FUNCTION_NAME, AWS_REGION"),
        "{text}"
    );
}

#[test]
fn an_environment_has_at_most_4_kilobytes_as_json() {
    let mut bench = with_function();
    let environment = |value: usize| json!({ "Environment": { "Variables": { "KEY": "v".repeat(value) } } });
    let around = r#"{"KEY":""}"#.len();
    assert!(configure(&mut bench, environment(4096 - around)).is_ok());
    let (status, code, text) = refused(configure(&mut bench, environment(4097 - around)));
    assert_eq!((status, code.as_str()), (400, FOUND_BY_LAMBDA));
    assert!(
        text.contains("exceeded the 4KB limit. String measured: {\"KEY\":\"vv"),
        "{text}"
    );
}

#[test]
fn code_is_an_archive_with_something_in_it() {
    let mut bench = with_function();
    let empty = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    let unreadable = "Could not unzip uploaded file. Please check your file, then try to upload again.";
    let nothing = "Uploaded file must be a non-empty zip";
    for (zip, expected) in [
        (b"no zip".as_slice(), unreadable),
        (b"PK", unreadable),
        (&super::archive("1")[1..60], unreadable),
        (&empty, nothing),
        (b"", nothing),
    ] {
        let zip = json!({ "ZipFile": BASE64.encode(zip) });
        let (status, code, text) = refused(update_code(&mut bench, zip));
        assert_eq!((status, code.as_str()), (400, FOUND_BY_LAMBDA));
        assert_eq!(text, expected);
    }
}

#[test]
fn an_archive_that_is_too_large_is_413() {
    let mut bench = with_role(json!({ "quotas": { "function_zip_bytes": 100 } }));
    let (status, code, _) = refused(create(&mut bench, members()));
    assert_eq!((status, code.as_str()), (413, "RequestEntityTooLargeException"));
}

#[test]
fn code_that_is_somewhere_else_is_not_modelled() {
    let mut bench = with_role(json!({}));
    let code = json!({ "S3Bucket": "bucket", "S3Key": "key" });
    assert_eq!(refusal(&mut bench, "Code", code).0, 501);
}

#[test]
fn what_would_have_no_effect_is_not_taken() {
    let mut bench = with_function();
    for (member, value) in [
        ("VpcConfig", json!({ "SubnetIds": ["subnet-1"] })),
        (
            "Layers",
            json!(["arn:aws:lambda:eu-central-1:123456789012:layer:l:1"]),
        ),
        ("TracingConfig", json!({ "Mode": "Active" })),
        ("EphemeralStorage", json!({ "Size": 1024 })),
    ] {
        assert_eq!(refusal(&mut bench, member, value.clone()).0, 501, "{member}");
        let update = configure(&mut bench, json!({ member: value }));
        assert_eq!(refused(update).0, 501, "{member}");
    }
    for (member, value) in [
        ("VpcConfig", json!({})),
        ("Layers", json!([])),
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("EphemeralStorage", json!({ "Size": 512 })),
        ("NoMember", json!("x")),
    ] {
        assert!(
            configure(&mut bench, json!({ member: value })).is_ok(),
            "{member}"
        );
    }
}

#[test]
fn a_role_of_another_account_cannot_be_passed() {
    let mut bench = with_role(json!({}));
    let role = json!("arn:aws:iam::210987654321:role/execution");
    let (status, code, text) = refusal(&mut bench, "Role", role);
    assert_eq!((status, code.as_str()), (403, "AccessDeniedException"));
    assert_eq!(text, "Cross-account pass role is not allowed.");
}
