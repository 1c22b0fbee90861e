//! Leadership by a Lease: who holds it may write to AWS, until ten seconds after the start of its last renewal.
//!
//! Everything is decided by [`jwthttpapi_core::lease`]; here are the requests, the pauses and the clock. The lease is no lock:
//! the protocol holds with two leaders. It keeps them rare and writes by a deposed one bounded.

use crate::{clock::Clock, fence::Fence, metrics::Metrics};
use jwthttpapi_core::{
    api::FIELD_MANAGER,
    lease::{self, Effect, Event, Found, Loss, TERMS},
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

/// One replica's part in the election.
pub struct Elector {
    leases: Api<Lease>,
    me: String,
    fence: Fence,
    metrics: Metrics,
    clock: Clock,
    state: lease::Elector,
    /// What its times count from.
    origin: Instant,
}

/// Why leading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The process was asked to stop.
    Stopped,
    /// The lease was not renewed in time, or somebody else holds it.
    Lost,
}

/// What follows a look at the lease.
enum Next {
    Rest(Duration),
    Ended,
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
            state: lease::Elector::new(TERMS),
            origin: Instant::now(),
        }
    }

    /// Waits until the lease is this replica's; false when stopped before.
    pub async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        loop {
            let wait = match self.run(Event::Look).await {
                Next::Rest(_) if self.leads() => return true,
                Next::Rest(wait) => wait,
                Next::Ended => TERMS.retry,
            };
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return false;
            }
        }
    }

    /// Renews until stopped or lost.
    pub async fn keep(&mut self, stop: &CancellationToken) -> Ended {
        let mut wait = TERMS.retry;
        loop {
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return Ended::Stopped;
            }
            match self.run(Event::Look).await {
                Next::Rest(next) => wait = next,
                Next::Ended => return Ended::Lost,
            }
        }
    }

    /// Gives the lease back, so that a follower need not wait for it to run out.
    pub async fn release(&mut self) {
        self.run(Event::Leave).await;
    }

    /// Does what follows from `event`, up to the next rest.
    async fn run(&mut self, event: Event<'_>) -> Next {
        let mut read = None;
        let mut effect = self.tell(event);
        loop {
            effect = match effect {
                Effect::Read => match self.leases.get_opt(LEASE_NAME).await {
                    Ok(lease) => {
                        let effect =
                            self.tell(Event::Read(lease.as_ref().map(|lease| found(lease, &self.me))));
                        read = lease;
                        effect
                    }
                    Err(error) => self.failed("cannot read the lease", &error),
                },
                Effect::Claim => {
                    let claimed = lease::claimed(spec(read.as_ref()), &self.me, self.clock.now());
                    self.write(read.take(), claimed).await
                }
                Effect::Release => {
                    let released = lease::released(spec(read.as_ref()), self.clock.now());
                    self.write(read.take(), released).await
                }
                Effect::Rest(wait) => return Next::Rest(wait),
                Effect::Lost(Loss::Taken(holder)) => {
                    tracing::error!(%holder, "somebody else holds the lease");
                    return Next::Ended;
                }
                Effect::Lost(Loss::Expired) => {
                    tracing::error!("the lease could not be renewed in time");
                    return Next::Ended;
                }
                Effect::Left => return Next::Ended,
            }
        }
    }

    fn failed(&mut self, what: &str, error: &kube::Error) -> Effect {
        tracing::warn!(error = error as &dyn std::error::Error, "{what}");
        self.tell(Event::Failed)
    }

    /// Lets the state take the event, and opens or closes the fence accordingly.
    fn tell(&mut self, event: Event<'_>) -> Effect {
        let led = self.leads();
        let effect = self.state.on(event, self.origin.elapsed());
        match self.state.writes_until() {
            Some(until) => self.fence.renew(self.origin + until),
            None => self.fence.close(),
        }
        if self.leads() != led {
            self.metrics.leading(!led);
        }
        effect
    }

    fn leads(&self) -> bool {
        self.state.writes_until().is_some()
    }

    /// Writes the lease on the version read, so that of two who take it at once one fails.
    async fn write(&mut self, read: Option<Lease>, spec: LeaseSpec) -> Effect {
        let new = read.is_none();
        let metadata = read.map_or_else(
            || ObjectMeta {
                name: Some(LEASE_NAME.to_owned()),
                ..ObjectMeta::default()
            },
            |lease| lease.metadata,
        );
        let lease = Lease {
            metadata,
            spec: Some(spec),
        };
        let written = if new {
            self.leases.create(&params(), &lease).await
        } else {
            self.leases.replace(LEASE_NAME, &params(), &lease).await
        };
        match written {
            Ok(_) => self.tell(Event::Written),
            Err(error) => self.failed("cannot write the lease", &error),
        }
    }
}

fn spec(lease: Option<&Lease>) -> Option<&LeaseSpec> {
    lease.and_then(|lease| lease.spec.as_ref())
}

fn found<'a>(lease: &'a Lease, me: &str) -> Found<'a> {
    Found {
        holder: lease::holder(spec(Some(lease)), me),
        version: lease.metadata.resource_version.as_deref().unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{ApiServer, Trouble};
    use http::Method;
    use prometheus_client::registry::Registry;
    use serde_json::json;

    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/system/leases";

    /// A replica that leads.
    async fn leader(server: &ApiServer) -> Elector {
        let metrics = Metrics::new(&mut Registry::default());
        let (me, fence, clock) = ("one".to_owned(), Fence::closed(), Clock::system());
        let mut elector = Elector::new(server.client(), "system", me, fence, metrics, clock);
        assert!(elector.acquire(&CancellationToken::new()).await);
        elector
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_leads_until_it_is_stopped() {
        let mut leader = leader(&ApiServer::default()).await;
        let stop = CancellationToken::new();
        let stopped = async {
            sleep(Duration::from_secs(60)).await;
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(leader.keep(&stop), stopped);
        assert_eq!(ended, Ended::Stopped);
        assert!(leader.leads() && leader.fence.allows(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_whose_lease_is_taken_or_cannot_be_renewed_has_lost_it() {
        for taken in [true, false] {
            let server = ApiServer::default();
            let mut leader = leader(&server).await;
            let path = format!("{LEASES}/{LEASE_NAME}");
            if taken {
                let mut lease = server.get(&path).unwrap();
                lease["spec"]["holderIdentity"] = json!("another");
                server.put(&path, lease);
            } else {
                server.trouble(Method::PUT, LEASE_NAME, Trouble::Refusal(500, "InternalError"));
            }
            let ended = leader.keep(&CancellationToken::new()).await;
            assert_eq!(ended, Ended::Lost, "taken: {taken}");
            assert!(!leader.leads() && !leader.fence.allows(Instant::now()));
        }
    }
}
