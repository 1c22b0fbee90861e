//! The two grounds, and what cases do on them.

use futures::{AsyncBufReadExt, Stream, StreamExt};
use http::{Method, Request};
use jwthttpapi_sandbox::{Clock, Timestamp};
use jwthttpapi_simulation::{
    fault::Schedule,
    kubernetes::ApiServer,
    oracle::Oracle,
    scenario::Scenario,
    world::{EPOCH, World},
};
use jwthttpapi_test_support::{Cluster, places};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use std::{
    fs,
    pin::Pin,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Builder;

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const OPERATIONS: &str = "application/json-patch+json";
/// What asks for metadata alone.
pub(crate) const PARTIAL: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const WHOLE: &str = "application/json";
/// A uid that is nobody's.
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// An API server with a namespace for one case.
pub(crate) struct Ground {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// Where the API server is simulated.
    world: Option<World>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

/// An open watch.
pub(crate) struct Watch(Pin<Box<dyn Stream<Item = std::io::Result<String>>>>);

/// The cluster, with the definition in it, and the way to it.
fn cluster() -> Kubeconfig {
    static READY: LazyLock<&'static Cluster> = LazyLock::new(|| {
        let cluster = Cluster::shared().unwrap();
        let definition = places::repository().join("crds/jwthttpapis.jwthttpapi.dev.yaml");
        cluster.apply(&fs::read_to_string(definition).unwrap()).unwrap();
        let definition = "crd/jwthttpapis.jwthttpapi.dev";
        cluster
            .kubectl(["wait", "--for=condition=Established", definition, "--timeout=30s"])
            .unwrap();
        cluster
    });
    Kubeconfig::read_from(READY.kubeconfig()).unwrap()
}

/// Runs a case on the real API server.
pub(crate) fn real<F: Future<Output = ()>>(case: impl FnOnce(Ground) -> F) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let kubeconfig = cluster();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        let ground = Ground {
            client: Client::try_from(config).unwrap(),
            namespace: format!("case-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            world: None,
        };
        let namespace = json!({"metadata": {"name": ground.namespace}});
        ground.post("/api/v1/namespaces", &namespace).await.ok();
        case(ground).await;
    });
}

/// Runs a case on the simulated one.
pub(crate) fn simulated<F: Future<Output = ()>>(case: impl FnOnce(Ground) -> F) {
    static AWS: LazyLock<jwthttpapi_simulation::Ground> = LazyLock::new(jwthttpapi_simulation::ground);
    let aws = &*AWS;
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let sandbox = aws.alone.sandbox.fork(Clock::tokio(Timestamp(EPOCH)), 1);
        let oracle = Oracle::new(aws.alone.before.clone(), &Scenario::smallest());
        let world = World::new(sandbox, Schedule::new(), Duration::ZERO, oracle);
        let server = ApiServer::new(world.clone(), world.start());
        case(Ground {
            client: Client::new(server, "demo"),
            namespace: "demo".to_owned(),
            world: Some(world),
        })
        .await;
    });
}

impl Ground {
    /// Where the custom resources of the case are.
    pub(crate) fn objects(&self) -> String {
        format!(
            "/apis/jwthttpapi.dev/v1alpha1/namespaces/{}/jwthttpapis",
            self.namespace
        )
    }

    /// Where one of them is.
    pub(crate) fn object(&self, name: &str) -> String {
        format!("{}/{name}", self.objects())
    }

    /// Where its status is.
    pub(crate) fn status(&self, name: &str) -> String {
        format!("{}/{name}/status", self.objects())
    }

