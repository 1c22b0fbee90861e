//! Everything that a pass reads from AWS before it decides, together.

use super::{
    aim::Aim,
    context::Context,
    functions::{self, Own},
};
use crate::aws::{Extent, Fault, Session};
use futures::future::join_all;
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{
        Desired,
        desired::Invocation,
        name::{FunctionArn, RoleName},
        observed::{Api, FunctionPolicy, Integration, Owned, Reading, Role},
    },
    planted,
    words::listed,
};
use std::collections::{BTreeMap, BTreeSet};

/// What was read, each part with its own fault.
pub(crate) struct Sight {
    /// The API of the stored id; nothing when no id is stored.
    pub(crate) api: Option<Result<Option<Api>, Fault>>,
    pub(crate) role: Reading<Option<Role>>,
    pub(crate) functions: BTreeMap<FunctionArn, Reading<FunctionPolicy>>,
    pub(crate) owned: BTreeMap<String, Owned>,
    /// Faults of the role and the functions.
    pub(crate) faults: Vec<Fault>,
}

/// How much of the API, which role and which functions a pass asks for.
pub(crate) struct Questions<'a> {
    pub(crate) extent: Extent,
    /// The invoke role, and whether to ask for it even if no integration leads through it.
    pub(crate) role: RoleName,
    pub(crate) may_have_role: bool,
    /// Functions, and whether their policies matter.
    pub(crate) functions: BTreeMap<FunctionArn, bool>,
    pub(crate) own: Option<Own<'a>>,
}

impl<'a> Questions<'a> {
    /// For an object that lives: what the spec names, what the status says may be left of earlier specs.
    pub(crate) fn of(
        desired: &Desired,
        status: &JwtHttpApiStatus,
        role: &RoleName,
        has_role: bool,
        own: Option<Own<'a>>,
    ) -> Self {
        let by_policy = desired.invocation == Invocation::ResourcePolicy;
        let by_role = matches!(desired.invocation, Invocation::Role(_));
        let may_have_role = by_role || has_role || status.role_arn.is_some();
        let mut functions: BTreeMap<FunctionArn, bool> = desired
            .backends()
            .into_iter()
            .filter(|function| by_policy || !desired.owns(function))
            .map(|function| (function.clone(), by_policy))
            .collect();
        functions.extend(granted(status).into_iter().map(|function| (function, true)));
        Self {
            extent: Extent::Whole,
            role: role.clone(),
            may_have_role,
            functions,
            own,
        }
    }
}

/// Functions on whose policy a statement of ours may stand, by status.
pub(crate) fn granted(status: &JwtHttpApiStatus) -> BTreeSet<FunctionArn> {
    status
        .grants
        .iter()
        .filter_map(|arn| FunctionArn::parse(arn, None).ok())
        .collect()
}

/// Functions that observed integrations reach without a role: a statement of ours may stand there even if the status was lost.
pub(crate) fn reached_by_policy(integrations: &[Integration]) -> BTreeSet<FunctionArn> {
    integrations
        .iter()
        .filter_map(Integration::function_by_policy)
        .collect()
}

/// Whether integrations lead through a role.
fn lead_through(integrations: &[Integration], role: &RoleName) -> bool {
    let credentials = integrations.iter().map(|integration| &integration.credentials);
    credentials
        .filter_map(|arn| RoleName::of_arn(arn))
        .any(|name| name.name == role.name)
}

/// Reads all of it at once.
pub(crate) async fn look(session: &Session, api_id: Option<&str>, questions: &Questions<'_>) -> Sight {
    let api = async {
        match api_id {
            Some(id) => Some(session.observe(id, questions.extent).await),
            None => None,
        }
    };
    let role = async {
        if questions.may_have_role {
            Some(session.role(&questions.role).await)
        } else {
            None
        }
    };
    let owned = async {
        match &questions.own {
            Some(own) => session.owned(own.owner, &own.names).await,
            None => (BTreeMap::new(), Vec::new()),
        }
    };
    let (api, mut role, (mut functions, mut faults), (owned, failed)) =
        tokio::join!(api, role, functions(session, &questions.functions), owned);
    faults.extend(failed);
    // What a status has lost integrations still tell.
    if let Some(Ok(Some(api))) = &api {
        if role.is_none() && lead_through(&api.integrations, &questions.role) {
            role = Some(session.role(&questions.role).await);
        }
        let more: BTreeMap<FunctionArn, bool> = reached_by_policy(&api.integrations)
            .into_iter()
            .filter(|function| questions.functions.get(function) != Some(&true))
            .map(|function| (function, true))
            .collect();
        let (read, failed) = self::functions(session, &more).await;
        functions.extend(read);
        faults.extend(failed);
    }
    let role = match role {
        None => Reading::NotAsked,
        Some(Ok(role)) => Reading::Known(role),
        Some(Err(_)) if planted!(UnknownIsEmpty) => Reading::Known(None),
        Some(Err(fault)) => {
            faults.push(fault);
            Reading::Unknown
        }
    };
    Sight {
        api,
        role,
        functions,
        owned,
        faults,
    }
}

/// Reads functions, and their policies where they matter.
pub(crate) async fn functions(
    session: &Session,
    wanted: &BTreeMap<FunctionArn, bool>,
) -> (BTreeMap<FunctionArn, Reading<FunctionPolicy>>, Vec<Fault>) {
    let reads = wanted.iter().map(|(function, policy)| async move {
        (function.clone(), session.function(function, *policy).await)
    });
    let mut faults = Vec::new();
    let functions = join_all(reads)
        .await
        .into_iter()
        .map(|(function, read)| match read {
            Ok(state) => (function, Reading::Known(state)),
            Err(fault) => {
                faults.push(fault);
                (function, Reading::Unknown)
            }
        })
        .collect();
    (functions, faults)
}

/// Whether everything that the spec names exists.
pub(crate) fn resolved(desired: &Desired, sight: &Sight) -> Draft {
    let state = |function: &FunctionArn| sight.functions.get(function);
    let missing: Vec<String> = desired
        .references()
        .into_iter()
        .filter(|function| matches!(state(function), Some(Reading::Known(FunctionPolicy::Missing))))
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "{} does not exist; create the function, alias or version, or correct the route",
            listed(&missing, ", ")
        );
        return Draft::no(Reason::FunctionNotFound, message);
    }
    let unknown = desired
        .references()
        .into_iter()
        .any(|function| !matches!(state(function), Some(Reading::Known(_))));
    match sight.faults.first() {
        Some(fault) if unknown => Draft::no(fault.reason(), fault.message()),
        _ => Draft::yes(Reason::ResolvedRefs, "every function exists"),
    }
}

/// What has a name that the object needs and is somebody else's.
pub(crate) fn conflict(ctx: &Context, aim: &Aim, sight: &Sight) -> Option<Draft> {
    let foreign = |role: &Role| !aim.owner.owns(&role.tags);
    let needed = matches!(aim.desired.invocation, Invocation::Role(_));
    let role = sight.role.known().and_then(Option::as_ref);
    let role = role.filter(|role| needed && foreign(role)).map(|_| {
        let name = aim.role().name;
        let message = format!(
            "a role named {name} exists and is not this object's; delete it, or bring a role with spec.invocation.roleArn"
        );
        Draft::no(Reason::RoleNameConflict, message)
    });
    let conflict = role.or_else(|| functions::conflict(&aim.owner, &aim.desired, &sight.owned));
    if conflict.is_some() {
        ctx.metrics.refused();
    }
    conflict
}
