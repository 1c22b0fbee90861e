//! Which API is the object's: the protocol that loses none and makes none twice, with its reads and writes.

use super::{
    ahead::Ahead,
    aim::Aim,
    context::{Context, Memory},
    error::Error,
    expected::STALE_LIST,
    pass::{Next, Pass},
    reclaim::reclaim,
    record::Record,
};
use crate::aws::{ListedApi, Session};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Pending, PendingOperation, Reason, report},
    model::{
        Owner, Proof,
        observed::Api,
        owner::{self, Claim},
    },
    plan::{Candidate, Identity, Intent, Known, Lookup, Reclaimable, identify},
    planted,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

/// Where a pass acts, and to what end.
pub(crate) struct Scene<'a> {
    pub(crate) session: &'a Session,
    pub(crate) aim: &'a Aim,
}

/// What a read of the stored id gave.
pub(crate) enum Seen {
    /// No id is stored.
    NoId,
    /// There is no API of this id.
    Missing,
    /// There is one.
    Api(Box<Api>),
}

/// What a list showed.
struct Listed {
    own: Vec<Candidate>,
    reclaimable: Option<Reclaimable>,
}

/// How it ended.
pub(crate) enum Established {
    /// This API is the object's.
    Api(Box<Api>),
    /// This one was made for it just now.
    Made(Box<Api>),
    /// The pass ends here.
    Not(Next),
}

