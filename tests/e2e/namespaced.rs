//! An operator of some namespaces, installed with rights in these alone.

use crate::ground::{Ground, LIMIT, condition, prompt, route};
use jwthttpapi_test_support::{Container, Operator, PROMPT, REGION, deadline, sandbox_values};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long an object may take while nothing is in its way.
const SOON: Duration = Duration::from_secs(5);

/// A namespace of this scenario's beside the ground's own.
struct Beside<'a> {
    ground: &'a Ground,
    name: String,
}

impl<'a> Beside<'a> {
    fn new(ground: &'a Ground, suffix: &str) -> Self {
        let name = format!("{}-{suffix}", ground.namespace);
        ground.cluster.kubectl(["create", "namespace", &name]).unwrap();
        Self { ground, name }
    }

    fn apply(&self, name: &str) {
        let spec = self
            .ground
            .spec(&json!({"routes": [route("GET /test", "hello")]}));
        let object = json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
            "metadata": {"name": name, "namespace": self.name}, "spec": spec,
        });
        self.ground.cluster.apply(&object.to_string()).unwrap();
    }

    fn object(&self, name: &str) -> Value {
        let args = ["-n", &self.name, "get", "jwthttpapi", name, "-o", "json"];
        serde_json::from_str(&self.ground.cluster.kubectl(args).unwrap()).unwrap()
    }

    fn until_ready(&self, name: &str) {
        deadline::poll("ready", LIMIT, || {
            let object = self.object(name);
            let ready = condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True");
            Ok(ready.then_some(()))
        })
        .unwrap();
    }

    fn delete(&self, name: &str) {
        let args = ["-n", &self.name, "delete", "jwthttpapi", name, "--timeout=120s"];
        self.ground.cluster.kubectl(args).unwrap();
    }
}

/// A release for some namespaces.
fn installed(ground: &Ground, release: &str, namespaces: [&Beside<'_>; 2]) -> Container {
    let mut values = sandbox_values(ground.aws().url(), REGION, &["*"]);
    values["clusterId"] = json!(release);
    values["watchNamespaces"] = json!(namespaces.map(|namespace| &namespace.name));
    values["crds"] = json!({"install": false});
    values["userRoles"] = json!({"create": false});
    let system = format!("{release}-system");
    ground.cluster.install_chart(release, &system, &values).unwrap()
}

#[test]
fn an_operator_of_some_namespaces_looks_after_these_alone_and_needs_no_right_elsewhere() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let before = ground.state();
    let [one, two, other] = ["one", "two", "other"].map(|suffix| Beside::new(&ground, suffix));
    let container = installed(&ground, "some", [&one, &two]);
    let launch = container
        .with_flags(PROMPT)
        .launch(ground.cluster, ground.directory().join("some.log"))
        .unwrap();
    one.apply("early");
    other.apply("hello");
    let operator = Operator::launch(launch).unwrap();

    two.apply("late");
    one.until_ready("early");
    two.until_ready("late");
    let tags = ground.aws().aws("apigateway", "GET", "/v2/apis", None).unwrap();
    let clusters: Vec<&Value> = tags["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|api| &api["tags"]["jwthttpapi.dev/cluster"])
        .collect();
    assert_eq!(clusters, ["some/", "some/"]);

    one.delete("early");
    two.delete("late");
    assert_eq!(ground.state(), before);
    // Nobody looked at this one, so that nothing holds it.
    assert_eq!(other.object("hello")["status"], json!({"observedGeneration": -1}));
    other.delete("hello");
    drop(operator);
    ground
        .cluster
        .helm(["uninstall", "some", "--namespace", "some-system"])
        .unwrap();
}

#[test]
fn a_namespace_that_may_not_be_read_holds_up_no_other_one() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let [one, two] = ["one", "two"].map(|suffix| Beside::new(&ground, suffix));
    let container = installed(&ground, "refused", [&one, &two]);
    let bindings = ["-n", &two.name, "delete", "rolebindings", "--all"];
    ground.cluster.kubectl(bindings).unwrap();
    let launch = container
        .with_flags(PROMPT)
        .launch(ground.cluster, ground.directory().join("refused.log"))
        .unwrap();
    let operator = Operator::launch(launch).unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("hello-{number}")).collect();
    for name in &names {
        let began = Instant::now();
        one.apply(name);
        one.until_ready(name);
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
    }
    for name in &names {
        one.delete(name);
    }
    drop(operator);
    ground
        .cluster
        .helm(["uninstall", "refused", "--namespace", "refused-system"])
        .unwrap();
}
