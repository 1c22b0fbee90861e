//! One step, one request (or, for a wait, a look now and then): the only place that knows them all.

use super::{api, children, function, logs, permission, role};
use crate::aws::fault::{Class, Fault};
use crate::aws::operation::Operation;
use crate::aws::session::{Session, Stop, Turn};
use futures::FutureExt;
use futures::future::BoxFuture;
use jwthttpapi_core::model::desired::Marker;
use jwthttpapi_core::model::name::RouteKey;
use jwthttpapi_core::model::observed;
use jwthttpapi_core::plan::{Refs, Step};

/// What a step made that later steps refer to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Made {
    /// Nothing.
    Nothing,
    /// The API.
    Api(Box<observed::Api>),
    /// An authorizer.
    Authorizer { name: String, id: String },
    /// An integration.
    Integration { marker: Marker, id: String },
    /// A route, or a route's new key.
    Route { key: RouteKey, id: String },
}

/// A request on its way; nothing is sent before it is polled.
pub(super) type Sending<'a> = BoxFuture<'a, Result<Made, Stop>>;

/// Makes the request of a step.
///
/// # Errors
/// When the step refers to something that was never made.
pub(super) fn send<'a>(
    session: &'a Session,
    turn: Turn<'a>,
    refs: &Refs,
    step: &Step,
) -> Result<Sending<'a>, Fault> {
    let ids = |operation| Ids { refs, operation };
    let to = To { session, turn };
    match step {
        Step::CreateApi(wanted) => Ok(api::create_as_step(to, wanted)),
        Step::UpdateApi(change) => api::update(to, &ids(Operation::UpdateApi), change),
        Step::DeleteCors => api::delete_cors(to, &ids(Operation::DeleteCorsConfiguration)),
        Step::TagApi(tags) => api::tag(to, &ids(Operation::TagResource), tags),
        Step::UntagApi(keys) => api::untag(to, &ids(Operation::UntagResource), keys),
        Step::DeleteApi { id } => Ok(api::delete(to, id)),

        Step::CreateAuthorizer { name, jwt } => {
            children::create_authorizer(to, &ids(Operation::CreateAuthorizer), name, jwt)
        }
        Step::UpdateAuthorizer { id, name, jwt } => {
            children::update_authorizer(to, &ids(Operation::UpdateAuthorizer), id, name, jwt)
        }
        Step::DeleteAuthorizer { id, name: _ } => {
            children::delete_authorizer(to, &ids(Operation::DeleteAuthorizer), id)
        }

        Step::CreateIntegration { marker, integration } => {
            children::create_integration(to, &ids(Operation::CreateIntegration), marker, integration)
        }
        Step::UpdateIntegration {
            id,
            marker,
            integration,
            drop_parameters,
        } => {
            let ids = ids(Operation::UpdateIntegration);
            children::update_integration(to, &ids, id, marker, integration, drop_parameters)
        }
        Step::DeleteIntegration { id } => {
            children::delete_integration(to, &ids(Operation::DeleteIntegration), id)
        }

        Step::CreateRoute {
            key,
            authorize,
            integration,
            operation_name,
        } => {
            let ids = ids(Operation::CreateRoute);
            children::create_route(to, &ids, key, authorize, integration, operation_name)
        }
        Step::UpdateRoute { key, change } => {
            children::update_route(to, &ids(Operation::UpdateRoute), key, change)
        }
        Step::DeleteRoute { id, .. } => children::delete_route(to, &ids(Operation::DeleteRoute), id),

        Step::CreateStage => api::create_stage(to, &ids(Operation::CreateStage)),
        Step::UpdateStage => api::update_stage(to, &ids(Operation::UpdateStage)),
        Step::DeleteStage { name } => api::delete_stage(to, &ids(Operation::DeleteStage), name),

        Step::CreateRole(wanted) => role::create(to, wanted),
        Step::UpdateTrust { role, trust } => Ok(role::update_trust(to, role, trust)),
        Step::PutBoundary {
            role,
            boundary,
            replaces: _,
        } => Ok(role::put_boundary(to, role, boundary)),
        Step::PutRolePolicy {
            role,
            policy,
            widens: _,
        } => Ok(role::put_policy(to, role, policy)),
        Step::TagRole { role, tags } => role::tag(to, role, tags),
        Step::UntagRole { role, keys } => Ok(role::untag(to, role, keys)),
        Step::DeleteRolePolicy { role } => Ok(role::delete_policy(to, role)),
        Step::DeleteRole { role } => Ok(role::delete(to, role)),

        Step::AddPermission {
            function,
            statement_id,
        } => permission::add(to, &ids(Operation::AddPermission), function, statement_id),
        Step::RemovePermission {
            function,
            statement_id,
        } => Ok(permission::remove(to, function, statement_id)),

        Step::CreateLogGroup(wanted) => Ok(logs::create(to, wanted)),
        Step::PutRetention { log_group, days } => Ok(logs::keep(to, log_group, *days)),
        Step::TagLogGroup { log_group, tags } => Ok(logs::tag(to, log_group, tags)),
        Step::UntagLogGroup { log_group, keys } => Ok(logs::untag(to, log_group, keys)),
        Step::DeleteLogGroup { log_group } => Ok(logs::delete(to, log_group)),

        Step::CreateFunction { name, function } => Ok(function::create(to, name, function)),
        Step::AwaitFunction { name } => Ok(function::wait(to, name)),
        Step::UpdateFunctionCode { name, code } => Ok(function::update_code(to, name, code)),
        Step::UpdateFunctionConfiguration { name, configuration } => {
            Ok(function::update_configuration(to, name, configuration))
        }
        Step::TagFunction { name, tags } => Ok(function::tag(to, name, tags)),
        Step::UntagFunction { name, keys } => Ok(function::untag(to, name, keys)),
        Step::DeleteFunction { name } => Ok(function::delete(to, name)),
    }
}

