//! What was written, in order, and the watches that read it.

use super::{Key, kind::Kind, refusal::Refusal};
use bytes::Bytes;
use futures::channel::mpsc;
use serde_json::{Value, json};
use std::{cell::OnceCell, collections::BTreeMap, sync::Arc};

/// How many events are lost at once.
const LOST: usize = 3;

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
    /// How many events of a kind the open watches are never shown.
    lost: (String, usize),
    /// Two events of a kind come in reverse order.
    swapped: Option<Swapped>,
}

/// A swap of two events that is not over yet.
#[derive(Debug)]
struct Swapped {
    plural: String,
    /// Which event waits for the one after it.
    held: Option<usize>,
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
            lost: (String::new(), 0),
            swapped: None,
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
            self.arrive(self.events.len() - 1);
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
        // Whoever knows of a version is told of nothing before it any more.
        let held = self.swapped.as_ref().and_then(|swapped| swapped.held);
        let shown = &self.events[..self.shown.or(held).unwrap_or(self.events.len())];
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
            (shown..self.events.len()).for_each(|index| self.arrive(index));
        }
    }

    /// The next events come twice.
    pub(super) fn double(&mut self) {
        self.doubled = 3;
    }

    /// The open watches are never shown the next events of a kind.
    pub(super) fn lose(&mut self, plural: &str) {
        self.lost = (plural.to_owned(), LOST);
    }

    /// Every watch ends, and wherever the next one begins, it is told to list again.
    pub(super) fn expire(&mut self) {
        self.lost.1 = 0;
        self.version += 1;
        self.compact(self.version);
    }

    /// The next two events of a kind come in reverse order.
    pub(super) fn swap(&mut self, plural: &str) {
        self.settle();
        self.swapped = Some(Swapped {
            plural: plural.to_owned(),
            held: None,
        });
    }

    /// An event that still waits for the one after it comes alone.
    pub(super) fn settle(&mut self) {
        if let Some(Swapped { held: Some(held), .. }) = self.swapped.take() {
            self.show(held);
        }
    }

    /// An event is on its way to the watches.
    fn arrive(&mut self, index: usize) {
        let plural = &self.events[index].key.plural;
        if self.lost.1 > 0 && self.lost.0 == *plural {
            self.lost.1 -= 1;
            return;
        }
        if let Some(swapped) = self.swapped.as_mut().filter(|swapped| swapped.plural == *plural) {
            if swapped.held.is_none() {
                swapped.held = Some(index);
                return;
            }
            self.show(index);
            self.settle();
            return;
        }
        self.show(index);
    }

    fn show(&mut self, index: usize) {
        let event = &self.events[index];
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Ground {
        log: Log,
        watched: Watched,
    }

    impl Ground {
        fn new() -> Self {
            let mut log = Log::default();
            let watched = log.open(scope(), 1, &[]);
            Self { log, watched }
        }

        fn write(&mut self, names: &[&str]) {
            for name in names {
                let key = Key::new("things", "demo", name);
                let object = json!({"metadata": {"name": name}});
                self.log.append(Change::Added, &key, object);
            }
        }

        /// Names of objects, or the kind of what is none.
        fn seen(&mut self) -> Vec<String> {
            let lines = std::iter::from_fn(|| self.watched.lines.try_recv().ok());
            let read = |line: Bytes| {
                let event: Value = serde_json::from_slice(&line).unwrap();
                let name = event["object"]["metadata"]["name"].as_str();
                name.or_else(|| event["object"]["reason"].as_str())
                    .unwrap()
                    .to_owned()
            };
            lines.map(read).collect()
        }
    }

    fn scope() -> Scope {
        Scope {
            plural: "things".into(),
            namespace: String::new(),
        }
    }

    #[test]
    fn lost_events_are_never_shown_and_a_list_makes_up_for_them() {
        let mut ground = Ground::new();
        ground.log.lose("things");
        ground.write(&["a", "b", "c", "d"]);
        assert_eq!(ground.seen(), ["d"]);
        ground.log.expire();
        // Even a watch that has seen the last event has to list.
        let last = ground.log.version() - 1;
        ground.watched = ground.log.open(scope(), last, &[]);
        assert_eq!(ground.seen(), ["Expired"]);
        ground.watched = ground.log.open(scope(), ground.log.version(), &[]);
        ground.write(&["e"]);
        assert_eq!(ground.seen(), ["e"]);
    }

    #[test]
    fn two_events_come_in_reverse_order_and_no_bookmark_before_both() {
        let mut ground = Ground::new();
        ground.log.swap("things");
        ground.write(&["a"]);
        assert!(ground.seen().is_empty());
        assert_eq!(ground.log.bookmark("things", 1), None);
        ground.write(&["b", "c"]);
        assert_eq!(ground.seen(), ["b", "a", "c"]);
        assert!(ground.log.bookmark("things", 1).is_some());
    }

    #[test]
    fn an_event_that_no_other_follows_comes_alone() {
        let mut ground = Ground::new();
        ground.log.swap("things");
        ground.write(&["a"]);
        ground.log.settle();
        ground.write(&["b"]);
        assert_eq!(ground.seen(), ["a", "b"]);
    }
}
