//! The model: AWS as a pure state machine. Time, seed, settings and the outcome of fetching an issuer are passed in;
//! nothing in here reads a clock, draws a random number or opens a connection.

pub(crate) mod apigateway;
pub(crate) mod arn;
pub mod deployment;
pub(crate) mod error;
pub(crate) mod iam;
mod ids;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod paging;
mod quota;
mod replica;
mod settings;
pub(crate) mod sts;
mod tags;
#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]
mod testing;
pub(crate) mod throttle;
mod time;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json as value};

use self::{
    apigateway::Gateway,
    deployment::{CorsConfiguration, Deployment, FunctionView, RoleView},
    error::Refusal,
    iam::Iam,
    ids::Ids,
    lambda::Lambda,
    logs::Logs,
    paging::Birth,
    sts::{Caller, Session, Sts},
};
use crate::wire::Service;

pub use self::{
    error::InUseStatus,
    lambda::SMALLEST_ARCHIVE,
    quota::Quotas,
    settings::{ListOrder, Principal, Settings, SettingsError},
    throttle::RateLimit,
    time::Timestamp,
};

/// The account that everything belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
}

/// One request to one of the services.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    ApiGateway(apigateway::Request),
    Lambda(lambda::Request),
    Iam(iam::Request),
    Sts(sts::Request),
    Logs(logs::Request),
}

/// A request for the journal and for the rules of faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) operation: &'static str,
    /// The API, function, role or log group.
    pub(crate) target: Option<&'a str>,
    /// What of the target: a child's id or, when it is created, its natural key.
    pub(crate) resource: Option<&'a str>,
}

impl Described<'_> {
    pub(crate) fn mutating(&self) -> bool {
        let reads = ["Get", "List", "Describe", "AssumeRole"];
        !reads.iter().any(|prefix| self.operation.starts_with(prefix))
    }
}

/// A permission that a request takes besides that of its own operation: one of these actions on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) any_of: Vec<String>,
    pub(crate) resource: String,
    /// Condition keys that are there, with their values.
    pub(crate) context: Vec<(&'static str, String)>,
}

impl Need {
    pub(crate) fn of(any_of: &[&str], resource: impl Into<String>) -> Self {
        Self {
            any_of: any_of.iter().map(|action| (*action).to_owned()).collect(),
            resource: resource.into(),
            context: Vec::new(),
        }
    }

    /// A role is handed to a service (D).
    pub(crate) fn pass_role(role: &str, service: &str) -> Self {
        Self::of(&["iam:PassRole"], role).given(Some(("iam:PassedToService", service.to_owned())))
    }

    /// With further condition keys.
    #[must_use]
    pub(crate) fn given(mut self, context: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.context.extend(context);
        self
    }
}

impl Request {
    pub(crate) fn describe(&self) -> Described<'_> {
        match self {
            Self::ApiGateway(request) => request.describe(),
            Self::Lambda(request) => request.describe(),
            Self::Iam(request) => request.describe(),
            Self::Sts(request) => request.describe(),
            Self::Logs(request) => request.describe(),
        }
    }

    /// What the caller has to be allowed besides the operation itself.
    pub(crate) fn needs(&self, account: &Account, region: &str) -> Vec<Need> {
        match self {
            Self::Lambda(request) => request.needs(account, region),
            Self::Logs(request) => request.needs(account, region),
            Self::Iam(request) => request.needs(account),
            Self::ApiGateway(_) | Self::Sts(_) => Vec::new(),
        }
    }

    /// The service that it is for.
    pub(crate) fn service(&self) -> Service {
        match self {
            Self::ApiGateway(_) => Service::ApiGateway,
            Self::Lambda(_) => Service::Lambda,
            Self::Iam(_) => Service::Iam,
            Self::Sts(_) => Service::Sts,
            Self::Logs(_) => Service::Logs,
        }
    }

    /// The token of a web identity, which has to be verified before the request is carried out.
    pub(crate) fn web_identity_token(&self) -> Option<&str> {
        match self {
            Self::Sts(request) => request.web_identity_token(),
            Self::ApiGateway(_) | Self::Lambda(_) | Self::Iam(_) | Self::Logs(_) => None,
        }
    }

    /// The issuer that has to be fetched before the request is carried out.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match self {
            Self::ApiGateway(request) => request.issuer(),
            Self::Lambda(_) | Self::Iam(_) | Self::Sts(_) | Self::Logs(_) => None,
        }
    }
}

/// What fetching an issuer's discovery document came to: the issuer that the document names, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerProbe {
    pub(crate) outcome: Result<String, String>,
}

/// What a request comes with beside its own members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) now: Timestamp,
    pub(crate) region: String,
    pub(crate) caller: Caller,
    /// What the token of a web identity claims, or why it is not to be believed.
    pub(crate) web_identity: Option<Result<Claims, Refusal>>,
    pub(crate) issuer: Option<IssuerProbe>,
    /// The text with which automatic deployments of this request fail.
    pub(crate) deployment_failure: Option<String>,
    /// Why the update of a function that this request causes fails.
    pub(crate) function_failure: Option<String>,
}

