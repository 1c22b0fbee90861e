//! Creating, and finding what was created.

use crate::ground::{Ground, NOBODY, bare, valid, version};
use serde_json::json;

on_both_grounds!(
    a_new_object_has_an_identity_a_first_generation_and_the_status_of_its_definition,
    what_the_server_decides_is_not_taken_from_a_new_object,
    what_is_created_is_what_is_found,
    a_second_object_of_a_name_is_refused,
    a_name_that_was_never_given_is_not_found,
    a_name_that_is_given_again_has_another_uid,
    an_empty_collection_in_metadata_is_none,
    the_namespace_kube_system_has_a_uid,
    a_namespace_that_is_not_there_is_not_found,
);

async fn a_new_object_has_an_identity_a_first_generation_and_the_status_of_its_definition(ground: Ground) {
    let answer = ground.post(&ground.objects(), &valid("new")).await;
    assert_eq!(answer.code, 201);
    let object = bare(answer.body);
    let meta = &object["metadata"];
    assert!(version(&object).parse::<u64>().unwrap() > 0);
    assert_eq!(meta["uid"].as_str().unwrap().len(), 36);
    let created = meta["creationTimestamp"].as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    let expected = json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1",
        "kind": "JwtHttpApi",
        "metadata": {
            "name": "new", "namespace": ground.namespace, "generation": 1,
            "uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "creationTimestamp": created,
        },
        "spec": valid("new")["spec"],
        "status": {"observedGeneration": -1},
    });
    assert_eq!(object, expected);
}

async fn what_the_server_decides_is_not_taken_from_a_new_object(ground: Ground) {
    let mut given = valid("new");
    given["status"] = json!({"apiId": "mine", "observedGeneration": 7});
    given["metadata"] = json!({
        "name": "new", "uid": NOBODY, "generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z",
        "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7,
    });
    let object = ground.post(&ground.objects(), &given).await.ok();
    let meta = &object["metadata"];
    assert_eq!(object["status"], json!({"observedGeneration": -1}));
    assert_eq!(meta["generation"], 1);
    assert_ne!(meta["uid"], NOBODY);
    assert_ne!(meta["creationTimestamp"], "2020-01-01T00:00:00Z");
    assert!(meta["deletionTimestamp"].is_null(), "{meta}");
    assert!(meta["deletionGracePeriodSeconds"].is_null(), "{meta}");
}

async fn what_is_created_is_what_is_found(ground: Ground) {
    let created = ground.create("new").await;
    let found = ground.get(&ground.object("new")).await;
    assert_eq!((found.code, found.body), (200, created));
}

async fn a_second_object_of_a_name_is_refused(ground: Ground) {
    let first = ground.create("twice").await;
    let second = ground.post(&ground.objects(), &valid("twice")).await;
    let message = r#"jwthttpapis.jwthttpapi.dev "twice" already exists"#;
    second.refused(409, "AlreadyExists", message, "twice");
    assert_eq!(ground.get(&ground.object("twice")).await.ok(), first);
}

async fn a_name_that_was_never_given_is_not_found(ground: Ground) {
    let path = ground.object("nothing");
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let operation = json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]);
    let answers = [
        ground.get(&path).await,
        ground.merge(&path, &label).await,
        ground
            .merge(&ground.status("nothing"), &json!({"status": {"nonce": "n"}}))
            .await,
        ground.operate(&path, &operation).await,
        ground.put(&path, &valid("nothing")).await,
        ground.delete(&path).await,
    ];
    for answer in answers {
        let message = r#"jwthttpapis.jwthttpapi.dev "nothing" not found"#;
        answer.refused(404, "NotFound", message, "nothing");
    }
}

async fn a_name_that_is_given_again_has_another_uid(ground: Ground) {
    let first = ground.create("again").await;
    ground.delete(&ground.object("again")).await.ok();
    let second = ground.create("again").await;
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    assert_eq!(second["metadata"]["generation"], 1);
}

async fn an_empty_collection_in_metadata_is_none(ground: Ground) {
    let mut given = valid("empty");
    given["metadata"]["finalizers"] = json!([]);
    given["metadata"]["labels"] = json!({});
    let created = ground.post(&ground.objects(), &given).await.ok();
    let empty = json!({"metadata": {"finalizers": [], "annotations": {}}});
    let patched = ground.merge(&ground.object("empty"), &empty).await.ok();
    for object in [created, patched] {
        for field in ["finalizers", "labels", "annotations"] {
            assert!(object["metadata"].get(field).is_none(), "{object}");
        }
    }
}

async fn the_namespace_kube_system_has_a_uid(ground: Ground) {
    let found = ground.get("/api/v1/namespaces/kube-system").await.ok();
    assert_eq!(found["kind"], "Namespace");
    assert_eq!(found["metadata"]["name"], "kube-system");
    assert_eq!(found["metadata"]["uid"].as_str().unwrap().len(), 36);
}

async fn a_namespace_that_is_not_there_is_not_found(ground: Ground) {
    let found = ground.get("/api/v1/namespaces/nowhere").await;
    let details = json!({"name": "nowhere", "kind": "namespaces"});
    found.refused_with(404, "NotFound", r#"namespaces "nowhere" not found"#, &details);
}
