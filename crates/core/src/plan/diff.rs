//! The comparison, kind by kind, and the plan that comes of it.

use super::children::{leftovers, mended_integrations, stage, strange_routes, strange_stages};
use super::functions::{deleted_before, functions};
use super::invocation::{grants, role};
use super::keep::{keep, refs};
use super::order::{Ordered, order};
use super::settings::{closing, settings};
use super::step::{Plan, Planned, Service, Step};
use crate::model::desired::{Desired, Marker};
use crate::model::name::{FunctionArn, Place};
use crate::model::{Observed, Owner, observed};
use std::collections::{BTreeMap, BTreeSet};

/// The steps that make AWS equal to the desired state. Total and deterministic; empty exactly when nothing is to be done.
///
/// What could not be read, and a role that is not proven the owner's, get no steps: it is the caller's to say so, and to
/// execute [`only_tightening`](super::only_tightening) steps alone meanwhile.
pub fn plan(desired: &Desired, observed: &Observed, owner: &Owner, place: &Place) -> Plan {
    let api = observed.api.as_ref();
    let kept = keep(desired, api);
    let grants = grants(desired, observed, owner, place);
    let role = role(desired, observed, owner);
    let functions = functions(desired, observed, owner);
    let create = || (Step::CreateApi(Box::new(desired.api.clone())), false);

    let mut draft = Draft::default();
    draft.extend(role.before);
    draft.extend(functions.before);
    draft.extend(api.is_none().then(create));
    draft.extend(grants.before);
    draft.extend(closing(desired, api));
    draft.extend(strange_stages(api));
    planted!(LeftoversFirst => {
        draft.extend(strange_routes(api));
        draft.extend(leftovers(desired, api, &kept));
    });
    draft.extend(order(desired, api, &kept));
    draft.extend(mended_integrations(&kept, desired));
    draft.extend(settings(desired, api));
    draft.extend(stage(api));
    draft.extend(strange_routes(api));
    draft.extend(grants.after);
    draft.extend(leftovers(desired, api, &kept));
    draft.extend(role.after);
    draft.extend(functions.after);

    Plan {
        refs: refs(api, &kept),
        steps: draft.link(desired, api),
    }
}

/// Steps in order, before their links are known.
#[derive(Default)]
struct Draft(Vec<Ordered>);

impl Draft {
    fn extend(&mut self, steps: impl IntoIterator<Item = Ordered>) {
        self.0.extend(steps);
    }

    /// Which steps of other services go before which: a function needs its role and its log group; a permission needs the API; a
    /// route, unless it closes something, needs its function and what lets it invoke it; what takes one of these away waits
    /// until no route needs it. An integration stays until the permission on its function is gone: to an object that takes the
    /// API over it is all that tells of that statement.
    fn link(self, desired: &Desired, api: Option<&observed::Api>) -> Vec<Planned> {
        let position = |wanted: fn(&Step) -> bool| self.0.iter().position(|(step, _)| wanted(step));
        let create_api = position(|step| matches!(step, Step::CreateApi(_)));
        let permissions: BTreeMap<&FunctionArn, usize> = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(index, (step, _))| match step {
                Step::AddPermission { function, .. } => Some((function, index)),
                _ => None,
            })
            .collect();
        let granted = |marker: &Marker, index: usize| {
            let function = desired
                .integrations
                .get(marker)
                .map(|integration| &integration.function);
            let permission = function.and_then(|function| permissions.get(function)).copied();
            let role = self
                .0
                .iter()
                .take(index)
                .rposition(|(step, _)| step.service() == Service::Iam);
            let ready = self.0.iter().take(index).rposition(|(step, _)| {
                matches!((step, function), (Step::AwaitFunction { name }, Some(function)) if name == function.name())
            });
            permission
                .into_iter()
                .chain(role)
                .chain(ready)
                .collect::<BTreeSet<_>>()
        };
        let belongings = |name: &str, index: usize| {
            let function = desired.owned.get(name);
            let is_its = |step: &Step| match (step, function) {
                (Step::CreateRole(role), _) => role.function.as_deref() == Some(name),
                (
                    Step::PutBoundary { role, .. }
                    | Step::UpdateTrust { role, .. }
                    | Step::PutRolePolicy { role, .. },
                    Some(function),
                ) => *role == function.role.name,
                (Step::CreateLogGroup(group), Some(function)) => group.name == function.log_group.name,
                _ => false,
            };
            let steps = self.0.iter().take(index).enumerate();
            steps
                .filter(|(_, (step, _))| is_its(step))
                .map(|(index, _)| index)
                .collect()
        };
        let no_route_needs_it = |index: usize| {
            let before = self.0.iter().take(index);
            let last = before
                .clone()
                .rposition(|(step, _)| step.service() == Service::ApiGateway);
            last.into_iter().collect::<BTreeSet<_>>()
        };
        let told_of = |id: &str, index: usize| {
            let integrations = api.map(|api| api.integrations.as_slice()).unwrap_or_default();
            let integration = integrations.iter().find(|integration| integration.id == id);
            let function = integration.and_then(observed::Integration::function_by_policy);
            let before = self.0.iter().take(index);
            let removed = before.clone().rposition(|(step, _)| {
                matches!((step, &function), (Step::RemovePermission { function: of, .. }, Some(function)) if of == function)
            });
            removed.into_iter().collect::<BTreeSet<_>>()
        };
        let after = |index: usize, step: &Step, tightens: bool| match step {
            Step::AddPermission { .. } => create_api.into_iter().collect(),
            Step::CreateRoute { integration, .. } if !tightens => granted(integration, index),
            Step::UpdateRoute { change, .. } if !tightens => change
                .integration
                .as_ref()
                .map(|marker| granted(marker, index))
                .unwrap_or_default(),
            Step::CreateFunction { name, .. } | Step::UpdateFunctionConfiguration { name, .. } => {
                belongings(name, index)
            }
            Step::DeleteIntegration { id } => told_of(id, index),
            Step::RemovePermission { .. }
            | Step::PutRolePolicy { .. }
            | Step::DeleteFunction { .. }
            | Step::DeleteLogGroup { .. } => no_route_needs_it(index),
            Step::DeleteRolePolicy { .. } | Step::DeleteRole { .. } => {
                let mut after = no_route_needs_it(index);
                after.extend(deleted_before(self.0.iter().map(|(step, _)| step), index));
                after
            }
            _ => BTreeSet::new(),
        };
        let links: Vec<BTreeSet<usize>> = self
            .0
            .iter()
            .enumerate()
            .map(|(index, (step, tightens))| after(index, step, *tightens))
            .collect();
        self.0
            .into_iter()
            .zip(links)
            .map(|((step, tightens), after)| Planned {
                step,
                after,
                tightens,
            })
            .collect()
    }
}
