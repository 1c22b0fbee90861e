//! The comparison, kind by kind, and the plan that comes of it.

use super::order::{self, Kept, Ordered};
use super::step::{ApiChange, Plan, Planned, Refs, Service, Step};
use crate::model::desired::{Desired, Integration, Invocation, Marker};
use crate::model::document::{self, Document, Permission, ROLE_POLICY_LIMIT};
use crate::model::name::{DEFAULT_STAGE, FunctionArn, Place, statement_id};
use crate::model::observed::{self, FunctionPolicy, Observed};
use crate::model::{Owner, Proof};
use std::collections::{BTreeMap, BTreeSet};

/// The steps that make AWS equal to the desired state. Total and deterministic; empty exactly when nothing is to be done.
pub fn plan(desired: &Desired, observed: &Observed, owner: &Owner, place: &Place) -> Plan {
    let api = observed.api.as_ref();
    let kept = keep(desired, api);
    let mut draft = Draft::default();

    let grants = grants(desired, observed, owner, place);
    let role = role(desired, observed, owner);
    draft.extend(role.before);

    if api.is_none() {
        draft.push(Step::CreateApi(Box::new(desired.api.clone())), false);
    }
    draft.extend(grants.before.into_iter().map(|step| (step, false)));
    draft.extend(settings(desired, api, true));
    draft.extend(mended_integrations(&kept, desired));
    draft.extend(order::order(desired, api, &kept));
    draft.extend(settings(desired, api, false));
    draft.extend(stages(api));
    draft.extend(leftovers(desired, api, &kept));
    draft.extend(grants.after.into_iter().map(|step| (step, false)));
    draft.extend(role.after);

    Plan {
        refs: refs(api, &kept),
        steps: draft.link(desired),
    }
}

/// Steps in order, before their links are known.
#[derive(Default)]
struct Draft(Vec<Ordered>);

impl Draft {
    fn push(&mut self, step: Step, tightens: bool) {
        self.0.push((step, tightens));
    }

    fn extend(&mut self, steps: impl IntoIterator<Item = Ordered>) {
        self.0.extend(steps);
    }

    /// Which steps of other services go before which: a permission needs the API; a route, unless it closes something, needs
    /// what lets it invoke its function; what takes an invocation away waits until no route needs it.
    fn link(self, desired: &Desired) -> Vec<Planned> {
        let position = |wanted: fn(&Step) -> bool| self.0.iter().position(|(step, _)| wanted(step));
        let create_api = position(|step| matches!(step, Step::CreateApi(_)));
        let last_api_gateway = self
            .0
            .iter()
            .rposition(|(step, _)| step.service() == Service::ApiGateway);
        let permissions: BTreeMap<&FunctionArn, usize> = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(index, (step, _))| match step {
                Step::AddPermission { function, .. } => Some((function, index)),
                _ => None,
            })
            .collect();
        let granted = |marker: &Marker, index: usize| {
            let function = desired
                .integrations
                .get(marker)
                .map(|integration| &integration.function);
            let permission = function.and_then(|function| permissions.get(function)).copied();
            let role = self
                .0
                .iter()
                .take(index)
                .rposition(|(step, _)| step.service() == Service::Iam);
            permission.into_iter().chain(role).collect::<BTreeSet<_>>()
        };
        let after = |index: usize, step: &Step, tightens: bool| match step {
            Step::AddPermission { .. } => create_api.into_iter().collect(),
            Step::CreateRoute { integration, .. } if !tightens => granted(integration, index),
            Step::UpdateRoute { change, .. } if !tightens => change
                .integration
                .as_ref()
                .map(|marker| granted(marker, index))
                .unwrap_or_default(),
            Step::RemovePermission { .. }
            | Step::PutRolePolicy { .. }
            | Step::DeleteRolePolicy { .. }
            | Step::DeleteRole { .. } => last_api_gateway
                .filter(|last| *last < index)
                .into_iter()
                .collect(),
            _ => BTreeSet::new(),
        };
        let links: Vec<BTreeSet<usize>> = self
            .0
            .iter()
            .enumerate()
            .map(|(index, (step, tightens))| after(index, step, *tightens))
            .collect();
        self.0
            .into_iter()
            .zip(links)
            .map(|((step, tightens), after)| Planned {
                step,
                after,
                tightens,
            })
            .collect()
    }
}

