//! The sandbox as a test sees it: its views, raw calls to its AWS, and calls through the APIs in it.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::{Agent, http};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    Error, places,
    process::{Launch, Process},
};

/// The account of a sandbox started by [`Sandbox::start`].
pub const ACCOUNT: &str = "123456789012";
/// Its Region.
pub const REGION: &str = "eu-central-1";
/// Longer than any Lambda integration of API Gateway may take, and than the sandbox's longest wait.
const TIMEOUT: Duration = Duration::from_mins(1);
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running sandbox; it ends when this is dropped.
pub struct Sandbox {
    client: SandboxClient,
    process: Process,
}

impl Sandbox {
    /// Starts the sandbox binary on a free port, with `issuers` as the authority that its issuers' certificates are
    /// trusted by, `settings` as its `--settings` (an empty object for none), and its log in the file `log`.
    ///
    /// # Errors
    ///
    /// It is not built or does not start.
    pub fn start(issuers: &Path, settings: &Value, log: impl Into<PathBuf>) -> Result<Self, Error> {
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

/// A client of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxClient {
    url: String,
    agent: Agent,
}

/// One AWS request that the sandbox answered, or holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JournalEntry {
    /// Counts up by one from the sandbox's start.
    pub number: u64,
    /// Such as `apigateway`, `lambda`, `iam`, `sts`.
    pub service: String,
    /// Such as `CreateApi`.
    pub operation: String,
    /// What it was about, such as an API's id.
    #[serde(default)]
    pub target: Option<String>,
    /// The HTTP status; none while the answer is held.
    #[serde(default)]
    pub status: Option<u16>,
    /// Whether it changed the model.
    #[serde(default)]
    pub committed: bool,
    /// Whether the operation is one that writes.
    #[serde(default)]
    pub mutating: bool,
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

    /// Waits until the journal holds the request numbered `number`.
    ///
    /// # Errors
    ///
    /// It does not within `limit`.
    pub fn wait(&self, number: u64, limit: Duration) -> Result<(), Error> {
        let path = format!("/_sandbox/wait?journal={number}&timeout_ms={}", limit.as_millis());
        self.view("GET", &path, None).map(|_| ())
    }

    /// Changes settings; those not named stay.
    ///
    /// # Errors
    ///
    /// There is no such setting.
    pub fn set(&self, settings: &Value) -> Result<(), Error> {
        self.view("POST", "/_sandbox/settings", Some(settings))
            .map(|_| ())
    }

    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// There is no such fault.
    pub fn fault(&self, fault: &Value) -> Result<Value, Error> {
        self.view("POST", "/_sandbox/faults", Some(fault))
    }

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// The sandbox does not answer.
    pub fn reset(&self) -> Result<(), Error> {
        self.view("POST", "/_sandbox/reset", None).map(|_| ())
    }

    /// Creates a function of the files `(name, content)`: its ARN.
    ///
    /// # Errors
    ///
    /// AWS refuses it.
    pub fn create_function(
        &self,
        name: &str,
        runtime: &str,
        handler: &str,
        files: &[(&str, &str)],
    ) -> Result<String, Error> {
        let answer = self.aws(
            "lambda",
            "POST",
            "/2015-03-31/functions",
            Some(&json!({
                "FunctionName": name, "Runtime": runtime, "Handler": handler,
                "Role": format!("arn:aws:iam::{ACCOUNT}:role/functions"),
                "Code": {"ZipFile": STANDARD.encode(archive(files)?)},
            })),
        )?;
        let arn = answer.get("FunctionArn").and_then(Value::as_str);
        arn.map(str::to_owned)
            .ok_or_else(|| Error::document("CreateFunction's answer", answer.to_string()))
    }

    /// Calls AWS by REST and JSON, as somebody with credentials and no SDK would.
    ///
    /// # Errors
    ///
    /// AWS answers anything but 2xx; the error holds status and body.
    pub fn aws(&self, service: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        // The sandbox routes by the credential's scope and verifies no signature.
        let scope = format!("AKIDTESTSUPPORT/20261122/{REGION}/{service}/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let headers = [
            ("authorization", signature.as_str()),
            ("content-type", "application/json"),
        ];
        let body = body.map(Value::to_string);
        self.expect_success(method, path, &headers, body.as_deref())
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

/// A function's archive.
fn archive(files: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let failed = |error: String| Error::document("the function's archive", error);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        writer
            .start_file(*name, options)
            .map_err(|error| failed(error.to_string()))?;
        writer
            .write_all(content.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
    }
    Ok(writer
        .finish()
        .map_err(|error| failed(error.to_string()))?
        .into_inner())
}
