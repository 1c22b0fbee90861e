//! `jwthttpapi-local`: the demo, and the same ground left running, on one's own machine.

mod bench;
mod demo;
mod ground;
mod narrator;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jwthttpapi_test_support::{Error, tools::Tools};

use self::narrator::Narrator;

/// A local Kubernetes, a local AWS, a local issuer, and the operator between them.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds the Kubernetes programs into the cache, if they are not there.
    Tools,
    /// Tells the whole story, from nothing to an API and back.
    Demo,
    /// Measures size, times and memory of the operator named by `CARGO_BIN_EXE_jwthttpapi`.
    Bench,
    /// Starts everything and leaves it running.
    Up,
    /// Ends what `up` started.
    Down,
    /// Holds what `up` started, until it is told to end.
    #[command(hide = true)]
    Keep,
}

fn main() -> ExitCode {
    let narrator = Narrator::default();
    let outcome = match Cli::parse().verb {
        Verb::Tools => tools(&narrator),
        Verb::Demo => demo::run(&narrator)
            .inspect_err(|_| narrator.say("\nIt did not come as told; the logs are in .local/demo.")),
        Verb::Bench => bench::run(&narrator),
        Verb::Up => up::up(&narrator),
        Verb::Down => up::down(&narrator),
        Verb::Keep => up::keep(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\njwthttpapi-local: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tools(narrator: &Narrator) -> Result<(), Error> {
    if !Tools::are_built()? {
        narrator.say("Building Kubernetes, etcd, kubectl and Helm: minutes, once per machine.");
    }
    let tools = Tools::provide()?;
    narrator.say(&format!("Kubernetes is at {}", tools.kube_apiserver.display()));
    Ok(())
}
