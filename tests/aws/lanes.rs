//! Which steps go together, and where a plan stops.

use crate::ground::{desired, ground, ground_with, place, soon, spec};
use aws_sdk_apigatewayv2::types::AuthorizationType;
use jwthttpapi::aws::{Rate, Urgency, run};
use jwthttpapi_core::plan::Step;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

fn many(count: usize, mode: &str) -> (Vec<String>, Value) {
    let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
    let route = |name| json!({"routeKey": format!("GET /{name}"), "lambda": {"name": name}});
    let routes: Vec<Value> = names.iter().map(route).collect();
    (names, json!({"invocation": {"mode": mode}, "routes": routes}))
}

#[tokio::test(start_paused = true)]
async fn services_go_together_and_writes_to_one_api_never_do() {
    // The second of two writes to one API at the same time would be refused.
    let ground = ground(json!({"latency_ms": 100, "concurrent_modification": true}));
    ground.functions(&["a", "b", "c"]).await;
    let plan = ground.plan(&desired(spec("Role")), None).await;
    let began = Instant::now();
    let outcome = ground.run(plan).await;
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    // API, authorizer, integrations, routes and stage: nine. The role's two go beside them.
    assert_eq!(began.elapsed().as_millis() / 100, 9);
}

#[tokio::test(start_paused = true)]
async fn four_functions_at_once_get_their_permissions() {
    let ground = ground(json!({"latency_ms": 100}));
    let (names, spec) = many(8, "ResourcePolicy");
    ground
        .functions(&names.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let wanted = desired(spec);
    let id = ground.create(&wanted).await;
    let plan = ground.deletion(&wanted, &id).await;
    let began = Instant::now();
    assert!(ground.run(plan).await.is_complete());
    // The API, then eight removals in two rounds.
    assert_eq!(began.elapsed().as_millis() / 100, 3);
}

#[tokio::test(start_paused = true)]
async fn one_function_without_permission_stops_no_other_permission_and_no_route_goes_open() {
    let ground = ground(json!({}));
    let (names, spec) = many(3, "ResourcePolicy");
    ground
        .functions(&names.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let wanted = desired(spec);
    let plan = ground.plan(&wanted, None).await;
    ground.fault(json!({"operation": "AddPermission", "action": {"kind": "access_denied"}}));
    let outcome = ground.run(plan).await;
    assert_eq!(outcome.faults.len(), 1);
    let added = outcome
        .done
        .iter()
        .filter(|step| matches!(step, Step::AddPermission { .. }))
        .count();
    assert_eq!(added, 2);
    let id = outcome.created.unwrap().id;
    let made = ground.sandbox.api(&id).unwrap();
    let routes = made["routes"].as_array().unwrap();
    assert!(
        routes.iter().all(|route| route["authorizationType"] == "JWT"),
        "{routes:?}"
    );
    ground.converge(&wanted, &id).await;
    let made = ground.sandbox.api(&id).unwrap();
    assert_eq!(made["routes"].as_array().unwrap().len(), names.len());
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_cut_before_its_next_step() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let wanted = desired(spec("Role"));
    let id = ground
        .session()
        .create_api(&wanted.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap()
        .id;
    for allowed in 0..4 {
        let plan = ground.plan(&wanted, Some(&id)).await;
        ground.sandbox.clear_journal();
        // Asked before each step is started and again before it is sent.
        let asked = AtomicUsize::new(0);
        let cut = || asked.fetch_add(1, Ordering::Relaxed) >= allowed;
        let outcome = run(&ground.session(), plan.clone(), &cut, soon()).await;
        assert!(outcome.cut && outcome.faults.is_empty());
        assert_eq!(outcome.done.len(), ground.writes().len());
        assert_eq!(outcome.done.len() + outcome.skipped.len(), plan.steps.len());
    }
    ground.converge(&wanted, &id).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_ends_at_its_deadline_also_while_it_waits_for_its_turn() {
    let rate = Rate {
        per_second: 1.0,
        burst: 5,
    };
    let ground = ground_with(&json!({}), rate);
    ground.functions(&["a", "b", "c"]).await;
    let wanted = desired(spec("Role"));
    let id = ground
        .session()
        .create_api(&wanted.api, &|| false, soon())
        .await
        .unwrap()
        .unwrap()
        .id;
    let plan = ground.plan(&wanted, Some(&id)).await;
    let began = Instant::now();
    let deadline = began + Duration::from_millis(2_500);
    let outcome = run(&ground.session(), plan, &|| false, deadline).await;
    assert!(outcome.cut && outcome.progressed() && !outcome.skipped.is_empty());
    assert!(Instant::now() < deadline + Duration::from_millis(10));
    ground.converge(&wanted, &id).await;
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_turn_does_not_come_in_time_is_not_sent() {
    let rate = Rate {
        per_second: 0.1,
        burst: 1,
    };
    let ground = ground_with(&json!({}), rate);
    let wanted = desired(spec("Role"));
    ground.session().apis().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(9);
    let created = ground
        .session()
        .create_api(&wanted.api, &|| false, deadline)
        .await;
    assert!(created.unwrap().is_none());
    assert_eq!(Instant::now(), deadline);
    assert!(ground.sandbox.apis().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_fault_does_not_keep_an_open_path_open() {
    let ground = ground(json!({}));
    ground.functions(&["a", "b", "c"]).await;
    let wanted = desired(spec("Role"));
    let id = ground.create(&wanted).await;
    let gateway = ground.gateway();
    for route in &ground.api(&id).await.routes {
        let update = gateway.update_route().api_id(&id).route_id(&route.id);
        update
            .authorization_type(AuthorizationType::None)
            .send()
            .await
            .unwrap();
    }
    let plan = ground.plan(&wanted, Some(&id)).await;
    ground.fault(json!({"operation": "UpdateRoute", "action": {"kind": "access_denied"}}));
    let outcome = ground.run(plan).await;
    assert_eq!((outcome.faults.len(), outcome.done.len()), (1, 1));
    let open = ground.api(&id).await.routes;
    let is_open = |route: &&jwthttpapi_core::model::observed::Route| {
        route.authorization == jwthttpapi_core::model::observed::Authorization::None
    };
    // The health route is public by the spec; one of the two others is the one that was refused.
    assert_eq!(open.iter().filter(is_open).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_objects_request_goes_between_those_of_a_long_plan() {
    let rate = Rate {
        per_second: 5.0,
        burst: 1,
    };
    let ground = ground_with(&json!({}), rate);
    let (names, spec) = many(100, "Role");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ground.functions(&names).await;
    let wanted = desired(spec);
    let mut observed = jwthttpapi_core::model::Observed::default();
    observed.role = jwthttpapi_core::model::observed::Reading::Known(None);
    let plan = jwthttpapi_core::plan::plan(&wanted, &observed, &crate::ground::owner(), &place());
    let long = ground.session();
    let other = ground.aws.session(&place(), "demo/other", Urgency::Create);
    let deadline = Instant::now() + Duration::from_secs(20);
    let never = || false;
    let (outcome, waited) = futures::join!(run(&long, plan, &never, deadline), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let began = Instant::now();
        other.apis().await.unwrap();
        began.elapsed()
    });
    assert!(outcome.cut);
    assert!(waited <= Duration::from_millis(410), "{waited:?}");
}
