//! The objects of a simulated API server: resource versions, generations, finalizers, the status subresource, and the log that
//! watches read.

use bytes::Bytes;
use futures::channel::mpsc;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Metadata that nobody can change by a write.
const KEPT: [&str; 5] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "resourceVersion",
];
/// The plural whose objects have a generation and a status subresource.
const GENERATED: &str = "jwthttpapis";

/// Which object: plural, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The plural of its kind.
    pub plural: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a request is refused: status, reason, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub &'static str, pub String);

/// Everything that is stored.
#[derive(Debug, Default)]
pub struct Store {
    items: BTreeMap<Key, Value>,
    version: u64,
    uids: u64,
    log: Vec<Event>,
    compacted: u64,
    watches: Vec<Watch>,
    /// What watches are not shown yet.
    held: Option<Vec<Event>>,
    /// How many events come twice.
    doubled: usize,
    /// Whether the next list shows the past.
    stale: bool,
    /// Every object whose status the operator wrote, as it was then, oldest first.
    pub written: Vec<Value>,
}

#[derive(Debug, Clone)]
struct Event {
    version: u64,
    plural: String,
    kind: &'static str,
    key: Key,
    object: Value,
}

#[derive(Debug)]
struct Watch {
    plural: String,
    events: mpsc::UnboundedSender<Bytes>,
}

impl Key {
    /// The object that a kind's plural, namespace and name mean.
    pub fn new(plural: &str, namespace: &str, name: &str) -> Self {
        let [plural, namespace, name] = [plural, namespace, name].map(str::to_owned);
        Self {
            plural,
            namespace,
            name,
        }
    }
}

impl Refusal {
    fn not_found(key: &Key) -> Self {
        let Key { plural, name, .. } = key;
        Self(404, "NotFound", format!("{plural} {name:?} not found"))
    }

    fn conflict(key: &Key) -> Self {
        let text = format!(
            "Operation cannot be fulfilled on {} {:?}: the object has been modified; please apply your changes to the latest version and try again",
            key.plural, key.name
        );
        Self(409, "Conflict", text)
    }
}

