//! What tests see of a sandbox, and how they steer it.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{Release, Sandbox};
use crate::{
    faults::{ActiveRule, Rule},
    journal::Entry,
};

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A request with a higher number, or one that is held.
    RequestAfter(u64),
    /// The end of the request with this number.
    EndOf(u64),
}

/// What somebody who waited for the journal gets to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The number of the last request.
    pub last: u64,
    /// The numbers of the requests that are held now.
    pub held: Vec<u64>,
    /// Whether the time was over before anything happened.
    pub timed_out: bool,
}

impl Sandbox {
    /// Everything there is, in one value; equal states give equal values.
    pub fn state(&self) -> Value {
        let now = self.now();
        self.core().world.state(now).unwrap_or_default()
    }

    /// Every API by id, with its tags.
    pub fn apis(&self) -> Vec<(String, BTreeMap<String, String>)> {
        self.core().world.apis()
    }

    /// Everything about one API, as [`Self::state`] has it.
    pub fn api(&self, id: &str) -> Option<Value> {
        self.core().world.api(id)
    }

    /// The requests after a number.
    pub fn journal(&self, since: u64) -> Vec<Entry> {
        self.core().journal.since(since)
    }

    /// Forgets the requests so far, and says which was the last; numbers go on.
    pub fn clear_journal(&self) -> u64 {
        let mut core = self.core();
        core.journal.clear();
        core.journal.last()
    }

    /// Waits until something happens.
    pub async fn wait(&self, what: Awaited, at_most: Duration) -> Watched {
        let mut changed = self.shared.changed.subscribe();
        // The channel lives as long as the sandbox, so that its end cannot come before what is awaited.
        let happened = async { while !self.has_happened(what) && changed.changed().await.is_ok() {} };
        let timed_out = tokio::time::timeout(at_most, happened).await.is_err();
        Watched {
            timed_out,
            ..self.watched()
        }
    }

    fn has_happened(&self, what: Awaited) -> bool {
        let core = self.core();
        match what {
            Awaited::RequestAfter(number) => core.journal.last() > number || !core.held.is_empty(),
            Awaited::EndOf(number) => core.journal.has_ended(number),
        }
    }

    fn watched(&self) -> Watched {
        let core = self.core();
        Watched {
            last: core.journal.last(),
            held: core.held.keys().copied().collect(),
            timed_out: false,
        }
    }

    /// Adds rules, and says their identifiers.
    pub fn add_faults(&self, rules: Vec<Rule>) -> Vec<u64> {
        let mut core = self.core();
        rules.into_iter().map(|rule| core.faults.add(rule)).collect()
    }

    /// The rules in force.
    pub fn faults(&self) -> Vec<ActiveRule> {
        self.core().faults.list()
    }

    /// Takes a rule away; the requests that it holds go on.
    pub fn remove_fault(&self, id: u64) -> bool {
        let removed = self.core().faults.remove(id);
        self.release_where(Release::Proceed, |_, rule| rule == id);
        removed
    }

    /// Takes all rules away; the requests that they hold go on.
    pub fn clear_faults(&self) {
        self.core().faults.clear();
        self.release(None, Release::Proceed);
    }

    /// Lets one held request go on, or all of them, and says how many.
    pub fn release(&self, number: Option<u64>, how: Release) -> usize {
        self.release_where(how, |held, _| number.is_none_or(|number| number == held))
    }

    fn release_where(&self, how: Release, which: impl Fn(u64, u64) -> bool) -> usize {
        let mut core = self.core();
        let numbers: Vec<u64> = core
            .held
            .iter()
            .filter(|(number, held)| which(**number, held.rule))
            .map(|(number, _)| *number)
            .collect();
        for number in &numbers {
            if let Some(held) = core.held.remove(number) {
                // A receiver that is gone needs no word.
                let _ = held.release.send(how);
            }
        }
        numbers.len()
    }

    /// Back to an empty account: no resources, no rules, no journal, no kept keys. The settings stay.
    pub fn reset(&self) {
        self.release(None, Release::Discard);
        let mut core = self.core();
        core.world.reset();
        core.faults.clear();
        core.journal.clear();
        core.buckets.clear();
        drop(core);
        self.shared.data_plane.forget_keys();
        self.announce();
    }
}
