//! The operations of API Gateway v2 that are modelled.

use std::collections::BTreeMap;

use super::{ApiInput, AuthorizerInput, IntegrationInput, RouteInput, StageInput};
use crate::model::{Described, paging::PageRequest};

/// One request. `api` is an API's id, `id` a child's.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    CreateApi {
        input: ApiInput,
    },
    GetApi {
        api: String,
    },
    GetApis {
        page: PageRequest,
    },
    UpdateApi {
        api: String,
        input: ApiInput,
    },
    DeleteApi {
        api: String,
    },
    DeleteCorsConfiguration {
        api: String,
    },
    CreateAuthorizer {
        api: String,
        input: AuthorizerInput,
    },
    GetAuthorizer {
        api: String,
        id: String,
    },
    GetAuthorizers {
        api: String,
        page: PageRequest,
    },
    UpdateAuthorizer {
        api: String,
        id: String,
        input: AuthorizerInput,
    },
    DeleteAuthorizer {
        api: String,
        id: String,
    },
    CreateIntegration {
        api: String,
        input: IntegrationInput,
    },
    GetIntegration {
        api: String,
        id: String,
    },
    GetIntegrations {
        api: String,
        page: PageRequest,
    },
    UpdateIntegration {
        api: String,
        id: String,
        input: IntegrationInput,
    },
    DeleteIntegration {
        api: String,
        id: String,
    },
    CreateRoute {
        api: String,
        input: RouteInput,
    },
    GetRoute {
        api: String,
        id: String,
    },
    GetRoutes {
        api: String,
        page: PageRequest,
    },
    UpdateRoute {
        api: String,
        id: String,
        input: RouteInput,
    },
    DeleteRoute {
        api: String,
        id: String,
    },
    CreateStage {
        api: String,
        input: StageInput,
    },
    GetStage {
        api: String,
        name: String,
    },
    GetStages {
        api: String,
        page: PageRequest,
    },
    UpdateStage {
        api: String,
        name: String,
        input: StageInput,
    },
    DeleteStage {
        api: String,
        name: String,
    },
    DeleteAccessLogSettings {
        api: String,
        name: String,
    },
    DeleteRouteSettings {
        api: String,
        name: String,
        key: String,
    },
    TagResource {
        arn: String,
        tags: BTreeMap<String, String>,
    },
    UntagResource {
        arn: String,
        keys: Vec<String>,
    },
    GetTags {
        arn: String,
    },
}

impl Request {
    /// The issuer that has to be fetched before the request is carried out.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match self {
            Self::CreateAuthorizer { input, .. } | Self::UpdateAuthorizer { input, .. } => input.issuer(),
            _ => None,
        }
    }

    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target, resource) = match self {
            Self::CreateApi { input } => ("CreateApi", None, input.name.as_ref()),
            Self::GetApi { api } => ("GetApi", Some(api), None),
            Self::GetApis { .. } => ("GetApis", None, None),
            Self::UpdateApi { api, .. } => ("UpdateApi", Some(api), None),
            Self::DeleteApi { api } => ("DeleteApi", Some(api), None),
            Self::DeleteCorsConfiguration { api } => ("DeleteCorsConfiguration", Some(api), None),
            Self::CreateAuthorizer { api, input } => ("CreateAuthorizer", Some(api), input.name.as_ref()),
            Self::GetAuthorizer { api, id } => ("GetAuthorizer", Some(api), Some(id)),
            Self::GetAuthorizers { api, .. } => ("GetAuthorizers", Some(api), None),
            Self::UpdateAuthorizer { api, id, .. } => ("UpdateAuthorizer", Some(api), Some(id)),
            Self::DeleteAuthorizer { api, id } => ("DeleteAuthorizer", Some(api), Some(id)),
            Self::CreateIntegration { api, input } => {
                ("CreateIntegration", Some(api), input.integration_uri.as_ref())
            }
            Self::GetIntegration { api, id } => ("GetIntegration", Some(api), Some(id)),
            Self::GetIntegrations { api, .. } => ("GetIntegrations", Some(api), None),
            Self::UpdateIntegration { api, id, .. } => ("UpdateIntegration", Some(api), Some(id)),
            Self::DeleteIntegration { api, id } => ("DeleteIntegration", Some(api), Some(id)),
            Self::CreateRoute { api, input } => ("CreateRoute", Some(api), input.route_key.as_ref()),
            Self::GetRoute { api, id } => ("GetRoute", Some(api), Some(id)),
            Self::GetRoutes { api, .. } => ("GetRoutes", Some(api), None),
            Self::UpdateRoute { api, id, .. } => ("UpdateRoute", Some(api), Some(id)),
            Self::DeleteRoute { api, id } => ("DeleteRoute", Some(api), Some(id)),
            Self::CreateStage { api, input } => ("CreateStage", Some(api), input.stage_name.as_ref()),
            Self::GetStage { api, name } => ("GetStage", Some(api), Some(name)),
            Self::GetStages { api, .. } => ("GetStages", Some(api), None),
            Self::UpdateStage { api, name, .. } => ("UpdateStage", Some(api), Some(name)),
            Self::DeleteStage { api, name } => ("DeleteStage", Some(api), Some(name)),
            Self::DeleteAccessLogSettings { api, name } => ("DeleteAccessLogSettings", Some(api), Some(name)),
            Self::DeleteRouteSettings { api, key, .. } => ("DeleteRouteSettings", Some(api), Some(key)),
            Self::TagResource { arn, .. } => ("TagResource", Some(arn), None),
            Self::UntagResource { arn, .. } => ("UntagResource", Some(arn), None),
            Self::GetTags { arn } => ("GetTags", Some(arn), None),
        };
        Described {
            operation,
            target: target.map(String::as_str),
            resource: resource.map(String::as_str),
        }
    }
}
