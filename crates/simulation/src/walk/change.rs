//! Changes of a spec, made from the schema: every property set, unset, changed, emptied, at its limits, and wrong.

use crate::scenario::{ISSUER, OTHER_ISSUER};
use serde_json::{Map, Value, json};
use std::fmt;

/// What is done to a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is set where it was not.
    Set,
    /// It is taken away.
    Unset,
    /// It has another value.
    Change,
    /// It is an empty text, list or map.
    Empty,
    /// It is as long, as many or as high as the schema allows, or as low.
    Limit,
    /// It is what the schema forbids, as from a definition of another version.
    Wrong,
}

/// One change of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where, as a JSON pointer into the spec.
    pub pointer: String,
    /// What is done.
    pub kind: Kind,
    value: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown: String = value.chars().take(60).collect();
        write!(f, "{:?} {} {shown}", self.kind, self.pointer)
    }
}

impl Change {
    /// The spec with the change.
    pub fn of(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        let (parent, name) = self.pointer.rsplit_once('/').unwrap_or_default();
        match (spec.pointer_mut(parent), &self.value) {
            (Some(Value::Object(fields)), Some(value)) => {
                fields.insert(name.to_owned(), value.clone());
            }
            (Some(Value::Object(fields)), None) => {
                fields.remove(name);
            }
            (Some(Value::Array(items)), value) => {
                if let Ok(index) = name.parse::<usize>()
                    && index < items.len()
                {
                    match value {
                        Some(value) => value.clone_into(&mut items[index]),
                        None => drop(items.remove(index)),
                    }
                }
            }
            _ => {}
        }
        spec
    }
}

/// Properties that no change touches, and why.
const LEFT_OUT: [&str; 1] = [
    // It cannot be set, changed or taken away: a rule of the definition compares it with what was stored.
    "/region",
];

/// Every change of every property that a spec's schema and the spec allow to make.
pub(super) fn all(schema: &Value, spec: &Value) -> Vec<Change> {
    let mut made = Changes(Vec::new());
    made.object(schema, "", spec);
    made.0
        .retain(|change| change.of(spec) != *spec && !LEFT_OUT.contains(&change.pointer.as_str()));
    made.0
}

struct Changes(Vec<Change>);

impl Changes {
    fn push(&mut self, pointer: &str, kind: Kind, value: impl Into<Option<Value>>) {
        self.0.push(Change {
            pointer: pointer.to_owned(),
            kind,
            value: value.into(),
        });
    }

    fn object(&mut self, schema: &Value, pointer: &str, now: &Value) {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let pointer = format!("{pointer}/{name}");
            self.property(property, &pointer, now.get(name), required.contains(&json!(name)));
        }
    }

    fn property(&mut self, schema: &Value, pointer: &str, now: Option<&Value>, required: bool) {
        if now.is_some() && !required {
            self.push(pointer, Kind::Unset, None);
        }
        let kind = if now.is_some() { Kind::Change } else { Kind::Set };
        for sample in samples(pointer, schema) {
            self.push(pointer, kind, sample);
        }
        self.push(pointer, Kind::Wrong, wrong(schema));
        match schema["type"].as_str() {
            Some("object") => {
                self.push(pointer, Kind::Empty, json!({}));
                if let Some(most) = schema["maxProperties"].as_u64() {
                    let many = |count| (0..count).map(|n| (format!("key-{n}"), json!("v"))).collect();
                    self.push(pointer, Kind::Limit, Value::Object(many(most)));
                    self.push(pointer, Kind::Wrong, Value::Object(many(most + 1)));
                }
                if let Some(now) = now {
                    self.object(schema, pointer, now);
                }
            }
            Some("array") => {
                self.push(pointer, Kind::Empty, json!([]));
                if let Some(most) = schema["maxItems"].as_u64() {
                    self.push(pointer, Kind::Limit, items(pointer, most));
                    self.push(pointer, Kind::Wrong, items(pointer, most + 1));
                }
                let present = now.and_then(Value::as_array).into_iter().flatten();
                for (index, item) in present.enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    if item.is_object() {
                        self.push(&pointer, Kind::Unset, None);
                        self.object(&schema["items"], &pointer, item);
                    } else {
                        self.property(&schema["items"], &pointer, Some(item), false);
                    }
                }
            }
            Some("string") => {
                self.push(pointer, Kind::Empty, json!(""));
                if let Some(most) = schema["maxLength"].as_u64() {
                    let most = usize::try_from(most).unwrap_or_default();
                    self.push(pointer, Kind::Limit, longest(pointer, most));
                    self.push(pointer, Kind::Wrong, json!("x".repeat(most + 1)));
                }
            }
            _ => {
                for bound in ["minimum", "maximum"] {
                    let limit = schema[bound].as_f64().filter(|_| schema["type"] == "integer");
                    if let Some(limit) = limit {
                        #[expect(clippy::cast_possible_truncation, reason = "limits of 32-bit integers")]
                        self.push(pointer, Kind::Limit, json!(limit as i64));
                    }
                }
            }
        }
    }
}