/// Chooses among duplicates: the one that most routes refer to, then the lowest id.
fn keep<'a>(desired: &'a Desired, api: Option<&'a observed::Api>) -> Kept<'a> {
    let mut kept = Kept::default();
    let Some(api) = api else { return kept };
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for route in &api.routes {
        let authorizer = match &route.authorization {
            observed::Authorization::Jwt { authorizer_id, .. } => Some(authorizer_id.as_str()),
            _ => None,
        };
        for id in route.integration_id.as_deref().into_iter().chain(authorizer) {
            *uses.entry(id).or_default() += 1;
        }
    }
    let rank = |id: &str| {
        (
            std::cmp::Reverse(uses.get(id).copied().unwrap_or_default()),
            id.to_owned(),
        )
    };
    for authorizer in &api.authorizers {
        let entry = kept
            .authorizers
            .entry(authorizer.name.as_str())
            .or_insert(authorizer);
        if rank(&authorizer.id) < rank(&entry.id) {
            *entry = authorizer;
        }
    }
    for integration in &api.integrations {
        let marker = desired
            .integrations
            .keys()
            .find(|marker| marker.as_str() == integration.description);
        // What AWS cannot change in place is replaced: it is not kept.
        let Some(marker) = marker.filter(|_| replaceable_in_place(integration)) else {
            continue;
        };
        let entry = kept.integrations.entry(marker).or_insert(integration);
        if rank(&integration.id) < rank(&entry.id) {
            *entry = integration;
        }
    }
    kept
}

fn refs(api: Option<&observed::Api>, kept: &Kept<'_>) -> Refs {
    let Some(api) = api else { return Refs::default() };
    Refs {
        api: Some(api.id.clone()),
        authorizers: kept
            .authorizers
            .iter()
            .map(|(name, a)| ((*name).to_owned(), a.id.clone()))
            .collect(),
        integrations: kept
            .integrations
            .iter()
            .map(|(marker, i)| ((*marker).clone(), i.id.clone()))
            .collect(),
        routes: api
            .routes
            .iter()
            .rev()
            .filter_map(|route| Some((route.parsed()?, route.id.clone())))
            .collect(),
    }
}

/// Settings of the API itself; switching its endpoint off closes every path and goes first.
fn settings(desired: &Desired, api: Option<&observed::Api>, closing: bool) -> Vec<Ordered> {
    let Some(api) = api else { return Vec::new() };
    let wanted = &desired.api;
    let disable = (api.disable_execute_api_endpoint != wanted.disable_execute_api_endpoint)
        .then_some(wanted.disable_execute_api_endpoint);
    if closing {
        let change = ApiChange {
            disable_execute_api_endpoint: disable.filter(|off| *off),
            ..ApiChange::default()
        };
        return if change == ApiChange::default() {
            Vec::new()
        } else {
            vec![(Step::UpdateApi(change), true)]
        };
    }
    let change = ApiChange {
        name: (api.name != wanted.name).then(|| wanted.name.clone()),
        description: (api.description != wanted.description).then(|| wanted.description.clone()),
        cors: wanted.cors.clone().filter(|cors| api.cors.as_ref() != Some(cors)),
        disable_execute_api_endpoint: disable.filter(|off| !*off),
        ip_address_type: (api.ip_address_type != wanted.ip_address_type).then_some(wanted.ip_address_type),
    };
    let mut steps = Vec::new();
    if change != ApiChange::default() {
        steps.push(Step::UpdateApi(change));
    }
    if api.cors.is_some() && wanted.cors.is_none() {
        steps.push(Step::DeleteCors);
    }
    let (set, unset) = tag_changes(&wanted.tags, &api.tags);
    if !set.is_empty() {
        steps.push(Step::TagApi(set));
    }
    if !unset.is_empty() {
        steps.push(Step::UntagApi(unset));
    }
    steps.into_iter().map(|step| (step, false)).collect()
}

/// Tags to set and keys to remove. AWS's own `aws:` tags are nobody's to change.
pub(super) fn tag_changes(
    wanted: &BTreeMap<String, String>,
    observed: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let set = wanted
        .iter()
        .filter(|(key, value)| observed.get(*key) != Some(value));
    let unset = observed
        .keys()
        .filter(|key| !wanted.contains_key(*key) && !key.starts_with("aws:"));
    (
        set.map(|(key, value)| (key.clone(), value.clone())).collect(),
        unset.cloned().collect(),
    )
}

