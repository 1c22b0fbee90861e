//! What the model's tests share: a world with its time in hand.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Account, Claims, Context, IssuerProbe, Request, Settings, Timestamp, World, apigateway as gateway,
    error::Refusal,
    iam, lambda, logs,
    paging::PageRequest,
    sts::{self, Caller},
};

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:hello";

/// A world, the time, and what is to be said of the next issuer.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) now: u64,
    pub(crate) issuer: Result<String, String>,
    pub(crate) deployment_failure: Option<String>,
    pub(crate) function_failure: Option<String>,
    pub(crate) web_identity: Option<Result<Claims, Refusal>>,
}

/// The members of a request from JSON, as on the wire.
pub(crate) fn input<T: DeserializeOwned>(members: Value) -> T {
    serde_json::from_value(members).unwrap()
}

impl Bench {
    pub(crate) fn new(settings: Value) -> Self {
        let account = Account {
            id: "123456789012".into(),
            partition: "aws".into(),
        };
        Self {
            world: World::new(account, Settings::default().patched(&settings).unwrap(), 1),
            now: 1_000_000,
            issuer: Ok("https://issuer.example/".into()),
            deployment_failure: None,
            function_failure: None,
            web_identity: None,
        }
    }

    pub(crate) fn apply(&mut self, request: &Request) -> Result<Value, Refusal> {
        let context = Context {
            now: Timestamp(self.now),
            region: REGION.into(),
            caller: Caller::user(&self.world.account, "tester"),
            web_identity: self.web_identity.clone(),
            issuer: Some(IssuerProbe {
                outcome: self.issuer.clone(),
            }),
            deployment_failure: self.deployment_failure.clone(),
            function_failure: self.function_failure.clone(),
        };
        self.world.apply(&context, request)
    }

    pub(crate) fn gateway(&mut self, request: gateway::Request) -> Result<Value, Refusal> {
        self.apply(&Request::ApiGateway(request))
    }

    pub(crate) fn lambda(&mut self, request: lambda::Request) -> Result<Value, Refusal> {
        self.apply(&Request::Lambda(request))
    }

    pub(crate) fn iam(&mut self, request: iam::Request) -> Result<Value, Refusal> {
        self.apply(&Request::Iam(request))
    }

    pub(crate) fn logs(&mut self, request: logs::Request) -> Result<Value, Refusal> {
        self.apply(&Request::Logs(request))
    }

    pub(crate) fn sts(&mut self, request: sts::Request) -> Result<Value, Refusal> {
        self.apply(&Request::Sts(request))
    }

    /// A new API's id.
    pub(crate) fn api(&mut self) -> String {
        let input = input(json!({ "name": "api", "protocolType": "HTTP" }));
        text(
            &self.gateway(gateway::Request::CreateApi { input }).unwrap(),
            "apiId",
        )
    }

    /// A new integration's id.
    pub(crate) fn integration(&mut self, api: &str) -> String {
        let input = input(json!({ "integrationType": "AWS_PROXY", "integrationUri": FUNCTION }));
        let api = api.to_owned();
        text(
            &self
                .gateway(gateway::Request::CreateIntegration { api, input })
                .unwrap(),
            "integrationId",
        )
    }

    pub(crate) fn create_authorizer(&mut self, api: &str, name: &str) -> Result<Value, Refusal> {
        let input = input(json!({
            "name": name,
            "authorizerType": "JWT",
            "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["a"] },
        }));
        self.gateway(gateway::Request::CreateAuthorizer {
            api: api.to_owned(),
            input,
        })
    }

    /// A new authorizer's id.
    pub(crate) fn authorizer(&mut self, api: &str) -> String {
        text(&self.create_authorizer(api, "default").unwrap(), "authorizerId")
    }

    pub(crate) fn create_route(&mut self, api: &str, members: Value) -> Result<Value, Refusal> {
        self.gateway(gateway::Request::CreateRoute {
            api: api.to_owned(),
            input: input(members),
        })
    }

    /// A new route's id.
    pub(crate) fn route(&mut self, api: &str, members: Value) -> String {
        text(&self.create_route(api, members).unwrap(), "routeId")
    }

    pub(crate) fn update_route(&mut self, api: &str, id: &str, members: Value) -> Result<Value, Refusal> {
        let (api, id) = (api.to_owned(), id.to_owned());
        self.gateway(gateway::Request::UpdateRoute {
            api,
            id,
            input: input(members),
        })
    }

    pub(crate) fn create_stage(&mut self, api: &str, members: Value) -> Result<Value, Refusal> {
        self.gateway(gateway::Request::CreateStage {
            api: api.to_owned(),
            input: input(members),
        })
    }

    pub(crate) fn update_stage(&mut self, api: &str, members: Value) -> Result<Value, Refusal> {
        let (api, name) = (api.to_owned(), "$default".to_owned());
        self.gateway(gateway::Request::UpdateStage {
            api,
            name,
            input: input(members),
        })
    }

    pub(crate) fn stage(&mut self, api: &str) -> Value {
        let (api, name) = (api.to_owned(), "$default".to_owned());
        self.gateway(gateway::Request::GetStage { api, name }).unwrap()
    }
}

pub(crate) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap().to_owned()
}

/// The status and text of a refusal.
pub(crate) fn refused(answer: Result<Value, Refusal>) -> (u16, String, String) {
    let refusal = answer.unwrap_err();
    (refusal.status, refusal.code, refusal.message)
}

pub(crate) fn first_page() -> PageRequest {
    PageRequest::default()
}
