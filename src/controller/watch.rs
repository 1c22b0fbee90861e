//! What the API server shows of the objects: all of them, or those of some namespaces.

use super::{Cache, Guarded};
use futures::{Stream, StreamExt, future, stream};
use jwthttpapi_core::api::REQUESTED_AT;
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::ObjectRef,
        utils::Backoff,
        watcher::{self, DefaultBackoff, Event, watcher},
    },
};
use std::time::Duration;

/// Watches all namespaces, or the given ones. `cache` is the one that these events fill.
pub(super) fn objects(
    client: &Client,
    namespaces: &[String],
    cache: &Cache,
) -> impl Stream<Item = watcher::Result<Event<Guarded>>> + Send + use<> {
    let watch = |api| {
        let known = cache.clone();
        watcher(api, watcher::Config::default().page_size(PAGE))
            .backoff(Lasting::default())
            .modify(shorten)
            .filter(move |event| future::ready(!is_of_a_predecessor(event, &known)))
    };
    if namespaces.is_empty() {
        return watch(Api::all(client.clone())).left_stream();
    }
    let mut joined = Joined::new(namespaces, cache.clone());
    let watches = namespaces.iter().enumerate().map(|(index, namespace)| {
        watch(Api::namespaced(client.clone(), namespace)).map(move |event| (index, event))
    });
    stream::select_all(watches.map(StreamExt::boxed))
        .flat_map(move |(index, event)| {
            let events: Vec<_> = match event {
                Ok(event) => joined.take(index, event).into_iter().map(Ok).collect(),
                Err(error) => {
                    let begun = joined.failed(index, &error);
                    [Err(error)]
                        .into_iter()
                        .chain(begun.into_iter().map(Ok))
                        .collect()
                }
            };
            stream::iter(events)
        })
        .right_stream()
}

/// Objects in one answer of a list: each may be more than a megabyte of code.
const PAGE: u32 = 20;

/// Keeps what may be long out of the cache: passes read it live. `kubectl apply` writes the whole object into an annotation.
fn shorten(object: &mut Guarded) {
    object.managed_fields_mut().clear();
    object.annotations_mut().retain(|key, _| key == REQUESTED_AT);
    if let Ok(object) = &mut object.0 {
        for function in &mut object.spec.functions {
            function.code.clear();
            function.environment.clear();
        }
    }
}

/// kube's own back-off, which ends only by itself, after two minutes without a failure. A list begins with an event, refused or
/// not: that it began resets nothing.
#[derive(Default)]
struct Lasting(DefaultBackoff);

impl Iterator for Lasting {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next()
    }
}

impl Backoff for Lasting {
    fn reset(&mut self) {}
}

/// Whether an event tells of the end of an object whose name a newer one has by now: the cache is keyed by name, and would drop the
/// newer one.
fn is_of_a_predecessor(event: &watcher::Result<Event<Guarded>>, cache: &Cache) -> bool {
    let Ok(Event::Delete(gone)) = event else {
        return false;
    };
    let known = cache.get(&ObjectRef::from_obj(gone));
    known.is_some_and(|known| known.uid() != gone.uid())
}

/// Several watches as one. The cache takes a list for everything that there is, so the first lists are one, and what a later
/// list of one namespace lacks is a deletion.
struct Joined {
    cache: Cache,
    parts: Vec<Part>,
    /// Whether the first lists went out.
    begun: bool,
}

/// What the watch of one namespace has shown and the cache not yet.
struct Part {
    namespace: String,
    listed: bool,
    /// Whether that it may not be listed is all that is known of it.
    refused: bool,
    list: Vec<Guarded>,
}

impl Joined {
    fn new(namespaces: &[String], cache: Cache) -> Self {
        let part = |namespace: &String| Part {
            namespace: namespace.clone(),
            listed: false,
            refused: false,
            list: Vec::new(),
        };
        Self {
            cache,
            parts: namespaces.iter().map(part).collect(),
            begun: false,
        }
    }

    fn take(&mut self, index: usize, event: Event<Guarded>) -> Vec<Event<Guarded>> {
        let Some(part) = self.parts.get_mut(index) else {
            return Vec::new();
        };
        match event {
            Event::Init => {
                part.listed = false;
                part.refused = false;
                part.list.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                part.list.push(object);
                Vec::new()
            }
            Event::InitDone => {
                part.listed = true;
                if self.begun {
                    part.listed_again(&self.cache)
                } else {
                    self.begin()
                }
            }
            event if self.begun => vec![event],
            Event::Apply(object) => {
                part.drop_named(&object.name_any());
                part.list.push(object);
                Vec::new()
            }
            Event::Delete(object) => {
                part.drop_named(&object.name_any());
                Vec::new()
            }
        }
    }

