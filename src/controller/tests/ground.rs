//! One object on a small API server, the sandbox, and what a reconcile needs of both.

use super::super::{Cluster, Context, Guarded, converge::converge, delete::delete, error::Error};
use super::super::{context::Memory, pass::Findings, pass::Next, pass::Pass, reconcile, record::Record};
use super::process::{Process, config, process};
use crate::{api_server::ApiServer, aws::Settings, fence::Fence};
use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use jwthttpapi_core::{
    api::{ConditionType, DeletionPolicy, JwtHttpApi, JwtHttpApiSpec, JwtHttpApiStatus, condition},
    model::{Owner, Policy},
};
use jwthttpapi_sandbox::{Account, Issuers, Options, Rule, SMALLEST_ARCHIVE, Sandbox, Timestamp};
use kube::{
    core::DeserializeGuard,
    runtime::{controller::Action, reflector::store::Writer, watcher::Event},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

pub(super) const REGION: &str = "eu-central-1";
const ISSUER: &str = "https://issuer.example/";
const UID: &str = "u1";
pub(super) const PATH: &str = "/apis/jwthttpapi.dev/v1alpha1/namespaces/demo/jwthttpapis/hello";

pub(super) const SETTLE: Duration = Duration::from_secs(35);
pub(super) const IAM_SETTLE: Duration = Duration::from_secs(10);
pub(super) const DEPLOY_SETTLE: Duration = Duration::from_secs(5);
pub(super) const RESYNC: Duration = Duration::from_secs(600);

pub(super) struct Ground {
    pub(super) kubernetes: ApiServer,
    pub(super) sandbox: Sandbox,
    pub(super) ctx: Arc<Context>,
    pub(super) fence: Fence,
    memory: Memory,
    registry: Registry,
    watch: Mutex<Writer<Guarded>>,
}

/// What a pass came to.
pub(super) struct Passed {
    pub(super) next: Next,
    pub(super) findings: Findings,
    /// What it leaves to be written into the status, but for the conditions.
    pub(super) status: JwtHttpApiStatus,
}

impl Ground {
    /// An object with one route to one function that exists, by the function's own policy.
    pub(super) async fn new() -> Self {
        let settings = jwthttpapi_sandbox::Settings::default();
        let quiet = json!({"function_role_must_be_assumable": false});
        let sandbox = Sandbox::new(Options {
            account: Account {
                id: "123456789012".into(),
                partition: "aws".into(),
            },
            region: REGION.into(),
            seed: 1,
            settings: settings.patched(&quiet).unwrap(),
            clock: jwthttpapi_sandbox::Clock::tokio(Timestamp(1_800_000_000_000)),
            issuers: Issuers::Table(BTreeSet::from([ISSUER.to_owned()])),
        });
        function(&sandbox, "a").await;
        let kubernetes = ApiServer::default();
        let process = process(&kubernetes, &sandbox, cluster(), false, Settings::default());
        let ground = Self::of(kubernetes, sandbox, process);
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"namespace": "demo", "name": "hello", "uid": UID, "generation": 1},
        });
        ground.kubernetes.put(PATH, object);
        ground.change(json!({}));
        ground
    }

    /// The object and the cluster made anew under other uids, and an operator there.
    pub(super) fn rebuild(&mut self, uid: &str, cluster: Cluster) {
        let mut object = self.kubernetes.get(PATH).unwrap();
        object["metadata"] = json!({"namespace": "demo", "name": "hello", "uid": uid, "generation": 1});
        object["status"] = Value::Null;
        self.kubernetes.put(PATH, object);
        self.restart(cluster, false);
    }

    /// Another cluster beside the account's first one, with an object of the same name.
    pub(super) fn beside(&self, uid: &str, cluster: Cluster) -> Self {
        let kubernetes = ApiServer::default();
        let process = process(&kubernetes, &self.sandbox, cluster, false, Settings::default());
        let ground = Self::of(kubernetes, self.sandbox.clone(), process);
        ground.appear(uid, &Value::Null);
        ground
    }

    /// Another process in the operator's place.
    pub(super) fn restart(&mut self, cluster: Cluster, delete_orphans: bool) {
        self.begin(cluster, delete_orphans, Settings::default());
    }

    /// Another process that sees AWS in another way.
    pub(super) fn set(&mut self, settings: Settings) {
        self.begin(cluster(), false, settings);
    }

    fn begin(&mut self, cluster: Cluster, delete_orphans: bool, settings: Settings) {
        let process = process(&self.kubernetes, &self.sandbox, cluster, delete_orphans, settings);
        *self = Self::of(self.kubernetes.clone(), self.sandbox.clone(), process);
    }

    fn of(kubernetes: ApiServer, sandbox: Sandbox, process: Process) -> Self {
        Self {
            kubernetes,
            sandbox,
            ctx: process.ctx,
            fence: process.fence,
            memory: Memory::default(),
            registry: process.registry,
            watch: Mutex::new(process.watch),
        }
    }

    /// The watch shows the object as it is.
    pub(super) fn show(&self) {
        let object = self.kubernetes.get(PATH);
        let object = object.map(|object| Event::InitApply(serde_json::from_value(object).unwrap()));
        let mut watch = self.watch.lock().unwrap();
        for event in [Event::Init].into_iter().chain(object).chain([Event::InitDone]) {
            watch.apply_watcher_event(&event);
        }
    }

    /// The sum of a metric's series, by its name in the exposition.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let of_it = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        let values = text.lines().filter(of_it);
        values
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }

    /// An object of the name under another uid.
    pub(super) fn appear(&self, uid: &str, status: &Value) {
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"namespace": "demo", "name": "hello", "uid": uid, "generation": 1},
            "spec": {"issuer": ISSUER, "audience": ["aud"], "routes": []}, "status": status,
        });
        self.kubernetes.put(PATH, object);
    }

    /// Somebody tags an API.
    pub(super) async fn tag(&self, api: &str, key: &str, value: &str) {
        let request = self
            .gateway()
            .tag_resource()
            .resource_arn(format!("arn:aws:apigateway:{REGION}::/apis/{api}"))
            .tags(key, value);
        request.send().await.unwrap();
    }

    /// Somebody takes a tag off.
    pub(super) async fn untag(&self, api: &str, key: &str) {
        let request = self
            .gateway()
            .untag_resource()
            .resource_arn(format!("arn:aws:apigateway:{REGION}::/apis/{api}"))
            .tag_keys(key);
        request.send().await.unwrap();
    }

    /// Takes the object away, whatever finalizer it has.
    pub(super) fn vanish(&self) {
        self.kubernetes.remove(PATH);
    }

    /// Gives the object the usual spec with these fields.
    pub(super) fn change(&self, more: Value) {
        let mut object = self.kubernetes.get(PATH).unwrap();
        let mut spec = json!({
            "issuer": ISSUER, "audience": ["aud"], "invocation": {"mode": "ResourcePolicy"},
            "routes": [{"routeKey": "GET /a", "lambda": {"name": "a"}}],
        });
        merge(&mut spec, more);
        object["spec"] = spec;
        self.kubernetes.put(PATH, object);
    }

    /// Writes fields into the object's metadata or status.
    pub(super) fn edit(&self, part: &str, more: Value) {
        let mut object = self.kubernetes.get(PATH).unwrap();
        merge(&mut object[part], more);
        self.kubernetes.put(PATH, object);
    }

    pub(super) fn fault(&self, operation: &str, action: &Value) {
        let rule = json!({"operation": operation, "times": null, "action": action});
        let rule: Rule = serde_json::from_value(rule).unwrap();
        self.sandbox.add_faults(vec![rule]);
    }

    /// Changes how AWS behaves.
    pub(super) fn switch(&self, patch: &Value) {
        let settings = self.sandbox.settings().patched(patch).unwrap();
        self.sandbox.set_settings(settings);
    }

    /// What a service was asked since the last time that this was asked.
    pub(super) fn operations(&self, service: &str) -> Vec<String> {
        let entries = self.sandbox.journal(0).into_iter();
        self.sandbox.clear_journal();
        entries
            .filter(|entry| entry.service.name() == service)
            .map(|entry| entry.operation)
            .collect()
    }

    /// What the installer allows and asks for, from now on.
    pub(super) fn policy(&mut self, change: impl FnOnce(&mut Policy)) {
        change(&mut Arc::get_mut(&mut self.ctx).unwrap().policy);
    }

    /// The notes of the warnings that were published for a reason.
    pub(super) fn warnings(&self, reason: &str) -> Vec<String> {
        let events = self.kubernetes.within("/events/").into_iter();
        let meant = events.filter(|event| event["type"] == "Warning" && event["reason"] == reason);
        meant
            .map(|event| event["note"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A function of somebody else.
    pub(super) async fn function(&self, name: &str) {
        function(&self.sandbox, name).await;
    }

    /// An API with this object's tags and a nonce.
    pub(super) async fn api(&self, nonce: &str) -> String {
        let tags = owner().tags(nonce, DeletionPolicy::Delete);
        let request = self
            .gateway()
            .create_api()
            .name("demo-hello")
            .protocol_type(aws_sdk_apigatewayv2::types::ProtocolType::Http)
            .set_tags(Some(tags.into_iter().collect()));
        request.send().await.unwrap().api_id.unwrap()
    }

    /// What follows is done by a process that has only begun.
    pub(super) fn forget(&mut self) {
        self.memory = Memory::default();
    }

    /// One pass, without its report.
    pub(super) async fn pass(&mut self) -> Result<Passed, Error> {
        self.pass_within(reconcile::DEADLINE).await
    }

    pub(super) async fn pass_within(&mut self, time: Duration) -> Result<Passed, Error> {
        self.show();
        let ctx = self.ctx.clone();
        let mut pass = Pass {
            ctx: &ctx,
            record: Record::read(&ctx.client, "demo", "hello").await?.unwrap(),
            memory: std::mem::take(&mut self.memory),
            findings: Findings::default(),
            deadline: Instant::now() + time,
        };
        let passed = if pass.record.is_deleting() {
            delete(&mut pass).await
        } else {
            converge(&mut pass).await
        };
        self.memory = pass.memory;
        let (next, status) = passed?;
        Ok(Passed {
            next,
            findings: pass.findings,
            status,
        })
    }

    /// One whole reconcile.
    pub(super) async fn reconcile(&self) -> Result<Action, Error> {
        self.show();
        reconcile::reconcile(seen(), self.ctx.clone()).await
    }

    /// How long it is until an object whose reconcile failed so is tried again.
    pub(super) fn wait_after(&self, error: &Error) -> Duration {
        reconcile::wait_after(&self.ctx, UID, error)
    }

    pub(super) fn status(&self) -> JwtHttpApiStatus {
        serde_json::from_value(self.kubernetes.get(PATH).unwrap()["status"].take()).unwrap()
    }

    /// The sentence in a condition of the status.
    pub(super) fn sentence(&self, kind: ConditionType) -> String {
        condition(&self.status().conditions, kind)
            .unwrap()
            .message
            .clone()
    }

    /// The word in a condition of the status.
    pub(super) fn says(&self, kind: ConditionType) -> String {
        condition(&self.status().conditions, kind).unwrap().reason.clone()
    }
}

/// What makes the usual spec one of a function of the object's own.
pub(super) fn own() -> Value {
    json!({
        "functions": [{
            "name": "hello", "runtime": "nodejs24.x", "handler": "index.handler",
            "code": "export const handler = async () => ({});",
        }],
        "routes": [{"routeKey": "GET /a", "lambda": {"function": "hello"}}],
    })
}

/// A function of somebody else.
async fn function(sandbox: &Sandbox, name: &str) {
    let function = aws_sdk_lambda::Client::new(&config(sandbox, "AKIDSTRANGER"))
        .create_function()
        .function_name(name)
        .handler("index.handler")
        .runtime(Runtime::Nodejs22x)
        .role("arn:aws:iam::123456789012:role/x")
        .code(
            FunctionCode::builder()
                .zip_file(Blob::new(SMALLEST_ARCHIVE))
                .build(),
        );
    function.send().await.unwrap();
}

/// The object as a watch would show it.
fn seen() -> Arc<DeserializeGuard<JwtHttpApi>> {
    let mut object = JwtHttpApi::new("hello", JwtHttpApiSpec::default());
    object.metadata.namespace = Some("demo".into());
    object.metadata.uid = Some(UID.into());
    Arc::new(DeserializeGuard(Ok(object)))
}

pub(super) fn owner() -> Owner {
    Owner {
        cluster: "c1".into(),
        kube_system: Some("k1".into()),
        uid: UID.into(),
        namespace: "demo".into(),
        name: "hello".into(),
    }
}

/// The cluster that the object is in.
pub(super) fn cluster() -> Cluster {
    Cluster {
        id: owner().cluster,
        kube_system: owner().kube_system,
        namespaces: Vec::new(),
        replaced: Vec::new(),
    }
}

pub(super) fn merge(into: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    for (name, value) in more {
        into[name] = value;
    }
}