impl Scene<'_> {
    /// Finds, or makes, the object's API. `seen` is what a read of the stored id gave.
    pub(crate) async fn establish(&self, pass: &mut Pass<'_>, seen: Seen) -> Result<Established, Error> {
        // The pass that adds the finalizer is the only one that knows that nobody created before it.
        let mut fresh = false;
        let began = Instant::now();
        heed(&pass.record.status(), &mut pass.memory);
        let mut listed: Option<Listed> = None;
        let lookup = match &seen {
            Seen::NoId => Lookup::NoId,
            Seen::Missing => Lookup::Missing,
            Seen::Api(_) if planted!(TrustedId) => Lookup::Found(Proof::Complete),
            Seen::Api(api) => Lookup::Found(
                self.aim
                    .owner
                    .proof(&api.tags, pass.record.status().nonce.as_deref()),
            ),
        };
        loop {
            let status = pass.record.status();
            let settled = planted!(NoSettleWait)
                || pass
                    .memory
                    .unsettled
                    .is_some_and(|since| began.saturating_duration_since(since) >= pass.ctx.periods.settle);
            let decision = identify(&Known {
                lookup,
                nonce: status.nonce.as_deref(),
                pending: intent(&status),
                fresh,
                settled,
                listed: listed.as_ref().map(|listed| listed.own.as_slice()),
                reclaimable: listed.as_ref().and_then(|listed| listed.reclaimable.as_ref()),
            });
            match decision {
                Identity::Verified => {
                    pass.memory.unsettled = None;
                    pass.memory.refused = None;
                    return Ok(match seen {
                        Seen::Api(api) => Established::Api(api),
                        Seen::NoId | Seen::Missing => Established::Not(Next::Now),
                    });
                }
                Identity::List => listed = Some(self.list(pass.ctx).await?),
                Identity::Store(found) => return self.store(pass, found).await,
                Identity::WriteIntent => {
                    if begin(&mut pass.record, &pass.memory).await? {
                        fresh = true;
                        pass.memory.unseen.is_the_first();
                    }
                    // Not from what was waited for before: an API that was seen then may have become invisible only now.
                    pass.memory.unsettled = None;
                    let nonce = fresh.then(|| self.aim.nonce.clone());
                    self.write_intent(pass, creation(pass.ctx), nonce).await?;
                }
                Identity::WriteReclaim(left) => {
                    let first = begin(&mut pass.record, &pass.memory).await?;
                    // Whatever was on its way to that API by the hand of its last owner, or of who looks for orphans, must have
                    // arrived: that is counted from when everybody can see who takes it over.
                    pass.memory.unsettled = None;
                    let nonce = first.then(|| self.aim.nonce.clone());
                    tracing::info!(api = %left.id, from = %left.from, "taking over the API of a predecessor");
                    self.write_intent(pass, reclaim(pass.ctx, left), nonce).await?;
                }
                Identity::WriteNonce => {
                    let nonce = Some(self.aim.nonce.clone());
                    let pending = status.pending.unwrap_or_else(|| creation(pass.ctx));
                    self.write_intent(pass, pending, nonce).await?;
                }
                Identity::Reclaim(left) => {
                    return self.take_over(pass, left).await;
                }
                Identity::Create => return self.create(pass, fresh).await,
                Identity::Wait => {
                    let since = *pass.memory.unsettled.get_or_insert_with(Instant::now);
                    let left = pass.ctx.periods.settle.saturating_sub(since.elapsed());
                    let refused = pass.memory.refused.clone();
                    pass.findings.waits = true;
                    pass.findings.programmed = match refused {
                        Some((generation, why)) if generation == pass.record.generation() => why,
                        _ => Draft::no(Reason::AwaitingVisibility, awaited(&status)),
                    };
                    return Ok(Established::Not(Next::After(left.max(STALE_LIST))));
                }
                Identity::Ambiguous(ids) => {
                    pass.ctx.metrics.refused();
                    pass.findings.programmed = Draft::no(Reason::AmbiguousOwnership, ambiguous(&ids));
                    return Ok(Established::Not(Next::Backoff));
                }
            }
        }
    }

    /// Makes the API, and stores its id at once. `fresh` is a pass that knows that nobody can have made one before.
    async fn create(&self, pass: &mut Pass<'_>, fresh: bool) -> Result<Established, Error> {
        if !fresh && !planted!(EachCreates) {
            // Of several processes that waited the one creates that writes the intent anew. The others are refused by its
            // version, and wait once more.
            self.write_intent(pass, creation(pass.ctx), None).await?;
        }
        planted!(AckShape => {
            if !pass.record.has_finalizer() {
                pass.record.add_finalizer().await?;
            }
        });
        let cut = || pass.ctx.outdated(pass.record.object());
        let wanted = &self.aim.desired.api;
        // From now on, should this pass end meanwhile, and else from its end: when its turn in the budget came, and it was sent, is
        // not known here. Where nothing was sent, what was waited for before is all that there is to wait for.
        let waited = pass.memory.unsettled.replace(Instant::now());
        let created = self.session.create_api(wanted, &cut, pass.deadline).await;
        let sent = !matches!(created, Ok(None));
        pass.memory.unsettled = if sent { Some(Instant::now()) } else { waited };
        planted!(FinalizerDropped => {
            if created.is_err() {
                pass.record.remove_finalizer().await?;
            }
        });
        let nothing = created.as_ref().err().filter(|fault| !fault.may_have_committed());
        let why = nothing.map(|fault| Draft::no(fault.reason(), fault.message()));
        pass.memory.refused = why.map(|why| (pass.record.generation(), why));
        let Some(api) = created? else {
            return Ok(Established::Not(pass.was_cut(false)));
        };
        let status = pass.record.status();
        let nonce = if planted!(AckShape) {
            Some(self.aim.nonce.clone())
        } else {
            status.nonce.clone()
        };
        let next = JwtHttpApiStatus {
            api_id: Some(api.id.clone()),
            nonce,
            ..status
        };
        let now = pass.ctx.clock.time();
        pass.record.write_midway(next, &pass.findings, &now).await?;
        tracing::info!(api = %api.id, "created the API");
        Ok(Established::Made(Box::new(api)))
    }

    /// What a list shows now: APIs that carry proof of the owner, and one that a predecessor left.
    async fn list(&self, ctx: &Context) -> Result<Listed, Error> {
        let list = ctx.index.read(&self.aim.place.region, self.session).await?;
        let owner = &self.aim.owner;
        let reclaimable = self.reclaimable(ctx, list.iter().map(|api| (api.id.as_str(), &api.tags)));
        let before = |api: &ListedApi| Claim::of(&api.tags).is_some_and(|claim| owner.succeeds(&claim.owner));
        if reclaimable.is_none() && list.iter().any(before) {
            tracing::warn!(
                "an API of a predecessor of this object is left alone: it is of another cluster, or not the only one"
            );
        }
        Ok(Listed {
            own: proven(owner, &list),
            reclaimable,
        })
    }

    /// Stores the id, and the nonce, of an API that is the object's; the next pass goes on from a verified id.
    pub(super) async fn store(&self, pass: &mut Pass<'_>, found: Candidate) -> Result<Established, Error> {
        tracing::info!(api = %found.id, "found the object's API again");
        let status = pass.record.status();
        // Lost on both sides, it is made anew, and the tag is put right by the next plan.
        let kept = found.nonce.or_else(|| status.nonce.clone());
        let nonce = Some(kept.unwrap_or_else(|| self.aim.nonce.clone()));
        if !pass.record.has_finalizer() {
            pass.record.add_finalizer().await?;
        }
        let taken_over = |pending: &&Pending| pending.api_id.as_ref() == Some(&found.id);
        let from = status.pending.as_ref().filter(taken_over);
        let from = from
            .and_then(|pending| pending.from_uid.clone())
            .filter(|_| !planted!(LeftBehind));
        let next = JwtHttpApiStatus {
            api_id: Some(found.id),
            nonce,
            reclaimed_from: from.or_else(|| status.reclaimed_from.clone()),
            ..self.place_in(status)
        };
        pass.findings.programmed = Draft::unknown(Reason::Progressing, "the object's API was found again");
        let now = pass.ctx.clock.time();
        // A list that shows what an API's own tags do not changes nothing.
        let stored = pass.record.write_midway(next, &pass.findings, &now).await?;
        Ok(Established::Not(Next::after_cut(stored)))
    }

    /// Writes an intent, with a new nonce if one is given.
    async fn write_intent(
        &self,
        pass: &mut Pass<'_>,
        pending: Pending,
        nonce: Option<String>,
    ) -> Result<(), Error> {
        let now = pass.ctx.clock.time();
        pass.findings.programmed = Draft::unknown(
            Reason::Progressing,
            match pending.operation {
                PendingOperation::CreateApi => "the API is being created",
                PendingOperation::ReclaimApi => "the API of a predecessor is being taken over",
            },
        );
        let status = self.place_in(pass.record.status());
        let ahead = JwtHttpApiStatus {
            pending: Some(pending),
            nonce: status.nonce.clone().or(nonce),
            ..status
        };
        let ahead = Ahead::of_creation(&self.aim.desired).on(ahead, &now);
        pass.record
            .write(report(
                &ahead,
                &pass.findings.report(0),
                pass.record.generation(),
                &now,
            ))
            .await?;
        pass.memory.announced = announced(&pass.record.status());
        pass.memory.refused = None;
        Ok(())
    }

    fn place_in(&self, status: JwtHttpApiStatus) -> JwtHttpApiStatus {
        JwtHttpApiStatus {
            account_id: Some(self.aim.place.account.clone()),
            region: Some(self.aim.place.region.clone()),
            cluster_id: Some(self.aim.owner.cluster.clone()),
            ..status
        }
    }
}

