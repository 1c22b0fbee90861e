//! What was asked of AWS, in order.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{permissions::Permission, wire::Service};

/// One request to AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one request"
)]
pub struct Entry {
    /// Counts from 1 and never starts again.
    pub number: u64,
    /// When it arrived, in milliseconds since the epoch of the sandbox's clock.
    pub at_ms: u64,
    /// The service that it was signed for.
    pub service: Service,
    /// The operation, such as `CreateRoute`; `Unknown` for what is not modelled.
    pub operation: String,
    /// The API id, function, role, log group or ARN that it is about; absent for lists of the account.
    pub target: Option<String>,
    /// What of the target: a child's id, or its name or route key when it is created.
    pub resource: Option<String>,
    /// The Region it was signed for.
    pub region: String,
    /// The access key it was signed with.
    pub access_key: String,
    /// What the caller's policies have to allow for it, those of tags and roles that are handed over included.
    pub permissions: Vec<Permission>,
    /// Whether the operation writes.
    pub mutating: bool,
    /// Whether it wrote.
    pub committed: bool,
    /// The status of the answer; absent while there is none, or when the connection was cut instead.
    pub status: Option<u16>,
    /// The error's code.
    pub error: Option<String>,
    /// Whether a fault keeps the request or its answer back now.
    pub held: bool,
    /// Whether the request came to an end without an answer.
    pub dropped: bool,
    /// The rule that interfered.
    pub fault: Option<u64>,
}

/// The entries since the last clearing.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    last: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Journal {
    /// Writes down a request and gives it its number.
    pub(crate) fn begin(&mut self, entry: Entry) -> u64 {
        self.last += 1;
        self.entries.insert(
            self.last,
            Entry {
                number: self.last,
                ..entry
            },
        );
        self.last
    }

    /// Changes an entry, unless it was cleared away since.
    pub(crate) fn amend(&mut self, number: u64, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(&number) {
            change(entry);
        }
    }

    pub(crate) fn since(&self, number: u64) -> Vec<Entry> {
        self.entries
            .values()
            .filter(|entry| entry.number > number)
            .cloned()
            .collect()
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Whether a request got its answer or lost its connection. One that was cleared away is of no interest any more.
    pub(crate) fn has_ended(&self, number: u64) -> bool {
        let running = |entry: &Entry| entry.status.is_none() && !entry.dropped;
        number <= self.last && !self.entries.get(&number).is_some_and(running)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
