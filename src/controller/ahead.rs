//! What status must say before AWS is written to: a crash right after leaves nothing of ours unknown.

use super::{error::Error, record::Record};
use jwthttpapi_core::{
    api::JwtHttpApiStatus,
    model::{Desired, desired::Invocation},
    plan::{Plan, Step},
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use std::collections::BTreeSet;

/// What status must say before the steps are sent: where statements of ours may stand, which role may exist, when IAM changed.
pub(crate) async fn write_ahead(record: &mut Record, steps: &Plan, desired: &Desired) -> Result<(), Error> {
    let status = record.status();
    let now = Time(Timestamp::now());
    let mut grants: BTreeSet<String> = status.grants.iter().cloned().collect();
    grants.extend(steps.steps.iter().filter_map(|planned| match &planned.step {
        Step::AddPermission { function, .. } => Some(function.to_string()),
        _ => None,
    }));
    let makes_role = steps
        .steps
        .iter()
        .any(|planned| matches!(planned.step, Step::CreateRole(_)));
    let settles = steps.steps.iter().any(|planned| planned.step.settles());
    let announced = makes_role
        && status.pending.is_some()
        && status.role_arn.is_some()
        && status.iam_changed_at.is_some();
    let mut next = JwtHttpApiStatus {
        grants: grants.into_iter().collect(),
        ..status
    };
    if let Invocation::Role(role) = &desired.invocation
        && makes_role
    {
        next.role_arn = Some(role.arn.clone());
    }
    if settles && !announced {
        next.iam_changed_at = Some(now);
    }
    record.write(next).await?;
    Ok(())
}

/// What an intent says ahead of the first plan, so that one write of status suffices: everything that creation will make.
pub(crate) fn written_ahead(desired: &Desired, status: JwtHttpApiStatus, now: &Time) -> JwtHttpApiStatus {
    match &desired.invocation {
        Invocation::Role(role) => JwtHttpApiStatus {
            role_arn: Some(role.arn.clone()),
            iam_changed_at: Some(now.clone()),
            ..status
        },
        Invocation::Brought { .. } => status,
        Invocation::ResourcePolicy => {
            let grants: BTreeSet<String> = desired
                .functions()
                .into_iter()
                .map(ToString::to_string)
                .chain(status.grants.iter().cloned())
                .collect();
            JwtHttpApiStatus {
                grants: grants.into_iter().collect(),
                ..status
            }
        }
    }
}
