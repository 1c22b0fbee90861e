//! The proxy before the API server: it tells requests apart, and keeps one back on either side.

use std::{thread, time::Duration};

use jwthttpapi_test_support::{Cluster, Proxy, Side, Sort, deadline};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

/// Creates a `ConfigMap` through a proxy: the status answered, none when the connection ends without an answer.
fn create(url: &str, token: &str, name: &str) -> Option<u16> {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}).to_string();
    let answer = ureq::post(format!("{url}/api/v1/namespaces/default/configmaps"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send(&body);
    answer.ok().map(|answer| answer.status().as_u16())
}

#[test]
fn what_is_kept_back_before_is_not_carried_out_and_what_is_kept_back_after_is() {
    let cluster = Cluster::shared().unwrap();
    cluster.kubectl(["create", "serviceaccount", "writer"]).unwrap();
    let rights = ["--verb=create", "--resource=configmaps"];
    cluster
        .kubectl(["create", "role", "writer"].iter().chain(&rights))
        .unwrap();
    let to = ["--role=writer", "--serviceaccount=default:writer"];
    cluster
        .kubectl(["create", "rolebinding", "writer"].iter().chain(&to))
        .unwrap();
    let may = [
        "auth",
        "can-i",
        "create",
        "configmaps",
        "--as=system:serviceaccount:default:writer",
    ];
    deadline::poll("the right to write", LIMIT, || Ok(cluster.kubectl(may).ok())).unwrap();
    let token = cluster.kubectl(["create", "token", "writer"]).unwrap();
    let proxy = Proxy::start(cluster).unwrap();
    let exists = |name: &str| cluster.kubectl(["get", "configmap", name]).is_ok();

    for (name, side, carried_out) in [("before", Side::Before, false), ("after", Side::After, true)] {
        proxy.hold(Sort::Write, 1, side);
        let (url, token) = (proxy.url().to_owned(), token.trim().to_owned());
        let asking = thread::spawn(move || create(&url, &token, name));
        let held = proxy.held(LIMIT).unwrap();
        assert_eq!((held.sort, &*held.method), (Sort::Write, "POST"));
        assert_eq!(exists(name), carried_out, "{name}");
        proxy.release(true);
        assert_eq!(asking.join().unwrap(), None);
        assert_eq!(exists(name), carried_out, "{name}");
    }
    assert_eq!(create(proxy.url(), token.trim(), "free"), Some(201));
    assert!(exists("free"));
    let statuses: Vec<Option<u16>> = proxy
        .requests()
        .into_iter()
        .map(|passing| passing.status)
        .collect();
    assert_eq!(statuses, [None, Some(201), Some(201)]);
}
