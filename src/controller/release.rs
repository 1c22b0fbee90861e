//! The end of an object whose AWS stays: its ownership tags come off, and it goes.

use super::{
    aim::elsewhere,
    belongings::{own, questions},
    context::Context,
    error::Error,
    establish::proven,
    events,
    left::{Left, why},
    look::{Questions, look},
    pass::{CHANGED, Next, Pass, Passed},
    record::Record,
    remains::{last_owner, see},
};
use crate::aws::{self, Class, Extent, Fault, Operation, Session, Urgency};
use jwthttpapi_core::{
    api::{Draft, Reason},
    model::{
        Observed, Owner,
        name::{function_prefix, log_group, role_name},
        observed::Reading,
    },
    plan::plan_release,
    planted,
};
use std::collections::BTreeMap;
use tokio::time::{Instant, timeout_at};

/// Gives everything up, once, and lets the object go even if AWS cannot be reached.
pub(super) async fn release(pass: &mut Pass<'_>) -> Result<Passed, Error> {
    let Pass {
        ctx,
        record,
        memory,
        findings,
        deadline,
    } = pass;
    let status = record.status();
    let untagged = timeout_at(*deadline, untag(ctx, record, memory.has_role, *deadline)).await;
    let left = untagged.unwrap_or_else(|_| {
        let mut left = Left::default();
        left.add_named(&status, "AWS took too long to answer");
        Some(left)
    });
    let Some(left) = left.filter(|_| !ctx.reconsidered(record.object())) else {
        findings.programmed = Draft::unknown(Reason::Progressing, CHANGED);
        return Ok((Next::after_cut(false), status));
    };
    if !left.is_empty() {
        ctx.keep(&record.uid());
        let advice = if ctx.delete_orphans {
            " (take them off before this operator starts anew: it deletes orphans)"
        } else {
            ""
        };
        let note =
            format!("released under deletionPolicy Retain with its ownership tags still on{advice}: {left}");
        tracing::warn!("{note}");
        // Before the finalizer goes, and once: after that nothing might be left to tell it.
        if memory.given_up.replace(note.clone()).as_ref() != Some(&note) {
            events::publish(ctx, record.object(), true, Reason::Deleting.as_str(), note).await;
        }
    }
    record.remove_finalizer().await?;
    findings.programmed = Draft::yes(
        Reason::Programmed,
        "everything stays in AWS under deletionPolicy Retain",
    );
    Ok((Next::Change, status))
}

/// Takes the ownership tags off; gives what could not be reached. Nothing when this process may not write at the moment: that
/// says nothing of AWS.
async fn untag(ctx: &Context, record: &Record, has_role: bool, deadline: Instant) -> Option<Left> {
    let status = record.status();
    let mut left = Left::default();
    let place = match ctx.aws.place(record.spec().region.as_deref()).await {
        Ok(place) => place,
        Err(fault) => {
            left.add_named(&status, &fault.message());
            return Some(left);
        }
    };
    let owner = ctx.owner(record.object());
    if let Some(elsewhere) = elsewhere(&status, &place, &owner) {
        left.add_named(&status, &elsewhere);
        return Some(left);
    }
    let session = ctx.aws.session(&place, record.uid(), Urgency::Delete);
    let observed = find(ctx, record, &session, &owner, has_role, &mut left).await;
    for (owner, observed) in observed {
        let plan = plan_release(&observed, &owner);
        let outcome = aws::run(&session, plan, &|| ctx.reconsidered(record.object()), deadline).await;
        let held_back = |(_, fault): &(_, Fault)| fault.class == Class::NotLeading;
        if outcome.faults.iter().any(held_back) {
            return None;
        }
        left.add_undone(&outcome);
    }
    Some(left)
}

/// What is in AWS of the object, and of the last owner of its API; what could not be read is left.
async fn find(
    ctx: &Context,
    record: &Record,
    session: &Session,
    owner: &Owner,
    has_role: bool,
    left: &mut Left,
) -> Vec<(Owner, Observed)> {
    let status = record.status();
    let region = &session.place().region;
    let role = role_name(owner, region);
    let questions = Questions {
        extent: Extent::Settings,
        functions: BTreeMap::new(),
        ..questions(ctx, record, &role, has_role, own(record, owner))
    };
    let list = ctx.index.read(region, session);
    let (sight, list) = tokio::join!(look(session, status.api_id.as_deref(), &questions), list);
    if sight.role == Reading::Unknown {
        left.add(
            format!("role {}", role.name),
            &why(&sight.faults, Operation::GetRole),
        );
    }
    for (name, seen) in &sight.owned {
        left.add_unread(name, seen, &sight.faults);
    }
    // Without the list of log groups nobody knows of functions that status and spec do not name.
    let listing = |fault: &&Fault| fault.operation == Operation::DescribeLogGroups;
    if let Some(fault) = sight.faults.iter().find(listing) {
        let groups = log_group(&function_prefix(owner));
        left.add(format!("whatever has a log group {groups}*"), &fault.message());
    }
    let mut apis = Vec::new();
    match sight.api {
        Some(Ok(api)) => apis.extend(api),
        Some(Err(fault)) => {
            if let Some(id) = &status.api_id {
                left.add(format!("API {id}"), &fault.message());
            }
        }
        None => {}
    }
    let candidates = match list {
        Ok(list) => proven(owner, &list),
        Err(fault) => {
            if status.api_id.is_none() {
                left.add("an API that may have been made".to_owned(), &fault.message());
            }
            Vec::new()
        }
    };
    for candidate in candidates {
        if !apis.iter().any(|api| api.id == candidate.id) {
            match session.api(&candidate.id).await {
                Ok(api) => apis.extend(api),
                Err(fault) => left.add(format!("API {}", candidate.id), &fault.message()),
            }
        }
    }
    let ids = apis.iter().map(|api| api.id.clone()).collect();
    let mut observed = vec![(
        owner.clone(),
        Observed {
            role: sight.role,
            owned: sight.owned,
            ..Observed::default()
        },
    )];
    observed.extend(apis.into_iter().map(|api| {
        let alone = Observed {
            api: Some(api),
            ..Observed::default()
        };
        (owner.clone(), alone)
    }));
    if let Some(last) = last_owner(owner, &status, &ids) {
        match see(session, &last, &[]).await {
            Ok(remains) => observed.push((last, remains)),
            Err(fault) => left.add(format!("what {} left", last.uid), &fault.message()),
        }
    }
    planted!(RetainsTagged => {
        observed.clear();
    });
    observed
}
