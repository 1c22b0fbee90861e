//! A small API server for tests: objects by their paths, writes with their versions, and trouble on request.

use futures::FutureExt;
use http::{Method, Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::service_fn;

/// What befalls requests.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// They are refused with a status and a reason.
    Refusal(u16, &'static str),
    /// They are never answered.
    Silence,
    /// They are answered so much later.
    Slowness(Duration),
    /// The task that sends one panics.
    Panic,
}

/// The server; clones share its objects.
#[derive(Clone, Default)]
pub(crate) struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    version: u64,
    /// By method and the end of the path.
    troubles: Vec<(Method, &'static str, Trouble)>,
}

impl ApiServer {
    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let service = service_fn(move |request: Request<Body>| server.clone().serve(request).boxed());
        Client::new(service, "system")
    }

    /// From now on, this befalls the requests of a method to paths with an end.
    pub(crate) fn trouble(&self, method: Method, end: &'static str, trouble: Trouble) {
        self.0.lock().unwrap().troubles.push((method, end, trouble));
    }

    /// From now on, nothing befalls anybody.
    pub(crate) fn heal(&self) {
        self.0.lock().unwrap().troubles.clear();
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    /// Every object whose path has this in it.
    pub(crate) fn within(&self, part: &str) -> Vec<Value> {
        self.0.lock().unwrap().within(part)
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
    }

    /// Stores an object under a path, as a new version.
    pub(crate) fn put(&self, path: &str, object: Value) -> Value {
        self.0.lock().unwrap().put(path, object)
    }

    async fn serve(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = parts.uri.path();
        let troubled = self.0.lock().unwrap().trouble(&parts.method, path);
        if let Some(Trouble::Slowness(by)) = troubled {
            tokio::time::sleep(by).await;
        }
        let (code, answer) = match troubled {
            Some(Trouble::Refusal(code, reason)) => refusal(code, reason),
            Some(Trouble::Silence) => pending().await,
            // Not by `panic!`, whose hook would write to the terminal.
            Some(Trouble::Panic) => std::panic::resume_unwind(Box::new("a panic that was asked for")),
            _ if parts.uri.query().is_some_and(|query| query.contains("watch=")) => pending().await,
            _ if path.ends_with("/jwthttpapis") && parts.method == Method::GET => {
                let page = Page::of(parts.uri.query().unwrap_or_default());
                (200, self.0.lock().unwrap().list(&page))
            }
            _ => self.0.lock().unwrap().answer(&parts.method, path, body),
        };
        let body = Body::from(answer.to_string().into_bytes());
        Ok(Response::builder().status(code).body(body).unwrap())
    }
}

/// Which part of a list is asked for. A place in it is told by its number.
struct Page {
    from: usize,
    limit: usize,
}

impl Page {
    fn of(query: &str) -> Self {
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse().ok()
        };
        Self {
            from: number("continue").unwrap_or_default(),
            limit: number("limit").unwrap_or(usize::MAX),
        }
    }
}

impl State {
    fn trouble(&self, method: &Method, path: &str) -> Option<Trouble> {
        let meant = |(of, end, _): &&(Method, &str, Trouble)| of == method && path.ends_with(end);
        self.troubles.iter().find(meant).map(|(_, _, trouble)| *trouble)
    }

    fn within(&self, part: &str) -> Vec<Value> {
        let objects = self.objects.iter().filter(|(path, _)| path.contains(part));
        objects.map(|(_, object)| object.clone()).collect()
    }

    fn put(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    /// A page of all objects.
    fn list(&self, page: &Page) -> Value {
        let mut items = self.within("/jwthttpapis/").split_off(page.from);
        let rest = items.split_off(items.len().min(page.limit));
        let mut metadata = json!({"resourceVersion": "1"});
        if !rest.is_empty() {
            metadata["continue"] = (page.from + page.limit).to_string().into();
        }
        json!({
            "kind": "JwtHttpApiList", "apiVersion": "jwthttpapi.dev/v1alpha1", "metadata": metadata, "items": items,
        })
    }

    fn answer(&mut self, method: &Method, path: &str, body: Value) -> (u16, Value) {
        let path = path.trim_end_matches("/status");
        if *method == Method::POST {
            let name = body["metadata"]["name"].as_str().unwrap_or_default();
            return (201, self.put(&format!("{path}/{name}"), body.clone()));
        }
        let Some(found) = self.objects.get(path).cloned() else {
            return refusal(404, "NotFound");
        };
        let version = &body["metadata"]["resourceVersion"];
        if !version.is_null() && *version != found["metadata"]["resourceVersion"] {
            return refusal(409, "Conflict");
        }
        match *method {
            Method::GET => (200, found),
            Method::PUT => (200, self.put(path, body)),
            Method::PATCH => {
                let mut object = found;
                json_patch::merge(&mut object, &body);
                (200, self.put(path, object))
            }
            _ => refusal(405, "MethodNotAllowed"),
        }
    }
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    let message = format!("{reason}, as the test asked for");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    (code, status)
}
