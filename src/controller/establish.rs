//! Which API is the object's: the protocol that loses none and makes none twice, with its reads and writes.

use super::{
    ahead::Ahead,
    aim::Aim,
    context::{Context, Memory},
    error::Error,
    expected::STALE_LIST,
    pass::{Findings, Next},
    record::Record,
};
use crate::aws::{ListedApi, Session};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Pending, PendingOperation, Reason, report},
    model::{Owner, Proof, observed::Api, owner},
    plan::{Candidate, Identity, Known, Lookup, identify},
    planted,
};
use tokio::time::Instant;

/// What establishing needs of the pass.
pub(crate) struct Scene<'a> {
    pub(crate) ctx: &'a Context,
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

/// How it ended.
pub(crate) enum Established {
    /// This API is the object's.
    Api(Box<Api>),
    /// The pass ends here.
    Not(Next),
}

impl Scene<'_> {
    /// Finds, or makes, the object's API. `seen` is what a read of the stored id gave.
    pub(crate) async fn establish(
        &self,
        record: &mut Record,
        memory: &mut Memory,
        findings: &mut Findings,
        seen: Seen,
    ) -> Result<Established, Error> {
        // The pass that adds the finalizer is the only one that knows that nobody created before it.
        let mut fresh = false;
        let mut listed: Option<Vec<Candidate>> = None;
        let lookup = match &seen {
            Seen::NoId => Lookup::NoId,
            Seen::Missing => Lookup::Missing,
            Seen::Api(_) if planted!(TrustedId) => Lookup::Found(Proof::Complete),
            Seen::Api(api) => {
                Lookup::Found(self.aim.owner.proof(&api.tags, record.status().nonce.as_deref()))
            }
        };
        loop {
            let status = record.status();
            let settled = planted!(NoSettleWait)
                || memory
                    .unsettled
                    .is_some_and(|since| since.elapsed() >= self.ctx.periods.settle);
            let decision = identify(&Known {
                lookup,
                nonce: status.nonce.as_deref(),
                pending: status.pending.is_some(),
                fresh,
                settled,
                listed: listed.as_deref(),
            });
            match decision {
                Identity::Verified => {
                    memory.unsettled = None;
                    return Ok(match seen {
                        Seen::Api(api) => Established::Api(api),
                        Seen::NoId | Seen::Missing => Established::Not(Next::Now),
                    });
                }
                Identity::List => listed = Some(self.candidates().await?),
                Identity::Store(found) => return self.store(record, findings, found).await,
                Identity::WriteIntent => {
                    if !record.has_finalizer() {
                        // A status from before, as a restored object has, tells of creations that this pass knows not.
                        fresh = status.nonce.is_none() && status.pending.is_none() && status.api_id.is_none();
                        record.add_finalizer().await?;
                    }
                    memory.unsettled.get_or_insert_with(Instant::now);
                    let nonce = fresh.then(|| self.aim.nonce.clone());
                    self.write_intent(record, findings, nonce).await?;
                }
                Identity::WriteNonce => {
                    let nonce = Some(self.aim.nonce.clone());
                    self.write_intent(record, findings, nonce).await?;
                }
                Identity::Create => {
                    memory.unsettled = Some(Instant::now());
                    planted!(AckShape => {
                        if !record.has_finalizer() {
                            record.add_finalizer().await?;
                        }
                    });
                    let cut = || !self.ctx.leads();
                    let created = self.session.create_api(&self.aim.desired.api, &cut).await;
                    planted!(FinalizerDropped => {
                        if created.is_err() {
                            record.remove_finalizer().await?;
                        }
                    });
                    let api = created?;
                    let next = JwtHttpApiStatus {
                        api_id: Some(api.id.clone()),
                        ..record.status()
                    };
                    let now = self.ctx.clock.time();
                    record.write_midway(next, findings, &now).await?;
                    tracing::info!(api = %api.id, "created the API");
                    return Ok(Established::Api(Box::new(api)));
                }
                Identity::Wait => {
                    let since = *memory.unsettled.get_or_insert_with(Instant::now);
                    let left = self.ctx.periods.settle.saturating_sub(since.elapsed());
                    findings.programmed = Draft::no(
                        Reason::AwaitingVisibility,
                        "an API may have been made that AWS's lists do not show yet; waiting until they must",
                    );
                    return Ok(Established::Not(Next::After(left.max(STALE_LIST))));
                }
                Identity::Ambiguous(ids) => {
                    self.ctx.metrics.refused();
                    findings.programmed = Draft::no(Reason::AmbiguousOwnership, ambiguous(&ids));
                    return Ok(Established::Not(Next::Backoff));
                }
            }
        }
    }

    /// APIs that carry proof of the owner, listed now.
    async fn candidates(&self) -> Result<Vec<Candidate>, Error> {
        let list = self.ctx.index.read(&self.aim.place.region, self.session).await?;
        if list.iter().any(|api| self.aim.owner.is_predecessor(&api.tags)) {
            tracing::warn!("an API of a predecessor of this object is left alone");
        }
        Ok(proven(&self.aim.owner, &list))
    }

    /// Stores the id, and the nonce, of an API that a list showed; the next pass goes on from a verified id.
    async fn store(
        &self,
        record: &mut Record,
        findings: &mut Findings,
        found: Candidate,
    ) -> Result<Established, Error> {
        tracing::info!(api = %found.id, "found the object's API again");
        let status = record.status();
        // Lost on both sides, it is made anew, and the tag is put right by the next plan.
        let kept = found.nonce.or_else(|| status.nonce.clone());
        let nonce = Some(kept.unwrap_or_else(|| self.aim.nonce.clone()));
        if !record.has_finalizer() {
            record.add_finalizer().await?;
        }
        let next = JwtHttpApiStatus {
            api_id: Some(found.id),
            nonce,
            ..self.place_in(status)
        };
        findings.programmed = Draft::unknown(Reason::Progressing, "the object's API was found again");
        let now = self.ctx.clock.time();
        record.write_midway(next, findings, &now).await?;
        Ok(Established::Not(Next::Now))
    }

    /// Writes an intent, with a new nonce if one is given.
    async fn write_intent(
        &self,
        record: &mut Record,
        findings: &mut Findings,
        nonce: Option<String>,
    ) -> Result<(), Error> {
        let now = self.ctx.clock.time();
        findings.programmed = Draft::unknown(Reason::Progressing, "the API is being created");
        let status = self.place_in(record.status());
        let ahead = JwtHttpApiStatus {
            pending: Some(Pending {
                operation: PendingOperation::CreateApi,
                since: now.clone(),
            }),
            nonce: status.nonce.clone().or(nonce),
            ..status
        };
        let ahead = Ahead::of_creation(&self.aim.desired).on(ahead, &now);
        record
            .write(report(&ahead, &findings.report(0), record.generation(), &now))
            .await?;
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

/// Those of a list that carry proof of an owner.
pub(crate) fn proven(owner: &Owner, list: &[ListedApi]) -> Vec<Candidate> {
    list.iter()
        .filter(|api| owner.proof(&api.tags, None) >= Proof::Ours)
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
