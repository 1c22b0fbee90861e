//! The agent of EKS Pod Identity, as a Pod sees it: a local address that gives credentials to who shows the Pod's token.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::Error;

const LOOPBACK: &str = "127.0.0.1";

/// A running agent; it ends when this is dropped.
pub struct PodIdentity {
    url: String,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    token: PathBuf,
    credentials: Mutex<Value>,
    given: AtomicUsize,
    refused: AtomicUsize,
}

impl PodIdentity {
    /// Starts an agent on a free port that gives `credentials` (`AccessKeyId`, `SecretAccessKey`, `Token`, `Expiration`) to
    /// who sends what the file `token` holds at that moment.
    ///
    /// # Errors
    ///
    /// No port can be bound.
    pub fn start(token: &Path, credentials: Value) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the agent's runtime"))?;
        let listener = runtime
            .block_on(TcpListener::bind((LOOPBACK, 0)))
            .map_err(Error::file(LOOPBACK))?;
        let address = listener.local_addr().map_err(Error::file(LOOPBACK))?;
        let shared = Arc::new(Shared {
            token: token.to_owned(),
            credentials: Mutex::new(credentials),
            given: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/v1/credentials", get(answer))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url: format!("http://{address}/v1/credentials"),
            shared,
            runtime: Some(runtime),
        })
    }

    /// What `AWS_CONTAINER_CREDENTIALS_FULL_URI` is set to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives these from now on.
    pub fn give(&self, credentials: Value) {
        *self
            .shared
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = credentials;
    }

    /// How often it gave credentials, and how often it refused them.
    pub fn asked(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.shared.given), count(&self.shared.refused))
    }
}

impl Drop for PodIdentity {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let wanted = std::fs::read(&shared.token).unwrap_or_default();
    let given = headers
        .get(header::AUTHORIZATION)
        .map(header::HeaderValue::as_bytes);
    if wanted.is_empty() || given != Some(&wanted) {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        return (StatusCode::FORBIDDEN, "AccessDeniedException: unauthorized").into_response();
    }
    shared.given.fetch_add(1, Ordering::Relaxed);
    let credentials = shared
        .credentials
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .to_string();
    ([(header::CONTENT_TYPE, "application/json")], credentials).into_response()
}
