//! What a spec may wait for, said independently of the operator.

use super::change::{schema, shape};
use crate::scenario::{ISSUER, OTHER_ISSUER};
use serde_json::Value;

/// What CORS may allow.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"];
/// For how long logs may be kept at the longest.
const MOST_DAYS: i64 = 3653;

/// Whether the API server would refuse a spec, which the simulated one does not: by its schema, or by one of the rules that the
/// changes above break.
fn is_refused(schema: &Value, pointer: &str, value: &Value) -> bool {
    let long = |least: &str, most: &str, length: usize| {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        schema[least].as_u64().is_some_and(|least| length < least)
            || schema[most].as_u64().is_some_and(|most| length > most)
    };
    let rules = schema["x-kubernetes-validations"].as_array();
    let needs_some = rules.is_some_and(|rules| rules.iter().any(|rule| rule["rule"] == "self.size() > 0"));
    let is_empty = match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let starts = |text: &str, with: &str| text.starts_with(with) && !text.contains(char::is_control);
    let broken = match (shape(pointer).as_str(), value) {
        ("/issuer" | "/authorizers/#/issuer", Value::String(text)) => !starts(text, "https://"),
        ("/identitySource" | "/authorizers/#/identitySource", Value::String(text)) => {
            !starts(text, "$request.")
        }
        ("/cors/allowMethods/#", Value::String(text)) => !METHODS.contains(&text.as_str()),
        ("/cors/allowOrigins/#", Value::String(text)) => {
            text != "*" && !["https://", "http://"].iter().any(|with| starts(text, with))
        }
        ("/invocation/roleArn", Value::String(text)) => !starts(text, "arn:"),
        ("/functions/#/handler", Value::String(text)) => text.contains(char::is_control),
        ("/functions/#/logRetentionDays", Value::Number(days)) => days.as_i64() > Some(MOST_DAYS),
        ("/functions/#/environment", Value::Object(variables)) => {
            variables.keys().any(|name| name.contains('-'))
        }
        (_, Value::String(_)) => schema["enum"].as_array().is_some_and(|all| !all.contains(value)),
        (_, Value::Array(items)) => {
            let of_items = items.iter().enumerate();
            long("minItems", "maxItems", items.len())
                || of_items
                    .map(|(index, item)| (format!("{pointer}/{index}"), item))
                    .any(|(pointer, item)| is_refused(&schema["items"], &pointer, item))
        }
        (_, Value::Object(fields)) => {
            long("minProperties", "maxProperties", fields.len())
                || fields.iter().any(|(name, value)| {
                    let property = &schema["properties"][name];
                    let property = if property.is_null() {
                        &schema["additionalProperties"]
                    } else {
                        property
                    };
                    is_refused(property, &format!("{pointer}/{name}"), value)
                })
        }
        (_, Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            schema["minimum"].as_f64().is_some_and(|least| number < least)
                || schema["maximum"].as_f64().is_some_and(|most| number > most)
        }
        _ => false,
    };
    let too_long = value
        .as_str()
        .is_some_and(|text| long("minLength", "maxLength", text.chars().count()));
    broken || too_long || (needs_some && is_empty)
}

/// Why a spec may not be in force: what it names does not exist, it says so itself, or it could never have been stored.
pub(super) fn may_wait_for(spec: &Value) -> Vec<&'static str> {
    let further = spec["authorizers"].as_array().into_iter().flatten();
    let issuers = further
        .chain([spec])
        .filter_map(|authorizer| authorizer["issuer"].as_str());
    let unreachable = issuers
        .into_iter()
        .any(|issuer| ![ISSUER, OTHER_ISSUER].contains(&issuer));
    let routes = spec["routes"].as_array().into_iter().flatten();
    let missing = routes.map(|route| &route["lambda"]).any(|lambda| {
        let named = lambda["name"]
            .as_str()
            .or_else(|| lambda["arn"].as_str()?.rsplit(':').next());
        let exists = named.is_none_or(|name| ["one", "two", "three"].contains(&name));
        !exists || !lambda["qualifier"].is_null()
    });
    let suspended = spec["suspend"] == true;
    let anybody = spec["cors"]["allowOrigins"]
        .as_array()
        .is_some_and(|origins| origins.iter().any(|origin| origin == "*"));
    let refused = is_refused(&schema(), "", spec) || (anybody && spec["cors"]["allowCredentials"] == true);
    [
        (refused, "AwsRefused"),
        (refused, "QuotaExceeded"),
        (unreachable, "IssuerUnreachable"),
        (missing, "FunctionNotFound"),
        (suspended, "Suspended"),
    ]
    .into_iter()
    .filter_map(|(is_so, reason)| is_so.then_some(reason))
    .collect()
}
