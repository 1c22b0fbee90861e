//! What lets API Gateway invoke the functions: the role, and statements in the functions' own policies.

use super::functions::is_own;
use super::order::Ordered;
use super::settings::tag_changes;
use super::step::Step;
use crate::model::Owner;
use crate::model::desired::{self, Desired, Invocation};
use crate::model::document::{self, Document, Permission, ROLE_POLICY_LIMIT};
use crate::model::name::{FunctionArn, Place, RoleName, statement_id};
use crate::model::observed::{self, FunctionPolicy, Observed};
use std::collections::BTreeSet;

#[derive(Default)]
pub(super) struct RoleSteps {
    pub(super) before: Vec<Ordered>,
    pub(super) after: Vec<Ordered>,
}

/// The invoke role. A function that leaves its policy while another joins keeps its permission until no route needs it.
pub(super) fn role(desired: &Desired, observed: &Observed, owner: &Owner) -> RoleSteps {
    let mut steps = RoleSteps::default();
    let Some(now) = observed.role.known() else {
        return steps;
    };
    let ours = now.as_ref().filter(|role| owner.owns(&role.tags));
    let Invocation::Role(wanted) = &desired.invocation else {
        if let Some(role) = ours {
            steps.after = delete_role(role);
        }
        return steps;
    };
    let name = || wanted.name.clone();
    let put = |policy: &Document, widens| Step::PutRolePolicy {
        role: name(),
        policy: policy.clone(),
        widens,
    };
    let mut before = Vec::new();
    match (now, ours) {
        (None, _) => before.extend([Step::CreateRole(wanted.clone()), put(&wanted.policy, true)]),
        // Somebody else's: the caller reports it; nothing is touched.
        (Some(_), None) => {}
        (Some(_), Some(role)) => {
            before.extend(own_settings(wanted, role));
            match &role.policy {
                Some(policy) if wanted.policy.matches(policy) => {}
                Some(policy) => {
                    let old = document::allowed_resources(policy);
                    let leaving = old
                        .iter()
                        .any(|arn| !wanted.policy.resources().contains(arn.as_str()));
                    let joining = wanted.policy.resources().iter().any(|arn| !old.contains(*arn));
                    let both = both(desired, &old);
                    match (leaving, joining) {
                        (true, true) if both.size() <= ROLE_POLICY_LIMIT => {
                            before.push(put(&both, true));
                            steps.after.push((put(&wanted.policy, false), false));
                        }
                        (true, false) => steps.after.push((put(&wanted.policy, false), false)),
                        _ => before.push(put(&wanted.policy, true)),
                    }
                }
                None => before.push(put(&wanted.policy, true)),
            }
        }
    }
    steps.before = before.into_iter().map(|step| (step, false)).collect();
    steps
}

/// What a role's own settings lack. What bounds it goes before whatever may let it do more.
pub(super) fn own_settings(wanted: &desired::Role, role: &observed::Role) -> Vec<Step> {
    let name = || wanted.name.clone();
    let trust = || Step::UpdateTrust {
        role: name(),
        trust: wanted.trust.clone(),
    };
    // One that nobody asks for any more stays: to take it off would widen what the role may do.
    let boundary = wanted.boundary.as_ref();
    let boundary = boundary.filter(|wanted| role.boundary.as_deref() != Some(wanted.as_str()));
    let bound = boundary.map(|boundary| Step::PutBoundary {
        role: name(),
        boundary: boundary.clone(),
        replaces: role.boundary.is_some() && wanted.function.is_none(),
    });
    let (set, mut unset) = tag_changes(&wanted.tags, &role.tags);
    // IAM takes keys that differ in case for one (D, IAM user guide): the other spelling goes when this one is set.
    unset.retain(|key| !set.keys().any(|wanted| wanted.eq_ignore_ascii_case(key)));
    let tag = |tags| Step::TagRole { role: name(), tags };
    let untag = |keys| Step::UntagRole { role: name(), keys };
    let trust = (!wanted.trust.matches(&role.trust)).then(trust);
    let tag = (!set.is_empty()).then(|| tag(set));
    let untag = (!unset.is_empty()).then(|| untag(unset));
    let settings = bound.into_iter().chain(trust);
    settings.chain(untag).chain(tag).collect()
}

