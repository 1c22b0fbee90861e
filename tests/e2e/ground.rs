//! What every scenario stands on: one cluster and one issuer for all, and for each its own AWS, operator and namespace.

use crate::role;
use jwthttpapi::leader::LEASE_NAME;
use jwthttpapi_core::api::oracle;
use jwthttpapi_test_support::{
    Cluster, Container, Issuer, JournalEntry, OPERATOR_ACCESS_KEY, Operator, PROMPT, Proxy, REGION, Sandbox,
    SandboxClient, deadline, operator_policy, places, process::Launch, sandbox_values,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// The chart's release, and where it is.
pub(crate) const RELEASE: &str = "jwthttpapi";
pub(crate) const NAMESPACE: &str = "jwthttpapi-system";
pub(crate) const AUDIENCE: &str = "https://hello.example.com";
/// The end of all patience: nothing here takes a tenth of it when all is well.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// AWS without any delay, with pages large enough.
pub(crate) fn prompt() -> Value {
    json!({"iam_delay_ms": 0, "deploy_delay_ms": 0, "list_lag_ms": 0, "page_size": 1000})
}

/// One scenario's ground. Scenarios run one after the other: operators watch the whole cluster, unless they stand on a ground
/// beside another one.
pub(crate) struct Ground {
    pub(crate) cluster: &'static Cluster,
    pub(crate) issuer: &'static Issuer,
    pub(crate) sandbox: Sandbox,
    pub(crate) namespace: String,
    container: Container,
    directory: tempfile::TempDir,
    starts: AtomicUsize,
    _turn: Option<MutexGuard<'static, ()>>,
}

static TURN: Mutex<()> = Mutex::new(());
static ISSUER: OnceLock<Issuer> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Ground {
    pub(crate) fn new(settings: &Value) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = Cluster::shared().unwrap();
        let install = |sandbox: &Sandbox, _: &str| {
            let values = sandbox_values(sandbox.client().url(), REGION, &["*"]);
            cluster.install_chart(RELEASE, NAMESPACE, &values).unwrap()
        };
        Self::lay(cluster, settings, install, Some(turn))
    }

    /// One more ground in the same turn, with an AWS of its own. Its operators look after its namespace alone.
    pub(crate) fn beside(&self, settings: &Value) -> Self {
        let container = |sandbox: &Sandbox, namespace: &str| {
            let aws = format!("--aws-endpoint-url={}", sandbox.client().url());
            let watched = format!("--watch-namespaces={namespace}");
            // The cluster's own is not read where not all namespaces are watched.
            let cluster = format!("--cluster-id={namespace}");
            self.container.clone().with_flags([&*aws, &*watched, &*cluster])
        };
        Self::lay(self.cluster, settings, container, None)
    }

    fn lay(
        cluster: &'static Cluster,
        settings: &Value,
        container: impl FnOnce(&Sandbox, &str) -> Container,
        turn: Option<MutexGuard<'static, ()>>,
    ) -> Self {
        let issuer = ISSUER.get_or_init(|| Issuer::start().unwrap());
        let directory = places::scratch("e2e").unwrap();
        // Where the operator comes as a role, that is what the documents allow.
        let role = json!({"name": "operator", "policy": operator_policy().unwrap()});
        let mut settings = settings.clone();
        merge(&mut settings, &json!({"principals": {role::arn(): role}}));
        let sandbox = Sandbox::start(
            &issuer.authority(),
            &settings,
            directory.path().join("sandbox.log"),
        )
        .unwrap();
        let namespace = format!("scene-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        cluster.kubectl(["create", "namespace", &namespace]).unwrap();
        Self {
            cluster,
            issuer,
            container: container(&sandbox, &namespace),
            sandbox,
            namespace,
            directory,
            starts: AtomicUsize::new(0),
            _turn: turn,
        }
    }

    pub(crate) fn aws(&self) -> &SandboxClient {
        self.sandbox.client()
    }

    /// An operator without delays of its own and without a budget; `more` overrides.
    pub(crate) fn operator(&self, more: &[&str]) -> Operator {
        Operator::launch(self.launch(more)).unwrap()
    }

    /// The same, with the API server behind a proxy.
    pub(crate) fn operator_through(&self, proxy: &Proxy, more: &[&str]) -> Operator {
        Operator::launch(self.launch_through(proxy, more)).unwrap()
    }

    /// How that one is started, as often as one likes.
    pub(crate) fn launch_through(&self, proxy: &Proxy, more: &[&str]) -> Launch {
        let Container {
            namespace,
            service_account,
            ..
        } = &self.container;
        let way = self
            .cluster
            .kubeconfig_through(proxy, namespace, service_account)
            .unwrap();
        self.launch(more).env("KUBECONFIG", way)
    }

    /// How such an operator is started, to be changed for the purpose.
    pub(crate) fn launch(&self, more: &[&str]) -> Launch {
        self.launch_of(&self.container, more)
    }

    /// The same of another Deployment's container.
    pub(crate) fn launch_of(&self, container: &Container, more: &[&str]) -> Launch {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let log = self.directory.path().join(format!("operator-{number}.log"));
        let flags = PROMPT.iter().chain(more).copied();
        let container = container.clone().with_flags(flags);
        container.launch(self.cluster, log).unwrap()
    }

    /// Installs the chart again, with its values changed: the container of the Deployment that there is now.
    pub(crate) fn upgrade(&self, more: &Value) -> Container {
        let mut values = sandbox_values(self.aws().url(), REGION, &["*"]);
        merge(&mut values, more);
        self.cluster.install_chart(RELEASE, NAMESPACE, &values).unwrap()
    }

    /// A directory that goes with the scenario.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn functions(&self, names: &[&str]) {
        for name in names {
            let code = "export const handler = async (event) => ({said: event.routeKey ?? event.requestContext?.routeKey ?? 'nothing'});";
            self.aws()
                .create_function(name, "nodejs22.x", "index.handler", &[("index.mjs", code)])
                .unwrap();
        }
    }

    /// An alias of a function that names its first version, which is published.
    pub(crate) fn alias(&self, function: &str, alias: &str) {
        let post = |path: &str, body: &Value| {
            let path = format!("/2015-03-31/functions/{function}/{path}");
            self.aws().aws("lambda", "POST", &path, Some(body)).unwrap();
        };
        post("versions", &json!({}));
        post("aliases", &json!({"Name": alias, "FunctionVersion": "1"}));
    }

    /// A spec with the local issuer.
    pub(crate) fn spec(&self, more: &Value) -> Value {
        let mut spec = json!({"issuer": self.issuer.url("e2e"), "audience": [AUDIENCE]});
        merge(&mut spec, more);
        spec
    }

    pub(crate) fn apply(&self, name: &str, spec: &Value) {
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"name": name, "namespace": self.namespace}, "spec": spec,
        });
        self.cluster.apply(&object.to_string()).unwrap();
    }

    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .kubectl(["-n", &self.namespace].iter().chain(args))
            .unwrap()
    }

    pub(crate) fn patch(&self, name: &str, patch: &Value) {
        self.kubectl(&[
            "patch",
            "jwthttpapi",
            name,
            "--type=merge",
            "-p",
            &patch.to_string(),
        ]);
    }

    /// Asks for a verification, so that no backoff has to be waited for.
    pub(crate) fn verify(&self, name: &str, token: &str) {
        let asked = format!("reconcile.jwthttpapi.dev/requestedAt={token}");
        self.kubectl(&["annotate", "--overwrite", "jwthttpapi", name, &asked]);
    }

    /// Waits until a verification, asked for here, is done.
    pub(crate) fn verified(&self, name: &str, token: &str) -> Value {
        self.verify(name, token);
        self.until(name, "the verification", |object| {
            object["status"]["lastHandledReconcileAt"] == token
        })
    }

    pub(crate) fn object(&self, name: &str) -> Value {
        let gate = self.cluster.gate().unwrap();
        gate.read(&self.path(name)).unwrap()
    }

    /// Where the API server has an object.
    pub(crate) fn path(&self, name: &str) -> String {
        format!(
            "/apis/jwthttpapi.dev/v1alpha1/namespaces/{}/jwthttpapis/{name}",
            self.namespace
        )
    }

    /// Waits until the object is ready at its present generation; how long it took.
    pub(crate) fn ready(&self, name: &str) -> Duration {
        let began = Instant::now();
        self.until(name, "ready", |object| {
            let at = |path: &str| object.pointer(path).cloned();
            at("/status/observedGeneration") == at("/metadata/generation")
                && condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        });
        began.elapsed()
    }

    /// Waits until Ready is not true for a reason; the condition's message.
    pub(crate) fn unready(&self, name: &str, reason: &str) -> String {
        let object = self.until(name, reason, |object| {
            condition(object, "Ready")
                .is_some_and(|ready| ready["status"] != "True" && ready["reason"] == reason)
        });
        judge(&object);
        condition(&object, "Ready").unwrap()["message"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn until(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = deadline::poll(what, LIMIT, || {
            last = self.object(name);
            if last.pointer("/status/conditions").is_some() {
                judge(&last);
            }
            Ok(wanted(&last).then(|| last.clone()))
        });
        found.unwrap_or_else(|error| panic!("{error}: {last:#}"))
    }

    /// Whether the object is ready at its present generation now.
    pub(crate) fn is_ready(&self, name: &str) -> bool {
        let object = self.object(name);
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True")
    }

    /// Whether there is no object any more.
    pub(crate) fn is_gone(&self) -> bool {
        let gate = self.cluster.gate().unwrap();
        gate.read(&self.path("")).unwrap()["items"] == json!([])
    }

    /// Waits until there is no object any more.
    pub(crate) fn gone(&self) {
        deadline::poll("the end of the object", LIMIT, || {
            Ok(self.is_gone().then_some(()))
        })
        .unwrap();
    }

    /// Holds AWS against "nothing doubled": one API, the one that the object names, with so many children of each kind.
    pub(crate) fn one_api(&self, name: &str, children: &[(&str, usize)]) {
        let listed = self.aws().aws("apigateway", "GET", "/v2/apis", None).unwrap();
        let apis = listed["items"].as_array().unwrap();
        assert_eq!(apis.len(), 1, "{apis:#?}");
        let id = apis[0]["apiId"].as_str().unwrap();
        assert_eq!(self.api_id(name), id);
        for (kind, wanted) in children {
            let path = format!("/v2/apis/{id}/{kind}");
            let children = self.aws().aws("apigateway", "GET", &path, None).unwrap();
            let found = children["items"].as_array().unwrap().len();
            assert_eq!(found, *wanted, "{kind}: {children:#}");
        }
    }

    /// Takes away the lease, which a process of an earlier scenario may have died with: the next one need not wait until it
    /// has run out.
    pub(crate) fn free_lease(&self) {
        let lease = [
            "delete",
            "lease",
            LEASE_NAME,
            "-n",
            NAMESPACE,
            "--ignore-not-found",
        ];
        self.cluster.kubectl(lease).unwrap();
    }

    pub(crate) fn delete(&self, name: &str) {
        self.kubectl(&["delete", "jwthttpapi", name, "--timeout=120s"]);
    }

    /// What the operator asked of AWS since a request.
    pub(crate) fn calls(&self, since: u64) -> Vec<JournalEntry> {
        let mut calls = self.aws().journal(since).unwrap();
        calls.retain(|call| call.access_key == OPERATOR_ACCESS_KEY);
        calls
    }

    /// The state of AWS without functions, which are nobody's here, as text that equal states share.
    pub(crate) fn state(&self) -> String {
        self.aws().state().unwrap().to_string()
    }

    pub(crate) fn api_id(&self, name: &str) -> String {
        self.object(name)["status"]["apiId"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Ground {
    /// The next scenario's operator watches the whole cluster: nothing of this one may be left, whatever came of it.
    fn drop(&mut self) {
        let names = self
            .cluster
            .kubectl(["-n", &self.namespace, "get", "jwthttpapi", "-o", "name"])
            .unwrap_or_default();
        for name in names.lines() {
            let _ = self
                .cluster
                .kubectl(["-n", &self.namespace, "delete", name, "--wait=false"]);
            let free = r#"{"metadata":{"finalizers":null}}"#;
            let _ = self
                .cluster
                .kubectl(["-n", &self.namespace, "patch", name, "--type=merge", "-p", free]);
        }
    }
}

/// Holds a status against Flux's rules for statuses in progress, which bind at every moment.
fn judge(object: &Value) {
    let status = serde_json::from_value(object["status"].clone()).unwrap();
    let generation = object["metadata"]["generation"].as_i64().unwrap();
    let violations = oracle::flux(&status, generation, oracle::Moment::InProgress);
    assert!(violations.is_empty(), "{violations:?}: {object:#}");
}

pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object
        .pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

pub(crate) fn route(key: &str, function: &str) -> Value {
    json!({"routeKey": key, "lambda": {"name": function}})
}

fn merge(into: &mut Value, more: &Value) {
    if let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) {
        into.extend(more.clone());
    }
}
