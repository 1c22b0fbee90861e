//! When an object has another generation, and when it has another version.

use crate::ground::{Ground, version};
use serde_json::{Value, json};

on_both_grounds!(
    a_change_of_the_spec_is_a_new_generation,
    a_change_of_metadata_is_a_new_version_of_the_same_generation,
    a_change_of_the_status_is_a_new_version_of_the_same_generation,
    a_deletion_that_waits_is_a_new_generation,
    metadata_that_the_server_decides_is_not_taken_from_a_write,
    what_changes_nothing_is_no_new_version_and_no_event,
);

fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

async fn a_change_of_the_spec_is_a_new_generation(ground: Ground) {
    ground.create("one").await;
    let path = ground.object("one");
    let merged = ground
        .merge(&path, &json!({"spec": {"name": "second"}}))
        .await
        .ok();
    assert_eq!(generation(&merged), 2);
    let operation = json!([{"op": "replace", "path": "/spec/name", "value": "third"}]);
    let operated = ground.operate(&path, &operation).await.ok();
    assert_eq!(generation(&operated), 3);
    let mut next = operated;
    next["spec"]["name"] = json!("fourth");
    assert_eq!(generation(&ground.put(&path, &next).await.ok()), 4);
}

async fn a_change_of_metadata_is_a_new_version_of_the_same_generation(ground: Ground) {
    let mut before = ground.create("one").await;
    for patch in [
        json!({"labels": {"a": "b"}}),
        json!({"annotations": {"a": "b"}}),
        json!({"finalizers": ["example.com/one"]}),
        json!({"finalizers": null}),
    ] {
        let after = ground
            .merge(&ground.object("one"), &json!({"metadata": patch}))
            .await
            .ok();
        assert_eq!(generation(&after), 1);
        assert_ne!(version(&after), version(&before));
        before = after;
    }
}

async fn a_change_of_the_status_is_a_new_version_of_the_same_generation(ground: Ground) {
    let before = ground.create("one").await;
    let status = json!({"status": {"observedGeneration": 1}});
    let after = ground.merge(&ground.status("one"), &status).await.ok();
    assert_eq!(generation(&after), 1);
    assert_ne!(version(&after), version(&before));
}

async fn a_deletion_that_waits_is_a_new_generation(ground: Ground) {
    assert_eq!(generation(&ground.create_leaving("one").await), 2);
    let patch = json!({"spec": {"name": "late"}});
    let late = ground.merge(&ground.object("one"), &patch).await.ok();
    assert_eq!(generation(&late), 3);
}

async fn metadata_that_the_server_decides_is_not_taken_from_a_write(ground: Ground) {
    ground.create("one").await;
    // The first write after a creation also settles who manages which field: a change that only the real one knows.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let before = ground.merge(&ground.object("one"), &label).await.ok();
    for written in [
        json!({"generation": 77}),
        json!({"generation": null}),
        json!({"uid": null}),
        json!({"creationTimestamp": null}),
        json!({"creationTimestamp": "2020-01-01T00:00:00Z"}),
    ] {
        let patch = json!({"metadata": written});
        let after = ground.merge(&ground.object("one"), &patch).await.ok();
        assert_eq!(after, before, "{patch}");
    }
}

async fn what_changes_nothing_is_no_new_version_and_no_event(ground: Ground) {
    ground.create("one").await;
    let path = ground.object("one");
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"name": "named"}});
    let first = ground.merge(&path, &patch).await.ok();
    let status = json!({"status": {"nonce": "n"}});
    let before = ground.merge(&ground.status("one"), &status).await.ok();
    let mut watch = ground.watch_after(&first).await;
    let operation = json!([{"op": "add", "path": "/metadata/labels/a", "value": "b"}]);
    for answer in [
        ground.merge(&path, &patch).await,
        ground.merge(&path, &json!({"spec": {"description": null}})).await,
        ground.merge(&ground.status("one"), &status).await,
        ground.operate(&path, &operation).await,
        ground.put(&path, &before).await,
    ] {
        assert_eq!(answer.ok(), before);
    }
    let label = json!({"metadata": {"labels": {"a": "c"}}});
    let last = ground.merge(&path, &label).await.ok();
    let modified = |object| ("MODIFIED".to_owned(), version(object));
    assert_eq!(watch.step().await, modified(&before));
    assert_eq!(watch.step().await, modified(&last));
}
