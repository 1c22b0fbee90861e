//! The end of a pass that went through its plan: what it says of AWS, and when the next one is due.

use super::{
    ahead::told,
    aim::Aim,
    attachments,
    deployment::{Deployed, deployed},
    error::Error,
    expected::{STALE_LIST, STALE_READ},
    functions::is_gone,
    look::granted,
    pass::{CHANGED, Findings, Next, Pass},
    unseen::Doubt,
};
use crate::aws::{Class, Fault, Outcome, Session};
use jwthttpapi_core::{
    api::{AuthorizerStatus, Draft, JwtHttpApiStatus, Reason, StageStatus},
    model::{
        Observed,
        desired::Invocation,
        document,
        name::{DEFAULT_STAGE, FunctionArn, function_name},
        observed::{FunctionPolicy, Reading},
    },
    plan::{authorizers, plan},
    planted,
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// What is said of a pass whose look may not have shown what this process wrote.
const OLD: &str =
    "what AWS shows of roles and functions may be older than the last change; looking once more";

/// The first wait for a role that Lambda cannot assume yet; each one is as long as all before it.
const ASSUMABLE_FIRST: Duration = Duration::from_secs(2);
/// From when on it is a failure like others: IAM needs seconds, seldom a minute (O).
const ASSUMABLE_LATEST: Duration = Duration::from_secs(120);

/// Everything that a pass has when its plan was carried out.
pub(crate) struct Conclusion<'a> {
    pub(crate) session: &'a Session,
    pub(crate) aim: &'a Aim,
    pub(crate) observed: &'a Observed,
    pub(crate) outcome: &'a Outcome,
    /// What has a name that the object needs and is somebody else's.
    pub(crate) conflict: Option<&'a Draft>,
    /// What could not be read before the plan.
    pub(crate) faults: &'a [Fault],
    /// What was not shown and may be there all the same.
    pub(crate) doubt: &'a Doubt,
    /// Whether what was read of roles and functions may be older than what this process wrote.
    pub(crate) old: bool,
    /// Whether the plan had to wait for that.
    pub(crate) held_back: bool,
}

/// What a pass that went through the plan says.
pub(crate) async fn conclude(pass: &mut Pass<'_>, end: &Conclusion<'_>) -> Result<Next, Error> {
    let unassumable = pass.memory.unassumable.take();
    if let Some((step, fault)) = end.outcome.gravest() {
        pass.findings.failure(Some(step), fault);
        if fault.class == Class::RoleNotReady {
            let since = *pass
                .memory
                .unassumable
                .insert(unassumable.unwrap_or_else(Instant::now));
            return Ok(until_assumable(since.elapsed()));
        }
        if let Some(kept) = attachments::kept(end.session, step, fault).await {
            pass.findings.programmed = kept;
        }
        return Ok(Next::Backoff);
    }
    if end.outcome.cut {
        return Ok(pass.was_cut(end.outcome.progressed()));
    }
    if withheld(&mut pass.findings, end.conflict, end.faults) {
        return Ok(Next::Backoff);
    }
    if end.held_back {
        pass.findings.waits = !end.outcome.progressed();
        pass.findings.programmed = Draft::no(Reason::AwaitingVisibility, OLD);
        return Ok(Next::After(STALE_READ));
    }
    let Some(api) = &end.observed.api else {
        pass.findings.programmed =
            Draft::unknown(Reason::Progressing, "the API is gone; it will be made again");
        return Ok(Next::Now);
    };
    // Roles and functions were brought to what was wanted by the plan; only the API is seen anew. A deployment that failed is told
    // below, and asked for again by the next pass.
    let mut shown = api.clone();
    for stage in &mut shown.stages {
        stage.deployment_message = None;
    }
    let seen = Observed {
        api: Some(shown),
        ..Observed::default()
    };
    let left = plan(&end.aim.desired, &seen, &end.aim.owner, &end.aim.place);
    if let Some(planned) = left.steps.first() {
        pass.findings.behind = true;
        pass.findings.programmed = Draft::no(Reason::Progressing, format!("still to do: {}", planned.step));
        pass.memory.unheld = pass.memory.unheld.saturating_add(1);
        // An old list shows what is wanted in the end; what AWS never shows so must not take everybody's budget.
        return Ok(if pass.memory.unheld < OLD_LISTS {
            Next::After(STALE_LIST)
        } else {
            Next::Backoff
        });
    }
    pass.memory.unheld = 0;
    let desired = &end.aim.desired;
    let mut leaving = end.observed.owned.iter();
    let leaving = leaving
        .find(|(name, seen)| !desired.owned.contains_key(*name) && !is_gone(&end.aim.owner, name, seen));
    if let Some((name, _)) = leaving {
        pass.findings.behind = true;
        let message = format!("looking once more for what is left of the function {name}");
        pass.findings.programmed = Draft::no(Reason::Progressing, message);
        return Ok(Next::After(end.doubt.functions.unwrap_or(STALE_LIST)));
    }
    if end.old && !pass.record.in_force() {
        pass.findings.programmed = Draft::no(Reason::AwaitingVisibility, OLD);
        return Ok(Next::After(STALE_READ));
    }
    // A generation that is not in force yet may have been written by a process that died.
    let awaited = end.outcome.deploying_since.is_some() || !pass.record.in_force();
    let deployed = deployed(pass, end.session, api, awaited).await?;
    if let Some(next) = not_served(&mut pass.findings, deployed, end.outcome) {
        return Ok(next);
    }
    pass.memory.converged = Some(pass.record.generation());
    attachments::look(pass, end).await;
    pass.findings.programmed = pass.memory.attachments.programmed();
    Ok(wait_for_iam(pass, end.outcome))
}

