//! Every example, applied as users apply it and called as their clients call it.

use crate::ground::{Ground, prompt};
use jwthttpapi_test_support::{Answer, Claims, places};
use serde_json::{Value, json};

/// The functions that examples name, and do not own.
const FUNCTIONS: [&str; 7] = [
    "hello",
    "orders",
    "shop",
    "shop-admin",
    "profile",
    "backend",
    "reports",
];
/// An answer that both versions of the payload allow.
const CODE: &str = "export const handler = async () => ({statusCode: 200, body: 'called'});";
/// What functions of examples' own say, in which the claims of the token are.
const SAID: [(&str, &str); 2] = [("hello", r#"{"hello":"alice"}"#), ("python", "Hello, alice")];
/// The authorizer that has no entry of its own.
const DEFAULT: &str = "default";

/// A route of an example, as a client sees it.
struct Call<'a> {
    api: &'a str,
    method: &'a str,
    path: String,
}

impl<'a> Call<'a> {
    fn of(api: &'a str, key: &'a str) -> Self {
        let (method, path) = key.split_once(' ').unwrap();
        Self {
            api,
            method: if method == "ANY" { "PUT" } else { method },
            path: path.replace("{proxy+}", "some/path").replace("{id}", "1"),
        }
    }

    fn status(&self, ground: &Ground, header: Option<(&str, &str)>) -> u16 {
        self.answer(ground, header).status
    }

    fn answer(&self, ground: &Ground, header: Option<(&str, &str)>) -> Answer {
        let headers: Vec<_> = header.into_iter().collect();
        let answer = ground
            .aws()
            .invoke(self.api, self.method, &self.path, &headers, None);
        answer.unwrap()
    }
}

/// Gives every issuer of an example its local stand-in, which is called as the authorizer is.
fn at_home(ground: &Ground, spec: &mut Value) {
    spec["issuer"] = json!(ground.issuer.url(DEFAULT));
    for authorizer in spec["authorizers"].as_array_mut().into_iter().flatten() {
        authorizer["issuer"] = json!(ground.issuer.url(authorizer["name"].as_str().unwrap()));
    }
}

/// The header and the token that an authorizer takes, with all the scopes that a route may ask for.
fn token(ground: &Ground, spec: &Value, route: &Value) -> (String, String) {
    let name = route["authorizer"].as_str().unwrap_or(DEFAULT);
    let named = |authorizer: &&Value| authorizer["name"] == name;
    let authorizer = spec["authorizers"].as_array().into_iter().flatten().find(named);
    let authorizer = authorizer.unwrap_or(spec);
    let source = authorizer["identitySource"]
        .as_str()
        .unwrap_or("$request.header.Authorization");
    let header = source.strip_prefix("$request.header.").unwrap().to_owned();
    let scopes = route.get("scopes").unwrap_or_else(|| &spec["scopes"]);
    let scopes: Vec<&str> = scopes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let claims = Claims::new("alice", authorizer["audience"][0].as_str().unwrap());
    let token = ground
        .issuer
        .token(name, &claims.scope(&scopes.join(" ")))
        .unwrap();
    (header, format!("Bearer {token}"))
}

#[test]
fn every_example_becomes_ready_and_answers_those_whom_it_says() {
    let ground = Ground::new(&prompt());
    for function in FUNCTIONS {
        let files = [("index.mjs", CODE)];
        ground
            .aws()
            .create_function(function, "nodejs22.x", "index.handler", &files)
            .unwrap();
    }
    for function in ["hello", "orders"] {
        ground.alias(function, "live");
    }
    let _operator = ground.operator(&[]);
    let mut files: Vec<_> = std::fs::read_dir(places::repository().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let (mut routes, mut public) = (0, 0);
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let mut object: Value = serde_saphyr::from_str(&text).unwrap();
        at_home(&ground, &mut object["spec"]);
        let (name, spec) = (object["metadata"]["name"].as_str().unwrap(), &object["spec"]);
        ground.apply(name, spec);
        ground.ready(name);
        // It exits with 0 when there is no difference: the operator has written nothing into what a person wrote.
        let manifest = ground.directory().join(file.file_name().unwrap());
        std::fs::write(&manifest, object.to_string()).unwrap();
        ground.kubectl(&["diff", "-f", &manifest.display().to_string()]);
        let api = ground.api_id(name);
        for route in spec["routes"].as_array().unwrap() {
            let key = route["routeKey"].as_str().unwrap();
            let call = Call::of(&api, key);
            routes += 1;
            if route["public"] == true {
                public += 1;
                assert_eq!(call.status(&ground, None), 200, "{name}: {key}");
                continue;
            }
            assert_eq!(call.status(&ground, None), 401, "{name}: {key} without a token");
            let (header, token) = token(&ground, spec, route);
            let answer = call.answer(&ground, Some((&header, &token)));
            assert_eq!(answer.status, 200, "{name}: {key} with a token");
            let said = SAID.iter().find(|(of, _)| *of == name);
            if let Some((_, said)) = said {
                assert!(answer.body.contains(said), "{name}: {}", answer.body);
            }
        }
    }
    println!(
        "{} examples: {routes} routes called, {public} of them public",
        files.len()
    );
    assert!(files.len() >= 10 && public >= 2, "{files:?}");
}
