//! Every example, applied as users apply it.

use crate::ground::{Ground, prompt};
use jwthttpapi_test_support::places;
use serde_json::{Value, json};

#[test]
fn every_example_becomes_ready() {
    let ground = Ground::new(&prompt());
    let functions = [
        "hello",
        "orders",
        "shop",
        "shop-admin",
        "profile",
        "backend",
        "reports",
    ];
    ground.functions(&functions);
    for function in ["hello", "orders"] {
        let version = json!({});
        ground
            .aws()
            .aws(
                "lambda",
                "POST",
                &format!("/2015-03-31/functions/{function}/versions"),
                Some(&version),
            )
            .unwrap();
        let alias = json!({"Name": "live", "FunctionVersion": "1"});
        ground
            .aws()
            .aws(
                "lambda",
                "POST",
                &format!("/2015-03-31/functions/{function}/aliases"),
                Some(&alias),
            )
            .unwrap();
    }
    let _operator = ground.operator(&[]);
    let mut files: Vec<_> = std::fs::read_dir(places::repository().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut object: Value = serde_saphyr::from_str(&text).unwrap();
        let local = |name: &str| json!(ground.issuer.url(name));
        object["spec"]["issuer"] = local("e2e");
        for authorizer in object["spec"]["authorizers"].as_array_mut().into_iter().flatten() {
            let name = authorizer["name"].as_str().unwrap().to_owned();
            authorizer["issuer"] = local(&name);
        }
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        ground.apply(&name, &object["spec"]);
        ground.ready(&name);
    }
}
