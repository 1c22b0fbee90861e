//! APIs of this cluster that belong to no object any more: reported, and deleted where the installer wants that.
//!
//! An object's end takes its API along, unless somebody takes its finalizer off. What is then left carries the object's tags.
//! It is an orphan when two complete live lists of all objects, an hour apart, lack its uid; a list that fails says nothing.

use super::{aim::elsewhere, context::Context, events, expected::STALE_LIST, remains};
use crate::aws::{self, Extent, Fault, Session, Urgency};
use futures::FutureExt;
use jwthttpapi_core::{
    api::{DeletionPolicy, JwtHttpApi},
    model::{Owner, name::Place, observed, owner::Claim},
    plan::Plan,
    planted,
};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, ResourceExt,
    api::{ListParams, PartialObjectMeta},
};
use remains::Removal;
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How long an API's object must have been missing.
const AGE: Duration = Duration::from_hours(1);
/// How long one orphan's removal may take.
const REMOVAL: Duration = Duration::from_secs(30);
/// How long its last request may wait at least, also where lists are taken not to lag.
const SOON: Duration = Duration::from_secs(1);

/// Objects in one answer of a list.
const PAGE: u32 = 50;

/// Looks for orphans once in every period of resyncs, until stopped, while this process leads.
pub(crate) async fn sweep(ctx: Arc<Context>, stop: CancellationToken) {
    let Some(kube_system) = ctx.cluster.kube_system.clone() else {
        // Which APIs are those of other operators in the same cluster cannot be told.
        return;
    };
    let mut missing = Missing::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ctx.resync()) => {}
        }
        if !ctx.leads() {
            missing = Missing::default();
            continue;
        }
        for region in regions(&ctx) {
            let sweep = Sweep {
                ctx: &ctx,
                kube_system: &kube_system,
                stop: &stop,
            };
            // A panic stays in its look, as one of a reconcile does.
            let look = AssertUnwindSafe(sweep.region(&region, &mut missing)).catch_unwind();
            match look.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(region, error = %error, "cannot look for orphans"),
                Err(_) => ctx.metrics.panicked(),
            }
            if stop.is_cancelled() {
                return;
            }
        }
        ctx.metrics.orphans(missing.confirmed().count());
    }
}

/// Where APIs may be: in the Region of objects that name none, and wherever an object or a list was.
fn regions(ctx: &Context) -> BTreeSet<String> {
    let named = ctx.store.state().into_iter().filter_map(|object| {
        let object = object.0.as_ref().ok()?;
        object.spec.region.clone()
    });
    named
        .chain([ctx.aws.default_region().to_owned()])
        .chain(ctx.index.regions())
        .collect()
}

/// An API, and the object that it lacks. Another owner may have it next: then it lacks that one, and since later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Orphan {
    region: String,
    api: String,
    uid: String,
}

/// Since when objects were missing whose APIs are there.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<Orphan, Absence>);

/// Since when an API's object was missing, and whether that was long enough.
#[derive(Clone, Copy, Debug)]
struct Absence {
    since: Instant,
    confirmed: bool,
}

impl Missing {
    /// Takes in what two lists show together; the APIs that are orphans since now.
    fn see(
        &mut self,
        region: &str,
        suspects: &BTreeMap<String, Claim>,
        alive: &BTreeSet<String>,
    ) -> Vec<String> {
        let missing: BTreeSet<Orphan> = suspects
            .iter()
            .filter(|(_, claim)| !alive.contains(&claim.owner.uid))
            .map(|(api, claim)| Orphan {
                region: region.to_owned(),
                api: api.clone(),
                uid: claim.owner.uid.clone(),
            })
            .collect();
        self.0
            .retain(|orphan, _| orphan.region != region || missing.contains(orphan));
        let now = Instant::now();
        let mut confirmed = Vec::new();
        for orphan in missing {
            let api = orphan.api.clone();
            let absence = self.0.entry(orphan).or_insert(Absence {
                since: now,
                confirmed: false,
            });
            if !absence.confirmed && (now.duration_since(absence.since) >= AGE || planted!(OrphansAtOnce)) {
                absence.confirmed = true;
                confirmed.push(api);
            }
        }
        confirmed
    }

    fn confirmed(&self) -> impl Iterator<Item = &Orphan> {
        let confirmed = |(orphan, absence): (_, &Absence)| absence.confirmed.then_some(orphan);
        self.0.iter().filter_map(confirmed)
    }
}

