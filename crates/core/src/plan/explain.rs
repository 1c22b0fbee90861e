//! A step in words: one line, stable, for logs, events and snapshots.

use super::planned::Plan;
use super::step::{Authorize, Step};
use std::collections::BTreeSet;
use std::fmt;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateApi(api) => write!(f, "create API {:?}", api.name),
            Self::UpdateApi(change) => {
                f.write_str("update API:")?;
                let fields = [
                    ("name", change.name.is_some()),
                    ("description", change.description.is_some()),
                    ("cors", change.cors.is_some()),
                    (
                        "disableExecuteApiEndpoint",
                        change.disable_execute_api_endpoint.is_some(),
                    ),
                    ("ipAddressType", change.ip_address_type.is_some()),
                ];
                fields
                    .iter()
                    .filter(|(_, set)| *set)
                    .try_for_each(|(name, _)| write!(f, " {name}"))
            }
            Self::DeleteCors => f.write_str("remove CORS"),
            Self::TagApi(tags) => write!(f, "tag API: {}", joined(tags.keys())),
            Self::UntagApi(keys) => write!(f, "untag API: {}", joined(keys)),
            Self::DeleteApi { id } => write!(f, "delete API {id}"),
            Self::CreateAuthorizer { name, .. } => write!(f, "create authorizer {name}"),
            Self::UpdateAuthorizer { name, .. } => write!(f, "update authorizer {name}"),
            Self::DeleteAuthorizer { id, name } => write!(f, "delete authorizer {name} ({id})"),
            Self::CreateIntegration { integration, .. } => {
                write!(f, "create integration with {}", integration.function)
            }
            Self::UpdateIntegration { id, .. } => write!(f, "put integration {id} right"),
            Self::DeleteIntegration { id } => write!(f, "delete integration {id}"),
            Self::CreateRoute { key, authorize, .. } => write!(f, "create route {key}: {authorize}"),
            Self::UpdateRoute { key, change } => {
                write!(f, "update route {key}:")?;
                if let Some(key) = &change.key {
                    write!(f, " key {key}")?;
                }
                if let Some(authorize) = &change.authorize {
                    write!(f, " {authorize}")?;
                }
                let fields = [
                    ("integration", change.integration.is_some()),
                    ("operationName", change.operation_name.is_some()),
                ];
                fields
                    .iter()
                    .filter(|(_, set)| *set)
                    .try_for_each(|(name, _)| write!(f, " {name}"))
            }
            Self::DeleteRoute { id, key, .. } => write!(f, "delete route {key} ({id})"),
            Self::CreateStage => f.write_str("create stage $default"),
            Self::UpdateStage => f.write_str("switch automatic deployment on"),
            Self::DeleteStage { name } => write!(f, "delete stage {name}"),
            Self::CreateRole(role) => write!(f, "create role {}", role.name.name),
            Self::UpdateTrust { role, .. } => write!(f, "update trust of role {}", role.name),
            Self::PutBoundary { role, boundary, .. } => {
                write!(f, "bound role {} by {}", role.name, boundary.as_str())
            }
            Self::PutRolePolicy { role, policy, .. } => {
                let (name, resources) = (&role.name, policy.resources());
                if resources.iter().any(|arn| arn.contains(":log-group:")) {
                    write!(f, "let role {name} write logs")
                } else {
                    write!(f, "let role {name} invoke {} functions", resources.len())
                }
            }
            Self::TagRole { role, tags } => write!(f, "tag role {}: {}", role.name, joined(tags.keys())),
            Self::UntagRole { role, keys } => write!(f, "untag role {}: {}", role.name, joined(keys)),
            Self::DeleteRolePolicy { role } => write!(f, "delete policy of role {}", role.name),
            Self::DeleteRole { role } => write!(f, "delete role {}", role.name),
            Self::AddPermission { function, .. } => write!(f, "let the API invoke {function}"),
            Self::RemovePermission { function, .. } => write!(f, "no longer let the API invoke {function}"),
            Self::CreateLogGroup(group) => write!(f, "create log group {}", group.name),
            Self::PutRetention { log_group, days } => write!(f, "keep logs of {log_group} for {days} days"),
            Self::TagLogGroup { log_group, tags } => {
                write!(f, "tag log group {log_group}: {}", joined(tags.keys()))
            }
            Self::UntagLogGroup { log_group, keys } => {
                write!(f, "untag log group {log_group}: {}", joined(keys))
            }
            Self::DeleteLogGroup { log_group } => write!(f, "delete log group {log_group}"),
            Self::CreateFunction { name, .. } => write!(f, "create function {name}"),
            Self::AwaitFunction { name } => write!(f, "wait for function {name}"),
            Self::UpdateFunctionCode { name, .. } => write!(f, "update code of function {name}"),
            Self::UpdateFunctionConfiguration { name, .. } => {
                write!(f, "update configuration of function {name}")
            }
            Self::TagFunction { name, tags } => write!(f, "tag function {name}: {}", joined(tags.keys())),
            Self::UntagFunction { name, keys } => write!(f, "untag function {name}: {}", joined(keys)),
            Self::DeleteFunction { name } => write!(f, "delete function {name}"),
        }
    }
}

fn joined<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    words
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

impl fmt::Display for Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Jwt { authorizer, scopes } if scopes.is_empty() => write!(f, "tokens of {authorizer}"),
            Self::Jwt { authorizer, scopes } => write!(f, "tokens of {authorizer} with {}", joined(scopes)),
            Self::Closed { .. } => f.write_str("closed"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps
            .iter()
            .try_for_each(|planned| writeln!(f, "{}", planned.step))
    }
}
