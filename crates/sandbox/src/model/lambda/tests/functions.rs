//! Functions, versions and aliases.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;

use super::{add, archive, configure, create, members, read, update_code, with_alias, with_function, zip};
use crate::model::{
    SMALLEST_ARCHIVE, Timestamp,
    lambda::Request,
    testing::{Bench, FUNCTION, refused, text},
};

#[test]
fn a_function_reads_back_its_defaults_and_the_digest_of_its_code() {
    let mut bench = with_function();
    update_code(&mut bench, json!({ "ZipFile": BASE64.encode(SMALLEST_ARCHIVE) })).unwrap();
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
        json!("tXmfoFzOrGFPnxX3vyqCeebaKpOpO17VNzJZ4y+SXd4=")
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
    let (status, code, text) = refused(create(&mut bench, members()));
    assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
    assert_eq!(text, "Function already exist: hello");
}

#[test]
fn code_and_configuration_are_updated_apart() {
    let mut bench = with_function();
    let before = read(&mut bench, "hello", None).unwrap();
    update_code(&mut bench, json!({ "ZipFile": zip("2") })).unwrap();
    let after = configure(
        &mut bench,
        json!({ "Environment": { "Variables": { "KEY": "1" } } }),
    )
    .unwrap();
    assert_ne!(after["CodeSha256"], before["CodeSha256"]);
    assert_ne!(after["RevisionId"], before["RevisionId"]);
    assert_eq!(after["Handler"], before["Handler"]);
    let view = bench
        .world
        .function(FUNCTION, None, Timestamp(bench.now))
        .unwrap();
    assert_eq!(
        (view.zip.as_slice(), view.environment["KEY"].as_str()),
        (archive("2").as_slice(), "1")
    );
}

#[test]
fn a_version_keeps_its_code_and_an_alias_points_to_it() {
    let mut bench = with_function();
    with_alias(&mut bench);
    update_code(&mut bench, json!({ "ZipFile": zip("2") })).unwrap();
    let now = Timestamp(bench.now);
    let view = |bench: &Bench, name: &str| bench.world.function(name, None, now).unwrap();
    assert_eq!(view(&bench, "hello:live").zip, archive("1"));
    assert_eq!(view(&bench, &format!("{FUNCTION}:1")).zip, archive("1"));
    assert_eq!(view(&bench, "hello").zip, archive("2"));
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
