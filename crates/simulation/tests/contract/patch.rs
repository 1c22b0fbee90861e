//! Merge patches and JSON patches: what makes them fail.

use crate::ground::{Ground, NOBODY, version};
use serde_json::{Value, json};

on_both_grounds!(
    a_merge_that_carries_an_old_version_is_a_conflict,
    a_merge_that_carries_the_newest_version_is_taken,
    a_merge_that_takes_the_version_away_is_refused,
    a_merge_with_another_uid_is_refused,
    an_old_version_is_told_before_another_uid,
    a_merge_with_another_name_is_refused,
    a_json_patch_with_a_failing_operation_is_refused_as_a_whole,
    a_json_patch_changes_what_its_tests_allow,
    a_json_patch_replaces_a_member_that_is_missing,
    a_json_patch_finds_null_where_nothing_is,
    a_json_patch_with_an_old_version_is_a_conflict,
    a_json_patch_that_is_none_is_a_bad_request,
);

const CONFLICT: &str = r#"Operation cannot be fulfilled on jwthttpapis.jwthttpapi.dev "one": the object has been modified; please apply your changes to the latest version and try again"#;

/// A patch that carries something and changes something.
fn carrying(metadata: &Value) -> Value {
    let mut patch = json!({"metadata": metadata, "status": {"nonce": "n"}});
    patch["metadata"]["labels"] = json!({"a": "b"});
    patch
}

async fn a_merge_that_carries_an_old_version_is_a_conflict(ground: Ground) {
    let old = ground.create("one").await;
    let label = json!({"metadata": {"labels": {"a": "a"}}});
    let new = ground.merge(&ground.object("one"), &label).await.ok();
    let stale = carrying(&json!({"resourceVersion": version(&old)}));
    for path in [ground.object("one"), ground.status("one")] {
        ground
            .merge(&path, &stale)
            .await
            .refused(409, "Conflict", CONFLICT, "one");
    }
    // Even when it would change nothing.
    let idle = json!({"metadata": {"resourceVersion": version(&old)}});
    ground
        .merge(&ground.object("one"), &idle)
        .await
        .refused(409, "Conflict", CONFLICT, "one");
    assert_eq!(ground.get(&ground.object("one")).await.ok(), new);
}

