//! Logs: one subscriber for the process, JSON for machines or text for people.

use crate::cli::LogFormat;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Libraries that would write bodies of requests and answers, and with them credentials, code and variables; and up to which level
/// they may be heard.
const QUIET: [(&str, &str); 7] = [
    ("aws_smithy_runtime", "warn"),
    ("aws_config", "warn"),
    ("aws_sdk_sts", "warn"),
    ("hyper", "warn"),
    ("tower", "warn"),
    ("aws_sigv4", "warn"),
    ("kube_client::client", "error"),
];

/// Starts logging to standard error.
///
/// # Errors
/// When the directives do not parse; with what to write instead.
pub fn start(format: LogFormat, directives: &str) -> Result<(), String> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(directives)?)
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

/// What is logged of all that is said.
fn filter(directives: &str) -> Result<EnvFilter, String> {
    let refused = |error: &dyn std::fmt::Display| {
        format!(
            "--log-level {directives:?}: {error}; write off, error, warn, info, debug, trace, or directives such as info,jwthttpapi=debug"
        )
    };
    let parts: Vec<&str> = directives.split(',').map(str::trim).collect();
    for part in &parts {
        // A span's directive counts before those of libraries, and so does the longer name of a part of one.
        if part.contains('[') {
            return Err(refused(&format!(
                "{part:?} is about a span, in which libraries would write what has to stay secret"
            )));
        }
        // A word alone would also pass for a target, all of which is logged and nothing else: a mistyped level for silence. No level
        // would be the loudest one.
        let (target, level) = part.split_once('=').unwrap_or(("", part));
        if level.is_empty() || level.parse::<LevelFilter>().is_err() {
            return Err(refused(&format!("{level:?} is no level")));
        }
        let is_part_of = |(library, _): &&(&str, &str)| {
            let rest = target.strip_prefix(library);
            rest.is_some_and(|rest| rest.starts_with(':'))
        };
        if let Some((library, most)) = QUIET.iter().find(is_part_of) {
            return Err(refused(&format!(
                "{target:?} is a part of {library}, of which nothing but {most} is written"
            )));
        }
    }
    let mut filter = EnvFilter::builder()
        .parse(parts.join(","))
        .map_err(|error| refused(&error))?;
    for (library, most) in QUIET {
        let quiet = format!("{library}={most}");
        filter = filter.add_directive(quiet.parse().map_err(|error| refused(&error))?);
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_that_there_is() {
        for good in [
            "error",
            "INFO",
            "off",
            "info,jwthttpapi=debug",
            "jwthttpapi=debug, warn",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for spaced in [" debug", "jwthttpapi=info, debug "] {
            let heard = filter(spaced).unwrap().to_string();
            assert!(heard.ends_with(",debug"), "{heard}");
        }
        for bad in [
            "warning",
            "verbose",
            "",
            "info,",
            "jwthttpapi",
            "info,jwthttpapi=loud",
            "info,jwthttpapi=",
        ] {
            let said = filter(bad).unwrap_err();
            assert!(said.contains("write off, error, warn, info"), "{said}");
        }
    }

    /// Bodies of requests to STS hold the service account's token.
    #[test]
    fn nothing_makes_libraries_speak_that_would_write_secrets() {
        for loud in [
            "info,[object{name=hello}]=trace",
            "jwthttpapi[object]=trace",
            "info,aws_smithy_runtime::client=trace",
            " hyper::proto=debug",
            "info,aws_smithy_runtime:=trace",
        ] {
            let said = filter(loud).unwrap_err();
            assert!(
                said.contains("is written") || said.contains("stay secret"),
                "{said}"
            );
        }
        for (library, most) in QUIET {
            let heard = filter(&format!("trace,{library}=trace")).unwrap().to_string();
            assert!(heard.contains(&format!("{library}={most}")), "{heard}");
            assert!(!heard.contains(&format!("{library}=trace")), "{heard}");
        }
    }
}
