//! What a pass says and does about the object's own functions.

use super::super::{expected::STALE_LIST, pass::Next};
use super::ground::{Ground, REGION, cluster, own, owner};
use crate::aws::Settings;
use jwthttpapi_core::{
    api::{ConditionType, Reason, condition},
    model::name::{execution_role_name, function_name, log_group, role_name},
};
use jwthttpapi_test_support::released;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn functions_are_in_status_before_anything_of_them_is_made() {
    let mut ground = Ground::new().await;
    ground.change(own());
    let denied = json!({"kind": "fail", "status": 400, "code": "AccessDeniedException"});
    ground.fault("CreateLogGroup", &denied);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::AccessDenied);
    let told = ground.status().functions;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].name, "hello");
    assert!(told[0].arn.ends_with(&function_name(&owner(), "hello")));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_left_the_spec_leaves_aws_and_status() {
    let mut ground = Ground::new().await;
    ground.change(own());
    ground.pass().await.unwrap();
    ground.change(json!({}));
    tokio::time::advance(STALE_LIST).await;
    // The function and its role, then its logs, then a look that finds nothing any more.
    let passes = [
        (Reason::Progressing, 1),
        (Reason::Progressing, 1),
        (Reason::Programmed, 0),
    ];
    for (reason, told) in passes {
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.findings.programmed.reason, reason);
        assert_eq!(passed.status.functions.len(), told);
        tokio::time::advance(STALE_LIST).await;
    }
    let state = ground.sandbox.state();
    let services = &state["regions"]["eu-central-1"];
    assert_eq!(services["functions"].as_array().unwrap().len(), 1);
    assert_eq!(services["logGroups"], json!([]));
    assert_eq!(state["roles"], json!([]));
}

/// An AWS in which a role works after eight seconds, and an operator that lets roles settle so long.
async fn slow_iam(settle: Duration) -> Ground {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"function_role_must_be_assumable": true, "iam_delay_ms": 8_000}));
    ground.set(Settings {
        iam_settle: settle,
        ..Settings::default()
    });
    ground
}