async fn a_merge_that_carries_the_newest_version_is_taken(ground: Ground) {
    let mut object = ground.create("one").await;
    for path in [ground.object("one"), ground.status("one")] {
        let current = carrying(&json!({"resourceVersion": version(&object)}));
        object = ground.merge(&path, &current).await.ok();
    }
    assert_eq!(object["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(object["status"]["nonce"], "n");
}

async fn a_merge_that_takes_the_version_away_is_refused(ground: Ground) {
    ground.create("one").await;
    let message = r#"jwthttpapis.jwthttpapi.dev "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"#;
    let without = carrying(&json!({"resourceVersion": null}));
    for path in [ground.object("one"), ground.status("one")] {
        ground
            .merge(&path, &without)
            .await
            .refused(422, "Invalid", message, "one");
    }
}

async fn a_merge_with_another_uid_is_refused(ground: Ground) {
    let before = ground.create("one").await;
    let message = format!(
        r#"JwtHttpApi.jwthttpapi.dev "one" is invalid: metadata.uid: Invalid value: "{NOBODY}": field is immutable"#
    );
    let answer = ground
        .merge(&ground.object("one"), &carrying(&json!({"uid": NOBODY})))
        .await;
    answer.refused(422, "Invalid", &message, "one");
    assert_eq!(ground.get(&ground.object("one")).await.ok(), before);
}

async fn an_old_version_is_told_before_another_uid(ground: Ground) {
    ground.create("one").await;
    let patch = carrying(&json!({"uid": NOBODY, "resourceVersion": "1"}));
    let answer = ground.merge(&ground.object("one"), &patch).await;
    answer.refused(409, "Conflict", CONFLICT, "one");
}

async fn a_merge_with_another_name_is_refused(ground: Ground) {
    ground.create("one").await;
    let message = "the name of the object (two) does not match the name on the URL (one)";
    let answer = ground
        .merge(&ground.object("one"), &carrying(&json!({"name": "two"})))
        .await;
    answer.refused_with(400, "BadRequest", message, &Value::Null);
}

async fn a_json_patch_with_a_failing_operation_is_refused_as_a_whole(ground: Ground) {
    ground.create("one").await;
    let path = ground.object("one");
    let finalizer = json!({"metadata": {"finalizers": ["example.com/one"]}});
    let before = ground.merge(&path, &finalizer).await.ok();
    for failing in [
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": "1"}),
        json!({"op": "test", "path": "/metadata/finalizers", "value": []}),
        json!({"op": "test", "path": "/metadata/nothing", "value": "x"}),
        json!({"op": "test", "path": "/metadata/finalizers/3", "value": "x"}),
        json!({"op": "remove", "path": "/metadata/nothing"}),
        json!({"op": "remove", "path": "/metadata/finalizers/3"}),
        json!({"op": "add", "path": "/metadata/nothing/below", "value": "x"}),
        json!({"op": "add", "path": "/metadata/nothing/-", "value": "x"}),
        json!({"op": "add", "path": "/metadata/finalizers/3", "value": "x"}),
        json!({"op": "replace", "path": "/metadata/nothing/below", "value": "x"}),
        json!({"op": "replace", "path": "/metadata/finalizers/3", "value": "x"}),
        json!({"op": "replace", "path": "/metadata/finalizers/1", "value": "x"}),
    ] {
        let first = json!({"op": "add", "path": "/metadata/labels", "value": {"a": "b"}});
        let answer = ground.operate(&path, &json!([first, failing])).await;
        assert_eq!(answer.code, 422, "{failing}");
        let message = "the server rejected our request due to an error in our request";
        answer.refused_with(422, "Invalid", message, &json!({}));
    }
    assert_eq!(ground.get(&path).await.ok(), before);
}

async fn a_json_patch_changes_what_its_tests_allow(ground: Ground) {
    let object = ground.create("one").await;
    let path = ground.object("one");
    let add = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": version(&object)},
        {"op": "test", "path": "/metadata/uid", "value": object["metadata"]["uid"]},
        {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/one"]},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/three"},
        {"op": "add", "path": "/metadata/finalizers/1", "value": "example.com/two"},
    ]);
    let finalizers = ground.operate(&path, &add).await.ok()["metadata"]["finalizers"].clone();
    assert_eq!(
        finalizers,
        json!(["example.com/one", "example.com/two", "example.com/three"])
    );
    let remove = json!([
        {"op": "test", "path": "/metadata/finalizers/1", "value": "example.com/two"},
        {"op": "remove", "path": "/metadata/finalizers/1"},
        {"op": "replace", "path": "/metadata/finalizers/0", "value": "example.com/zero"},
    ]);
    let finalizers = ground.operate(&path, &remove).await.ok()["metadata"]["finalizers"].clone();
    assert_eq!(finalizers, json!(["example.com/zero", "example.com/three"]));
    let all = json!([{"op": "remove", "path": "/metadata/finalizers"}]);
    let object = ground.operate(&path, &all).await.ok();
    assert!(object["metadata"]["finalizers"].is_null());
}

async fn a_json_patch_replaces_a_member_that_is_missing(ground: Ground) {
    ground.create("one").await;
    let patch = json!([{"op": "replace", "path": "/metadata/finalizers", "value": ["example.com/one"]}]);
    let object = ground.operate(&ground.object("one"), &patch).await.ok();
    assert_eq!(object["metadata"]["finalizers"], json!(["example.com/one"]));
}

async fn a_json_patch_finds_null_where_nothing_is(ground: Ground) {
    ground.create("one").await;
    let patch = json!([
        {"op": "test", "path": "/metadata/labels", "value": null},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]);
    let object = ground.operate(&ground.object("one"), &patch).await.ok();
    assert_eq!(object["metadata"]["labels"], json!({"a": "b"}));
}

async fn a_json_patch_with_an_old_version_is_a_conflict(ground: Ground) {
    ground.create("one").await;
    let patch = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]);
    let answer = ground.operate(&ground.object("one"), &patch).await;
    answer.refused(409, "Conflict", CONFLICT, "one");
}

async fn a_json_patch_that_is_none_is_a_bad_request(ground: Ground) {
    ground.create("one").await;
    let answer = ground
        .operate(&ground.object("one"), &json!({"op": "remove"}))
        .await;
    assert_eq!(
        (answer.code, &answer.body["reason"]),
        (400, &json!("BadRequest")),
        "{answer:?}"
    );
}
