//! The status and its subresource.

use crate::ground::{Ground, NOBODY, bare, version};
use serde_json::json;

on_both_grounds!(
    a_write_of_the_status_changes_nothing_else,
    a_write_of_the_object_leaves_the_status,
    a_null_takes_a_field_away,
    a_status_that_is_taken_away_is_that_of_the_definition_again,
    a_field_of_the_definitions_status_can_be_taken_away_alone,
    a_replacement_of_the_status_changes_nothing_else,
    a_write_of_the_status_does_not_look_at_the_uid,
    an_entry_of_the_status_is_not_there_twice,
);

async fn an_entry_of_the_status_is_not_there_twice(ground: Ground) {
    ground.create("one").await;
    let path = ground.status("one");
    let one = |id: &str| json!({"name": "default", "id": id});
    for (twice, said) in [
        (
            json!({"authorizers": [one("a"), one("b")]}),
            r#"status.authorizers[1]: Duplicate value: {"name":"default"}"#,
        ),
        (
            json!({"grants": ["a", "b", "a"]}),
            r#"status.grants[2]: Duplicate value: "a""#,
        ),
    ] {
        let message = format!(r#"JwtHttpApi.jwthttpapi.dev "one" is invalid: {said}"#);
        let answer = ground.merge(&path, &json!({"status": twice})).await;
        answer.refused(422, "Invalid", &message, "one");
    }
}

async fn a_write_of_the_status_changes_nothing_else(ground: Ground) {
    let mut expected = bare(ground.create("one").await);
    let patch = json!({
        "metadata": {
            "labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["example.com/one"], "generation": 7,
        },
        "spec": {"name": "other"},
        "status": {"nonce": "n"},
    });
    let after = bare(ground.merge(&ground.status("one"), &patch).await.ok());
    assert_ne!(version(&after), version(&expected));
    expected["metadata"]["resourceVersion"] = after["metadata"]["resourceVersion"].clone();
    expected["status"] = json!({"observedGeneration": -1, "nonce": "n"});
    assert_eq!(after, expected);
    let operations = json!([
        {"op": "add", "path": "/status/nonce", "value": "m"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]);
    let after = ground.operate(&ground.status("one"), &operations).await.ok();
    assert_eq!(after["status"]["nonce"], "m");
    assert!(after["metadata"]["labels"].is_null());
}

async fn a_write_of_the_object_leaves_the_status(ground: Ground) {
    ground.create("one").await;
    let written = json!({"status": {"nonce": "n"}});
    let status = ground.merge(&ground.status("one"), &written).await.ok()["status"].clone();
    let path = ground.object("one");
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "status": {"nonce": "m"}});
    let merged = ground.merge(&path, &patch).await.ok();
    assert_eq!(merged["status"], status);
    let operations = json!([{"op": "remove", "path": "/status"}]);
    assert_eq!(ground.operate(&path, &operations).await.ok()["status"], status);
    let mut next = merged;
    next["status"] = json!({"nonce": "m"});
    next["spec"]["name"] = json!("other");
    let replaced = ground.put(&path, &next).await.ok();
    assert_eq!(replaced["status"], status);
    assert_eq!(replaced["spec"]["name"], "other");
}

async fn a_null_takes_a_field_away(ground: Ground) {
    ground.create("one").await;
    let set = json!({"metadata": {"annotations": {"a": "b", "c": "d"}}, "spec": {"name": "named"}});
    ground.merge(&ground.object("one"), &set).await.ok();
    let unset = json!({"metadata": {"annotations": {"a": null}}, "spec": {"name": null}});
    let after = ground.merge(&ground.object("one"), &unset).await.ok();
    assert_eq!(after["metadata"]["annotations"], json!({"c": "d"}));
    assert!(after["spec"].get("name").is_none());

    let path = ground.status("one");
    let set = json!({"status": {"grants": ["a"], "nonce": "n"}});
    ground.merge(&path, &set).await.ok();
    let unset = json!({"status": {"grants": null, "roleArn": null}});
    let after = ground.merge(&path, &unset).await.ok();
    assert_eq!(after["status"], json!({"observedGeneration": -1, "nonce": "n"}));
}

async fn a_status_that_is_taken_away_is_that_of_the_definition_again(ground: Ground) {
    ground.create("one").await;
    let path = ground.status("one");
    let set = json!({"status": {"observedGeneration": 1, "nonce": "n"}});
    ground.merge(&path, &set).await.ok();
    let after = ground.merge(&path, &json!({"status": null})).await.ok();
    assert_eq!(after["status"], json!({"observedGeneration": -1}));
    assert_eq!(ground.get(&ground.object("one")).await.ok(), after);
}

async fn a_field_of_the_definitions_status_can_be_taken_away_alone(ground: Ground) {
    ground.create("one").await;
    let unset = json!({"status": {"observedGeneration": null}});
    let after = ground.merge(&ground.status("one"), &unset).await.ok();
    assert_eq!(after["status"], json!({}));
}

async fn a_replacement_of_the_status_changes_nothing_else(ground: Ground) {
    let mut next = ground.create("one").await;
    let spec = next["spec"].clone();
    next["status"] = json!({"nonce": "n"});
    next["spec"]["name"] = json!("other");
    next["metadata"]["labels"] = json!({"a": "b"});
    let after = ground.put(&ground.status("one"), &next).await.ok();
    assert_eq!(after["status"], json!({"nonce": "n"}));
    assert_eq!(after["spec"], spec);
    assert_eq!(after["metadata"]["generation"], 1);
    assert!(after["metadata"]["labels"].is_null());
}

async fn a_write_of_the_status_does_not_look_at_the_uid(ground: Ground) {
    let uid = ground.create("one").await["metadata"]["uid"].clone();
    let patch = json!({"metadata": {"uid": NOBODY}, "status": {"nonce": "n"}});
    let after = ground.merge(&ground.status("one"), &patch).await.ok();
    assert_eq!(after["status"]["nonce"], "n");
    assert_eq!(after["metadata"]["uid"], uid);
}
