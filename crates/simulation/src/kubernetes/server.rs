//! HTTP on top of the store: the service that a kube client sends its requests to.

use super::store::{Key, Refusal, status};
use crate::{
    OBJECT,
    world::{Delivery, Instance, Service, World},
};
use bytes::Bytes;
use futures::{FutureExt, Stream, channel::mpsc, future::BoxFuture};
use http::{Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use kube::client::Body as Outgoing;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// How long a watch lasts that says nothing.
const WATCH: u64 = 290;

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
            let refusal = Refusal(404, "NotFound", format!("nothing is simulated at {}", parts.uri));
            return Ok(json_answer(404, &status(&refusal)));
        };
        let name = asked.name();
        let (world, from) = (self.world.clone(), self.instance);
        let at = world.elapsed();
        let delivery = self
            .world
            .deliver(from, Service::Kubernetes, name, async move {
                asked.carry_out_told(&world, from, at)
            })
            .await;
        Ok(match delivery {
            Delivery::Answer(Carried::Document(code, document)) => json_answer(code, &document),
            Delivery::Answer(Carried::Watch(events, seconds)) => {
                let close = Box::pin(sleep(Duration::from_secs(seconds)));
                Response::new(Answer::Watch(events, close))
            }
            Delivery::Half(Carried::Document(code, document)) => {
                let text = document.to_string();
                let half = text.get(..text.len() / 2).unwrap_or_default();
                respond(code, Bytes::copy_from_slice(half.as_bytes()))
            }
            Delivery::Garbage => respond(200, Bytes::from_static(b"<html>")),
            Delivery::Status(code) => {
                let refusal = Refusal(code, "ServiceUnavailable", "simulated trouble".into());
                json_answer(code, &status(&refusal))
            }
            Delivery::Reset | Delivery::Half(Carried::Watch(..)) => return Err(Lost),
        })
    }
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

/// What a request asks for.
struct Asked {
    verb: Verb,
    plural: String,
    key: Option<Key>,
    status: bool,
    /// Whether only metadata is wanted in the answer.
    partial: bool,
    body: Value,
    from: u64,
    seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Get,
    List,
    Watch,
    Create,
    Replace,
    Merge,
    Patch,
}

/// What carrying out came to.
enum Carried {
    Document(u16, Value),
    Watch(mpsc::UnboundedReceiver<Bytes>, u64),
}

