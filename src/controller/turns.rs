//! How many objects are worked on at once, and whose turn is next: by urgency, and fair between namespaces.
//!
//! A pass keeps its place while it waits for AWS, so that the budget alone cannot say who goes first: after a change of leaders all
//! objects are due, and what somebody has just changed must not wait for the rest; nor must one namespace keep all places.

use super::{Guarded, key, record};
use crate::queue::{Queue, Urgency};
use jwthttpapi_core::api::JwtHttpApi;
use kube::ResourceExt;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// The places, and who waits for one.
#[derive(Debug)]
pub(super) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    free: u16,
    queue: Queue<Waiting>,
    /// Where those who wait stand in it, by object.
    standing: HashMap<String, Standing>,
}

#[derive(Debug)]
struct Waiting {
    object: String,
    grant: oneshot::Sender<Place>,
}

#[derive(Debug)]
struct Standing {
    namespace: Arc<str>,
    urgency: Urgency,
    ticket: u64,
}

/// A place; when it is dropped the next one has it.
#[derive(Debug)]
pub(super) struct Place(Option<Arc<Turns>>);

impl Turns {
    pub(super) fn new(places: u16) -> Arc<Self> {
        let state = State {
            free: places,
            queue: Queue::default(),
            standing: HashMap::new(),
        };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Waits for a place. Cancel safe: a place that nobody is there to take goes to the next one.
    pub(super) async fn enter(self: &Arc<Self>, object: &Guarded) -> Place {
        let granted = {
            let mut state = self.lock();
            // Nobody waits while a place is free.
            if state.free > 0 {
                state.free -= 1;
                return Place(Some(Arc::clone(self)));
            }
            let (grant, granted) = oneshot::channel();
            state.enter(object, grant);
            granted
        };
        // The sender is in the queue until it is used.
        granted.await.unwrap_or(Place(None))
    }

    /// Moves an object that waits to where it stands as it is now: kube holds a change of it back for as long as it waits, and it
    /// must not wait as what it was before.
    pub(super) fn hurry(&self, object: &Guarded) {
        let now = urgency_of(object);
        let mut state = self.lock();
        let State { queue, standing, .. } = &mut *state;
        let Some(standing) = standing.get_mut(&key(object)) else {
            return;
        };
        if now < standing.urgency {
            queue.hasten(&standing.namespace, standing.urgency, now, standing.ticket);
            standing.urgency = now;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, object: &Guarded, grant: oneshot::Sender<Place>) {
        let namespace: Arc<str> = object.namespace().unwrap_or_default().into();
        let (object, urgency) = (key(object), urgency_of(object));
        let waiting = Waiting {
            object: object.clone(),
            grant,
        };
        let ticket = self.queue.enter(&namespace, urgency, waiting);
        let standing = Standing {
            namespace,
            urgency,
            ticket,
        };
        self.standing.insert(object, standing);
    }

    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        let Waiting { object, grant } = self.queue.next()?;
        self.standing.remove(&object);
        Some(grant)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        let mut state = turns.lock();
        while let Some(grant) = state.next() {
            match grant.send(Self(Some(Arc::clone(&turns)))) {
                Ok(()) => return,
                // Who waited is gone.
                Err(mut place) => place.0 = None,
            }
        }
        state.free += 1;
    }
}

fn urgency_of(object: &Guarded) -> Urgency {
    object.0.as_ref().map_or(Urgency::Resync, urgency)
}

/// How urgent a pass over an object is. A generation that is not in force yet goes before a verification that was asked for, and
/// that before a resync.
pub(super) fn urgency(object: &JwtHttpApi) -> Urgency {
    if object.metadata.deletion_timestamp.is_some() {
        Urgency::Delete
    } else if !record::in_force(object) {
        Urgency::Create
    } else if record::requested(object).is_some() {
        Urgency::Drift
    } else {
        Urgency::Resync
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, future::BoxFuture};
    use kube::core::DeserializeGuard;
    use serde_json::{Value, json};

    fn object(namespace: &str, name: &str, more: &Value) -> Guarded {
        let mut object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"namespace": namespace, "name": name, "generation": 1},
            "spec": {"issuer": "https://issuer.example/", "audience": ["a"], "routes": []},
            "status": {"conditions": [{
                "type": "Programmed", "status": "True", "reason": "Programmed", "message": "",
                "observedGeneration": 1, "lastTransitionTime": "2027-01-15T08:00:00Z",
            }]},
        });
        for (part, fields) in more.as_object().unwrap() {
            let fields = fields.as_object().unwrap().clone();
            object[part].as_object_mut().unwrap().extend(fields);
        }
        DeserializeGuard(Ok(serde_json::from_value(object).unwrap()))
    }

    /// Somebody who waits, and the place once it is there.
    struct Waits(String, BoxFuture<'static, Place>);

    /// Those who wait for the one place, in the order in which they have it: each gives it back at once.
    fn order(objects: Vec<Guarded>) -> Vec<String> {
        let turns = Turns::new(1);
        let first = object("first", "first", &json!({}));
        let mut place = turns.enter(&first).now_or_never();
        let mut waiting = Vec::new();
        for object in objects {
            let turns = Arc::clone(&turns);
            let name = object.name_any();
            let mut waits = async move { turns.enter(&object).await }.boxed();
            assert!((&mut waits).now_or_never().is_none(), "{name}");
            waiting.push(Waits(name, waits));
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(place.take());
            waiting.retain_mut(|Waits(name, waits)| {
                let Some(granted) = waits.now_or_never() else {
                    return true;
                };
                assert!(place.replace(granted).is_none(), "two have the one place");
                order.push(name.clone());
                false
            });
        }
        order
    }

    #[test]
    fn what_was_changed_does_not_wait_for_what_is_only_verified() {
        let usual = |name| object("a", name, &json!({}));
        let changed = object("a", "changed", &json!({"metadata": {"generation": 2}}));
        let deleted = json!({"metadata": {"deletionTimestamp": "2027-01-15T08:00:00Z"}});
        let deleted = object("a", "deleted", &deleted);
        let asked = json!({"metadata": {"annotations": {"reconcile.jwthttpapi.dev/requestedAt": "now"}}});
        let asked = object("a", "asked", &asked);
        let all = vec![usual("one"), asked, usual("two"), changed, deleted];
        assert_eq!(order(all), ["deleted", "changed", "asked", "one", "two"]);
    }

    #[test]
    fn what_is_changed_while_it_waits_stands_as_what_it_is_now() {
        let turns = Turns::new(1);
        let usual = |name| object("a", name, &json!({}));
        let mut place = turns.enter(&usual("first")).now_or_never();
        let (one, two) = (usual("one"), usual("two"));
        let mut first = Box::pin(turns.enter(&one));
        let mut second = Box::pin(turns.enter(&two));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        turns.hurry(&object("a", "two", &json!({"metadata": {"generation": 2}})));
        // What is not there, or no more urgent, changes nothing.
        turns.hurry(&object("a", "three", &json!({"metadata": {"generation": 2}})));
        turns.hurry(&two);
        drop(place.take());
        assert!((&mut first).now_or_never().is_none());
        let place = (&mut second).now_or_never();
        assert!(place.is_some());
        drop(place);
        assert!((&mut first).now_or_never().is_some());
        assert!(turns.lock().standing.is_empty());
    }

    #[test]
    fn what_is_hurried_keeps_the_time_that_it_has_waited() {
        let turns = Turns::new(1);
        let usual = |name| object("a", name, &json!({}));
        let changed = |name| object("a", name, &json!({"metadata": {"generation": 2}}));
        let mut place = turns.enter(&usual("first")).now_or_never();
        let (old, new) = (usual("old"), changed("new"));
        let mut first = Box::pin(turns.enter(&old));
        let mut second = Box::pin(turns.enter(&new));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        turns.hurry(&changed("old"));
        drop(place.take());
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_some());
    }

    #[test]
    fn nobody_waits_behind_all_objects_of_another_namespace() {
        let changed = json!({"metadata": {"generation": 2}});
        let many = (0..30).map(|number| object("many", &format!("many {number}"), &changed));
        let all = many.chain([object("one", "one", &changed)]).collect();
        let turn = order(all).iter().position(|name| name == "one");
        assert!(turn.unwrap() < 4, "{turn:?}");
    }

    #[test]
    fn changes_without_end_do_not_stop_verifications() {
        let changed = json!({"metadata": {"generation": 2}});
        let many = (0..30).map(|number| object("a", &format!("many {number}"), &changed));
        let all = [object("a", "usual", &json!({}))]
            .into_iter()
            .chain(many)
            .collect();
        let turn = order(all).iter().position(|name| name == "usual");
        assert!(turn.unwrap() < 5, "{turn:?}");
    }

    #[test]
    fn a_place_that_nobody_takes_is_not_lost() {
        let turns = Turns::new(1);
        let usual = object("a", "usual", &json!({}));
        let place = turns.enter(&usual).now_or_never().unwrap();
        let mut gone = Box::pin(turns.enter(&usual));
        let mut late = Box::pin(turns.enter(&usual));
        let mut last = Box::pin(turns.enter(&usual));
        for waits in [&mut gone, &mut late, &mut last] {
            assert!(waits.now_or_never().is_none());
        }
        drop(gone);
        // Granted to the second, which does not come for it either.
        drop(place);
        drop(late);
        let place = (&mut last).now_or_never();
        assert!(place.is_some());
        drop(place);
        assert!(turns.enter(&usual).now_or_never().is_some());
    }
}
