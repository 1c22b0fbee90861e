//! Requests about authorizers, integrations and routes.
//!
//! Every update merges (O): what must not keep its value is sent, and what belongs together is sent together.

use super::send::{Ids, Made, Sending, To, id_of};
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use aws_sdk_apigatewayv2::types::{self, AuthorizationType};
use futures::FutureExt;
use jwthttpapi_core::model::desired::{Integration, Jwt, Marker};
use jwthttpapi_core::model::name::{CLOSED_SCOPE, RouteKey};
use jwthttpapi_core::plan::{Authorize, RouteChange};
use jwthttpapi_core::planted;
use std::collections::BTreeSet;

fn jwt_configuration(jwt: &Jwt) -> types::JwtConfiguration {
    types::JwtConfiguration::builder()
        .issuer(&jwt.issuer)
        .set_audience(Some(jwt.audience.iter().cloned().collect()))
        .build()
}

pub(super) fn create_authorizer<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    name: &str,
    jwt: &Jwt,
) -> Result<Sending<'a>, Fault> {
    let operation = Operation::CreateAuthorizer;
    let request = to.session.api_gateway().writes.create_authorizer();
    let request = request
        .api_id(ids.api()?)
        .name(name)
        .authorizer_type(types::AuthorizerType::Jwt)
        .identity_source(&jwt.identity_source)
        .jwt_configuration(jwt_configuration(jwt));
    let sending = to.session.write(to.turn, operation, request.send());
    let name = name.to_owned();
    Ok(async move {
        let id = id_of(sending.await?.authorizer_id, operation)?;
        Ok(Made::Authorizer { name, id })
    }
    .boxed())
}

/// Issuer and audience go together: the configuration is replaced whole (O).
pub(super) fn update_authorizer<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    id: &str,
    name: &str,
    jwt: &Jwt,
) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.update_authorizer();
    let request = request
        .api_id(ids.api()?)
        .authorizer_id(id)
        .name(name)
        .authorizer_type(types::AuthorizerType::Jwt)
        .identity_source(&jwt.identity_source)
        .jwt_configuration(jwt_configuration(jwt));
    Ok(to.change(Operation::UpdateAuthorizer, request.send()))
}

pub(super) fn delete_authorizer<'a>(to: To<'a>, ids: &Ids<'_>, id: &str) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.delete_authorizer();
    let request = request.api_id(ids.api()?).authorizer_id(id);
    Ok(to.remove(Operation::DeleteAuthorizer, request.send()))
}

/// The whole of an integration, for creation and update alike: an update has to say type, address and method again (O).
macro_rules! whole {
    ($request:expr, $marker:expr, $integration:expr) => {
        $request
            .integration_type(types::IntegrationType::from(Integration::TYPE))
            .integration_uri($integration.function.to_string())
            .integration_method(Integration::METHOD)
            .payload_format_version($integration.payload_format_version.as_str())
            .timeout_in_millis(i32::try_from($integration.timeout_millis).unwrap_or(i32::MAX))
            .set_credentials_arn($integration.credentials.clone())
            .description($marker.as_str())
    };
}

pub(super) fn create_integration<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    marker: &Marker,
    integration: &Integration,
) -> Result<Sending<'a>, Fault> {
    let operation = Operation::CreateIntegration;
    let request = to.session.api_gateway().writes.create_integration();
    let request = whole!(request.api_id(ids.api()?), marker, integration);
    let sending = to.session.write(to.turn, operation, request.send());
    let marker = marker.clone();
    Ok(async move {
        let id = id_of(sending.await?.integration_id, operation)?;
        Ok(Made::Integration { marker, id })
    }
    .boxed())
}

pub(super) fn update_integration<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    id: &str,
    marker: &Marker,
    integration: &Integration,
    drop_parameters: &BTreeSet<String>,
) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.update_integration();
    let request = whole!(request.api_id(ids.api()?).integration_id(id), marker, integration);
    // The map merges: an empty value drops its key (O).
    let request = drop_parameters
        .iter()
        .fold(request, |request, key| request.request_parameters(key, ""));
    Ok(to.change(Operation::UpdateIntegration, request.send()))
}

pub(super) fn delete_integration<'a>(to: To<'a>, ids: &Ids<'_>, id: &str) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.delete_integration();
    let request = request.api_id(ids.api()?).integration_id(id);
    Ok(to.remove(Operation::DeleteIntegration, request.send()))
}