/// What operations may look at and draw from.
pub(crate) struct Env<'a> {
    now: Timestamp,
    region: &'a str,
    caller: &'a Caller,
    web_identity: Option<&'a Result<Claims, Refusal>>,
    issuer: Option<&'a IssuerProbe>,
    deployment_failure: Option<&'a str>,
    function_failure: Option<&'a str>,
    account: &'a Account,
    settings: &'a Settings,
    seed: u64,
    ids: &'a mut Ids,
}

impl Env<'_> {
    fn birth(&mut self) -> Birth {
        Birth {
            at: self.now,
            order: self.ids.place(),
        }
    }

    fn api_endpoint(&self, api: &str) -> String {
        let suffix = if self.account.partition == "aws-cn" {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        match &self.settings.api_endpoint {
            None => format!("https://{api}.execute-api.{}.{suffix}", self.region),
            Some(template) => template.replace("{api}", api).replace("{region}", self.region),
        }
    }
}

/// The claims of a token.
pub(crate) type Claims = serde_json::Map<String, Value>;

/// The services that live in a Region.
#[derive(Clone, Debug, Default)]
struct Region {
    gateway: Gateway,
    lambda: Lambda,
    logs: Logs,
}

/// Everything there is.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) settings: Settings,
    seed: u64,
    ids: Ids,
    regions: BTreeMap<String, Region>,
    iam: Iam,
    sts: Sts,
}

impl World {
    pub(crate) fn new(account: Account, settings: Settings, seed: u64) -> Self {
        let ids = Ids::new(seed);
        Self {
            account,
            settings,
            seed,
            ids,
            regions: BTreeMap::new(),
            iam: Iam::default(),
            sts: Sts::default(),
        }
    }

    /// The session that an access key belongs to, if it is a session's.
    pub(crate) fn session(&self, access_key: &str) -> Option<&Session> {
        self.sts.session(access_key)
    }

