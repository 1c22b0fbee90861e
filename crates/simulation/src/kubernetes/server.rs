//! HTTP on top of the store: the service that a kube client sends its requests to.

use super::{
    refusal::Refusal,
    request::{Asked, Carried, Opened},
};
use crate::world::{self, Delivery, Instance, Service, World, digest};
use bytes::Bytes;
use futures::{FutureExt, Stream, channel::mpsc, future::BoxFuture, ready};
use http::{Request, Response, StatusCode, request::Parts};
use http_body::{Body, Frame};
use kube::client::Body as Outgoing;
use serde_json::Value;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// How often a watch is told how far it has come.
const BOOKMARK: Duration = Duration::from_secs(60);
/// And how long before its end, at the latest.
const BEFORE_END: Duration = Duration::from_secs(2);

/// The API server as one process of the operator reaches it.
#[derive(Clone)]
pub struct ApiServer {
    world: World,
    instance: Instance,
}

impl ApiServer {
    /// A way to the API server for one process.
    pub fn new(world: World, instance: Instance) -> Self {
        Self { world, instance }
    }

    async fn answer(self, request: Request<Outgoing>) -> Result<Response<Answer>, Lost> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(|_| Lost)?;
        let Some(asked) = Asked::parse(&parts, &body) else {
            let text = format!("nothing is simulated at {} {}", parts.method, parts.uri);
            return Ok(refuse(&Refusal::new(404, "NotFound", text)));
        };
        let request = world::Asked {
            service: Service::Kubernetes,
            part: "kubernetes",
            name: asked.name(),
            digest: digest_of(&parts, &body),
            again: false,
        };
        let (world, from) = (self.world.clone(), self.instance);
        let at = world.elapsed();
        let delivery = self
            .world
            .deliver(from, request, async move { asked.carry_out(&world, from, at) })
            .await;
        Ok(match delivery {
            Delivery::Answer(Carried::Document(code, document)) => respond(code, document),
            Delivery::Answer(Carried::Watch(opened)) => {
                Response::new(Answer::Watch(Box::new(Stretch::new(opened, self.world))))
            }
            Delivery::Half(Carried::Document(code, document)) => {
                respond(code, document.slice(..document.len() / 2))
            }
            Delivery::Garbage(Carried::Document(code, _)) => respond(code, Bytes::from_static(b"<html>")),
            Delivery::Status(code) => refuse(&Refusal::new(
                code,
                "ServiceUnavailable",
                "simulated trouble".into(),
            )),
            Delivery::Reset | Delivery::Half(Carried::Watch(..)) | Delivery::Garbage(Carried::Watch(..)) => {
                return Err(Lost);
            }
        })
    }
}

/// A digest of a request's bytes. Events carry the time of the machine, which kube's recorder asks for itself, in their names, too:
/// of them it leaves that out.
fn digest_of(parts: &Parts, body: &Bytes) -> u64 {
    let (method, uri) = (parts.method.as_str(), parts.uri.to_string());
    let Some((uri, _)) = uri.split_once("/events") else {
        return digest([method.as_bytes(), uri.as_bytes(), body]);
    };
    let mut event: Value = serde_json::from_slice(body).unwrap_or_default();
    for pointer in ["/metadata/name", "/eventTime", "/series/lastObservedTime"] {
        event.pointer_mut(pointer).map(Value::take);
    }
    digest([method.as_bytes(), uri.as_bytes(), event.to_string().as_bytes()])
}

/// The connection broke.
#[derive(Debug, thiserror::Error)]
#[error("the simulated connection broke")]
pub struct Lost;

impl tower::Service<Request<Outgoing>> for ApiServer {
    type Response = Response<Answer>;
    type Error = Lost;
    type Future = BoxFuture<'static, Result<Self::Response, Lost>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Outgoing>) -> Self::Future {
        self.clone().answer(request).boxed()
    }
}

fn refuse(refusal: &Refusal) -> Response<Answer> {
    respond(refusal.code, Bytes::from(refusal.status().to_string()))
}

fn respond(code: u16, body: Bytes) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(body)));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The body of an answer: one piece, or a watch that the server closes after a while.
pub enum Answer {
    /// One piece.
    Whole(Option<Bytes>),
    /// One line an event.
    Watch(Box<Stretch>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Self::Whole(piece) => piece.take(),
            Self::Watch(watch) => ready!(watch.poll_line(cx)),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// A watch from its beginning to its end.
pub struct Stretch {
    world: World,
    lines: mpsc::UnboundedReceiver<Bytes>,
    end: Instant,
    close: Pin<Box<Sleep>>,
    plural: &'static str,
    seen: u64,
    /// When it is told next how far it has come, if it wants to know.
    bookmark: Option<Pin<Box<Sleep>>>,
}

impl Stretch {
    fn new(opened: Opened, world: World) -> Self {
        let end = Instant::now() + opened.lasts;
        Self {
            world,
            lines: opened.watched.lines,
            end,
            close: Box::pin(sleep_until(end)),
            plural: opened.plural,
            seen: opened.watched.seen,
            bookmark: opened.bookmarks.then(|| next_bookmark(end)).flatten(),
        }
    }

    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Poll::Ready(line) = Pin::new(&mut self.lines).poll_next(cx) {
            return Poll::Ready(line);
        }
        while let Some(due) = &mut self.bookmark
            && due.as_mut().poll(cx).is_ready()
        {
            self.bookmark = next_bookmark(self.end);
            let line = self.world.state().kubernetes.bookmark(self.plural, self.seen);
            if line.is_some() {
                return Poll::Ready(line);
            }
        }
        self.close.as_mut().poll(cx).map(|()| None)
    }
}

/// When the next bookmark is due: none when the end is too near.
fn next_bookmark(end: Instant) -> Option<Pin<Box<Sleep>>> {
    let now = Instant::now();
    let due = (end - BEFORE_END).min(now + BOOKMARK);
    (due > now).then(|| Box::pin(sleep_until(due)))
}
