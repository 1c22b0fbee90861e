//! A request from the wire to its answer.
//!
//! The order is API Gateway's: the API and its stage, the route, CORS preflight, authorization, the permission to
//! invoke, the function, its result, CORS headers. The model is read twice, each time for a moment and as of the
//! request's arrival: what the stage serves, and what the invocation needs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use tracing::debug;

use crate::{
    data_plane::{
        admission::{self, Asked, Gate, Routing},
        answer::Answer,
        cors,
        invoke_permission::{self, Invocation},
        jwt::{Refusal, claims, claims::Requirement, identity, keys::KeyCache, keys::KeySet, token::Token},
        matcher::TrailingSlash,
        payload::{
            Format,
            event::{self, Call, Identity},
            response,
        },
        request::Request,
        runner::{self, Interpreters, Outcome},
        target::{Target, split_stage},
    },
    issuer::Issuers,
    model::{
        Timestamp, World,
        deployment::{CorsConfiguration, DeployedIntegration, Deployment, FunctionState, FunctionView},
    },
};

/// The name of the stage that is served without a path prefix.
const DEFAULT_STAGE: &str = "$default";
/// Request line and headers together (*aws-facts §2*, D).
const HEAD_BYTES: usize = 10_240;

/// What answers calls of deployed APIs.
#[derive(Debug)]
pub(crate) struct DataPlane {
    issuers: Arc<Issuers>,
    keys: KeyCache,
    interpreters: Interpreters,
}

/// What a stage serves, read at one moment.
struct Served {
    deployment: Deployment,
    cors: Option<CorsConfiguration>,
    /// The request's path without the stage's prefix.
    path: String,
    trailing_slash: TrailingSlash,
}

impl DataPlane {
    pub(crate) fn new(issuers: Arc<Issuers>, keys: KeyCache, interpreters: Interpreters) -> Self {
        Self { issuers, keys, interpreters }
    }

    /// Answers a request for an API.
    pub(crate) async fn handle(&self, world: &Mutex<World>, target: &Target, request: &Request) -> Answer {
        let answer = self.answer(world, target, request).await;
        answer.with_header("apigw-requestid", request.request_id.clone())
    }

    async fn answer(&self, world: &Mutex<World>, target: &Target, request: &Request) -> Answer {
        if head_bytes(request) > HEAD_BYTES {
            return Answer::message(431, "Request Header Fields Too Large");
        }
        let Some(served) = served(world, target, request) else { return Answer::not_found() };
        let decorate = |answer| match &served.cors {
            Some(cors) => cors::decorate(cors, request, answer),
            None => answer,
        };
        let asked =
            Asked { method: &request.method, path: &served.path, preflight: cors::is_preflight(request) };
        let routing =
            admission::route(&served.deployment, served.cors.is_some(), asked, served.trailing_slash);
        match (routing, &served.cors) {
            (Routing::Preflight, Some(cors)) => cors::preflight_answer(cors, request),
            (Routing::Preflight, None) | (Routing::Nowhere, _) => decorate(Answer::not_found()),
            (Routing::Route { route, path_parameters }, _) => {
                let identity = match self.authorize(Gate::from(&route.authorization), request).await {
                    Ok(identity) => identity,
                    Err(answer) => return decorate(answer),
                };
                let call = Call {
                    request,
                    deployment: &served.deployment,
                    route,
                    path_parameters: &path_parameters,
                    identity: identity.as_ref(),
                };
                decorate(self.invoke(world, &call).await)
            }
        }
    }

    /// Lets a request through a route's gate, or gives the answer that turns it away.
    async fn authorize(&self, gate: Gate<'_>, request: &Request) -> Result<Option<Identity>, Answer> {
        match gate {
            Gate::Open => Ok(None),
            Gate::Shut => Err(Answer::forbidden()),
            Gate::Token { identity_source, requirement } => {
                let verdict = self.verify(identity_source, requirement, request).await;
                verdict.map(Some).map_err(|refusal| {
                    debug!(request = request.request_id, %refusal, "turned away");
                    refusal.answer()
                })
            }
        }
    }

    async fn verify(
        &self,
        identity_source: &str,
        requirement: Requirement<'_>,
        request: &Request,
    ) -> Result<Identity, Refusal> {
        let text = identity::token(identity_source, request).ok_or(Refusal::Missing)?;
        let token = Token::parse(&text)?;
        self.keys_of(requirement.issuer, request.time_millis).await?.verify(&token)?;
        claims::check(&token.claims, requirement, request.time_seconds())?;
        let scopes = (!requirement.scopes.is_empty())
            .then(|| claims::scopes(&token.claims).into_iter().map(str::to_owned).collect());
        Ok(Identity { scopes, claims: token.claims })
    }

