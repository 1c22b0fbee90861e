//! Roles that stand already, under the path of earlier settings.

use super::Owner;
use super::desired::{self, Desired, Invocation};
use super::name::RoleName;
use super::observed::{Owned, Reading, Role};
use std::collections::BTreeMap;

impl Desired {
    /// The same with every role of the owner's left where it stands: a role's path cannot change (D, botocore), and its name is
    /// taken in the whole account whatever the path. `told` is the ARN that status has of the invoke role, for when the role
    /// itself could not be read.
    #[must_use]
    pub fn standing(
        mut self,
        role: &Reading<Option<Role>>,
        owned: &BTreeMap<String, Owned>,
        told: Option<&str>,
        owner: &Owner,
    ) -> Self {
        let now = role;
        if let Invocation::Role(role) = &mut self.invocation
            && let Some(moved) = moved(role, now, told, owner)
        {
            let planned = std::mem::replace(&mut role.arn, moved.0);
            role.name = moved.1;
            let arn = role.arn.clone();
            self.lead_through(&planned, &arn);
        }
        for (name, function) in &mut self.owned {
            let Some(now) = owned.get(name) else {
                continue;
            };
            if let Some((arn, name)) = moved(&function.role, &now.role, None, owner) {
                function.configuration.role.clone_from(&arn);
                function.role.arn = arn;
                function.role.name = name;
            }
        }
        self
    }

    /// Integrations are what they lead through: their markers change, and with these what routes refer to.
    fn lead_through(&mut self, planned: &str, arn: &str) {
        let mut renamed = BTreeMap::new();
        for (old, mut integration) in std::mem::take(&mut self.integrations) {
            if integration.credentials.as_deref() == Some(planned) {
                integration.credentials = Some(arn.to_owned());
            }
            let marker = integration.marker();
            renamed.insert(old, marker.clone());
            self.integrations.insert(marker, integration);
        }
        for route in self.routes.values_mut() {
            if let Some(marker) = renamed.get(&route.integration) {
                route.integration = marker.clone();
            }
        }
    }
}

/// Where a role of the owner's stands, if elsewhere than it would be made.
fn moved(
    wanted: &desired::Role,
    now: &Reading<Option<Role>>,
    told: Option<&str>,
    owner: &Owner,
) -> Option<(String, RoleName)> {
    let arn = match now {
        Reading::Known(Some(role)) if owner.owns(&role.tags) => role.arn.as_str(),
        Reading::Known(_) => return None,
        Reading::Unknown | Reading::NotAsked => told?,
    };
    let name = RoleName::of_arn(arn)?;
    (name.name == wanted.name.name && name.path != wanted.name.path).then(|| (arn.to_owned(), name))
}
