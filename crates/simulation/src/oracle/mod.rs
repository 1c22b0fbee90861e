//! What must hold: after every request that changed something, when a phase has come to rest, and in the end.
//!
//! None of it shares code with the planner. What a spec means is said once more in `expected`; who may reach what is
//! decided by the data plane of the sandbox; `told` is what the oracle is told of the world's doings, `traffic` judges requests,
//! `rest` what a phase has come to, `state` what AWS has.

mod excuses;
mod expected;
mod exposure;
mod foreign;
mod reach;
mod rest;
mod rule;
mod state;
mod status;
mod told;
mod traffic;
mod written;

pub use rule::{Rule, Violation};

use crate::{
    ACCOUNT, KUBE_SYSTEM, OBJECT, REGION,
    kubernetes::Key,
    scenario::Scenario,
    world::{Asked, Instance},
};
use excuses::Excuses;
use expected::Organisation;
pub(crate) use expected::shown;
use exposure::Exposure;
use foreign::Foreign;
use jwthttpapi_sandbox::{Sandbox, Timestamp};
use rest::Rest;
use serde_json::Value;
pub(crate) use status::{is_held, is_ready};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
pub(crate) use traffic::is_write;
use traffic::{Traffic, budgets};
use written::{deletes, makes_what_may_be_doubled};

/// The judge of one life; clones are handles.
#[derive(Clone)]
pub struct Oracle(Arc<Mutex<Court>>);

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one life")]
struct Court {
    violations: Vec<Violation>,
    exposure: Exposure,
    traffic: Traffic,
    /// Whether there is another object that works.
    beside: bool,
    /// AWS before the life.
    before: Arc<Value>,
    /// What of it is of others.
    foreign: Foreign,
    /// What the operator's flags ask of everything.
    organisation: Organisation,
    /// The spec that is wanted now.
    wanted: Value,
    /// The last one that AWS was as, at rest.
    in_force: Value,
    /// What there is while the living object is at rest, or was when the user suspended it.
    rest: Option<Rest>,
    /// Whether lists may lack what is new, and whether reads may show the past.
    lagging: bool,
    reads_lag: bool,
    /// The last request to AWS that was judged.
    judged: u64,
    /// When something was last carried out.
    changed: Timestamp,
    /// The object's uid.
    uid: String,
    /// How it goes, if it does.
    end: End,
    /// Since when every list lacks it that was shown to who looks for orphans.
    unlisted: Option<Timestamp>,
    /// Whether the operator deletes orphans.
    deletes_orphans: bool,
    /// The ids of all APIs that the object ever had, and how many it may have had.
    apis: BTreeSet<String>,
    may_have_had: usize,
    /// The ids of all APIs that it or a namesake ever had.
    known: BTreeSet<String>,
    /// APIs of a namesake that went without its finalizer: nobody's to touch, but to be taken over.
    orphans: BTreeSet<String>,
    /// Actions that were denied at any time.
    denied: BTreeSet<String>,
    /// Whether several processes act at once, none of which knows what the others have just written.
    rivals: bool,
    excuses: Excuses,
}

/// How an object goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It lives.
    NotYet,
    /// It is being deleted.
    Deleted,
    /// It went without its finalizer, and was missing since then.
    Abandoned(Timestamp),
}

/// By then whatever was written is in force in every simulated AWS, in milliseconds.
const IN_FORCE: u64 = 20_000;
/// Violations of one life that are worth keeping: one mistake often shows again and again.
const KEPT: usize = 10;

impl Oracle {
    /// A judge of lives that begin with AWS as it was `before`.
    pub fn new(before: Arc<Value>, scenario: &Scenario) -> Self {
        let settings = scenario.settings();
        let court = Court {
            violations: Vec::new(),
            exposure: Exposure::new(&scenario.switches),
            traffic: Traffic::new(settings.leader_elect, budgets(&settings), scenario.is_usual()),
            beside: scenario.neighbour,
            foreign: Foreign::of(&before),
            before,
            organisation: Organisation::of(scenario.flags),
            wanted: Value::Null,
            in_force: Value::Null,
            rest: None,
            lagging: scenario.switches["list_lag_ms"].as_u64() > Some(0),
            reads_lag: scenario.switches["read_lag_ms"].as_u64() > Some(0),
            judged: 0,
            changed: Timestamp(0),
            uid: String::new(),
            end: End::NotYet,
            unlisted: None,
            deletes_orphans: settings.delete_orphans,
            apis: BTreeSet::new(),
            may_have_had: 1,
            known: BTreeSet::new(),
            orphans: BTreeSet::new(),
            denied: BTreeSet::new(),
            rivals: scenario.replicas > 1 && !scenario.elected,
            excuses: Excuses::default(),
        };
        Self(Arc::new(Mutex::new(court)))
    }