/// The wanted functions and those of the old policy that are functions' ARNs indeed.
fn both(desired: &Desired, old: &BTreeSet<String>) -> Document {
    let old: BTreeSet<FunctionArn> = old
        .iter()
        .filter_map(|arn| FunctionArn::parse(arn, None).ok())
        .collect();
    Document::invoke_functions(
        desired
            .backends()
            .into_iter()
            .chain(&old)
            .collect::<BTreeSet<_>>(),
    )
}

/// Takes a role of ours away: its policy, then itself.
pub(super) fn delete_role(role: &observed::Role) -> Vec<Ordered> {
    let Some(name) = RoleName::of_arn(&role.arn) else {
        return Vec::new();
    };
    let policy = role
        .policy
        .as_ref()
        .map(|_| Step::DeleteRolePolicy { role: name.clone() });
    policy
        .into_iter()
        .chain([Step::DeleteRole { role: name }])
        .map(|step| (step, false))
        .collect()
}

#[derive(Default)]
pub(super) struct GrantSteps {
    pub(super) before: Vec<Ordered>,
    pub(super) after: Vec<Ordered>,
}

/// Permission statements: one per function and qualifier where functions' own policies let the API in, none elsewhere.
pub(super) fn grants(desired: &Desired, observed: &Observed, owner: &Owner, place: &Place) -> GrantSteps {
    let by_policy = desired.invocation == Invocation::ResourcePolicy;
    let backends = desired.backends();
    let wanted = |function: &FunctionArn| by_policy && backends.contains(function);
    let id = statement_id(owner);
    // Without an API no statement can name it: whatever stands there names another.
    let permission = observed
        .api
        .as_ref()
        .map(|api| Permission::new(owner, place, &api.id));
    let leaves = |function: &FunctionArn| !desired.owns(function) && is_own(function, observed, owner);
    // Somebody else's function that has the name of one of the object's own.
    let foreign = |function: &FunctionArn, state: &FunctionPolicy| {
        desired.owns(function) && *state != FunctionPolicy::Missing && !is_own(function, observed, owner)
    };
    let mut steps = GrantSteps::default();
    for (function, reading) in &observed.functions {
        let Some(state) = reading.known() else { continue };
        let is_reached = backends.contains(function) || observed.reaches(function);
        let (statement, standing) = match state {
            FunctionPolicy::Policy(policy) => (
                document::statement(policy, &id),
                document::statements_of(policy, observed.owners(owner, is_reached), &observed.lineage),
            ),
            FunctionPolicy::Missing | FunctionPolicy::Exists => (None, Vec::new()),
        };
        let add = || {
            let (function, statement_id) = (function.clone(), id.clone());
            (
                Step::AddPermission {
                    function,
                    statement_id,
                },
                false,
            )
        };
        let remove = |id: &str| {
            let (function, statement_id) = (function.clone(), id.to_owned());
            (
                Step::RemovePermission {
                    function,
                    statement_id,
                },
                false,
            )
        };
        let wanted = wanted(function) && !foreign(function, state);
        match (statement, wanted) {
            // A function of the object's own is made before it.
            (None, true) if matches!(state, FunctionPolicy::Policy(_)) || desired.owns(function) => {
                steps.before.push(add());
            }
            (Some(stored), true) if !permission.as_ref().is_some_and(|p| p.matches(stored)) => {
                steps.before.extend([remove(&id), add()]);
            }
            (None | Some(_), _) => {}
        }
        // One that leaves takes its policy with it.
        if !leaves(function) {
            let unwanted = standing.into_iter().filter(|standing| !wanted || *standing != id);
            steps.after.extend(unwanted.map(remove));
        }
    }
    steps
}
