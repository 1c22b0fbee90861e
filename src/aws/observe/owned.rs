//! An object's own functions, each with its role and its log group.

use crate::aws::Session;
use crate::aws::fault::Fault;
use futures::future::join_all;
use jwthttpapi_core::model::Owner;
use jwthttpapi_core::model::function::LogGroup;
use jwthttpapi_core::model::name::{execution_role_name, function_name, function_prefix, log_group};
use jwthttpapi_core::model::observed::{Owned, Reading};
use std::collections::{BTreeMap, BTreeSet};

impl Session {
    /// What AWS has of an owner's functions, by their names in AWS, and what could not be read. `names` are those of the spec.
    ///
    /// Log groups are made first and deleted last: their names tell also of functions that nobody else knows.
    pub async fn owned(
        &self,
        owner: &Owner,
        names: &BTreeSet<String>,
    ) -> (BTreeMap<String, Owned>, Vec<Fault>) {
        let prefix = log_group(&function_prefix(owner));
        let mut faults = Vec::new();
        let groups = reading(self.log_groups(&prefix).await, &mut faults);
        let shown = groups.known().into_iter().flatten();
        let shown = shown.filter_map(|group| Some(group.name.strip_prefix(&prefix)?.to_owned()));
        let names: BTreeSet<String> = names.iter().cloned().chain(shown).collect();
        let seen = join_all(names.iter().map(|name| self.one(owner, name, &groups))).await;
        let mut owned = BTreeMap::new();
        for (name, (seen, failed)) in names.iter().zip(seen) {
            owned.insert(function_name(owner, name), seen);
            faults.extend(failed);
        }
        (owned, faults)
    }

    async fn one(&self, owner: &Owner, name: &str, groups: &Reading<Vec<LogGroup>>) -> (Owned, Vec<Fault>) {
        let role = execution_role_name(owner, &self.place().region, name);
        let name = function_name(owner, name);
        let group = async {
            let its_name = log_group(&name);
            let group = groups.known()?.iter().find(|group| group.name == its_name);
            match group {
                None => Some(Ok(None)),
                Some(group) => Some(self.tagged(group).await),
            }
        };
        let (function, role, group) = tokio::join!(self.own_function(&name), self.role(&role), group);
        let mut faults = Vec::new();
        let owned = Owned {
            function: reading(function, &mut faults),
            role: reading(role, &mut faults),
            log_group: group.map_or(Reading::Unknown, |group| reading(group, &mut faults)),
        };
        (owned, faults)
    }

    async fn tagged(&self, group: &LogGroup) -> Result<Option<LogGroup>, Fault> {
        let tags = self.log_group_tags(&group.name).await?;
        Ok(tags.map(|tags| LogGroup {
            tags,
            ..group.clone()
        }))
    }
}

fn reading<T>(answer: Result<T, Fault>, faults: &mut Vec<Fault>) -> Reading<T> {
    match answer {
        Ok(value) => Reading::Known(value),
        Err(fault) => {
            faults.push(fault);
            Reading::Unknown
        }
    }
}
