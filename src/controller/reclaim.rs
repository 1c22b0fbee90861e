//! Taking over the API that an object of the same name left behind, by an intent like that of a creation.

use super::{
    aim::elsewhere,
    context::Context,
    error::Error,
    establish::{Established, Scene, awaited, creation},
    expected::STALE_LIST,
    pass::{Next, Pass},
    record::Record,
};
use crate::aws;
use jwthttpapi_core::{
    api::{Draft, Pending, PendingOperation, Reason},
    plan::{Candidate, Plan, Planned, Reclaimable, Refs, Step},
    planted,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

impl Scene<'_> {
    /// The one that may be taken over.
    pub(super) fn reclaimable<'a>(
        &self,
        ctx: &Context,
        apis: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>)>,
    ) -> Option<Reclaimable> {
        planted!(NeverReclaims => {
            return None;
        });
        let cluster = &ctx.cluster;
        Reclaimable::find(&self.aim.owner, apis, |kube_system| cluster.is_ours(kube_system))
    }

    /// Makes a predecessor's API the object's own, by one write, if object and API are still as they were.
    pub(super) async fn take_over(
        &self,
        pass: &mut Pass<'_>,
        left: Reclaimable,
    ) -> Result<Established, Error> {
        let owner = &self.aim.owner;
        let status = pass.record.status();
        let live = Record::read(&pass.ctx.client, &owner.namespace, &owner.name).await?;
        let same = |live: &Record| {
            live.uid() == owner.uid
                && !live.is_deleting()
                && live.status().pending == status.pending
                && elsewhere(&live.status(), &self.aim.place, owner).is_none()
        };
        if !live.as_ref().is_some_and(same) {
            return Err(Error::Conflict);
        }
        let api = self.session.api(&left.id).await?;
        let still = api
            .as_ref()
            .and_then(|api| self.reclaimable(pass.ctx, std::iter::once((api.id.as_str(), &api.tags))));
        if still.as_ref() != Some(&left) {
            pass.findings.programmed = Draft::no(Reason::AwaitingVisibility, awaited(&status));
            return Ok(Established::Not(Next::After(STALE_LIST)));
        }
        let nonce = status.nonce.clone().unwrap_or_else(|| self.aim.nonce.clone());
        let tags = owner.tags(&nonce, pass.record.spec().deletion_policy());
        let plan = Plan {
            refs: Refs {
                api: Some(left.id.clone()),
                ..Refs::default()
            },
            steps: vec![Planned {
                settled: None,
                step: Step::TagApi(tags),
                after: BTreeSet::new(),
                tightens: false,
            }],
        };
        let cut = || pass.ctx.outdated(pass.record.object());
        let deadline = Instant::now() + pass.ctx.periods.settle.max(aws::WRITE_TIMEOUT);
        let outcome = aws::run(self.session, plan, &cut, deadline).await;
        if outcome.cut {
            // Nothing was sent, so that nothing is on its way.
            return Ok(Established::Not(pass.was_cut_until(deadline, false)));
        }
        pass.memory.unsettled = Some(Instant::now());
        if let Some((_, fault)) = outcome.gravest() {
            return Err(fault.clone().into());
        }
        tracing::info!(api = %left.id, from = %left.from, "took over the API of a predecessor");
        let found = Candidate {
            created: String::new(),
            id: left.id,
            nonce: Some(nonce),
        };
        self.store(pass, found).await
    }
}

/// The intent to take an API over.
pub(super) fn reclaim(ctx: &Context, left: Reclaimable) -> Pending {
    Pending {
        operation: PendingOperation::ReclaimApi,
        api_id: Some(left.id),
        from_uid: Some(left.from),
        ..creation(ctx)
    }
}