/// To whom a request goes, and when.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) session: &'a Session,
    pub(super) turn: Turn<'a>,
}

impl<'a> To<'a> {
    /// Sends a request whose answer says nothing that is needed.
    pub(super) fn change<T, E>(
        self,
        operation: Operation,
        send: impl Future<Output = crate::aws::session::Answer<T, E>> + Send + 'a,
    ) -> Sending<'a>
    where
        T: Send + 'a,
        E: crate::aws::session::SdkFailure,
    {
        let sending = self.session.write(self.turn, operation, send);
        async move { sending.await.map(|_| Made::Nothing) }.boxed()
    }

    /// The same for what takes something away: that it is gone already is as good.
    pub(super) fn remove<T, E>(
        self,
        operation: Operation,
        send: impl Future<Output = crate::aws::session::Answer<T, E>> + Send + 'a,
    ) -> Sending<'a>
    where
        T: Send + 'a,
        E: crate::aws::session::SdkFailure,
    {
        let sending = self.session.write(self.turn, operation, send);
        async move {
            match sending.await {
                Err(Stop::Fault(fault)) if fault.class == Class::Missing => Ok(Made::Nothing),
                other => other.map(|_| Made::Nothing),
            }
        }
        .boxed()
    }
}

/// What names stand for, at the time at which a request is made.
pub(super) struct Ids<'a> {
    refs: &'a Refs,
    operation: Operation,
}

impl Ids<'_> {
    pub(super) fn api(&self) -> Result<&str, Fault> {
        self.given(self.refs.api.as_ref(), || "the API".to_owned())
    }

    pub(super) fn authorizer(&self, name: &str) -> Result<&str, Fault> {
        self.given(self.refs.authorizers.get(name), || format!("authorizer {name}"))
    }

    pub(super) fn integration(&self, marker: &Marker) -> Result<&str, Fault> {
        self.given(self.refs.integrations.get(marker), || {
            format!("integration {}", marker.as_str())
        })
    }

    pub(super) fn route(&self, key: &RouteKey) -> Result<&str, Fault> {
        self.given(self.refs.routes.get(key), || format!("route {key}"))
    }

    fn given<'b>(&self, id: Option<&'b String>, what: impl FnOnce() -> String) -> Result<&'b str, Fault> {
        id.map(String::as_str)
            .ok_or_else(|| Fault::unresolved(self.operation, &what()))
    }
}

/// The id in an answer: without one, nobody knows what was made.
pub(super) fn id_of(id: Option<String>, operation: Operation) -> Result<String, Stop> {
    id.ok_or_else(|| Stop::Fault(Fault::unreadable(operation, "the id of what was made")))
}
