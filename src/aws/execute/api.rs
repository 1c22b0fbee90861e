//! Requests about the API itself and its stages.

use super::send::{Ids, Made, Sending, To};
use crate::aws::fault::Fault;
use crate::aws::observe::created;
use crate::aws::operation::Operation;
use crate::aws::session::{Session, Stop, Turn};
use aws_sdk_apigatewayv2::types;
use futures::FutureExt;
use jwthttpapi_core::model::desired::{Api, Cors};
use jwthttpapi_core::model::name::DEFAULT_STAGE;
use jwthttpapi_core::model::observed;
use jwthttpapi_core::plan::ApiChange;
use std::collections::{BTreeMap, BTreeSet};

/// Creates the API. Defaults are not sent.
pub(super) async fn create(session: &Session, turn: Turn<'_>, api: &Api) -> Result<observed::Api, Stop> {
    let request = session.api_gateway().writes.create_api();
    let request = request
        .name(&api.name)
        .protocol_type(types::ProtocolType::Http)
        .set_description(Some(api.description.clone()).filter(|text| !text.is_empty()))
        .set_cors_configuration(api.cors.as_ref().map(cors))
        .set_disable_execute_api_endpoint(api.disable_execute_api_endpoint.then_some(true))
        .ip_address_type(address_type(api.ip_address_type))
        .set_tags(Some(api.tags.clone().into_iter().collect()));
    let answer = session.write(turn, Operation::CreateApi, request.send()).await?;
    created(answer).map_err(Stop::Fault)
}

pub(super) fn create_as_step<'a>(to: To<'a>, api: &Api) -> Sending<'a> {
    let api = api.clone();
    async move {
        let api = create(to.session, to.turn, &api).await?;
        Ok(Made::Api(Box::new(api)))
    }
    .boxed()
}

pub(super) fn update<'a>(to: To<'a>, ids: &Ids<'_>, change: &ApiChange) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.update_api();
    let request = request
        .api_id(ids.api()?)
        .set_name(change.name.clone())
        .set_description(change.description.clone())
        .set_cors_configuration(change.cors.as_ref().map(cors))
        .set_disable_execute_api_endpoint(change.disable_execute_api_endpoint)
        .set_ip_address_type(change.ip_address_type.map(address_type));
    let sending = to.change(Operation::UpdateApi, request.send());
    if change.switches_on() {
        let id = ids.api()?.to_owned();
        return Ok(if_deployed(to, id, sending).boxed());
    }
    Ok(sending)
}

/// Sends what switches the endpoint on if the stage still deploys by itself when its time has come, and could. Where somebody ended
/// that since the plan was made, or a deployment failed, the endpoint would serve what was before the plan.
async fn if_deployed(to: To<'_>, id: String, sending: Sending<'_>) -> Result<Made, Stop> {
    to.turn.come().await?;
    let stage = to.session.stage(&id, DEFAULT_STAGE).await.map_err(Stop::Fault)?;
    let Some(stage) = stage.filter(|stage| stage.auto_deploy) else {
        return Err(Stop::Cut);
    };
    match stage.deployment_failure() {
        None => sending.await,
        Some(text) => Err(Stop::Fault(Fault::of_deployment(text))),
    }
}

/// CORS whole: a list or flag that is left out would keep its value (O).
fn cors(cors: &Cors) -> types::Cors {
    let list = |set: &BTreeSet<String>| Some(set.iter().cloned().collect());
    types::Cors::builder()
        .set_allow_origins(list(&cors.allow_origins))
        .set_allow_methods(list(&cors.allow_methods))
        .set_allow_headers(list(&cors.allow_headers))
        .set_expose_headers(list(&cors.expose_headers))
        .set_max_age(cors.max_age)
        .allow_credentials(cors.allow_credentials)
        .build()
}

fn address_type(kind: jwthttpapi_core::api::IpAddressType) -> types::IpAddressType {
    kind.as_str().into()
}

pub(super) fn delete_cors<'a>(to: To<'a>, ids: &Ids<'_>) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.delete_cors_configuration();
    Ok(to.remove(
        Operation::DeleteCorsConfiguration,
        request.api_id(ids.api()?).send(),
    ))
}

pub(super) fn tag<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    tags: &BTreeMap<String, String>,
) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.tag_resource();
    let request = request
        .resource_arn(to.session.place().api_arn(ids.api()?))
        .set_tags(Some(tags.clone().into_iter().collect()));
    Ok(to.change(Operation::TagResource, request.send()))
}

pub(super) fn untag<'a>(to: To<'a>, ids: &Ids<'_>, keys: &BTreeSet<String>) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.untag_resource();
    let request = request
        .resource_arn(to.session.place().api_arn(ids.api()?))
        .set_tag_keys(Some(keys.iter().cloned().collect()));
    Ok(to.remove(Operation::UntagResource, request.send()))
}

pub(super) fn delete<'a>(to: To<'a>, id: &str) -> Sending<'a> {
    let request = to.session.api_gateway().writes.delete_api();
    to.remove(Operation::DeleteApi, request.api_id(id).send())
}

pub(super) fn create_stage<'a>(to: To<'a>, ids: &Ids<'_>) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.create_stage();
    let request = request
        .api_id(ids.api()?)
        .stage_name(DEFAULT_STAGE)
        .auto_deploy(true);
    Ok(to.change(Operation::CreateStage, request.send()))
}

/// Nothing but the switch: a deployment's id must not be sent along (O).
pub(super) fn update_stage<'a>(to: To<'a>, ids: &Ids<'_>) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.update_stage();
    let request = request
        .api_id(ids.api()?)
        .stage_name(DEFAULT_STAGE)
        .auto_deploy(true);
    Ok(to.change(Operation::UpdateStage, request.send()))
}

pub(super) fn delete_stage<'a>(to: To<'a>, ids: &Ids<'_>, name: &str) -> Result<Sending<'a>, Fault> {
    let request = to.session.api_gateway().writes.delete_stage();
    Ok(to.remove(
        Operation::DeleteStage,
        request.api_id(ids.api()?).stage_name(name).send(),
    ))
}
