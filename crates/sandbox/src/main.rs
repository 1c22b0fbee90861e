//! The sandbox as a program.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use jwthttpapi_sandbox::{Account, Clock, Fetcher, Issuers, Options, Sandbox, Settings, serve};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

/// A strict model of the parts of AWS that jwthttpapi uses.
///
/// Point an SDK's endpoint URL at it, with any credentials: signatures are not verified.
#[derive(Debug, Parser)]
#[command(name = "jwthttpapi-sandbox")]
struct Arguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,

    /// The account that everything belongs to
    #[arg(long, value_name = "ID", default_value = "123456789012", value_parser = account_id)]
    account: String,

    /// The Region of requests that name none
    #[arg(long, default_value = "eu-central-1")]
    region: String,

    /// A certificate authority (PEM) to trust when issuers are fetched; may be given several times
    #[arg(long, value_name = "FILE")]
    issuer_ca: Vec<PathBuf>,

    /// Switches that differ from their defaults, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = settings)]
    settings: Box<Settings>,

    /// Decides identifiers and shuffled orders
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account has twelve digits".into())
    }
}

fn settings(text: &str) -> Result<Box<Settings>, String> {
    let patch = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Settings::default()
        .patched(&patch)
        .map(Box::new)
        .map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    // RUST_LOG=jwthttpapi_sandbox=debug tells why calls are turned away, and what functions print.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => say(&problem, 2),
    }
}

/// One line for what is wrong; help and version as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    say(line.strip_prefix("error: ").unwrap_or(line), 2)
}

fn say(line: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "jwthttpapi-sandbox: {line}");
    ExitCode::from(code)
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let fetcher = Fetcher::new(&arguments.issuer_ca).map_err(|error| format!("--issuer-ca {error}"))?;
    let sandbox = Sandbox::new(Options {
        account: Account {
            partition: partition(&arguments.region).into(),
            id: arguments.account,
        },
        region: arguments.region,
        seed: arguments.seed,
        settings: *arguments.settings,
        clock: Clock::System,
        issuers: Issuers::Fetch(Box::new(fetcher)),
    });
    let cannot_listen = |error| format!("cannot listen on {}: {error}", arguments.listen);
    let listener = TcpListener::bind(arguments.listen).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let shutdown = async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    writeln!(std::io::stderr(), "listening on http://{address}").map_err(|error| error.to_string())?;
    serve(listener, sandbox, shutdown)
        .await
        .map_err(|error| error.to_string())
}

fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