/// Whether something kept the plan from being all that is due: what is somebody else's, missing or unknown. Then it is said.
pub(crate) fn withheld(findings: &mut Findings, conflict: Option<&Draft>, faults: &[Fault]) -> bool {
    if let Some(conflict) = conflict {
        findings.programmed = conflict.clone();
    } else if findings.resolved.status != Some(true) {
        findings.programmed = Draft::no(
            findings.resolved.reason,
            "only what takes access away is done until everything exists that the spec names",
        );
    } else if let Some(fault) = faults.first() {
        findings.fault(fault);
    } else {
        return false;
    }
    true
}

/// When the next pass is due while AWS does not serve what was written.
fn not_served(findings: &mut Findings, deployed: Deployed, outcome: &Outcome) -> Option<Next> {
    match deployed {
        Deployed::Yes => None,
        Deployed::No(failure) => {
            findings.fault(&failure);
            Some(Next::Backoff)
        }
        Deployed::Cut => {
            findings.programmed = Draft::unknown(Reason::Progressing, CHANGED);
            Some(Next::after_cut(outcome.progressed()))
        }
    }
}

/// After how many lists in a row that do not show what was written they are not taken for old any more.
const OLD_LISTS: u32 = 4;

/// When a role is asked for again that Lambda could not assume: that passes, and is a failure only when it lasts.
fn until_assumable(waited: Duration) -> Next {
    if waited < ASSUMABLE_LATEST {
        Next::After(waited.max(ASSUMABLE_FIRST))
    } else {
        Next::Backoff
    }
}

/// Ready waits until IAM has settled, by this process's clock since it wrote the change, or first saw that of another one.
fn wait_for_iam(pass: &mut Pass<'_>, outcome: &Outcome) -> Next {
    planted!(NoIamWait => {
        return Next::Resync;
    });
    let told = pass.record.status().iam_changed_at;
    let Some(since) = pass.memory.iam_changed(told, outcome.settles_since) else {
        return Next::Resync;
    };
    let left = pass.ctx.periods.iam_settle.saturating_sub(since.elapsed());
    if left.is_zero() {
        return Next::Resync;
    }
    pass.findings.programmed = Draft::no(
        Reason::RolePropagating,
        "AWS is equal to the spec; IAM needs a moment until the new role works",
    );
    Next::After(left)
}

/// What status says of AWS.
pub(crate) fn facts(status: JwtHttpApiStatus, end: &Conclusion<'_>) -> JwtHttpApiStatus {
    let Conclusion {
        observed,
        outcome,
        doubt,
        aim: Aim {
            place,
            owner,
            desired,
            ..
        },
        ..
    } = *end;
    let Some(api) = &observed.api else { return status };
    let clean = outcome.faults.is_empty() && !outcome.cut;
    let stages = api.stages.iter().filter(|stage| stage.name == DEFAULT_STAGE);
    // A statement leaves `grants` after a read showed it gone.
    let wanted: BTreeSet<String> = if desired.invocation == Invocation::ResourcePolicy {
        desired.backends().into_iter().map(ToString::to_string).collect()
    } else {
        BTreeSet::new()
    };
    let stands = |function: &FunctionArn, reading: &Reading<FunctionPolicy>| {
        let Reading::Known(FunctionPolicy::Policy(policy)) = reading else {
            return false;
        };
        let is_reached = desired.backends().contains(function) || observed.reaches(function);
        let owners = observed.owners(owner, is_reached);
        !document::statements_of(policy, owners, &observed.lineage).is_empty()
    };
    // What was lost of `grants` is learned again from what stands.
    let standing = observed
        .functions
        .iter()
        .filter(|(function, reading)| stands(function, reading));
    let known: BTreeSet<FunctionArn> = granted(&status)
        .into_iter()
        .chain(standing.map(|(function, _)| function.clone()))
        .collect();
    let grants: Vec<String> = known
        .into_iter()
        .filter(|function| {
            wanted.contains(&function.to_string())
                || doubt.statements.contains(function)
                || match observed.functions.get(function) {
                    Some(reading @ Reading::Known(_)) => stands(function, reading),
                    Some(Reading::NotAsked | Reading::Unknown) | None => true,
                }
        })
        .map(|function| function.to_string())
        .collect();
    let role_arn = match &desired.invocation {
        Invocation::Role(role) => Some(role.arn.clone()),
        _ => status
            .role_arn
            .clone()
            .filter(|_| observed.role.known() != Some(&None)),
    };
    // A function that leaves stays in status until nothing of it is left.
    let left = status.functions.into_iter().filter(|told| {
        let name = function_name(owner, &told.name);
        let gone = observed
            .owned
            .get(&name)
            .is_some_and(|seen| is_gone(owner, &name, seen));
        !desired.owned.contains_key(&name) && !gone
    });
    let functions = desired.owned.values().map(told).chain(left).collect();
    JwtHttpApiStatus {
        functions,
        account_id: Some(place.account.clone()),
        region: Some(place.region.clone()),
        cluster_id: Some(owner.cluster.clone()),
        endpoint: Some(api.endpoint.clone()),
        stages: stages
            .map(|stage| StageStatus {
                name: stage.name.clone(),
                url: api.endpoint.clone(),
            })
            .collect(),
        authorizers: authorizers(desired, api)
            .into_values()
            .map(|authorizer| AuthorizerStatus {
                name: authorizer.name.clone(),
                id: authorizer.id.clone(),
            })
            .collect(),
        pending: if clean { None } else { status.pending },
        grants,
        role_arn,
        ..status
    }
}
