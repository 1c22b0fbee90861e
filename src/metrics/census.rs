//! What the objects say in their status, counted.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Registry,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// How many objects say what in their status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// By condition and its status.
    pub conditions: BTreeMap<(&'static str, String), i64>,
    /// Those whose deletion is blocked, by reason.
    pub blocked: BTreeMap<String, i64>,
}

/// The last census, whole at any moment: it is replaced at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Last(Arc<Mutex<Census>>);

impl Last {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let last = Self::default();
        registry.register_collector(Box::new(last.clone()));
        last
    }

    pub(super) fn set(&self, census: Census) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = census;
    }
}

impl Collector for Last {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let census = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Objects by condition and status";
        let mut resources =
            encoder.encode_descriptor("jwthttpapi_resources", help, None, MetricType::Gauge)?;
        for ((condition, status), count) in &census.conditions {
            let labels = [("condition", *condition), ("status", status.as_str())];
            ConstGauge::new(*count).encode(resources.encode_family(&labels)?)?;
        }
        let help = "Objects whose deletion is blocked, by reason";
        let mut blocked =
            encoder.encode_descriptor("jwthttpapi_deletion_blocked", help, None, MetricType::Gauge)?;
        for (reason, count) in &census.blocked {
            let labels = [("reason", reason.as_str())];
            ConstGauge::new(*count).encode(blocked.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