/// The intent to create an API.
pub(super) fn creation(ctx: &Context) -> Pending {
    Pending {
        operation: PendingOperation::CreateApi,
        since: ctx.clock.time(),
        api_id: None,
        from_uid: None,
    }
}

/// An intent that another process wrote is waited for from its first sight on, however long an earlier one was.
pub(super) fn heed(status: &JwtHttpApiStatus, memory: &mut Memory) {
    let announced = announced(status);
    if announced.is_some() && announced != memory.announced {
        memory.unsettled = Some(Instant::now());
        memory.announced = announced;
    }
}

/// When the intent was written, as the API server keeps it.
fn announced(status: &JwtHttpApiStatus) -> Option<Time> {
    status.pending.as_ref().map(|pending| pending.since.clone())
}

/// Puts the finalizer on before anything is made. True only if nothing can have been made earlier: a status that a restored object
/// brought along rules that out, and so does an intent that this process has seen, whoever took finalizer and status off since.
async fn begin(record: &mut Record, memory: &Memory) -> Result<bool, Error> {
    if record.has_finalizer() {
        return Ok(false);
    }
    let status = record.status();
    record.add_finalizer().await?;
    Ok(!tells_of_aws(&status) && memory.announced.is_none())
}

/// Whether there is, or may be, something in AWS that the end of the object would leave behind.
pub(super) fn tells_of_aws(status: &JwtHttpApiStatus) -> bool {
    status.api_id.is_some() || status.pending.is_some() || status.nonce.is_some()
}

fn intent(status: &JwtHttpApiStatus) -> Intent<'_> {
    match &status.pending {
        None => Intent::None,
        Some(Pending {
            operation: PendingOperation::CreateApi,
            ..
        }) => Intent::Create,
        Some(Pending {
            operation: PendingOperation::ReclaimApi,
            api_id,
            ..
        }) => Intent::Reclaim(api_id.as_deref().unwrap_or_default()),
    }
}

/// What is waited for while an intent stands.
pub(super) fn awaited(status: &JwtHttpApiStatus) -> &'static str {
    match intent(status) {
        Intent::None | Intent::Create => {
            "an API may have been made that AWS's lists do not show yet; waiting until they must"
        }
        Intent::Reclaim(_) => {
            "the API of a predecessor is taken over as soon as nothing can be on its way to it any more"
        }
    }
}

/// Those of a list that carry proof of an owner.
pub(crate) fn proven(owner: &Owner, list: &[ListedApi]) -> Vec<Candidate> {
    list.iter()
        .filter(|api| owner.owns(&api.tags))
        .map(|api| Candidate {
            created: api.created.clone(),
            id: api.id.clone(),
            nonce: owner::nonce(&api.tags).map(str::to_owned),
        })
        .collect()
}

/// What to say and do when it cannot be told which API is the object's.
pub(crate) fn ambiguous(ids: &[String]) -> String {
    format!(
        "the APIs {} carry this object's tags and it cannot be told which is its own; remove the tag jwthttpapi.dev/uid from those that are not, or delete them",
        ids.join(", ")
    )
}
