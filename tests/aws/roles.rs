//! What an organisation asks of roles, as requests.

use crate::ground::{Ground, desired, desired_under, ground, owner, spec};
use jwthttpapi_core::model::Policy;
use jwthttpapi_core::model::name::role_name;
use serde_json::{Value, json};

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

fn bounded() -> Policy {
    Policy {
        permissions_boundary: BOUNDARY.parse().ok(),
        ..Policy::default()
    }
}

fn role() -> String {
    role_name(&owner(), "eu-central-1").name
}

fn boundary(ground: &Ground) -> Value {
    ground.sandbox.state()["roles"][0]["PermissionsBoundary"]["PermissionsBoundaryArn"].clone()
}

/// Somebody lets the role do other things than it should.
async fn widen(ground: &Ground) {
    let everything = json!({"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}});
    let put = ground.iam().put_role_policy().role_name(role());
    let put = put
        .policy_name("jwthttpapi")
        .policy_document(everything.to_string());
    put.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_role_is_made_with_its_boundary_in_one_request() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    ground.create(&desired_under(spec("Role"), bounded())).await;
    assert_eq!(boundary(&ground), BOUNDARY);
}

#[tokio::test(start_paused = true)]
async fn a_role_gets_its_boundary_before_its_policy() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&desired(spec("Role"))).await;
    let delete = ground.iam().delete_role_policy().role_name(role());
    delete.policy_name("jwthttpapi").send().await.unwrap();
    let bounded = desired_under(spec("Role"), bounded());
    let writes = ground.converge(&bounded, &id).await;
    assert_eq!(writes, ["PutRolePermissionsBoundary", "PutRolePolicy"]);
    assert_eq!(boundary(&ground), BOUNDARY);
}

#[tokio::test(start_paused = true)]
async fn a_role_whose_boundary_is_denied_is_given_no_policy() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&desired(spec("Role"))).await;
    widen(&ground).await;
    ground.fault(json!({
        "operation": "PutRolePermissionsBoundary",
        "action": {"kind": "fail", "status": 403, "code": "AccessDenied"},
    }));
    let before = ground.sandbox.state();
    let plan = ground
        .plan(&desired_under(spec("Role"), bounded()), Some(&id))
        .await;
    let outcome = ground.run(plan).await;
    let (_, fault) = outcome.gravest().unwrap();
    assert!(
        fault.message().contains("iam:PutRolePermissionsBoundary"),
        "{}",
        fault.message()
    );
    assert_eq!(ground.sandbox.state(), before);
}

#[tokio::test(start_paused = true)]
async fn what_others_put_on_a_role_is_read_to_the_last_page_and_without_our_own() {
    let ground = ground(json!({"page_size": 1}));
    ground.functions(&["a", "b", "c"]).await;
    ground.create(&desired(spec("Role"))).await;
    for name in ["ReadOnlyAccess", "job-function/ViewOnlyAccess"] {
        let attach = ground.iam().attach_role_policy().role_name(role());
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        attach.policy_arn(arn).send().await.unwrap();
    }
    for name in ["one", "two", "zero"] {
        let statement = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
        let put = ground.iam().put_role_policy().role_name(role()).policy_name(name);
        put.policy_document(statement.to_string()).send().await.unwrap();
    }
    let found = ground
        .session()
        .attachments(&role_name(&owner(), "eu-central-1"))
        .await;
    let found = found.unwrap();
    assert_eq!(found.managed.len(), 2);
    assert_eq!(Vec::from_iter(found.inline), ["one", "two", "zero"]);
}

#[tokio::test(start_paused = true)]
async fn a_tag_of_a_role_that_changes_the_case_of_its_key_is_there_after_one_request() {
    let tagged = |key: &str| {
        let mut spec = spec("Role");
        spec["tags"] = json!({key: "shop"});
        desired(spec)
    };
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&tagged("Team")).await;
    let mut writes = ground.converge(&tagged("team"), &id).await;
    writes.sort();
    assert_eq!(writes, ["TagResource", "TagRole", "UntagResource"]);
}
