//! Creation, observation and deletion without trouble.

use crate::ground::{ISSUER, desired, ground, owner, place, soon, spec};
use jwthttpapi::aws::{Extent, Urgency, run};
use jwthttpapi_core::model::name::{FunctionArn, role_name};
use jwthttpapi_core::model::observed::FunctionPolicy;
use jwthttpapi_core::plan::plan_release;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_api_in_role_mode_is_made_in_eleven_writes_and_nothing_is_left_to_do() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let desired = desired(spec("Role"));
    let api = ground
        .session()
        .create_api(&desired.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap();
    let mut observed = ground.observe(&desired, None).await;
    observed.api = Some(api.clone());
    let plan = jwthttpapi_core::plan::plan(&desired, &observed, &owner(), &place());
    let outcome = ground.run(plan).await;
    assert!(outcome.is_complete() && outcome.deploying_since.is_some() && outcome.settles_since.is_some());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for operation in ground.writes() {
        *counts.entry(operation).or_default() += 1;
    }
    let wanted = [
        ("CreateApi", 1),
        ("CreateAuthorizer", 1),
        ("CreateIntegration", 3),
        ("CreateRole", 1),
        ("CreateRoute", 3),
        ("CreateStage", 1),
        ("PutRolePolicy", 1),
    ];
    assert_eq!(
        counts,
        wanted.map(|(name, count)| (name.to_owned(), count)).into()
    );
    ground.assert_converged(&desired, &api.id).await;
    assert_eq!(
        (
            outcome.refs.authorizers.len(),
            outcome.refs.integrations.len(),
            outcome.refs.routes.len()
        ),
        (1, 3, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_in_resource_policy_mode_has_one_statement_per_function_and_qualifier() {
    let ground = ground(json!({}));
    ground.functions(&["a"]).await;
    let lambda = ground.lambda();
    lambda.publish_version().function_name("a").send().await.unwrap();
    let alias = lambda.create_alias().function_name("a").name("live");
    alias.function_version("1").send().await.unwrap();
    let desired = desired(json!({
        "invocation": {"mode": "ResourcePolicy"},
        "routes": [
            {"routeKey": "GET /plain", "lambda": {"name": "a"}},
            {"routeKey": "GET /again", "lambda": {"name": "a"}},
            {"routeKey": "GET /live", "lambda": {"name": "a", "qualifier": "live"}},
        ],
    }));
    let id = ground.create(&desired).await;
    for function in desired.backends() {
        let policy = ground.session().function(function, true).await.unwrap();
        let FunctionPolicy::Policy(policy) = policy else {
            panic!("{function} has no policy")
        };
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
        assert!(
            policy.to_string().contains(&place().execute_api_arn(&id)),
            "{policy}"
        );
    }
    let plan = ground.deletion(&desired, &id).await;
    assert!(ground.run(plan).await.is_complete());
    for function in desired.backends() {
        let policy = ground.session().function(function, true).await.unwrap();
        assert_eq!(policy, FunctionPolicy::Policy(json!({})));
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_a_step_of_its_plan_is_made_with_everything_in_it() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    for mode in ["Role", "ResourcePolicy"] {
        let desired = desired(spec(mode));
        let plan = ground.plan(&desired, None).await;
        let outcome = ground.run(plan).await;
        assert!(outcome.is_complete(), "{:?}", outcome.faults);
        let id = outcome.created.unwrap().id;
        ground.assert_converged(&desired, &id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn deletion_leaves_what_was_there_before_and_a_second_one_is_as_good() {
    for mode in ["Role", "ResourcePolicy"] {
        let ground = ground(json!({}));
        ground.functions(&["a", "b", "c"]).await;
        let before = ground.sandbox.state();
        let desired = desired(spec(mode));
        let id = ground.create(&desired).await;
        let plan = ground.deletion(&desired, &id).await;
        let session = ground.aws.session(&place(), "demo/hello", Urgency::Delete);
        assert!(run(&session, plan.clone(), &|| false, soon()).await.is_complete());
        assert_eq!(ground.sandbox.state(), before, "{mode}");
        let again = run(&session, plan, &|| false, soon()).await;
        assert!(again.is_complete(), "{:?}", again.faults);
    }
}

#[tokio::test(start_paused = true)]
async fn release_takes_the_tags_of_ownership_and_nothing_else() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let mut spec = spec("Role");
    spec["tags"] = json!({"team": "x"});
    let desired = desired(spec);
    let id = ground.create(&desired).await;
    let observed = ground.observe(&desired, Some(&id)).await;
    assert!(ground.run(plan_release(&observed, &owner())).await.is_complete());
    let (api, role) = (
        ground.api(&id).await,
        ground
            .session()
            .role(&role_name(&owner(), "eu-central-1"))
            .await
            .unwrap()
            .unwrap(),
    );
    let kept: BTreeMap<String, String> = [("team".to_owned(), "x".to_owned())].into();
    assert_eq!((&api.tags, &role.tags), (&kept, &kept));
    assert_eq!(api.routes.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_smallest_pages_in_any_order_show_the_same() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let desired = desired(spec("Role"));
    let id = ground.create(&desired).await;
    for switches in [
        json!({"page_size": 1}),
        json!({"page_size": 2, "list_order": "shuffled"}),
        json!({"page_size": 1, "list_order": "reversed"}),
    ] {
        let settings = ground.sandbox.settings().patched(&switches).unwrap();
        ground.sandbox.set_settings(settings);
        ground.assert_converged(&desired, &id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_is_read_by_five_requests_that_go_out_together() {
    let ground = ground(json!({"latency_ms": 100}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&desired(spec("Role"))).await;
    let began = Instant::now();
    ground
        .session()
        .observe(&id, Extent::Whole)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ground.reads(), 5);
    assert!(
        began.elapsed() < Duration::from_millis(150),
        "{:?}",
        began.elapsed()
    );
    ground.session().children(&id).await.unwrap().unwrap();
    assert_eq!(ground.reads(), 9);
}

#[tokio::test(start_paused = true)]
async fn children_within_the_answer_of_the_creation_are_the_whole_observation() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let desired = desired(spec("Role"));
    let created = ground
        .session()
        .create_api(&desired.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap();
    let read = ground.session().api(&created.id).await.unwrap();
    assert_eq!(read, Some(created.clone()));
    let children = ground.session().children(&created.id).await.unwrap().unwrap();
    assert_eq!(children.within(created.clone()), ground.api(&created.id).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_none() {
    let ground = ground(json!({}));
    let session = ground.session();
    assert_eq!(session.api("gone").await.unwrap(), None);
    assert_eq!(session.observe("gone", Extent::Whole).await.unwrap(), None);
    assert_eq!(session.children("gone").await.unwrap(), None);
    assert_eq!(session.stage("gone", "$default").await.unwrap(), None);
    assert_eq!(
        session.role(&role_name(&owner(), "eu-central-1")).await.unwrap(),
        None
    );
    let missing = FunctionArn::of_name(&place(), "gone", None).unwrap();
    assert_eq!(
        session.function(&missing, true).await.unwrap(),
        FunctionPolicy::Missing
    );
    assert_eq!(
        session.function(&missing, false).await.unwrap(),
        FunctionPolicy::Missing
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_costs_one_read_unless_it_has_no_policy() {
    let ground = ground(json!({}));
    ground.functions(&["a"]).await;
    let arn = FunctionArn::of_name(&place(), "a", None).unwrap();
    let read = async |with_policy| {
        ground.sandbox.clear_journal();
        let policy = ground.session().function(&arn, with_policy).await.unwrap();
        (policy, ground.reads())
    };
    assert_eq!(read(false).await, (FunctionPolicy::Exists, 1));
    assert_eq!(read(true).await, (FunctionPolicy::Policy(json!({})), 2));
    let add = ground
        .lambda()
        .add_permission()
        .function_name("a")
        .statement_id("s");
    let add = add
        .action("lambda:InvokeFunction")
        .principal("apigateway.amazonaws.com");
    add.send().await.unwrap();
    let (policy, reads) = read(true).await;
    assert_eq!(reads, 1);
    assert!(matches!(policy, FunctionPolicy::Policy(policy) if policy["Statement"][0]["Sid"] == "s"));
}

#[tokio::test(start_paused = true)]
async fn the_list_of_all_apis_has_their_tags_and_ages() {
    let ground = ground(json!({"page_size": 1}));
    let desired = desired(spec("Role"));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(
            ground
                .session()
                .create_api(&desired.api, &|| false, soon())
                .await
                .unwrap()
                .unwrap()
                .id,
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut listed = ground.session().apis().await.unwrap();
    listed.sort_by(|a, b| a.created.cmp(&b.created));
    assert_eq!(
        listed.iter().map(|api| &api.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    assert!(listed.iter().all(|api| api.tags == desired.api.tags));
}

#[tokio::test(start_paused = true)]
async fn sts_is_asked_once_by_whoever_asks() {
    let ground = ground(json!({"latency_ms": 50}));
    let (one, other, place) = futures::join!(
        ground.aws.identity(),
        ground.aws.identity(),
        ground.aws.place(Some("us-east-1"))
    );
    assert_eq!(one.unwrap(), other.unwrap());
    let place = place.unwrap();
    assert_eq!(
        (place.account.as_str(), place.region.as_str()),
        ("123456789012", "us-east-1")
    );
    assert_eq!(ground.aws.place(None).await.unwrap().region, "eu-central-1");
    assert_eq!(ground.journal().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_sts_is_that_of_all_who_waited_for_it_and_of_nobody_after_them() {
    let ground = ground(json!({"latency_ms": 50, "invalid_keys": ["AKIDOPERATOR"]}));
    let waiting = futures::future::join_all((0..20).map(|_| ground.aws.identity())).await;
    assert!(waiting.iter().all(Result::is_err));
    assert_eq!(ground.journal().len(), 1);
    ground.aws.identity().await.unwrap_err();
    assert_eq!(ground.journal().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_region_has_its_own_apis() {
    let ground = ground(json!({}));
    let desired = desired(spec("Role"));
    let away = ground.aws.place(Some("us-east-1")).await.unwrap();
    let session = ground.aws.session(&away, "demo/hello", Urgency::Create);
    session
        .create_api(&desired.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap();
    let created = ground
        .journal()
        .into_iter()
        .find(|entry| entry.operation == "CreateApi")
        .unwrap();
    assert_eq!(created.region, "us-east-1");
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_keeps_its_issuer_byte_for_byte() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&desired(spec("Role"))).await;
    let api = ground.api(&id).await;
    assert_eq!(api.authorizers[0].jwt.as_ref().unwrap().issuer, ISSUER);
}
