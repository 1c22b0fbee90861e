//! Second APIs of one object: removed with complete proof only, and only long after the kept one was stored.

use super::{
    aim::{Aim, elsewhere},
    error::Error,
    establish::{Scene, ambiguous, proven},
    pass::Pass,
    record::Record,
};
use crate::aws::{self, Fault};
use jwthttpapi_core::{
    model::{Proof, observed::Api},
    plan::Plan,
    planted,
};

impl Scene<'_> {
    /// Looks into the shared list, reading it when its period is over, and deletes duplicates of complete proof.
    ///
    /// The caller has read the object live, with the id in its status, and has seen the API of that id alive. Gives the id of the first
    /// that could not be deleted, and why: all else that the pass has to say does not depend on it.
    pub(super) async fn remove_duplicates(
        &self,
        pass: &Pass<'_>,
        kept: Option<&Api>,
    ) -> Result<Option<(String, Fault)>, Error> {
        let Pass {
            ctx,
            record,
            deadline,
            ..
        } = pass;
        let Self { session, aim } = *self;
        planted!(KeepDuplicates => {
            return Ok(None);
        });
        let Aim { owner, place, .. } = aim;
        let status = record.status();
        let (Some(kept), Some(nonce)) = (kept, status.nonce.as_deref()) else {
            return Ok(None);
        };
        let period = ctx.resync();
        if ctx.index.claim(&place.region, period)
            && let Err(fault) = ctx.index.read(&place.region, session).await
        {
            // This failure is not about this object, which only happens to be the one that reads the shared list.
            tracing::warn!(error = %fault, "no list of all APIs: duplicates and orphans are not looked for");
            return Ok(None);
        }
        let Some(list) = ctx.index.recent(&place.region, period) else {
            return Ok(None);
        };
        let mut others = proven(owner, &list);
        others.retain(|candidate| candidate.id != kept.id);
        // AWS lists in no order, and which of them is told of must not depend on it.
        others.sort();
        if others.is_empty() || owner.proof(&kept.tags, Some(nonce)) != Proof::Complete {
            return Ok(None);
        }
        // The list may be old, and so may be what this pass knows: both are read again before anything is deleted.
        let (namespace, name) = (&owner.namespace, &owner.name);
        let Some(live) = Record::read(&ctx.client, namespace, name).await? else {
            return Err(Error::Conflict);
        };
        if live.uid() != owner.uid
            || live.is_deleting()
            || live.status().api_id.as_ref() != Some(&kept.id)
            || elsewhere(&live.status(), place, owner).is_some()
        {
            return Err(Error::Conflict);
        }
        let mut failed = None;
        for other in others {
            let api = match session.api(&other.id).await {
                Ok(Some(api)) => api,
                Ok(None) => continue,
                Err(fault) => {
                    failed.get_or_insert((other.id, fault));
                    continue;
                }
            };
            if owner.proof(&api.tags, Some(nonce)) == Proof::Complete {
                tracing::warn!(api = %other.id, kept = %kept.id, "deleting a duplicate of the object's API");
                let plan = Plan::of_deletion(&other.id);
                let outcome = aws::run(session, plan, &|| ctx.outdated(live.object()), *deadline).await;
                if let Some((_, fault)) = outcome.gravest() {
                    failed.get_or_insert_with(|| (other.id.clone(), fault.clone()));
                }
                if outcome.is_complete() {
                    ctx.metrics.duplicate_removed();
                }
            } else if owner.proof(&api.tags, None) == Proof::Ours {
                ctx.metrics.refused();
                tracing::warn!("{}", ambiguous(&[kept.id.clone(), other.id]));
            }
        }
        Ok(failed)
    }
}