    async fn keys_of(&self, issuer: &str, now_millis: u64) -> Result<Arc<KeySet>, Refusal> {
        if let Some(keys) = self.keys.get(issuer, now_millis) {
            return Ok(keys);
        }
        let discovery = self.issuers.discovery(issuer).await.map_err(|_| Refusal::Discovery)?;
        let document = self.issuers.jwks(&discovery.jwks_uri).await.map_err(|_| Refusal::Jwks)?;
        let keys = Arc::new(KeySet::parse(&document).ok_or(Refusal::Jwks)?);
        self.keys.store(issuer, Arc::clone(&keys), now_millis);
        Ok(keys)
    }

    async fn invoke(&self, world: &Mutex<World>, call: &Call<'_>) -> Answer {
        let request_id = &call.request.request_id;
        let (integration, function) = match invocable(world, call) {
            Ok(found) => found,
            Err(fault) => {
                debug!(request = request_id, fault, "not invoked");
                return Answer::internal_server_error();
            }
        };
        let format = Format::parse(&integration.payload_format_version);
        let invocation = runner::Invocation {
            function: &function,
            event: &event::event(call, format),
            request_id,
            caller_waits: Duration::from_millis(integration.timeout_millis),
        };
        match runner::run(&self.interpreters, &invocation).await {
            Outcome::Returned(result) => response::answer(&result, format).unwrap_or_else(|malformed| {
                debug!(request = request_id, %malformed, "answered badly");
                Answer::internal_server_error()
            }),
            Outcome::Failed(reason) => {
                debug!(request = request_id, reason, "function failed");
                Answer::internal_server_error()
            }
            Outcome::CallerGaveUp => Answer::service_unavailable(),
            Outcome::NoInterpreter(missing) => {
                Answer::json(502, &json!({"message": "SandboxNoInterpreter", "missing": missing}))
            }
        }
    }
}

/// What the stage that the path names serves. A named stage is preferred to `$default` where the first segment is its
/// name (I). None when there is no such API, its endpoint is disabled (I), or nothing is deployed.
fn served(world: &Mutex<World>, target: &Target, request: &Request) -> Option<Served> {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Timestamp(request.time_millis);
    let (cors, disabled) = world.api_settings(&target.api_id)?;
    if disabled {
        return None;
    }
    let (stage, rest) = split_stage(&request.path);
    let (deployment, path) = match world.deployment(&target.api_id, stage, now) {
        Some(named) if stage != DEFAULT_STAGE => (named, rest),
        _ => (world.deployment(&target.api_id, DEFAULT_STAGE, now)?, request.path.as_str()),
    };
    let trailing_slash = if world.settings.trailing_slash_matches {
        TrailingSlash::Ignored
    } else {
        TrailingSlash::Significant
    };
    Some(Served { deployment, cors, path: path.to_owned(), trailing_slash })
}

/// The integration of a route and the function behind it, if API Gateway may invoke it. The fault is what access logs
/// would say.
fn invocable<'a>(
    world: &Mutex<World>,
    call: &Call<'a>,
) -> Result<(&'a DeployedIntegration, FunctionView), String> {
    let now = Timestamp(call.request.time_millis);
    let integration = call.route.integration.as_ref().ok_or("the route has no integration")?;
    let function_arn =
        invoke_permission::function_arn(&integration.uri).ok_or("the integration is no Lambda function")?;
    let invocation = Invocation {
        function_arn,
        source_arn: invoke_permission::source_arn(call.deployment, &call.route.route_key),
        account: &call.deployment.account,
    };
    let world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let function_policy = world.function_policy(function_arn);
    match &integration.credentials_arn {
        Some(arn) => invoke_permission::by_role(
            &invocation,
            world.effective_role(arn, now).as_ref(),
            function_policy.as_ref(),
        ),
        None => invoke_permission::by_resource_policy(&invocation, function_policy.as_ref()),
    }
    .map_err(|denied| denied.to_string())?;
    let function = world.function(function_arn, None, now).ok_or("the function does not exist")?;
    match function.state {
        FunctionState::Active => Ok((integration, function)),
        FunctionState::Pending => Err("the function is still being created".to_owned()),
    }
}

/// Request line, header names and values, and what separates them.
fn head_bytes(request: &Request) -> usize {
    let line = request.method.len() + request.path.len() + request.query.len() + "  HTTP/1.1\r\n".len();
    let fields = request.headers.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len());
    line + fields.sum::<usize>()
}
