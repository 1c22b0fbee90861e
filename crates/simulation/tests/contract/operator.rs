//! Every request of the operator, through the calls that it makes.

use crate::ground::{Answer, Ground, MERGE, PARTIAL, bare, version};
use futures::StreamExt;
use http::Method;
use jwthttpapi_core::api::JwtHttpApi;
use k8s_openapi::api::{
    coordination::v1::{Lease, LeaseSpec},
    core::v1::Namespace,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
    core::DeserializeGuard,
    runtime::{
        events::{Event, EventType, Recorder, Reporter},
        watcher,
    },
};
use serde_json::{Value, json};

on_both_grounds!(
    it_reads_the_cluster_by_the_uid_of_kube_system,
    it_reads_an_object_or_learns_that_there_is_none,
    it_writes_its_finalizer_and_is_answered_the_metadata,
    it_learns_of_a_conflict_from_either_write,
    it_takes_its_finalizer_off_and_learns_that_the_object_is_gone,
    it_writes_the_status_and_is_answered_the_object,
    it_is_answered_metadata_alone_when_it_asks_for_it,
    it_takes_renews_and_gives_back_its_lease,
    each_event_is_one_of_its_own,
    it_watches_from_the_first_list_to_the_last_deletion,
);

fn objects(ground: &Ground) -> Api<JwtHttpApi> {
    Api::namespaced(ground.client.clone(), &ground.namespace)
}

fn params() -> PatchParams {
    PatchParams {
        field_manager: Some("jwthttpapi".to_owned()),
        ..PatchParams::default()
    }
}

fn finalizers(version: Option<&str>, finalizers: &[&str]) -> Patch<Value> {
    Patch::Merge(json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}}))
}

fn refused(error: &kube::Error) -> (u16, &str) {
    match error {
        kube::Error::Api(status) => (status.code, &status.reason),
        other => panic!("{other}"),
    }
}

async fn it_reads_the_cluster_by_the_uid_of_kube_system(ground: Ground) {
    let namespaces: Api<Namespace> = Api::all(ground.client.clone());
    assert!(namespaces.get("kube-system").await.unwrap().uid().is_some());
}

async fn it_reads_an_object_or_learns_that_there_is_none(ground: Ground) {
    let api = objects(&ground);
    assert!(api.get_opt("one").await.unwrap().is_none());
    ground.create("one").await;
    let object = api.get_opt("one").await.unwrap().unwrap();
    assert_eq!(object.status.unwrap().observed_generation, Some(-1));
}

async fn it_writes_its_finalizer_and_is_answered_the_metadata(ground: Ground) {
    ground.create("one").await;
    let api = objects(&ground);
    let object = api.get("one").await.unwrap();
    let patch = finalizers(object.resource_version().as_deref(), &["jwthttpapi.dev/aws"]);
    let written = api.patch_metadata("one", &params(), &patch).await.unwrap();
    assert_eq!(written.finalizers(), ["jwthttpapi.dev/aws"]);
    assert_eq!(written.uid(), object.uid());
    assert_eq!(
        written.metadata.resource_version,
        api.get("one").await.unwrap().resource_version()
    );
}

async fn it_learns_of_a_conflict_from_either_write(ground: Ground) {
    let old = ground.create("one").await;
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    ground.merge(&ground.object("one"), &label).await.ok();
    let api = objects(&ground);
    let patch = finalizers(Some(&version(&old)), &["jwthttpapi.dev/aws"]);
    let error = api.patch_metadata("one", &params(), &patch).await.unwrap_err();
    assert_eq!(refused(&error), (409, "Conflict"));
    let patch = Patch::Merge(json!({"metadata": {"resourceVersion": version(&old)}, "status": {}}));
    let error = api.patch_status("one", &params(), &patch).await.unwrap_err();
    assert_eq!(refused(&error), (409, "Conflict"));
}

async fn it_takes_its_finalizer_off_and_learns_that_the_object_is_gone(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let api = objects(&ground);
    let patch = finalizers(Some(&version(&marked)), &[]);
    let written = api.patch_metadata("one", &params(), &patch).await.unwrap();
    assert!(written.finalizers().is_empty());
    assert!(written.meta().deletion_timestamp.is_some());
    let error = api.patch_metadata("one", &params(), &patch).await.unwrap_err();
    assert_eq!(refused(&error), (404, "NotFound"));
}