impl Store {
    /// An object as it is stored.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, key: &Key) -> Result<Value, Refusal> {
        self.items
            .get(key)
            .cloned()
            .ok_or_else(|| Refusal::not_found(key))
    }

    /// All objects of a plural, and the version as of which they are.
    pub fn list(&mut self, plural: &str) -> (u64, Vec<Value>) {
        if std::mem::take(&mut self.stale) {
            return self.past(plural);
        }
        let of_plural = self.items.iter().filter(|(key, _)| key.plural == plural);
        (
            self.version,
            of_plural.map(|(_, object)| object.clone()).collect(),
        )
    }

    /// What a list showed a few events ago.
    fn past(&self, plural: &str) -> (u64, Vec<Value>) {
        let version = self.version.saturating_sub(3);
        let mut items = BTreeMap::new();
        for event in self
            .log
            .iter()
            .filter(|event| event.plural == plural && event.version <= version)
        {
            if event.kind == "DELETED" {
                items.remove(&event.key);
            } else {
                items.insert(event.key.clone(), event.object.clone());
            }
        }
        (version, items.into_values().collect())
    }

    /// Stores a new object.
    ///
    /// # Errors
    /// When there is one of its name.
    pub fn create(&mut self, key: &Key, mut object: Value, now: Timestamp) -> Result<Value, Refusal> {
        if self.items.contains_key(key) {
            let text = format!("{} {:?} already exists", key.plural, key.name);
            return Err(Refusal(409, "AlreadyExists", text));
        }
        self.uids += 1;
        let meta = metadata(&mut object);
        meta.insert("name".into(), key.name.clone().into());
        meta.insert("namespace".into(), key.namespace.clone().into());
        meta.insert(
            "uid".into(),
            format!("00000000-0000-4000-8000-{:012}", self.uids).into(),
        );
        meta.insert("creationTimestamp".into(), stamp(now));
        if key.plural == GENERATED {
            meta.insert("generation".into(), 1.into());
            object["status"] = json!({"observedGeneration": -1});
        }
        Ok(self.store("ADDED", key, object))
    }

    /// Replaces an object, as PUT does.
    ///
    /// # Errors
    /// When there is none, or it is not the one that was read.
    pub fn replace(&mut self, key: &Key, mut object: Value) -> Result<Value, Refusal> {
        let old = self.get(key)?;
        let version = &object["metadata"]["resourceVersion"];
        if !version.is_null() && *version != old["metadata"]["resourceVersion"] {
            return Err(Refusal::conflict(key));
        }
        for field in KEPT {
            keep(&mut object, &old, field);
        }
        if object == old {
            return Ok(old);
        }
        Ok(self.store("MODIFIED", key, object))
    }

    /// Changes an object as its user does: the status stays.
    ///
    /// # Errors
    /// When there is none.
    pub fn edit(&mut self, key: &Key, new: Value) -> Result<Value, Refusal> {
        let old = self.get(key)?;
        Ok(self.update(key, false, &old, new))
    }

    /// Merges a patch into an object (RFC 7396), or into its status alone.
    ///
    /// # Errors
    /// When there is none, or it is not the one that the patch names.
    pub fn merge(&mut self, key: &Key, status: bool, patch: &Value) -> Result<Value, Refusal> {
        let old = self.get(key)?;
        for field in ["uid", "resourceVersion"] {
            let wanted = &patch["metadata"][field];
            if !wanted.is_null() && *wanted != old["metadata"][field] {
                return Err(Refusal::conflict(key));
            }
        }
        let mut new = old.clone();
        json_patch::merge(&mut new, patch);
        Ok(self.update(key, status, &old, new))
    }

    /// Applies a patch of operations (RFC 6902) to an object.
    ///
    /// # Errors
    /// When there is none, the patch is none, or one of its operations fails.
    pub fn patch(&mut self, key: &Key, status: bool, patch: &Value) -> Result<Value, Refusal> {
        let old = self.get(key)?;
        let invalid = |text: String| Refusal(422, "Invalid", text);
        let patch: json_patch::Patch =
            serde_json::from_value(patch.clone()).map_err(|error| invalid(error.to_string()))?;
        let mut new = old.clone();
        json_patch::patch(&mut new, &patch).map_err(|error| invalid(error.to_string()))?;
        Ok(self.update(key, status, &old, new))
    }

    fn update(&mut self, key: &Key, status: bool, old: &Value, mut new: Value) -> Value {
        if status {
            let written = new["status"].take();
            new = old.clone();
            set(&mut new, "status", &written);
        } else if key.plural == GENERATED {
            set(&mut new, "status", &old["status"]);
        }
        for field in KEPT {
            keep(&mut new, old, field);
        }
        let meta = metadata(&mut new);
        if meta
            .get("finalizers")
            .is_none_or(|list| list.as_array().is_none_or(Vec::is_empty))
        {
            meta.remove("finalizers");
        }
        // What changes nothing is no event and no new version.
        if new == *old {
            return new;
        }
        if new["spec"] != old["spec"] && key.plural == GENERATED {
            let generation = old["metadata"]["generation"].as_i64().unwrap_or_default();
            new["metadata"]["generation"] = (generation + 1).into();
        }
        let gone = !new["metadata"]["deletionTimestamp"].is_null() && new["metadata"]["finalizers"].is_null();
        if gone {
            self.items.remove(key);
            return self.emit("DELETED", key, new);
        }
        self.store("MODIFIED", key, new)
    }

    /// Deletes an object, or marks it deleted while it has finalizers.
    pub fn delete(&mut self, key: &Key, now: Timestamp) {
        let Some(object) = self.items.get(key).cloned() else {
            return;
        };
        if object["metadata"]["finalizers"].is_null() {
            self.items.remove(key);
            self.emit("DELETED", key, object);
        } else if object["metadata"]["deletionTimestamp"].is_null() {
            let mut object = object;
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = (generation + 1).into();
            object["metadata"]["deletionTimestamp"] = stamp(now);
            object["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            self.store("MODIFIED", key, object);
        }
    }

    /// Takes every finalizer off, as an impatient administrator does.
    pub fn strip_finalizers(&mut self, key: &Key) {
        let _ = self.merge(key, false, &json!({"metadata": {"finalizers": null}}));
    }

    /// Forgets the past and ends every watch: the next one from an old version is told to list again.
    pub fn compact(&mut self) {
        self.compacted = self.version;
        self.watches.clear();
    }

    /// Ends every watch.
    pub fn end_watches(&mut self) {
        self.watches.clear();
    }

    /// From now on watches are shown nothing.
    pub fn hold_events(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Watches are shown what was held back.
    pub fn release_events(&mut self) {
        for event in self.held.take().unwrap_or_default() {
            self.show(&event);
        }
    }

    /// The next events come twice.
    pub fn double_events(&mut self) {
        self.doubled = 3;
    }

    /// The next list shows the past, and every watch ends so that it is asked for.
    pub fn make_list_stale(&mut self) {
        self.stale = true;
        self.compact();
        // A watch from the past that the list shows is served.
        self.compacted = self.version.saturating_sub(3);
    }

    /// Opens a watch of a plural from a version on.
    pub fn watch(&mut self, plural: &str, from: u64) -> mpsc::UnboundedReceiver<Bytes> {
        let (events, watched) = mpsc::unbounded();
        if from < self.compacted {
            // As an event of a stream that began well; its end follows.
            let expired = json!({"type": "ERROR", "object": status(&Refusal(410, "Expired", "too old resource version".into()))});
            let _ = events.unbounded_send(line(&expired));
            return watched;
        }
        for event in self
            .log
            .iter()
            .filter(|event| event.plural == plural && event.version > from)
        {
            let _ = events.unbounded_send(event.line());
        }
        self.watches.push(Watch {
            plural: plural.to_owned(),
            events,
        });
        watched
    }

    fn store(&mut self, kind: &'static str, key: &Key, object: Value) -> Value {
        let object = self.emit(kind, key, object);
        self.items.insert(key.clone(), object.clone());
        object
    }

    fn emit(&mut self, kind: &'static str, key: &Key, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let event = Event {
            version: self.version,
            plural: key.plural.clone(),
            kind,
            key: key.clone(),
            object: object.clone(),
        };
        self.log.push(event.clone());
        match &mut self.held {
            Some(held) => held.push(event),
            None => self.show(&event),
        }
        object
    }

    fn show(&mut self, event: &Event) {
        let times = if self.doubled > 0 { 2 } else { 1 };
        self.doubled = self.doubled.saturating_sub(1);
        for _ in 0..times {
            let line = event.line();
            self.watches.retain(|watch| {
                watch.plural != event.plural || watch.events.unbounded_send(line.clone()).is_ok()
            });
        }
    }
}

impl Event {
    fn line(&self) -> Bytes {
        line(&json!({"type": self.kind, "object": self.object}))
    }
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

/// A refusal as the API server words it.
pub(crate) fn status(refusal: &Refusal) -> Value {
    let Refusal(code, reason, message) = refusal;
    json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason, "message": message})
}

fn stamp(now: Timestamp) -> Value {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"].as_object_mut().expect("just made one")
}

/// Sets a field, or takes it away.
fn set(object: &mut Value, field: &str, value: &Value) {
    if let Some(fields) = object.as_object_mut() {
        if value.is_null() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value.clone());
        }
    }
}

/// What nobody can change by a write.
fn keep(new: &mut Value, old: &Value, field: &str) {
    let meta = metadata(new);
    match old["metadata"].get(field) {
        Some(value) => meta.insert(field.into(), value.clone()),
        None => meta.remove(field),
    };
}
