//! Two clusters of one cluster id on one account: neither writes to what the other one has, and one takes over from the other
//! only what it is told to.

use crate::ground::{AUDIENCE, Ground, LIMIT, NAMESPACE, RELEASE, condition, prompt};
use jwthttpapi_test_support::{
    Claims, Cluster, Container, Operator, PROMPT, REGION, deadline, sandbox_values,
};
use serde_json::{Value, json};

const ID: &str = "--cluster-id=blue";

/// The cluster beside the ground's, with the operator installed and a namespace of the same name.
struct Beside<'a> {
    ground: &'a Ground,
    cluster: Cluster,
    container: Container,
}

impl<'a> Beside<'a> {
    fn start(ground: &'a Ground) -> Self {
        let cluster = Cluster::start().unwrap();
        let values = sandbox_values(ground.aws().url(), REGION, &["*"]);
        let container = cluster.install_chart(RELEASE, NAMESPACE, &values).unwrap();
        cluster
            .kubectl(["create", "namespace", &ground.namespace])
            .unwrap();
        Self {
            ground,
            cluster,
            container,
        }
    }

    fn operator(&self, log: &str, more: &[&str]) -> Operator {
        let container = self
            .container
            .clone()
            .with_flags(PROMPT.iter().chain(more).copied());
        let launch = container.launch(&self.cluster, self.ground.directory().join(log));
        Operator::launch(launch.unwrap()).unwrap()
    }

    /// Applies an object of the name, and gives it when it is ready and has cleared up behind a predecessor.
    fn apply(&self, spec: &Value) -> Value {
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"name": "hello", "namespace": self.ground.namespace}, "spec": spec,
        });
        self.cluster.apply(&object.to_string()).unwrap();
        let args = [
            "-n",
            &self.ground.namespace,
            "get",
            "jwthttpapi",
            "hello",
            "-o",
            "json",
        ];
        let ready = |object: &Value| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && object["status"]["reclaimedFrom"].is_null()
                && condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        };
        deadline::poll("ready", LIMIT, || {
            let object: Value = serde_json::from_str(&self.cluster.kubectl(args)?).unwrap();
            Ok(ready(&object).then_some(object))
        })
        .unwrap()
    }

    fn delete(&self) {
        let args = [
            "-n",
            &self.ground.namespace,
            "delete",
            "jwthttpapi",
            "hello",
            "--timeout=120s",
        ];
        self.cluster.kubectl(args).unwrap();
    }
}

/// Everything in AWS that an object's uid is on.
fn things_of(ground: &Ground, uid: &str) -> Vec<Value> {
    let state = ground.aws().state().unwrap();
    let region = &state["regions"][REGION];
    let all = [
        &state["roles"],
        &region["apis"],
        &region["functions"],
        &region["logGroups"],
    ];
    let things = all.iter().flat_map(|things| things.as_array().unwrap());
    let tagged = |thing: &&Value| thing.to_string().contains(&format!("\"{uid}\""));
    things.filter(tagged).cloned().collect()
}

fn spec(ground: &Ground, memory: u32) -> Value {
    ground.spec(&json!({
        "invocation": {"mode": "Role"},
        "routes": [{"routeKey": "GET /own", "lambda": {"function": "own"}}],
        "functions": [{
            "name": "own", "runtime": "nodejs24.x", "handler": "index.handler", "memoryMiB": memory,
            "code": "export const handler = async () => ({own: true});",
        }],
    }))
}

/// What the API of an id answers to a good token.
fn call(ground: &Ground, id: &str) -> u16 {
    let token = ground
        .issuer
        .token("e2e", &Claims::new("alice", AUDIENCE))
        .unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = ground.aws().invoke(id, "GET", "/own", &headers, None);
    answer.unwrap().status
}

#[test]
fn two_clusters_of_one_id_leave_each_other_alone_until_one_is_told_to_take_over() {
    let ground = Ground::new(&prompt());
    let before = ground.state();
    let second = Beside::start(&ground);
    let operator = ground.operator(&[ID]);
    ground.apply("hello", &spec(&ground, 128));
    ground.ready("hello");
    let first = ground.object("hello");
    let old = first["metadata"]["uid"].as_str().unwrap();
    let theirs = things_of(&ground, old);
    // An API, two roles, a function and its log group.
    assert_eq!(theirs.len(), 5, "{theirs:#?}");

    let mut beside = second.operator("second.log", &[ID]);
    let object = second.apply(&spec(&ground, 128));
    let uid = object["metadata"]["uid"].as_str().unwrap();
    assert_ne!(object["status"]["apiId"], first["status"]["apiId"]);
    second.apply(&spec(&ground, 256));
    assert_eq!(things_of(&ground, old), theirs);
    let own = things_of(&ground, uid);
    assert_eq!(own.len(), 5, "{own:#?}");
    ground.apply("hello", &spec(&ground, 512));
    ground.ready("hello");
    assert_eq!(things_of(&ground, uid), own);
    let theirs = things_of(&ground, old);
    second.delete();
    assert_eq!(things_of(&ground, uid), [Value::Null; 0]);
    assert_eq!(things_of(&ground, old), theirs);

    // The first cluster is no more, and the second one is what was rebuilt in its place.
    drop(operator);
    // Asked to stop, it gives its lease away.
    beside.process().terminate();
    beside.process().wait(LIMIT).unwrap();
    let query = [
        "get",
        "namespace",
        "kube-system",
        "-o",
        "jsonpath={.metadata.uid}",
    ];
    let replaced = format!("--reclaim-from={}", ground.cluster.kubectl(query).unwrap());
    let _operator = second.operator("third.log", &[ID, &replaced]);
    let object = second.apply(&spec(&ground, 512));
    let id = object["status"]["apiId"].as_str().unwrap();
    for same in ["apiId", "endpoint"] {
        assert_eq!(object["status"][same], first["status"][same]);
    }
    assert_eq!(call(&ground, id), 200);
    assert_eq!(things_of(&ground, old), [Value::Null; 0]);
    second.delete();
    assert_eq!(ground.state(), before);
}
