//! A way from an operator to the API server on which a test stands: it numbers every request, and keeps back the one that
//! it is told to, before it is carried out or with its answer.
//!
//! Plain HTTP on the loopback address inwards, TLS outwards, one connection out for each request: an operator that dies
//! takes its own connections with it, and nothing else.

use std::{
    convert::Infallible,
    fs,
    io::ErrorKind,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, Request, Response, Uri},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{Cluster, Error};

const LOOPBACK: &str = "127.0.0.1";

/// A running proxy; it ends when this is dropped, and every connection through it.
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// What a request is to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It changes an object or its status.
    Write,
    /// It makes an event, or counts one more of a series.
    Event,
    /// It reads.
    Read,
    /// It reads or writes a lease.
    Lease,
    /// It never ends.
    Watch,
}

/// Which half of a request is kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The request: it has not reached the API server.
    Before,
    /// The answer: the request was carried out.
    After,
}

/// A request that came to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// Counts from 1, through all sorts.
    pub number: u64,
    /// What it is.
    pub sort: Sort,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// The HTTP status that the API server answered; none until then.
    pub status: Option<u16>,
}

/// What the proxy's threads and its owner share.
struct Shared {
    upstream: String,
    tls: TlsConnector,
    passed: Mutex<Passed>,
    changed: Condvar,
    /// The fate of what is kept back: a new value with every release.
    fate: watch::Sender<Fate>,
}

#[derive(Default)]
struct Passed {
    requests: Vec<Passing>,
    rule: Option<Rule>,
    held: Option<Passing>,
}

/// The one request to keep back: the n-th of a sort from now.
struct Rule {
    sort: Sort,
    left: u64,
    side: Side,
}

/// That a request is kept back, and what ends it.
struct Kept {
    side: Side,
    fate: watch::Receiver<Fate>,
}

#[derive(Clone, Copy)]
enum Fate {
    Proceed,
    Discard,
}