    fn court(&self) -> MutexGuard<'_, Court> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.court().violations.clone()
    }

    /// Writes a violation down.
    pub fn violated(&self, rule: Rule, how: impl Into<String>) {
        let how = how.into();
        self.court().violated([Violation { rule, how }]);
    }

    /// A process sends a request.
    pub(crate) fn sent(&self, from: Instance, asked: &Asked, at: Duration) {
        let mut court = self.court();
        let found = court.traffic.sent(from, asked, at);
        court.violated(found);
    }

    /// A write to AWS begins, or has ended for its sender.
    pub(crate) fn under_way(&self, from: Instance, begins: bool) {
        self.court().traffic.under_way(from, begins);
    }

    /// A process has read an object.
    pub(crate) fn read(&self, from: Instance, key: &Key, object: &Value) {
        let mut court = self.court();
        // What is asked beside another object may be asked for that one.
        if *key != *OBJECT || court.beside {
            return;
        }
        let place = [
            ("accountId", ACCOUNT),
            ("region", REGION),
            ("clusterId", KUBE_SYSTEM),
        ];
        let elsewhere = place.iter().any(|(field, here)| {
            object["status"][field]
                .as_str()
                .is_some_and(|there| there != *here)
        });
        court.traffic.read(from, elsewhere);
    }

    /// What was wrong in the object's status is so no longer.
    pub(crate) fn healed(&self) {
        self.court().traffic.healed();
    }

    /// A process has written the lease, with a request sent at `at`.
    pub(crate) fn leased(&self, from: Instance, lease: &Value, at: Duration) {
        let holds = lease["spec"]["holderIdentity"]
            .as_str()
            .is_some_and(|holder| !holder.is_empty());
        let mut court = self.court();
        let found = court.traffic.leased(from, holds.then_some(at));
        court.violated(found);
    }

    /// Whether AWS is on its way from one generation to another: what it serves may change at any moment.
    pub(crate) fn is_changing(&self, sandbox: &Sandbox) -> bool {
        let court = self.court();
        court.exposure.is_changing() && sandbox.now().0.saturating_sub(court.changed.0) < IN_FORCE
    }

    /// Judges whether those are served at this moment whom every generation admits.
    pub(crate) fn served(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        for id in court.own(sandbox) {
            let unserved = court.exposure.unserved(sandbox, &id).into_iter();
            court.violated(unserved.map(|how| Violation {
                rule: Rule::Served,
                how,
            }));
        }
    }

    /// Judges what AWS has carried out since the last look.
    pub fn judge(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        let entries = sandbox.journal(court.judged);
        court.judged = entries.last().map_or(court.judged, |entry| entry.number);
        if !entries.iter().any(|entry| entry.committed) {
            return;
        }
        court.changed = sandbox.now();
        let found = court.written(&entries);
        court.violated(found);
        let own = court.own(sandbox);
        for id in &own {
            court.excuses.taken_over |=
                court.excuses.orphaned > 0 && !court.apis.contains(id) && court.known.contains(id);
            court.orphans.remove(id);
        }
        court.apis.extend(own.iter().cloned());
        court.known.extend(own.iter().cloned());
        let most = if court.excuses.slept { 2 } else { 1 };
        let mut found = Vec::new();
        let mut doubled = |how| {
            found.push(Violation {
                rule: Rule::OneApi,
                how,
            });
        };
        if own.len() > most {
            doubled(format!("{} APIs of one object at once", own.len()));
        }
        if court.apis.len() > court.may_have_had {
            let (had, needed) = (court.apis.len(), court.may_have_had);
            doubled(format!("{had} APIs were made where {needed} would do"));
        }
        if entries.iter().any(makes_what_may_be_doubled) && !court.may_make_twins() {
            let apis = own.iter().filter_map(|id| sandbox.api(id));
            let twins = apis.flat_map(|api| expected::twins(&api));
            found.extend(twins.map(|how| Violation {
                rule: Rule::NoTwins,
                how,
            }));
        }
        if own.len() <= 1 && entries.iter().any(deletes) {
            found.extend(court.unkept(&sandbox.state()));
        }
        let now = sandbox.now();
        let Excuses {
            opened,
            let_in,
            deploying_until,
            ..
        } = &court.excuses;
        for id in own.iter().filter(|_| !opened && now >= *deploying_until) {
            let Some(deployment) = sandbox.deployment(id, "$default", now) else {
                continue;
            };
            let open = court.exposure.open(&deployment, sandbox.cors(id).is_some());
            let open = open.into_iter().filter(|how| !let_in.contains(how));
            found.extend(open.map(|how| Violation {
                rule: Rule::NeverOpen,
                how,
            }));
        }
        court.violated(found);
    }
}

impl Court {
    /// The APIs that are the object's by their tags.
    fn own(&self, sandbox: &Sandbox) -> Vec<String> {
        let apis = sandbox.apis().into_iter();
        let own = apis.filter(|(_, tags)| tags.get("jwthttpapi.dev/uid") == Some(&self.uid));
        own.map(|(id, _)| id).collect()
    }

    fn violated(&mut self, found: impl IntoIterator<Item = Violation>) {
        for violation in found {
            if self.violations.len() < KEPT && !self.violations.contains(&violation) {
                self.violations.push(violation);
            }
        }
    }
}
