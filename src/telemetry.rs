//! Logs: one subscriber for the process, JSON for machines or text for people.

use crate::cli::LogFormat;
use tracing_subscriber::EnvFilter;

/// Libraries that would write bodies of requests and answers, and with them credentials, code and variables.
const QUIET: [&str; 7] = [
    "aws_smithy_runtime=warn",
    "aws_config=warn",
    "aws_sdk_sts=warn",
    "hyper=warn",
    "tower=warn",
    "aws_sigv4=warn",
    "kube_client::client=error",
];

/// Starts logging to standard error.
///
/// # Errors
/// When the directives do not parse; with what to write instead.
pub fn start(format: LogFormat, directives: &str) -> Result<(), String> {
    let refused = |error: &dyn std::fmt::Display| {
        format!(
            "--log-level {directives:?}: {error}; write error, warn, info, debug, trace, or directives such as info,jwthttpapi=debug"
        )
    };
    let mut filter = EnvFilter::builder()
        .parse(directives)
        .map_err(|error| refused(&error))?;
    for quiet in QUIET {
        filter = filter.add_directive(quiet.parse().map_err(|error| refused(&error))?);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let started = match format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|error| error.to_string())
}
