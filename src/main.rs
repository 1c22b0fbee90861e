//! Parse, run, exit.

use clap::Parser;
use jwthttpapi::{
    cli::{Cli, Command, LogFormat},
    run, telemetry,
};
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crds => {
            let written = run::crds().map(|crds| std::io::stdout().write_all(crds.as_bytes()));
            ExitCode::from(u8::from(!matches!(written, Ok(Ok(())))))
        }
        Command::Verify(scope) => {
            let found = telemetry::start(LogFormat::Text, "warn")
                .map_err(run::Error::Configuration)
                .and_then(|()| run::verify(&scope));
            match found {
                Ok(findings) => {
                    let told = std::io::stdout().write_all(findings.text().as_bytes());
                    ExitCode::from(u8::from(told.is_err() || !findings.bad.is_empty()))
                }
                // 1 says that something is not as it should be, as with `kubectl diff`.
                Err(error) => {
                    let _ = writeln!(std::io::stderr(), "jwthttpapi: {error}");
                    ExitCode::from(2)
                }
            }
        }
        Command::Run(settings) => {
            let result = telemetry::start(settings.log_format, &settings.log_level)
                .map_err(run::Error::Configuration)
                .and_then(|()| run::run(*settings));
            match result {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    let _ = writeln!(std::io::stderr(), "jwthttpapi: {error}");
                    ExitCode::from(error.exit_code())
                }
            }
        }
    }
}
