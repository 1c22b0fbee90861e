//! Which steps of other services go before which.
//!
//! | step | waits for |
//! |---|---|
//! | a permission | the API |
//! | a route, unless it closes something | its function, and what lets it invoke it |
//! | who is let in, by a route, an authorizer or the endpoint's switch | the change of the functions that answer there (decision 11) |
//! | the change of a function | what takes access away before it |
//! | a function, made or configured | its role and its log group |
//! | the role of a function | its log group: to whoever takes the API over that is all that tells of both |
//! | what takes a permission, a role or a function away | the last step before it that a route may need it until |
//! | a role's end | the end of its function |
//! | an integration's end | the end of the permission on its function: to whoever takes the API over it is all that tells of that |
//!
//! Some of that must be in force, and not only answered, so that whom a change lets in before and after it is served all the
//! while (decision 10):
//!
//! | step | what is in force |
//! |---|---|
//! | a route that gets another function, or comes before a broader one, unless it closes something | what lets the role invoke it |
//! | a function, made | the trust of its role: Lambda refuses one that it cannot assume (D) |
//! | what takes a permission, a role or a function away | the deployment of the last step that a route may need it until |
//! | the endpoint's switch | the deployment of all that decides who gets in (decision 9) |
//! | the change of a function | the deployment of what takes access away before it (decision 11) |

use super::functions::deleted_before;
use super::kind::Service;
use super::order::Ordered;
use super::planned::{Planned, Settled};
use super::step::Step;
use crate::model::desired::{Desired, Guard, Invocation, Marker};
use crate::model::document;
use crate::model::name::RouteKey;
use crate::model::observed::{self, Api, Integration, Observed};
use std::collections::BTreeSet;

/// Steps in their order, each with those that it waits for.
pub(super) fn link(steps: Vec<Ordered>, desired: &Desired, observed: &Observed) -> Vec<Planned> {
    let links = Links {
        steps: &steps,
        desired,
        api: observed.api.as_ref(),
        role: observed.role.known().and_then(Option::as_ref),
    };
    let after: Vec<_> = (0..steps.len())
        .map(|index| (links.of(index), links.settled(index)))
        .collect();
    steps
        .into_iter()
        .zip(after)
        .map(|((step, tightens), (after, settled))| Planned {
            step,
            after,
            settled,
            tightens,
        })
        .collect()
}

struct Links<'a> {
    steps: &'a [Ordered],
    desired: &'a Desired,
    api: Option<&'a Api>,
    role: Option<&'a observed::Role>,
}