impl Proxy {
    /// Starts a proxy before a cluster's API server, on a free port.
    ///
    /// # Errors
    ///
    /// The cluster's authority cannot be read, or no port be bound.
    pub fn start(cluster: &Cluster) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the proxy's runtime"))?;
        let listener = runtime
            .block_on(TcpListener::bind((LOOPBACK, 0)))
            .map_err(Error::file(LOOPBACK))?;
        let address = listener.local_addr().map_err(Error::file(LOOPBACK))?;
        let shared = Arc::new(Shared {
            upstream: cluster.url().trim_start_matches("https://").to_owned(),
            tls: connector(cluster)?,
            passed: Mutex::default(),
            changed: Condvar::new(),
            fate: watch::Sender::new(Fate::Proceed),
        });
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            url: format!("http://{address}"),
            shared,
            runtime: Some(runtime),
        })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Passing> {
        self.shared.lock().requests.clone()
    }

    /// Keeps back the `nth` request of a sort from now on, from 1; instead of what was to be kept back before.
    pub fn hold(&self, sort: Sort, nth: u64, side: Side) {
        self.shared.lock().rule = Some(Rule {
            sort,
            left: nth,
            side,
        });
    }

    /// The request that is kept back, waited for; none when `limit` passes without one.
    pub fn held(&self, limit: Duration) -> Option<Passing> {
        let end = Instant::now() + limit;
        let mut passed = self.shared.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if passed.held.is_some() || left.is_zero() {
                return passed.held.clone();
            }
            (passed, _) = self
                .shared
                .changed
                .wait_timeout(passed, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets what is kept back go on, or ends its connection without an answer; nothing is kept back from now on.
    pub fn release(&self, discard: bool) {
        let mut passed = self.shared.lock();
        (passed.rule, passed.held) = (None, None);
        self.shared
            .fate
            .send_replace(if discard { Fate::Discard } else { Fate::Proceed });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers a request, and tells whether it is to be kept back, and until when.
    fn arrived(&self, request: &Request<Incoming>) -> (Passing, Option<Kept>) {
        let mut passed = self.lock();
        let passing = Passing {
            number: passed.requests.len() as u64 + 1,
            sort: sort(request.method(), request.uri()),
            method: request.method().to_string(),
            path: request.uri().to_string(),
            status: None,
        };
        passed.requests.push(passing.clone());
        let mut kept = None;
        if let Some(rule) = passed.rule.as_mut().filter(|rule| rule.sort == passing.sort) {
            rule.left = rule.left.saturating_sub(1);
            if rule.left == 0 {
                let (side, fate) = (rule.side, self.fate.subscribe());
                kept = Some(Kept { side, fate });
                passed.rule = None;
            }
        }
        (passing, kept)
    }

    fn answered(&self, number: u64, status: u16) {
        let mut passed = self.lock();
        let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
        if let Some(passing) = passed.requests.get_mut(index) {
            passing.status = Some(status);
        }
    }

    /// Keeps a request back until a release; fails when that discards it.
    async fn keep(&self, passing: &Passing, mut fate: watch::Receiver<Fate>) -> Result<(), std::io::Error> {
        {
            let mut passed = self.lock();
            // A release since its arrival was meant for it, too.
            if matches!(fate.has_changed(), Ok(false)) {
                passed.held = Some(passing.clone());
                self.changed.notify_all();
            }
        }
        match fate.changed().await.map(|()| *fate.borrow_and_update()) {
            Ok(Fate::Proceed) => Ok(()),
            Ok(Fate::Discard) | Err(_) => Err(ErrorKind::ConnectionAborted.into()),
        }
    }
}

/// One request from its arrival to its answer. An error ends the connection without one.
async fn pass(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
    let (passing, kept) = shared.arrived(&request);
    let (before, after) = match kept {
        Some(kept) if kept.side == Side::Before => (Some(kept.fate), None),
        Some(kept) => (None, Some(kept.fate)),
        None => (None, None),
    };
    if let Some(fate) = before {
        shared.keep(&passing, fate).await?;
    }
    let answer = forward(&shared, request).await.map_err(std::io::Error::other)?;
    shared.answered(passing.number, answer.status().as_u16());
    if let Some(fate) = after {
        shared.keep(&passing, fate).await?;
    }
    Ok(answer.map(Body::new))
}

/// Sends a request on over a connection of its own.
async fn forward(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(&shared.upstream).await?;
    let stream = shared
        .tls
        .connect(ServerName::try_from(LOOPBACK)?, stream)
        .await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

fn sort(method: &Method, uri: &Uri) -> Sort {
    let query = uri.query().unwrap_or_default();
    if uri.path().contains("/leases") {
        Sort::Lease
    } else if query
        .split('&')
        .any(|pair| matches!(pair, "watch=true" | "watch=1"))
    {
        Sort::Watch
    } else if method == Method::GET {
        Sort::Read
    } else if uri.path().contains("/events") {
        Sort::Event
    } else {
        Sort::Write
    }
}

/// Trusts the cluster's own authority and nobody else.
fn connector(cluster: &Cluster) -> Result<TlsConnector, Error> {
    let failed = |problem: String| Error::document("the cluster's authority", problem);
    let path = cluster.authority();
    let authority = fs::read(path).map_err(Error::file(path))?;
    let authority = CertificateDer::from_pem_slice(&authority).map_err(|error| failed(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|error| failed(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Accepts for ever. A connection that fails is its client's business alone.
async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Result<Infallible, std::io::Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| pass(Arc::clone(&shared), request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_rests_is_told_from_reads_and_writes() {
        let kind = "/apis/jwthttpapi.dev/v1alpha1/jwthttpapis";
        let leases = "/apis/coordination.k8s.io/v1/namespaces/a/leases/b";
        for (method, uri, wanted) in [
            (Method::GET, format!("{kind}?limit=500"), Sort::Read),
            (
                Method::GET,
                format!("{kind}?&watch=true&resourceVersion=1"),
                Sort::Watch,
            ),
            (Method::PATCH, format!("{kind}/a/status"), Sort::Write),
            (
                Method::POST,
                "/apis/events.k8s.io/v1/namespaces/a/events".to_owned(),
                Sort::Event,
            ),
            (Method::GET, leases.to_owned(), Sort::Lease),
            (Method::PUT, leases.to_owned(), Sort::Lease),
        ] {
            assert_eq!(sort(&method, &uri.parse().unwrap()), wanted, "{method} {uri}");
        }
    }
}
