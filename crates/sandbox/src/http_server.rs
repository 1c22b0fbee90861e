//! The HTTP transport.

use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    reply::{Closed, Reply},
    sandbox::{Outcome, Sandbox},
};

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
