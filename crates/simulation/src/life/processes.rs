//! The processes of a life: started, buried, followed by others, stopped.

use super::{LIMIT, Life};
use crate::{instance, oracle::Rule};
use jwthttpapi::run::Error;
use std::time::Duration;
use tokio::time::timeout;

/// How long a process takes to come back.
const RESTART: Duration = Duration::from_secs(1);

impl Life<'_> {
    /// Starts the processes.
    pub(crate) fn start(&mut self) {
        for _ in 0..self.scenario.replicas {
            let running = instance::start(&self.world, &self.settings);
            self.running.push(running);
        }
    }

    /// Buries the dead and starts their successors.
    pub(super) async fn mind_processes(&mut self) {
        for instance in self.world.take_terminated() {
            for running in self.running.iter().filter(|running| running.instance == instance) {
                running.stop.cancel();
                self.asked_to_stop.insert(instance);
            }
        }
        let crashed = self.world.take_crashed();
        let mut alive = Vec::new();
        for mut running in std::mem::take(&mut self.running) {
            let died = crashed.contains(&running.instance);
            if !died && !running.ended.is_finished() {
                alive.push(running);
                continue;
            }
            self.world.end(running.instance);
            running.ended.abort();
            match (&mut running.ended).await {
                Ok(Err(error)) if error.exit_code() == 2 => {
                    let how = format!("a process refused its settings: {error}");
                    self.oracle.violated(Rule::Alive, how);
                }
                Ok(Ok(())) if self.asked_to_stop.remove(&running.instance) => {}
                Ok(Err(Error::Kubernetes(_) | Error::LeadershipLost)) if !self.undisturbed => {}
                // Killed just now.
                Err(error) if error.is_cancelled() => {}
                ended if !self.world.state().panics => {
                    let how = format!("a process ended by itself: {ended:?}");
                    self.oracle.violated(Rule::Alive, how);
                }
                _ => {}
            }
            tokio::time::sleep(RESTART).await;
            alive.push(instance::start(&self.world, &self.settings));
        }
        self.running = alive;
    }

    pub(super) async fn stop(&mut self) {
        for running in &self.running {
            running.stop.cancel();
        }
        for running in &mut self.running {
            match timeout(Duration::from_secs(60), &mut running.ended).await {
                Ok(Ok(Ok(()))) => {}
                // It may not have come up again after a fault near the end.
                Ok(Ok(Err(Error::Kubernetes(_) | Error::LeadershipLost))) => {}
                // The panic came when it was to end.
                Ok(Err(error)) if error.is_panic() && self.world.state().panics => {}
                Ok(ended) => self
                    .oracle
                    .violated(Rule::Alive, format!("a process did not end well: {ended:?}")),
                Err(_) => {
                    running.ended.abort();
                    self.oracle
                        .violated(Rule::Alive, "a process did not end when it was asked to");
                }
            }
        }
        // Aborted tasks go when the runtime next runs, and those of deeds when they are undone.
        tokio::time::sleep(LIMIT).await;
        let left = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        if left > 0 {
            self.oracle
                .violated(Rule::Alive, format!("{left} tasks are left"));
        }
    }
}
