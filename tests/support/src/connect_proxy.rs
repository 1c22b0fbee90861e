//! A proxy of the kind that companies have between their machines and the internet: it takes CONNECT, and nothing else.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

use crate::Error;

const LOOPBACK: &str = "127.0.0.1";
/// Far above any request for a tunnel.
const LONGEST_HEAD: usize = 8192;

/// A running proxy that lets in who knows its password; it ends when this is dropped, and every tunnel through it.
pub struct ConnectProxy {
    url: String,
    tunnels: Arc<Mutex<Vec<Tunnel>>>,
    runtime: Option<Runtime>,
}

/// A way through the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// The host and port that were asked for.
    pub target: String,
    /// Where its end comes from.
    pub from: SocketAddr,
}

impl ConnectProxy {
    /// Starts a proxy on a free port that wants this user and password.
    ///
    /// # Errors
    ///
    /// No port can be bound.
    pub fn start(user: &str, password: &str) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the proxy's runtime"))?;
        let listener = runtime
            .block_on(TcpListener::bind((LOOPBACK, 0)))
            .map_err(Error::file(LOOPBACK))?;
        let address = listener.local_addr().map_err(Error::file(LOOPBACK))?;
        let tunnels = Arc::<Mutex<Vec<Tunnel>>>::default();
        let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        runtime.spawn(serve(listener, wanted.into(), Arc::clone(&tunnels)));
        Ok(Self {
            url: format!("http://{user}:{password}@{address}"),
            tunnels,
            runtime: Some(runtime),
        })
    }

    /// Where it listens, with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every tunnel so far.
    pub fn tunnels(&self) -> Vec<Tunnel> {
        self.tunnels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Accepts for ever. A tunnel that breaks is its client's business alone.
async fn serve(listener: TcpListener, wanted: Arc<str>, tunnels: Arc<Mutex<Vec<Tunnel>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (wanted, tunnels) = (Arc::clone(&wanted), Arc::clone(&tunnels));
        tokio::spawn(async move { tunnel(stream, &wanted, &tunnels).await });
    }
}

async fn tunnel(mut client: TcpStream, wanted: &str, tunnels: &Mutex<Vec<Tunnel>>) -> io::Result<()> {
    let head = head(&mut client).await?;
    let Some(target) = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split_whitespace().next())
    else {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n").await;
    };
    let given = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then_some(value.trim())
    });
    if given != Some(wanted) {
        return client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            .await;
    }
    let mut server = TcpStream::connect(target).await?;
    // Before the client can use it: whoever meets it at its end finds it here.
    let tunnel = Tunnel {
        target: target.to_owned(),
        from: server.local_addr()?,
    };
    tunnels
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(tunnel);
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// A request's head, and no byte of what follows.
async fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
