//! An API whose object went without it: `jwthttpapi verify` names it, and an object of the same name takes it over.

use crate::ground::{Ground, prompt, route};
use jwthttpapi_test_support::REGION;
use serde_json::json;
use std::time::Duration;

/// What `verify` ends with, and what it writes, with AWS at a URL.
fn verify(ground: &Ground, url: &str, flags: &[&str]) -> (i32, String) {
    let run = ground.launch(&[]).without_args();
    let run = run.args(["verify", "--aws-region", REGION, "--aws-endpoint-url", url]);
    let mut process = run.args(flags.iter().copied()).spawn().unwrap();
    let code = process.wait(Duration::from_secs(30)).unwrap();
    (code, process.lines().join("\n"))
}

#[test]
fn an_orphan_is_named_and_a_namesake_takes_it_over_with_its_url() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let before = ground.state();
    let spec = ground.spec(&json!({
        "routes": [route("GET /test", "hello"), {"routeKey": "GET /own", "lambda": {"function": "own"}}],
        "functions": [{
            "name": "own", "runtime": "nodejs24.x", "handler": "index.handler",
            "code": "export const handler = async () => ({});",
        }],
    }));
    let operator = ground.operator(&[]);
    ground.apply("hello", &spec);
    ground.ready("hello");
    let first = ground.object("hello")["status"].clone();
    let id = first["apiId"].as_str().unwrap().to_owned();
    let (code, said) = verify(&ground, ground.aws().url(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("{}/hello: API {id} in eu-central-1", ground.namespace)),
        "{said}"
    );

    drop(operator);
    let free = r#"{"metadata":{"finalizers":null}}"#;
    ground.kubectl(&["patch", "jwthttpapi", "hello", "--type=merge", "-p", free]);
    ground.delete("hello");
    let (code, said) = verify(&ground, ground.aws().url(), &[]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(&format!("API {id}")) && said.contains("an orphan"),
        "{said}"
    );

    let _operator = ground.operator(&[]);
    ground.apply("hello", &spec);
    ground.ready("hello");
    let second = ground.until("hello", "the end of what the first one left", |object| {
        object["status"]["reclaimedFrom"].is_null() && object["status"]["apiId"] == first["apiId"]
    });
    assert_eq!(second["status"]["endpoint"], first["endpoint"]);
    assert_ne!(second["status"]["roleArn"], first["roleArn"]);
    ground.one_api("hello", &[("routes", 2), ("integrations", 2), ("authorizers", 1)]);
    ground.delete("hello");
    assert_eq!(ground.state(), before);
}

#[test]
fn verify_says_what_it_cannot_read_and_never_that_all_is_well() {
    let ground = Ground::new(&prompt());
    let here = ground.aws().url();
    for (url, flags, ends, words) in [
        ("http://127.0.0.1:1", &[][..], 2, "cannot be reached"),
        (here, &["--watch-namespaces=demo"][..], 2, "--cluster-id"),
        (
            here,
            &["--watch-namespaces=default", "--cluster-id=blue"][..],
            0,
            "0 as it should be",
        ),
    ] {
        let (code, said) = verify(&ground, url, flags);
        assert_eq!(code, ends, "{said}");
        assert!(said.contains(words), "{said}");
    }
}
