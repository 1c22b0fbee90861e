//! Plain HTTP to the API server, for requests in such numbers that a kubectl for each would be too slow.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::{
    Error,
    process::{Launch, Process},
};

const START_LIMIT: Duration = Duration::from_secs(30);
/// Longer than any answer takes: none of them is a watch.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `kubectl proxy`, whose clients are administrators; it ends when this is dropped.
#[derive(Debug)]
pub struct Gate {
    _process: Process,
    url: String,
    agent: Agent,
}

impl Gate {
    /// Opens it.
    pub(super) fn open(kubectl: Launch) -> Result<Self, Error> {
        let process = kubectl.args(["proxy", "--port=0"]).spawn()?;
        let url = process.wait_for_line("its address", START_LIMIT, |line| {
            line.split_once("Starting to serve on ")
                .map(|(_, address)| format!("http://{}", address.trim()))
        })?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Ok(Self {
            _process: process,
            url,
            agent,
        })
    }

    /// What is at a path.
    ///
    /// # Errors
    ///
    /// The API server does not answer, or anything but 2xx.
    pub fn read(&self, path: &str) -> Result<Value, Error> {
        self.call(path, None)
    }

    /// Merges a patch into what is at a path: what became of it.
    ///
    /// # Errors
    ///
    /// The API server does not answer, or refuses it.
    pub fn merge(&self, path: &str, patch: &Value) -> Result<Value, Error> {
        self.call(path, Some(patch))
    }

    fn call(&self, path: &str, patch: Option<&Value>) -> Result<Value, Error> {
        let url = format!("{}{path}", self.url);
        let failed = |problem: String| Error::Http {
            request: format!("{} {url}", if patch.is_some() { "PATCH" } else { "GET" }),
            problem,
        };
        let sent = match patch {
            Some(patch) => self
                .agent
                .patch(&url)
                .header("content-type", "application/merge-patch+json")
                .send(patch.to_string()),
            None => self.agent.get(&url).call(),
        };
        let mut answer = sent.map_err(|error| failed(error.to_string()))?;
        let text = answer
            .body_mut()
            .read_to_string()
            .map_err(|error| failed(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(failed(format!("{} {text}", answer.status())));
        }
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
    }
}