async fn it_writes_the_status_and_is_answered_the_object(ground: Ground) {
    ground.create("one").await;
    let api = objects(&ground);
    let object = api.get("one").await.unwrap();
    let patch = Patch::Merge(json!({
        "metadata": {"resourceVersion": object.resource_version()},
        "status": {"observedGeneration": 1, "nonce": "n", "grants": null},
    }));
    let written = api.patch_status("one", &params(), &patch).await.unwrap();
    assert_eq!(written.status.as_ref().unwrap().nonce.as_deref(), Some("n"));
    assert_eq!(written.spec, object.spec);
    assert_ne!(written.resource_version(), object.resource_version());
    let again = Patch::Merge(json!({
        "metadata": {"resourceVersion": written.resource_version()}, "status": {"nonce": null},
    }));
    let written = api.patch_status("one", &params(), &again).await.unwrap();
    assert_eq!(written.status.unwrap().nonce, None);
}

async fn it_is_answered_metadata_alone_when_it_asks_for_it(ground: Ground) {
    let mut metadata = bare(ground.create_leaving("one").await)["metadata"].clone();
    let path = ground.object("one");
    let partial = |answer: Answer| bare(answer.ok());
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let patched = partial(ground.send(Method::PATCH, &path, MERGE, PARTIAL, &label).await);
    let none = Value::Null;
    let found = partial(ground.send(Method::GET, &path, MERGE, PARTIAL, &none).await);
    let deleted = partial(ground.send(Method::DELETE, &path, MERGE, PARTIAL, &none).await);
    metadata["labels"] = json!({"a": "b"});
    metadata["resourceVersion"] = json!(version(&patched));
    let expected =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
    for object in [patched, found, deleted] {
        assert_eq!(object, expected);
    }
}

async fn it_takes_renews_and_gives_back_its_lease(ground: Ground) {
    let leases: Api<Lease> = Api::namespaced(ground.client.clone(), &ground.namespace);
    let params = PostParams {
        field_manager: Some("jwthttpapi".to_owned()),
        ..PostParams::default()
    };
    assert!(leases.get_opt("leader").await.unwrap().is_none());
    let held_by = |holder: Option<&str>| LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: Some(15),
        ..LeaseSpec::default()
    };
    let new = Lease {
        metadata: ObjectMeta {
            name: Some("leader".to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(held_by(Some("one"))),
    };
    leases.create(&params, &new).await.unwrap();
    let error = leases.create(&params, &new).await.unwrap_err();
    assert_eq!(refused(&error), (409, "AlreadyExists"));
    let found = leases.get("leader").await.unwrap();
    let given_back = Lease {
        spec: Some(held_by(None)),
        ..found.clone()
    };
    let released = leases.replace("leader", &params, &given_back).await.unwrap();
    assert_eq!(released.spec.unwrap().holder_identity, None);
    let error = leases.replace("leader", &params, &found).await.unwrap_err();
    assert_eq!(refused(&error), (409, "Conflict"));
}

async fn each_event_is_one_of_its_own(ground: Ground) {
    ground.create("one").await;
    let object = objects(&ground).get("one").await.unwrap();
    let reporter = Reporter {
        controller: "jwthttpapi.dev/operator".to_owned(),
        instance: Some("one".to_owned()),
    };
    let event = Event {
        type_: EventType::Normal,
        reason: "Programmed".to_owned(),
        note: Some("AWS is as the spec says".to_owned()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", ground.namespace);
    for count in 1..=3 {
        let recorder = Recorder::new(ground.client.clone(), reporter.clone());
        recorder.publish(&event, &object.object_ref(&())).await.unwrap();
        let list = ground.get(&path).await.ok();
        let events = list["items"].as_array().unwrap();
        assert_eq!(events.len(), count, "{list}");
        assert_eq!(events[0]["note"], "AWS is as the spec says");
        assert_eq!(events[0]["regarding"]["name"], "one");
        assert_eq!(events[0]["series"], Value::Null);
    }
}

async fn it_watches_from_the_first_list_to_the_last_deletion(ground: Ground) {
    ground.create("one").await;
    let api: Api<DeserializeGuard<JwtHttpApi>> = Api::namespaced(ground.client.clone(), &ground.namespace);
    let events = watcher(api, watcher::Config::default());
    let mut events = Box::pin(events.map(|event| match event.unwrap() {
        watcher::Event::Init => "init".to_owned(),
        watcher::Event::InitApply(object) => format!("first {}", object.name_any()),
        watcher::Event::InitDone => "done".to_owned(),
        watcher::Event::Apply(object) => format!("apply {}", object.name_any()),
        watcher::Event::Delete(object) => format!("delete {}", object.name_any()),
    }));
    for expected in ["init", "first one", "done"] {
        assert_eq!(events.next().await.unwrap(), expected);
    }
    ground.create("two").await;
    assert_eq!(events.next().await.unwrap(), "apply two");
    ground.delete(&ground.object("one")).await.ok();
    assert_eq!(events.next().await.unwrap(), "delete one");
}
