//! Functions really run: what they return, how they fail, and what they are given.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot go on without has to be there"
)]

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::PathBuf,
    time::Duration,
};

use jwthttpapi_sandbox::{
    data_plane::runner::{self, Interpreters, Invocation, Outcome},
    model::deployment::{FunctionState, FunctionView},
};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

const PATIENT: Duration = Duration::from_secs(30);

fn function(runtime: &str, handler: &str, file: &str, code: &str) -> FunctionView {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(file, SimpleFileOptions::default()).unwrap();
    archive.write_all(code.as_bytes()).unwrap();
    FunctionView {
        arn: "arn:aws:lambda:eu-west-1:123456789012:function:hello".to_owned(),
        runtime: runtime.to_owned(),
        handler: handler.to_owned(),
        zip: archive.finish().unwrap().into_inner(),
        environment: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        timeout_seconds: 20,
        memory_mib: 128,
        state: FunctionState::Active,
    }
}

async fn run(function: &FunctionView, caller_waits: Duration) -> Outcome {
    let event = json!({"name": "you"});
    let invocation = Invocation {
        function,
        event: &event,
        request_id: "request-1",
        caller_waits,
    };
    runner::run(&Interpreters::default(), &invocation).await
}

async fn returned(runtime: &str, handler: &str, file: &str, code: &str) -> Value {
    match run(&function(runtime, handler, file, code), PATIENT).await {
        Outcome::Returned(value) => value,
        other => panic!("{file}: {other:?}"),
    }
}

async fn failure(runtime: &str, handler: &str, file: &str, code: &str) -> String {
    match run(&function(runtime, handler, file, code), PATIENT).await {
        Outcome::Failed(message) => message,
        other => panic!("{file}: {other:?}"),
    }
}

#[tokio::test]
async fn every_kind_of_module_is_loaded_and_prints_do_not_touch_the_result() {
    let node =
        r#"console.log('{"returned": "forged"}'); return {got: event.name, says: process.env.GREETING};"#;
    let python = "def handler(event, context):\n    print('{\"returned\": \"forged\"}')\n    \
                  import os\n    return {'got': event['name'], 'says': os.environ['GREETING']}\n";
    let expected = json!({"got": "you", "says": "hello"});
    for (runtime, handler, file, code) in [
        (
            "nodejs24.x",
            "index.handler",
            "index.mjs",
            format!("export const handler = async (event) => {{{node}}};"),
        ),
        (
            "nodejs22.x",
            "index.handler",
            "index.js",
            format!("exports.handler = async (event) => {{{node}}};"),
        ),
        (
            "nodejs24.x",
            "src/app.a.b",
            "src/app.cjs",
            format!("exports.a = {{b: (event) => {{{node}}}}};"),
        ),
        ("python3.13", "app.handler", "app.py", python.to_owned()),
        ("python3.14", "pkg/app.handler", "pkg/app.py", python.to_owned()),
    ] {
        assert_eq!(returned(runtime, handler, file, &code).await, expected, "{file}");
    }
}

#[tokio::test]
async fn callbacks_count_before_nodejs24_and_are_refused_from_then_on() {
    let code = "exports.handler = (event, context, done) => setTimeout(() => done(null, event.name), 1);";
    assert_eq!(
        returned("nodejs22.x", "index.handler", "index.js", code).await,
        json!("you")
    );
    assert!(
        failure("nodejs24.x", "index.handler", "index.js", code)
            .await
            .contains("callback")
    );
    let silent = "exports.handler = () => 'not a promise';";
    assert_eq!(
        returned("nodejs22.x", "index.handler", "index.js", silent).await,
        Value::Null
    );
    assert_eq!(
        returned("nodejs24.x", "index.handler", "index.js", silent).await,
        json!("not a promise")
    );
}

