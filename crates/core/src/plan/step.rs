//! The steps that plans are made of: each is one request.

use super::kind::{Kind, Service};
use crate::model::PolicyArn;
use crate::model::desired::{Api, Cors, Integration, Jwt, Marker, Role};
use crate::model::document::Document;
use crate::model::function::{Code, Configuration, Function, LogGroup};
use crate::model::name::{FunctionArn, RoleName, RouteKey};
use std::collections::{BTreeMap, BTreeSet};

/// One request that changes AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Create the API with its tags.
    CreateApi(Box<Api>),
    /// Change settings of the API.
    UpdateApi(ApiChange),
    /// Remove CORS: an empty block does not (O).
    DeleteCors,
    /// Set tags of the API.
    TagApi(BTreeMap<String, String>),
    /// Remove tags of the API.
    UntagApi(BTreeSet<String>),
    /// Delete an API with everything in it.
    DeleteApi {
        /// Its id.
        id: String,
    },

    /// Create a JWT authorizer.
    CreateAuthorizer {
        /// Its name.
        name: String,
        /// Whose tokens it takes.
        jwt: Jwt,
    },
    /// Replace an authorizer's configuration in one request.
    UpdateAuthorizer {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Whose tokens it takes.
        jwt: Jwt,
    },
    /// Delete an authorizer that no route refers to.
    DeleteAuthorizer {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },

    /// Create an integration.
    CreateIntegration {
        /// Its marker.
        marker: Marker,
        /// What it is.
        integration: Box<Integration>,
    },
    /// Put an integration right whose content no longer fits its marker.
    UpdateIntegration {
        /// Its id.
        id: String,
        /// Its marker.
        marker: Marker,
        /// What it is.
        integration: Box<Integration>,
        /// Request parameters to drop: the map merges, an empty value drops a key (O).
        drop_parameters: BTreeSet<String>,
    },
    /// Delete an integration that no route refers to.
    DeleteIntegration {
        /// Its id.
        id: String,
    },

    /// Create a route, guarded from the start.
    CreateRoute {
        /// Its key.
        key: RouteKey,
        /// Who may call it.
        authorize: Authorize,
        /// Where it leads.
        integration: Marker,
        /// Operation name; empty for none.
        operation_name: String,
    },
    /// Change a route in one request.
    UpdateRoute {
        /// Its key before the request.
        key: RouteKey,
        /// What changes.
        change: RouteChange,
    },
    /// Delete a route.
    DeleteRoute {
        /// Its id.
        id: String,
        /// Its key as written.
        key: String,
        /// Routes made before it that take some of its callers over. It opens nothing either when they could not be made.
        heirs: BTreeSet<RouteKey>,
    },

    /// Create the `$default` stage, deployed by itself.
    CreateStage,
    /// Switch automatic deployment of the `$default` stage on.
    UpdateStage,
    /// Delete a stage that nobody asked for.
    DeleteStage {
        /// Its name.
        name: String,
    },

    /// Create a role with its tags.
    CreateRole(Box<Role>),
    /// Replace the trust of the role.
    UpdateTrust {
        /// The role.
        role: RoleName,
        /// Who may assume it.
        trust: Document,
    },
    /// Put the role's permissions boundary.
    PutBoundary {
        /// The role.
        role: RoleName,
        /// What bounds it.
        boundary: PolicyArn,
        /// Whether something else bounded it before: it may now do what it could not, and IAM has to settle then.
        replaces: bool,
    },
    /// Put the role's one inline policy.
    PutRolePolicy {
        /// The role.
        role: RoleName,
        /// What it may do.
        policy: Document,
        /// Whether it may do something that it could not do before: IAM has to settle then.
        widens: bool,
    },
    /// Set tags of the role.
    TagRole {
        /// The role.
        role: RoleName,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Remove tags of the role.
    UntagRole {
        /// The role.
        role: RoleName,
        /// The keys.
        keys: BTreeSet<String>,
    },
    /// Delete the role's inline policy.
    DeleteRolePolicy {
        /// The role.
        role: RoleName,
    },
    /// Delete the role.
    DeleteRole {
        /// The role.
        role: RoleName,
    },

    /// Create a log group with its tags.
    CreateLogGroup(LogGroup),
    /// Set how long a log group keeps what it has.
    PutRetention {
        /// The log group.
        log_group: String,
        /// Days.
        days: i32,
    },
    /// Set tags of a log group.
    TagLogGroup {
        /// The log group.
        log_group: String,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Remove tags of a log group.
    UntagLogGroup {
        /// The log group.
        log_group: String,
        /// The keys.
        keys: BTreeSet<String>,
    },
    /// Delete a log group with everything in it.
    DeleteLogGroup {
        /// The log group.
        log_group: String,
    },

    /// Create a function with its tags.
    CreateFunction {
        /// Its name in AWS.
        name: String,
        /// What it is.
        function: Box<Function>,
    },
    /// Wait until Lambda is done with the last creation or change: it refuses the next one until then (D).
    AwaitFunction {
        /// Its name in AWS.
        name: String,
    },
    /// Replace a function's code.
    UpdateFunctionCode {
        /// Its name in AWS.
        name: String,
        /// The code.
        code: Box<Code>,
    },
    /// Replace a function's configuration in one request.
    UpdateFunctionConfiguration {
        /// Its name in AWS.
        name: String,
        /// The configuration.
        configuration: Box<Configuration>,
    },
    /// Set tags of a function.
    TagFunction {
        /// Its name in AWS.
        name: String,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Remove tags of a function.
    UntagFunction {
        /// Its name in AWS.
        name: String,
        /// The keys.
        keys: BTreeSet<String>,
    },
    /// Delete a function with its policy. Its log group stays (D).
    DeleteFunction {
        /// Its name in AWS.
        name: String,
    },

    /// Let the API invoke a function. It needs the API's id, which may be made by this plan.
    AddPermission {
        /// The function, with its qualifier.
        function: FunctionArn,
        /// Id of the statement.
        statement_id: String,
    },
    /// Take the permission away.
    RemovePermission {
        /// The function, with its qualifier.
        function: FunctionArn,
        /// Id of the statement.
        statement_id: String,
    },
}

impl Step {
    /// The kind of thing that the step changes.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::CreateApi(_)
            | Self::UpdateApi(_)
            | Self::DeleteCors
            | Self::TagApi(_)
            | Self::UntagApi(_)
            | Self::DeleteApi { .. } => Kind::Api,
            Self::CreateAuthorizer { .. } | Self::UpdateAuthorizer { .. } | Self::DeleteAuthorizer { .. } => {
                Kind::Authorizer
            }
            Self::CreateIntegration { .. }
            | Self::UpdateIntegration { .. }
            | Self::DeleteIntegration { .. } => Kind::Integration,
            Self::CreateRoute { .. } | Self::UpdateRoute { .. } | Self::DeleteRoute { .. } => Kind::Route,
            Self::CreateStage | Self::UpdateStage | Self::DeleteStage { .. } => Kind::Stage,
            Self::CreateRole(_)
            | Self::UpdateTrust { .. }
            | Self::PutBoundary { .. }
            | Self::PutRolePolicy { .. }
            | Self::TagRole { .. }
            | Self::UntagRole { .. }
            | Self::DeleteRolePolicy { .. }
            | Self::DeleteRole { .. } => Kind::Role,
            Self::AddPermission { .. } | Self::RemovePermission { .. } => Kind::Permission,
            Self::CreateFunction { .. }
            | Self::AwaitFunction { .. }
            | Self::UpdateFunctionCode { .. }
            | Self::UpdateFunctionConfiguration { .. }
            | Self::TagFunction { .. }
            | Self::UntagFunction { .. }
            | Self::DeleteFunction { .. } => Kind::Function,
            Self::CreateLogGroup(_)
            | Self::PutRetention { .. }
            | Self::TagLogGroup { .. }
            | Self::UntagLogGroup { .. }
            | Self::DeleteLogGroup { .. } => Kind::LogGroup,
        }
    }

    /// The service that the step goes to.
    pub const fn service(&self) -> Service {
        self.kind().service()
    }

    /// Whether a stage is deployed anew by it (routes, integrations, authorizers and stages, O), or may be: what the documents say of
    /// the endpoint's switch (D), and nothing says of CORS.
    pub const fn deploys(&self) -> bool {
        match self {
            Self::UpdateApi(change) => change.disable_execute_api_endpoint.is_some() || change.cors.is_some(),
            step => matches!(
                step,
                Self::DeleteCors
                    | Self::CreateAuthorizer { .. }
                    | Self::UpdateAuthorizer { .. }
                    | Self::DeleteAuthorizer { .. }
                    | Self::CreateIntegration { .. }
                    | Self::UpdateIntegration { .. }
                    | Self::DeleteIntegration { .. }
                    | Self::CreateRoute { .. }
                    | Self::UpdateRoute { .. }
                    | Self::DeleteRoute { .. }
                    | Self::CreateStage
                    | Self::UpdateStage
            ),
        }
    }

    /// Whether what a stage serves is another once it is deployed: all that is, but for the end of what no route refers to.
    pub const fn alters_what_is_served(&self) -> bool {
        self.deploys()
            && !matches!(
                self,
                Self::DeleteAuthorizer { .. } | Self::DeleteIntegration { .. }
            )
    }

    /// Whether a route leads to a function after it that it may not have led to before.
    pub const fn leads_a_route(&self) -> bool {
        match self {
            Self::CreateRoute { .. } => true,
            Self::UpdateRoute { change, .. } => change.integration.is_some(),
            _ => false,
        }
    }

    /// Whether it lets in whom the last deployment admits, and may do so before what was written earlier is deployed: the
    /// endpoint's switch, which wants a deployment by the documents (D), of which none says that it waits for one.
    pub fn overtakes(&self) -> bool {
        matches!(self, Self::UpdateApi(change) if change.switches_on())
    }

    /// Whether traffic has to wait until IAM has settled: a new role that invokes, a changed trust, another
    /// boundary, a wider policy.
    pub fn settles(&self) -> bool {
        match self {
            Self::CreateRole(role) => role.function.is_none(),
            Self::UpdateTrust { .. } => true,
            Self::PutBoundary { replaces, .. } => *replaces,
            Self::PutRolePolicy { widens, .. } => *widens,
            _ => false,
        }
    }
}

