//! Lists: pages, lag, order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::{
    apigateway::Request,
    paging::PageRequest,
    testing::{Bench, refused},
};

fn keys(bench: &mut Bench, api: &str, max_results: Option<usize>) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = None;
    loop {
        let page = PageRequest { max_results, token };
        let answer = bench
            .gateway(Request::GetRoutes {
                api: api.to_owned(),
                page,
            })
            .unwrap();
        let items = answer["items"].as_array().unwrap();
        pages.push(
            items
                .iter()
                .map(|route| route["routeKey"].as_str().unwrap().to_owned())
                .collect(),
        );
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => return pages,
        }
    }
}

fn with_routes(settings: Value) -> (Bench, String) {
    let mut bench = Bench::new(settings);
    let api = bench.api();
    for n in 0..5 {
        bench.now += 10;
        bench.route(&api, json!({ "routeKey": format!("GET /{n}") }));
    }
    (bench, api)
}

#[test]
fn a_list_is_cut_into_pages_of_the_size_that_is_set_or_asked_for() {
    let (mut bench, api) = with_routes(json!({ "page_size": 2 }));
    assert_eq!(
        keys(&mut bench, &api, None)
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>(),
        [2, 2, 1]
    );
    assert_eq!(keys(&mut bench, &api, Some(1)).len(), 5);
    assert_eq!(
        keys(&mut bench, &api, Some(100)).len(),
        3,
        "nobody gets more than the page size"
    );
}

#[test]
fn order_is_a_switch_and_never_loses_anything() {
    let (mut bench, api) = with_routes(json!({}));
    let created = keys(&mut bench, &api, None).concat();
    assert_eq!(created, ["GET /0", "GET /1", "GET /2", "GET /3", "GET /4"]);
    bench.world.settings = bench
        .world
        .settings
        .patched(&json!({ "list_order": "reversed" }))
        .unwrap();
    let reversed = keys(&mut bench, &api, None).concat();
    assert!(reversed.iter().rev().eq(created.iter()));
    bench.world.settings = bench
        .world
        .settings
        .patched(&json!({ "list_order": "shuffled", "page_size": 2 }))
        .unwrap();
    let shuffled: BTreeSet<String> = keys(&mut bench, &api, None).concat().into_iter().collect();
    assert_eq!(shuffled.len(), 5);
}

#[test]
fn a_list_lags_behind_and_a_read_by_id_does_not() {
    let (mut bench, api) = with_routes(json!({ "list_lag_ms": 25 }));
    assert_eq!(keys(&mut bench, &api, None).concat(), ["GET /0", "GET /1"]);
    assert!(bench.gateway(Request::GetApi { api: api.clone() }).is_ok());
    let id = bench.route(&api, json!({ "routeKey": "GET /new" }));
    assert!(bench.gateway(Request::GetRoute { api: api.clone(), id }).is_ok());
    bench.now += 25;
    assert_eq!(keys(&mut bench, &api, None).concat().len(), 6);
}

#[test]
fn an_invented_token_is_refused() {
    let (mut bench, api) = with_routes(json!({}));
    let page = PageRequest {
        max_results: None,
        token: Some("nonsense".into()),
    };
    assert_eq!(refused(bench.gateway(Request::GetRoutes { api, page })).0, 400);
}

#[test]
fn an_empty_list_is_an_empty_page() {
    let mut bench = Bench::new(json!({}));
    let answer = bench
        .gateway(Request::GetApis {
            page: PageRequest::default(),
        })
        .unwrap();
    assert_eq!(answer, json!({ "items": [] }));
}

/// A stage's name is all the identifier it has, so that none is drawn for it.
#[test]
fn pages_together_hold_every_stage() {
    let mut bench = Bench::new(json!({}));
    let api = bench.api();
    for name in ["one", "two", "three"] {
        bench.create_stage(&api, json!({ "stageName": name })).unwrap();
    }
    let mut names = BTreeSet::new();
    let mut token = None;
    loop {
        let page = PageRequest {
            max_results: Some(1),
            token,
        };
        let request = Request::GetStages {
            api: api.clone(),
            page,
        };
        let answer = bench.gateway(request).unwrap();
        names.insert(answer["items"][0]["stageName"].as_str().unwrap().to_owned());
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(names.len(), 3);
}
