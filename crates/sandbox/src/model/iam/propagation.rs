//! What of IAM has taken effect: its evaluation sees a write later (D).

use std::collections::BTreeMap;

use super::{Iam, document};
use crate::model::{Env, deployment::RoleView, time::Timestamp};

/// A role from a moment on; none after its deletion.
type Version = (Timestamp, Option<RoleView>);

/// Versions of every role by ARN, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Propagation {
    versions: BTreeMap<String, Vec<Version>>,
}

impl Propagation {
    pub(super) fn record(&mut self, env: &Env, arn: &str, view: Option<RoleView>) {
        let versions = self.versions.entry(arn.to_owned()).or_default();
        let settled = versions.iter().rposition(|(at, _)| *at <= env.now).unwrap_or(0);
        versions.drain(..settled);
        versions.push((env.now.after(env.settings.iam_delay_ms), view));
    }

    fn effective(&self, arn: &str, now: Timestamp) -> Option<&RoleView> {
        let versions = self.versions.get(arn)?;
        versions.iter().rev().find(|(at, _)| *at <= now)?.1.as_ref()
    }
}

impl Iam {
    pub(crate) fn effective_role(&self, arn: &str, now: Timestamp) -> Option<RoleView> {
        self.propagation.effective(arn, now).cloned()
    }

    /// Whether a service can assume the role now.
    pub(crate) fn trusts(&self, arn: &str, service: &str, now: Timestamp) -> bool {
        self.propagation
            .effective(arn, now)
            .is_some_and(|role| document::trusts(&role.trust, service))
    }
}