    /// Forgets everything but account, settings and seed.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.account.clone(), self.settings.clone(), self.seed);
    }

    /// From now on other identifiers and other shuffled orders.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.ids.reseed(seed);
    }

    /// Every API by id, with its tags.
    pub(crate) fn apis(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let gateways = self.regions.values().map(|services| &services.gateway);
        gateways
            .flat_map(|gateway| &gateway.apis)
            .map(|(id, api)| (id.clone(), api.tags.clone()))
            .collect()
    }

    /// Everything about one API in one value.
    pub(crate) fn api(&self, id: &str) -> Option<Value> {
        let mut gateways = self.regions.values().map(|services| &services.gateway);
        gateways.find_map(|gateway| gateway.apis.get(id))?.state().ok()
    }

    /// Carries out one request, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusal that AWS would answer.
    pub(crate) fn apply(&mut self, context: &Context, request: &Request) -> Result<Value, Refusal> {
        let mut env = Env {
            now: context.now,
            region: &context.region,
            caller: &context.caller,
            web_identity: context.web_identity.as_ref(),
            issuer: context.issuer.as_ref(),
            deployment_failure: context.deployment_failure.as_deref(),
            function_failure: context.function_failure.as_deref(),
            account: &self.account,
            settings: &self.settings,
            seed: self.seed,
            ids: &mut self.ids,
        };
        let region = self.regions.entry(context.region.clone()).or_default();
        match request {
            Request::ApiGateway(request) => region.gateway.apply(&mut env, request),
            Request::Lambda(request) => region.lambda.apply(&mut env, &self.iam, request),
            Request::Iam(request) => self.iam.apply(&mut env, request),
            Request::Sts(request) => self.sts.apply(&mut env, &self.iam, request),
            Request::Logs(request) => region.logs.apply(&env, request),
        }
    }

    /// Whether deployments of a stage are on their way.
    pub(crate) fn is_deploying(&mut self, api_id: &str, stage: &str, now: Timestamp) -> bool {
        let mut regions = self.regions.values_mut();
        let api = regions.find_map(|services| services.gateway.apis.get_mut(api_id));
        api.is_some_and(|api| {
            api.settle(now);
            api.stages
                .get(stage)
                .is_some_and(|stage| !stage.pending.is_empty())
        })
    }

    /// What a stage serves now; nothing before its first deployment.
    pub(crate) fn deployment(&mut self, api_id: &str, stage: &str, now: Timestamp) -> Option<Deployment> {
        let account = self.account.clone();
        let settings_deploy = self.settings.api_settings_deploy;
        self.regions.iter_mut().find_map(|(region, services)| {
            let api = services.gateway.apis.get_mut(api_id)?;
            api.settle(now);
            let stage = api.stages.get(stage)?;
            Some(Deployment {
                id: stage.deployment_id.clone()?,
                api_id: api_id.to_owned(),
                account: account.id.clone(),
                region: region.clone(),
                partition: account.partition.clone(),
                stage: stage.stage_name.clone(),
                routes: stage.live.routes.clone(),
                disabled: if settings_deploy {
                    stage.live.disabled
                } else {
                    api.disable_execute_api_endpoint
                },
            })
        })
    }

    /// What a stage would serve if it were deployed now, for the first time perhaps.
    pub(crate) fn next_deployment(&self, api_id: &str, stage: &str) -> Option<Deployment> {
        let account = &self.account;
        self.regions.iter().find_map(|(region, services)| {
            let api = services.gateway.apis.get(api_id)?;
            let coming = api.snapshot();
            Some(Deployment {
                id: String::new(),
                api_id: api_id.to_owned(),
                account: account.id.clone(),
                region: region.clone(),
                partition: account.partition.clone(),
                stage: stage.to_owned(),
                routes: coming.routes,
                disabled: coming.disabled,
            })
        })
    }

    /// CORS of an API, which takes effect without a deployment (I).
    pub(crate) fn cors(&self, api_id: &str) -> Option<CorsConfiguration> {
        let mut regions = self.regions.values();
        let api = regions.find_map(|services| services.gateway.apis.get(api_id))?;
        api.cors_configuration.clone()
    }

    /// A function, version or alias by name or ARN. A name is looked for in every Region.
    pub(crate) fn function(
        &self,
        name: &str,
        qualifier: Option<&str>,
        now: Timestamp,
    ) -> Option<FunctionView> {
        self.in_regions_of(name)
            .find_map(|services| services.lambda.view(name, qualifier, now))
    }

    /// The resource policy of exactly this ARN.
    pub(crate) fn function_policy(&self, arn: &str) -> Option<Value> {
        self.in_regions_of(arn)
            .find_map(|services| services.lambda.effective_policy(arn))
    }

    /// A role as it has propagated by `now`.
    pub(crate) fn effective_role(&self, arn: &str, now: Timestamp) -> Option<RoleView> {
        self.iam.effective_role(arn, now)
    }

    /// The role that a function runs under, if there is such a function.
    pub(crate) fn execution_role(&self, arn: &str, now: Timestamp) -> Option<String> {
        self.in_regions_of(arn)
            .find_map(|services| services.lambda.execution_role(arn, now))
    }

    /// Writes events to a log stream, as far as the writer may.
    pub(crate) fn write_log(
        &mut self,
        region: &str,
        now: Timestamp,
        writer: logs::Writer,
        stream: (&str, &str),
        events: &[String],
    ) {
        if let Some(services) = self.regions.get_mut(region) {
            services.logs.write(now, writer, stream, events);
        }
    }

    /// The ARN of the role of that name.
    pub(crate) fn role_arn(&self, name: &str) -> Option<String> {
        self.iam.arn(name)
    }

    /// The policy that bounds the role of that name.
    pub(crate) fn boundary(&self, role: &str) -> Option<&String> {
        self.iam.boundary(role)
    }

    /// The whole state in one value: equal states give equal texts. Counters and what only time changes are left out.
    pub(crate) fn state(&mut self, now: Timestamp) -> Result<Value, Refusal> {
        let mut regions = serde_json::Map::new();
        let nobody = Caller::default();
        for (name, services) in &mut self.regions {
            services.gateway.settle(now);
            let env = Env {
                now,
                region: name,
                caller: &nobody,
                web_identity: None,
                issuer: None,
                deployment_failure: None,
                function_failure: None,
                account: &self.account,
                settings: &self.settings,
                seed: self.seed,
                ids: &mut self.ids,
            };
            let apis: Result<Vec<Value>, Refusal> = services
                .gateway
                .apis
                .values()
                .map(apigateway::Api::state)
                .collect();
            let functions: Result<Vec<Value>, Refusal> = services
                .lambda
                .functions
                .values()
                .map(|function| function.shown(&env))
                .collect();
            let groups: Result<Vec<Value>, Refusal> = services
                .logs
                .groups
                .values()
                .map(|group| group.state(&self.account, name))
                .collect();
            let (apis, functions, groups) = (apis?, functions?, groups?);
            if !apis.is_empty() || !functions.is_empty() || !groups.is_empty() {
                let state = value!({ "apis": apis, "functions": functions, "logGroups": groups });
                regions.insert(name.clone(), state);
            }
        }
        let roles: Result<Vec<Value>, Refusal> = self.iam.roles.values().map(iam::Role::state).collect();
        Ok(value!({ "account": self.account.id, "regions": regions, "roles": roles? }))
    }

    fn in_regions_of(&self, arn: &str) -> impl Iterator<Item = &Region> {
        let region = arn
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').nth(2))
            .map(str::to_owned);
        self.regions
            .iter()
            .filter(move |(name, _)| region.as_ref().is_none_or(|region| region == *name))
            .map(|(_, services)| services)
    }
}

/// The JSON form of something that is made to have one.
fn json<T: Serialize>(item: T) -> Result<Value, Refusal> {
    serde_json::to_value(item)
        .map_err(|error| Refusal::new(500, "InternalServerErrorException", error.to_string()))
}
