//! The chart and the command line: every flag has its value, with the same default and the same rule.

use clap::{CommandFactory, Parser};
use jwthttpapi::{
    cli::{Cli, LogFormat},
    telemetry,
};
use serde_json::{Value, json};

use crate::{
    ground::{NAMESPACE, args, at, example, refusal, rendered, set, with},
    values::rows,
};

/// Flags that no value sets, each with its reason.
const FIXED: [(&str, &str); 1] = [(
    "lease-namespace",
    "the release's namespace, the one in which the chart gives the right",
)];

fn flags() -> Vec<String> {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let longs = run.get_arguments().filter_map(clap::Arg::get_long);
    longs.filter(|long| *long != "help").map(str::to_owned).collect()
}

/// The settings that these arguments make, as text that equal settings share.
fn settings(args: &[String]) -> String {
    let line = std::iter::once("jwthttpapi").chain(args.iter().map(String::as_str));
    format!("{:?}", Cli::try_parse_from(line).unwrap())
}

#[test]
fn every_flag_has_one_value_or_a_reason_to_have_none() {
    let rows = rows();
    for flag in flags() {
        let values: Vec<&str> = rows
            .iter()
            .filter(|row| row.flag.as_ref() == Some(&flag))
            .map(|row| row.path.as_str())
            .collect();
        let fixed = FIXED.iter().any(|(fixed, _)| *fixed == flag);
        assert!(
            values.len() == usize::from(!fixed),
            "--{flag} has the values {values:?}: describe one in values.yaml with [--{flag}] at its end"
        );
    }
}

#[test]
fn every_value_with_a_flag_reaches_it() {
    let flags = flags();
    let examples = ["full", "namespaced"].map(|name| (example(name), args(&example(name))));
    for row in rows() {
        let Some(flag) = row.flag else { continue };
        assert!(
            flags.contains(&flag),
            "{} becomes --{flag}, which the operator does not have",
            row.path
        );
        let reaches = |(values, args): &(Value, Vec<String>)| {
            at(values, &row.path).is_some_and(|value| {
                (*value != row.default || row.path == "leaderElection")
                    && words(value)
                        .iter()
                        .all(|word| carries(args, &format!("--{flag}="), word))
            })
        };
        assert!(
            examples.iter().any(reaches),
            "--{flag} of {} is in no example",
            row.path
        );
    }
}

fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(words).collect(),
        Value::Object(values) => values
            .iter()
            .map(|(key, value)| format!("{key}={}", words(value).concat()))
            .collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn carries(args: &[String], flag: &str, word: &str) -> bool {
    let values = args.iter().filter_map(|arg| arg.strip_prefix(flag));
    values
        .into_iter()
        .any(|value| value.split(',').any(|part| part == word) || value.contains(word))
}

#[test]
fn what_no_value_says_is_as_the_command_line_has_it() {
    let given = [
        "run",
        "--allowed-functions=arn:aws:lambda:eu-central-1:123456789012:function:team-a-*",
        &format!("--lease-namespace={NAMESPACE}"),
    ];
    assert_eq!(
        settings(&args(&example("minimal"))),
        settings(&given.map(str::to_owned))
    );
}

#[test]
fn the_operator_takes_the_arguments_of_every_example() {
    for name in ["full", "namespaced"] {
        let mut args = args(&example(name));
        args.retain(|arg| !arg.starts_with("--not-yet-a-value"));
        settings(&args);
    }
    let off = args(&with(&json!({"leaderElection": false})));
    assert!(settings(&off).contains("leader_elect: false"), "{off:?}");
}

