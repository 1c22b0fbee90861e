//! What wakes the operator.

use super::{Guarded, establish::tells_of_aws, key, record::has_finalizer};
use jwthttpapi_core::{api::REQUESTED_AT, planted};
use kube::{Resource, ResourceExt, runtime::watcher::Event};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What was last seen of each object that the watch shows. An object that a list lacked, be it an old list, is a new one when
/// it is seen again: the cache has lost it meanwhile, and with it the time at which it was due. kube's filter of predicates
/// remembers such an object and would never let it pass again.
///
/// What a list brings wakes when all of its pages are there: the cache shows none of it before, and kube drops what is to be
/// reconciled and is not in the cache.
#[derive(Default)]
pub(super) struct Known {
    seen: HashMap<String, u64>,
    /// Of the list that is coming in.
    listed: HashMap<String, u64>,
    /// Those of it that wake.
    waking: Vec<Guarded>,
}

impl Known {
    /// The objects that an event wakes.
    pub(super) fn wakes(&mut self, event: Event<Guarded>) -> Vec<Guarded> {
        match event {
            Event::Init => {
                self.listed.clear();
                self.waking.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                let (key, now) = (key(&object), digest(&object));
                if self.seen.get(&key) != Some(&now) {
                    self.waking.push(object);
                }
                self.listed.insert(key, now);
                Vec::new()
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                if planted!(NeverBack) {
                    self.seen.extend(listed);
                } else {
                    self.seen = listed;
                }
                std::mem::take(&mut self.waking)
            }
            Event::Apply(object) => {
                let now = digest(&object);
                let before = self.seen.insert(key(&object), now);
                let wakes = before != Some(now);
                Vec::from_iter(wakes.then_some(object))
            }
            Event::Delete(object) => {
                self.seen.remove(&key(&object));
                Vec::new()
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
    let owns = object
        .0
        .as_ref()
        .is_ok_and(|object| object.status.as_ref().is_some_and(tells_of_aws));
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
        assert!(known.wakes(Event::Init).is_empty());
        for object in objects.iter().cloned() {
            let before_the_cache_shows_it = known.wakes(Event::InitApply(object));
            assert!(before_the_cache_shows_it.is_empty());
        }
        known.wakes(Event::InitDone).len()
    }

    #[test]
    fn an_object_wakes_when_it_is_new_and_when_it_has_changed() {
        let mut known = Known::default();
        assert_eq!(list(&mut known, &[object(1)]), 1);
        assert!(known.wakes(Event::Apply(object(1))).is_empty());
        assert_eq!(known.wakes(Event::Apply(object(2))).len(), 1);
        assert_eq!(list(&mut known, &[object(2)]), 0);
        assert_eq!(list(&mut known, &[object(3)]), 1);
    }

    #[test]
    fn what_a_list_that_began_anew_had_shown_wakes_once() {
        let mut known = Known::default();
        known.wakes(Event::Init);
        known.wakes(Event::InitApply(object(1)));
        assert_eq!(list(&mut known, &[object(1)]), 1);
    }

    #[test]
    fn an_object_that_was_gone_wakes_when_it_is_seen_again_unchanged() {
        let mut known = Known::default();
        list(&mut known, &[object(1)]);
        assert_eq!(list(&mut known, &[]), 0);
        assert_eq!(list(&mut known, &[object(1)]), 1);
        assert!(known.wakes(Event::Delete(object(1))).is_empty());
        assert_eq!(known.wakes(Event::Apply(object(1))).len(), 1);
    }
}
