//! What is published of an object.

use super::super::expected::STALE_LIST;
use super::ground::{Ground, PATH};
use serde_json::json;

/// One after the other within minutes.
#[tokio::test(start_paused = true)]
async fn of_two_events_of_one_reason_each_has_its_own_note() {
    let ground = Ground::new().await;
    for (missing, fixed) in [("b", "a"), ("c", "a")] {
        for name in [missing, fixed] {
            let route = json!({"routeKey": "GET /a", "lambda": {"name": name}});
            ground.change(json!({"routes": [route]}));
            let generation = ground.kubernetes.get(PATH).unwrap()["metadata"]["generation"].as_i64();
            ground.edit("metadata", json!({"generation": generation.unwrap() + 1}));
            tokio::time::advance(STALE_LIST).await;
            ground.reconcile().await.unwrap();
        }
    }
    let events = ground.kubernetes.within("/events/").into_iter();
    let notes: Vec<String> = events
        .filter(|event| event["reason"] == "FunctionNotFound")
        .map(|event| event["note"].as_str().unwrap().to_owned())
        .collect();
    assert!(notes.iter().any(|note| note.contains(":b")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains(":c")), "{notes:?}");
}