    /// A namespace that may not be listed, or is not there, keeps no other one from being looked after. What it shows later, if it
    /// ever does, is a list after the first one.
    fn failed(&mut self, index: usize, error: &watcher::Error) -> Vec<Event<Guarded>> {
        let refused = matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status))
            if matches!(status.code, 403 | 404));
        match self.parts.get_mut(index) {
            Some(part) if refused && !self.begun => {
                part.listed = true;
                part.refused = true;
                self.begin()
            }
            _ => Vec::new(),
        }
    }

    /// The list of everything, once each namespace has been listed that may be. Where that is none, the resource is not there or may
    /// not be read at all.
    fn begin(&mut self) -> Vec<Event<Guarded>> {
        let done = self.parts.iter().all(|part| part.listed);
        if !done || self.parts.iter().all(|part| part.refused) {
            return Vec::new();
        }
        self.begun = true;
        let objects = self.parts.iter_mut().flat_map(|part| part.list.drain(..));
        [Event::Init]
            .into_iter()
            .chain(objects.map(Event::InitApply))
            .chain([Event::InitDone])
            .collect()
    }
}

impl Part {
    fn drop_named(&mut self, name: &str) {
        self.list.retain(|object| object.name_any() != name);
    }

    /// What a list after the first one changes.
    fn listed_again(&mut self, cache: &Cache) -> Vec<Event<Guarded>> {
        let gone = cache.state().into_iter().filter(|known| {
            known.namespace().as_deref() == Some(&self.namespace)
                && !self
                    .list
                    .iter()
                    .any(|object| object.name_any() == known.name_any())
        });
        let gone: Vec<_> = gone.map(|known| Event::Delete((*known).clone())).collect();
        gone.into_iter()
            .chain(self.list.drain(..).map(Event::Apply))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{ApiServer, Trouble};
    use http::Method;
    use jwthttpapi_core::api::{JwtHttpApi, JwtHttpApiSpec};
    use kube::{Resource, core::DeserializeGuard, runtime::reflector::store::Writer};

    fn object(namespace: &str, name: &str) -> Guarded {
        let mut object = JwtHttpApi::new(name, JwtHttpApiSpec::default());
        object.metadata.namespace = Some(namespace.into());
        DeserializeGuard(Ok(object))
    }

    /// Two namespaces, and the cache that their events fill.
    struct Ground {
        joined: Joined,
        writer: Writer<Guarded>,
    }

    impl Ground {
        fn new() -> Self {
            let (cache, writer) = super::super::cache();
            let joined = Joined::new(&["a".into(), "b".into()], cache);
            Self { joined, writer }
        }

        fn take(&mut self, index: usize, event: Event<Guarded>) -> Vec<String> {
            let events = self.joined.take(index, event);
            for event in &events {
                self.writer.apply_watcher_event(event);
            }
            events.iter().map(said).collect()
        }

        fn list(&mut self, index: usize, names: &[&str]) -> Vec<String> {
            let namespace = self.joined.parts[index].namespace.clone();
            assert!(self.take(index, Event::Init).is_empty());
            for name in names {
                assert!(
                    self.take(index, Event::InitApply(object(&namespace, name)))
                        .is_empty()
                );
            }
            self.take(index, Event::InitDone)
        }

        fn known(&self) -> Vec<String> {
            let mut known: Vec<String> = self
                .joined
                .cache
                .state()
                .iter()
                .map(|o| super::super::key(&**o))
                .collect();
            known.sort_unstable();
            known
        }
    }

    fn said(event: &Event<Guarded>) -> String {
        let key = |object: &Guarded| super::super::key(object);
        match event {
            Event::Init => "init".to_owned(),
            Event::InitDone => "done".to_owned(),
            Event::InitApply(object) => format!("listed {}", key(object)),
            Event::Apply(object) => format!("applied {}", key(object)),
            Event::Delete(object) => format!("deleted {}", key(object)),
        }
    }

    #[test]
    fn the_cache_holds_no_code() {
        let function = serde_json::json!({
            "name": "hello", "runtime": "python3.14", "handler": "app.handler",
            "code": "def handler(event, context): return {}", "environment": {"KEY": "value"},
        });
        let spec = JwtHttpApiSpec {
            functions: vec![serde_json::from_value(function).unwrap()],
            ..JwtHttpApiSpec::default()
        };
        let mut object = JwtHttpApi::new("hello", spec);
        let annotations = [
            ("kubectl.kubernetes.io/last-applied-configuration", "def"),
            (REQUESTED_AT, "now"),
        ];
        let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned()));
        object.metadata.annotations = Some(annotations.into());
        let mut object = DeserializeGuard(Ok(object));
        shorten(&mut object);
        assert_eq!(object.annotations().keys().collect::<Vec<_>>(), [REQUESTED_AT]);
        let kept = &object.0.unwrap().spec.functions[0];
        assert_eq!((kept.name.as_str(), kept.code.as_str()), ("hello", ""));
        assert!(kept.environment.is_empty());
    }

    #[test]
    fn an_object_that_has_a_successor_is_not_taken_for_it() {
        let of = |uid: &str| {
            let mut object = object("a", "one");
            object.meta_mut().uid = Some(uid.to_owned());
            object
        };
        let (cache, mut writer) = super::super::cache();
        writer.apply_watcher_event(&Event::Apply(of("second")));
        let late = |uid: &str| is_of_a_predecessor(&Ok(Event::Delete(of(uid))), &cache);
        assert!(late("first"));
        assert!(!late("second"));
    }

    #[test]
    fn the_first_list_is_that_of_all_namespaces() {
        let mut ground = Ground::new();
        assert!(ground.list(0, &["one", "two"]).is_empty());
        // What happens between the lists counts.
        assert!(ground.take(0, Event::Apply(object("a", "three"))).is_empty());
        assert!(ground.take(0, Event::Apply(object("a", "one"))).is_empty());
        assert!(ground.take(0, Event::Delete(object("a", "two"))).is_empty());
        let all = ["init", "listed a/three", "listed a/one", "listed b/one", "done"];
        assert_eq!(ground.list(1, &["one"]), all);
        assert_eq!(ground.known(), ["a/one", "a/three", "b/one"]);
    }

    fn failed(code: u16) -> watcher::Error {
        let status = kube::core::Status::failure("no", "Forbidden").with_code(code);
        watcher::Error::InitialListFailed(kube::Error::Api(status.boxed()))
    }

    /// The definition may be missing: the process is not ready before it has seen it.
    #[test]
    fn where_no_namespace_may_be_listed_nothing_is_taken_for_listed() {
        let mut ground = Ground::new();
        assert!(ground.joined.failed(0, &failed(404)).is_empty());
        assert!(ground.joined.failed(1, &failed(404)).is_empty());
        assert_eq!(ground.list(1, &["one"]), ["init", "listed b/one", "done"]);
    }

    #[test]
    fn a_namespace_that_may_not_be_listed_keeps_no_other_one_waiting() {
        let mut ground = Ground::new();
        assert!(ground.list(0, &["one"]).is_empty());
        // One that does not answer may at any moment.
        assert!(ground.joined.failed(1, &failed(503)).is_empty());
        let events = ground.joined.failed(1, &failed(403));
        for event in &events {
            ground.writer.apply_watcher_event(event);
        }
        let said: Vec<String> = events.iter().map(said).collect();
        assert_eq!(said, ["init", "listed a/one", "done"]);
        assert_eq!(ground.list(1, &["two"]), ["applied b/two"]);
        assert_eq!(ground.known(), ["a/one", "b/two"]);
    }

    /// Each failure ends one try to list.
    #[tokio::test(start_paused = true)]
    async fn a_namespace_that_stays_refused_is_asked_for_ever_less_often() {
        let server = ApiServer::default();
        let refused = Trouble::Refusal(403, "Forbidden");
        server.trouble(Method::GET, "/namespaces/b/jwthttpapis", refused);
        let (cache, _writer) = super::super::cache();
        let events = objects(&server.client(), &["a".into(), "b".into()], &cache);
        let end = tokio::time::sleep(Duration::from_mins(10));
        let failures = events
            .take_until(end)
            .filter(|event| future::ready(event.is_err()));
        let failures = failures.count().await;
        // Every half a minute in the end.
        assert!((10..=35).contains(&failures), "{failures}");
    }

    #[test]
    fn a_list_that_begins_again_before_the_others_are_done_is_waited_for() {
        let mut ground = Ground::new();
        assert!(ground.list(0, &["one"]).is_empty());
        assert!(ground.take(0, Event::Init).is_empty());
        assert!(ground.list(1, &["one"]).is_empty());
        assert!(ground.take(0, Event::InitApply(object("a", "two"))).is_empty());
        let all = ["init", "listed a/two", "listed b/one", "done"];
        assert_eq!(ground.take(0, Event::InitDone), all);
    }

    #[test]
    fn what_a_later_list_lacks_is_deleted_and_other_namespaces_stay() {
        let mut ground = Ground::new();
        ground.list(0, &["one", "two"]);
        ground.list(1, &["one"]);
        assert_eq!(
            ground.take(1, Event::Apply(object("b", "two"))),
            ["applied b/two"]
        );
        let events = ground.list(0, &["two", "three"]);
        assert_eq!(events, ["deleted a/one", "applied a/two", "applied a/three"]);
        assert_eq!(ground.known(), ["a/three", "a/two", "b/one", "b/two"]);
    }
}
