//! Replacing, as PUT does.

use crate::ground::{Ground, NOBODY, valid, version};
use serde_json::{Value, json};

on_both_grounds!(
    a_replacement_without_a_version_is_refused,
    a_replacement_with_an_old_version_is_a_conflict,
    a_replacement_with_the_newest_version_is_all_there_is,
    a_replacement_of_another_uid_is_a_conflict_that_names_both,
    a_replacement_of_another_name_is_refused,
);

async fn a_replacement_without_a_version_is_refused(ground: Ground) {
    ground.create("one").await;
    let message = r#"jwthttpapis.jwthttpapi.dev "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"#;
    let answer = ground.put(&ground.object("one"), &valid("one")).await;
    answer.refused(422, "Invalid", message, "one");
}

async fn a_replacement_with_an_old_version_is_a_conflict(ground: Ground) {
    let old = ground.create("one").await;
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    ground.merge(&ground.object("one"), &label).await.ok();
    let message = r#"Operation cannot be fulfilled on jwthttpapis.jwthttpapi.dev "one": the object has been modified; please apply your changes to the latest version and try again"#;
    let answer = ground.put(&ground.object("one"), &old).await;
    answer.refused(409, "Conflict", message, "one");
}

async fn a_replacement_with_the_newest_version_is_all_there_is(ground: Ground) {
    ground.create("one").await;
    let before = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"name": "named"}});
    let before = ground.merge(&ground.object("one"), &before).await.ok();
    let mut next = valid("one");
    next["metadata"]["resourceVersion"] = json!(version(&before));
    next["metadata"]["annotations"] = json!({"a": "b"});
    let after = ground.put(&ground.object("one"), &next).await.ok();
    assert_eq!(after["spec"], next["spec"]);
    assert!(after["metadata"]["labels"].is_null());
    assert_eq!(after["metadata"]["annotations"], json!({"a": "b"}));
    for field in ["uid", "creationTimestamp"] {
        assert_eq!(after["metadata"][field], before["metadata"][field]);
    }
    assert_eq!(after["metadata"]["generation"], 3);
}

async fn a_replacement_of_another_uid_is_a_conflict_that_names_both(ground: Ground) {
    let mut object = ground.create("one").await;
    let uid = object["metadata"]["uid"].as_str().unwrap().to_owned();
    object["metadata"]["uid"] = json!(NOBODY);
    let message = format!(
        r#"Operation cannot be fulfilled on jwthttpapis.jwthttpapi.dev "one": StorageError: invalid object, Code: 4, Key: /registry/jwthttpapi.dev/jwthttpapis/{}/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {NOBODY}, UID in object meta: {uid}"#,
        ground.namespace
    );
    let answer = ground.put(&ground.object("one"), &object).await;
    answer.refused(409, "Conflict", &message, "one");
}

async fn a_replacement_of_another_name_is_refused(ground: Ground) {
    let mut object = ground.create("one").await;
    object["metadata"]["name"] = json!("two");
    let message = "the name of the object (two) does not match the name on the URL (one)";
    let answer = ground.put(&ground.object("one"), &object).await;
    answer.refused_with(400, "BadRequest", message, &Value::Null);
}
