//! Rights: what the documents and the chart grant the operator is what it uses, neither more nor less.

use crate::ground::{Ground, LIMIT, prompt, route};
use crate::role::SERVICE_ACCOUNT;
use jwthttpapi_test_support::{
    AuditEntry, JournalEntry, OPERATOR_ACCESS_KEY, Operator, Permission, deadline, operator_policy, pairs,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wildmatch::WildMatch;

/// Lives that together take every step there is. An action that is new in the document wants a life that uses it.
const LIVES: [fn(&Ground); 3] = [functions_and_roles, resource_policies, retained];

/// The most pairs of a verb and a resource that the operator is ever given in Kubernetes.
const MOST_PAIRS: usize = 16;

fn function(more: &Value) -> Value {
    let mut function = json!({
        "name": "hello", "runtime": "nodejs22.x", "handler": "index.handler", "logRetentionDays": 7,
        "code": "export const handler = async () => ({});",
    });
    let fields = function.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    function
}

/// Created, changed in every way, broken by hand, repaired, deleted.
fn functions_and_roles(ground: &Ground) {
    ground.functions(&["other"]);
    let own = json!({"routeKey": "GET /own", "lambda": {"function": "hello"}});
    ground.apply(
        "owned",
        &ground.spec(&json!({
            "routes": [own, route("POST /other", "other")], "functions": [function(&json!({}))],
            "tags": {"team": "shop"}, "cors": {"allowOrigins": ["https://app.example.com"]},
        })),
    );
    ground.ready("owned");
    let role = ground.object("owned")["status"]["roleArn"].clone();
    let role = role.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let changed =
        function(&json!({"memoryMiB": 256, "code": "export const handler = async () => ({new: true});"}));
    ground.apply(
        "owned",
        &ground.spec(&json!({
            "routes": [own], "functions": [changed], "tags": {"squad": "shop"}, "scopes": ["read"],
        })),
    );
    ground.ready("owned");
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"},
    }]});
    let broken = [
        ("Action", "UpdateAssumeRolePolicy"),
        ("RoleName", &role),
        ("PolicyDocument", &trust.to_string()),
    ];
    assert_eq!(ground.aws().query("iam", &broken).unwrap().status, 200);
    ground.verified("owned", "1");
    ground.ready("owned");
    ground.delete("owned");
}

/// Statements in functions' policies, made and taken away.
fn resource_policies(ground: &Ground) {
    ground.apply(
        "shared",
        &ground.spec(&json!({
            "invocation": {"mode": "ResourcePolicy"}, "routes": [route("GET /other", "other")],
        })),
    );
    ground.ready("shared");
    ground.delete("shared");
}

/// Everything stays, without the tags.
fn retained(ground: &Ground) {
    ground.apply(
        "retained",
        &ground.spec(&json!({
            "deletionPolicy": "Retain", "functions": [function(&json!({}))],
            "routes": [{"routeKey": "GET /own", "lambda": {"function": "hello"}}],
        })),
    );
    ground.ready("retained");
    ground.delete("retained");
}

/// Made without a boundary, and bounded by the next operator.
fn bounded(ground: &Ground, operator: Operator) {
    ground.apply(
        "bounded",
        &ground.spec(&json!({"routes": [route("GET /other", "other")]})),
    );
    ground.ready("bounded");
    drop(operator);
    let boundary = "--permissions-boundary=arn:aws:iam::123456789012:policy/boundary";
    let _operator = ground.operator(&[boundary]);
    ground.verified("bounded", "1");
    ground.ready("bounded");
    ground.delete("bounded");
}

fn texts(value: &Value) -> Vec<&str> {
    let listed = value.as_array();
    listed.map_or_else(
        || value.as_str().into_iter().collect(),
        |listed| listed.iter().filter_map(Value::as_str).collect(),
    )
}

/// What of a statement is not used: each action on some resource, and each resource by some action.
fn unused(statement: &Value, used: &BTreeSet<Permission>) -> Vec<String> {
    let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
    let by = |actions: &[&str], resources: &[&str]| {
        used.iter().any(|permission| {
            let here = |resource: &&str| WildMatch::new(resource).matches(&permission.resource);
            actions.contains(&permission.action.as_str()) && resources.iter().any(here)
        })
    };
    let sid = &statement["Sid"];
    let idle = actions
        .iter()
        .filter(|action| !by(&[**action], &resources))
        .chain(resources.iter().filter(|resource| !by(&actions, &[**resource])));
    idle.map(|what| format!("{sid}: {what}")).collect()
}

fn assert_none_denied(calls: &[JournalEntry]) {
    let is_denied = |call: &&JournalEntry| {
        let code = call.error.as_deref();
        code.is_some_and(|code| code.contains("AccessDenied"))
    };
    let denied: Vec<_> = calls.iter().filter(is_denied).collect();
    assert!(denied.is_empty(), "{denied:#?}");
}

/// The documents' policy, narrowed as they say to the functions that objects may name.
fn narrowed(functions: &[&str]) -> Value {
    let mut policy = operator_policy().unwrap();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        if ["Functions", "FunctionsForApiGatewayOnly"]
            .map(Value::from)
            .contains(&statement["Sid"])
        {
            let every = statement["Resource"].as_str().unwrap();
            let every = every.strip_suffix('*').unwrap();
            let named = functions.iter().map(|function| format!("{every}{function}"));
            statement["Resource"] = named.collect();
        }
    }
    policy
}

