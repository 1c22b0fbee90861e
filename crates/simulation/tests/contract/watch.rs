//! Lists and watches.

use crate::ground::{Ground, bare, version};
use serde_json::{Value, json};

on_both_grounds!(
    a_list_names_the_version_that_a_watch_goes_on_from,
    a_watch_tells_what_came_after_its_version_in_order,
    a_watch_tells_what_comes_while_it_is_open,
    the_last_event_of_an_object_shows_it_as_it_was_last_stored,
    a_watch_from_no_version_begins_with_what_is_there,
    a_watch_ends_when_its_time_is_over,
    a_bookmark_comes_before_the_end_and_names_a_version_that_a_watch_goes_on_from,
    no_bookmark_comes_unasked,
    a_watch_that_has_nothing_new_to_tell_has_no_bookmark,
    a_watch_from_a_forgotten_version_is_told_so_by_an_event_and_ends,
);

fn number(object: &Value) -> u64 {
    version(object).parse().unwrap()
}

fn label(value: &str) -> Value {
    json!({"metadata": {"labels": {"a": value}}})
}

async fn a_list_names_the_version_that_a_watch_goes_on_from(ground: Ground) {
    let empty = ground.get(&ground.objects()).await.ok();
    assert_eq!(empty["items"], json!([]));
    let one = ground.create("one").await;
    let two = ground.create("two").await;
    let list = ground.get(&format!("{}?limit=500", ground.objects())).await.ok();
    assert_eq!(list["apiVersion"], "jwthttpapi.dev/v1alpha1");
    assert_eq!(list["kind"], "JwtHttpApiList");
    assert_eq!(list["items"], json!([one, two]));
    assert!(number(&list) >= number(&two));
    let mut from_empty = ground.watch_after(&empty).await;
    assert_eq!(from_empty.step().await, ("ADDED".to_owned(), version(&one)));
    let mut from_full = ground.watch_after(&list).await;
    let three = ground.create("three").await;
    assert_eq!(from_full.step().await, ("ADDED".to_owned(), version(&three)));
}

async fn a_watch_tells_what_came_after_its_version_in_order(ground: Ground) {
    let before = ground.create("before").await;
    let added = ground.create("one").await;
    let path = ground.object("one");
    let modified = ground.merge(&path, &label("b")).await.ok();
    let status = json!({"status": {"nonce": "n"}});
    let reported = ground.merge(&ground.status("one"), &status).await.ok();
    ground.delete(&path).await.ok();
    let again = ground.create("one").await;
    let mut watch = ground.watch_after(&before).await;
    for (word, expected) in [
        ("ADDED", &added),
        ("MODIFIED", &modified),
        ("MODIFIED", &reported),
    ] {
        let (found, object) = watch.next().await.unwrap();
        assert_eq!((found.as_str(), &object), (word, expected));
    }
    // With a version of its own.
    let (word, mut gone) = watch.next().await.unwrap();
    assert_eq!(word, "DELETED");
    assert!(number(&gone) > number(&reported) && number(&gone) < number(&again));
    gone["metadata"]["resourceVersion"] = reported["metadata"]["resourceVersion"].clone();
    assert_eq!(gone, reported);
    assert_eq!(watch.next().await.unwrap(), ("ADDED".to_owned(), again));
}

async fn a_watch_tells_what_comes_while_it_is_open(ground: Ground) {
    let one = ground.create("one").await;
    let mut watch = ground.watch_after(&one).await;
    let modified = ground.merge(&ground.object("one"), &label("b")).await.ok();
    assert_eq!(watch.next().await.unwrap(), ("MODIFIED".to_owned(), modified));
    let two = ground.create("two").await;
    assert_eq!(watch.next().await.unwrap(), ("ADDED".to_owned(), two));
}

async fn the_last_event_of_an_object_shows_it_as_it_was_last_stored(ground: Ground) {
    let marked = ground.create_leaving("one").await;
    let mut watch = ground.watch_after(&marked).await;
    let patch = json!({"metadata": {"finalizers": null}, "spec": {"name": "never stored"}});
    ground.merge(&ground.object("one"), &patch).await.ok();
    let (word, mut gone) = watch.next().await.unwrap();
    assert_eq!(word, "DELETED");
    assert!(number(&gone) > number(&marked));
    gone["metadata"]["resourceVersion"] = marked["metadata"]["resourceVersion"].clone();
    assert_eq!(bare(gone), bare(marked));
}

