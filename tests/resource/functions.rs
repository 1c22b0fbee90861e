//! Functions of the object's own: what is accepted, and what is refused in which words.

use crate::{
    good::accepted,
    ground::{cluster, object, stored, with},
    refused::{bad, refused},
};
use serde_json::{Value, json};

/// A spec with one function, whose fields are these beside the usual ones.
fn owning(more: &Value) -> Value {
    let mut function = json!({
        "name": "hello", "runtime": "nodejs24.x", "handler": "index.handler",
        "code": "export const handler = async () => ({});",
    });
    for (field, value) in more.as_object().unwrap() {
        function[field] = value.clone();
    }
    with(json!({
        "functions": [function],
        "routes": [{"routeKey": "GET /a", "lambda": {"function": function["name"]}}],
    }))
}

#[test]
fn functions_are_stored_as_they_were_sent() {
    accepted(vec![
        ("function", owning(&json!({}))),
        ("function-node22", owning(&json!({"runtime": "nodejs22.x"}))),
        (
            "function-python",
            owning(&json!({"runtime": "python3.14", "code": "exports = {}"})),
        ),
        (
            "function-of-all-fields",
            owning(&json!({
                "memoryMiB": 10240, "timeoutSeconds": 900, "architecture": "arm64", "logRetentionDays": 3653,
                "environment": {"LOG_LEVEL": "debug", "TZ": "UTC"},
            })),
        ),
        (
            "word-in-a-comment",
            owning(&json!({"code": "// what it exports.\nexport const handler = async () => ({});"})),
        ),
    ]);
}

/// Too big for the annotation of a plain apply.
#[test]
fn twenty_functions_of_sixty_kilobytes_fit_one_object_that_is_applied_on_the_servers_side() {
    let twenty: Vec<Value> = (0..20)
        .map(|n| {
            json!({
                "name": format!("f{n}"), "runtime": "python3.13", "handler": "index.handler",
                "code": "x".repeat(60_000),
            })
        })
        .collect();
    let spec = with(json!({
        "functions": twenty,
        "routes": [{"routeKey": "GET /a", "lambda": {"function": "f19"}}],
    }));
    let object = object("twenty-functions", &spec).to_string();
    let refusal = cluster().apply(&object).unwrap_err().to_string();
    assert!(refusal.contains("Too long"), "{refusal}");
    cluster().apply_server_side(&object).unwrap();
    assert_eq!(stored("twenty-functions")["spec"], spec);
}

#[test]
fn a_function_says_what_to_type_instead() {
    let only = "a function's name has letters, digits, hyphens and underscores only";
    let module = "write export const handler = async (event) => ({...}) instead of exports.handler = ...";
    let handler = "write the handler as MODULE.FUNCTION, such as index.handler";
    refused(vec![
        bad(
            "function name with a dot",
            owning(&json!({"name": "a.b"})),
            "spec.functions[0].name",
            only,
        ),
        bad(
            "function name of 41",
            owning(&json!({"name": "n".repeat(41)})),
            "spec.functions[0].name",
            "may not be more than 40",
        ),
        bad(
            "old runtime",
            owning(&json!({"runtime": "nodejs18.x"})),
            "spec.functions[0].runtime",
            r#"supported values: "nodejs24.x", "nodejs22.x", "python3.14", "python3.13""#,
        ),
        bad(
            "handler of a path",
            owning(&json!({"handler": "src/index.handler"})),
            "spec.functions[0].handler",
            handler,
        ),
        bad(
            "handler of one word",
            owning(&json!({"handler": "handler"})),
            "spec.functions[0].handler",
            handler,
        ),
        bad(
            "commonjs",
            owning(&json!({"code": "exports.handler = async () => ({});"})),
            "spec.functions[0]",
            module,
        ),
        bad(
            "commonjs module",
            owning(&json!({"code": "const x = 1;\nmodule.exports.handler = async () => x;"})),
            "spec.functions[0]",
            module,
        ),
        bad(
            "too much code",
            owning(&json!({"code": "x".repeat(60_001)})),
            "spec.functions[0].code",
            "may not be more than 60000",
        ),
    ]);
}

#[test]
fn how_a_function_runs_keeps_to_lambdas_limits() {
    let variable = "an environment variable's name begins with a letter";
    let days = "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30,";
    refused(vec![
        bad(
            "memory 127",
            owning(&json!({"memoryMiB": 127})),
            "spec.functions[0].memoryMiB",
            "should be greater than or equal to 128",
        ),
        bad(
            "timeout 901",
            owning(&json!({"timeoutSeconds": 901})),
            "spec.functions[0].timeoutSeconds",
            "should be less than or equal to 900",
        ),
        bad(
            "variable with a hyphen",
            owning(&json!({"environment": {"LOG-LEVEL": "debug"}})),
            "spec.functions[0].environment",
            variable,
        ),
        bad(
            "variable of lambda",
            owning(&json!({"environment": {"AWS_REGION": "x"}})),
            "spec.functions[0].environment",
            "Lambda sets this environment variable itself; choose another name",
        ),
        bad(
            "odd retention",
            owning(&json!({"logRetentionDays": 31})),
            "spec.functions[0].logRetentionDays",
            days,
        ),
        bad(
            "architecture",
            owning(&json!({"architecture": "amd64"})),
            "spec.functions[0].architecture",
            r#"supported values: "x86_64", "arm64""#,
        ),
    ]);
}

#[test]
fn a_route_leads_to_an_own_function_by_its_name_alone() {
    refused(vec![
        bad(
            "route to no function",
            with(json!({"routes": [{"routeKey": "GET /a", "lambda": {"function": "hello"}}]})),
            "spec.routes",
            "a route's lambda.function must be the name of an entry of spec.functions",
        ),
        bad(
            "qualifier of an own function",
            with(json!({
                "functions": owning(&json!({}))["functions"],
                "routes": [{"routeKey": "GET /a", "lambda": {"function": "hello", "qualifier": "live"}}],
            })),
            "spec.routes[0].lambda",
            "a function of this object has no aliases and versions; remove the qualifier",
        ),
        bad(
            "function and name",
            with(json!({
                "functions": owning(&json!({}))["functions"],
                "routes": [{"routeKey": "GET /a", "lambda": {"function": "hello", "name": "hello"}}],
            })),
            "spec.routes[0].lambda",
            "name the function by exactly one of function (an entry of spec.functions), name and arn",
        ),
        bad(
            "one function twice",
            with(json!({
                "functions": [owning(&json!({}))["functions"][0], owning(&json!({}))["functions"][0]],
                "routes": [{"routeKey": "GET /a", "lambda": {"function": "hello"}}],
            })),
            "spec.functions[1]",
            "Duplicate value",
        ),
    ]);
}
