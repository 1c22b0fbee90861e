//! The objects of a simulated API server: resource versions, generations, finalizers, the status subresource.

use super::{
    kind::Kind,
    lists::duplicate,
    log::{Change, Log, Scope, Watched},
    metadata::{drop_empty, forget, keep, may_become, metadata, raise_generation, stamp, text},
    refusal::Refusal,
};
use bytes::Bytes;
use json_patch::{AddOperation, Patch, PatchOperation};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The kind whose lists can be made to show the past: what the operator watches.
const WATCHED: &str = "jwthttpapis";
/// How many writes ago that past is.
const STALE: usize = 3;

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

/// Everything that is stored.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    log: Log,
    uids: u64,
    /// The version that the next list shows instead of the present.
    stale: Option<u64>,
    /// Every object whose status the operator wrote, as it was then, oldest first.
    pub written: Vec<Arc<Value>>,
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

    pub(super) fn kind(&self) -> &'static Kind {
        Kind::of(&self.plural)
    }
}

impl Store {
    /// An object as it is stored.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, key: &Key) -> Result<Arc<Value>, Refusal> {
        self.objects
            .get(key)
            .cloned()
            .ok_or_else(|| Refusal::not_found(key))
    }

    /// All objects of a scope, and the version as of which they are.
    pub(super) fn list(&mut self, scope: &Scope) -> (u64, Vec<Arc<Value>>) {
        match self.stale.take() {
            Some(version) => (version, self.log.past(scope, version)),
            None => (self.log.version(), self.present(scope)),
        }
    }

    fn present(&self, scope: &Scope) -> Vec<Arc<Value>> {
        let objects = self.objects.iter().filter(|(key, _)| scope.holds(key));
        objects.map(|(_, object)| object.clone()).collect()
    }

    /// Opens a watch of a scope: from a version on, or from 0 with what is there.
    pub(super) fn watch(&mut self, scope: Scope, from: u64) -> Watched {
        if from > 0 {
            return self.log.open(scope, from, &[]);
        }
        let first = self.present(&scope);
        self.log.open(scope, self.log.version(), &first)
    }

    /// How far a watch has come that has seen a version, when that is further.
    pub(super) fn bookmark(&self, plural: &str, seen: u64) -> Option<Bytes> {
        self.log.bookmark(plural, seen)
    }

    /// Stores a new object.
    ///
    /// # Errors
    /// When there is one of its name.
    pub fn create(&mut self, key: &Key, mut object: Value, now: Timestamp) -> Result<Arc<Value>, Refusal> {
        if self.objects.contains_key(key) {
            return Err(Refusal::already_exists(key));
        }
        self.uids += 1;
        let meta = metadata(&mut object);
        forget(meta);
        meta.insert("name".into(), key.name.clone().into());
        meta.insert("namespace".into(), key.namespace.clone().into());
        let uid = format!("00000000-0000-4000-8000-{:012}", self.uids);
        meta.insert("uid".into(), uid.into());
        meta.insert("creationTimestamp".into(), stamp(now));
        drop_empty(meta);
        if key.kind().custom {
            meta.insert("generation".into(), 1.into());
            object["status"] = default_status();
        }
        Ok(self.store(Change::Added, key, object))
    }

    /// Stores an object as it was elsewhere, its status and uid included.
    pub(crate) fn restore(&mut self, key: &Key, object: &Value) {
        self.store(Change::Added, key, object.clone());
    }

    /// Replaces an object or its status, as PUT does.
    ///
    /// # Errors
    /// When there is none, it is not the one that was read, or may not become so.
    pub fn replace(
        &mut self,
        key: &Key,
        status: bool,
        object: Value,
        now: Timestamp,
    ) -> Result<Arc<Value>, Refusal> {
        let old = self.get(key);
        let found = old.as_ref().map_or("", |old| text(old, "uid"));
        if let Some(asked) = object["metadata"]["uid"].as_str()
            && asked != found
        {
            return Err(Refusal::another(key, asked, found));
        }
        match old {
            Err(_) if key.kind().put_creates => self.create(key, object, now),
            old => self.update(key, status, &old?, object),
        }
    }

    /// Changes an object as its user does: the status stays.
    ///
    /// # Errors
    /// When there is none, or it may not become so.
    pub fn edit(&mut self, key: &Key, new: Value) -> Result<Arc<Value>, Refusal> {
        let old = self.get(key)?;
        self.update(key, false, &old, new)
    }

    /// Merges a patch into an object (RFC 7396), or into its status alone.
    ///
    /// # Errors
    /// When there is none, it is not the one that the patch names, or may not become so.
    pub fn merge(&mut self, key: &Key, status: bool, patch: &Value) -> Result<Arc<Value>, Refusal> {
        let old = self.get(key)?;
        let mut new = Value::clone(&old);
        json_patch::merge(&mut new, patch);
        self.update(key, status, &old, new)
    }

    /// Applies a patch of operations (RFC 6902) to an object, or to its status alone.
    ///
    /// # Errors
    /// When there is none, the patch is none, one of its operations fails, or the object may not become so.
    pub fn patch(&mut self, key: &Key, status: bool, patch: &Value) -> Result<Arc<Value>, Refusal> {
        let Patch(operations) = serde_json::from_value(patch.clone())
            .map_err(|error| Refusal::new(400, "BadRequest", format!("error decoding patch: {error}")))?;
        let old = self.get(key)?;
        let mut new = Value::clone(&old);
        for operation in operations {
            carry_out(&mut new, operation)?;
        }
        self.update(key, status, &old, new)
    }

    fn update(
        &mut self,
        key: &Key,
        status: bool,
        old: &Arc<Value>,
        mut new: Value,
    ) -> Result<Arc<Value>, Refusal> {
        if let Some(named) = new["metadata"]["name"].as_str()
            && named != key.name
        {
            return Err(Refusal::misnamed(key, named));
        }
        match new["metadata"]["resourceVersion"].as_str() {
            None => return Err(Refusal::no_version(key)),
            Some(version) if version != text(old, "resourceVersion") => return Err(Refusal::modified(key)),
            Some(_) => {}
        }
        if status {
            let written = new["status"].take();
            if let Some(twice) = duplicate(&written) {
                return Err(Refusal::invalid(key, &twice));
            }
            new = Value::clone(old);
            new["status"] = written;
        } else {
            may_become(key, old, &new)?;
            if key.kind().custom {
                new["status"] = old["status"].clone();
            }
        }
        if key.kind().custom && new["status"].is_null() {
            new["status"] = default_status();
        }
        let meta = metadata(&mut new);
        keep(meta, old);
        drop_empty(meta);
        // What changes nothing is no event and no new version.
        if new == **old {
            return Ok(old.clone());
        }
        if new["spec"] != old["spec"] && key.kind().custom {
            raise_generation(&mut new);
        }
        let leaves = !new["metadata"]["deletionTimestamp"].is_null();
        if leaves && new["metadata"]["finalizers"].is_null() {
            // Never stored: the last that others see of it still has the finalizer.
            self.objects.remove(key);
            self.log.append(Change::Deleted, key, Value::clone(old));
            return Ok(Arc::new(new));
        }
        Ok(self.store(Change::Modified, key, new))
    }

    /// Deletes an object, or marks it deleted while it has finalizers: what is answered, none when there is none.
    pub fn delete(&mut self, key: &Key, now: Timestamp) -> Option<Arc<Value>> {
        let object = self.objects.get(key)?.clone();
        if object["metadata"]["finalizers"].is_null() {
            self.objects.remove(key);
            self.log.append(Change::Deleted, key, Value::clone(&object));
            let details = json!({
                "name": key.name, "group": key.kind().group, "kind": key.plural, "uid": object["metadata"]["uid"],
            });
            return Some(Arc::new(json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            })));
        }
        if !object["metadata"]["deletionTimestamp"].is_null() {
            return Some(object);
        }
        let mut object = Value::clone(&object);
        if key.kind().custom {
            raise_generation(&mut object);
        }
        object["metadata"]["deletionTimestamp"] = stamp(now);
        object["metadata"]["deletionGracePeriodSeconds"] = 0.into();
        Some(self.store(Change::Modified, key, object))
    }

    /// Takes every finalizer off, as an impatient administrator does.
    pub fn strip_finalizers(&mut self, key: &Key) {
        let _ = self.merge(key, false, &json!({"metadata": {"finalizers": null}}));
    }

    /// Forgets the past and ends every watch: the next one from an old version is told to list again.
    pub fn compact(&mut self) {
        self.log.compact(self.log.version());
    }

    /// Ends every watch.
    pub fn end_watches(&mut self) {
        self.log.end_watches();
    }

    /// From now on watches are shown nothing.
    pub fn hold_events(&mut self) {
        self.log.hold();
    }

    /// Watches are shown what was held back.
    pub fn release_events(&mut self) {
        self.log.release();
    }

    /// The next events come twice.
    pub fn double_events(&mut self) {
        self.log.double();
    }

    /// The open watches are never shown the next events of the watched kind.
    pub fn lose_events(&mut self) {
        self.log.lose(WATCHED);
    }

    /// Every watch ends, and each has to list again.
    pub fn expire(&mut self) {
        self.log.expire();
    }

    /// The next two events of the watched kind come in reverse order.
    pub fn swap_events(&mut self) {
        self.log.swap(WATCHED);
    }

    /// What still waits for the event after it comes alone.
    pub fn settle_events(&mut self) {
        self.log.settle();
    }

    /// The next list shows the past, and every watch ends so that it is asked for.
    pub fn make_list_stale(&mut self) {
        let past = self.log.version_before(STALE, WATCHED);
        self.stale = Some(past);
        // A watch from the past that the list shows is served.
        self.log.compact(past);
    }

    /// The next list is one from before everything, and every watch ends so that it is asked for. None begins from there.
    pub fn make_list_ancient(&mut self) {
        self.stale = Some(1);
        self.compact();
    }

    fn store(&mut self, change: Change, key: &Key, object: Value) -> Arc<Value> {
        let object = self.log.append(change, key, object);
        self.objects.insert(key.clone(), object.clone());
        object
    }
}

/// Carries out one operation of a JSON patch, with the leniency of the library that the API server uses: a member that is
/// not there can be replaced, and is equal to null.
fn carry_out(object: &mut Value, operation: PatchOperation) -> Result<(), Refusal> {
    let missing = |path: &str| object.pointer(path).is_none();
    let operation = match operation {
        PatchOperation::Test(test) if test.value.is_null() && missing(test.path.as_str()) => return Ok(()),
        PatchOperation::Replace(replace)
            if missing(replace.path.as_str())
                && replace
                    .path
                    .parent()
                    .and_then(|parent| object.pointer(parent.as_str()))
                    .is_some_and(Value::is_object) =>
        {
            PatchOperation::Add(AddOperation {
                path: replace.path,
                value: replace.value,
            })
        }
        other => other,
    };
    json_patch::patch(object, &[operation]).map_err(|_| Refusal::unfit_patch())
}

/// What the definition of the custom resource says.
fn default_status() -> Value {
    json!({"observedGeneration": -1})
}
