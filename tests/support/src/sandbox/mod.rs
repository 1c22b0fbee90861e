//! The sandbox as a test sees it: its views, raw calls to its AWS, and calls through the APIs in it.

mod client;
mod functions;
mod journal;
mod state;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

pub use self::{
    client::{Answer, SandboxClient},
    journal::{JournalEntry, Permission, Watched},
    state::released,
};
use crate::{
    Error, OPERATOR_ACCESS_KEY, places,
    process::{Launch, Process},
    rights,
};

/// The account of a sandbox started by [`Sandbox::start`].
pub const ACCOUNT: &str = "123456789012";
/// Its Region.
pub const REGION: &str = "eu-central-1";
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running sandbox; it ends when this is dropped.
pub struct Sandbox {
    client: SandboxClient,
    process: Process,
}

impl Sandbox {
    /// Starts the sandbox binary on a free port, with `issuers` as the authority that its issuers' certificates are
    /// trusted by, `settings` as its `--settings` (an empty object for none), and its log in the file `log`. The owner of
    /// [`OPERATOR_ACCESS_KEY`] may do there what the documents say that an operator needs, and nothing else.
    ///
    /// # Errors
    ///
    /// It is not built or does not start.
    pub fn start(issuers: &Path, settings: &Value, log: impl Into<PathBuf>) -> Result<Self, Error> {
        let operator = json!({"name": "operator", "policy": rights::operator_policy()?});
        let mut settings = settings.clone();
        if let Some(settings) = settings.as_object_mut() {
            let principals = settings.entry("principals").or_insert_with(|| json!({}));
            if let Some(principals) = principals.as_object_mut() {
                principals.insert(OPERATOR_ACCESS_KEY.to_owned(), operator);
            }
        }
        let process = Launch::new(places::binary("jwthttpapi-sandbox")?, log)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--account",
                ACCOUNT,
                "--region",
                REGION,
            ])
            .arg("--issuer-ca")
            .arg(issuers)
            .args(["--settings".to_owned(), settings.to_string()])
            .spawn()?;
        let url = process.wait_for_line("its address", START_LIMIT, |line| {
            line.split_once("listening on ")
                .map(|(_, url)| url.trim().to_owned())
        })?;
        Ok(Self {
            client: SandboxClient::new(url),
            process,
        })
    }

    /// Its views and its AWS.
    pub fn client(&self) -> &SandboxClient {
        &self.client
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
