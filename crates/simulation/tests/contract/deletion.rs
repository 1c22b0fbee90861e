//! Finalizers and deletion.

use crate::ground::{Ground, bare, version};
use serde_json::{Value, json};

on_both_grounds!(
    an_object_without_finalizers_is_gone_at_once,
    an_object_with_a_finalizer_stays_and_is_marked,
    a_second_deletion_changes_nothing,
    an_object_goes_with_its_last_finalizer,
    an_object_stays_while_it_has_another_finalizer,
    an_object_that_is_being_deleted_takes_no_new_finalizer,
    an_object_that_is_being_deleted_can_still_be_changed,
    a_deletion_is_not_taken_back,
    a_deletion_is_not_begun_by_a_write,
);

async fn an_object_without_finalizers_is_gone_at_once(ground: Ground) {
    let object = ground.create("one").await;
    let answer = ground.delete(&ground.object("one")).await;
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {
            "name": "one", "group": "jwthttpapi.dev", "kind": "jwthttpapis", "uid": object["metadata"]["uid"],
        },
    });
    assert_eq!((answer.code, answer.body), (200, expected));
    assert_eq!(ground.get(&ground.object("one")).await.code, 404);
}

async fn an_object_with_a_finalizer_stays_and_is_marked(ground: Ground) {
    let mut marked = ground.create_leaving("one").await;
    assert_eq!(ground.get(&ground.object("one")).await.ok(), marked);
    let meta = marked["metadata"].as_object_mut().unwrap();
    assert_eq!(meta["deletionGracePeriodSeconds"], 0);
    assert_eq!(meta["finalizers"], json!(["example.com/one"]));
    let deleted = meta["deletionTimestamp"].as_str().unwrap();
    assert!(deleted.len() == 20 && deleted.ends_with('Z'), "{deleted}");
}

async fn a_second_deletion_changes_nothing(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let again = ground.delete(&ground.object("one")).await;
    assert_eq!((again.code, again.body), (200, marked));
}

async fn an_object_goes_with_its_last_finalizer(ground: Ground) {
    let path = ground.object("one");
    let merge = json!({"metadata": {"finalizers": null}});
    let empty = json!({"metadata": {"finalizers": []}});
    let operations = json!([{"op": "remove", "path": "/metadata/finalizers/0"}]);
    for way in 0..4 {
        let marked = ground.create_leaving("one").await;
        let answer = match way {
            0 => ground.merge(&path, &merge).await,
            1 => ground.merge(&path, &empty).await,
            2 => ground.operate(&path, &operations).await,
            _ => {
                let mut next = marked.clone();
                next["metadata"]["finalizers"] = json!([]);
                ground.put(&path, &next).await
            }
        };
        // What is answered is as it would have been stored, under the version that it had.
        let mut expected = bare(marked);
        expected["metadata"].as_object_mut().unwrap().remove("finalizers");
        assert_eq!(bare(answer.ok()), expected);
        assert_eq!(ground.get(&path).await.code, 404);
        assert_eq!(ground.merge(&path, &merge).await.code, 404);
    }
}

async fn an_object_stays_while_it_has_another_finalizer(ground: Ground) {
    let path = ground.object("one");
    ground.create("one").await;
    let both = json!({"metadata": {"finalizers": ["example.com/one", "example.com/two"]}});
    ground.merge(&path, &both).await.ok();
    ground.delete(&path).await.ok();
    let one = json!({"metadata": {"finalizers": ["example.com/two"]}});
    let after = ground.merge(&path, &one).await.ok();
    assert_eq!(ground.get(&path).await.ok(), after);
    assert_eq!(after["metadata"]["finalizers"], json!(["example.com/two"]));
}

async fn an_object_that_is_being_deleted_takes_no_new_finalizer(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let message = r#"JwtHttpApi.jwthttpapi.dev "one" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/two"}"#;
    for finalizers in [
        json!(["example.com/one", "example.com/two"]),
        json!(["example.com/two"]),
    ] {
        let patch = json!({"metadata": {"finalizers": finalizers}});
        let answer = ground.merge(&ground.object("one"), &patch).await;
        answer.refused(422, "Invalid", message, "one");
    }
    assert_eq!(ground.get(&ground.object("one")).await.ok(), marked);
}

async fn an_object_that_is_being_deleted_can_still_be_changed(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let spec = json!({"spec": {"name": "late"}});
    let changed = ground.merge(&ground.object("one"), &spec).await.ok();
    assert_eq!(changed["spec"]["name"], "late");
    let status = json!({"status": {"nonce": "late"}});
    let changed = ground.merge(&ground.status("one"), &status).await.ok();
    assert_eq!(changed["status"]["nonce"], "late");
    for field in ["deletionTimestamp", "finalizers"] {
        assert_eq!(changed["metadata"][field], marked["metadata"][field]);
    }
}

async fn a_deletion_is_not_taken_back(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let patch = json!({"metadata": {"deletionTimestamp": null, "deletionGracePeriodSeconds": null}});
    let after = ground.merge(&ground.object("one"), &patch).await.ok();
    assert_eq!(after, marked);
}

async fn a_deletion_is_not_begun_by_a_write(ground: Ground) {
    let before = ground.create("one").await;
    let patch = json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}});
    let message = r#"JwtHttpApi.jwthttpapi.dev "one" is invalid: metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable"#;
    let answer = ground.merge(&ground.object("one"), &patch).await;
    answer.refused(422, "Invalid", message, "one");
    let after: Value = ground.get(&ground.object("one")).await.ok();
    assert_eq!(version(&after), version(&before));
}
