//! Who waits for a reconcile and who is in one: the view of a work queue that dashboards expect, on a controller that has none.

use super::{CONTROLLER, durations, made, new};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::Counter, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Twice the deadline of a reconcile.
const STUCK: Duration = Duration::from_secs(240);

/// Objects by what is due for them, and when they were last seen as they are in AWS.
#[derive(Clone, Debug)]
pub struct Work {
    objects: Arc<Mutex<Objects>>,
    adds: Counter,
    retries: Counter,
    queued: Histogram,
    worked: Histogram,
    reconciled: Histogram,
}

/// By namespace and name. None of it becomes a label.
#[derive(Debug, Default)]
struct Objects {
    due: BTreeMap<String, Due>,
    running: BTreeMap<String, Instant>,
    observed: BTreeMap<String, Instant>,
}

/// When an object is due.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// Since a change.
    Woken(Instant),
    /// At a time that its last reconcile chose.
    Planned(Instant),
}

impl Due {
    const fn at(self) -> Instant {
        match self {
            Self::Woken(at) | Self::Planned(at) => at,
        }
    }
}

impl Work {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        registry.register_collector(Box::new(Gauges(Arc::clone(&objects))));
        let r = registry.sub_registry_with_label(("controller".into(), CONTROLLER.into()));
        let reconciled = made(
            r,
            "controller_runtime_reconcile_time_seconds",
            "Time of a reconcile",
            durations(),
        );
        let r = r.sub_registry_with_label(("name".into(), CONTROLLER.into()));
        let r = r.sub_registry_with_prefix("workqueue");
        Self {
            objects,
            adds: new(r, "adds", "Objects that became due"),
            retries: new(r, "retries", "Objects that are due again after a failure"),
            queued: made(
                r,
                "queue_duration_seconds",
                "How long objects waited for their reconcile",
                durations(),
            ),
            worked: made(
                r,
                "work_duration_seconds",
                "How long reconciles took",
                durations(),
            ),
            reconciled,
        }
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A change made an object due.
    pub fn woken(&self, object: &str) {
        let now = Instant::now();
        let mut objects = self.objects();
        objects.observed.entry(object.to_owned()).or_insert(now);
        if objects.due.get(object).is_none_or(|due| due.at() > now) {
            objects.due.insert(object.to_owned(), Due::Woken(now));
            self.adds.inc();
        }
    }

    /// An object is due again by itself, after a failure or in the course of things.
    pub fn planned(&self, object: &str, wait: Duration, failed: bool) {
        if failed {
            self.retries.inc();
        }
        let due = Due::Planned(Instant::now() + wait);
        self.objects().due.entry(object.to_owned()).or_insert(due);
    }

    /// Counts a reconcile from now until the guard goes.
    pub fn begin(&self, object: &str) -> Running {
        let since = Instant::now();
        let mut objects = self.objects();
        // A follower forgets what its watch has shown it; who leads then counts from here.
        objects.observed.entry(object.to_owned()).or_insert(since);
        let due = objects.due.remove(object);
        if !matches!(due, Some(Due::Woken(_))) {
            self.adds.inc();
        }
        if let Some(due) = due {
            let waited = since.saturating_duration_since(due.at());
            self.queued.observe(waited.as_secs_f64());
        }
        objects.running.insert(object.to_owned(), since);
        drop(objects);
        Running {
            work: self.clone(),
            object: object.to_owned(),
            since,
        }
    }

    /// An object was compared with AWS.
    pub fn observed(&self, object: &str) {
        self.objects().observed.insert(object.to_owned(), Instant::now());
    }

    /// An object is none of this process's business.
    pub fn forget(&self, object: &str) {
        let mut objects = self.objects();
        objects.due.remove(object);
        objects.observed.remove(object);
    }

    /// Forgets objects that are gone: all but these.
    pub fn retain(&self, alive: &BTreeSet<String>) {
        let mut objects = self.objects();
        objects.due.retain(|object, _| alive.contains(object));
        objects.observed.retain(|object, _| alive.contains(object));
    }

    /// Whether a reconcile runs for more than twice its deadline.
    pub fn is_stuck(&self) -> bool {
        self.objects()
            .running
            .values()
            .any(|since| since.elapsed() > STUCK)
    }
}

/// A reconcile that runs.
#[derive(Debug)]
pub struct Running {
    work: Work,
    object: String,
    since: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.work.objects().running.remove(&self.object);
        let took = self.since.elapsed().as_secs_f64();
        self.work.worked.observe(took);
        self.work.reconciled.observe(took);
    }
}

/// What is read when asked, since it changes while nobody looks.
#[derive(Debug)]
struct Gauges(Arc<Mutex<Objects>>);

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let depth = objects.due.values().filter(|due| due.at() <= now).count();
        let age = |since: &Instant| now.saturating_duration_since(*since).as_secs_f64();
        let running = || objects.running.values().map(age);
        let queue = [("name", CONTROLLER), ("controller", CONTROLLER)];
        let controller = [("controller", CONTROLLER)];
        let mut gauge = |name, help, labels: &[(&str, &str)], value: f64| {
            let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)
        };
        gauge(
            "workqueue_depth",
            "Objects that wait for a reconcile",
            &queue,
            number(depth),
        )?;
        gauge(
            "workqueue_unfinished_work_seconds",
            "Ages of the reconciles that run, summed",
            &queue,
            running().sum(),
        )?;
        gauge(
            "workqueue_longest_running_processor_seconds",
            "Age of the oldest reconcile that runs",
            &queue,
            running().fold(0.0, f64::max),
        )?;
        gauge(
            "controller_runtime_active_workers",
            "Reconciles that run",
            &controller,
            number(objects.running.len()),
        )?;
        gauge(
            "jwthttpapi_last_successful_observation_age_seconds",
            "How long ago the object that waits longest was compared with AWS",
            &[],
            objects.observed.values().map(age).fold(0.0, f64::max),
        )
    }
}

/// A number of objects; far below 2^32, so that nothing is lost.
fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