/// Settings of the API to send; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiChange {
    /// Name.
    pub name: Option<String>,
    /// Description; empty clears it (O).
    pub description: Option<String>,
    /// CORS, whole.
    pub cors: Option<Cors>,
    /// Whether the `execute-api` endpoint is off.
    pub disable_execute_api_endpoint: Option<bool>,
    /// Address family.
    pub ip_address_type: Option<crate::api::IpAddressType>,
}

impl ApiChange {
    /// Whether the endpoint answers from then on.
    pub fn switches_on(&self) -> bool {
        self.disable_execute_api_endpoint == Some(false)
    }
}

/// Who may call a route, as it is sent: type, authorizer and scopes always together (O).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorize {
    /// Everybody: `NONE`, sent in so many letters.
    Public,
    /// By an authorizer's name.
    Jwt {
        /// Name, resolved by [`Refs`](super::Refs).
        authorizer: String,
        /// Scopes; empty clears them.
        scopes: BTreeSet<String>,
    },
    /// Nobody: the route keeps its authorizer and requires a scope that no token carries.
    Closed {
        /// Id of the authorizer that it has.
        authorizer_id: String,
    },
}

/// What changes on a route; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChange {
    /// Another key: of the same shape, or of any where there is no room for one route beside the other (ADR 7).
    pub key: Option<RouteKey>,
    /// Who may call it.
    pub authorize: Option<Authorize>,
    /// Where it leads.
    pub integration: Option<Marker>,
    /// Operation name; empty clears it (O).
    pub operation_name: Option<String>,
}