/// A value that the schema forbids, of another type or out of range.
fn wrong(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("string") if schema["enum"].is_array() => json!("Neither"),
        Some("integer") => json!(99_999_999),
        Some("string") => json!("\u{1b}[31m\n"),
        Some("boolean") => json!("perhaps"),
        _ => json!(7),
    }
}

/// A pointer without the places in lists.
pub(super) fn shape(pointer: &str) -> String {
    let words = pointer.split('/').map(|word| {
        let number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if number { "#" } else { word }
    });
    words.collect::<Vec<_>>().join("/")
}

/// Good values of a property.
fn samples(pointer: &str, schema: &Value) -> Vec<Value> {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter(|value| !value.is_null()).cloned().collect();
    }
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect();
    match shape(pointer).as_str() {
        "/issuer" | "/authorizers/#/issuer" => texts(&[ISSUER, OTHER_ISSUER, "https://nobody.example/"]),
        "/identitySource" | "/authorizers/#/identitySource" => {
            texts(&["$request.header.X-Token", "$request.querystring.token"])
        }
        "/audience" | "/authorizers/#/audience" => vec![json!(["two"]), json!(["one", "two"])],
        "/scopes" | "/routes/#/scopes" => vec![json!(["write"]), json!(["read", "write"])],
        "/authorizers" => vec![json!([
            {"name": "staff", "issuer": OTHER_ISSUER, "audience": ["staff"]},
        ])],
        "/authorizers/#/name" | "/routes/#/authorizer" => texts(&["staff", "guests", "default"]),
        "/cors" => vec![
            json!({"allowOrigins": ["https://a.example"], "allowMethods": ["GET"], "allowHeaders": ["X-One"]}),
        ],
        "/cors/allowOrigins" => vec![json!(["*"]), json!(["https://b.example"])],
        "/cors/allowMethods" => vec![json!(["*"]), json!(["GET", "POST"])],
        "/cors/allowHeaders" | "/cors/exposeHeaders" => vec![json!(["X-Two"]), json!(["a", "B"])],
        "/tags" => vec![json!({"team": "two"}), json!({"other": "one"})],
        "/invocation" => vec![
            json!({"mode": "Role"}),
            json!({"mode": "ResourcePolicy"}),
            json!({"roleArn": "arn:aws:iam::123456789012:role/brought"}),
        ],
        "/invocation/roleArn" => texts(&["arn:aws:iam::123456789012:role/brought"]),
        "/routes" => vec![
            json!([{"routeKey": "GET /a", "lambda": {"name": "two"}}]),
            json!([{"routeKey": "$default", "lambda": {"name": "one"}}]),
            json!([
                {"routeKey": "ANY /{proxy+}", "public": true, "lambda": {"name": "one"}},
                {"routeKey": "GET /a", "lambda": {"name": "one"}},
            ]),
        ],
        "/routes/#/routeKey" => texts(&["POST /a", "ANY /{proxy+}", "GET /a/{id}", "$default"]),
        "/routes/#/lambda" => vec![json!({"name": "three"}), json!({"name": "missing"})],
        "/routes/#/lambda/function" => texts(&["own", "missing"]),
        "/functions" => vec![
            json!([function("own", "1"), function("two", "2")]),
            json!([function("own", "other")]),
        ],
        "/functions/#/name" => texts(&["own", "renamed"]),
        "/functions/#/handler" => texts(&["index.handler", "main.run"]),
        "/functions/#/code" => texts(&["export const handler = 1;", "export const handler = 2;"]),
        "/functions/#/memoryMiB" => vec![json!(256), json!(1024)],
        "/functions/#/environment" => vec![json!({"NAME": "x"}), json!({"NAME": "y", "OTHER": ""})],
        "/functions/#/logRetentionDays" => vec![json!(7), json!(3653)],
        "/routes/#/lambda/name" => texts(&["three", "missing"]),
        "/routes/#/lambda/arn" => texts(&["arn:aws:lambda:eu-central-1:123456789012:function:three"]),
        "/routes/#/lambda/qualifier" => texts(&["live", "1"]),
        _ => match schema["type"].as_str() {
            Some("string") => texts(&["one", "two"]),
            Some("boolean") => vec![json!(true), json!(false)],
            Some("integer") => vec![json!(1000), json!(60)],
            _ => Vec::new(),
        },
    }
}