async fn a_watch_from_no_version_begins_with_what_is_there(ground: Ground) {
    ground.create("gone").await;
    ground.delete(&ground.object("gone")).await.ok();
    ground.create("one").await;
    let one = ground.merge(&ground.object("one"), &label("b")).await.ok();
    // The real one may show version 0 a little late; never later than what it has listed.
    ground.get(&ground.objects()).await.ok();
    for query in ["timeoutSeconds=30", "timeoutSeconds=30&resourceVersion=0"] {
        let mut watch = ground.watch(query).await;
        assert_eq!(watch.next().await.unwrap(), ("ADDED".to_owned(), one.clone()));
    }
    let mut watch = ground.watch("timeoutSeconds=30").await;
    watch.next().await.unwrap();
    let two = ground.create("two").await;
    assert_eq!(watch.next().await.unwrap(), ("ADDED".to_owned(), two));
}

async fn a_watch_ends_when_its_time_is_over(ground: Ground) {
    let one = ground.create("one").await;
    let began = tokio::time::Instant::now();
    let query = format!("timeoutSeconds=1&resourceVersion={}", version(&one));
    assert_eq!(ground.watch(&query).await.next().await, None);
    assert!(began.elapsed().as_secs() >= 1);
}

async fn a_bookmark_comes_before_the_end_and_names_a_version_that_a_watch_goes_on_from(ground: Ground) {
    let one = ground.create("one").await;
    let query = "timeoutSeconds=6&allowWatchBookmarks=true&resourceVersion=";
    let mut watch = ground.watch(&format!("{query}{}", version(&one))).await;
    let modified = ground.merge(&ground.object("one"), &label("b")).await.ok();
    assert_eq!(watch.step().await, ("MODIFIED".to_owned(), version(&modified)));
    let (word, bookmark) = watch.next().await.unwrap();
    assert_eq!(word, "BOOKMARK");
    let expected = json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
        "metadata": {"resourceVersion": version(&bookmark)},
    });
    assert_eq!(bookmark, expected);
    assert!(number(&bookmark) >= number(&modified));
    let next = ground.merge(&ground.object("one"), &label("c")).await.ok();
    let mut onward = ground.watch_after(&bookmark).await;
    assert_eq!(onward.step().await, ("MODIFIED".to_owned(), version(&next)));
}

async fn no_bookmark_comes_unasked(ground: Ground) {
    let one = ground.create("one").await;
    let query = format!("timeoutSeconds=4&resourceVersion={}", version(&one));
    let mut watch = ground.watch(&query).await;
    let modified = ground.merge(&ground.object("one"), &label("b")).await.ok();
    assert_eq!(watch.step().await, ("MODIFIED".to_owned(), version(&modified)));
    assert_eq!(watch.next().await, None);
}

/// The version lies far ahead, since the real one serves other namespaces at the same time.
async fn a_watch_that_has_nothing_new_to_tell_has_no_bookmark(ground: Ground) {
    ground.create("one").await;
    let query = "timeoutSeconds=4&allowWatchBookmarks=true&resourceVersion=1000000000";
    assert_eq!(ground.watch(query).await.next().await, None);
}

async fn a_watch_from_a_forgotten_version_is_told_so_by_an_event_and_ends(ground: Ground) {
    ground.create("one").await;
    ground.compact();
    let mut watch = ground.watch("timeoutSeconds=30&resourceVersion=1").await;
    let (word, mut status) = watch.next().await.unwrap();
    assert_eq!(word, "ERROR");
    let message = status["message"].take();
    assert!(
        message
            .as_str()
            .unwrap()
            .starts_with("too old resource version: 1 ("),
        "{message}"
    );
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": null, "reason": "Expired", "code": 410,
    });
    assert_eq!(status, expected);
    assert_eq!(watch.next().await, None);
}
