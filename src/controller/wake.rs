//! What wakes the operator.

use super::{Guarded, key, record::has_finalizer};
use jwthttpapi_core::{api::REQUESTED_AT, planted};
use kube::{Resource, ResourceExt, runtime::watcher::Event};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What was last seen of each object that the watch shows. An object that a list lacked, be it an old list, is a new one when
/// it is seen again: the cache has lost it meanwhile, and with it the time at which it was due. kube's filter of predicates
/// remembers such an object and would never let it pass again.
#[derive(Debug, Default)]
pub(super) struct Known {
    seen: HashMap<String, u64>,
    /// Of the list that is coming in.
    listed: HashMap<String, u64>,
}

impl Known {
    /// The object of an event, if it wakes.
    pub(super) fn wakes(&mut self, event: Event<Guarded>) -> Option<Guarded> {
        match event {
            Event::Init => {
                self.listed.clear();
                None
            }
            Event::InitApply(object) => {
                let (key, now) = (key(&object), digest(&object));
                let before = self.seen.get(&key).copied();
                self.listed.insert(key, now);
                (before != Some(now)).then_some(object)
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                if planted!(NeverBack) {
                    self.seen.extend(listed);
                } else {
                    self.seen = listed;
                }
                None
            }
            Event::Apply(object) => {
                let now = digest(&object);
                let before = self.seen.insert(key(&object), now);
                (before != Some(now)).then_some(object)
            }
            Event::Delete(object) => {
                self.seen.remove(&key(&object));
                None
            }
        }
    }
}

/// What of an object wakes the operator: its generation, its deletion, the annotation that asks for a verification, and
/// the loss of the operator's finalizer. Status and all else do not, nor does what the operator writes itself.
fn digest(object: &Guarded) -> u64 {
    let mut hasher = DefaultHasher::new();
    let meta = object.meta();
    (&meta.uid, meta.generation, meta.deletion_timestamp.is_some()).hash(&mut hasher);
    if !planted!(DeafToAnnotations) {
        object.annotations().get(REQUESTED_AT).hash(&mut hasher);
    }
    planted!(WokenByItself => {
        object.resource_version().hash(&mut hasher);
    });
    let owns = object.0.as_ref().is_ok_and(|object| {
        object
            .status
            .as_ref()
            .is_some_and(|status| status.nonce.is_some() || status.api_id.is_some())
    });
    let stripped = owns && !has_finalizer(object);
    stripped.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwthttpapi_core::api::{JwtHttpApi, JwtHttpApiSpec};
    use kube::core::DeserializeGuard;

    fn object(generation: i64) -> Guarded {
        let mut object = JwtHttpApi::new("hello", JwtHttpApiSpec::default());
        object.metadata.generation = Some(generation);
        DeserializeGuard(Ok(object))
    }

    fn list(known: &mut Known, objects: &[Guarded]) -> usize {
        assert!(known.wakes(Event::Init).is_none());
        let listed = objects.iter().cloned();
        let woken = listed
            .filter_map(|object| known.wakes(Event::InitApply(object)))
            .count();
        assert!(known.wakes(Event::InitDone).is_none());
        woken
    }

    #[test]
    fn an_object_wakes_when_it_is_new_and_when_it_has_changed() {
        let mut known = Known::default();
        assert_eq!(list(&mut known, &[object(1)]), 1);
        assert!(known.wakes(Event::Apply(object(1))).is_none());
        assert!(known.wakes(Event::Apply(object(2))).is_some());
        assert_eq!(list(&mut known, &[object(2)]), 0);
        assert_eq!(list(&mut known, &[object(3)]), 1);
    }

    #[test]
    fn an_object_that_was_gone_wakes_when_it_is_seen_again_unchanged() {
        let mut known = Known::default();
        list(&mut known, &[object(1)]);
        assert_eq!(list(&mut known, &[]), 0);
        assert_eq!(list(&mut known, &[object(1)]), 1);
        assert!(known.wakes(Event::Delete(object(1))).is_none());
        assert!(known.wakes(Event::Apply(object(1))).is_some());
    }
}