/// Type, subtype and connection cannot be changed in place, and whether empty credentials clear a role is not known (I):
/// such an integration is replaced. Mappings of responses are nothing that the operator makes.
fn replaceable_in_place(now: &observed::Integration) -> bool {
    now.kind == Integration::TYPE
        && now.subtype.is_empty()
        && now.connection_type == Integration::CONNECTION
        && !now.has_response_parameters
}

fn as_wanted(now: &observed::Integration, wanted: &Integration) -> bool {
    now.uri == wanted.function.to_string()
        && now.method == Integration::METHOD
        && now.payload_format_version == wanted.payload_format_version.as_str()
        && now.timeout_millis == wanted.timeout_millis
        && now.credentials == wanted.credentials.as_deref().unwrap_or_default()
        && now.request_parameters.is_empty()
}

/// Integrations whose content no longer fits their marker: drift, put right in place.
fn mended_integrations(kept: &Kept<'_>, desired: &Desired) -> Vec<Ordered> {
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

/// The stage goes last on creation; every other stage is a way in that nobody asked for.
fn stages(api: Option<&observed::Api>) -> Vec<Ordered> {
    let stages = api.map(|api| api.stages.as_slice()).unwrap_or_default();
    let own = stages.iter().find(|stage| stage.name == DEFAULT_STAGE);
    let mend = match own {
        None => Some(Step::CreateStage),
        Some(stage) if !stage.auto_deploy => Some(Step::UpdateStage),
        Some(_) => None,
    };
    let strange = stages
        .iter()
        .filter(|stage| stage.name != DEFAULT_STAGE)
        .map(|stage| {
            (
                Step::DeleteStage {
                    name: stage.name.clone(),
                },
                true,
            )
        });
    strange.chain(mend.map(|step| (step, false))).collect()
}

/// Integrations and authorizers that no route refers to any more.
fn leftovers(desired: &Desired, api: Option<&observed::Api>, kept: &Kept<'_>) -> Vec<Ordered> {
    let Some(api) = api else { return Vec::new() };
    let strange_routes = api
        .routes
        .iter()
        .enumerate()
        .filter(|(index, route)| {
            let first = route.parsed().is_some_and(|key| {
                !api.routes
                    .iter()
                    .take(*index)
                    .any(|other| other.parsed().as_ref() == Some(&key))
            });
            !first && route.authorization != observed::Authorization::None
        })
        .map(|(_, route)| Step::DeleteRoute {
            id: route.id.clone(),
            key: route.key.clone(),
        });
    let integrations = api
        .integrations
        .iter()
        .filter(|integration| !kept.integrations.values().any(|kept| kept.id == integration.id))
        .map(|integration| Step::DeleteIntegration {
            id: integration.id.clone(),
        });
    let authorizers = api
        .authorizers
        .iter()
        .filter(|authorizer| {
            !desired.authorizers.contains_key(&authorizer.name)
                || !kept.authorizers.values().any(|kept| kept.id == authorizer.id)
        })
        .map(|authorizer| Step::DeleteAuthorizer {
            id: authorizer.id.clone(),
            name: authorizer.name.clone(),
        });
    strange_routes
        .chain(integrations)
        .chain(authorizers)
        .map(|step| (step, false))
        .collect()
}

#[derive(Default)]
struct RoleSteps {
    before: Vec<Ordered>,
    after: Vec<Ordered>,
}

/// The invoke role. A function that leaves its policy while another joins keeps its permission until no route needs it.
fn role(desired: &Desired, observed: &Observed, owner: &Owner) -> RoleSteps {
    let mut steps = RoleSteps::default();
    let Some(now) = observed.role.known() else {
        return steps;
    };
    let owned = now
        .as_ref()
        .filter(|role| owner.proof(&role.tags, None) >= Proof::Ours);
    let Invocation::Role(wanted) = &desired.invocation else {
        if let Some(role) = owned {
            steps.after = delete_role(role);
        }
        return steps;
    };
    let name = || wanted.name.clone();
    let put = |policy: &Document, widens| Step::PutRolePolicy {
        role: name(),
        policy: policy.clone(),
        widens,
    };
    let mut before = Vec::new();
    match (now, owned) {
        (None, _) => before.extend([Step::CreateRole(wanted.clone()), put(&wanted.policy, true)]),
        // Somebody else's: the caller reports it; nothing is touched.
        (Some(_), None) => {}
        (Some(_), Some(role)) => {
            if !wanted.trust.matches(&role.trust) {
                before.push(Step::UpdateTrust {
                    role: name(),
                    trust: wanted.trust.clone(),
                });
            }
            let (set, unset) = tag_changes(&wanted.tags, &role.tags);
            if !set.is_empty() {
                before.push(Step::TagRole {
                    role: name(),
                    tags: set,
                });
            }
            if !unset.is_empty() {
                before.push(Step::UntagRole {
                    role: name(),
                    keys: unset,
                });
            }
            match &role.policy {
                Some(policy) if wanted.policy.matches(policy) => {}
                Some(policy) => {
                    let old = document::allowed_resources(policy);
                    let leaving = old
                        .iter()
                        .any(|arn| !wanted.policy.resources().contains(arn.as_str()));
                    let joining = wanted.policy.resources().iter().any(|arn| !old.contains(*arn));
                    let both = both(desired, &old);
                    match (leaving, joining) {
                        (true, true) if both.size() <= ROLE_POLICY_LIMIT => {
                            before.push(put(&both, true));
                            steps.after.push((put(&wanted.policy, false), false));
                        }
                        (true, false) => steps.after.push((put(&wanted.policy, false), false)),
                        _ => before.push(put(&wanted.policy, true)),
                    }
                }
                None => before.push(put(&wanted.policy, true)),
            }
        }
    }
    steps.before = before.into_iter().map(|step| (step, false)).collect();
    steps
}

/// The wanted functions and those of the old policy that are functions' ARNs indeed.
fn both(desired: &Desired, old: &BTreeSet<String>) -> Document {
    let old: BTreeSet<FunctionArn> = old
        .iter()
        .filter_map(|arn| FunctionArn::parse(arn, None).ok())
        .collect();
    Document::invoke_functions(
        desired
            .functions()
            .into_iter()
            .chain(&old)
            .collect::<BTreeSet<_>>(),
    )
}

/// Takes a role of ours away: its policy, then itself.
pub(super) fn delete_role(role: &observed::Role) -> Vec<Ordered> {
    let Some(name) = role_name(&role.arn) else {
        return Vec::new();
    };
    let policy = role
        .policy
        .as_ref()
        .map(|_| Step::DeleteRolePolicy { role: name.clone() });
    policy
        .into_iter()
        .chain([Step::DeleteRole { role: name }])
        .map(|step| (step, false))
        .collect()
}

/// Path and name in a role's ARN.
pub(super) fn role_name(arn: &str) -> Option<crate::model::name::RoleName> {
    let resource = arn.splitn(6, ':').nth(5)?.strip_prefix("role")?;
    let (path, name) = resource.rsplit_once('/')?;
    Some(crate::model::name::RoleName {
        path: format!("{path}/"),
        name: name.to_owned(),
    })
}

#[derive(Default)]
struct GrantSteps {
    before: Vec<Step>,
    after: Vec<Step>,
}

/// Permission statements: one per function and qualifier where functions' own policies let the API in, none elsewhere.
fn grants(desired: &Desired, observed: &Observed, owner: &Owner, place: &Place) -> GrantSteps {
    let by_policy = desired.invocation == Invocation::ResourcePolicy;
    let wanted: BTreeSet<&FunctionArn> = if by_policy {
        desired.functions()
    } else {
        BTreeSet::new()
    };
    let id = statement_id(owner);
    // Without an API no statement can name it: whatever stands there names another.
    let permission = observed
        .api
        .as_ref()
        .map(|api| Permission::new(owner, place, &api.id));
    let mut steps = GrantSteps::default();
    for (function, reading) in &observed.functions {
        let Some(state) = reading.known() else { continue };
        let statement = match state {
            FunctionPolicy::Policy(policy) => document::statement(policy, &id),
            FunctionPolicy::Missing | FunctionPolicy::Exists => None,
        };
        let add = || Step::AddPermission {
            function: function.clone(),
            statement_id: id.clone(),
        };
        let remove = || Step::RemovePermission {
            function: function.clone(),
            statement_id: id.clone(),
        };
        match (statement, wanted.contains(function)) {
            (None, true) if matches!(state, FunctionPolicy::Policy(_)) => steps.before.push(add()),
            (Some(stored), true) if !permission.as_ref().is_some_and(|p| p.matches(stored)) => {
                steps.before.extend([remove(), add()]);
            }
            (Some(_), false) => steps.after.push(remove()),
            (None | Some(_), _) => {}
        }
    }
    steps
}
