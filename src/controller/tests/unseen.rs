//! What status names and AWS does not show.

use super::super::{
    expected::{STALE_LIST, STALE_READ},
    pass::Next,
};
use super::ground::{Ground, IAM_SETTLE, PATH, REGION, SETTLE, cluster, own, owner};
use jwthttpapi_core::{
    api::{ConditionType, Reason},
    model::name::{execution_role_name, role_name, statement_id},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// From how long ago it is what reads show.
const LAG: Duration = Duration::from_secs(20);

/// How long a write of a process that died may take until reads show it.
const LATE: Duration = Duration::from_secs(7);

/// An object that was made a moment ago: reads show neither its roles nor its statements.
async fn hidden(more: Value) -> Ground {
    let mut ground = Ground::new().await;
    ground.switch(&json!({"read_lag_ms": LAG.as_millis()}));
    ground.change(more);
    ground.pass().await.unwrap();
    ground
}

fn by_role() -> Value {
    json!({"invocation": {"mode": "Role"}})
}

fn delete(ground: &Ground) {
    ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
}

/// Whether there is a role of the object's or a statement, whatever reads show.
async fn is_left(ground: &Ground) -> bool {
    tokio::time::advance(LAG).await;
    let invoke = role_name(&owner(), REGION).name;
    let execution = execution_role_name(&owner(), REGION, "hello").name;
    let roles = [invoke, execution].map(|role| ground.iam().get_role().role_name(role).send());
    let policy = ground.lambda().get_policy().function_name("a").send();
    let [invoke, execution] = roles;
    invoke.await.is_ok() || execution.await.is_ok() || policy.await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_stays_until_reads_must_show_what_was_made() {
    for restarted in [false, true] {
        for more in [by_role(), json!({}), own()] {
            let mut ground = hidden(more.clone()).await;
            if restarted {
                ground.restart(cluster(), false);
            }
            delete(&ground);
            let passed = ground.pass().await.unwrap();
            assert_eq!(passed.next, Next::After(SETTLE), "{more}");
            assert_eq!(passed.findings.programmed.reason, Reason::AwaitingVisibility);
            tokio::time::advance(SETTLE).await;
            while !matches!(ground.pass().await.unwrap().next, Next::Change) {
                tokio::time::advance(LAG).await;
            }
            assert!(!Box::pin(is_left(&ground)).await, "{more}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_reads_must_show_by_now_and_do_not_is_gone() {
    let mut ground = hidden(json!({})).await;
    tokio::time::advance(LAG).await;
    let policy = ground.lambda().get_policy().function_name("a").send().await;
    let policy: Value = serde_json::from_str(policy.unwrap().policy().unwrap()).unwrap();
    let statement = policy["Statement"][0]["Sid"].as_str().unwrap();
    let remove = ground.lambda().remove_permission().function_name("a");
    remove.statement_id(statement).send().await.unwrap();
    tokio::time::advance(LAG).await;
    delete(&ground);
    assert_eq!(ground.pass().await.unwrap().next, Next::After(SETTLE));
    tokio::time::advance(SETTLE).await;
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
}

/// Logs go in a pass of their own, which sees neither the function nor its role any more.
#[tokio::test(start_paused = true)]
async fn what_this_process_deleted_is_waited_for_no_longer() {
    let mut ground = Ground::new().await;
    ground.change(own());
    ground.pass().await.unwrap();
    ground.pass().await.unwrap();
    delete(&ground);
    assert_eq!(ground.pass().await.unwrap().next, Next::After(STALE_LIST));
    assert_eq!(ground.pass().await.unwrap().next, Next::Change);
}

/// The statement of the usual spec, written by a process that died before.
async fn arrives_late(ground: &Ground) {
    let add = ground.lambda().add_permission().function_name("a");
    let api = ground.status().api_id.unwrap();
    let add = add
        .statement_id(statement_id(&owner()))
        .action("lambda:InvokeFunction")
        .principal("apigateway.amazonaws.com")
        .source_arn(format!("arn:aws:execute-api:{REGION}:123456789012:{api}/*"));
    add.send().await.unwrap();
}

/// It was sent in the last moment of the one, and the other has made, seen and deleted the same meanwhile.
#[tokio::test(start_paused = true)]
async fn what_a_process_deleted_may_be_made_again_by_the_one_before_it() {
    for restarted in [false, true] {
        let mut ground = Ground::new().await;
        ground.pass().await.unwrap();
        if restarted {
            ground.restart(cluster(), false);
        }
        delete(&ground);
        let passed = ground.pass().await.unwrap();
        if restarted {
            assert_eq!(passed.next, Next::After(LATE));
            assert_eq!(passed.findings.programmed.reason, Reason::AwaitingVisibility);
            arrives_late(&ground).await;
            tokio::time::advance(LATE).await;
            assert_eq!(ground.pass().await.unwrap().next, Next::Change);
        } else {
            assert_eq!(passed.next, Next::Change);
        }
        assert!(!Box::pin(is_left(&ground)).await);
    }
}

/// Where nothing waits for deployments, a second look comes at once.
#[tokio::test(start_paused = true)]
async fn status_goes_on_naming_what_the_process_before_may_make_again() {
    let mut ground = Ground::new().await;
    ground.reconcile().await.unwrap();
    ground.restart(cluster(), false);
    let ctx = Arc::get_mut(&mut ground.ctx).unwrap();
    ctx.periods.deploy_settle = Duration::ZERO;
    ground.change(json!({"routes": []}));
    let grants = |ground: &Ground| ground.status().grants.len();
    for _ in 0..2 {
        ground.reconcile().await.unwrap();
        assert_eq!(grants(&ground), 1);
    }
    arrives_late(&ground).await;
    tokio::time::advance(LATE).await;
    ground.reconcile().await.unwrap();
    assert_eq!(grants(&ground), 1);
    ground.reconcile().await.unwrap();
    assert_eq!(grants(&ground), 0);
    assert!(!Box::pin(is_left(&ground)).await);
}

/// The spec moves on a moment after the role, or the statement, was made.
#[tokio::test(start_paused = true)]
async fn status_goes_on_naming_what_reads_may_not_show_yet() {
    let other = json!({"routes": [{"routeKey": "GET /a", "lambda": {"name": "b"}}]});
    for (first, second) in [(by_role(), json!({})), (json!({}), other)] {
        let mut ground = hidden(first).await;
        ground.function("b").await;
        let named = (ground.status().role_arn, ground.status().grants);
        ground.change(second);
        tokio::time::advance(STALE_READ).await;
        let passed = ground.pass().await.unwrap();
        assert!(named.0.is_some() || !named.1.is_empty());
        assert!(named.0.is_none() || passed.status.role_arn == named.0);
        assert!(named.1.iter().all(|grant| passed.status.grants.contains(grant)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_status_has_lost_is_found_by_the_integrations_that_lead_through_it() {
    let mut ground = Ground::new().await;
    ground.change(by_role());
    ground.pass().await.unwrap();
    ground.edit("status", json!({"roleArn": null}));
    ground.change(json!({}));
    tokio::time::advance(STALE_READ).await;
    ground.pass().await.unwrap();
    let role = role_name(&owner(), REGION).name;
    assert!(ground.iam().get_role().role_name(role).send().await.is_err());
}

/// The spec goes to and fro faster than reads follow: they show what was wanted first, and is wanted again.
#[tokio::test(start_paused = true)]
async fn an_old_read_that_shows_what_is_wanted_proves_nothing() {
    let ground = Ground::new().await;
    let by_team = |team| json!({"invocation": {"mode": "Role"}, "tags": {"team": team}});
    ground.change(by_team("one"));
    ground.reconcile().await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    ground.reconcile().await.unwrap();
    ground.switch(&json!({"read_lag_ms": 1_500}));
    for team in ["two", "one"] {
        ground.change(by_team(team));
        let generation = ground.kubernetes.get(PATH).unwrap()["metadata"]["generation"].as_i64();
        ground.edit("metadata", json!({"generation": generation.unwrap() + 1}));
        ground.reconcile().await.unwrap();
    }
    assert_eq!(
        ground.says(ConditionType::Ready),
        Reason::AwaitingVisibility.as_str()
    );
    tokio::time::advance(STALE_LIST).await;
    ground.reconcile().await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    let role = role_name(&owner(), REGION).name;
    let tags = ground
        .iam()
        .list_role_tags()
        .role_name(role)
        .send()
        .await
        .unwrap();
    let team = tags.tags().iter().find(|tag| tag.key() == "team").unwrap();
    assert_eq!(team.value(), "one");
    ground.reconcile().await.unwrap();
    assert_eq!(ground.says(ConditionType::Ready), Reason::Succeeded.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_is_not_there_leaves_status_when_reads_must_have_shown_it() {
    let mut ground = Ground::new().await;
    ground.pass().await.unwrap();
    tokio::time::advance(SETTLE).await;
    ground.function("b").await;
    let [one] = ground.status().grants.try_into().unwrap();
    let other = one.replace(":function:a", ":function:b");
    ground.edit("status", json!({"grants": [one, other]}));
    let passed = ground.pass().await.unwrap();
    assert_eq!(
        (passed.next, passed.status.grants.len()),
        (Next::After(SETTLE), 2)
    );
    tokio::time::advance(SETTLE).await;
    let passed = ground.pass().await.unwrap();
    assert_eq!((passed.next, passed.status.grants.len()), (Next::Resync, 1));
}

/// By its log group the rest of it is found again, which stays until the rest is gone for sure.
#[tokio::test(start_paused = true)]
async fn a_function_that_leaves_keeps_its_log_group_until_reads_must_show_its_role() {
    let mut ground = hidden(own()).await;
    ground.restart(cluster(), false);
    ground.change(json!({}));
    ground.pass().await.unwrap();
    let groups = |ground: &Ground| {
        let state = ground.sandbox.state();
        let groups = state["regions"][REGION]["logGroups"].as_array();
        groups.map(Vec::len)
    };
    assert_eq!(groups(&ground), Some(1));
    for _ in 0..4 {
        tokio::time::advance(SETTLE).await;
        ground.pass().await.unwrap();
    }
    assert_eq!(groups(&ground), Some(0));
    let role = execution_role_name(&owner(), REGION, "hello").name;
    assert!(ground.iam().get_role().role_name(role).send().await.is_err());
}

/// Status alone told of it any more: the integrations that named it have gone, and what is deleted by its spec needs no role.
#[tokio::test(start_paused = true)]
async fn a_role_that_this_process_has_seen_goes_though_status_has_lost_it() {
    for goes in [false, true] {
        let mut ground = Ground::new().await;
        ground.change(json!({"invocation": {"mode": "Role"}}));
        for _ in 0..2 {
            ground.pass().await.unwrap();
            tokio::time::advance(IAM_SETTLE).await;
        }
        ground.fault("DeleteRole", &json!({"kind": "access_denied"}));
        ground.change(json!({}));
        let passed = ground.pass().await.unwrap();
        assert_eq!(passed.findings.programmed.reason, Reason::AccessDenied);
        ground.sandbox.clear_faults();
        ground.edit("status", json!({"roleArn": null}));
        if goes {
            ground.edit("metadata", json!({"deletionTimestamp": "2027-01-15T08:00:00Z"}));
        }
        tokio::time::advance(SETTLE).await;
        ground.pass().await.unwrap();
        assert_eq!(ground.sandbox.state()["roles"], json!([]));
    }
}
