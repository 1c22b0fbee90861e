//! Parse, run, exit.

use clap::Parser;
use jwthttpapi::{
    cli::{Cli, Command},
    run, telemetry,
};
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crds => match std::io::stdout().write_all(run::crds().as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
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
