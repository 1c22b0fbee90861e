//! What was written, in order, and the watches that read it.

use super::{Key, kind::Kind, refusal::Refusal};
use bytes::Bytes;
use futures::channel::mpsc;
use serde_json::{Value, json};
use std::{cell::OnceCell, collections::BTreeMap, sync::Arc};

/// What has become of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Modified,
    Deleted,
}

/// The objects of a kind, in one namespace or, with an empty one, in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) plural: String,
    pub(super) namespace: String,
}

/// Every write so far.
#[derive(Debug)]
pub(super) struct Log {
    events: Vec<Event>,
    version: u64,
    /// No watch begins before this version.
    compacted: u64,
    watches: Vec<Watch>,
    /// How many events watches are shown; all, unless some are held back.
    shown: Option<usize>,
    /// How many events come twice.
    doubled: usize,
}

#[derive(Debug)]
struct Event {
    version: u64,
    change: Change,
    key: Key,
    object: Arc<Value>,
    /// As watches are sent it; most events are seen by none.
    line: OnceCell<Bytes>,
}

#[derive(Debug)]
struct Watch {
    scope: Scope,
    /// It is shown what came after this version.
    after: u64,
    lines: mpsc::UnboundedSender<Bytes>,
}

/// An open watch.
pub(super) struct Watched {
    /// One line an event; ends when the watch does.
    pub(super) lines: mpsc::UnboundedReceiver<Bytes>,
    /// The version that it has seen when it opens.
    pub(super) seen: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            // Zero is no version: whoever asks from there asks for what is, and not for what was.
            version: 1,
            compacted: 0,
            watches: Vec::new(),
            shown: None,
            doubled: 0,
        }
    }
}

impl Scope {
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.plural == key.plural && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}

impl Log {
    /// The version of the last write.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The version before the last few writes of a kind.
    pub(super) fn version_before(&self, writes: usize, plural: &str) -> u64 {
        let mut of_kind = self
            .events
            .iter()
            .rev()
            .filter(|event| event.key.plural == plural);
        of_kind.nth(writes).map_or(1, |event| event.version)
    }

    /// Writes an event down, with the object as of it, and shows it.
    pub(super) fn append(&mut self, change: Change, key: &Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        self.events.push(Event {
            version: self.version,
            change,
            key: key.clone(),
            object: object.clone(),
            line: OnceCell::new(),
        });
        if self.shown.is_none() {
            self.show_from(self.events.len() - 1);
        }
        object
    }

    /// The objects as they were.
    pub(super) fn past(&self, scope: &Scope, version: u64) -> Vec<Arc<Value>> {
        let mut objects = BTreeMap::new();
        let past = self.events.iter().take_while(|event| event.version <= version);
        for event in past.filter(|event| scope.holds(&event.key)) {
            if event.change == Change::Deleted {
                objects.remove(&event.key);
            } else {
                objects.insert(&event.key, event.object.clone());
            }
        }
        objects.into_values().collect()
    }

    /// Opens a watch of what came after a version, which first sends these objects as if they were new.
    pub(super) fn open(&mut self, scope: Scope, from: u64, first: &[Arc<Value>]) -> Watched {
        let (sender, lines) = mpsc::unbounded();
        if from < self.compacted {
            // As an event of a stream that began well; its end follows.
            let expired = Refusal::expired(from, self.compacted).status();
            let _ = sender.unbounded_send(line("ERROR", &expired));
            return Watched { lines, seen: from };
        }
        for object in first {
            let _ = sender.unbounded_send(line("ADDED", object));
        }
        let mut seen = from;
        let shown = self.shown.unwrap_or(self.events.len());
        for event in self.events[..shown]
            .iter()
            .filter(|event| event.version > from && scope.holds(&event.key))
        {
            let _ = sender.unbounded_send(event.line());
            seen = event.version;
        }
        self.watches.push(Watch {
            scope,
            after: from,
            lines: sender,
        });
        Watched { lines, seen }
    }

    /// A bookmark for a watch that has seen a version: none when there is nothing newer to tell.
    pub(super) fn bookmark(&self, plural: &str, seen: u64) -> Option<Bytes> {
        let shown = &self.events[..self.shown.unwrap_or(self.events.len())];
        let last = shown.iter().rev().find(|event| event.key.plural == plural)?;
        let kind = Kind::of(plural);
        let object = json!({
            "apiVersion": kind.api_version(), "kind": kind.name,
            "metadata": {"resourceVersion": last.version.to_string()},
        });
        (last.version > seen).then(|| line("BOOKMARK", &object))
    }

    /// Forgets what was before a version and ends every watch.
    pub(super) fn compact(&mut self, version: u64) {
        self.compacted = version;
        self.end_watches();
    }

    pub(super) fn end_watches(&mut self) {
        self.watches.clear();
    }

    /// From now on watches are shown nothing.
    pub(super) fn hold(&mut self) {
        self.shown.get_or_insert(self.events.len());
    }

    /// Watches are shown what was held back.
    pub(super) fn release(&mut self) {
        if let Some(shown) = self.shown.take() {
            self.show_from(shown);
        }
    }

    /// The next events come twice.
    pub(super) fn double(&mut self) {
        self.doubled = 3;
    }

    fn show_from(&mut self, first: usize) {
        for event in &self.events[first..] {
            let times = if self.doubled > 0 { 2 } else { 1 };
            self.doubled = self.doubled.saturating_sub(1);
            for _ in 0..times {
                self.watches.retain(|watch| {
                    event.version <= watch.after
                        || !watch.scope.holds(&event.key)
                        || watch.lines.unbounded_send(event.line()).is_ok()
                });
            }
        }
    }
}

impl Event {
    fn line(&self) -> Bytes {
        let word = match self.change {
            Change::Added => "ADDED",
            Change::Modified => "MODIFIED",
            Change::Deleted => "DELETED",
        };
        self.line.get_or_init(|| line(word, &self.object)).clone()
    }
}

fn line(word: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{{\"type\":\"{word}\",\"object\":{object}}}\n"))
}
