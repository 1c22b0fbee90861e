//! What the operator's requests to AWS look like from outside. Every label's values are a closed set.

use super::fault::Class;
use super::operation::{Operation, Service};
use super::pace::Bucket;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds; a request lasts ten at most.
const BUCKETS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Buckets of tokens by service and Region.
pub(super) type Buckets = BTreeMap<(Service, String), Arc<Bucket>>;

#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<OperationLabels, Histogram, fn() -> Histogram>,
    waited: Family<ServiceLabels, Counter<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    service: Service,
    operation: Operation,
    code: Code,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    service: Service,
    operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: Service,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Code(Option<Class>);

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.0.map_or("OK", Class::as_str), encoder)
    }
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry, buckets: &Arc<Mutex<Buckets>>) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            waited: Family::default(),
        };
        registry.register(
            "jwthttpapi_aws_requests",
            "Requests to AWS, by how they ended",
            metrics.requests.clone(),
        );
        registry.register(
            "jwthttpapi_aws_request_duration_seconds",
            "How long AWS took to answer",
            metrics.durations.clone(),
        );
        registry.register(
            "jwthttpapi_aws_throttle_wait_seconds",
            "How long requests waited for their turn in the operator's own budget",
            metrics.waited.clone(),
        );
        registry.register_collector(Box::new(Tokens(Arc::clone(buckets))));
        metrics
    }

    pub(super) fn count(&self, operation: Operation, fault: Option<Class>, took: Duration) {
        let service = operation.service();
        let code = Code(fault);
        let labels = RequestLabels {
            service,
            operation,
            code,
        };
        self.requests.get_or_create(&labels).inc();
        self.durations
            .get_or_create(&OperationLabels { service, operation })
            .observe(took.as_secs_f64());
    }

    pub(super) fn waited(&self, service: Service) -> Counter<f64, AtomicU64> {
        self.waited.get_or_create_owned(&ServiceLabels { service })
    }
}

/// Reads the buckets when asked, since tokens come back while nobody looks.
#[derive(Debug)]
struct Tokens(Arc<Mutex<Buckets>>);

impl Collector for Tokens {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut encoder = encoder.encode_descriptor(
            "jwthttpapi_aws_budget_tokens",
            "Requests that the operator's own budget would let go at once",
            None,
            MetricType::Gauge,
        )?;
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((service, region), bucket) in buckets.iter() {
            let labels = [("service", service.as_str()), ("region", region.as_str())];
            ConstGauge::new(bucket.tokens()).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
