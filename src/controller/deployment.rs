//! Automatic deployments: asynchronous, one after the other, and their failure visible only in the stage.
//!
//! Every write of a route, an integration, an authorizer or a stage is deployed by itself, some time later (O).
//! A new deployment proves that AWS serves our last write only if no other one was on its way. Otherwise no read can prove it, and
//! `--deploy-settle` is waited for.

use super::{context::Memory, error::Error, pass::Pass};
use crate::aws::{Fault, Outcome, Session};
use jwthttpapi_core::{
    model::{
        name::DEFAULT_STAGE,
        observed::{Api, Stage},
    },
    plan::Step,
    planted,
};
use std::time::Duration;
use tokio::time::Instant;

/// How much longer each pause between two reads of the stage is than the one before: 0.5, 1, 1.5 and 2 s make the 5 s that
/// `--deploy-settle` is unless set.
const LONGER: Duration = Duration::from_millis(500);

fn stage(api: &Api) -> Option<&Stage> {
    api.stages.iter().find(|stage| stage.name == DEFAULT_STAGE)
}

fn deployment(stage: Option<&Stage>) -> Option<&str> {
    stage.and_then(|stage| stage.deployment_id.as_deref())
}

/// The deployments of an object's API that may be on their way.
#[derive(Clone, Debug)]
pub(crate) enum Deployments {
    /// None is.
    Settled,
    /// That of one write, which was carried out at `since` at the latest; `before` it this one was served.
    One { since: Instant, before: Option<String> },
    /// Those of several writes, the last of which was carried out at `since` at the latest.
    Several { since: Instant },
}

/// Who looks for the first time knows nothing of what others wrote a moment ago.
impl Default for Deployments {
    fn default() -> Self {
        Self::Several {
            since: Instant::now(),
        }
    }
}

impl Deployments {
    /// Takes note of what a plan wrote to an API that was seen before it, in a look that began at `began`.
    pub(crate) fn wrote(
        &mut self,
        outcome: &Outcome,
        before: Option<&Api>,
        began: Instant,
        settle: Duration,
    ) {
        let Some(since) = outcome.deploying_since else {
            return;
        };
        let written: Vec<&Step> = outcome.written().filter(|step| step.deploys()).collect();
        // Nothing is deployed before there is a stage.
        let of_a_new_stage = matches!(written.last(), Some(Step::CreateStage));
        let alone = of_a_new_stage || (written.len() == 1 && self.left(settle, began).is_zero());
        *self = if alone || planted!(FirstDeployment) {
            let before = deployment(before.and_then(stage)).map(str::to_owned);
            Self::One { since, before }
        } else {
            Self::Several { since }
        };
    }

    /// How long after `at` one may still have been on its way.
    fn left(&self, settle: Duration, at: Instant) -> Duration {
        match self {
            Self::Settled => Duration::ZERO,
            Self::One { since, .. } | Self::Several { since } => {
                settle.saturating_sub(at.saturating_duration_since(*since))
            }
        }
    }

    /// How long to wait for the last of them, now that a stage was seen; nothing is waited for any more when there is no time
    /// left.
    fn see(&mut self, seen: Option<&Stage>, settle: Duration) -> Duration {
        let followed = matches!(self, Self::One { before, .. } if deployment(seen) != before.as_deref());
        let now = Instant::now();
        if followed || self.left(settle, now).is_zero() {
            *self = Self::Settled;
        }
        self.left(settle, now)
    }
}

/// What came of the last deployment.
pub(crate) enum Deployed {
    /// AWS serves what was written, as far as can be known.
    Yes,
    /// It could not be deployed.
    No(Fault),
    /// The object changed before it could be seen, the process stops, or the pass has no time left: the next one goes on.
    Cut,
}

/// Gives the deployments that are on their way the time to appear, if they are `awaited`.
pub(crate) async fn deployed(
    pass: &mut Pass<'_>,
    session: &Session,
    api: &Api,
    awaited: bool,
) -> Result<Deployed, Error> {
    let Pass {
        ctx,
        record,
        memory: Memory { deployments, .. },
        deadline,
        ..
    } = pass;
    let mut seen = stage(api).cloned();
    let mut pause = Duration::ZERO;
    loop {
        let left = if awaited {
            deployments.see(seen.as_ref(), ctx.periods.deploy_settle)
        } else {
            Duration::ZERO
        };
        if left.is_zero() {
            break;
        }
        pause += LONGER;
        if ctx.outdated(record.object()) || Instant::now() + pause.min(left) >= *deadline {
            return Ok(Deployed::Cut);
        }
        tokio::time::sleep(pause.min(left)).await;
        seen = session.stage(&api.id, DEFAULT_STAGE).await?;
    }
    let failure = seen.as_ref().and_then(Stage::deployment_failure);
    planted!(DeafToFailures => {
        return Ok(Deployed::Yes);
    });
    Ok(failure.map_or(Deployed::Yes, |text| Deployed::No(Fault::of_deployment(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(5);

    fn second(n: u64) -> Instant {
        static BEGAN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        *BEGAN + Duration::from_secs(n)
    }

    fn shown(deployment: &str) -> Api {
        Api {
            stages: vec![Stage {
                name: DEFAULT_STAGE.to_owned(),
                deployment_id: Some(deployment.to_owned()),
                ..Stage::default()
            }],
            ..Api::default()
        }
    }

    /// After a write that ended in one second, and another one after a look that began in another.
    fn after(first: u64, began: u64, ended: u64) -> Deployments {
        let mut deployments = Deployments::Several { since: second(first) };
        let outcome = Outcome {
            done: vec![Step::UpdateStage],
            deploying_since: Some(second(ended)),
            ..Outcome::default()
        };
        deployments.wrote(&outcome, Some(&shown("before")), second(began), SETTLE);
        deployments
    }

    #[test]
    fn a_write_was_alone_if_none_was_on_its_way_when_the_look_before_it_began() {
        assert!(matches!(after(0, 5, 6), Deployments::One { since, .. } if since == second(6)));
        // What that look did not show may have come before the write.
        assert!(matches!(after(0, 4, 6), Deployments::Several { since } if since == second(6)));
    }
}
