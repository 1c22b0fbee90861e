//! What others put on the object's roles: it is told, and never touched.
//!
//! It opens no path and costs two lists a role, so that it is looked for when a policy of ours had to be put right, at every
//! sixth resync, and while status tells of something.

use super::{conclude::Conclusion, context::Memory, events, pass::Pass, record::Record};
use crate::aws::{Attachments as Found, Class, Fault, Session};
use futures::future::join_all;
use jwthttpapi_core::{
    api::{ConditionType, Draft, Reason, condition},
    model::{
        Observed,
        desired::{self, Invocation},
        name::RoleName,
    },
    plan::Step,
    words::listed,
};
use std::collections::BTreeMap;

/// How many resyncs go by from one look to the next.
const EVERY: u32 = 6;
const EQUAL: &str = "AWS is equal to the spec";
/// The reason of the event.
const FOREIGN: &str = "ForeignPolicies";

/// What is remembered of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attachments {
    /// Resyncs since the last look.
    resyncs: u32,
    /// What the last look found, in words.
    told: Option<String>,
}

impl Attachments {
    /// What is said of an API that is equal to its spec.
    pub(crate) fn programmed(&self) -> Draft {
        let message = match &self.told {
            Some(told) => format!("{EQUAL}; {told}"),
            None => EQUAL.to_owned(),
        };
        Draft::yes(Reason::Programmed, message)
    }
}

/// Looks, if it is time to, and says in an event what is new.
pub(crate) async fn look(pass: &mut Pass<'_>, end: &Conclusion<'_>) {
    let Pass {
        ctx,
        record,
        memory: Memory {
            attachments: known, ..
        },
        ..
    } = pass;
    let resync = record.in_force() && record.requested().is_none() && end.outcome.done.is_empty();
    known.resyncs = known.resyncs.saturating_add(u32::from(resync));
    let roles = standing(end);
    let put_right = end.outcome.done.iter().any(|step| touches(step, &roles));
    if known.resyncs < EVERY && !put_right && known.told.is_none() && !tells(record) {
        return;
    }
    let looks = roles.iter().map(|role| end.session.attachments(role));
    let told = match join_all(looks).await.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(found) => in_words(roles.iter().zip(found)).map(|text| (FOREIGN, text)),
        Err(fault) if fault.class == Class::Denied => Some((Reason::AccessDenied.as_str(), unseen(&fault))),
        // It passes: what was known stands until the next resync.
        Err(fault) => {
            tracing::warn!(error = %fault, "cannot list what others put on the roles");
            known.resyncs = EVERY;
            return;
        }
    };
    known.resyncs = 0;
    let text = told.as_ref().map(|(_, text)| text.clone());
    let before = std::mem::replace(&mut known.told, text);
    if let Some((reason, text)) = told
        && before.as_ref() != Some(&text)
        && message(record) != Some(known.programmed().message.as_str())
    {
        events::publish(ctx, record.object(), true, reason, text).await;
    }
}

/// What keeps a role that AWS refuses to delete, when it is something of others.
pub(crate) async fn kept(session: &Session, step: &Step, fault: &Fault) -> Option<Draft> {
    let Step::DeleteRole { role } = step else {
        return None;
    };
    if fault.class != Class::InUse {
        return None;
    }
    let name = &role.name;
    let found = match session.attachments(role).await {
        Ok(found) => found,
        Err(fault) => {
            let message = format!("cannot tell what keeps role {name}: {}", fault.message());
            return Some(Draft::no(fault.reason(), message));
        }
    };
    let detach = found
        .managed
        .first()
        .map(|arn| format!("aws iam detach-role-policy --role-name {name} --policy-arn {arn}"));
    let delete = found
        .inline
        .first()
        .map(|policy| format!("aws iam delete-role-policy --role-name {name} --policy-name {policy}"));
    let commands: Vec<String> = detach.into_iter().chain(delete).collect();
    let policies = policies(&found);
    if policies.is_empty() {
        return None;
    }
    let policies = listed(&policies, ", ");
    Some(Draft::no(
        Reason::RoleInUse,
        format!(
            "IAM deletes no role with policies on it, and others put some on role {name}: {policies}; take each of them off ({})",
            commands.join("; ")
        ),
    ))
}

/// Roles of the object's that were there before this pass.
fn standing(end: &Conclusion<'_>) -> Vec<RoleName> {
    let Observed { role, owned, .. } = end.observed;
    let desired = &end.aim.desired;
    let invoke = match &desired.invocation {
        Invocation::Role(wanted) => role.known().and_then(Option::as_ref).map(|_| wanted.as_ref()),
        Invocation::Brought { .. } | Invocation::ResourcePolicy => None,
    };
    let executing = desired.owned.iter().filter_map(|(name, function)| {
        owned.get(name)?.role.known()?.as_ref()?;
        Some(&function.role)
    });
    let name = |role: &desired::Role| role.name.clone();
    invoke.into_iter().chain(executing).map(name).collect()
}

/// Whether a step put right what one of the roles may do, or who may assume it.
fn touches(step: &Step, roles: &[RoleName]) -> bool {
    match step {
        Step::UpdateTrust { role, .. }
        | Step::PutBoundary { role, .. }
        | Step::PutRolePolicy { role, .. } => roles.contains(role),
        _ => false,
    }
}

/// What status says of an API that is equal to its spec.
fn message(record: &Record) -> Option<&str> {
    let conditions = &record.object().status.as_ref()?.conditions;
    let programmed = condition(conditions, ConditionType::Programmed)?;
    (programmed.status == "True").then_some(programmed.message.as_str())
}

/// Whether that is more than usual: another process may have looked.
fn tells(record: &Record) -> bool {
    message(record).is_some_and(|message| message != EQUAL)
}

fn in_words<'a>(found: impl Iterator<Item = (&'a RoleName, Found)>) -> Option<String> {
    let by_role: BTreeMap<&str, Found> = found.map(|(role, found)| (role.name.as_str(), found)).collect();
    let all = by_role.iter().flat_map(|(role, found)| {
        policies(found)
            .into_iter()
            .map(move |policy| format!("{policy} on role {role}"))
    });
    let all: Vec<String> = all.collect();
    if all.is_empty() {
        return None;
    }
    let all = listed(&all, ", ");
    Some(format!(
        "others put policies on its roles, which are left alone: {all}; take them off if they do not belong there"
    ))
}

fn unseen(fault: &Fault) -> String {
    format!("what others put on its roles is not known: {}", fault.message())
}

fn policies(found: &Found) -> Vec<String> {
    let inline = found
        .inline
        .iter()
        .map(|policy| format!("inline policy {policy}"));
    found.managed.iter().cloned().chain(inline).collect()
}
