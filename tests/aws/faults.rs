//! Trouble: what the AWS side makes of it, and what it does not do.

use crate::ground::{Ground, desired, ground, soon, spec};
use jwthttpapi::aws::{Class, Extent, Fault, Outcome, Settings, WRITE_TIMEOUT, run};
use jwthttpapi::fence::Fence;
use jwthttpapi_core::api::Reason;
use jwthttpapi_core::plan::Step;
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A first creation that meets a fault.
async fn create_with(rule: Value) -> (Ground, Outcome) {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let desired = desired(spec("Role"));
    let plan = ground.plan(&desired, None).await;
    ground.sandbox.clear_journal();
    ground.fault(rule);
    let outcome = ground.run(plan).await;
    (ground, outcome)
}

fn only(outcome: &Outcome) -> (&Step, &Fault) {
    let [(step, fault)] = outcome.faults.as_slice() else {
        panic!("one fault, not {:?}", outcome.faults)
    };
    (step, fault)
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_once_whatever_becomes_of_its_answer() {
    for (action, class) in [
        (json!({"kind": "drop", "when": "after"}), Class::Unanswered),
        (json!({"kind": "drop", "when": "before"}), Class::Unanswered),
        (json!({"kind": "truncate"}), Class::Unanswered),
        (json!({"kind": "hold", "when": "after"}), Class::Unanswered),
        (
            json!({"kind": "fail", "when": "after", "status": 500, "code": "InternalFailure"}),
            Class::Server,
        ),
        (
            json!({"kind": "fail", "status": 503, "code": "Odd"}),
            Class::Server,
        ),
        (
            json!({"kind": "fail", "status": 418, "code": "Odd"}),
            Class::Unknown,
        ),
    ] {
        let rule = json!({"operation": "CreateIntegration", "action": action});
        let (ground, outcome) = create_with(rule).await;
        let (_, fault) = only(&outcome);
        assert_eq!(fault.class, class, "{action}");
        assert!(
            fault.may_have_committed()
                && outcome.unanswered_until.is_some()
                && outcome.deploying_since.is_some()
        );
        let sent = ground
            .writes()
            .iter()
            .filter(|op| *op == "CreateIntegration")
            .count();
        assert_eq!(sent, 1, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_without_answer_is_sent_once_and_ends_within_the_write_timeout() {
    let ground = ground(json!({}));
    ground.fault(json!({"operation": "CreateApi", "action": {"kind": "hold", "when": "after"}}));
    let began = Instant::now();
    let fault = ground
        .session()
        .create_api(&desired(spec("Role")).api, &|| false, soon())
        .await
        .unwrap_err();
    assert!(fault.may_have_committed());
    assert_eq!(began.elapsed(), WRITE_TIMEOUT);
    assert_eq!(ground.writes(), ["CreateApi"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_once() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let id = ground.create(&desired(spec("Role"))).await;
    let fail = json!({"kind": "fail", "status": 500, "code": "InternalFailure"});
    ground.fault(json!({"operation": "GetRoutes", "action": fail}));
    ground
        .session()
        .observe(&id, Extent::Whole)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ground.reads(), 6);
    ground.fault(json!({"operation": "GetRoutes", "times": null, "action": fail}));
    ground.sandbox.clear_journal();
    let fault = ground.session().observe(&id, Extent::Whole).await.unwrap_err();
    assert_eq!(fault.class, Class::Server);
    assert_eq!(ground.reads(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_ends() {
    let ground = ground(json!({}));
    ground.fault(json!({"operation": "GetApi", "times": null, "action": {"kind": "hold", "when": "before"}}));
    let began = Instant::now();
    let fault = ground.session().api("a").await.unwrap_err();
    assert_eq!(
        (fault.class, fault.reason()),
        (Class::Unanswered, Reason::AwsUnreachable)
    );
    assert_eq!(began.elapsed(), jwthttpapi::aws::READ_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_denied_action_is_named_and_what_does_not_need_it_goes_on() {
    let (ground, outcome) =
        create_with(json!({"operation": "CreateRole", "action": {"kind": "access_denied"}})).await;
    let (step, fault) = only(&outcome);
    assert!(matches!(step, Step::CreateRole(_)));
    assert_eq!(fault.reason(), Reason::AccessDenied);
    assert!(fault.message().contains("iam:CreateRole"), "{}", fault.message());
    let writes = ground.writes();
    assert!(!writes.contains(&"PutRolePolicy".to_owned()), "{writes:?}");
    assert!(!writes.contains(&"CreateStage".to_owned()), "{writes:?}");
    assert!(!outcome.skipped.is_empty() && !outcome.is_complete());

    let (_, outcome) =
        create_with(json!({"operation": "CreateRoute", "action": {"kind": "access_denied"}})).await;
    let message = only(&outcome).1.message();
    assert!(message.contains("apigateway:POST on /apis/*/routes"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_exists_already_stops_the_lane_and_is_read_again() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let desired = desired(spec("Role"));
    let id = ground.create(&desired).await;
    let api = ground.api(&id).await;
    let route = api.routes.iter().find(|route| route.key == "GET /a").unwrap();
    let gateway = ground.gateway();
    gateway
        .delete_route()
        .api_id(&id)
        .route_id(&route.id)
        .send()
        .await
        .unwrap();
    let plan = ground.plan(&desired, Some(&id)).await;
    gateway
        .create_route()
        .api_id(&id)
        .route_key("GET /a")
        .send()
        .await
        .unwrap();
    let outcome = ground.run(plan).await;
    let (_, fault) = only(&outcome);
    assert_eq!(fault.class, Class::Exists);
    ground.converge(&desired, &id).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_stays_in_either_of_awss_ways_to_say_so() {
    for status in [409, 400] {
        let ground = ground(json!({"delete_in_use_status": status}));
        ground.functions(&["a", "b", "c"]).await;
        let wanted = desired(spec("Role"));
        let id = ground.create(&wanted).await;
        let api = ground.api(&id).await;
        let plan = jwthttpapi_core::plan::Plan {
            refs: jwthttpapi_core::plan::Refs {
                api: Some(id.clone()),
                ..Default::default()
            },
            steps: vec![jwthttpapi_core::plan::Planned {
                settled: None,
                step: Step::DeleteIntegration {
                    id: api.integrations[0].id.clone(),
                },
                after: [].into(),
                tightens: false,
            }],
        };
        let outcome = ground.run(plan).await;
        assert_eq!(only(&outcome).1.class, Class::InUse, "{status}");
        ground.assert_converged(&wanted, &id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_aws_cannot_reach_is_told_from_a_bad_request() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let mut spec = spec("Role");
    spec["issuer"] = json!("https://unreachable.example/");
    let plan = ground.plan(&desired(spec), None).await;
    let outcome = ground.run(plan).await;
    let (step, fault) = only(&outcome);
    assert!(matches!(step, Step::CreateAuthorizer { .. }));
    assert_eq!(fault.reason(), Reason::IssuerUnreachable, "{fault}");
    let writes = ground.writes();
    assert!(!writes.iter().any(|op| op == "CreateRoute"), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_quota_is_told_from_too_many_requests() {
    for full in ["conflict", "too_many_requests", "bad_request"] {
        let ground = ground(json!({"full_quota": full, "quotas": {"routes": 2}}));
        ground.functions(&["a", "b", "c"]).await;
        let plan = ground.plan(&desired(spec("Role")), None).await;
        let outcome = ground.run(plan).await;
        assert_eq!(
            only(&outcome).1.reason(),
            Reason::QuotaExceeded,
            "{:?}",
            outcome.faults
        );
    }
    let (_, outcome) = create_with(json!({"operation": "CreateRoute", "action": {"kind": "throttle"}})).await;
    let (_, fault) = only(&outcome);
    assert_eq!(fault.reason(), Reason::Throttled);
}

#[tokio::test(start_paused = true)]
async fn after_a_throttle_the_service_is_left_alone_for_a_second() {
    let (ground, _) = create_with(json!({"operation": "CreateRoute", "action": {"kind": "throttle"}})).await;
    let began = Instant::now();
    ground.session().apis().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn credentials_that_aws_takes_no_longer_are_no_permission_trouble() {
    for (switch, code) in [
        ("expired_keys", "(ExpiredToken)"),
        ("invalid_keys", "(InvalidClientTokenId)"),
    ] {
        let ground = ground(json!({switch: ["AKIDOPERATOR"]}));
        let fault = ground.aws.identity().await.unwrap_err();
        assert_eq!(fault.reason(), Reason::CredentialsUnavailable);
        assert!(fault.message().contains(code), "{}", fault.message());
        let fault = ground.session().apis().await.unwrap_err();
        assert_eq!(fault.reason(), Reason::CredentialsUnavailable);
        ground
            .sandbox
            .set_settings(ground.sandbox.settings().patched(&json!({switch: null})).unwrap());
        assert_eq!(ground.aws.identity().await.unwrap().account, "123456789012");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_told_from_an_answer_that_does_not_come() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let credentials = aws_credential_types::Credentials::new("A", "s", None, None, "test");
    let shared = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            credentials,
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let mut registry = prometheus_client::registry::Registry::default();
    let aws = jwthttpapi::aws::Aws::new(shared, Settings::default(), Fence::open(), &mut registry).unwrap();
    let session = aws.session(&crate::ground::place(), "a", jwthttpapi::aws::Urgency::Create);
    let fault = session
        .create_api(&desired(spec("Role")).api, &|| false, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (fault.class, fault.may_have_committed()),
        (Class::NotSent, false),
        "{fault}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_writes_nothing_and_reads_all_the_same() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let wanted = desired(spec("Role"));
    let id = ground.create(&wanted).await;
    let ground = Ground {
        fence: Fence::closed(),
        ..ground
    };
    let mut registry = prometheus_client::registry::Registry::default();
    let aws = ground.follower(&mut registry);
    let session = aws.session(&crate::ground::place(), "a", jwthttpapi::aws::Urgency::Create);
    assert!(session.observe(&id, Extent::Whole).await.unwrap().is_some());
    let plan = ground.deletion(&wanted, &id).await;
    let outcome = run(&session, plan.clone(), &|| false, soon()).await;
    assert_eq!(only(&outcome).1.class, Class::NotLeading);
    assert!(!outcome.progressed() && ground.writes().is_empty());
    ground.fence.renew(Instant::now() + Duration::from_secs(10));
    assert!(run(&session, plan, &|| false, soon()).await.is_complete());
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_how_they_ended_and_budgets_are_shown() {
    let (ground, _) =
        create_with(json!({"operation": "CreateStage", "action": {"kind": "access_denied"}})).await;
    let mut text = String::new();
    encode(&mut text, &ground.registry).unwrap();
    for line in [
        r#"jwthttpapi_aws_requests_total{service="apigatewayv2",operation="CreateStage",code="Denied"} 1"#,
        r#"jwthttpapi_aws_requests_total{service="apigatewayv2",operation="CreateRoute",code="OK"} 3"#,
        r#"jwthttpapi_aws_request_duration_seconds_count{service="iam",operation="CreateRole"} 1"#,
        r#"jwthttpapi_aws_budget_tokens{service="apigatewayv2",region="eu-central-1"}"#,
        r#"jwthttpapi_aws_throttle_wait_seconds_total{service="lambda"}"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