impl Asked {
    fn parse(parts: &http::request::Parts, body: &[u8]) -> Option<Self> {
        let query: BTreeMap<&str, &str> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let segments: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        // api/v1/… and apis/<group>/<version>/…
        let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = segments.as_slice() else {
            return None;
        };
        let (plural, namespace, name, status) = match rest {
            ["namespaces", name] => ("namespaces", "", Some(*name), false),
            ["namespaces", namespace, plural] => (*plural, *namespace, None, false),
            ["namespaces", namespace, plural, name] => (*plural, *namespace, Some(*name), false),
            ["namespaces", namespace, plural, name, "status"] => (*plural, *namespace, Some(*name), true),
            [plural] => (*plural, "", None, false),
            _ => return None,
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let patches = header(header::CONTENT_TYPE).is_some_and(|kind| kind.contains("json-patch"));
        let verb = match (&parts.method, name) {
            (&Method::GET, None) if query.get("watch") == Some(&"true") => Verb::Watch,
            (&Method::GET, None) => Verb::List,
            (&Method::GET, Some(_)) => Verb::Get,
            (&Method::POST, None) => Verb::Create,
            (&Method::PUT, Some(_)) => Verb::Replace,
            (&Method::PATCH, Some(_)) if patches => Verb::Patch,
            (&Method::PATCH, Some(_)) => Verb::Merge,
            _ => return None,
        };
        let name = name.or_else(|| body["metadata"]["name"].as_str());
        Some(Self {
            verb,
            plural: plural.to_owned(),
            key: name.map(|name| Key::new(plural, namespace, name)),
            status,
            partial: header(header::ACCEPT).is_some_and(|kind| kind.contains("PartialObjectMetadata")),
            from: number("resourceVersion").unwrap_or_default(),
            seconds: number("timeoutSeconds").unwrap_or(WATCH),
            body,
        })
    }

    fn name(&self) -> String {
        let status = if self.status { "/status" } else { "" };
        let other = if self
            .key
            .as_ref()
            .is_some_and(|key| key.plural == OBJECT.plural && *key != *OBJECT)
        {
            " of another"
        } else {
            ""
        };
        format!("{:?} {}{status}{other}", self.verb, self.plural)
    }

    /// Carries it out, and tells the oracle what it is about.
    fn carry_out_told(&self, world: &World, from: Instance, at: Duration) -> Carried {
        let object = || {
            let key = self.key.as_ref();
            key.and_then(|key| world.state().kubernetes.get(key).ok())
        };
        let before = self.status.then(object).flatten();
        let carried = self.carry_out(world);
        if self.plural == "events" {
            world.state().told.push(self.body.clone());
        }
        if let Carried::Document(200 | 201, document) = &carried
            && let Some(key) = &self.key
        {
            let oracle = world.oracle();
            match (self.verb, self.plural.as_str()) {
                (Verb::Get, "jwthttpapis") => oracle.read(from, key, document),
                (Verb::Create | Verb::Replace, "leases") => oracle.leased(from, document, at),
                _ => {}
            }
            if let Some(before) = before {
                oracle.said(world.sandbox(), &before, document);
            }
        }
        carried
    }

    fn carry_out(&self, world: &World) -> Carried {
        let now = world.now();
        let mut state = world.state();
        let store = &mut state.kubernetes;
        let done = match (self.verb, &self.key) {
            (Verb::Watch, _) => return Carried::Watch(store.watch(&self.plural, self.from), self.seconds),
            (Verb::List, _) => {
                let (version, items) = store.list(&self.plural);
                Ok(json!({
                    "apiVersion": "jwthttpapi.dev/v1alpha1",
                    "kind": "JwtHttpApiList",
                    "metadata": {"resourceVersion": version.to_string()},
                    "items": items,
                }))
            }
            // Every cluster has it, with a uid for life.
            (Verb::Get, Some(key)) if key.plural == "namespaces" => Ok(json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": key.name, "uid": crate::KUBE_SYSTEM},
            })),
            // Events tell people, and nothing is decided by them. Their names carry the time of day.
            (_, _) if self.plural == "events" => Ok(self.body.clone()),
            (Verb::Get, Some(key)) => store.get(key),
            (Verb::Create, Some(key)) => store.create(key, self.body.clone(), now),
            (Verb::Replace, Some(key)) => store.replace(key, self.body.clone()),
            (Verb::Merge, Some(key)) => store.merge(key, self.status, &self.body),
            (Verb::Patch, Some(key)) => store.patch(key, self.status, &self.body),
            (_, None) => Err(Refusal(400, "BadRequest", "no name".into())),
        };
        if let Ok(object) = &done
            && self.status
        {
            store.written.push(object.clone());
        }
        match done {
            Ok(object) if self.partial => Carried::Document(
                200,
                json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]}),
            ),
            Ok(object) => Carried::Document(if self.verb == Verb::Create { 201 } else { 200 }, object),
            Err(refusal) => Carried::Document(refusal.0, status(&refusal)),
        }
    }
}

fn json_answer(code: u16, document: &Value) -> Response<Answer> {
    respond(code, Bytes::from(document.to_string()))
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
    Watch(mpsc::UnboundedReceiver<Bytes>, Pin<Box<Sleep>>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(piece) => Poll::Ready(piece.take().map(|piece| Ok(Frame::data(piece)))),
            Self::Watch(events, close) => match Pin::new(events).poll_next(cx) {
                Poll::Ready(line) => Poll::Ready(line.map(|line| Ok(Frame::data(line)))),
                Poll::Pending => close.as_mut().poll(cx).map(|()| None),
            },
        }
    }
}
