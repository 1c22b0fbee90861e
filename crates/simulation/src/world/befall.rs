//! What a fault does to one request, and to the process that sends it.

use super::World;
use crate::{
    effect::{Delivery, Instance, Service},
    fault::{Fault, Sender, Side},
    outage::SLOW,
};
use k8s_openapi::jiff::SignedDuration;
use std::{future::pending, time::Duration};
use tokio::{sync::oneshot, time::sleep};

/// How late a request arrives that was on its way when its sender died, gave it up or was cut off: just within the time of a
/// write.
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

    /// A request that is on its way while its sender dies, gives it up or is cut off: it is carried out all the same.
    pub(super) async fn arrive_late<T: Send + 'static>(
        &self,
        number: usize,
        from: Instance,
        sender: Sender,
        commit: impl Future<Output = T> + Send + 'static,
    ) -> Delivery<T> {
        if sender == Sender::Dies {
            // Nobody alive knows of it: it is found when AWS is looked at next.
            self.oracle().arrives_late();
        }
        // Dropped with this future, when who sent the request waits no more.
        let (waits, given_up) = oneshot::channel::<()>();
        let world = self.clone();
        tokio::spawn(async move {
            if sender == Sender::GivesUp {
                let _ = given_up.await;
                if !world.state().alive.contains(&from) {
                    world.oracle().arrives_late();
                }
            }
            sleep(LATE).await;
            world.carry_out(number, commit).await;
        });
        match sender {
            Sender::Dies => self.crash(from).await,
            Sender::IsCutOff => Delivery::Reset,
            Sender::GivesUp => {
                let _waits = waits;
                pending().await
            }
        }
    }

    /// A request that arrives when its process, which sleeps meanwhile, wakes.
    pub(super) async fn fall_asleep<T: Send + 'static>(
        &self,
        number: usize,
        from: Instance,
        seconds: u64,
        commit: impl Future<Output = T> + Send + 'static,
    ) -> Delivery<T> {
        let alone = self.state().alive.len() < 2;
        if self.name_of(number) == "POST apis" {
            self.oracle().slept();
        } else if alone {
            self.oracle().unseen();
        } else {
            // Somebody else may have made the same meanwhile.
            self.oracle().arrives_late();
        }
        self.state().paused.insert(from);
        self.announce();
        let world = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(seconds)).await;
            world.carry_out(number, commit).await;
            world.state().paused.remove(&from);
            world.0.resumed.notify_waiters();
        });
        pending().await
    }

    /// A request that is carried out late, whether its sender still waits for an answer or not.
    pub(super) async fn carry_out_slowly<T: Send + 'static>(
        &self,
        number: usize,
        from: Instance,
        commit: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let world = self.clone();
        let answer = tokio::spawn(async move {
            sleep(SLOW).await;
            // What is on its way when its sender dies arrives sooner, or never.
            let lives = world.state().alive.contains(&from);
            if !lives {
                return None;
            }
            Some(world.carry_out(number, commit).await)
        });
        match answer.await {
            Ok(Some(answer)) => answer,
            _ => pending().await,
        }
    }
}
