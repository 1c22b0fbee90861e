//! Deletion and release: the same pipeline with nothing desired.

use super::invocation::{delete_role, role_name};
use super::step::{Plan, Planned, Refs, Service, Step};
use crate::model::document;
use crate::model::name::statement_id;
use crate::model::observed::{FunctionPolicy, Observed};
use crate::model::owner::is_ownership_tag;
use crate::model::{Owner, Proof};
use std::collections::{BTreeMap, BTreeSet};

/// The steps that take everything of an owner away: the API with all its children, then the permissions on functions, then
/// the role. What is not proven the owner's stays.
pub fn plan_deletion(observed: &Observed, owner: &Owner) -> Plan {
    let api = observed
        .api
        .iter()
        .filter(|api| owner.proof(&api.tags, None) >= Proof::Ours);
    let api = api.map(|api| Step::DeleteApi { id: api.id.clone() });
    let id = statement_id(owner);
    let permissions = observed.functions.iter().filter_map(|(function, reading)| {
        let FunctionPolicy::Policy(policy) = reading.known()? else {
            return None;
        };
        document::statement(policy, &id)?;
        Some(Step::RemovePermission {
            function: function.clone(),
            statement_id: id.clone(),
        })
    });
    let role = observed.role.known().and_then(Option::as_ref);
    let role = role
        .filter(|role| owner.proof(&role.tags, None) >= Proof::Ours)
        .map(delete_role)
        .unwrap_or_default();
    let steps: Vec<Step> = api
        .chain(permissions)
        .chain(role.into_iter().map(|(step, _)| step))
        .collect();
    let last_api = steps
        .iter()
        .rposition(|step| step.service() == Service::ApiGateway);
    let steps = steps
        .into_iter()
        .map(|step| {
            let after = if step.service() == Service::ApiGateway {
                None
            } else {
                last_api
            };
            Planned {
                after: after.into_iter().collect(),
                tightens: true,
                step,
            }
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
    let ours = |tags: &BTreeMap<String, String>| -> Option<BTreeSet<String>> {
        (owner.proof(tags, None) >= Proof::Ours)
            .then(|| tags.keys().filter(|key| is_ownership_tag(key)).cloned().collect())
    };
    let api = observed
        .api
        .as_ref()
        .and_then(|api| Some(Step::UntagApi(ours(&api.tags)?)));
    let role = observed.role.known().and_then(Option::as_ref).and_then(|role| {
        Some(Step::UntagRole {
            role: role_name(&role.arn)?,
            keys: ours(&role.tags)?,
        })
    });
    let steps = api
        .into_iter()
        .chain(role)
        .map(|step| Planned {
            step,
            after: BTreeSet::new(),
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
