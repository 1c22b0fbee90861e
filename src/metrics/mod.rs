//! What the process counts. Every label comes from a closed set; no series carries the name of an object.
//!
//! The names of controllers, work queues, clients, processes and leader election are those that dashboards of other operators
//! expect. `docs/metrics.md` lists all of them.

mod census;
pub mod process;
mod requests;
mod work;

pub use census::Census;
pub use requests::{RequestMetrics, RequestMetricsLayer};
pub use work::{Running, Work};

use jwthttpapi_core::plan::Kind;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Metric, Registry},
};
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

/// The one controller.
const CONTROLLER: &str = "jwthttpapi";

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the words that dashboards expect")]
pub enum Ended {
    /// AWS is as it should be.
    success,
    /// Something failed and is tried again.
    error,
    /// It waits for something.
    requeue_after,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    name: &'static str,
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
    work: Work,
    reconciles: Family<ByResult, Counter>,
    errors: Counter,
    terminal: Counter,
    panics: Counter,
    timeouts: Counter,
    max_workers: Gauge,
    leader: Family<ByName, Gauge>,
    census: census::Last,
    resync: Gauge<f64, AtomicU64>,
    ready: Histogram,
    duplicates: Counter,
    refusals: Counter,
    repairs: Family<ByKind, Counter>,
    orphans: Gauge,
    stale: Counter,
}

/// Registers a metric and hands it out.
fn made<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// Registers a metric that starts at nothing.
fn new<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    made(registry, name, help, M::default())
}

/// 5 ms to 82 s, as reconciles of the well-known controllers are measured.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 15))
}

impl Metrics {
    /// Registers everything.
    pub fn new(registry: &mut Registry) -> Self {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("jwthttpapi_build", "Which version this is", version);
        let leader = new(
            registry,
            "leader_election_master_status",
            "Whether this process leads",
        );
        let work = Work::register(registry);
        let census = census::Last::register(registry);
        let r = registry
            .sub_registry_with_label(("controller".into(), CONTROLLER.into()))
            .sub_registry_with_prefix("controller_runtime");
        let reconciles = new(r, "reconcile", "Reconciles by result");
        let errors = new(r, "reconcile_errors", "Reconciles that failed");
        let terminal = new(
            r,
            "terminal_reconcile_errors",
            "Reconciles that failed for a reason that a person must remove",
        );
        let panics = new(r, "reconcile_panics", "Reconciles that panicked");
        let timeouts = new(r, "reconcile_timeouts", "Reconciles cut by their deadline");
        let max_workers = new(r, "max_concurrent_reconciles", "Reconciles that may run at once");
        let r = registry.sub_registry_with_prefix("jwthttpapi");
        Self(Arc::new(Inner {
            work,
            reconciles,
            errors,
            terminal,
            panics,
            timeouts,
            max_workers,
            leader,
            census,
            resync: new(r, "resync_period_seconds", "Effective period of resyncs"),
            ready: made(
                r,
                "time_to_ready_seconds",
                "Time from the first look at a generation until it was Ready",
                durations(),
            ),
            duplicates: new(r, "duplicates_removed", "Duplicate APIs removed"),
            refusals: new(
                r,
                "unowned_refusals",
                "Times something not proven ours was left alone",
            ),
            repairs: new(r, "drift_repairs", "Changes by others that were put right"),
            orphans: new(
                r,
                "orphans_found",
                "APIs of this cluster whose object has been missing for an hour",
            ),
            stale: new(
                r,
                "stale_sync_skips",
                "Reconciles that stopped since AWS's lists were behind this process's own writes",
            ),
        }))
    }

    /// Who waits for a reconcile, and who is in one.
    pub fn work(&self) -> &Work {
        &self.0.work
    }

    /// A reconcile ended.
    pub fn ended(&self, result: Ended) {
        self.0.reconciles.get_or_create(&ByResult { result }).inc();
        if result == Ended::error {
            self.0.errors.inc();
        }
    }

    /// A reconcile failed for a reason that a person must remove.
    pub fn terminal(&self) {
        self.0.terminal.inc();
    }

    /// A reconcile panicked.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// A reconcile was cut by its deadline.
    pub fn timed_out(&self) {
        self.0.timeouts.inc();
    }

    /// How many reconciles may run at once.
    pub fn concurrency(&self, workers: u16) {
        self.0.max_workers.set(i64::from(workers));
    }

    /// Whether this process leads.
    pub fn leading(&self, leads: bool) {
        let name = "jwthttpapi-leader";
        self.0
            .leader
            .get_or_create(&ByName { name })
            .set(i64::from(leads));
    }

    /// The effective period of resyncs.
    pub fn resync(&self, period: Duration) {
        self.0.resync.set(period.as_secs_f64());
    }

    /// What the objects say in their status.
    pub fn census(&self, census: Census) {
        self.0.census.set(census);
    }

    /// A generation is Ready, so long after it was first looked at.
    pub fn ready_after(&self, took: Duration) {
        self.0.ready.observe(took.as_secs_f64());
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
    pub fn repaired(&self, kind: Kind) {
        let kind = kind.as_str();
        self.0.repairs.get_or_create(&ByKind { kind }).inc();
    }

    /// How many APIs belong to no object any more.
    pub fn orphans(&self, count: usize) {
        self.0.orphans.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// AWS's lists were behind what this process wrote.
    pub fn skipped_stale(&self) {
        self.0.stale.inc();
    }
}
