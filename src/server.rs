//! `/livez`, `/readyz` and `/metrics`. None of them asks AWS or the API server for anything, and none carries data of objects.

use crate::metrics::Metrics;
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use prometheus_client::registry::Registry;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;

/// How old the heartbeat of the event loop may be.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often the event loop beats.
const BEAT: Duration = Duration::from_secs(5);

/// What the probes tell.
#[derive(Clone, Debug)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    beat: Mutex<Instant>,
    synced: AtomicBool,
    stopping: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Inner {
            beat: Mutex::new(Instant::now()),
            synced: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }))
    }
}

impl Health {
    /// Beats until stopped; a blocked event loop does not.
    pub async fn beat(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(BEAT);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// The cache was filled once: the resource exists in the API server and may be read.
    pub fn synced(&self) {
        self.0.synced.store(true, Ordering::Relaxed);
    }

    /// No more work is taken.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    fn is_live(&self, metrics: &Metrics) -> bool {
        let beat = *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner);
        beat.elapsed() < HEARTBEAT && !metrics.work().is_stuck()
    }

    fn is_ready(&self) -> bool {
        self.0.synced.load(Ordering::Relaxed) && !self.0.stopping.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Views {
    health: Health,
    metrics: Metrics,
    registry: Arc<Registry>,
}

/// Serves until stopped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    metrics: Metrics,
    registry: Registry,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(Views {
            health,
            metrics,
            registry: Arc::new(registry),
        });
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn livez(State(views): State<Views>) -> impl IntoResponse {
    if views.health.is_live(&views.metrics) {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the event loop or a reconcile is stuck",
        )
    }
}

async fn readyz(State(views): State<Views>) -> impl IntoResponse {
    if views.health.is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the cache is not filled, or the process is stopping",
        )
    }
}

async fn scrape(State(views): State<Views>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &views.registry) {
        Ok(()) => (StatusCode::OK, [("content-type", OPEN_METRICS)], text),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [("content-type", "text/plain")],
            String::new(),
        ),
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
