//! One Kubernetes for this binary, with the definition as it lies in `crds/`.

use std::{fs, path::PathBuf, sync::LazyLock};

use jwthttpapi_test_support::{Cluster, Error, places};
use serde_json::{Map, Value, json};

/// Where the definition lies.
pub(crate) fn definition() -> PathBuf {
    places::repository().join("crds/jwthttpapis.jwthttpapi.dev.yaml")
}

/// The cluster, once the definition is established in it.
pub(crate) fn cluster() -> &'static Cluster {
    static READY: LazyLock<&'static Cluster> = LazyLock::new(|| {
        let cluster = Cluster::shared().unwrap();
        cluster.apply(&fs::read_to_string(definition()).unwrap()).unwrap();
        cluster
            .kubectl([
                "wait",
                "--for=condition=Established",
                "crd/jwthttpapis.jwthttpapi.dev",
                "--timeout=30s",
            ])
            .unwrap();
        cluster
    });
    *READY
}

/// The smallest spec.
pub(crate) fn smallest() -> Value {
    json!({
        "issuer": "https://example.eu.auth0.com/",
        "audience": ["https://hello.example.com"],
        "routes": [{"routeKey": "GET /test", "lambda": {"name": "hello"}}],
    })
}

/// The smallest spec with other fields: each replaces the field of its name, null removes it.
pub(crate) fn with(fields: Value) -> Value {
    let (Value::Object(mut spec), Value::Object(fields)) = (smallest(), fields) else {
        panic!("two objects are needed");
    };
    for (name, value) in fields {
        if value.is_null() {
            spec.remove(&name);
        } else {
            spec.insert(name, value);
        }
    }
    spec.into()
}

/// The smallest spec whose one route has further fields, or others.
pub(crate) fn with_route(fields: Value) -> Value {
    let mut route = Map::from_iter([
        ("routeKey".to_owned(), json!("GET /test")),
        ("lambda".to_owned(), json!({"name": "hello"})),
    ]);
    let Value::Object(fields) = fields else {
        panic!("an object is needed");
    };
    route.extend(fields);
    with(json!({"routes": [route]}))
}

/// `count` routes of different keys.
pub(crate) fn routes(count: usize) -> Value {
    (0..count)
        .map(|number| json!({"routeKey": format!("GET /items/{number}"), "lambda": {"name": "hello"}}))
        .collect()
}

pub(crate) fn object(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi", "metadata": {"name": name}, "spec": spec})
}

/// Applies an object as users do.
pub(crate) fn apply(name: &str, spec: &Value) -> Result<String, Error> {
    cluster().apply(&object(name, spec).to_string())
}

/// What is stored.
pub(crate) fn stored(name: &str) -> Value {
    let answer = cluster()
        .kubectl(["get", "jwthttpapi", name, "--output", "json"])
        .unwrap();
    serde_json::from_str(&answer).unwrap()
}
