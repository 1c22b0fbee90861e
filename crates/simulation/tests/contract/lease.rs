//! Leases, on which leadership stands.

use crate::ground::{Answer, Ground, NOBODY, version};
use serde_json::{Value, json};

on_both_grounds!(
    a_lease_is_created_once,
    of_two_who_create_a_lease_at_once_one_has_it,
    of_two_who_replace_a_lease_at_once_one_has_it,
    a_lease_is_replaced_by_whoever_read_it_last,
    a_lease_is_not_replaced_unread,
    a_lease_that_is_replaced_by_its_like_has_no_new_version,
    a_lease_that_is_gone_is_created_by_a_replacement_without_a_uid,
    a_lease_that_is_gone_is_not_replaced_by_its_uid,
    a_lease_has_neither_generation_nor_status,
);

fn lease(holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader"},
        "spec": {
            "holderIdentity": holder, "leaseDurationSeconds": 15,
            "acquireTime": "2027-01-15T08:00:00.000000Z", "renewTime": "2027-01-15T08:00:00.000000Z",
        },
    })
}

fn path(ground: &Ground) -> String {
    format!("{}/leader", ground.leases())
}

fn refused(answer: Answer, code: u16, reason: &str, message: &str) {
    let details = json!({"name": "leader", "group": "coordination.k8s.io", "kind": "leases"});
    answer.refused_with(code, reason, message, &details);
}

const CONFLICT: &str = r#"Operation cannot be fulfilled on leases.coordination.k8s.io "leader": the object has been modified; please apply your changes to the latest version and try again"#;
const EXISTS: &str = r#"leases.coordination.k8s.io "leader" already exists"#;

async fn a_lease_is_created_once(ground: Ground) {
    let absent = ground.get(&path(&ground)).await;
    let message = r#"leases.coordination.k8s.io "leader" not found"#;
    refused(absent, 404, "NotFound", message);
    let first = ground.post(&ground.leases(), &lease("one")).await;
    assert_eq!(first.code, 201);
    let second = ground.post(&ground.leases(), &lease("two")).await;
    refused(second, 409, "AlreadyExists", EXISTS);
    assert_eq!(ground.get(&path(&ground)).await.ok(), first.body);
    assert_eq!(first.body["spec"], lease("one")["spec"]);
}

async fn of_two_who_create_a_lease_at_once_one_has_it(ground: Ground) {
    let (leases, one, two) = (ground.leases(), lease("one"), lease("two"));
    let (one, two) = tokio::join!(ground.post(&leases, &one), ground.post(&leases, &two));
    let (first, second) = if one.code == 201 { (one, two) } else { (two, one) };
    refused(second, 409, "AlreadyExists", EXISTS);
    assert_eq!(ground.get(&path(&ground)).await.ok(), first.ok());
}

async fn of_two_who_replace_a_lease_at_once_one_has_it(ground: Ground) {
    let found = ground.post(&ground.leases(), &lease("nobody")).await.ok();
    let claim = |holder| {
        let mut next = found.clone();
        next["spec"]["holderIdentity"] = json!(holder);
        next
    };
    let (path, one, two) = (path(&ground), claim("one"), claim("two"));
    let (one, two) = tokio::join!(ground.put(&path, &one), ground.put(&path, &two));
    let (first, second) = if one.code == 200 { (one, two) } else { (two, one) };
    refused(second, 409, "Conflict", CONFLICT);
    assert_eq!(ground.get(&path).await.ok(), first.ok());
}

async fn a_lease_is_replaced_by_whoever_read_it_last(ground: Ground) {
    let first = ground.post(&ground.leases(), &lease("one")).await.ok();
    let mut next = first.clone();
    next["spec"]["holderIdentity"] = json!("two");
    let second = ground.put(&path(&ground), &next).await;
    assert_eq!(second.code, 200);
    assert_eq!(second.body["spec"]["holderIdentity"], "two");
    assert_eq!(second.body["metadata"]["uid"], first["metadata"]["uid"]);
    assert_ne!(version(&second.body), version(&first));
    next["spec"]["holderIdentity"] = json!("three");
    let third = ground.put(&path(&ground), &next).await;
    refused(third, 409, "Conflict", CONFLICT);
}

async fn a_lease_is_not_replaced_unread(ground: Ground) {
    ground.post(&ground.leases(), &lease("one")).await.ok();
    let message = r#"leases.coordination.k8s.io "leader" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"#;
    let answer = ground.put(&path(&ground), &lease("two")).await;
    refused(answer, 422, "Invalid", message);
}

async fn a_lease_that_is_replaced_by_its_like_has_no_new_version(ground: Ground) {
    let first = ground.post(&ground.leases(), &lease("one")).await.ok();
    assert_eq!(ground.put(&path(&ground), &first).await.ok(), first);
}

async fn a_lease_that_is_gone_is_created_by_a_replacement_without_a_uid(ground: Ground) {
    let answer = ground.put(&path(&ground), &lease("one")).await;
    assert_eq!(answer.code, 201);
    assert_eq!(ground.get(&path(&ground)).await.ok(), answer.body);
}

async fn a_lease_that_is_gone_is_not_replaced_by_its_uid(ground: Ground) {
    let mut lease = lease("one");
    lease["metadata"]["uid"] = json!(NOBODY);
    let message = format!(
        r#"Operation cannot be fulfilled on leases.coordination.k8s.io "leader": StorageError: invalid object, Code: 4, Key: /registry/leases/{}/leader, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {NOBODY}, UID in object meta: "#,
        ground.namespace
    );
    let answer = ground.put(&path(&ground), &lease).await;
    refused(answer, 409, "Conflict", &message);
}

async fn a_lease_has_neither_generation_nor_status(ground: Ground) {
    let lease = ground.post(&ground.leases(), &lease("one")).await.ok();
    assert!(lease["metadata"].get("generation").is_none());
    assert!(lease.get("status").is_none());
}
