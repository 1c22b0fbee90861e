//! The operator's requests to the API server, as client-go counts its own.

use super::{made, new};
use futures::future::BoxFuture;
use http::{Request, Response};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use std::{
    task::{Context, Poll},
    time::Instant,
};
use tower::{Layer, Service};

/// Seconds; a request lasts ten at most.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Requests by their end, and how long answers took to begin. A watch counts once, when its answer begins.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    ended: Family<ByEnd, Counter>,
    took: Family<ByVerb, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEnd {
    /// A status of HTTP, or `<error>` when there was no answer.
    code: String,
    method: String,
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerb {
    verb: String,
    host: String,
}

impl RequestMetrics {
    /// Registers both.
    pub fn register(registry: &mut Registry) -> Self {
        let r = registry.sub_registry_with_prefix("rest_client");
        Self {
            ended: new(
                r,
                "requests",
                "Requests to the API server by status, method and host",
            ),
            took: made(
                r,
                "request_duration_seconds",
                "How long the API server took until its answer began",
                Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            ),
        }
    }

    /// What counts the requests of a client to one host.
    pub fn layer(&self, host: &str) -> RequestMetricsLayer {
        RequestMetricsLayer {
            metrics: self.clone(),
            host: host.to_owned(),
        }
    }
}

/// Puts the counting round a client's service.
#[derive(Clone, Debug)]
pub struct RequestMetricsLayer {
    metrics: RequestMetrics,
    host: String,
}

impl<S> Layer<S> for RequestMetricsLayer {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counting<S> {
    inner: S,
    layer: RequestMetricsLayer,
}

impl<S, B, R> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let RequestMetricsLayer { metrics, host } = self.layer.clone();
        let method = request.method().to_string();
        let began = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = match &answer {
                Ok(response) => response.status().as_u16().to_string(),
                Err(_) => "<error>".to_owned(),
            };
            metrics
                .took
                .get_or_create(&ByVerb {
                    verb: method.clone(),
                    host: host.clone(),
                })
                .observe(began.elapsed().as_secs_f64());
            metrics.ended.get_or_create(&ByEnd { code, method, host }).inc();
            answer
        })
    }
}