impl Links<'_> {
    fn of(&self, index: usize) -> BTreeSet<usize> {
        let Some((step, tightens)) = self.steps.get(index) else {
            return BTreeSet::new();
        };
        match step {
            Step::AddPermission { .. } => self
                .last(index, |step| matches!(step, Step::CreateApi(_)))
                .into_iter()
                .collect(),
            Step::CreateRoute { integration, .. } if !tightens => self.invocable(index, integration),
            Step::UpdateRoute { key, change } if !tightens => match &change.integration {
                Some(marker) => self.invocable(index, marker),
                None if change.authorize.is_some() => {
                    let key = self.becomes(index, key);
                    self.changed(index, |route, _| route == key)
                }
                None => BTreeSet::new(),
            },
            Step::UpdateAuthorizer { name, .. } if !tightens => self.changed(
                index,
                |_, guard| matches!(guard, Guard::Jwt { authorizer, .. } if authorizer == name),
            ),
            step if step.overtakes() => self.changed(index, |_, _| true),
            Step::CreateFunction { name, .. } => self.belongings(index, name),
            Step::UpdateFunctionCode { .. } => self.taken_away(index),
            Step::UpdateFunctionConfiguration { name, .. } => {
                let belongings = self.belongings(index, name).into_iter();
                belongings.chain(self.taken_away(index)).collect()
            }
            Step::CreateRole(role) => role
                .function
                .as_ref()
                .and_then(|name| self.log_group(index, name))
                .into_iter()
                .collect(),
            Step::DeleteIntegration { id } => self.told_of(index, id),
            Step::RemovePermission { .. }
            | Step::PutRolePolicy { .. }
            | Step::DeleteFunction { .. }
            | Step::DeleteLogGroup { .. } => self.unneeded(index).into_iter().collect(),
            Step::DeleteRolePolicy { .. } | Step::DeleteRole { .. } => {
                let function = deleted_before(self.steps.iter().map(|(step, _)| step), index);
                self.unneeded(index).into_iter().chain(function).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn settled(&self, index: usize) -> Option<Settled> {
        let (step, tightens) = self.steps.get(index)?;
        let marker = match step {
            Step::CreateRoute { key, integration, .. } if self.comes_before_another(index, key) => {
                Some(integration)
            }
            Step::UpdateRoute { change, .. } if self.is_served() => change.integration.as_ref(),
            _ => None,
        };
        match step {
            Step::CreateRoute { .. } | Step::UpdateRoute { .. } => {
                let marker = marker.filter(|_| !tightens && !planted!(RepointsAtOnce))?;
                self.permitted(index, marker)
            }
            Step::CreateFunction { name, .. } => {
                let trust = |index: &usize| {
                    matches!(
                        self.steps.get(*index),
                        Some((Step::CreateRole(_) | Step::UpdateTrust { .. }, _))
                    )
                };
                let belongings = self.belongings(index, name).into_iter();
                Some(Settled::Permissions(belongings.filter(trust).collect()))
            }
            Step::UpdateFunctionCode { .. } | Step::UpdateFunctionConfiguration { .. } => {
                (!self.taken_away(index).is_empty()).then_some(Settled::Deployments)
            }
            step if step.overtakes() && !planted!(SwitchOvertakes) => Some(Settled::Deployments),
            step if self.is_felt_by_routes(index, step) && !planted!(GoesAtOnce) => {
                Some(Settled::Deployments)
            }
            _ => None,
        }
    }

    fn is_served(&self) -> bool {
        self.api.is_some_and(|api| !api.stages.is_empty())
    }

    /// Whether a new route takes requests from a broader one that is there and stays until then.
    fn comes_before_another(&self, index: usize, key: &RouteKey) -> bool {
        let mut routes = self.api.iter().flat_map(|api| &api.routes);
        let goes_before = |route: &observed::Route| {
            let mut before = self.steps.iter().take(index);
            before.any(|(step, _)| matches!(step, Step::DeleteRoute { id, .. } if *id == route.id))
        };
        let is_broader = |other: &RouteKey| {
            let (new, other) = (key.pattern(), other.pattern());
            other.overlaps(new) && other.precedence(new).is_gt()
        };
        self.is_served()
            && routes
                .any(|route| route.parsed().is_none_or(|other| is_broader(&other)) && !goes_before(route))
    }

    /// What lets the role invoke the function of an integration that it could not invoke before this plan; none where no role
    /// of the operator's invokes it.
    fn permitted(&self, index: usize, marker: &Marker) -> Option<Settled> {
        if !matches!(self.desired.invocation, Invocation::Role(_)) {
            return None;
        }
        let function = &self.desired.integrations.get(marker)?.function;
        let could = self.role.and_then(|role| role.policy.as_ref());
        let could =
            could.is_some_and(|policy| document::allowed_resources(policy).contains(&function.to_string()));
        let lets_in = |step: &Step| {
            let widens = matches!(step, Step::PutRolePolicy { .. });
            step.settles() && self.lets_in(step) && !(widens && could)
        };
        let before = self.steps.iter().take(index).enumerate();
        let lets_in = before.filter(|(_, (step, _))| lets_in(step));
        Some(Settled::Permissions(lets_in.map(|(index, _)| index).collect()))
    }

    /// Whether a step is about what lets API Gateway in by the role.
    fn lets_in(&self, step: &Step) -> bool {
        let Invocation::Role(role) = &self.desired.invocation else {
            return false;
        };
        match step {
            Step::CreateRole(made) => made.name == role.name,
            Step::UpdateTrust { role: of, .. }
            | Step::PutBoundary { role: of, .. }
            | Step::PutRolePolicy { role: of, .. } => *of == role.name,
            _ => false,
        }
    }

    /// Whether a step takes something away that a route may have needed, and does not bring it back.
    fn is_felt_by_routes(&self, index: usize, step: &Step) -> bool {
        match step {
            Step::RemovePermission { function, .. } => {
                let mut after = self.steps.iter().skip(index);
                !after.any(
                    |(step, _)| matches!(step, Step::AddPermission { function: of, .. } if of == function),
                )
            }
            Step::PutRolePolicy { role, widens, .. } => {
                matches!(&self.desired.invocation, Invocation::Role(invokes) if invokes.name == *role)
                    && !widens
            }
            Step::DeleteRolePolicy { .. } | Step::DeleteRole { .. } | Step::DeleteFunction { .. } => true,
            _ => false,
        }
    }

    /// The last step of a kind before another one.
    fn last(&self, index: usize, is_meant: impl Fn(&Step) -> bool) -> Option<usize> {
        let before = self.steps.iter().take(index);
        before
            .rev()
            .position(|(step, _)| is_meant(step))
            .map(|back| index - 1 - back)
    }

    /// What makes the function of an integration there, and lets the API invoke it.
    fn invocable(&self, index: usize, marker: &Marker) -> BTreeSet<usize> {
        let integration = self.desired.integrations.get(marker);
        let function = integration.map(|integration| &integration.function);
        let permission = self.last(
            index,
            |step| matches!(step, Step::AddPermission { function: of, .. } if Some(of) == function),
        );
        let role = self.last(index, |step| self.lets_in(step));
        let ready = function.and_then(|function| self.ready(index, function.name()));
        let belongings = function.map(|function| self.belongings(index, function.name()));
        let belongings = belongings.into_iter().flatten();
        permission
            .into_iter()
            .chain(role)
            .chain(ready)
            .chain(belongings)
            .collect()
    }

    /// The key that a route has after a step: one that has become another is still known by its first.
    fn becomes<'b>(&'b self, index: usize, known_as: &'b RouteKey) -> &'b RouteKey {
        let key = |(step, _): &'b Ordered| match step {
            Step::UpdateRoute { key, change } if key == known_as => change.key.as_ref(),
            _ => None,
        };
        let so_far = self.steps.iter().take(index + 1);
        so_far.rev().find_map(key).unwrap_or(known_as)
    }

    /// The changes of functions to which routes lead.
    fn changed(&self, index: usize, is_meant: impl Fn(&RouteKey, &Guard) -> bool) -> BTreeSet<usize> {
        let routes = self.desired.routes.iter();
        let meant = routes.filter(|(key, route)| is_meant(key, &route.guard));
        let integrations = meant.filter_map(|(_, route)| self.desired.integrations.get(&route.integration));
        let names: BTreeSet<&str> = integrations
            .map(|integration| integration.function.name())
            .collect();
        names
            .into_iter()
            .filter_map(|name| self.ready(index, name))
            .collect()
    }

    /// The last wait for a function.
    fn ready(&self, index: usize, name: &str) -> Option<usize> {
        self.last(
            index,
            |step| matches!(step, Step::AwaitFunction { name: of } if of == name),
        )
    }

    /// What takes access away before a step: the ends of stages apart, which AWS may keep.
    fn taken_away(&self, index: usize) -> BTreeSet<usize> {
        let before = self.steps.iter().take(index).enumerate();
        before
            .filter(|(_, (step, tightens))| *tightens && !matches!(step, Step::DeleteStage { .. }))
            .map(|(index, _)| index)
            .collect()
    }

    /// Role and log group of a function of the object's own.
    fn belongings(&self, index: usize, name: &str) -> BTreeSet<usize> {
        let function = self.desired.owned.get(name);
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
        let before = self.steps.iter().take(index).enumerate();
        before
            .filter(|(_, (step, _))| is_its(step))
            .map(|(index, _)| index)
            .collect()
    }

    fn log_group(&self, index: usize, name: &str) -> Option<usize> {
        let function = self.desired.owned.get(name)?;
        self.last(
            index,
            |step| matches!(step, Step::CreateLogGroup(group) if group.name == function.log_group.name),
        )
    }

    /// After this step no route needs what goes.
    fn unneeded(&self, index: usize) -> Option<usize> {
        self.last(index, |step| step.service() == Service::ApiGateway)
    }

    fn told_of(&self, index: usize, id: &str) -> BTreeSet<usize> {
        let mut integrations = self.api.iter().flat_map(|api| &api.integrations);
        let integration = integrations.find(|integration| integration.id == id);
        let told = integration.and_then(Integration::function_by_policy);
        let removed = self.last(
            index,
            |step| matches!(step, Step::RemovePermission { function, .. } if Some(function) == told.as_ref()),
        );
        removed.into_iter().collect()
    }
}
