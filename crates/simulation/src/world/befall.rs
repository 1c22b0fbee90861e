//! What a fault does to one request, and to the process that sends it.

use super::World;
use crate::{
    effect::{Delivery, Instance, Service},
    fault::{Fault, Side},
};
use k8s_openapi::jiff::SignedDuration;
use std::{future::pending, time::Duration};
use tokio::time::sleep;

/// How late a request arrives that was on its way when its sender died or gave it up: just within the time of a write.
const LATE: Duration = Duration::from_millis(4_900);

/// Requests that no reconcile sends.
const OUTSIDE: [&str; 6] = [
    "Get namespaces",
    "List jwthttpapis",
    "Watch jwthttpapis",
    "Get leases",
    "Create leases",
    "Replace leases",
];

impl World {
    /// What a fault does to a request before or after it is carried out; none when it goes on.
    pub(super) async fn befall<T>(
        &self,
        number: usize,
        from: Instance,
        service: Service,
        fault: &Fault,
        side: Side,
    ) -> Option<Delivery<T>> {
        match fault {
            Fault::Crash(at) if *at == side => self.crash(from).await,
            Fault::Hang(at) if *at == side => pending().await,
            Fault::Reset(at) if *at == side => Some(Delivery::Reset),
            Fault::Status(at, status) if *at == side => Some(Delivery::Status(*status)),
            Fault::Panic if side == Side::Before => {
                let name = self.name_of(number);
                let reconciles = service == Service::Aws || !OUTSIDE.contains(&name.as_str());
                self.state().panics |= !reconciles;
                // Not by `panic!`, whose hook would write to the terminal of a sweep.
                std::panic::resume_unwind(Box::new(format!("the panic at effect {number}")))
            }
            Fault::Terminate if side == Side::Before => {
                self.state().terminated.insert(from);
                self.announce();
                None
            }
            Fault::Skew(seconds) if side == Side::Before => {
                self.state().skew = SignedDuration::from_secs(*seconds);
                None
            }
            Fault::Deed(deed) if side == Side::Before => {
                let (world, deed) = (self.clone(), deed.clone());
                // Whole, also when who sent this request gives it up meanwhile.
                let done = tokio::spawn(async move { world.perform(&deed).await }).await;
                if let Some(panic) = done.err().and_then(|error| error.try_into_panic().ok()) {
                    std::panic::resume_unwind(panic);
                }
                None
            }
            _ => None,
        }
    }

    fn name_of(&self, number: usize) -> String {
        let state = self.state();
        let effect = state.journal.get(number);
        effect.map_or_else(String::new, |effect| effect.name.clone())
    }

    async fn crash<T>(&self, from: Instance) -> T {
        {
            let mut state = self.state();
            state.alive.remove(&from);
            state.crashed.insert(from);
        }
        self.announce();
        pending().await
    }

    /// A request that is on its way while its sender dies, sleeps, or gives it up: it is carried out all the same.
    pub(super) async fn detach<T: Send + 'static>(
        &self,
        number: usize,
        from: Instance,
        fault: Option<Fault>,
        commit: impl Future<Output = T> + Send + 'static,
    ) -> Delivery<T> {
        let crash = matches!(fault, Some(Fault::Late { crash: true }));
        if crash {
            // Nobody alive knows of it: it is found when AWS is looked at next.
            self.oracle().arrives_late();
        }
        let pause = match fault {
            Some(Fault::Pause { seconds }) => Some(Duration::from_secs(seconds)),
            _ => None,
        };
        if pause.is_some() {
            self.0.oracle.slept();
            self.state().paused.insert(from);
            self.announce();
        }
        let world = self.clone();
        tokio::spawn(async move {
            sleep(pause.unwrap_or(LATE)).await;
            world.commit(commit).await;
            world.carried_out(number);
            if pause.is_some() {
                world.state().paused.remove(&from);
                world.0.resumed.notify_waiters();
            }
        });
        if crash {
            self.crash(from).await
        } else {
            pending().await
        }
    }
}
