//! HTTP to a sandbox.

use std::{collections::BTreeMap, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::{Agent, http};

use super::{JournalEntry, REGION, Watched};
use crate::Error;

/// The access key that this client signs with; an operator has another one.
const ACCESS_KEY: &str = "AKIDTESTSUPPORT";
/// Longer than anything that a test waits for by one request.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A client of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxClient {
    url: String,
    agent: Agent,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case; of several of one name the last.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_str(&self.body)
            .map_err(|error| Error::document(format!("body {:?}", self.body), error.to_string()))
    }
}

impl SandboxClient {
    /// A client of the sandbox at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self {
            url: url.into(),
            agent,
        }
    }

    /// Where it listens: what `--aws-endpoint-url` wants.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every AWS request after the one numbered `since`, in order.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn journal(&self, since: u64) -> Result<Vec<JournalEntry>, Error> {
        let journal = self.view("GET", &format!("/_sandbox/journal?since={since}"), None)?;
        serde_json::from_value(journal)
            .map_err(|error| Error::document("the sandbox's journal", error.to_string()))
    }

    /// The number of the last AWS request: what to give as `since` later.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn journal_mark(&self) -> Result<u64, Error> {
        Ok(self.journal(0)?.last().map_or(0, |entry| entry.number))
    }

    /// Everything that exists in the account.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn state(&self) -> Result<Value, Error> {
        self.view("GET", "/_sandbox/state", None)
    }

    /// Waits until there was a request after the one numbered `number`, or one is held; at most for `limit`, below two
    /// minutes.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn wait(&self, number: u64, limit: Duration) -> Result<Watched, Error> {
        let path = format!("/_sandbox/wait?journal={number}&timeout_ms={}", limit.as_millis());
        read(self.view("GET", &path, None)?)
    }

    /// Changes settings; those not named stay.
    ///
    /// # Errors
    ///
    /// There is no such setting.
    pub fn set(&self, settings: &Value) -> Result<(), Error> {
        self.view("PATCH", "/_sandbox/settings", Some(settings)).map(drop)
    }

    /// Adds a rule about faults: its id.
    ///
    /// # Errors
    ///
    /// The rule cannot be read.
    pub fn add_fault(&self, rule: &Value) -> Result<u64, Error> {
        let added = self.view("POST", "/_sandbox/faults", Some(rule))?;
        let id = added.pointer("/ids/0").and_then(Value::as_u64);
        id.ok_or_else(|| Error::document("the sandbox's answer", added.to_string()))
    }

    /// Removes all rules about faults.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn clear_faults(&self) -> Result<(), Error> {
        self.view("DELETE", "/_sandbox/faults", None).map(drop)
    }

    /// Lets the held request numbered `number` go on, or all of them; with `discard` they get no answer.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn release(&self, number: Option<u64>, discard: bool) -> Result<(), Error> {
        let which = json!({"number": number, "discard": discard});
        self.view("POST", "/_sandbox/release", Some(&which)).map(drop)
    }

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn reset(&self) -> Result<(), Error> {
        self.view("POST", "/_sandbox/reset", None).map(drop)
    }

    /// Calls AWS by REST and JSON, as somebody with credentials and no SDK would.
    ///
    /// # Errors
    ///
    /// AWS answers anything but 2xx; the error holds status and body.
    pub fn aws(&self, service: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let headers = [
            ("authorization", &*authorization(service)),
            ("content-type", "application/json"),
        ];
        let body = body.map(Value::to_string);
        self.expect_success(method, path, &headers, body.as_deref())
    }

    /// Calls AWS by the query protocol, as IAM and STS have it.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer at all.
    pub fn query(&self, service: &str, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let body =
            serde_urlencoded::to_string(form).map_err(|error| Error::document("form", error.to_string()))?;
        let headers = [
            ("authorization", &*authorization(service)),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.call("POST", "/", &headers, Some(&body))
    }

    /// Calls through an API's `$default` stage.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer at all; every HTTP status is an answer.
    pub fn invoke(
        &self,
        api_id: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer, Error> {
        self.call(method, &format!("/_sandbox/invoke/{api_id}{path}"), headers, body)
    }

    fn view(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let body = body.map(Value::to_string);
        self.expect_success(
            method,
            path,
            &[("content-type", "application/json")],
            body.as_deref(),
        )
    }

    /// The body of a 2xx answer as JSON; null when it has none.
    fn expect_success(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Value, Error> {
        let answer = self.call(method, path, headers, body)?;
        if !(200..300).contains(&answer.status) {
            let problem = format!("{} {}", answer.status, answer.body);
            return Err(Error::Http {
                request: format!("{method} {path}"),
                problem,
            });
        }
        if answer.body.is_empty() {
            Ok(Value::Null)
        } else {
            answer.json()
        }
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.url);
        let failed = |problem: String| Error::Http {
            request: format!("{method} {url}"),
            problem,
        };
        let mut request = http::Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // A request without a body is another type, since some methods must not have one.
        let sent = match body {
            Some(body) => request.body(body).map(|request| self.agent.run(request)),
            None => request.body(()).map(|request| self.agent.run(request)),
        };
        let mut answer = sent
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: answer
                .body_mut()
                .read_to_string()
                .map_err(|error| failed(error.to_string()))?,
        })
    }
}

/// The sandbox routes by the credential's scope and verifies no signature.
fn authorization(service: &str) -> String {
    let scope = format!("{ACCESS_KEY}/20261122/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

fn read<T: DeserializeOwned>(view: Value) -> Result<T, Error> {
    serde_json::from_value(view).map_err(|error| Error::document("the sandbox's answer", error.to_string()))
}
