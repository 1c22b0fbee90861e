//! What passes say and do about the object's roles.

use super::super::{expected::STALE_READ, pass::Next};
use super::ground::{Ground, IAM_SETTLE, cluster, own, owner};
use jwthttpapi_core::{
    api::{ConditionType, InvocationMode, Reason},
    model::name::{execution_role_name, role_name},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const PLAIN: &str = "AWS is equal to the spec";
const MANAGED: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";
const LOOK: [&str; 2] = ["GetRole", "GetRolePolicy"];
const LISTS: [&str; 2] = ["ListAttachedRolePolicies", "ListRolePolicies"];

fn role() -> String {
    role_name(&owner(), "eu-central-1").name
}

fn by_role() -> Value {
    json!({"invocation": {"mode": "Role"}})
}

/// An object in Role mode that is Ready, and a journal that is empty.
pub(super) async fn ready() -> Ground {
    let ground = Ground::new().await;
    ground.change(by_role());
    ground.reconcile().await.unwrap();
    tokio::time::advance(IAM_SETTLE).await;
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
    ground.operations("iam");
    ground
}

/// Somebody attaches a managed policy, and puts an inline one beside ours.
pub(super) async fn meddle(ground: &Ground) {
    let attach = ground.iam().attach_role_policy().role_name(role());
    attach.policy_arn(MANAGED).send().await.unwrap();
    let everything = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let put = ground
        .iam()
        .put_role_policy()
        .role_name(role())
        .policy_name("extra");
    put.policy_document(everything.to_string()).send().await.unwrap();
}

async fn undo(ground: &Ground) {
    let detach = ground.iam().detach_role_policy().role_name(role());
    detach.policy_arn(MANAGED).send().await.unwrap();
    let delete = ground.iam().delete_role_policy().role_name(role());
    delete.policy_name("extra").send().await.unwrap();
}

/// What IAM is asked in one whole reconcile, by anybody, in alphabetical order.
async fn asked(ground: &Ground) -> Vec<String> {
    ground.operations("iam");
    ground.reconcile().await.unwrap();
    let mut asked = ground.operations("iam");
    asked.sort();
    asked
}

/// All of a role.
fn shown(ground: &Ground) -> Value {
    ground.sandbox.state()["roles"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_others_put_on_a_role_is_told_at_the_sixth_resync_and_left_alone() {
    let ground = ready().await;
    meddle(&ground).await;
    let roles = shown(&ground);
    for _ in 1..6 {
        assert_eq!(asked(&ground).await, LOOK);
        assert_eq!(ground.sentence(ConditionType::Programmed), PLAIN);
    }
    let both = [LOOK, LISTS].concat();
    // Until it is gone it is looked at each time, and said in one event.
    for _ in 0..2 {
        assert_eq!(asked(&ground).await, both);
        let told = ground.sentence(ConditionType::Programmed);
        let named = [MANAGED, "inline policy extra", &role()].map(|word| told.contains(word));
        assert_eq!(named, [true; 3], "{told}");
        assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
        assert_eq!(ground.warnings("ForeignPolicies").len(), 1);
    }
    assert_eq!(shown(&ground), roles);
    undo(&ground).await;
    assert_eq!(asked(&ground).await, both);
    assert_eq!(ground.sentence(ConditionType::Programmed), PLAIN);
    for _ in 1..6 {
        assert_eq!(asked(&ground).await, LOOK);
    }
    assert_eq!(asked(&ground).await, both);
}

#[tokio::test(start_paused = true)]
async fn what_others_put_on_the_role_of_a_function_is_told_too() {
    let ground = Ground::new().await;
    ground.change(own());
    ground.reconcile().await.unwrap();
    let name = execution_role_name(&owner(), "eu-central-1", "hello").name;
    let attach = ground.iam().attach_role_policy().role_name(&name);
    attach.policy_arn(MANAGED).send().await.unwrap();
    for _ in 0..6 {
        ground.reconcile().await.unwrap();
    }
    let told = ground.sentence(ConditionType::Programmed);
    assert!(told.contains(&format!("{MANAGED} on role {name}")), "{told}");
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
}

#[tokio::test(start_paused = true)]
async fn another_process_looks_at_once_where_status_tells_of_something() {
    let mut ground = ready().await;
    ground.restart(cluster(), false);
    assert_eq!(asked(&ground).await, LOOK);
    meddle(&ground).await;
    for _ in 1..6 {
        ground.reconcile().await.unwrap();
    }
    let told = ground.sentence(ConditionType::Programmed);
    assert_ne!(told, PLAIN);
    ground.restart(cluster(), false);
    assert_eq!(asked(&ground).await, [LOOK, LISTS].concat());
    assert_eq!(ground.sentence(ConditionType::Programmed), told);
    assert_eq!(ground.warnings("ForeignPolicies").len(), 1);
}

/// Its route would be led to what has gone, and the statement by which it is served taken away.
#[tokio::test(start_paused = true)]
async fn a_role_that_was_just_deleted_and_is_still_shown_is_not_led_to() {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"read_lag_ms": 1_500}));
    for mode in ["Role", "ResourcePolicy"] {
        ground.change(json!({"invocation": {"mode": mode}}));
        tokio::time::advance(STALE_READ).await;
        ground.pass().await.unwrap();
    }
    ground.operations("iam");
    ground.change(json!({"invocation": {"mode": "Role"}}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AwaitingVisibility);
    assert_eq!(passed.next, Next::After(STALE_READ));
    assert_eq!(ground.operations("iam"), LOOK);
    tokio::time::advance(STALE_READ).await;
    ground.pass().await.unwrap();
    let needed = [LOOK.as_slice(), &["CreateRole", "PutRolePolicy"]].concat();
    assert_eq!(ground.operations("iam"), needed);
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_ours_that_had_to_be_put_right_is_a_cause_to_look() {
    let ground = ready().await;
    meddle(&ground).await;
    let delete = ground.iam().delete_role_policy().role_name(role());
    delete.policy_name("jwthttpapi").send().await.unwrap();
    let needed = [LOOK.as_slice(), &LISTS, &["PutRolePolicy"]].concat();
    assert_eq!(asked(&ground).await, needed);
    assert_eq!(
        ground.says(ConditionType::Ready),
        Reason::RolePropagating.as_str()
    );
    assert_eq!(ground.warnings("ForeignPolicies").len(), 1);
    tokio::time::advance(IAM_SETTLE).await;
    assert_eq!(asked(&ground).await, [""; 0]);
    let told = ground.sentence(ConditionType::Programmed);
    assert!(told.contains(MANAGED), "{told}");
}

/// A write without an answer may arrive when it has been given up.
#[tokio::test(start_paused = true)]
async fn what_iam_did_not_answer_settles_from_when_it_arrived_at_the_latest() {
    let ground = ready().await;
    let delete = ground.iam().delete_role_policy().role_name(role());
    delete.policy_name("jwthttpapi").send().await.unwrap();
    ground.fault("PutRolePolicy", &json!({"kind": "drop", "when": "after"}));
    let began = Instant::now();
    ground.reconcile().await.unwrap();
    for (second, reason) in [
        (5, Reason::AwaitingVisibility),
        (7, Reason::RolePropagating),
        (14, Reason::RolePropagating),
        (15, Reason::Succeeded),
    ] {
        let until = began + Duration::from_secs(second);
        tokio::time::advance(until.saturating_duration_since(Instant::now())).await;
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Ready), reason.as_str(), "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_denied_is_told_and_takes_no_readiness_away() {
    let ground = ready().await;
    let denied = json!({"kind": "fail", "status": 403, "code": "AccessDenied"});
    ground.fault("ListAttachedRolePolicies", &denied);
    for _ in 0..8 {
        ground.reconcile().await.unwrap();
        assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
    }
    let told = ground.sentence(ConditionType::Programmed);
    assert!(told.contains("AWS denies iam:ListAttachedRolePolicies"), "{told}");
    assert_eq!(ground.warnings("AccessDenied").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_others_put_policies_on_keeps_a_deletion_and_names_them() {
    let ground = ready().await;
    meddle(&ground).await;
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.reconcile().await.unwrap();
    assert_eq!(
        ground.says(ConditionType::DeletionBlocked),
        Reason::RoleInUse.as_str()
    );
    let told = ground.sentence(ConditionType::DeletionBlocked);
    let role = role();
    for words in [
        format!("{MANAGED}, inline policy extra"),
        format!("aws iam detach-role-policy --role-name {role} --policy-arn {MANAGED}"),
        format!("aws iam delete-role-policy --role-name {role} --policy-name extra"),
    ] {
        assert!(told.contains(&words), "{told}");
    }
    assert!(ground.sandbox.apis().is_empty());
    let left = &shown(&ground)[0];
    assert_eq!(left["AttachedPolicies"][0]["PolicyArn"], MANAGED);
    assert!(left["InlinePolicies"]["extra"].is_object());
    undo(&ground).await;
    ground.reconcile().await.unwrap();
    assert_eq!(shown(&ground), json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_leaves_the_spec_and_cannot_go_says_why() {
    let mut ground = ready().await;
    meddle(&ground).await;
    ground.change(json!({}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::RoleInUse);
    undo(&ground).await;
    ground.pass().await.unwrap();
    assert_eq!(shown(&ground), json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_role_stays_under_its_path_when_the_installer_asks_for_another() {
    let mut ground = ready().await;
    let arn = ground.status().role_arn.unwrap();
    assert!(arn.contains(":role/jwthttpapi/"), "{arn}");
    let before = ground.sandbox.state();
    ground.policy(|policy| policy.role_path = "/team/".parse().unwrap());
    ground.reconcile().await.unwrap();
    assert_eq!(ground.sandbox.state(), before);
    assert_eq!(ground.status().role_arn, Some(arn));
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
    // One that has to be made anew goes where it is asked for now, and what led through the old one leads through it.
    let delete = ground.iam().delete_role_policy().role_name(role());
    delete.policy_name("jwthttpapi").send().await.unwrap();
    ground.iam().delete_role().role_name(role()).send().await.unwrap();
    ground.pass().await.unwrap();
    let arn = format!("arn:aws:iam::123456789012:role/team/{}", role());
    let state = ground.sandbox.state();
    assert_eq!(state["roles"][0]["Arn"], arn.as_str());
    let api = &state["regions"]["eu-central-1"]["apis"][0];
    assert_eq!(api["integrations"].as_array().unwrap().len(), 1);
    assert_eq!(api["integrations"][0]["credentialsArn"], arn.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_boundary_is_put_on_a_role_that_stands_and_taken_off_none() {
    let mut ground = ready().await;
    ground.policy(|policy| policy.permissions_boundary = BOUNDARY.parse().ok());
    let passed = ground.pass().await.unwrap();
    // The first one only narrows: traffic waits for nothing.
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
    let boundary =
        |ground: &Ground| shown(ground)[0]["PermissionsBoundary"]["PermissionsBoundaryArn"].clone();
    assert_eq!(boundary(&ground), BOUNDARY);
    ground.policy(|policy| policy.permissions_boundary = None);
    let before = ground.sandbox.state();
    ground.pass().await.unwrap();
    assert_eq!(ground.sandbox.state(), before);
}

#[tokio::test(start_paused = true)]
async fn a_boundary_that_does_not_exist_is_named_with_the_flag() {
    let mut ground = Ground::new().await;
    ground.change(by_role());
    ground.policy(|policy| policy.permissions_boundary = BOUNDARY.parse().ok());
    let text = format!("Scope ARN: {BOUNDARY} does not exist or is not attachable.");
    let missing = json!({"kind": "fail", "status": 404, "code": "NoSuchEntity", "message": text});
    ground.fault("CreateRole", &missing);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AwsRefused);
    let message = passed.findings.programmed.message;
    assert!(
        message.contains(BOUNDARY) && message.contains("--permissions-boundary"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_of_somebody_else_under_the_name_of_a_functions_is_left_alone_and_named() {
    let mut ground = Ground::new().await;
    let name = execution_role_name(&owner(), "eu-central-1", "hello").name;
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole"}});
    let create = ground.iam().create_role().role_name(&name).path("/theirs/");
    create
        .assume_role_policy_document(trust.to_string())
        .send()
        .await
        .unwrap();
    let before = ground.sandbox.state();
    ground.change(own());
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::RoleNameConflict);
    assert!(
        passed
            .findings
            .programmed
            .message
            .contains(&format!("role/theirs/{name}"))
    );
    assert_eq!(ground.sandbox.state(), before);
}

#[tokio::test(start_paused = true)]
async fn a_functions_full_policy_is_said_with_the_ways_out_and_heals_when_there_is_room() {
    let mut ground = Ground::new().await;
    let lambda = ground.lambda();
    let add = |number: usize| {
        let add = lambda
            .add_permission()
            .function_name("a")
            .action("lambda:InvokeFunction");
        let source = format!(
            "arn:aws:execute-api:eu-central-1:123456789012:{}/*/*",
            "x".repeat(100)
        );
        let add = add.principal("apigateway.amazonaws.com").source_arn(source);
        add.statement_id(format!("theirs-{number}")).send()
    };
    let mut fill = 0;
    while add(fill).await.is_ok() {
        fill += 1;
    }
    assert!((30..100).contains(&fill), "20 KB hold {fill} of them");
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::PolicyFull);
    let message = passed.findings.programmed.message;
    for words in [
        "function:a",
        "20 KB",
        "aws lambda remove-permission",
        "spec.invocation.mode: Role",
    ] {
        assert!(message.contains(words), "{message}");
    }
    for number in 0..3 {
        let remove = lambda.remove_permission().function_name("a");
        remove
            .statement_id(format!("theirs-{number}"))
            .send()
            .await
            .unwrap();
    }
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_say_is_made_and_deleted_in_the_installers_mode() {
    let mut ground = Ground::new().await;
    ground.policy(|policy| policy.default_invocation = InvocationMode::ResourcePolicy);
    ground.change(json!({"invocation": null}));
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
    assert_eq!(ground.status().grants.len(), 1);
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.reconcile().await.unwrap();
    assert_eq!(ground.operations("iam"), [""; 0]);
    assert!(ground.sandbox.apis().is_empty());
}
