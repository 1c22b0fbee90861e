//! The HTTP transport.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::sandbox::{Outcome, Sandbox};

/// Serves a sandbox until `shutdown` is ready. Connections that are open then are cut.
///
/// # Errors
/// When the listener can no longer accept connections.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(serve_connection(stream, sandbox.clone()));
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, sandbox: Sandbox) {
    // Answers are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(sandbox.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong on a connection, wanted or not, ends that connection only.
    let _ = connection.await;
}

/// Why a connection is closed instead of an answer being sent.
#[derive(Debug, Error)]
enum Closed {
    #[error("a fault closes the connection")]
    Fault,
    #[error("the request's body could not be read")]
    Unreadable,
}

async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Reply>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed::Unreadable)?.to_bytes();
    match sandbox.handle(Request::from_parts(head, body)).await {
        Outcome::Answer(response) => Ok(response.map(Reply::whole)),
        Outcome::Cut(response, length) => {
            // The length that was promised is what shows the client that something is missing.
            let (mut head, body) = response.into_parts();
            head.headers.insert(header::CONTENT_LENGTH, body.len().into());
            Ok(Response::from_parts(head, Reply::cut(&body, length)))
        }
        Outcome::Reset => Err(Closed::Fault),
    }
}

/// A body that is sent whole, or fails on the way.
#[derive(Debug)]
struct Reply {
    data: Option<Bytes>,
    promised: u64,
    fails: bool,
}

impl Reply {
    fn whole(data: Bytes) -> Self {
        let promised = u64::try_from(data.len()).unwrap_or(u64::MAX);
        Self {
            data: Some(data).filter(|data| !data.is_empty()),
            promised,
            fails: false,
        }
    }

    fn cut(data: &Bytes, length: usize) -> Self {
        let promised = u64::try_from(data.len()).unwrap_or(u64::MAX);
        Self {
            data: Some(data.slice(..length.min(data.len()))),
            promised,
            fails: true,
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(match (self.data.take(), self.fails) {
            (Some(data), _) => Some(Ok(Frame::data(data))),
            (None, true) => Some(Err(Closed::Fault)),
            (None, false) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.fails
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
