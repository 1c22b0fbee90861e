//! Children of the API that take no part in who may call what: integrations, stages, and what nobody refers to.

use super::invocation::GrantSteps;
use super::keep::Kept;
use super::order::Ordered;
use super::step::{RouteChange, Step};
use crate::model::desired::{Desired, Integration, Marker};
use crate::model::name::{DEFAULT_STAGE, FunctionArn};
use crate::model::observed;
use std::collections::BTreeSet;

/// Type, subtype and connection cannot be changed in place, and whether empty credentials clear a role is not known (I):
/// such an integration is replaced. Mappings of responses are nothing that the operator makes.
pub(super) fn can_change_in_place(now: &observed::Integration, wanted: &Integration) -> bool {
    now.kind == Integration::TYPE
        && now.subtype.is_empty()
        && now.connection_type == Integration::CONNECTION
        && !now.has_response_parameters
        && (now.credentials.is_empty() || wanted.credentials.is_some())
}

pub(super) fn as_wanted(now: &observed::Integration, wanted: &Integration) -> bool {
    now.uri == wanted.function.to_string()
        && now.method == Integration::METHOD
        && now.payload_format_version == wanted.payload_format_version.as_str()
        && now.timeout_millis == wanted.timeout_millis
        && now.credentials == wanted.credentials.as_deref().unwrap_or_default()
        && now.request_parameters.is_empty()
}

/// The markers of integrations behind which something else answers than what is wanted: the content of one that is kept is not what
/// it was made with, or the function is still to get other code.
pub(super) fn to_answer_otherwise<'a>(
    kept: &Kept<'_>,
    desired: &'a Desired,
    changing: &BTreeSet<&str>,
) -> BTreeSet<&'a Marker> {
    let integrations = desired.integrations.iter();
    let otherwise = integrations.filter(|(marker, wanted)| {
        let now = kept.integrations.get(*marker);
        changing.contains(wanted.function.name()) || now.is_some_and(|now| !as_wanted(now, wanted))
    });
    otherwise.map(|(marker, _)| marker).collect()
}

/// Integrations whose content no longer fits their marker: drift, put right in place.
pub(super) fn mended_integrations(kept: &Kept<'_>, desired: &Desired) -> Vec<Ordered> {
    kept.integrations
        .iter()
        .filter_map(|(marker, now)| {
            let wanted = desired
                .integrations
                .get(*marker)
                .filter(|wanted| !as_wanted(now, wanted))?;
            let step = Step::UpdateIntegration {
                id: now.id.clone(),
                marker: (*marker).clone(),
                integration: Box::new(wanted.clone()),
                drop_parameters: now.request_parameters.keys().cloned().collect(),
            };
            Some((step, false))
        })
        .collect()
}

/// Every stage but `$default` is a way in that nobody asked for, perhaps to routes of yesterday: it goes first.
pub(super) fn strange_stages(api: Option<&observed::Api>) -> Vec<Ordered> {
    let stages = api.map(|api| api.stages.as_slice()).unwrap_or_default();
    let strange = stages.iter().filter(|stage| stage.name != DEFAULT_STAGE);
    let delete = |stage: &observed::Stage| Step::DeleteStage {
        name: stage.name.clone(),
    };
    strange.map(|stage| (delete(stage), true)).collect()
}

/// The stage goes last on creation. One that does not deploy by itself still serves what it deployed last: what was closed since
/// then is served closed once every step before this one is done, also where those that take access away are all that is done.
pub(super) fn stage(api: Option<&observed::Api>) -> Option<Ordered> {
    match default_stage(api) {
        None => Some((Step::CreateStage, false)),
        Some(stage) if !stage.auto_deploy => Some((Step::UpdateStage, true)),
        Some(_) => None,
    }
}

