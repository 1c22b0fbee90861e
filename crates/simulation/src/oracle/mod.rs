//! What must hold: after every request to AWS that changed something, when a phase has come to rest, and in the end.
//!
//! None of it shares code with the planner. What a spec means is said once more in `expected`; who may reach what is
//! decided by the data plane of the sandbox.

mod expected;
mod exposure;

use crate::{OBJECT, instance::SECRET, life::Phase, scenario::Scenario, world::World};
use exposure::Exposure;
use jwthttpapi_core::api::{JwtHttpApiStatus, oracle as rules};
use jwthttpapi_sandbox::Sandbox;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The judge of one life; clones are handles.
#[derive(Clone)]
pub struct Oracle(Arc<Mutex<Court>>);

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one life")]
struct Court {
    violations: Vec<String>,
    exposure: Exposure,
    /// AWS before the life.
    before: Value,
    /// The spec that is wanted now.
    wanted: Value,
    /// The last request to AWS that was judged.
    judged: u64,
    /// How many APIs of the object may be there at once: more with two processes at work.
    most_apis: usize,
    /// The object's uid.
    uid: String,
    /// Whether somebody has changed what is the object's, and it was not put right yet.
    drifted: bool,
    /// Whether something has changed that no living process knows of.
    unseen: bool,
    /// Whether the list of granted functions was lost: the one place that knows of some statements.
    forgot_grants: bool,
    /// Whether the object went without its finalizer: what it had in AWS stays.
    orphaned: bool,
}

/// Violations of one life that are worth keeping: one mistake often shows again and again.
const KEPT: usize = 10;

impl Oracle {
    /// A judge who has seen AWS as it is before a life.
    pub fn new(sandbox: &Sandbox, scenario: &Scenario) -> Self {
        let court = Court {
            violations: Vec::new(),
            exposure: Exposure::new(scenario),
            before: sandbox.state(),
            wanted: Value::Null,
            judged: 0,
            most_apis: 1,
            uid: String::new(),
            drifted: false,
            unseen: false,
            forgot_grants: false,
            orphaned: false,
        };
        Self(Arc::new(Mutex::new(court)))
    }

    fn court(&self) -> MutexGuard<'_, Court> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub fn violations(&self) -> Vec<String> {
        self.court().violations.clone()
    }

    /// Writes a violation down.
    pub fn violated(&self, what: String) {
        let mut court = self.court();
        if court.violations.len() < KEPT && !court.violations.contains(&what) {
            court.violations.push(what);
        }
    }

    /// The object has this uid from now on.
    pub fn lives(&self, uid: &str) {
        uid.clone_into(&mut self.court().uid);
    }

    /// Somebody changes what is the object's: whom that lets in is not the operator's doing until it is put right.
    pub fn drifted(&self) {
        let mut court = self.court();
        court.drifted = true;
        court.unseen = true;
    }

    /// The list of granted functions is lost: a statement on one that no integration names any more stays.
    pub fn forgot_grants(&self) {
        self.court().forgot_grants = true;
    }

    /// Something changes that no living process knows of.
    pub fn unseen(&self) {
        self.court().unseen = true;
    }

    /// Whether AWS has to be looked at before it can be at rest; asked for the look that follows.
    pub fn must_be_looked_at(&self) -> bool {
        std::mem::take(&mut self.court().unseen)
    }

    /// The object goes without its finalizer.
    pub fn orphaned(&self) {
        self.court().orphaned = true;
    }

    /// The user wants this from now on, beside what is in force.
    pub fn wanted(&self, spec: &Value) {
        let mut court = self.court();
        court.wanted = spec.clone();
        court.exposure.also(spec);
    }

    /// A process slept while its request was on its way: two of one are no mistake until it is at rest.
    pub fn excuse_doubles(&self) {
        self.court().most_apis = 2;
    }

    /// Whether a second API may be there that only the next list of all shows.
    pub fn may_be_doubled(&self) -> bool {
        self.court().most_apis > 1
    }

    /// Judges what AWS has carried out since the last look.
    pub fn judge(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        let entries = sandbox.journal(court.judged);
        court.judged = entries.last().map_or(court.judged, |entry| entry.number);
        if !entries.iter().any(|entry| entry.committed) {
            return;
        }
        let apis = sandbox.apis();
        let own: Vec<&str> = apis
            .iter()
            .filter(|(_, tags)| tags.get("jwthttpapi.dev/uid") == Some(&court.uid))
            .map(|(id, _)| id.as_str())
            .collect();
        let mut found = Vec::new();
        if own.len() > court.most_apis {
            found.push(format!("{} APIs of one object at once", own.len()));
        }
        for id in own.iter().filter(|_| !court.drifted) {
            found.extend(court.exposure.judge(sandbox, id));
        }
        drop(court);
        for violation in found {
            self.violated(violation);
        }
    }

    /// Judges a phase that has come to rest.
    pub fn at_rest(&self, world: &World, phase: Phase) {
        let state = world.sandbox().state();
        let mut court = self.court();
        let (before, uid) = (&court.before, &court.uid);
        let mut found = Vec::new();
        let mut compare = |expected: &Value, shown: &Value, what: &str| {
            if expected != shown {
                found.push(format!("{phase:?}: {what}: {}", difference(expected, shown)));
            }
        };
        if phase == Phase::Delete && !court.orphaned && !court.forgot_grants {
            compare(before, &state, "AWS is not as it was before");
        } else {
            compare(
                &expected::others(before),
                &expected::others(&state),
                "what is of others was touched",
            );
        }
        if phase != Phase::Delete {
            let (mut wanted, mut shown) = (expected::of(&court.wanted), expected::shown(&state, uid));
            if court.forgot_grants {
                wanted["grants"] = Value::Null;
                shown["grants"] = Value::Null;
            }
            compare(&wanted, &shown, "AWS is not as the spec says");
            court.exposure.settle();
        }
        court.drifted = false;
        drop(court);
        for violation in found {
            self.violated(violation);
        }
        self.statuses(world);
        self.no_secret(world);
    }

    /// Every status that was written keeps the rules of those who read it.
    fn statuses(&self, world: &World) {
        let written = std::mem::take(&mut world.state().kubernetes.written);
        for object in written {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            match serde_json::from_value::<JwtHttpApiStatus>(object["status"].clone()) {
                Ok(status) => {
                    for violation in rules::flux(&status, generation, rules::Moment::InProgress) {
                        self.violated(format!("status: {violation}"));
                    }
                }
                Err(error) => self.violated(format!("a status that does not parse: {error}")),
            }
        }
    }

    fn no_secret(&self, world: &World) {
        let shown = world.state().kubernetes.get(&OBJECT).unwrap_or_default();
        if shown.to_string().contains(SECRET) {
            self.violated("the object shows a secret".to_owned());
        }
    }
}

/// Where two values differ: paths with both values, a few of them.
fn difference(expected: &Value, found: &Value) -> String {
    let mut all = Vec::new();
    compare("", expected, found, &mut all);
    all.truncate(6);
    all.join("; ")
}

fn compare(path: &str, expected: &Value, found: &Value, all: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let empty = Value::Null;
                let (one, other) = (one.get(key).unwrap_or(&empty), other.get(key).unwrap_or(&empty));
                compare(&format!("{path}/{key}"), one, other, all);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}/{index}"), one, other, all);
            }
        }
        (one, other) if one == other => {}
        (one, other) => all.push(format!("{path}: expected {one}, found {other}")),
    }
}
