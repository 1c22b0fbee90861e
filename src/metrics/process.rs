//! The process itself, by the names that every Prometheus client library gives. Linux only: elsewhere there is nothing to read.

use prometheus_client::registry::Registry;

/// There is nothing to register.
#[cfg(not(target_os = "linux"))]
pub const fn register(_registry: &mut Registry) {}

/// Registers what `/proc/self` says; in a process it is done once, however many operators run in it.
#[cfg(target_os = "linux")]
pub fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(linux::Process));
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::{WithCurrentSystemInfo, process};
    use prometheus_client::{
        collector::Collector,
        encoding::{DescriptorEncoder, EncodeMetric},
        metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    };
    use std::fmt;

    /// Reads `/proc/self` when asked. What cannot be read is left out.
    #[derive(Debug)]
    pub(super) struct Process;

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            let Ok(me) = process::Process::myself() else {
                return Ok(());
            };
            let mut gauge = |name, help, value: u64| {
                let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder)
            };
            if let Ok(open) = me.fd_count() {
                gauge(
                    "process_open_fds",
                    "Open file descriptors",
                    u64::try_from(open).unwrap_or(u64::MAX),
                )?;
            }
            if let Ok(limits) = me.limits()
                && let process::LimitValue::Value(most) = limits.max_open_files.soft_limit
            {
                gauge("process_max_fds", "File descriptors that may be open", most)?;
            }
            let Ok(stat) = me.stat() else { return Ok(()) };
            gauge(
                "process_virtual_memory_bytes",
                "Virtual memory of the process",
                stat.vsize,
            )?;
            gauge(
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                stat.rss_bytes().get(),
            )?;
            let ticks = procfs::ticks_per_second();
            if let Ok(booted) = procfs::boot_time_secs() {
                gauge(
                    "process_start_time_seconds",
                    "When the process started, in seconds since 1970",
                    booted + stat.starttime / ticks,
                )?;
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "a clock of hundredths that lasts for decades"
            )]
            let seconds = (stat.utime + stat.stime) as f64 / ticks as f64;
            let encoder = encoder.encode_descriptor(
                "process_cpu_seconds",
                "Time on a CPU, in user and system mode",
                None,
                MetricType::Counter,
            )?;
            ConstCounter::new(seconds).encode(encoder)
        }
    }
}
