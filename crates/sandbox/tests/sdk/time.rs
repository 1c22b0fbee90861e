//! Latency, delays and rates on a paused clock.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, advance};

use crate::clients::{create_api, gateway, refused, sandbox};

#[tokio::test(start_paused = true)]
async fn every_call_takes_the_latency_that_is_set() {
    let sandbox = sandbox(json!({ "latency_ms": 101 }));
    let client = gateway(&sandbox);
    let start = Instant::now();
    create_api(&client).await;
    assert_eq!(start.elapsed(), Duration::from_millis(101));
}

#[tokio::test(start_paused = true)]
async fn a_new_api_is_missing_from_lists_until_the_lag_is_over() {
    let client = gateway(&sandbox(json!({ "list_lag_ms": 3000 })));
    let api = create_api(&client).await;
    assert!(client.get_api().api_id(&api).send().await.is_ok());
    assert_eq!(client.get_apis().send().await.unwrap().items().len(), 0);
    advance(Duration::from_secs(3)).await;
    assert_eq!(client.get_apis().send().await.unwrap().items().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_shows_after_its_delay() {
    let sandbox = sandbox(json!({ "deploy_delay_ms": 1500 }));
    let client = gateway(&sandbox);
    let api = create_api(&client).await;
    client
        .create_route()
        .api_id(&api)
        .route_key("GET /a")
        .send()
        .await
        .unwrap();
    client
        .create_stage()
        .api_id(&api)
        .stage_name("$default")
        .auto_deploy(true)
        .send()
        .await
        .unwrap();
    let stage = async || {
        client
            .get_stage()
            .api_id(&api)
            .stage_name("$default")
            .send()
            .await
            .unwrap()
    };
    assert_eq!(stage().await.deployment_id(), None);
    assert!(sandbox.deployment(&api, "$default", sandbox.now()).is_none());
    advance(Duration::from_millis(1500)).await;
    let shown = stage().await.deployment_id().map(str::to_owned);
    assert_eq!(
        sandbox
            .deployment(&api, "$default", sandbox.now())
            .map(|deployment| deployment.id),
        shown
    );
}

#[tokio::test(start_paused = true)]
async fn above_the_rate_every_call_is_429() {
    let limit = json!({ "rate_limits": { "apigateway": { "per_second": 10, "burst": 2 } } });
    let client = gateway(&sandbox(limit));
    create_api(&client).await;
    create_api(&client).await;
    let third = client.get_apis().send().await;
    assert_eq!(refused(third), (429, "TooManyRequestsException".into()));
    advance(Duration::from_millis(100)).await;
    assert!(client.get_apis().send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn writes_to_one_api_at_the_same_time_conflict_when_that_is_switched_on() {
    for conflicts in [true, false] {
        let client = gateway(&sandbox(
            json!({ "latency_ms": 10, "concurrent_modification": conflicts }),
        ));
        let (api, other) = (create_api(&client).await, create_api(&client).await);
        let route = |api: &str, key: &str| client.create_route().api_id(api).route_key(key).send();
        let (first, second, elsewhere) = tokio::join!(
            route(&api, "GET /a"),
            route(&api, "GET /b"),
            route(&other, "GET /a")
        );
        assert_eq!(first.is_ok() && second.is_ok(), !conflicts);
        assert!(elsewhere.is_ok());
        assert!(route(&api, "GET /c").await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn one_seed_and_one_sequence_give_one_state() {
    let run = async |seed_settings: serde_json::Value| {
        let sandbox = sandbox(seed_settings);
        let client = gateway(&sandbox);
        let api = create_api(&client).await;
        client
            .create_route()
            .api_id(&api)
            .route_key("GET /a")
            .send()
            .await
            .unwrap();
        (sandbox.state(), sandbox.journal(0))
    };
    assert_eq!(run(json!({})).await, run(json!({})).await);
}
