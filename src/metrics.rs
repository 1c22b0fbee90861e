//! What the process counts. Every label comes from a closed set; no series carries the name of an object.
//!
//! The names of controllers, leader election and clients are those that dashboards of other operators expect.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};
use tokio::time::Instant;

/// The one controller.
const CONTROLLER: &str = "jwthttpapi";

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Ended {
    /// AWS is as it should be.
    #[expect(non_camel_case_types, reason = "the word that dashboards expect")]
    success,
    /// Something failed and is tried again.
    #[expect(non_camel_case_types, reason = "the word that dashboards expect")]
    error,
    /// It waits for something.
    #[expect(non_camel_case_types, reason = "the word that dashboards expect")]
    requeue_after,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByController {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    controller: &'static str,
    result: Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCondition {
    condition: &'static str,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// Handles of all metrics; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reconciles: Family<ByResult, Counter>,
    errors: Family<ByController, Counter>,
    panics: Family<ByController, Counter>,
    timeouts: Family<ByController, Counter>,
    seconds: Family<ByController, Histogram, fn() -> Histogram>,
    workers: Family<ByController, Gauge>,
    max_workers: Family<ByController, Gauge>,
    leader: Family<ByName, Gauge>,
    resources: Family<ByCondition, Gauge>,
    resync: Gauge<f64, AtomicU64>,
    duplicates: Counter,
    refusals: Counter,
    repairs: Family<ByKind, Counter>,
    strangers: Gauge,
    running: Mutex<BTreeMap<u64, Instant>>,
    next: Counter,
}

fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 15))
}

impl Metrics {
    /// Registers everything.
    pub fn new(registry: &mut Registry) -> Self {
        let inner = Inner {
            reconciles: Family::default(),
            errors: Family::default(),
            panics: Family::default(),
            timeouts: Family::default(),
            seconds: Family::new_with_constructor(durations),
            workers: Family::default(),
            max_workers: Family::default(),
            leader: Family::default(),
            resources: Family::default(),
            resync: Gauge::default(),
            duplicates: Counter::default(),
            refusals: Counter::default(),
            repairs: Family::default(),
            strangers: Gauge::default(),
            running: Mutex::default(),
            next: Counter::default(),
        };
        let r = registry;
        r.register(
            "controller_runtime_reconcile",
            "Reconciles by result",
            inner.reconciles.clone(),
        );
        r.register(
            "controller_runtime_reconcile_errors",
            "Reconciles that failed",
            inner.errors.clone(),
        );
        r.register(
            "controller_runtime_reconcile_panics",
            "Reconciles that panicked",
            inner.panics.clone(),
        );
        r.register(
            "controller_runtime_reconcile_timeouts",
            "Reconciles cut by their deadline",
            inner.timeouts.clone(),
        );
        r.register(
            "controller_runtime_reconcile_time_seconds",
            "Time of a reconcile",
            inner.seconds.clone(),
        );
        r.register(
            "controller_runtime_active_workers",
            "Reconciles that run",
            inner.workers.clone(),
        );
        r.register(
            "controller_runtime_max_concurrent_reconciles",
            "Reconciles that may run",
            inner.max_workers.clone(),
        );
        r.register(
            "leader_election_master_status",
            "Whether this process leads",
            inner.leader.clone(),
        );
        r.register(
            "jwthttpapi_resources",
            "Objects by condition and status",
            inner.resources.clone(),
        );
        r.register(
            "jwthttpapi_resync_period_seconds",
            "Effective period of resyncs",
            inner.resync.clone(),
        );
        r.register(
            "jwthttpapi_duplicates_removed",
            "Duplicate APIs removed",
            inner.duplicates.clone(),
        );
        r.register(
            "jwthttpapi_unowned_refusals",
            "Times something not proven ours was left alone",
            inner.refusals.clone(),
        );
        r.register(
            "jwthttpapi_drift_repairs",
            "Changes by others that were put right",
            inner.repairs.clone(),
        );
        r.register(
            "jwthttpapi_orphans_found",
            "APIs with this cluster's tag that no known object claims",
            inner.strangers.clone(),
        );
        Self(Arc::new(inner))
    }

    /// Counts a reconcile from now until the guard goes.
    pub fn reconcile(&self) -> Running {
        let number = self.0.next.inc();
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, Instant::now());
        self.0
            .workers
            .get_or_create(&ByController {
                controller: CONTROLLER,
            })
            .inc();
        Running {
            metrics: self.clone(),
            number,
            since: Instant::now(),
        }
    }

    /// Whether a reconcile runs for more than twice its deadline.
    pub fn stuck(&self) -> bool {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().any(|since| since.elapsed() > STUCK)
    }

    /// A reconcile ended.
    pub fn ended(&self, result: Ended) {
        self.0
            .reconciles
            .get_or_create(&ByResult {
                controller: CONTROLLER,
                result,
            })
            .inc();
        if result == Ended::error {
            self.0
                .errors
                .get_or_create(&ByController {
                    controller: CONTROLLER,
                })
                .inc();
        }
    }

    /// A reconcile panicked.
    pub fn panicked(&self) {
        self.0
            .panics
            .get_or_create(&ByController {
                controller: CONTROLLER,
            })
            .inc();
    }

    /// A reconcile was cut by its deadline.
    pub fn timed_out(&self) {
        self.0
            .timeouts
            .get_or_create(&ByController {
                controller: CONTROLLER,
            })
            .inc();
    }

    /// How many reconciles may run at once.
    pub fn concurrency(&self, workers: u16) {
        self.0
            .max_workers
            .get_or_create(&ByController {
                controller: CONTROLLER,
            })
            .set(i64::from(workers));
    }

    /// Whether this process leads.
    pub fn leading(&self, leads: bool) {
        self.0
            .leader
            .get_or_create(&ByName {
                name: "jwthttpapi-leader",
            })
            .set(i64::from(leads));
    }

    /// The effective period of resyncs.
    pub fn resync(&self, period: Duration) {
        self.0.resync.set(period.as_secs_f64());
    }

    /// How many objects there are by condition and status.
    pub fn resources(&self, counts: &BTreeMap<(&'static str, String), i64>) {
        self.0.resources.clear();
        for ((condition, status), count) in counts {
            self.0
                .resources
                .get_or_create(&ByCondition {
                    condition,
                    status: status.clone(),
                })
                .set(*count);
        }
    }

    /// A duplicate API was removed.
    pub fn duplicate_removed(&self) {
        self.0.duplicates.inc();
    }

    /// Something not proven ours was left alone.
    pub fn refused(&self) {
        self.0.refusals.inc();
    }

    /// A change by others was put right.
    pub fn repaired(&self, kind: &'static str) {
        self.0.repairs.get_or_create(&ByKind { kind }).inc();
    }

    /// How many APIs carry this cluster's tag and no known object's uid.
    pub fn strangers(&self, count: usize) {
        self.0.strangers.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// Twice the deadline of a reconcile.
const STUCK: Duration = Duration::from_secs(240);

/// A reconcile that runs.
#[derive(Debug)]
pub struct Running {
    metrics: Metrics,
    number: u64,
    since: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        let inner = &self.metrics.0;
        inner
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
        let label = ByController {
            controller: CONTROLLER,
        };
        inner.workers.get_or_create(&label).dec();
        inner
            .seconds
            .get_or_create(&label)
            .observe(self.since.elapsed().as_secs_f64());
    }
}
