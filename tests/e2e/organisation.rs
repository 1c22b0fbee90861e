//! What strict organisations ask for: bounded roles under their path, their tags on everything, and policies of others on our
//! roles told and left alone.

use crate::ground::{Ground, condition, prompt};
use jwthttpapi_test_support::{OPERATOR_ACCESS_KEY, only_bounded_roles, operator_policy};
use serde_json::{Value, json};

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";
const MANAGED: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const FLAGS: [&str; 4] = [
    "--permissions-boundary=arn:aws:iam::123456789012:policy/boundary",
    "--role-path=/team/",
    "--default-tags=team=beneath,stage=test",
    "--resync=1s",
];

fn roles(ground: &Ground) -> Vec<Value> {
    let state = ground.aws().state().unwrap();
    state["roles"].as_array().unwrap().clone()
}

/// All roles, each where it should be and as bounded as it should be.
fn bounded_roles(ground: &Ground) -> Vec<Value> {
    let roles = roles(ground);
    for role in &roles {
        assert_eq!(role["Path"], "/team/", "{role:#}");
        let boundary = &role["PermissionsBoundary"]["PermissionsBoundaryArn"];
        assert_eq!(boundary, BOUNDARY, "{role:#}");
    }
    roles
}

/// The documents' policy, written for the path of these roles as the documents say.
fn rights() -> Value {
    let policy = operator_policy().unwrap().to_string();
    let policy = policy.replace(":role/jwthttpapi/", ":role/team/");
    serde_json::from_str(&policy).unwrap()
}

/// The same, and no role without the boundary.
fn bounded_rights() -> Value {
    let mut policy = rights();
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.push(only_bounded_roles().unwrap());
    policy
}

/// Somebody changes a policy of a role.
fn meddle(ground: &Ground, action: &str, role: &str) {
    let form = [
        ("Action", action),
        ("Version", "2010-05-08"),
        ("RoleName", role),
        ("PolicyArn", MANAGED),
    ];
    assert_eq!(ground.aws().query("iam", &form).unwrap().status, 200);
}

fn says(object: &Value, kind: &str, words: &str) -> bool {
    condition(object, kind).is_some_and(|found| found["message"].as_str().unwrap().contains(words))
}

#[test]
fn an_organisation_finds_its_boundary_path_and_tags_and_is_told_of_policies_that_keep_a_role() {
    let ground = Ground::new(&prompt());
    let rights = json!({"principals": {OPERATOR_ACCESS_KEY: {"policy": bounded_rights()}}});
    ground.aws().set(&rights).unwrap();
    let before = ground.state();
    let operator = ground.operator(&FLAGS);
    let spec = ground.spec(&json!({
        "tags": {"team": "shop"},
        "functions": [{
            "name": "hello", "runtime": "nodejs24.x", "handler": "index.handler",
            "code": "export const handler = async () => ({});",
        }],
        "routes": [{"routeKey": "GET /test", "lambda": {"function": "hello"}}],
    }));
    ground.apply("hello", &spec);
    ground.ready("hello");
    let made = bounded_roles(&ground);
    assert_eq!(made.len(), 2);
    let state = ground.aws().state().unwrap();
    let services = &state["regions"]["eu-central-1"];
    let (api, function, group) = (
        &services["apis"][0],
        &services["functions"][0],
        &services["logGroups"][0],
    );
    for tags in [
        &api["tags"],
        &function["Tags"],
        &group["tags"],
        &made[0]["Tags"],
        &made[1]["Tags"],
    ] {
        let own = |key: &str, value: &str| match tags {
            Value::Array(tags) => tags.contains(&json!({"Key": key, "Value": value})),
            tags => tags[key] == value,
        };
        assert!(own("team", "shop") && own("stage", "test"), "{tags:#}");
    }

    // Told at a resync, in the status and in an event, and Ready all the same.
    let role = ground.object("hello")["status"]["roleArn"]
        .as_str()
        .unwrap()
        .to_owned();
    let role = role.rsplit('/').next().unwrap();
    meddle(&ground, "AttachRolePolicy", role);
    let told = ground.until("hello", "the attached policy", |object| {
        says(object, "Programmed", MANAGED)
    });
    assert_eq!(condition(&told, "Ready").unwrap()["status"], "True", "{told:#}");
    let events = ground.kubectl(&[
        "get",
        "events",
        "--field-selector=reason=ForeignPolicies",
        "-o",
        "json",
    ]);
    let events: Value = serde_json::from_str(&events).unwrap();
    assert_eq!(events["items"][0]["type"], "Warning", "{events:#}");

    // Another path and no boundary any more: what stands stays as it is.
    drop(operator);
    let (mark, stands) = (ground.aws().journal_mark().unwrap(), ground.state());
    let _operator = ground.operator(&[FLAGS[2]]);
    ground.verify("hello", "1");
    ground.until("hello", "the verification", |object| {
        object["status"]["lastHandledReconcileAt"] == "1"
    });
    assert!(ground.calls(mark).iter().all(|call| !call.committed));
    assert_eq!(ground.state(), stands);
    assert!(ground.is_ready("hello"));

    ground.kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
    let blocked = ground.until("hello", "the reason why it stays", |object| {
        says(object, "DeletionBlocked", MANAGED)
    });
    let reason = &condition(&blocked, "DeletionBlocked").unwrap()["reason"];
    assert_eq!(reason, "RoleInUse");
    assert!(says(
        &blocked,
        "DeletionBlocked",
        "aws iam detach-role-policy --role-name"
    ));
    let left = roles(&ground);
    let kept = left.iter().find(|left| left["RoleName"] == role).unwrap();
    assert_eq!(kept["AttachedPolicies"][0]["PolicyArn"], MANAGED);
    meddle(&ground, "DetachRolePolicy", role);
    // The operator may have looked by itself already, and the object may be gone.
    let asked = "reconcile.jwthttpapi.dev/requestedAt=2";
    let annotate = [
        "-n",
        &ground.namespace,
        "annotate",
        "--overwrite",
        "jwthttpapi",
        "hello",
        asked,
    ];
    let _ = ground.cluster.kubectl(annotate);
    ground.gone();
    assert_eq!(ground.state(), before);
}
