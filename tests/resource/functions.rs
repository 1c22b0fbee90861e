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
    ]);
}

#[test]
fn an_es_module_may_speak_of_exports() {
    let module =
        |text: &str| owning(&json!({"code": format!("{text}\nexport const handler = async () => ({{}});")}));
    accepted(vec![
        ("word-in-a-comment", module("// what it exports.")),
        (
            "assignment-in-a-comment",
            module("// exports.handler = async () => ({});"),
        ),
        (
            "assignment-behind-code",
            module("const x = 1; // not exports.x = 1"),
        ),
        (
            "assignment-in-a-block",
            module("/* before:\n * exports.handler = 1\n * Object.assign(exports, x)\n */"),
        ),
        (
            "comparison",
            module("const old = typeof exports === 'object' && exports.x == 1;"),
        ),
        (
            "another-word",
            module("let myexports = 1; myexports = 2; const o = {exports: 1};"),
        ),
        ("of-an-instance", module("const exports = instance.exports;")),
        ("taken-apart", module("const { exports } = instance;")),
        (
            "compared",
            module(
                "const { exports } = instance; while (exports.count <= exports.most && exports.x != 1) run();",
            ),
        ),
        (
            "compared-the-other-way",
            module(
                "if (exports.size >= 1) run(exports.other >= 2); if (typeof module !== 'undefined' && module.exports != null) run();",
            ),
        ),
        (
            "parameter",
            module("const xs = modules.map(exports => exports.x); const y = 2;"),
        ),
        (
            "without-semicolons",
            module("const many = names(exports).length + exports.length\nconst more = many"),
        ),
        (
            "in-a-text",
            module("const hint = \"exports.a = 1\", other = 'exports.b = 2';"),
        ),
        (
            "python-exports",
            owning(&json!({"runtime": "python3.13", "code": "exports = {}\nexports['a'] = 1"})),
        ),
    ]);
}

#[test]
fn common_js_is_refused_however_it_is_written() {
    let says = "write export const handler = async (event) => ({...}) instead of exports.handler = ...";
    let codes = [
        ("commonjs", "exports.handler = async () => ({});"),
        ("commonjs indented", "  exports.handler = async () => ({});"),
        (
            "commonjs module",
            "const x = 1;\nmodule.exports.handler = async () => x;",
        ),
        (
            "commonjs whole module",
            "module.exports = {handler: async () => ({})};",
        ),
        ("commonjs by index", "exports['handler'] = async () => ({});"),
        (
            "commonjs module by index",
            "module.exports[\"handler\"] = async () => ({});",
        ),
        (
            "commonjs assigned twice",
            "const handler = exports.handler = async () => ({});",
        ),
        (
            "commonjs on one line",
            "\"use strict\";var a=1;exports.handler=async()=>a;",
        ),
        (
            "commonjs after a quotient",
            "const half = 1 / 2; exports.handler = async () => half;",
        ),
        (
            "commonjs after a comment",
            "/* it\n * is */\nexports.handler = async () => ({});",
        ),
        (
            "commonjs merged",
            "Object.assign(exports, {handler: async () => ({})});",
        ),
        (
            "commonjs module merged",
            "const x = 1;\nObject.assign( module.exports, {x});",
        ),
        (
            "commonjs compiled",
            "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", {value: true});",
        ),
    ];
    let row = |(what, code): &(&'static str, &str)| {
        bad(what, owning(&json!({"code": code})), "spec.functions[0]", says)
    };
    refused(codes.iter().map(row).collect());
}

/// In every script, and for Node.js, whose rules cost more: the API server counts what it spends on one object.
#[test]
fn twenty_functions_are_the_most_and_their_code_is_measured_in_bytes() {
    let functions = |count: usize, runtime: &str, code: &str| {
        let functions = (0..count).map(|n| {
            json!({"name": format!("f{n}"), "runtime": runtime, "handler": "index.handler", "code": code})
        });
        with(json!({
            "functions": functions.collect::<Vec<_>>(),
            "routes": [{"routeKey": "GET /a", "lambda": {"function": "f0"}}],
        }))
    };
    let three = "あ";
    for (name, spec) in [
        (
            "twenty-of-node",
            functions(20, "nodejs24.x", &"x ".repeat(30_000)),
        ),
        (
            "twenty-of-another-script",
            functions(20, "python3.13", &three.repeat(20_000)),
        ),
    ] {
        cluster()
            .apply_server_side(&object(name, &spec).to_string())
            .unwrap();
        assert_eq!(stored(name)["spec"], spec);
    }
    refused(vec![
        bad(
            "twenty-one functions",
            functions(21, "python3.13", "x"),
            "spec.functions",
            "must have at most 20 items",
        ),
        bad(
            "code of 60,003 bytes",
            owning(&json!({"code": three.repeat(20_001)})),
            "spec.functions[0].code",
            "the code has more than 60,000 bytes",
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
