//! The end of an object whose AWS stays: its ownership tags come off, and it goes.

use super::{
    aim::elsewhere,
    context::Context,
    delete::{own, questions},
    error::Error,
    establish::proven,
    events,
    look::{Questions, look},
    pass::{Findings, Next},
    record::Record,
    remains::{last_owner, see},
};
use crate::aws::{self, Extent, Urgency};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{Observed, name::role_name},
    plan::plan_release,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Gives everything up, once, and lets the object go even if AWS cannot be reached.
pub(super) async fn release(
    ctx: &Context,
    record: &mut Record,
    findings: &mut Findings,
    deadline: Instant,
) -> Result<(Next, JwtHttpApiStatus), Error> {
    let status = record.status();
    let left = untag(ctx, record, deadline).await;
    if !ctx.leads() {
        findings.programmed = Draft::unknown(Reason::Progressing, "the process is stopping");
        return Ok((Next::Now, status));
    }
    if !left.is_empty() {
        let note = format!(
            "released under deletionPolicy Retain with its ownership tags still on: {}",
            left.join("; ")
        );
        tracing::warn!("{note}");
        events::publish(
            &ctx.recorder,
            record.object(),
            true,
            Reason::Deleting.as_str(),
            note,
        )
        .await;
    }
    record.remove_finalizer().await?;
    findings.programmed = Draft::yes(
        Reason::Programmed,
        "everything stays in AWS under deletionPolicy Retain",
    );
    Ok((Next::Change, status))
}

/// Takes the ownership tags off; gives what could not be reached.
async fn untag(ctx: &Context, record: &Record, deadline: Instant) -> Vec<String> {
    let status = record.status();
    let named = || {
        status
            .api_id
            .iter()
            .map(|id| format!("API {id}"))
            .chain(status.role_arn.iter().cloned())
    };
    let place = match ctx.aws.place(record.spec().region.as_deref()).await {
        Ok(place) => place,
        Err(fault) => {
            return named()
                .map(|what| format!("{what} ({})", fault.message()))
                .collect();
        }
    };
    let owner = ctx.owner(record.object());
    if let Some(elsewhere) = elsewhere(&status, &place, &owner) {
        return named().map(|what| format!("{what} ({elsewhere})")).collect();
    }
    let session = ctx.aws.session(&place, record.uid(), Urgency::Delete);
    let role = role_name(&owner, &place.region);
    let questions = Questions {
        extent: Extent::Settings,
        functions: BTreeMap::new(),
        ..questions(ctx, record, &role, own(record, &owner))
    };
    let list = ctx.index.read(&place.region, &session);
    let (sight, list) = tokio::join!(look(&session, status.api_id.as_deref(), &questions), list);
    let mut left: Vec<String> = sight
        .faults
        .iter()
        .map(|fault| format!("role {} ({})", role.name, fault.message()))
        .collect();
    let mut apis = Vec::new();
    match sight.api {
        Some(Ok(api)) => apis.extend(api),
        Some(Err(fault)) => left.extend(
            status
                .api_id
                .iter()
                .map(|id| format!("API {id} ({})", fault.message())),
        ),
        None => {}
    }
    for candidate in list.map(|list| proven(&owner, &list)).unwrap_or_default() {
        if !apis.iter().any(|api| api.id == candidate.id) {
            match session.api(&candidate.id).await {
                Ok(api) => apis.extend(api),
                Err(fault) => left.push(format!("API {} ({})", candidate.id, fault.message())),
            }
        }
    }
    let ids = apis.iter().map(|api| api.id.clone()).collect();
    let mut observed = vec![(
        owner.clone(),
        Observed {
            api: None,
            role: sight.role,
            functions: BTreeMap::new(),
            owned: sight.owned,
        },
    )];
    observed.extend(apis.into_iter().map(|api| {
        let alone = Observed {
            api: Some(api),
            ..Observed::default()
        };
        (owner.clone(), alone)
    }));
    if let Some(last) = last_owner(&owner, &status, &ids) {
        match see(&session, &last, &BTreeSet::new()).await {
            Ok(remains) => observed.push((last, remains)),
            Err(fault) => left.push(format!("what {} left ({})", last.uid, fault.message())),
        }
    }
    for (owner, observed) in observed {
        let plan = plan_release(&observed, &owner);
        let outcome = aws::run(&session, plan, &|| !ctx.leads(), deadline).await;
        left.extend(
            outcome
                .faults
                .iter()
                .map(|(step, fault)| format!("cannot {step}: {}", fault.message())),
        );
    }
    left
}
