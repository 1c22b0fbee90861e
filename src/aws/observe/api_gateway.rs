//! API Gateway's answers.

use super::{Children, ListedApi, Page, pages};
use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use aws_sdk_apigatewayv2::operation::create_api::CreateApiOutput;
use aws_sdk_apigatewayv2::types;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures::FutureExt;
use jwthttpapi_core::api::IpAddressType;
use jwthttpapi_core::model::desired::{self, Cors, Jwt};
use jwthttpapi_core::model::observed::{self, Authorization};
use std::collections::BTreeSet;

macro_rules! settings_of {
    ($answer:expr, $operation:expr) => {{
        let answer = $answer;
        observed::Api {
            id: required(answer.api_id, $operation, "the API's id")?,
            endpoint: answer.api_endpoint.unwrap_or_default(),
            name: answer.name.unwrap_or_default(),
            description: answer.description.unwrap_or_default(),
            cors: answer.cors_configuration.and_then(cors),
            disable_execute_api_endpoint: answer.disable_execute_api_endpoint.unwrap_or(false),
            ip_address_type: answer
                .ip_address_type
                .as_ref()
                .map(address_type)
                .unwrap_or_default(),
            tags: answer.tags.into_iter().flatten().collect(),
            ..observed::Api::default()
        }
    }};
}

pub(super) async fn settings(session: &Session, id: &str) -> Result<observed::Api, Fault> {
    let operation = Operation::GetApi;
    let send = session.api_gateway().reads.get_api().api_id(id).send();
    Ok(settings_of!(session.read(operation, send).await?, operation))
}

/// The answer to a creation: it shows the settings, and that there are no children.
pub(in crate::aws) fn created(answer: CreateApiOutput) -> Result<observed::Api, Fault> {
    Ok(settings_of!(answer, Operation::CreateApi))
}

macro_rules! list {
    ($session:expr, $operation:expr, $call:ident $(, $id:expr)?) => {
        pages($operation, |next| {
            let send = $session.api_gateway().reads.$call()$(.api_id($id))?.set_next_token(next).send();
            let answer = $session.read($operation, send);
            async move { answer.await.map(|page| -> Page<_> { (page.items, page.next_token) }) }.boxed()
        })
    };
}

pub(super) async fn children(session: &Session, id: &str) -> Result<Children, Fault> {
    let (authorizers, integrations, routes, stages) = futures::join!(
        list!(session, Operation::GetAuthorizers, get_authorizers, id),
        integrations(session, id),
        list!(session, Operation::GetRoutes, get_routes, id),
        list!(session, Operation::GetStages, get_stages, id),
    );
    Ok(Children {
        authorizers: authorizers?
            .into_iter()
            .map(authorizer)
            .collect::<Result<_, _>>()?,
        integrations: integrations?,
        routes: routes?.into_iter().map(route).collect::<Result<_, _>>()?,
        stages: stages?.into_iter().map(stage_of).collect::<Result<_, _>>()?,
    })
}

pub(super) async fn integrations(session: &Session, id: &str) -> Result<Vec<observed::Integration>, Fault> {
    let listed = list!(session, Operation::GetIntegrations, get_integrations, id).await?;
    listed.into_iter().map(integration).collect()
}

pub(super) async fn apis(session: &Session) -> Result<Vec<ListedApi>, Fault> {
    let operation = Operation::GetApis;
    let listed = list!(session, operation, get_apis).await?;
    let listed = listed.into_iter().map(|api| {
        Ok(ListedApi {
            id: required(api.api_id, operation, "an API's id")?,
            created: api.created_date.map(sortable).unwrap_or_default(),
            tags: api.tags.into_iter().flatten().collect(),
        })
    });
    listed.collect()
}

pub(super) async fn stage(session: &Session, id: &str, name: &str) -> Result<observed::Stage, Fault> {
    let operation = Operation::GetStage;
    let send = session
        .api_gateway()
        .reads
        .get_stage()
        .api_id(id)
        .stage_name(name)
        .send();
    let answer = session.read(operation, send).await?;
    Ok(observed::Stage {
        name: required(answer.stage_name, operation, "the stage's name")?,
        auto_deploy: answer.auto_deploy.unwrap_or(false),
        deployment_id: answer.deployment_id,
        deployment_message: answer.last_deployment_status_message,
    })
}

fn required(value: Option<String>, operation: Operation, what: &str) -> Result<String, Fault> {
    value.ok_or_else(|| Fault::unreadable(operation, what))
}

/// Whole seconds: with a fraction, text would not sort as time does.
fn sortable(date: DateTime) -> String {
    DateTime::from_secs(date.secs())
        .fmt(Format::DateTime)
        .unwrap_or_default()
}

