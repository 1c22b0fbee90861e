//! Which steps of other services go before which.
//!
//! | step | waits for |
//! |---|---|
//! | a permission | the API |
//! | a route, unless it closes something | its function, and what lets it invoke it |
//! | a function, made or configured | its role and its log group |
//! | the role of a function | its log group: to whoever takes the API over that is all that tells of both |
//! | what takes a permission, a role or a function away | the last step before it that a route may need it until |
//! | a role's end | the end of its function |
//! | an integration's end | the end of the permission on its function: to whoever takes the API over it is all that tells of that |

use super::functions::deleted_before;
use super::order::Ordered;
use super::step::{Planned, Service, Step};
use crate::model::desired::{Desired, Marker};
use crate::model::observed::{Api, Integration};
use std::collections::BTreeSet;

/// Steps in their order, each with those that it waits for.
pub(super) fn link(steps: Vec<Ordered>, desired: &Desired, api: Option<&Api>) -> Vec<Planned> {
    let links = Links {
        steps: &steps,
        desired,
        integrations: api.map(|api| api.integrations.as_slice()).unwrap_or_default(),
    };
    let after: Vec<BTreeSet<usize>> = (0..steps.len()).map(|index| links.of(index)).collect();
    steps
        .into_iter()
        .zip(after)
        .map(|((step, tightens), after)| Planned {
            step,
            after,
            tightens,
        })
        .collect()
}

struct Links<'a> {
    steps: &'a [Ordered],
    desired: &'a Desired,
    integrations: &'a [Integration],
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
            Step::UpdateRoute { change, .. } if !tightens => change
                .integration
                .as_ref()
                .map(|marker| self.invocable(index, marker))
                .unwrap_or_default(),
            Step::CreateFunction { name, .. } | Step::UpdateFunctionConfiguration { name, .. } => {
                self.belongings(index, name)
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
        let role = self.last(index, |step| step.service() == Service::Iam);
        let ready = self.last(
            index,
            |step| matches!(step, Step::AwaitFunction { name } if function.is_some_and(|function| name == function.name())),
        );
        permission.into_iter().chain(role).chain(ready).collect()
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
        let integration = self.integrations.iter().find(|integration| integration.id == id);
        let told = integration.and_then(Integration::function_by_policy);
        let removed = self.last(
            index,
            |step| matches!(step, Step::RemovePermission { function, .. } if Some(function) == told.as_ref()),
        );
        removed.into_iter().collect()
    }
}
