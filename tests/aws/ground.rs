//! A sandbox, the operator's AWS side over it, and one object.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use jwthttpapi::aws::{Aws, Extent, Outcome, Rate, Session, Settings, Urgency, run};
use jwthttpapi::fence::Fence;
use jwthttpapi_core::api::JwtHttpApiSpec;
use jwthttpapi_core::model::name::{Place, role_name};
use jwthttpapi_core::model::observed::{self, Observed, Reading};
use jwthttpapi_core::model::{Desired, Owner, Policy, build};
use jwthttpapi_core::plan::{Plan, plan, plan_deletion};
use jwthttpapi_sandbox::{
    Account, Clock, Entry, Issuers, Options, Rule, SMALLEST_ARCHIVE, Sandbox, Timestamp,
};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;
use wildmatch::WildMatch;

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const ISSUER: &str = "https://issuer.example/";
pub(crate) const OTHER_ISSUER: &str = "https://other.example/";
pub(crate) const NONCE: &str = "n1";

pub(crate) struct Ground {
    pub(crate) sandbox: Sandbox,
    pub(crate) aws: Aws,
    pub(crate) fence: Fence,
    pub(crate) registry: Registry,
}

/// A sandbox with these switches, and an operator without budget.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write the switches in the call"
)]
pub(crate) fn ground(switches: Value) -> Ground {
    ground_with(&switches, Rate::UNLIMITED)
}

/// The same with a budget for every service.
pub(crate) fn ground_with(switches: &Value, rate: Rate) -> Ground {
    ground_of(switches, rate, Duration::ZERO)
}

/// The same that waits for new roles.
pub(crate) fn patient_ground(switches: &Value, iam_settle: Duration) -> Ground {
    ground_of(switches, Rate::UNLIMITED, iam_settle)
}

fn ground_of(switches: &Value, rate: Rate, iam_settle: Duration) -> Ground {
    let quiet = json!({"function_role_must_be_assumable": false});
    let settings = jwthttpapi_sandbox::Settings::default();
    let sandbox = Sandbox::new(Options {
        account: Account {
            id: "123456789012".into(),
            partition: "aws".into(),
        },
        region: REGION.into(),
        seed: 1,
        settings: settings.patched(&quiet).unwrap().patched(switches).unwrap(),
        clock: Clock::tokio(Timestamp(1_800_000_000_000)),
        issuers: Issuers::Table(BTreeSet::from([ISSUER.to_owned(), OTHER_ISSUER.to_owned()])),
    });
    let settings = Settings {
        apigateway: rate,
        lambda: rate,
        iam: rate,
        logs: rate,
        iam_settle,
        ..Settings::default()
    };
    let fence = Fence::open();
    let mut registry = Registry::default();
    let aws = Aws::new(shared(&sandbox), settings, fence.clone(), &mut registry).unwrap();
    Ground {
        sandbox,
        aws,
        fence,
        registry,
    }
}

