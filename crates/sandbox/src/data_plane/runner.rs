//! Runs a function's code: really, by Node or Python, once per invocation.
//!
//! Every invocation is a cold start: the archive is unpacked into a temporary directory, an interpreter runs it there,
//! and both are gone afterwards. The event goes in by standard input and the result comes out by a file, so that
//! nothing that the function prints can be taken for its result; what it prints is logged at debug level.

mod workplace;

use std::{
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{process::Command, time};

use crate::model::deployment::FunctionView;
use workplace::Workplace;

/// The programs that run functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreters {
    /// Runs `nodejs*`. Looked for in `PATH` unless it has a slash.
    pub node: PathBuf,
    /// Runs `python3.*`. Looked for in `PATH` unless it has a slash.
    pub python: PathBuf,
}

impl Default for Interpreters {
    fn default() -> Self {
        Self {
            node: "node".into(),
            python: "python3".into(),
        }
    }
}

/// How long a function may take to start, beyond its own timeout, which the program that calls the handler enforces from
/// the handler's start on (D: Lambda's init phase). After both, the process is ended from outside.
const INIT: Duration = Duration::from_secs(10);

/// The log stream of all invocations.
pub(super) const LOG_STREAM: &str = "sandbox";

/// One invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// What is run.
    pub function: &'a FunctionView,
    /// What it is given.
    pub event: &'a Value,
    /// Given to the function as its request id.
    pub request_id: &'a str,
    /// How long the caller waits, from now on: cold starts count (O).
    pub caller_waits: Duration,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With a result.
    Returned(Value),
    /// It threw, exited, could not be loaded or ran into its own timeout. What happened, for the log.
    Failed(String),
    /// The caller's patience ended first.
    CallerGaveUp,
    /// Nothing here can run it. Says what is missing.
    NoInterpreter(String),
}

/// What the interpreter's side leaves in the result file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Report {
    Returned(Value),
    #[serde(rename_all = "camelCase")]
    Failed {
        error_type: String,
        error_message: String,
    },
}

/// A language that functions are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Node,
    Python,
}

impl Language {
    fn of(runtime: &str) -> Option<Self> {
        if runtime.starts_with("nodejs") {
            Some(Self::Node)
        } else if runtime.starts_with("python3.") {
            Some(Self::Python)
        } else {
            None
        }
    }

    fn program(self, interpreters: &Interpreters) -> &PathBuf {
        match self {
            Self::Node => &interpreters.node,
            Self::Python => &interpreters.python,
        }
    }

    /// Name and text of the program that calls the handler.
    fn bootstrap(self) -> (&'static str, &'static str) {
        match self {
            Self::Node => ("bootstrap.mjs", include_str!("runner/node.mjs")),
            Self::Python => ("bootstrap.py", include_str!("runner/python.py")),
        }
    }
}

/// Runs a function to its end. Dropping the future ends the function's process.
pub async fn run(interpreters: &Interpreters, invocation: &Invocation<'_>) -> Outcome {
    match attempt(interpreters, invocation).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(format!("the sandbox could not run it: {error}")),
    }
}

async fn attempt(interpreters: &Interpreters, invocation: &Invocation<'_>) -> io::Result<Outcome> {
    let function = invocation.function;
    let Some(language) = Language::of(&function.runtime) else {
        return Ok(Outcome::NoInterpreter(format!(
            "the runtime {}",
            function.runtime
        )));
    };
    let program = language.program(interpreters);
    let input = json!({"event": invocation.event, "context": {
        "awsRequestId": invocation.request_id,
        "invokedFunctionArn": function.arn,
        "timeoutSeconds": function.timeout_seconds,
    }});
    let workplace = Workplace::lay_out(function.zip.clone(), language.bootstrap(), input.to_string()).await?;
    let spawned = Command::new(program)
        .arg(workplace.bootstrap())
        .args([function.handler.as_str().as_ref(), workplace.result().as_os_str()])
        .current_dir(workplace.task())
        .env_clear()
        .envs(
            ["PATH", "HOME"]
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .envs(&function.environment)
        .envs(reserved_environment(function))
        .env("LAMBDA_TASK_ROOT", workplace.task())
        .stdin(workplace.open_input()?)
        .stdout(Stdio::from(workplace.open_log()?))
        .stderr(Stdio::from(workplace.open_log()?))
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Outcome::NoInterpreter(format!(
                "the program {}",
                program.display()
            )));
        }
        spawned => spawned?,
    };
    let function_takes_at_most = INIT + Duration::from_secs(function.timeout_seconds.into());
    let ended = time::timeout(function_takes_at_most.min(invocation.caller_waits), child.wait()).await;
    if ended.is_err() {
        child.kill().await?;
    }
    let (result, log) = workplace.clear().await?;
    tracing::debug!(
        function = function.arn,
        request = invocation.request_id,
        output = log,
        "function ended"
    );
    Ok(match ended {
        Ok(status) => judge(result.as_deref(), status?),
        Err(_) if invocation.caller_waits < function_takes_at_most => Outcome::CallerGaveUp,
        Err(_) => Outcome::Failed(format!(
            "Task timed out after {} seconds",
            function.timeout_seconds
        )),
    })
}

fn judge(result: Option<&str>, status: ExitStatus) -> Outcome {
    match result.map(serde_json::from_str) {
        Some(Ok(Report::Returned(value))) => Outcome::Returned(value),
        Some(Ok(Report::Failed {
            error_type,
            error_message,
        })) => Outcome::Failed(format!("{error_type}: {error_message}")),
        Some(Err(error)) => Outcome::Failed(format!("its result cannot be read: {error}")),
        None => Outcome::Failed(format!("it ended without a result: {status}")),
    }
}

/// What Lambda sets itself, whatever the function's own variables say (D).
fn reserved_environment(function: &FunctionView) -> [(&'static str, String); 10] {
    let part = |index: usize| function.arn.split(':').nth(index).unwrap_or_default().to_owned();
    let name = part(6);
    [
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime)),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mib.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM.to_owned()),
        ("AWS_REGION", part(3)),
        ("AWS_DEFAULT_REGION", part(3)),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", function.handler.clone()),
    ]
}
