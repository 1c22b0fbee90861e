//! Routing and the HTTP transport.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jwthttpapi_sandbox::{Outcome, serve};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::clients::{create_api, gateway, sandbox};

async fn send(address: SocketAddr, method: &str, path: &str, body: Value) -> (u16, Value) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"));
    let response = client
        .request(request.body(Full::new(Bytes::from(text))).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn served(sandbox: jwthttpapi_sandbox::Sandbox) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        serve(listener, sandbox, shutdown).await.unwrap();
    });
    (address, stop, server)
}

#[tokio::test]
async fn views_and_switches_are_served_over_http() {
    let sandbox = sandbox(json!({}));
    let api = create_api(&gateway(&sandbox)).await;
    let (address, stop, server) = served(sandbox).await;
    let (_, state) = send(address, "GET", "/_sandbox/state", Value::Null).await;
    assert_eq!(state["regions"]["eu-central-1"]["apis"][0]["apiId"], json!(api));
    let (_, journal) = send(address, "GET", "/_sandbox/journal?since=0", Value::Null).await;
    assert_eq!(journal[0]["operation"], json!("CreateApi"));
    let (status, settings) = send(address, "PATCH", "/_sandbox/settings", json!({ "page_size": 7 })).await;
    assert_eq!((status, &settings["page_size"]), (200, &json!(7)));
    assert_eq!(
        send(address, "PATCH", "/_sandbox/settings", json!({ "page_sise": 7 }))
            .await
            .0,
        400
    );
    let rule = json!([{ "action": { "kind": "throttle" } }, { "action": { "kind": "truncate" } }]);
    assert_eq!(
        send(address, "POST", "/_sandbox/faults", rule).await.1,
        json!({ "ids": [1, 2] })
    );
    assert_eq!(
        send(address, "DELETE", "/_sandbox/faults/1", Value::Null).await.0,
        200
    );
    assert_eq!(
        send(address, "DELETE", "/_sandbox/faults/1", Value::Null).await.0,
        404
    );
    let (_, rules) = send(address, "GET", "/_sandbox/faults", Value::Null).await;
    assert_eq!((&rules[0]["id"], &rules[0]["seen"]), (&json!(2), &json!(0)));
    send(address, "POST", "/_sandbox/reset", Value::Null).await;
    let (_, state) = send(address, "GET", "/_sandbox/state", Value::Null).await;
    assert_eq!(
        state,
        json!({ "account": "123456789012", "regions": {}, "roles": [] })
    );
    let (_, watched) = send(
        address,
        "GET",
        "/_sandbox/wait?journal=99&timeout_ms=0",
        Value::Null,
    )
    .await;
    assert_eq!(watched["timed_out"], json!(true));
    assert_eq!(
        send(address, "GET", "/_sandbox/nothing", Value::Null).await.0,
        404
    );
    stop.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn an_unsigned_request_is_not_for_aws() {
    let request = Request::get("http://localhost/v2/apis")
        .body(Bytes::new())
        .unwrap();
    match sandbox(json!({})).handle(request).await {
        Outcome::Answer(response) => assert_eq!(response.status(), 404),
        other => panic!("{other:?}"),
    }
}
