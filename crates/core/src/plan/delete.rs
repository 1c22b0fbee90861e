//! Deletion and release: the same pipeline with nothing desired.

use super::functions::{deleted_before, is_own, ours, remove};
use super::invocation::delete_role;
use super::kind::Service;
use super::planned::{Plan, Planned, Refs};
use super::step::Step;
use crate::model::Owner;
use crate::model::document;
use crate::model::name::RoleName;
use crate::model::observed::{FunctionPolicy, Observed, Role};
use crate::model::owner::is_ownership_tag;
use std::collections::{BTreeMap, BTreeSet};

/// The steps that take everything of an owner away: the API with all its children, then the permissions on functions, then
/// the role, then the object's own functions, each with its role. Their logs go when nothing else of them is seen any more: that
/// is another plan. What is not proven the owner's stays.
pub fn plan_deletion(observed: &Observed, owner: &Owner) -> Plan {
    let api = observed.api.iter().filter(|api| owner.owns(&api.tags));
    let api = api.map(|api| Step::DeleteApi { id: api.id.clone() });
    let permissions = observed.functions.iter().flat_map(|(function, reading)| {
        let standing = match reading.known() {
            // One of the object's own takes its policy with it.
            Some(FunctionPolicy::Policy(policy)) if !is_own(function, observed, owner) => {
                document::statements_of(
                    policy,
                    observed.owners(owner, observed.reaches(function)),
                    &observed.lineage,
                )
            }
            _ => Vec::new(),
        };
        standing.into_iter().map(|id| Step::RemovePermission {
            function: function.clone(),
            statement_id: id.to_owned(),
        })
    });
    let role = observed.role.known().and_then(Option::as_ref);
    let role = role
        .filter(|role| owner.owns(&role.tags))
        .map(delete_role)
        .unwrap_or_default();
    let owned = observed.owned.iter();
    let owned = owned.flat_map(|(name, now)| remove(name, now, owner));
    let steps: Vec<Step> = api
        .chain(permissions)
        .chain(role.into_iter().chain(owned).map(|(step, _)| step))
        .collect();
    let last_api = steps
        .iter()
        .rposition(|step| step.service() == Service::ApiGateway);
    let after: Vec<BTreeSet<usize>> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let function = match step {
                Step::DeleteRolePolicy { .. } | Step::DeleteRole { .. } => {
                    deleted_before(steps.iter(), index)
                }
                _ => None,
            };
            let api = last_api.filter(|_| step.service() != Service::ApiGateway);
            api.into_iter().chain(function).collect()
        })
        .collect();
    let steps = steps
        .into_iter()
        .zip(after)
        .map(|(step, after)| Planned {
            after,
            // What serves goes first, and at once.
            settled: None,
            tightens: true,
            step,
        })
        .collect();
    Plan {
        refs: Refs {
            api: observed.api.as_ref().map(|api| api.id.clone()),
            ..Refs::default()
        },
        steps,
    }
}

/// The steps that give everything of an owner up: it stays as it is and loses the ownership tags.
pub fn plan_release(observed: &Observed, owner: &Owner) -> Plan {
    let of_the_owner = |tags: &BTreeMap<String, String>| -> BTreeSet<String> {
        tags.keys().filter(|key| is_ownership_tag(key)).cloned().collect()
    };
    let api = observed
        .api
        .iter()
        .filter(|api| owner.owns(&api.tags))
        .map(|api| Step::UntagApi(of_the_owner(&api.tags)));
    let untag_role = |role: &Role| {
        Some(Step::UntagRole {
            role: RoleName::of_arn(&role.arn)?,
            keys: of_the_owner(&role.tags),
        })
    };
    let role = ours(&observed.role, |role| &role.tags, owner).and_then(untag_role);
    let owned = observed.owned.iter().flat_map(|(name, now)| {
        let function = ours(&now.function, |function| &function.tags, owner);
        let function = function.map(|function| Step::UntagFunction {
            name: name.clone(),
            keys: of_the_owner(&function.tags),
        });
        let role = ours(&now.role, |role| &role.tags, owner).and_then(untag_role);
        let log_group = ours(&now.log_group, |group| &group.tags, owner);
        let log_group = log_group.map(|group| Step::UntagLogGroup {
            log_group: group.name.clone(),
            keys: of_the_owner(&group.tags),
        });
        function.into_iter().chain(role).chain(log_group)
    });
    let steps = api
        .chain(role)
        .chain(owned)
        .map(|step| Planned {
            step,
            after: BTreeSet::new(),
            settled: None,
            tightens: false,
        })
        .collect();
    Plan {
        refs: Refs {
            api: observed.api.as_ref().map(|api| api.id.clone()),
            ..Refs::default()
        },
        steps,
    }
}