fn shared(sandbox: &Sandbox) -> SdkConfig {
    let credentials = Credentials::new("AKIDOPERATOR", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(sandbox.clone())
        .build()
}

pub(crate) fn place() -> Place {
    Place {
        partition: "aws".into(),
        account: "123456789012".into(),
        region: REGION.into(),
    }
}

pub(crate) fn owner() -> Owner {
    Owner {
        cluster: "c1".into(),
        kube_system: Some("k1".into()),
        uid: "u1".into(),
        namespace: "demo".into(),
        name: "hello".into(),
    }
}

/// The desired state of a spec; issuer and audience are filled in.
pub(crate) fn desired(spec: Value) -> Desired {
    desired_under(spec, Policy::default())
}

/// The same where an installer asks for something.
pub(crate) fn desired_under(mut spec: Value, policy: Policy) -> Desired {
    for (field, value) in [("issuer", json!(ISSUER)), ("audience", json!(["aud"]))] {
        if spec.get(field).is_none() {
            spec[field] = value;
        }
    }
    let spec: JwtHttpApiSpec = serde_json::from_value(spec).unwrap();
    let policy = Policy {
        allowed_functions: vec![WildMatch::new("*")],
        ..policy
    };
    build(&spec, &owner(), &place(), NONCE, &policy).unwrap()
}

/// Three routes to three functions, with CORS.
pub(crate) fn spec(mode: &str) -> Value {
    json!({
        "invocation": {"mode": mode},
        "cors": {"allowOrigins": ["https://app.example"], "allowHeaders": ["Authorization"], "maxAge": 60},
        "routes": [
            {"routeKey": "GET /a", "lambda": {"name": "a"}},
            {"routeKey": "POST /b", "lambda": {"name": "b"}, "scopes": ["write"]},
            {"routeKey": "GET /health", "public": true, "lambda": {"name": "c"}, "operationName": "health"},
        ],
    })
}

impl Ground {
    pub(crate) fn session(&self) -> Session {
        self.aws.session(&place(), "demo/hello", Urgency::Create)
    }

    pub(crate) fn fault(&self, rule: Value) {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        self.sandbox.add_faults(vec![rule]);
    }

    /// What was asked since the journal was cleared, without the test's own requests.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        let own = |entry: &Entry| entry.access_key == "AKIDOPERATOR";
        self.sandbox.journal(0).into_iter().filter(own).collect()
    }

    /// The operations of all writes, in order.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.journal().into_iter().filter(|entry| entry.mutating);
        writes.map(|entry| entry.operation).collect()
    }

    pub(crate) fn reads(&self) -> usize {
        self.journal().iter().filter(|entry| !entry.mutating).count()
    }

    pub(crate) async fn functions(&self, names: &[&str]) {
        let client = self.lambda();
        for name in names {
            let request = client
                .create_function()
                .function_name(*name)
                .handler("index.handler");
            let request = request
                .runtime(Runtime::Nodejs22x)
                .role("arn:aws:iam::123456789012:role/x");
            let code = FunctionCode::builder()
                .zip_file(Blob::new(SMALLEST_ARCHIVE))
                .build();
            request.code(code).send().await.unwrap();
        }
        self.sandbox.clear_journal();
    }

    /// Somebody else's client for API Gateway.
    pub(crate) fn gateway(&self) -> aws_sdk_apigatewayv2::Client {
        aws_sdk_apigatewayv2::Client::new(&self.stranger())
    }

    /// Somebody else's client for Lambda.
    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.stranger())
    }

    /// Somebody else's client for IAM.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.stranger())
    }

    /// The AWS side of another replica, behind this ground's fence.
    pub(crate) fn follower(&self, registry: &mut Registry) -> Aws {
        let settings = Settings::default();
        Aws::new(shared(&self.sandbox), settings, self.fence.clone(), registry).unwrap()
    }

    fn stranger(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIDSTRANGER", "secret", None, None, "test");
        let builder = shared(&self.sandbox).into_builder();
        builder
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Everything that a pass looks at.
    pub(crate) async fn observe(&self, desired: &Desired, api: Option<&str>) -> Observed {
        let session = self.session();
        let by_policy = desired.invocation == jwthttpapi_core::model::desired::Invocation::ResourcePolicy;
        let mut observed = Observed {
            api: match api {
                Some(id) => session.observe(id, Extent::Whole).await.unwrap(),
                None => None,
            },
            role: Reading::Known(session.role(&role_name(&owner(), REGION)).await.unwrap()),
            ..Observed::default()
        };
        let names = desired.owned.values().map(|function| function.name.clone());
        let (owned, faults) = session.owned(&owner(), &names.collect()).await;
        assert!(faults.is_empty(), "{faults:?}");
        observed.owned = owned;
        for function in desired.backends() {
            let reading = session.function(function, by_policy).await.unwrap();
            observed
                .functions
                .insert(function.clone(), Reading::Known(reading));
        }
        observed
    }

    pub(crate) async fn plan(&self, desired: &Desired, api: Option<&str>) -> Plan {
        plan(desired, &self.observe(desired, api).await, &owner(), &place())
    }

    pub(crate) async fn run(&self, plan: Plan) -> Outcome {
        run(&self.session(), plan, &|| false, soon()).await
    }

    /// Creates everything, as a first pass does, and gives the API's id.
    pub(crate) async fn create(&self, desired: &Desired) -> String {
        let api = self
            .session()
            .create_api(&desired.api, &|| false, soon())
            .await
            .unwrap()
            .unwrap();
        let id = api.id.clone();
        let observed = Observed {
            api: Some(api),
            ..self.observe(desired, None).await
        };
        let outcome = self.run(plan(desired, &observed, &owner(), &place())).await;
        assert!(outcome.is_complete(), "{:?}", outcome.faults);
        self.assert_converged(desired, &id).await;
        self.sandbox.clear_journal();
        id
    }

    /// Brings AWS to a desired state, and gives the operations that it took.
    pub(crate) async fn converge(&self, desired: &Desired, id: &str) -> Vec<String> {
        let plan = self.plan(desired, Some(id)).await;
        self.sandbox.clear_journal();
        let outcome = self.run(plan).await;
        assert!(outcome.is_complete(), "{:?}", outcome.faults);
        let writes = self.writes();
        self.assert_converged(desired, id).await;
        writes
    }

    pub(crate) async fn assert_converged(&self, desired: &Desired, id: &str) {
        let left = self.plan(desired, Some(id)).await;
        assert!(left.is_empty(), "left to do:\n{left}");
    }

    pub(crate) async fn deletion(&self, desired: &Desired, id: &str) -> Plan {
        plan_deletion(&self.observe(desired, Some(id)).await, &owner())
    }

    pub(crate) async fn api(&self, id: &str) -> observed::Api {
        self.session().observe(id, Extent::Whole).await.unwrap().unwrap()
    }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(120)
}
