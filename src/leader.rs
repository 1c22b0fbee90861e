//! Leadership by a Lease: who holds it may write to AWS, until ten seconds after the start of its last renewal.
//!
//! The decision is [`jwthttpapi_core::lease`]'s; here are the loop, the clock and the requests. The lease is no lock: the
//! protocol holds with two leaders. It keeps them rare and writes by a deposed one bounded.

use crate::{clock::Clock, fence::Fence, metrics::Metrics};
use jwthttpapi_core::{
    api::FIELD_MANAGER,
    lease::{self, RENEW_DEADLINE, RETRY, Verdict},
};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Name of the Lease.
pub const LEASE_NAME: &str = "jwthttpapi-leader";

/// One replica's view of the lease.
pub struct Elector {
    leases: Api<Lease>,
    me: String,
    fence: Fence,
    metrics: Metrics,
    clock: Clock,
    /// The renewal last seen, and since when.
    seen: Option<(LeaseSpec, Instant)>,
}

/// Why leading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The process was asked to stop.
    Stopped,
    /// The lease was not renewed in time, or somebody else holds it.
    Lost,
}

impl Elector {
    /// A replica that may lead. `client` must answer or fail within five seconds and never retry by itself.
    pub fn new(
        client: Client,
        namespace: &str,
        me: String,
        fence: Fence,
        metrics: Metrics,
        clock: Clock,
    ) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            me,
            fence,
            metrics,
            clock,
            seen: None,
        }
    }

    /// Waits until the lease is this replica's; false when stopped before.
    pub async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        loop {
            let started = Instant::now();
            let wait = match self.attempt().await {
                Ok(Verdict::Wait { remaining, .. }) => remaining.min(RETRY),
                Ok(Verdict::Acquire | Verdict::Renew) => {
                    self.hold(started);
                    self.metrics.leading(true);
                    return true;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot read or take the lease"
                    );
                    RETRY
                }
            };
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return false;
            }
        }
    }

    /// Renews until stopped or lost.
    pub async fn keep(&mut self, stop: &CancellationToken) -> Ended {
        let mut renewed = Instant::now();
        loop {
            if stop.run_until_cancelled(sleep(RETRY)).await.is_none() {
                return Ended::Stopped;
            }
            let started = Instant::now();
            match self.attempt().await {
                Ok(Verdict::Acquire | Verdict::Renew) => {
                    renewed = started;
                    self.hold(started);
                }
                Ok(Verdict::Wait { holder, .. }) => {
                    tracing::error!(%holder, "somebody else holds the lease");
                    return self.lose();
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew the lease");
                }
            }
            if renewed.elapsed() >= RENEW_DEADLINE {
                tracing::error!("the lease could not be renewed in time");
                return self.lose();
            }
        }
    }

    /// Gives the lease back, so that a follower need not wait for it to run out.
    pub async fn release(&mut self) {
        self.fence.close();
        self.metrics.leading(false);
        let Ok(Some(mut lease)) = self.leases.get_opt(LEASE_NAME).await else {
            return;
        };
        let Some(spec) = lease
            .spec
            .take()
            .filter(|spec| spec.holder_identity.as_ref() == Some(&self.me))
        else {
            return;
        };
        lease.spec = Some(lease::released(&spec, self.clock.now()));
        if let Err(error) = self.leases.replace(LEASE_NAME, &params(), &lease).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot release the lease"
            );
        }
    }

    fn hold(&self, started: Instant) {
        self.fence.renew(started + RENEW_DEADLINE);
    }

    fn lose(&self) -> Ended {
        self.fence.close();
        self.metrics.leading(false);
        Ended::Lost
    }

    /// Reads the lease, decides, and writes it when it is free or ours. The write carries the resource version read, so that
    /// of two who take it at once one fails.
    async fn attempt(&mut self) -> kube::Result<Verdict> {
        let found = self.leases.get_opt(LEASE_NAME).await?;
        let spec = found.as_ref().and_then(|lease| lease.spec.clone());
        let unchanged = self.watch(spec.as_ref());
        let verdict = lease::decide(spec.as_ref(), &self.me, unchanged);
        if matches!(verdict, Verdict::Wait { .. }) {
            return Ok(verdict);
        }
        let claimed = Some(lease::claimed(spec.as_ref(), &self.me, self.clock.now()));
        if let Some(lease) = found {
            let next = Lease {
                spec: claimed,
                ..lease
            };
            self.leases.replace(LEASE_NAME, &params(), &next).await?;
        } else {
            let metadata = ObjectMeta {
                name: Some(LEASE_NAME.to_owned()),
                ..ObjectMeta::default()
            };
            let next = Lease {
                metadata,
                spec: claimed,
            };
            self.leases.create(&params(), &next).await?;
        }
        Ok(verdict)
    }

    /// How long this process has seen the lease stay as it is.
    fn watch(&mut self, spec: Option<&LeaseSpec>) -> Duration {
        match (&self.seen, spec) {
            (Some((seen, since)), Some(spec)) if seen == spec => since.elapsed(),
            (_, spec) => {
                self.seen = spec.map(|spec| (spec.clone(), Instant::now()));
                Duration::ZERO
            }
        }
    }
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// Who this process is: the pod's name and something that a restarted container does not share.
pub fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "jwthttpapi".to_owned());
    format!("{host}_{:016x}", fastrand::u64(..))
}