/// What keeps a sweep from going on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{}", .0.message())]
    Aws(Fault),
    #[error("the objects cannot be listed: {0}")]
    Kubernetes(#[from] kube::Error),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Aws(fault)
    }
}

/// One look, of one leader.
pub(super) struct Sweep<'a> {
    pub(super) ctx: &'a Context,
    pub(super) kube_system: &'a str,
    /// Ends a look at its next step. One that is under way ends first, and the lease is given back after that.
    pub(super) stop: &'a CancellationToken,
}

impl Sweep<'_> {
    /// Looks at one Region.
    pub(super) async fn region(&self, region: &str, missing: &mut Missing) -> Result<(), Trouble> {
        let ctx = self.ctx;
        let Some(place) = self.unless_stopped(ctx.aws.place(Some(region))).await else {
            return Ok(());
        };
        let place = place?;
        if self.is_elsewhere(&place) {
            return Ok(());
        }
        let session = ctx.aws.session(&place, "orphans", Urgency::Resync);
        // AWS first: an object whose API is in the list was there before the objects are listed.
        let period = ctx.resync();
        let list = match ctx.index.recent(region, period) {
            Some(list) => list,
            None => match self.unless_stopped(ctx.index.read(region, &session)).await {
                Some(list) => list?,
                None => return Ok(()),
            },
        };
        let suspects: BTreeMap<String, Claim> = list
            .iter()
            .filter_map(|api| Some((api.id.clone(), self.ours(&api.tags)?)))
            .collect();
        if suspects.is_empty() {
            missing.see(region, &suspects, &BTreeSet::new());
            return Ok(());
        }
        let Some(alive) = self.unless_stopped(self.alive()).await else {
            return Ok(());
        };
        let alive = alive?;
        for id in missing.see(region, &suspects, &alive) {
            if let Some(claim) = suspects.get(&id) {
                self.report(&id, &claim.owner).await;
            }
        }
        if !ctx.delete_orphans {
            return Ok(());
        }
        let orphans: Vec<String> = missing
            .confirmed()
            .filter(|orphan| orphan.region == region)
            .map(|orphan| orphan.api.clone())
            .collect();
        // Among the deletions that users ask for, not before them.
        let removal = ctx.aws.session(&place, "orphans", Urgency::Delete);
        for id in orphans {
            if let Some(claim) = suspects.get(&id)
                && ctx.deletes_orphans_of(&claim.owner.uid)
                && let Err(error) = self.delete(&removal, &id, claim).await
            {
                // What keeps one keeps no other.
                tracing::warn!(region, api = id, error = %error, "cannot delete an orphan");
            }
        }
        Ok(())
    }

    /// What a read gives; nothing when the process is asked to stop meanwhile.
    async fn unless_stopped<T>(&self, read: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            found = read => Some(found),
        }
    }

    /// Whether an object says that its API is in another place than the one in which the operator acts for it: there nobody
    /// looks around.
    fn is_elsewhere(&self, place: &Place) -> bool {
        let ctx = self.ctx;
        ctx.store.state().iter().any(|object| {
            let Ok(object) = &object.0 else { return false };
            let region = object.spec.region.as_deref();
            let status = object.status.as_ref();
            region.unwrap_or_else(|| ctx.aws.default_region()) == place.region
                && status.is_some_and(|status| elsewhere(status, place, &ctx.owner(object)).is_some())
        })
    }

    /// What an API's tags say, when it is one of this very cluster that goes with its object.
    fn ours(&self, tags: &BTreeMap<String, String>) -> Option<Claim> {
        Claim::of(tags).filter(|claim| {
            claim.owner.cluster == self.ctx.cluster.id
                && claim.owner.kube_system.as_deref() == Some(self.kube_system)
                && claim.policy == Some(DeletionPolicy::Delete)
        })
    }

    /// The uids of all objects, past every cache. In pages: an object's metadata may have hundreds of kilobytes. All pages are
    /// of one moment, and a list that was cut short says nothing.
    async fn alive(&self) -> Result<BTreeSet<String>, Trouble> {
        let objects: Api<PartialObjectMeta<JwtHttpApi>> = Api::all(self.ctx.client.clone());
        let mut page = ListParams::default().limit(PAGE);
        let mut alive = BTreeSet::new();
        loop {
            let listed = objects.list_metadata(&page).await?;
            alive.extend(listed.items.iter().filter_map(ResourceExt::uid));
            match listed.metadata.continue_ {
                Some(token) if !token.is_empty() => page = page.continue_token(&token),
                _ => return Ok(alive),
            }
        }
    }

    async fn report(&self, id: &str, owner: &Owner) {
        let Owner {
            namespace, name, uid, ..
        } = owner;
        let note = if self.ctx.deletes_orphans_of(uid) {
            format!("the API {id} belongs to no object any more and is deleted with all that belongs to it")
        } else {
            format!(
                "the API {id} belongs to no object any more; apply the object of this name again to take it over, or run the operator with --delete-orphans=true; deleted by hand, the API leaves its roles, functions and log groups behind"
            )
        };
        tracing::warn!(api = id, %namespace, %name, %uid, "{note}");
        let gone = ObjectReference {
            api_version: Some("jwthttpapi.dev/v1alpha1".to_owned()),
            kind: Some("JwtHttpApi".to_owned()),
            namespace: Some(namespace.clone()),
            name: Some(name.clone()),
            uid: Some(uid.clone()),
            ..ObjectReference::default()
        };
        events::publish_on(self.ctx, &gone, true, "OrphanFound", note).await;
    }

    /// Deletes an orphan: the API last, by which the rest is found again if this is cut.
    async fn delete(&self, session: &Session, id: &str, claim: &Claim) -> Result<(), Trouble> {
        let ctx = self.ctx;
        let deadline = Instant::now() + REMOVAL;
        let owner = &claim.owner;
        let Some(api) = self.still_orphan(session, id, claim).await? else {
            return Ok(());
        };
        let cut = || !ctx.leads() || self.stop.is_cancelled();
        let apis = BTreeSet::from([session.place().execute_api_arn(id)]);
        loop {
            let seen = remains::see(session, owner, &api.integrations);
            let Some(seen) = self.unless_stopped(seen).await else {
                return Ok(());
            };
            let mut seen = seen?;
            seen.lineage.clone_from(&apis);
            let removed = remains::take_away(session, owner, &seen, &cut, deadline).await;
            match removed.map_err(|(_, fault)| fault)? {
                Removal::Empty => break,
                // It has to be seen gone before the API goes.
                Removal::Done if Instant::now() < deadline => {
                    let _ = self.unless_stopped(sleep(STALE_LIST)).await;
                }
                Removal::Done | Removal::Cut => return Ok(()),
            }
        }
        // All that took its time, and somebody may have taken the API over meanwhile. Who does so from now on announces it and waits
        // for longer than a deletion takes that is sent until then.
        let until_taken = ctx.periods.settle.saturating_sub(aws::WRITE_TIMEOUT).max(SOON);
        let deadline = deadline.min(Instant::now() + until_taken);
        if self.still_orphan(session, id, claim).await?.is_none() {
            return Ok(());
        }
        tracing::warn!(api = id, "deleting an orphan");
        let outcome = aws::run(session, Plan::of_deletion(id), &cut, deadline).await;
        match outcome.gravest() {
            Some((_, fault)) => Err(fault.clone().into()),
            None => Ok(()),
        }
    }

    /// The API as it is now, when it is nobody else's and nobody is about to take it over; nothing when the process stops, either.
    async fn still_orphan(
        &self,
        session: &Session,
        id: &str,
        claim: &Claim,
    ) -> Result<Option<observed::Api>, Trouble> {
        let orphan = self.unless_stopped(async {
            let api = session.observe(id, Extent::Integrations).await?;
            let ours = api.filter(|api| self.ours(&api.tags).as_ref() == Some(claim));
            let is_free = ours.is_some() && !self.is_wanted(id, &claim.owner).await?;
            Ok::<_, Trouble>(ours.filter(|_| is_free))
        });
        Ok(orphan.await.transpose()?.flatten())
    }

    /// Whether an object of the same name is about to take the API over, or has done so.
    async fn is_wanted(&self, id: &str, owner: &Owner) -> Result<bool, Trouble> {
        let objects: Api<JwtHttpApi> = Api::namespaced(self.ctx.client.clone(), &owner.namespace);
        let status = objects
            .get_opt(&owner.name)
            .await?
            .and_then(|object| object.status);
        Ok(status.is_some_and(|status| {
            let pending = status.pending.and_then(|pending| pending.api_id);
            [status.api_id, pending]
                .iter()
                .flatten()
                .any(|wanted| wanted == id)
        }))
    }
}