#[test]
fn the_schema_refuses_what_the_command_line_refuses() {
    for (path, flag, value) in [
        ("resync", "resync", json!("500ms")),
        ("resync", "resync", json!("0")),
        ("resync", "resync", json!("0s")),
        ("resync", "resync", json!("1500ms")),
        ("resync", "resync", json!("1s")),
        ("settle.iam", "iam-settle", json!("500ms")),
        ("resync", "resync", json!("24h")),
        ("resync", "resync", json!("25h")),
        ("resync", "resync", json!("1441m")),
        ("settle.list", "list-settle", json!("86400001ms")),
        ("settle.iam", "iam-settle", json!("1m")),
        ("settle.iam", "iam-settle", json!("61s")),
        ("settle.deploy", "deploy-settle", json!("60000ms")),
        ("settle.deploy", "deploy-settle", json!("60001ms")),
        ("settle.deploy", "deploy-settle", json!("1h")),
        ("resync", "resync", json!("10")),
        ("resync", "resync", json!("1d")),
        ("settle.list", "list-settle", json!("-1s")),
        ("clusterId", "cluster-id", json!("a.b:c+d=e@f_g/h-i")),
        ("clusterId", "cluster-id", json!("a b")),
        ("clusterId", "cluster-id", json!("a".repeat(101))),
        ("concurrency", "concurrency", json!(256)),
        ("concurrency", "concurrency", json!(0)),
        ("concurrency", "concurrency", json!(257)),
        ("budget.apiGateway.burst", "apigateway-burst", json!(1001)),
        ("budget.lambda.rate", "lambda-rate", json!(0.5)),
        ("budget.lambda.rate", "lambda-rate", json!(-1)),
        ("budget.lambda.rate", "lambda-rate", json!(0)),
        ("budget.lambda.rate", "lambda-rate", json!(0.001)),
        ("budget.lambda.rate", "lambda-rate", json!(1001)),
        ("passableRoles", "passable-roles", json!(["*"])),
        ("passableRoles", "passable-roles", json!(["hello"])),
        (
            "aws.endpointUrl",
            "aws-endpoint-url",
            json!("http://127.0.0.1:4566/"),
        ),
        ("aws.endpointUrl", "aws-endpoint-url", json!("localhost:4566")),
        ("aws.endpointUrl", "aws-endpoint-url", json!("ftp://x")),
        ("defaultInvocation", "default-invocation", json!("ResourcePolicy")),
        ("defaultInvocation", "default-invocation", json!("resourcepolicy")),
        (
            "defaultTags",
            "default-tags",
            json!({"team": "a", "cost centre": "b=c"}),
        ),
        ("defaultTags", "default-tags", json!({"jwthttpapi.dev/uid": "u"})),
        ("defaultTags", "default-tags", json!({"JwtHttpApi.dev/uid": "u"})),
        ("defaultTags", "default-tags", json!({"aws:a": "b"})),
        ("defaultTags", "default-tags", json!({"Team": "a", "team": "b"})),
        ("defaultTags", "default-tags", json!({"team": "a*"})),
        ("roles.path", "role-path", json!("/team/a/")),
        ("roles.path", "role-path", json!("/")),
        ("roles.path", "role-path", json!("team/")),
        ("roles.path", "role-path", json!("/a b/")),
        (
            "roles.permissionsBoundary",
            "permissions-boundary",
            json!("arn:aws:iam::123456789012:policy/a/boundary"),
        ),
        (
            "roles.permissionsBoundary",
            "permissions-boundary",
            json!("arn:aws:iam::123456789012:role/a"),
        ),
        (
            "roles.permissionsBoundary",
            "permissions-boundary",
            json!("boundary"),
        ),
        ("logFormat", "log-format", json!("text")),
        ("logFormat", "log-format", json!("xml")),
    ] {
        let arg = format!("--{flag}={}", words(&value).join(","));
        let taken = Cli::try_parse_from(["jwthttpapi", "run", &arg]).is_ok();
        assert_eq!(rendered(&set(path, &value)).is_ok(), taken, "{path}: {value}");
    }
}

/// One that the operator refuses would end every container as it starts.
#[test]
fn no_log_level_is_taken_with_which_the_operator_would_not_start() {
    let values = |level: &str| with(&json!({"logLevel": level}));
    let read = |level: &str| {
        !telemetry::start(LogFormat::Text, level).is_err_and(|error| error.contains("--log-level"))
    };
    // The first one becomes this process's, in which nothing is to be logged.
    for right in [
        "off",
        "error",
        "warn",
        "INFO",
        "Debug",
        "trace",
        "info,jwthttpapi=debug",
        "jwthttpapi::aws=TRACE,warn",
        "kube_runtime::controller=off,jwthttpapi=debug,info",
        "info,hyper=debug",
    ] {
        rendered(&values(right)).unwrap();
        assert!(read(right), "{right}");
    }
    let refused = |level: &str| {
        let said = refusal(&values(level));
        assert!(said.contains("logLevel"), "{level:?}: {said}");
    };
    for wrong in [
        "",
        "warning",
        "verbose",
        "jwthttpapi",
        "info,",
        ",info",
        "info,,warn",
        "info,=debug",
        "info,jwthttpapi=loud",
        "info,jwthttpapi=",
        "info,[object{name=a}]=trace",
        "jwthttpapi[object]=trace",
        "[object]",
        "info,aws_smithy_runtime::client=trace",
        "aws_smithy_runtime:=trace",
        "aws_config::imds=debug",
        "aws_sdk_sts::operation=debug",
        "hyper::proto=debug,info",
        "tower::buffer=debug",
        "aws_sigv4::http_request=trace",
        "kube_client::client::builder=debug",
    ] {
        refused(wrong);
        assert!(!read(wrong), "{wrong:?}");
    }
    // The chart has one form, without spaces; the operator reads a person's as it is meant.
    for spaced in [
        " info",
        "jwthttpapi=debug, warn",
        "info, jwthttpapi=debug",
        "info\n",
    ] {
        refused(spaced);
        assert!(read(spaced), "{spaced:?}");
    }
}
