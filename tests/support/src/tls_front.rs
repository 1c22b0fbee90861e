//! TLS with a certificate of a private authority in front of a server that speaks plain HTTP.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

use crate::{Error, certificates::Authority};

const LOOPBACK: &str = "127.0.0.1";

/// A running front; it ends when this is dropped, and every connection through it.
pub struct TlsFront {
    url: String,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    upstream: String,
    acceptor: Mutex<TlsAcceptor>,
    connections: Mutex<Vec<SocketAddr>>,
    given_up: AtomicUsize,
}

impl TlsFront {
    /// Starts a front before the server at this `http://` URL, with a certificate that `authority` signs.
    ///
    /// # Errors
    ///
    /// The certificate cannot be made, or no port be bound.
    pub fn start(url: &str, authority: &Authority) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the front's runtime"))?;
        let listener = runtime
            .block_on(TcpListener::bind((LOOPBACK, 0)))
            .map_err(Error::file(LOOPBACK))?;
        let address = listener.local_addr().map_err(Error::file(LOOPBACK))?;
        let shared = Arc::new(Shared {
            upstream: url.trim_start_matches("http://").to_owned(),
            acceptor: Mutex::new(authority.acceptor()?),
            connections: Mutex::default(),
            given_up: AtomicUsize::new(0),
        });
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            url: format!("https://localhost:{}", address.port()),
            shared,
            runtime: Some(runtime),
        })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where every connection that was made so far came from.
    pub fn connections(&self) -> Vec<SocketAddr> {
        self.shared
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many were given up before they were made, as over a certificate that is not trusted.
    pub fn given_up(&self) -> usize {
        self.shared.given_up.load(Ordering::Relaxed)
    }

    /// Shows a certificate that another authority signed, from the next connection on.
    ///
    /// # Errors
    ///
    /// The certificate cannot be made.
    pub fn show(&self, authority: &Authority) -> Result<(), Error> {
        let acceptor = authority.acceptor()?;
        *self
            .shared
            .acceptor
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Accepts for ever. A connection that fails is its client's business alone.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { pass(stream, &shared).await });
    }
}

async fn pass(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let acceptor = shared
        .acceptor
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let from = stream.peer_addr()?;
    let accepted = acceptor.accept(stream).await;
    if accepted.is_err() {
        shared.given_up.fetch_add(1, Ordering::Relaxed);
    }
    let mut client = accepted?;
    shared
        .connections
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(from);
    let mut server = TcpStream::connect(&shared.upstream).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