/// A deployment that failed is not made up for: AWS serves the one before until something is written again. Where the draft so far writes
/// nothing that is deployed, a route is written as it is, for every write of one is deployed (O).
pub(super) fn redeploy(desired: &Desired, api: Option<&observed::Api>, draft: &[Ordered]) -> Option<Ordered> {
    let stage = default_stage(api).filter(|stage| stage.auto_deploy)?;
    stage.deployment_failure()?;
    if draft.iter().any(|(step, _)| step.deploys()) {
        return None;
    }
    let mut keys = api?.routes.iter().filter_map(observed::Route::parsed);
    let (key, route) = keys.find_map(|key| desired.routes.get_key_value(&key))?;
    let change = RouteChange {
        operation_name: Some(route.operation_name.clone()),
        ..RouteChange::default()
    };
    let key = key.clone();
    Some((Step::UpdateRoute { key, change }, true))
}

fn default_stage(api: Option<&observed::Api>) -> Option<&observed::Stage> {
    let stages = api.map(|api| api.stages.as_slice()).unwrap_or_default();
    stages.iter().find(|stage| stage.name == DEFAULT_STAGE)
}

/// Routes whose keys the operator could not have written, and that are not open: those went before all others.
pub(super) fn strange_routes(api: Option<&observed::Api>) -> Vec<Ordered> {
    let routes = api.map(|api| api.routes.as_slice()).unwrap_or_default();
    let strange = routes
        .iter()
        .filter(|route| route.parsed().is_none() && route.authorization != observed::Authorization::None);
    let delete = |route: &observed::Route| Step::DeleteRoute {
        id: route.id.clone(),
        key: route.key.clone(),
        heirs: BTreeSet::new(),
    };
    strange.map(|route| (delete(route), false)).collect()
}

/// Integrations that are not wanted and may go as soon as no route leads to them: they tell of no permission that is still to
/// go, or may be.
pub(super) fn spare_integrations<'a>(
    observed: &'a observed::Observed,
    kept: &Kept<'_>,
    grants: &GrantSteps,
) -> BTreeSet<&'a str> {
    let removes = |(step, _): &Ordered, told: &FunctionArn| matches!(step, Step::RemovePermission { function, .. } if function == told);
    let may_go = |told: &FunctionArn| {
        let is_known = observed
            .functions
            .get(told)
            .is_some_and(|reading| reading.known().is_some());
        is_known
            && !grants
                .before
                .iter()
                .chain(&grants.after)
                .any(|step| removes(step, told))
    };
    unwanted_integrations(observed.api.as_ref(), kept)
        .filter(|integration| integration.function_by_policy().as_ref().is_none_or(may_go))
        .map(|integration| integration.id.as_str())
        .collect()
}

fn unwanted_integrations<'a>(
    api: Option<&'a observed::Api>,
    kept: &Kept<'_>,
) -> impl Iterator<Item = &'a observed::Integration> {
    let integrations = api.map(|api| api.integrations.as_slice()).unwrap_or_default();
    let stays = |id: &str| kept.integrations.values().any(|kept| kept.id == id);
    integrations
        .iter()
        .filter(move |integration| !stays(&integration.id))
}

/// What no route refers to any more when every wanted one is as wanted: authorizers, and integrations, which may have to wait for
/// other services. Some have gone before, to make room.
pub(super) fn leftovers(api: Option<&observed::Api>, kept: &Kept<'_>, before: &[Ordered]) -> Vec<Ordered> {
    let gone: BTreeSet<&str> = before
        .iter()
        .filter_map(|(step, _)| match step {
            Step::DeleteIntegration { id } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let integrations = unwanted_integrations(api, kept)
        .filter(|integration| !gone.contains(integration.id.as_str()))
        .map(|integration| Step::DeleteIntegration {
            id: integration.id.clone(),
        });
    let authorizers = api
        .map(|api| api.authorizers.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(|authorizer| !kept.authorizers.values().any(|kept| kept.id == authorizer.id))
        .map(|authorizer| Step::DeleteAuthorizer {
            id: authorizer.id.clone(),
            name: authorizer.name.clone(),
        });
    authorizers
        .chain(integrations)
        .map(|step| (step, false))
        .collect()
}