    /// Where the leases of the case are.
    pub(crate) fn leases(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
            self.namespace
        )
    }

    /// Creates a valid object.
    pub(crate) async fn create(&self, name: &str) -> Value {
        self.post(&self.objects(), &valid(name)).await.ok()
    }

    /// Creates one with a finalizer, and deletes it.
    pub(crate) async fn create_leaving(&self, name: &str) -> Value {
        let mut object = valid(name);
        object["metadata"]["finalizers"] = json!(["example.com/one"]);
        self.post(&self.objects(), &object).await.ok();
        self.delete(&self.object(name)).await.ok()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, WHOLE, WHOLE, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, WHOLE, WHOLE, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, WHOLE, WHOLE, body).await
    }

    pub(crate) async fn merge(&self, path: &str, patch: &Value) -> Answer {
        self.send(Method::PATCH, path, MERGE, WHOLE, patch).await
    }

    /// Sends a JSON patch.
    pub(crate) async fn operate(&self, path: &str, operations: &Value) -> Answer {
        self.send(Method::PATCH, path, OPERATIONS, WHOLE, operations)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, WHOLE, WHOLE, &Value::Null).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content: &str,
        accept: &str,
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .header("accept", accept)
            .body(body.into())
            .unwrap();
        let answer = self.client.send(request).await.unwrap();
        let code = answer.status().as_u16();
        let text = answer.into_body().collect_bytes().await.unwrap();
        Answer {
            code,
            body: serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&text))),
        }
    }

    /// Opens a watch of the custom resources of the case.
    pub(crate) async fn watch(&self, query: &str) -> Watch {
        let uri = format!("{}?watch=true&{query}", self.objects());
        let request = Request::builder().uri(uri).body(Vec::new()).unwrap();
        let stream = self.client.request_stream(request).await.unwrap();
        Watch(Box::pin(stream.lines()))
    }

    /// Opens one of what comes after an object's version.
    pub(crate) async fn watch_after(&self, object: &Value) -> Watch {
        let query = format!("timeoutSeconds=30&resourceVersion={}", version(object));
        self.watch(&query).await
    }

    /// The versions of before are forgotten. The real one never knew those from before the definition: it is asked for them.
    pub(crate) fn compact(&self) {
        if let Some(world) = &self.world {
            world.state().kubernetes.compact();
        }
    }
}

impl Answer {
    /// The document of an answer that is no refusal.
    pub(crate) fn ok(self) -> Value {
        assert!(self.code < 300, "{self:?}");
        self.body
    }

    /// Holds it to be a refusal about an object of the group `jwthttpapi.dev`.
    pub(crate) fn refused(self, code: u16, reason: &str, message: &str, name: &str) {
        let kind = if message.starts_with("JwtHttpApi") {
            "JwtHttpApi"
        } else {
            "jwthttpapis"
        };
        let details = json!({"name": name, "group": "jwthttpapi.dev", "kind": kind});
        self.refused_with(code, reason, message, &details);
    }

    /// Holds it to be a refusal with these details, null for none. Their causes say the message again.
    pub(crate) fn refused_with(mut self, code: u16, reason: &str, message: &str, details: &Value) {
        let mut expected = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message,
        });
        if !details.is_null() {
            expected["details"] = details.clone();
        }
        if let Some(Value::Object(details)) = self.body.get_mut("details") {
            details.remove("causes");
        }
        assert_eq!((self.code, &self.body), (code, &expected));
    }
}

impl Watch {
    /// The next event: its type and its object. None when the watch has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        let line = self.0.next().await?.unwrap();
        let mut event: Value = serde_json::from_str(&line).unwrap();
        let word = event["type"].as_str().unwrap().to_owned();
        Some((word, event["object"].take()))
    }

    /// The next event's type and its object's version.
    pub(crate) async fn step(&mut self) -> (String, String) {
        let (word, object) = self.next().await.unwrap();
        (word, version(&object))
    }
}

/// A valid object.
pub(crate) fn valid(name: &str) -> Value {
    json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1",
        "kind": "JwtHttpApi",
        "metadata": {"name": name},
        "spec": {
            "issuer": "https://example.eu.auth0.com/",
            "audience": ["https://hello.example.com"],
            "routes": [{"routeKey": "GET /test", "lambda": {"name": "hello"}}],
        },
    })
}

pub(crate) fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// An object without what only the real API server keeps.
pub(crate) fn bare(mut object: Value) -> Value {
    object["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    object
}