#[tokio::test]
async fn the_context_tells_who_is_running() {
    let node = "export const handler = async (event, context) => \
                [context.functionName, context.awsRequestId, context.getRemainingTimeInMillis() > 1000];";
    let python = "def handler(event, context):\n    return [context.function_name, context.aws_request_id, \
                  context.get_remaining_time_in_millis() > 1000]\n";
    let expected = json!(["hello", "request-1", true]);
    assert_eq!(
        returned("nodejs24.x", "index.handler", "index.mjs", node).await,
        expected
    );
    assert_eq!(
        returned("python3.13", "index.handler", "index.py", python).await,
        expected
    );
}

#[tokio::test]
async fn a_function_that_throws_exits_or_cannot_be_loaded_has_failed() {
    for (runtime, file, code, words) in [
        (
            "nodejs24.x",
            "index.mjs",
            "export const handler = async () => { throw new TypeError('no'); };",
            "TypeError: no",
        ),
        (
            "nodejs24.x",
            "index.mjs",
            "export const handler = async () => process.exit(3);",
            "exit status: 3",
        ),
        (
            "nodejs24.x",
            "index.mjs",
            "export const handler = async () => 1n;",
            "BigInt",
        ),
        (
            "nodejs24.x",
            "index.mjs",
            "export const other = 1;",
            "not exported",
        ),
        (
            "nodejs24.x",
            "index.mjs",
            "export const handler = ",
            "SyntaxError",
        ),
        (
            "nodejs24.x",
            "else.mjs",
            "export const handler = async () => 1;",
            "Cannot find module",
        ),
        (
            "python3.13",
            "index.py",
            "def handler(event, context):\n    raise ValueError('no')\n",
            "ValueError: no",
        ),
        (
            "python3.13",
            "index.py",
            "import sys\ndef handler(event, context):\n    sys.exit(3)\n",
            "SystemExit: 3",
        ),
        (
            "python3.13",
            "index.py",
            "def handler(event, context):\n    return object()\n",
            "TypeError",
        ),
        ("python3.13", "else.py", "", "ModuleNotFoundError"),
    ] {
        let message = failure(runtime, "index.handler", file, code).await;
        assert!(message.contains(words), "{file}, {code}: {message}");
    }
    let broken = FunctionView {
        zip: b"no archive".to_vec(),
        ..function("nodejs24.x", "index.handler", "x", "")
    };
    assert!(matches!(run(&broken, PATIENT).await, Outcome::Failed(_)));
}

#[tokio::test]
async fn a_function_ends_with_its_own_timeout_or_the_callers_patience() {
    for (runtime, file, code) in [
        (
            "nodejs24.x",
            "index.mjs",
            "export const handler = () => new Promise((done) => setTimeout(done, 60000));",
        ),
        (
            "python3.13",
            "index.py",
            "import time\ndef handler(event, context):\n    time.sleep(60)\n",
        ),
    ] {
        let sleeper = FunctionView {
            timeout_seconds: 1,
            ..function(runtime, "index.handler", file, code)
        };
        match run(&sleeper, PATIENT).await {
            Outcome::Failed(message) => assert!(message.contains("timed out after 1 seconds"), "{message}"),
            other => panic!("{file}: {other:?}"),
        }
        assert_eq!(
            run(&sleeper, Duration::from_millis(50)).await,
            Outcome::CallerGaveUp,
            "{file}"
        );
    }
}

#[tokio::test]
async fn a_missing_interpreter_is_named() {
    let event = json!({});
    let interpreters = Interpreters {
        node: PathBuf::from("/nowhere/node"),
        ..Interpreters::default()
    };
    for (runtime, named) in [
        ("nodejs24.x", "/nowhere/node"),
        ("java21", "java21"),
        ("python2.7", "python2.7"),
    ] {
        let function = function(runtime, "index.handler", "index.mjs", "");
        let invocation = Invocation {
            function: &function,
            event: &event,
            request_id: "r",
            caller_waits: PATIENT,
        };
        match runner::run(&interpreters, &invocation).await {
            Outcome::NoInterpreter(missing) => assert!(missing.contains(named), "{missing}"),
            other => panic!("{runtime}: {other:?}"),
        }
    }
}