fn address_type(kind: &types::IpAddressType) -> IpAddressType {
    match kind {
        types::IpAddressType::Dualstack => IpAddressType::Dualstack,
        _ => IpAddressType::Ipv4,
    }
}

/// Header names come back in lower case (O), and are compared so even if they do not.
fn cors(cors: types::Cors) -> Option<Cors> {
    let set = |items: Option<Vec<String>>| -> BTreeSet<String> { items.into_iter().flatten().collect() };
    let lower = |items: Option<Vec<String>>| -> BTreeSet<String> {
        items
            .into_iter()
            .flatten()
            .map(|item| item.to_lowercase())
            .collect()
    };
    let cors = Cors {
        allow_origins: set(cors.allow_origins),
        allow_methods: set(cors.allow_methods),
        allow_headers: lower(cors.allow_headers),
        expose_headers: lower(cors.expose_headers),
        max_age: cors.max_age,
        allow_credentials: cors.allow_credentials.unwrap_or(false),
    };
    (cors != Cors::default()).then_some(cors)
}

fn authorizer(authorizer: types::Authorizer) -> Result<observed::Authorizer, Fault> {
    let is_jwt = authorizer.authorizer_type == Some(types::AuthorizerType::Jwt);
    let source = match authorizer.identity_source.unwrap_or_default().as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let jwt = source
        .zip(authorizer.jwt_configuration)
        .and_then(|(identity_source, jwt)| {
            Some(Jwt {
                identity_source,
                issuer: jwt.issuer?,
                audience: jwt.audience.into_iter().flatten().collect(),
            })
        });
    Ok(observed::Authorizer {
        id: required(
            authorizer.authorizer_id,
            Operation::GetAuthorizers,
            "an authorizer's id",
        )?,
        name: authorizer.name.unwrap_or_default(),
        jwt: jwt.filter(|_| is_jwt),
    })
}

fn integration(integration: types::Integration) -> Result<observed::Integration, Fault> {
    let connection = integration
        .connection_type
        .as_ref()
        .map(types::ConnectionType::as_str);
    let kind = integration
        .integration_type
        .as_ref()
        .map(types::IntegrationType::as_str);
    let timeout = integration
        .timeout_in_millis
        .and_then(|millis| u32::try_from(millis).ok());
    Ok(observed::Integration {
        id: required(
            integration.integration_id,
            Operation::GetIntegrations,
            "an integration's id",
        )?,
        description: integration.description.unwrap_or_default(),
        kind: kind.unwrap_or_default().to_owned(),
        subtype: integration.integration_subtype.unwrap_or_default(),
        uri: integration.integration_uri.unwrap_or_default(),
        method: integration
            .integration_method
            .unwrap_or_else(|| desired::Integration::METHOD.to_owned()),
        connection_type: connection.unwrap_or(desired::Integration::CONNECTION).to_owned(),
        payload_format_version: integration
            .payload_format_version
            .unwrap_or_else(|| "1.0".to_owned()),
        timeout_millis: timeout.unwrap_or(30_000),
        credentials: integration.credentials_arn.unwrap_or_default(),
        request_parameters: integration.request_parameters.into_iter().flatten().collect(),
        has_response_parameters: integration.response_parameters.is_some_and(|all| !all.is_empty()),
    })
}

fn route(route: types::Route) -> Result<observed::Route, Fault> {
    let authorization = match &route.authorization_type {
        None | Some(types::AuthorizationType::None) => Authorization::None,
        Some(types::AuthorizationType::Jwt) => Authorization::Jwt {
            authorizer_id: route.authorizer_id.unwrap_or_default(),
            scopes: route.authorization_scopes.into_iter().flatten().collect(),
        },
        Some(other) => Authorization::Other(other.as_str().to_owned()),
    };
    let integration_id = route
        .target
        .and_then(|target| target.strip_prefix("integrations/").map(str::to_owned));
    Ok(observed::Route {
        id: required(route.route_id, Operation::GetRoutes, "a route's id")?,
        key: required(route.route_key, Operation::GetRoutes, "a route's key")?,
        authorization,
        integration_id,
        operation_name: route.operation_name.unwrap_or_default(),
    })
}

fn stage_of(stage: types::Stage) -> Result<observed::Stage, Fault> {
    Ok(observed::Stage {
        name: required(stage.stage_name, Operation::GetStages, "a stage's name")?,
        auto_deploy: stage.auto_deploy.unwrap_or(false),
        deployment_id: stage.deployment_id,
        deployment_message: stage.last_deployment_status_message,
    })
}
