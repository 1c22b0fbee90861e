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
    /// Log groups are made first and deleted last: their names tell also of functions that nobody else knows. A list may lag
    /// behind (I): that a known one is not there is for its own read to say.
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
        let group = log_group(&name);
        let (function, role, tags) = tokio::join!(
            self.own_function(&name),
            self.role(&role),
            self.log_group_tags(&group)
        );
        let shown = groups.known().into_iter().flatten();
        let retention_days = shown
            .filter(|shown| shown.name == group)
            .find_map(|shown| shown.retention_days);
        let with = |tags| LogGroup {
            name: group,
            retention_days,
            tags,
        };
        let group = tags.map(|tags| tags.map(with));
        let mut faults = Vec::new();
        let owned = Owned {
            function: reading(function, &mut faults),
            role: reading(role, &mut faults),
            log_group: reading(group, &mut faults),
        };
        (owned, faults)
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
