//! Removal removes, and Retain keeps.

use crate::ground::{AUDIENCE, Ground, prompt, route};
use jwthttpapi_test_support::{Claims, released};
use serde_json::json;

#[test]
fn deleting_the_object_leaves_aws_as_it_was_before() {
    for mode in ["Role", "ResourcePolicy"] {
        let ground = Ground::new(&prompt());
        ground.functions(&["hello"]);
        let before = ground.state();
        let _operator = ground.operator(&[]);
        ground.apply(
            "hello",
            &ground.spec(&json!({"invocation": {"mode": mode}, "routes": [route("GET /test", "hello")]})),
        );
        ground.ready("hello");
        let id = ground.api_id("hello");
        let call = |token: Option<&str>| {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let headers: Vec<(&str, &str)> = bearer
                .iter()
                .map(|value| ("authorization", value.as_str()))
                .collect();
            ground
                .aws()
                .invoke(&id, "GET", "/test", &headers, None)
                .unwrap()
                .status
        };
        let token = ground
            .issuer
            .token("e2e", &Claims::new("alice", AUDIENCE))
            .unwrap();
        assert_eq!((call(None), call(Some(&token))), (401, 200), "{mode}");
        ground.delete("hello");
        assert_eq!(ground.state(), before, "{mode}");
    }
}

#[test]
fn retain_keeps_everything_and_takes_the_ownership_tags_off() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    let spec = json!({
        "deletionPolicy": "Retain", "tags": {"team": "shop"},
        "routes": [route("GET /test", "hello"), {"routeKey": "GET /own", "lambda": {"function": "own"}}],
        "functions": [{
            "name": "own", "runtime": "nodejs24.x", "handler": "index.handler", "logRetentionDays": 7,
            "code": "export const handler = async () => ({});",
        }],
    });
    ground.apply("hello", &ground.spec(&spec));
    ground.ready("hello");
    let before = ground.aws().state().unwrap();
    ground.delete("hello");
    let after = ground.aws().state().unwrap();
    assert_eq!(after, released(before.clone()));
    let [before, after] = [before, after].map(|state| state.to_string());
    for ours in ["jwthttpapi.dev/uid", "jwthttpapi.dev/cluster"] {
        assert!(before.contains(ours) && !after.contains(ours), "{after}");
    }
    let own = "/aws/lambda/jwthttpapi-";
    for kept in [
        "GET /own",
        "jwthttpapi-eu-central-1-",
        own,
        "\"retentionInDays\":7",
        "shop",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
}
