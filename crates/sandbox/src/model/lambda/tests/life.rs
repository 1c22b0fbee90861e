//! Creation, update and what is refused in between.

use serde_json::{Value, json};

use super::{configure, create, members, read, update_code, with_alias, with_function, with_role, zip};
use crate::model::{
    Timestamp,
    deployment::FunctionState,
    iam,
    lambda::Request,
    testing::{Bench, refused, text},
};

fn states(bench: &mut Bench) -> (Value, Value) {
    let found = read(bench, "hello", None).unwrap();
    (found["State"].clone(), found["LastUpdateStatus"].clone())
}

#[test]
fn a_new_function_is_pending_for_as_long_as_is_set() {
    let mut bench = with_role(json!({ "function_delay_ms": 1000 }));
    let created = create(&mut bench, members()).unwrap();
    assert_eq!(created["StateReasonCode"], json!("Creating"));
    assert_eq!(states(&mut bench), (json!("Pending"), Value::Null));
    for refusal in [
        configure(&mut bench, json!({ "Timeout": 5 })),
        update_code(&mut bench, json!({ "ZipFile": zip("2") })),
    ] {
        let (status, code, text) = refused(refusal);
        assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
        assert_eq!(
            text,
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        );
    }
    let view = bench.world.function("hello", None, Timestamp(bench.now)).unwrap();
    assert_eq!(view.state, FunctionState::Pending);
    bench.now += 1000;
    assert_eq!(states(&mut bench), (json!("Active"), json!("Successful")));
    assert!(configure(&mut bench, json!({ "Timeout": 5 })).is_ok());
}

#[test]
fn an_update_is_in_progress_for_as_long_as_is_set_and_what_was_there_before_is_invoked_until_then() {
    let mut bench = with_role(json!({ "function_delay_ms": 1000 }));
    create(&mut bench, members()).unwrap();
    bench.now += 1000;
    let timeout = |bench: &Bench| {
        let view = bench.world.function("hello", None, Timestamp(bench.now)).unwrap();
        (view.timeout_seconds, view.state)
    };
    let updated = configure(&mut bench, json!({ "Timeout": 5 })).unwrap();
    assert_eq!(
        (&updated["Timeout"], &updated["LastUpdateStatus"]),
        (&json!(5), &json!("InProgress"))
    );
    assert_eq!(states(&mut bench), (json!("Active"), json!("InProgress")));
    assert_eq!(timeout(&bench), (3, FunctionState::Active));
    let publish = Request::PublishVersion {
        function: "hello".into(),
        description: None,
    };
    for refusal in [
        configure(&mut bench, json!({ "Timeout": 6 })),
        update_code(&mut bench, json!({ "ZipFile": zip("2") })),
        bench.lambda(publish),
    ] {
        let (status, code, text) = refused(refusal);
        assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
        assert_eq!(
            text,
            "The operation cannot be performed at this time. An update is in progress for resource: \
             arn:aws:lambda:eu-central-1:123456789012:function:hello"
        );
    }
    bench.now += 1000;
    assert_eq!(states(&mut bench), (json!("Active"), json!("Successful")));
    assert_eq!(timeout(&bench), (5, FunctionState::Active));
}

#[test]
fn without_a_delay_every_update_is_done_at_once() {
    let mut bench = with_function();
    configure(&mut bench, json!({ "Timeout": 5 })).unwrap();
    assert_eq!(states(&mut bench), (json!("Active"), json!("Successful")));
    assert!(update_code(&mut bench, json!({ "ZipFile": zip("2") })).is_ok());
}

#[test]
fn code_can_be_published_with_its_update_in_spite_of_the_delay() {
    let mut bench = with_role(json!({ "function_delay_ms": 1000 }));
    create(&mut bench, members()).unwrap();
    bench.now += 1000;
    let published = update_code(&mut bench, json!({ "ZipFile": zip("2"), "Publish": true })).unwrap();
    assert_eq!(published["Version"], json!("1"));
}

#[test]
fn a_function_that_is_pending_or_being_updated_can_be_deleted() {
    let mut bench = with_role(json!({ "function_delay_ms": 1000 }));
    create(&mut bench, members()).unwrap();
    let (function, qualifier) = ("hello".to_owned(), None);
    bench
        .lambda(Request::DeleteFunction { function, qualifier })
        .unwrap();
    assert_eq!(refused(read(&mut bench, "hello", None)).0, 404);
}

#[test]
fn what_an_update_does_not_name_keeps_its_value() {
    let mut bench = with_role(json!({}));
    let mut all = members();
    all["Environment"] = json!({ "Variables": { "KEY": "1" } });
    all["Description"] = json!("d");
    all["Architectures"] = json!(["arm64"]);
    create(&mut bench, all).unwrap();
    configure(&mut bench, json!({ "MemorySize": 256 })).unwrap();
    update_code(&mut bench, json!({ "ZipFile": zip("2") })).unwrap();
    let found = read(&mut bench, "hello", None).unwrap();
    for (member, value) in [
        ("MemorySize", json!(256)),
        ("Timeout", json!(3)),
        ("Description", json!("d")),
        ("Environment", json!({ "Variables": { "KEY": "1" } })),
        ("Architectures", json!(["arm64"])),
    ] {
        assert_eq!(found[member], value, "{member}");
    }
}