#[test]
fn the_policy_in_the_documents_grants_exactly_what_the_operator_uses_of_aws() {
    let ground = Ground::new(&prompt());
    let operator = ground.operator(&[]);
    for life in LIVES {
        life(&ground);
    }
    bounded(&ground, operator);
    let calls = ground.calls(0);
    assert_none_denied(&calls);
    let used: BTreeSet<Permission> = calls.into_iter().flat_map(|call| call.permissions).collect();
    let policy = operator_policy().unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let unused: Vec<String> = statements
        .iter()
        .flat_map(|statement| unused(statement, &used))
        .collect();
    assert!(unused.is_empty(), "granted and not used: {unused:#?}");
    let actions: BTreeSet<&str> = used.iter().map(|permission| &*permission.action).collect();
    println!(
        "rights in AWS: {} actions of {} statements, all used, no other needed",
        actions.len() - usize::from(actions.contains("sts:GetCallerIdentity")),
        statements.len()
    );
}

#[test]
fn the_policy_narrowed_to_functions_of_others_suffices_for_own_ones() {
    let ground = Ground::new(&prompt());
    let allow = |functions: &[&str]| {
        let narrowed = json!({"principals": {OPERATOR_ACCESS_KEY: {"policy": narrowed(functions)}}});
        ground.aws().set(&narrowed).unwrap();
    };
    allow(&["other", "other:*"]);
    let _operator = ground.operator(&[]);
    functions_and_roles(&ground);
    retained(&ground);

    allow(&["other", "other:*", "jwthttpapi-*"]);
    ground.apply(
        "let",
        &ground.spec(&json!({
            "invocation": {"mode": "ResourcePolicy"}, "functions": [function(&json!({}))],
            "routes": [{"routeKey": "GET /own", "lambda": {"function": "hello"}}, route("GET /other", "other")],
        })),
    );
    ground.ready("let");
    ground.delete("let");
    assert_none_denied(&ground.calls(0));
}

/// Each verb with its resource that roles grant the operator, by the bindings in the cluster.
fn granted(ground: &Ground) -> BTreeSet<String> {
    let get = |what: &[&str]| -> Value {
        let answer = ground.cluster.kubectl(["get", "-o", "json"].iter().chain(what));
        serde_json::from_str(&answer.unwrap()).unwrap()
    };
    let bindings = get(&["clusterrolebindings,rolebindings", "-A"]);
    let mut granted = BTreeSet::new();
    for binding in bindings["items"].as_array().unwrap() {
        let names = |subject: &Value| {
            let place = (&subject["namespace"], &subject["name"]);
            SERVICE_ACCOUNT
                == format!(
                    "system:serviceaccount:{}:{}",
                    place.0.as_str().unwrap_or_default(),
                    place.1.as_str().unwrap_or_default()
                )
        };
        if binding["subjects"]
            .as_array()
            .is_some_and(|subjects| subjects.iter().any(names))
        {
            let text = |path: &str| binding.pointer(path).and_then(Value::as_str).unwrap_or("default");
            let (kind, name) = (text("/roleRef/kind"), text("/roleRef/name"));
            granted.extend(pairs(&get(&[kind, name, "-n", text("/metadata/namespace")])));
        }
    }
    granted
}

/// The two ways in which a role may grant a request: with the object's name, or whatever its name is.
fn forms(entry: &AuditEntry) -> [String; 2] {
    let part = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("/{text}")
        }
    };
    let whatever = format!(
        "{} {}/{}{}",
        entry.verb,
        entry.group,
        entry.resource,
        part(&entry.subresource)
    );
    [format!("{whatever}{}", part(&entry.name)), whatever]
}

#[test]
fn the_chart_grants_exactly_what_the_operator_uses_of_kubernetes() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    // It is created by the first leader alone.
    ground.free_lease();
    let mark = ground.cluster.audit_mark().unwrap();
    let _operator = ground.operator(&["--leader-elect=true"]);
    ground.apply(
        "hello",
        &ground.spec(&json!({"routes": [route("GET /test", "hello")]})),
    );
    ground.ready("hello");
    ground.delete("hello");

    let granted = granted(&ground);
    assert!((1..=MOST_PAIRS).contains(&granted.len()), "{granted:#?}");
    let requests = || ground.cluster.requests(mark, SERVICE_ACCOUNT);
    let mut idle = granted.clone();
    // An event is published after the status that it tells of.
    let all = deadline::poll("the use of all that is granted", LIMIT, || {
        let requests = requests()?;
        idle.retain(|pair| !requests.iter().any(|entry| forms(entry).contains(pair)));
        Ok(idle.is_empty().then_some(()))
    });
    assert!(all.is_ok(), "granted and not used: {idle:#?}");
    for entry in requests().unwrap() {
        // What is beside resources, such as the API's discovery, is everybody's.
        let used = entry.resource.is_empty() || forms(&entry).iter().any(|form| granted.contains(form));
        assert!(used && entry.code != 403, "used and not granted: {entry:#?}");
    }
    println!(
        "rights in Kubernetes: {} pairs of a verb and a resource, all used, no other needed",
        granted.len()
    );
}