fn function(name: &str, code: &str) -> Value {
    json!({
        "name": name, "runtime": "nodejs24.x", "handler": "index.handler",
        "code": format!("export const handler = {code};"),
    })
}

/// A list of so many items that differ.
fn items(pointer: &str, count: u64) -> Value {
    let item = |n: u64| match shape(pointer).as_str() {
        "/routes" => json!({"routeKey": format!("GET /{n}"), "lambda": {"name": "one"}}),
        "/functions" => function(&format!("f{n}"), "1"),
        "/authorizers" => json!({"name": format!("a{n}"), "issuer": ISSUER, "audience": [n.to_string()]}),
        "/cors/allowOrigins" => json!(format!("https://{n}.example")),
        "/cors/allowMethods" => {
            let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"];
            json!(methods[usize::try_from(n).unwrap_or_default() % methods.len()])
        }
        _ => json!(format!("item-{n}")),
    };
    (0..count).map(item).collect()
}

/// The longest text that a property takes.
fn longest(pointer: &str, most: usize) -> Value {
    let filled = |start: &str| format!("{start}{}", "x".repeat(most - start.len()));
    json!(match shape(pointer).as_str() {
        "/issuer" | "/authorizers/#/issuer" => filled(ISSUER),
        "/identitySource" | "/authorizers/#/identitySource" => filled("$request.header."),
        "/routes/#/routeKey" => filled("GET /"),
        "/cors/allowOrigins/#" => filled("https://"),
        _ => filled(""),
    })
}

/// The schema of the spec, as the resource's definition has it.
pub(super) fn schema() -> Value {
    let crd = serde_json::to_value(jwthttpapi_core::api::crd()).unwrap_or_default();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

/// A spec that says something of every property, and one that says as little as it may.
pub(super) fn bases() -> [Value; 2] {
    let named = |name: &str| json!({"name": name});
    let rich = json!({
        "issuer": ISSUER, "audience": ["one"], "scopes": ["read"],
        "identitySource": "$request.header.Authorization",
        "name": "rich", "description": "says everything", "tags": {"team": "one"},
        "ipAddressType": "dualstack", "disableExecuteApiEndpoint": false, "deletionPolicy": "Delete",
        "suspend": false,
        "invocation": {"mode": "ResourcePolicy"},
        "cors": {
            "allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"], "allowHeaders": ["X-Request-Id"],
            "exposeHeaders": ["X-Seen"], "maxAge": 300, "allowCredentials": true,
        },
        "authorizers": [{
            "name": "staff", "issuer": OTHER_ISSUER, "audience": ["staff"],
            "identitySource": "$request.header.Authorization",
        }],
        "routes": [
            {"routeKey": "GET /a", "scopes": ["read", "write"], "operationName": "a",
             "lambda": {"name": "one", "payloadFormatVersion": "1.0", "timeoutMillis": 5000}},
            {"routeKey": "ANY /admin/{proxy+}", "authorizer": "staff", "lambda": named("two")},
            {"routeKey": "OPTIONS /admin/{proxy+}", "public": true, "lambda": named("one")},
            {"routeKey": "OPTIONS /{proxy+}", "public": true, "lambda": named("one")},
            {"routeKey": "POST /own", "lambda": {"function": "own"}},
        ],
        "functions": [{
            "name": "own", "runtime": "python3.13", "handler": "index.handler", "code": "handler = 1",
            "memoryMiB": 512, "timeoutSeconds": 10, "environment": {"LEVEL": "debug"},
            "architecture": "arm64", "logRetentionDays": 14,
        }],
    });
    let plain = json!({
        "issuer": ISSUER, "audience": ["one"],
        "routes": [{"routeKey": "GET /a", "lambda": named("one")}],
    });
    [rich, plain]
}

/// The properties of a schema, by their shape.
pub(super) fn properties(schema: &Value) -> Vec<String> {
    fn under(schema: &Value, pointer: &str, all: &mut Vec<String>) {
        let fields: Option<&Map<String, Value>> = schema["properties"].as_object();
        for (name, property) in fields.into_iter().flatten() {
            let pointer = format!("{pointer}/{name}");
            all.push(pointer.clone());
            under(property, &pointer, all);
            under(&property["items"], &format!("{pointer}/#"), all);
        }
    }
    let mut all = Vec::new();
    under(schema, "", &mut all);
    all
}

/// The shape of the property that a change is about.
pub(super) fn about(change: &Change) -> String {
    shape(&change.pointer)
}