#[test]
fn empty_variables_clear_the_environment() {
    let mut bench = with_function();
    configure(
        &mut bench,
        json!({ "Environment": { "Variables": { "KEY": "1" } } }),
    )
    .unwrap();
    let cleared = configure(&mut bench, json!({ "Environment": { "Variables": {} } })).unwrap();
    assert_eq!(cleared.get("Environment"), None);
}

#[test]
fn the_architecture_changes_with_the_code_and_not_with_the_configuration() {
    let mut bench = with_function();
    let configured = configure(&mut bench, json!({ "Architectures": ["arm64"] })).unwrap();
    assert_eq!(configured["Architectures"], json!(["x86_64"]));
    let updated = update_code(
        &mut bench,
        json!({ "ZipFile": zip("1"), "Architectures": ["arm64"] }),
    );
    assert_eq!(updated.unwrap()["Architectures"], json!(["arm64"]));
}

#[test]
fn an_environment_without_variables_is_cleared_or_kept_as_is_set() {
    for clears in [true, false] {
        let mut bench = with_role(json!({ "environment_without_variables_clears": clears }));
        create(&mut bench, members()).unwrap();
        configure(
            &mut bench,
            json!({ "Environment": { "Variables": { "KEY": "1" } } }),
        )
        .unwrap();
        let after = configure(&mut bench, json!({ "Environment": {} })).unwrap();
        assert_eq!(after.get("Environment").is_none(), clears);
    }
}

#[test]
fn code_without_an_architecture_resets_it_or_keeps_it_as_is_set() {
    for (resets, expected) in [(true, "x86_64"), (false, "arm64")] {
        let mut bench = with_role(json!({ "update_code_resets_architecture": resets }));
        let mut arm = members();
        arm["Architectures"] = json!(["arm64"]);
        create(&mut bench, arm).unwrap();
        let after = update_code(&mut bench, json!({ "ZipFile": zip("2") })).unwrap();
        assert_eq!(after["Architectures"], json!([expected]));
    }
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
fn a_role_whose_trust_is_for_another_service_is_refused_on_creation_and_on_update() {
    let mut bench = with_function();
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" }, "Action": "sts:AssumeRole",
    }] });
    let input = iam::CreateRole {
        name: "gateway".into(),
        trust: trust.to_string(),
        ..Default::default()
    };
    bench.iam(iam::Request::CreateRole { input }).unwrap();
    let role = "arn:aws:iam::123456789012:role/gateway";
    let mut other = members();
    other["FunctionName"] = json!("other");
    other["Role"] = json!(role);
    for refusal in [
        create(&mut bench, other),
        configure(&mut bench, json!({ "Role": role })),
    ] {
        assert_eq!(
            refused(refusal).2,
            "The role defined for the function cannot be assumed by Lambda."
        );
    }
}

#[test]
fn a_version_runs_under_the_role_that_it_was_published_with() {
    let mut bench = with_function();
    with_alias(&mut bench);
    bench.world.settings.function_role_must_be_assumable = false;
    let other = "arn:aws:iam::123456789012:role/other";
    configure(&mut bench, json!({ "Role": other })).unwrap();
    let now = Timestamp(bench.now);
    let arn = text(&read(&mut bench, "hello", None).unwrap(), "FunctionArn");
    assert_eq!(bench.world.execution_role(&arn, now).as_deref(), Some(other));
    let published = bench.world.execution_role(&format!("{arn}:live"), now);
    assert_eq!(published.as_deref(), Some(super::ROLE));
    assert_eq!(bench.world.execution_role(&format!("{arn}-not"), now), None);
}

#[test]
fn a_failed_update_leaves_what_was_there_before_and_says_why_until_the_next_one() {
    let mut bench = with_function();
    bench.function_failure = Some("InternalError".into());
    configure(&mut bench, json!({ "Timeout": 5 })).unwrap();
    bench.function_failure = None;
    let found = read(&mut bench, "hello", None).unwrap();
    assert_eq!(
        (&found["LastUpdateStatus"], &found["LastUpdateStatusReasonCode"]),
        (&json!("Failed"), &json!("InternalError"))
    );
    let timeout = |bench: &Bench| {
        let view = bench.world.function("hello", None, Timestamp(bench.now)).unwrap();
        view.timeout_seconds
    };
    assert_eq!(timeout(&bench), 3);
    configure(&mut bench, json!({ "Timeout": 5 })).unwrap();
    assert_eq!(states(&mut bench), (json!("Active"), json!("Successful")));
    assert_eq!(timeout(&bench), 5);
}