/// How a route is authorized, as AWS is told: type, authorizer and scopes, always all three, since each would keep its value.
struct Authorization {
    kind: AuthorizationType,
    authorizer_id: String,
    scopes: Vec<String>,
}

impl Authorization {
    fn of(authorize: &Authorize, ids: &Ids<'_>) -> Result<Self, Fault> {
        Ok(match authorize {
            Authorize::Public => Self {
                kind: AuthorizationType::None,
                authorizer_id: String::new(),
                scopes: Vec::new(),
            },
            Authorize::Jwt { authorizer, scopes } => Self {
                kind: AuthorizationType::Jwt,
                authorizer_id: ids.authorizer(authorizer)?.to_owned(),
                scopes: scopes.iter().cloned().collect(),
            },
            Authorize::Closed { authorizer_id } => Self {
                kind: AuthorizationType::Jwt,
                authorizer_id: authorizer_id.clone(),
                scopes: vec![CLOSED_SCOPE.to_owned()],
            },
        })
    }
}

fn target(ids: &Ids<'_>, marker: &Marker) -> Result<String, Fault> {
    Ok(format!("integrations/{}", ids.integration(marker)?))
}

/// A route is guarded from its first moment on; what is empty is left out, for there is nothing to clear.
pub(super) fn create_route<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    key: &RouteKey,
    authorize: &Authorize,
    integration: &Marker,
    operation_name: &str,
) -> Result<Sending<'a>, Fault> {
    let operation = Operation::CreateRoute;
    let authorization = Authorization::of(authorize, ids)?;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let request = to.session.api_gateway().writes.create_route();
    let request = request
        .api_id(ids.api()?)
        .route_key(key.as_str())
        .target(target(ids, integration)?)
        .authorization_type(authorization.kind)
        .set_authorizer_id(filled(authorization.authorizer_id))
        .set_authorization_scopes(Some(authorization.scopes).filter(|scopes| !scopes.is_empty()))
        .set_operation_name(filled(operation_name.to_owned()));
    let sending = to.session.write(to.turn, operation, request.send());
    let key = key.clone();
    Ok(async move {
        let id = id_of(sending.await?.route_id, operation)?;
        Ok(Made::Route { key, id })
    }
    .boxed())
}

pub(super) fn update_route<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    key: &RouteKey,
    change: &RouteChange,
) -> Result<Sending<'a>, Fault> {
    let id = ids.route(key)?.to_owned();
    let target = change
        .integration
        .as_ref()
        .map(|marker| target(ids, marker))
        .transpose()?;
    let mut request = to.session.api_gateway().writes.update_route();
    request = request
        .api_id(ids.api()?)
        .route_id(&id)
        .set_route_key(change.key.as_ref().map(ToString::to_string))
        .set_target(target)
        .set_operation_name(change.operation_name.clone());
    if let Some(authorize) = &change.authorize {
        let authorization = Authorization::of(authorize, ids)?;
        planted!(OmitToClear => {
            let filled = |text: String| Some(text).filter(|text| !text.is_empty());
            request = request
                .set_authorization_type(Some(authorization.kind).filter(|kind| *kind != AuthorizationType::None))
                .set_authorizer_id(filled(authorization.authorizer_id))
                .set_authorization_scopes(Some(authorization.scopes).filter(|scopes| !scopes.is_empty()));
            return Ok(to.change(Operation::UpdateRoute, request.send()));
        });
        planted!(AuthorizerIdAlone => {
            request = request.authorizer_id(authorization.authorizer_id).set_authorization_scopes(Some(authorization.scopes));
            return Ok(to.change(Operation::UpdateRoute, request.send()));
        });
        request = request
            .authorization_type(authorization.kind)
            .authorizer_id(authorization.authorizer_id)
            .set_authorization_scopes(Some(authorization.scopes));
    }
    let sending = to.change(Operation::UpdateRoute, request.send());
    let renamed = change.key.clone();
    Ok(async move {
        let made = sending.await?;
        Ok(renamed.map_or(made, |key| Made::Route { key, id }))
    }
    .boxed())
}

pub(super) fn delete_route<'a>(to: To<'a>, ids: &Ids<'_>, id: &str) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.delete_route();
    let request = request.api_id(ids.api()?).route_id(id);
    Ok(to.remove(Operation::DeleteRoute, request.send()))
}