/// Reconciles until the object is Ready: the reasons that Ready had until then, each once, and how long it took.
async fn reasons_until_ready(ground: &Ground) -> (Vec<String>, Duration) {
    let began = Instant::now();
    let mut reasons: Vec<String> = Vec::new();
    while began.elapsed() < Duration::from_secs(60) {
        ground.reconcile().await.unwrap();
        assert!(condition(&ground.status().conditions, ConditionType::Stalled).is_none());
        let reason = ground.says(ConditionType::Ready);
        if reason == Reason::Succeeded.as_str() {
            return (reasons, began.elapsed());
        }
        if reasons.last() != Some(&reason) {
            reasons.push(reason);
        }
        tokio::time::advance(STALE_LIST).await;
    }
    panic!("it does not get ready: {reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_yet_is_waited_for_and_reported_nowhere() {
    for mode in ["Role", "ResourcePolicy"] {
        for settle in [0, 10] {
            let ground = slow_iam(Duration::from_secs(settle)).await;
            let mut spec = own();
            spec["invocation"] = json!({"mode": mode});
            ground.change(spec);
            let (reasons, took) = reasons_until_ready(&ground).await;
            assert!(
                reasons.iter().all(|reason| reason == "RolePropagating"),
                "{reasons:?}"
            );
            // No second wait after the one for the function's role.
            assert!(took < Duration::from_secs(17), "{mode} {settle}: {took:?}");
            let warned = |event: &Value| event["type"] == "Warning";
            assert!(!ground.kubernetes.within("/events/").iter().any(warned));
            let errors = ground.metric("controller_runtime_reconcile_errors_total");
            assert!(errors.abs() < 0.5, "{errors}");
            let entries = ground.sandbox.journal(0);
            let creations = entries.iter().filter(|entry| entry.operation == "CreateFunction");
            let refused = creations.filter(|entry| !entry.committed).count();
            assert_eq!(refused > 0, settle == 0, "{mode} {settle}: {refused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_can_never_be_assumed_is_a_failure_in_the_end() {
    let mut ground = slow_iam(Duration::ZERO).await;
    ground.switch(&json!({"iam_delay_ms": 3_600_000}));
    ground.change(own());
    for wait in [2, 2, 4, 8, 16, 32, 64] {
        let passed = ground.pass().await.unwrap();
        let wait = Duration::from_secs(wait);
        assert_eq!(passed.next, Next::After(wait));
        assert_eq!(passed.findings.programmed.reason, Reason::RolePropagating);
        tokio::time::advance(wait).await;
    }
    assert_eq!(ground.pass().await.unwrap().next, Next::Backoff);
}

#[tokio::test(start_paused = true)]
async fn an_object_without_functions_asks_nothing_of_cloudwatch_logs() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground.pass().await.unwrap();
    assert_eq!(ground.operations("logs"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_function_of_somebody_else_is_left_alone_and_named() {
    let mut ground = Ground::new().await;
    let name = function_name(&owner(), "hello");
    ground.function(&name).await;
    let before = ground.sandbox.state();
    ground.change(own());
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNameConflict);
    assert!(passed.findings.programmed.message.contains(&name));
    assert_eq!(ground.sandbox.state(), before);
}

/// An object with a function of its own that stays in AWS when it goes, and goes now.
async fn leaving() -> Ground {
    let mut ground = Ground::new().await;
    let mut spec = own();
    spec["invocation"] = json!({"mode": "Role"});
    spec["deletionPolicy"] = json!("Retain");
    ground.change(spec);
    ground.pass().await.unwrap();
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    ground
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_kept_loses_our_tags_with_its_role_and_its_logs_and_nothing_else() {
    let mut ground = leaving().await;
    let before = ground.sandbox.state();
    assert!(before.to_string().contains("jwthttpapi.dev/uid"));
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    let after = ground.sandbox.state();
    assert!(!after.to_string().contains("jwthttpapi.dev/"), "{after:#}");
    assert_eq!(after, released(before));
    assert_eq!(ground.warnings("Deleting"), [""; 0]);
}

/// A leader that could not renew its lease for a moment is not one from whom AWS is away.
#[tokio::test(start_paused = true)]
async fn what_is_kept_waits_with_its_tags_for_whoever_may_write() {
    let mut ground = leaving().await;
    ground.fence.close();
    assert_eq!(ground.pass().await.unwrap().next, Next::After(STALE_LIST));
    assert_eq!(ground.warnings("Deleting"), [""; 0]);
    ground.fence.renew(Instant::now() + STALE_LIST);
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    let after = ground.sandbox.state();
    assert!(!after.to_string().contains("jwthttpapi.dev/"), "{after:#}");
}

#[tokio::test(start_paused = true)]
async fn with_aws_away_a_release_names_the_functions_with_their_roles_and_logs_too() {
    let mut ground = leaving().await;
    let before = ground.sandbox.state();
    ground.restart(cluster(), false);
    ground.switch(&json!({"expired_keys": ["AKIDOPERATOR"]}));
    let (api, role) = (ground.status().api_id.unwrap(), ground.status().role_arn.unwrap());
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    assert_eq!(ground.sandbox.state(), before);
    let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
    let function = function_name(&owner(), "hello");
    for words in [
        format!("API {api}"),
        format!("role {role}"),
        format!("function, role, log group of {function}"),
    ] {
        assert!(told.contains(&words), "{told}");
    }
    assert_eq!(told.matches("no valid credentials").count(), 1, "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_function_whose_tags_are_kept_back_is_nobody_elses() {
    let mut ground = Ground::new().await;
    let mut spec = own();
    spec["invocation"] = json!({"mode": "Role"});
    ground.change(spec);
    reasons_until_ready(&ground).await;
    ground.switch(&json!({"principals": {"AKIDOPERATOR": {"deny": ["lambda:ListTags"]}}}));
    ground.edit(
        "metadata",
        json!({"annotations": {"reconcile.jwthttpapi.dev/requestedAt": "1"}}),
    );
    let living = ground.pass().await.unwrap();
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
    let leaving = ground.pass().await.unwrap();
    for passed in [living, leaving] {
        assert_eq!(passed.next, Next::Backoff);
        let told = passed.findings.programmed;
        assert_eq!(told.reason, Reason::AccessDenied);
        assert!(told.message.contains("lambda:ListTags"), "{}", told.message);
    }
    assert!(
        ground
            .sandbox
            .state()
            .to_string()
            .contains(&function_name(&owner(), "hello"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_release_may_not_read_is_named_as_what_it_is() {
    for (operation, words, why) in [
        ("GetFunction", "function of", "lambda:GetFunction"),
        ("ListTagsForResource", "log group of", "logs:ListTagsForResource"),
        (
            "DescribeLogGroups",
            "whatever has a log group",
            "logs:DescribeLogGroups",
        ),
        ("GetRole", "role of", "iam:GetRole"),
    ] {
        let mut ground = leaving().await;
        let denied = json!({"kind": "fail", "status": 403, "code": "AccessDeniedException"});
        ground.fault(operation, &denied);
        assert_eq!(ground.pass().await.unwrap().next, Next::Change);
        let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
        assert!(told.contains(words) && told.contains(why), "{told}");
        assert_eq!(
            told.matches(" of jwthttpapi").count(),
            usize::from(words.ends_with("of")),
            "{told}"
        );
        let kept = ground
            .sandbox
            .state()
            .to_string()
            .matches("jwthttpapi.dev/uid")
            .count();
        let wanted = match operation {
            "DescribeLogGroups" => 0,
            "GetRole" => 2,
            _ => 1,
        };
        assert_eq!(kept, wanted, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_names_what_it_did_not_try_after_a_refusal() {
    let mut ground = leaving().await;
    let denied = json!({"kind": "fail", "status": 403, "code": "AccessDenied"});
    ground.fault("UntagRole", &denied);
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
    let [told] = <[_; 1]>::try_from(ground.warnings("Deleting")).unwrap();
    let own = execution_role_name(&owner(), "eu-central-1", "hello").name;
    let invoke = role_name(&owner(), "eu-central-1").name;
    assert!(told.contains(&own) && told.contains(&invoke), "{told}");
    assert_eq!(told.matches("iam:UntagRole").count(), 1, "{told}");
}

/// Its logs are somebody's to keep: nobody has to give it another name.
#[tokio::test(start_paused = true)]
async fn what_is_somebody_elses_and_not_wanted_holds_nothing_up() {
    let mut ground = Ground::new().await;
    let mut spec = own();
    let mut kept = spec["functions"][0].clone();
    kept["name"] = json!("kept");
    spec["functions"].as_array_mut().unwrap().push(kept);
    ground.change(spec);
    ground.pass().await.unwrap();
    let logs = log_group(&function_name(&owner(), "kept"));
    let untag = ground.logs().untag_resource();
    let arn = format!("arn:aws:logs:{REGION}:123456789012:log-group:{logs}");
    let untag = untag.resource_arn(arn).tag_keys("jwthttpapi.dev/uid");
    untag.send().await.unwrap();
    ground.change(own());
    let mut last = Reason::Progressing;
    for _ in 0..4 {
        tokio::time::advance(STALE_LIST).await;
        last = ground.pass().await.unwrap().findings.programmed.reason;
    }
    assert_eq!(last, Reason::Programmed);
    assert!(ground.sandbox.state().to_string().contains(&logs));
}

/// A process that begins anew knows nothing of what was somebody else's before.
#[tokio::test(start_paused = true)]
async fn what_is_somebody_elses_is_not_waited_for() {
    let mut ground = Ground::new().await;
    ground.change(own());
    ground.pass().await.unwrap();
    let logs = log_group(&function_name(&owner(), "other"));
    let create = ground.logs().create_log_group().log_group_name(&logs);
    create.send().await.unwrap();
    tokio::time::advance(STALE_LIST * 20).await;
    ground.restart(cluster(), false);
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.findings.programmed.reason, Reason::Programmed);
}

/// It runs under the role and writes into the logs that its object still has.
#[tokio::test(start_paused = true)]
async fn a_function_that_is_the_objects_no_more_keeps_its_role_and_its_logs() {
    let mut ground = Ground::new().await;
    ground.change(own());
    ground.pass().await.unwrap();
    let name = function_name(&owner(), "hello");
    let arn = format!("arn:aws:lambda:{REGION}:123456789012:function:{name}");
    let untag = ground.lambda().untag_resource().resource(arn);
    untag.tag_keys("jwthttpapi.dev/uid").send().await.unwrap();
    ground.change(json!({}));
    for _ in 0..4 {
        tokio::time::advance(STALE_LIST).await;
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.findings.programmed.reason, Reason::FunctionNameConflict);
    }
    let state = ground.sandbox.state();
    assert!(state["regions"][REGION]["logGroups"].to_string().contains(&name));
    assert_ne!(state["roles"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_log_group_of_somebody_else_is_left_alone_and_named() {
    let mut ground = Ground::new().await;
    let name = log_group(&function_name(&owner(), "hello"));
    let create = ground.logs().create_log_group().log_group_name(&name);
    create.send().await.unwrap();
    let before = ground.sandbox.state();
    ground.change(own());
    let passed = ground.pass().await.unwrap();
    assert_eq!(passed.next, Next::Backoff);
    assert_eq!(passed.findings.programmed.reason, Reason::FunctionNameConflict);
    let message = passed.findings.programmed.message;
    assert!(
        message.contains(&format!("a log group named {name}")),
        "{message}"
    );
    assert_eq!(ground.sandbox.state(), before);
}
