//! What a process knows of an object beside its passes: what the watch shows of it, and what is remembered.

use super::super::{context::Memory, take_stock};
use super::ground::{Ground, PATH, merge};
use jwthttpapi_core::api::{FINALIZER, JwtHttpApi};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const NOW: &str = "2027-01-15T08:00:00Z";
const LATER: &str = "2027-01-15T09:00:00Z";

/// The object with this in its metadata, as it is written then.
fn written(ground: &Ground, more: Value) -> JwtHttpApi {
    let mut metadata =
        json!({"uid": "u1", "generation": 2, "creationTimestamp": NOW, "finalizers": [FINALIZER]});
    merge(&mut metadata, more);
    ground.edit("metadata", metadata);
    serde_json::from_value(ground.kubernetes.get(PATH).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_cut_when_the_watch_shows_another_object_or_none() {
    let ground = Ground::new().await;
    let object = |more: Value| written(&ground, more);
    let predecessor = |more: Value| {
        let mut before = json!({"uid": "u0", "creationTimestamp": "2027-01-15T07:00:00Z"});
        merge(&mut before, more);
        before
    };
    let worked_on = object(json!({}));
    for (shown, cut) in [
        (json!({}), false),
        (json!({"labels": {"team": "shop"}}), false),
        // A watch that is behind our own read.
        (json!({"generation": 1}), false),
        (json!({"generation": 3}), true),
        (json!({"deletionTimestamp": LATER}), true),
        (json!({"finalizers": []}), true),
        (json!({"uid": "u2", "creationTimestamp": LATER}), true),
        // A predecessor, whatever was done to it.
        (predecessor(json!({})), false),
        (predecessor(json!({"generation": 3})), false),
        (predecessor(json!({"deletionTimestamp": NOW})), false),
        (predecessor(json!({"finalizers": []})), false),
    ] {
        object(json!({"labels": null, "deletionTimestamp": null}));
        object(shown.clone());
        ground.show();
        assert_eq!(ground.ctx.outdated(&worked_on), cut, "{shown}");
    }
    // A watch that does not show yet what has just been put on.
    object(json!({"labels": null, "deletionTimestamp": null, "finalizers": []}));
    ground.show();
    assert!(!ground.ctx.outdated(&object(json!({}))));
    ground.vanish();
    ground.show();
    assert!(ground.ctx.outdated(&worked_on));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_cut_when_its_user_wants_something_else_of_it_and_by_nothing_else() {
    let ground = Ground::new().await;
    let object = |more: Value| {
        let mut going = json!({"deletionTimestamp": LATER});
        merge(&mut going, more);
        written(&ground, going)
    };
    let going = object(json!({}));
    for (shown, cut) in [
        (json!({}), false),
        (json!({"generation": 1}), false),
        (json!({"generation": 3}), true),
        (json!({"finalizers": []}), false),
        // A namesake that somebody made when this one had gone.
        (
            json!({"uid": "u2", "generation": 3, "deletionTimestamp": null}),
            false,
        ),
    ] {
        object(shown.clone());
        ground.show();
        assert_eq!(ground.ctx.reconsidered(&going), cut, "{shown}");
    }
    ground.vanish();
    ground.show();
    assert!(!ground.ctx.reconsidered(&going));
    ground.ctx.leading.store(false, Ordering::Relaxed);
    assert!(ground.ctx.reconsidered(&going));
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_of_an_object_goes_when_the_watch_lacks_it() {
    let ground = Ground::new().await;
    let memory = || Memory {
        unheld: 1,
        ..Memory::default()
    };
    ground.ctx.remember("u1", memory());
    ground.ctx.remember("u0", memory());
    ground.show();
    take_stock(&ground.ctx);
    assert_eq!(
        (ground.ctx.recall("u1").unheld, ground.ctx.recall("u0").unheld),
        (1, 0)
    );
}
