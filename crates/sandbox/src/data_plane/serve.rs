//! A request from the wire to its answer.
//!
//! The order is API Gateway's: the API and its stage, the route, CORS preflight, authorization, the permission to
//! invoke, the function, its result, CORS headers. The model is read twice, each time for a moment and as of the
//! request's arrival: what the stage serves, and what the invocation needs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use serde_json::json;
use tracing::debug;

use crate::{
    data_plane::{
        admission::{self, Asked, Gate, Routing},
        answer::Answer,
        cors, execution_log,
        invoke_permission::{self, Invocation},
        jwt::{
            Refusal,
            claims::{self, Requirement},
            identity,
            keys::{KeyCache, KeySet},
            token::Token,
        },
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
    model::{
        Timestamp,
        deployment::{CorsConfiguration, DeployedIntegration, Deployment, FunctionState, FunctionView},
    },
    sandbox::Sandbox,
};

/// The name of the stage that is served without a path prefix.
const DEFAULT_STAGE: &str = "$default";
/// Request line and headers together (D).
const HEAD_BYTES: usize = 10_240;
/// What a function can be given at once (D).
const BODY_BYTES: usize = 6 * 1024 * 1024;

/// What calls of deployed APIs share.
#[derive(Debug, Default)]
pub(crate) struct DataPlane {
    keys: KeyCache,
    interpreters: Interpreters,
    /// How many calls there were.
    calls: AtomicU64,
}

impl DataPlane {
    /// Has every issuer's keys fetched again.
    pub(crate) fn forget_keys(&self) {
        self.keys.clear();
    }

    /// Answers a call of a deployed API.
    pub(crate) async fn answer(
        &self,
        sandbox: &Sandbox,
        target: &Target,
        request: http::Request<Bytes>,
    ) -> Response<Bytes> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let request = Request::read(request, target, format!("call-{number:011}"), sandbox.now().0);
        let answer = match refused_for_size(&request) {
            Some(refusal) => refusal,
            None => self.serve(sandbox, target, &request).await,
        };
        answer.with_header("apigw-requestid", request.request_id).into()
    }

    async fn serve(&self, sandbox: &Sandbox, target: &Target, request: &Request) -> Answer {
        let Some(served) = Served::find(sandbox, target, request) else {
            return Answer::not_found();
        };
        let asked = Asked {
            method: &request.method,
            path: &served.path,
            preflight: cors::is_preflight(request),
        };
        let routing = admission::route(
            &served.deployment,
            served.cors.is_some(),
            asked,
            served.trailing_slash,
        );
        let answer = match (routing, &served.cors) {
            (Routing::Preflight, Some(cors)) => return cors::preflight_answer(cors, request),
            (Routing::Preflight, None) | (Routing::Nowhere, _) => Answer::not_found(),
            (
                Routing::Route {
                    route,
                    path_parameters,
                },
                _,
            ) => {
                let gate = Gate::from(&route.authorization);
                match self.pass(sandbox, gate, request).await {
                    Err(refusal) => refusal,
                    Ok(identity) => {
                        let call = Call {
                            request,
                            deployment: &served.deployment,
                            route,
                            path_parameters: &path_parameters,
                            identity: identity.as_ref(),
                        };
                        self.invoke(sandbox, &call).await
                    }
                }
            }
        };
        match &served.cors {
            Some(cors) => cors::decorate(cors, request, answer),
            None => answer,
        }
    }

    /// Lets a request through a route's gate, or gives the answer that turns it away.
    async fn pass(
        &self,
        sandbox: &Sandbox,
        gate: Gate<'_>,
        request: &Request,
    ) -> Result<Option<Identity>, Answer> {
        match gate {
            Gate::Open => Ok(None),
            Gate::Shut => Err(Answer::forbidden()),
            Gate::Token {
                identity_source,
                requirement,
            } => {
                let verdict = self
                    .identify(sandbox, identity_source, requirement, request)
                    .await;
                verdict.map(Some).map_err(|refusal| {
                    debug!(request = request.request_id, %refusal, "turned away");
                    refusal.answer()
                })
            }
        }
    }

    async fn identify(
        &self,
        sandbox: &Sandbox,
        identity_source: &str,
        requirement: Requirement<'_>,
        request: &Request,
    ) -> Result<Identity, Refusal> {
        let text = identity::token(identity_source, request).ok_or(Refusal::Missing)?;
        let token = Token::parse(&text)?;
        self.keys_of(sandbox, requirement.issuer, request.time_millis)
            .await?
            .verify(&token)?;
        claims::check(&token.claims, requirement, request.time_seconds())?;
        let scopes = (!requirement.scopes.is_empty()).then(|| {
            claims::scopes(&token.claims)
                .into_iter()
                .map(str::to_owned)
                .collect()
        });
        Ok(Identity {
            scopes,
            claims: token.claims,
        })
    }

    async fn keys_of(
        &self,
        sandbox: &Sandbox,
        issuer: &str,
        now_millis: u64,
    ) -> Result<Arc<KeySet>, Refusal> {
        let keep = Duration::from_secs(sandbox.settings().jwks_cache_seconds);
        if let Some(keys) = self.keys.get(issuer, keep, now_millis) {
            return Ok(keys);
        }
        let issuers = sandbox.issuers();
        let discovery = issuers.discovery(issuer).await.map_err(|error| {
            debug!(issuer, %error, "no discovery document");
            Refusal::Discovery
        })?;
        let document = issuers.jwks(&discovery.jwks_uri).await.map_err(|error| {
            debug!(issuer, %error, "no keys");
            Refusal::Jwks
        })?;
        let keys = Arc::new(KeySet::parse(&document).ok_or(Refusal::Jwks)?);
        self.keys.store(issuer, Arc::clone(&keys), now_millis);
        Ok(keys)
    }

    async fn invoke(&self, sandbox: &Sandbox, call: &Call<'_>) -> Answer {
        let request_id = &call.request.request_id;
        let (integration, function) = match invocable(sandbox, call) {
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
        let outcome = runner::run(&self.interpreters, &invocation).await;
        if !matches!(outcome, Outcome::NoInterpreter(_)) {
            let now = Timestamp(call.request.time_millis);
            execution_log::write(&mut sandbox.core().world, &function, request_id, now);
        }
        match outcome {
            Outcome::Returned(result) => response::answer(&result, format).unwrap_or_else(|malformed| {
                debug!(request = request_id, %malformed, "answered badly");
                Answer::internal_server_error()
            }),
            Outcome::Failed(reason) => {
                debug!(request = request_id, reason, "function failed");
                Answer::internal_server_error()
            }
            Outcome::CallerGaveUp => Answer::service_unavailable(),
            Outcome::NoInterpreter(missing) => Answer::json(
                502,
                &json!({"message": "SandboxNoInterpreter", "missing": missing}),
            ),
        }
    }
}

/// What a stage serves, read at one moment.
struct Served {
    deployment: Deployment,
    cors: Option<CorsConfiguration>,
    /// The request's path without the stage's prefix.
    path: String,
    trailing_slash: TrailingSlash,
}

impl Served {
    /// What the stage that the path names serves. A named stage is preferred to `$default` where the first segment is
    /// its name (I). None when there is no such API, its endpoint is disabled (I), or nothing is deployed.
    fn find(sandbox: &Sandbox, target: &Target, request: &Request) -> Option<Self> {
        let world = &mut sandbox.core().world;
        let now = Timestamp(request.time_millis);
        let cors = world.cors(&target.api_id);
        let (stage, rest) = split_stage(&request.path);
        let named = if stage == DEFAULT_STAGE {
            None
        } else {
            world.deployment(&target.api_id, stage, now)
        };
        let (deployment, path) = match named {
            Some(named) => (named, rest),
            None => (
                world.deployment(&target.api_id, DEFAULT_STAGE, now)?,
                request.path.as_str(),
            ),
        };
        if deployment.disabled {
            return None;
        }
        let trailing_slash = if world.settings.trailing_slash_matches {
            TrailingSlash::Ignored
        } else {
            TrailingSlash::Significant
        };
        Some(Self {
            deployment,
            cors,
            path: path.to_owned(),
            trailing_slash,
        })
    }
}

/// The integration of a route and the function behind it, if API Gateway may invoke it. The fault is what access logs
/// would say.
fn invocable<'a>(
    sandbox: &Sandbox,
    call: &Call<'a>,
) -> Result<(&'a DeployedIntegration, FunctionView), String> {
    let now = Timestamp(call.request.time_millis);
    let integration = call
        .route
        .integration
        .as_ref()
        .ok_or("the route has no integration")?;
    let function_arn =
        invoke_permission::function_arn(&integration.uri).ok_or("the integration is no Lambda function")?;
    let invocation = Invocation {
        function_arn,
        source_arn: invoke_permission::source_arn(call.deployment, &call.route.route_key),
        account: &call.deployment.account,
    };
    let world = &sandbox.core().world;
    let function_policy = world.function_policy(function_arn);
    let verdict = match &integration.credentials_arn {
        Some(arn) => {
            let role = world.effective_role(arn, now);
            invoke_permission::by_role(&invocation, role.as_ref(), function_policy.as_ref())
        }
        None => invoke_permission::by_resource_policy(&invocation, function_policy.as_ref()),
    };
    verdict.map_err(|denied| denied.to_string())?;
    let function = world
        .function(function_arn, None, now)
        .ok_or("the function does not exist")?;
    match function.state {
        FunctionState::Active => Ok((integration, function)),
        FunctionState::Pending => Err("the function is still being created".to_owned()),
    }
}

/// The answer to a request that is larger than API Gateway or Lambda take (the limits D, the answers I).
fn refused_for_size(request: &Request) -> Option<Answer> {
    if request.head_bytes() > HEAD_BYTES {
        Some(Answer::message(431, "Request Header Fields Too Large"))
    } else if request.body.len() > BODY_BYTES {
        Some(Answer::message(413, "Request Entity Too Large"))
    } else {
        None
    }
}
