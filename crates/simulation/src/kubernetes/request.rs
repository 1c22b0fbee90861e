//! What a request asks for, and how it is carried out.

use super::{
    Key, Refusal,
    kind::Kind,
    log::{Scope, Watched},
};
use crate::{
    OBJECT,
    world::{Instance, World},
};
use bytes::Bytes;
use http::{Method, header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

/// How long a watch lasts that says nothing.
const WATCH: u64 = 290;
/// What a request may ask for beside its path. A limit is met by the one page there is.
const PARAMETERS: [&str; 6] = [
    "watch",
    "allowWatchBookmarks",
    "resourceVersion",
    "timeoutSeconds",
    "limit",
    "fieldManager",
];

/// What a request asks for.
pub(super) struct Asked {
    verb: Verb,
    kind: &'static Kind,
    namespace: String,
    name: Option<String>,
    status: bool,
    /// Whether only metadata is wanted in the answer.
    partial: bool,
    body: Value,
    from: u64,
    bookmarks: bool,
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
    Delete,
}

/// What carrying out came to.
pub(super) enum Carried {
    /// A status and a document.
    Document(u16, Bytes),
    /// A watch.
    Watch(Opened),
}

/// A watch, and what was asked of it.
pub(super) struct Opened {
    pub(super) watched: Watched,
    pub(super) plural: &'static str,
    pub(super) bookmarks: bool,
    pub(super) lasts: Duration,
}

impl Carried {
    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self::Document(refusal.code, Bytes::from(refusal.status().to_string()))
    }
}

impl Asked {
    /// None when it asks for what is not simulated.
    pub(super) fn parse(parts: &http::request::Parts, body: &[u8]) -> Option<Self> {
        let query: BTreeMap<&str, &str> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        if query.keys().any(|name| !PARAMETERS.contains(name)) {
            return None;
        }
        let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let segments: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (plural, namespace, name, status) = match rest {
            ["namespaces", name] => ("namespaces", "", Some(*name), false),
            ["namespaces", namespace, plural] => (*plural, *namespace, None, false),
            ["namespaces", namespace, plural, name] => (*plural, *namespace, Some(*name), false),
            ["namespaces", namespace, plural, name, "status"] => (*plural, *namespace, Some(*name), true),
            [plural] => (*plural, "", None, false),
            _ => return None,
        };
        let kind = Kind::at(group, version, plural)?;
        if status && !kind.custom {
            return None;
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let verb = match (&parts.method, name) {
            (&Method::GET, None) if query.get("watch") == Some(&"true") => Verb::Watch,
            (&Method::GET, None) => Verb::List,
            (&Method::GET, Some(_)) => Verb::Get,
            (&Method::POST, None) => Verb::Create,
            (&Method::PUT, Some(_)) => Verb::Replace,
            (&Method::PATCH, Some(_)) => match header(header::CONTENT_TYPE)? {
                "application/merge-patch+json" => Verb::Merge,
                "application/json-patch+json" => Verb::Patch,
                _ => return None,
            },
            (&Method::DELETE, Some(_)) if body["preconditions"].is_null() => Verb::Delete,
            _ => return None,
        };
        if kind.plural == "namespaces" && verb != Verb::Get {
            return None;
        }
        let name = name.or_else(|| body["metadata"]["name"].as_str());
        Some(Self {
            verb,
            kind,
            namespace: namespace.to_owned(),
            name: name.map(str::to_owned),
            status,
            partial: header(header::ACCEPT).is_some_and(|kind| kind.contains("PartialObjectMetadata")),
            from: number("resourceVersion").unwrap_or_default(),
            bookmarks: query.get("allowWatchBookmarks") == Some(&"true"),
            seconds: number("timeoutSeconds").unwrap_or(WATCH),
            body,
        })
    }

    /// What it asks, without what differs from life to life.
    pub(super) fn name(&self) -> String {
        let status = if self.status { "/status" } else { "" };
        let named = |name: &String| (&self.namespace, name) == (&OBJECT.namespace, &OBJECT.name);
        let own = self.name.as_ref().is_none_or(named);
        let other = if own || self.kind.plural != OBJECT.plural {
            ""
        } else {
            " of another"
        };
        format!("{:?} {}{status}{other}", self.verb, self.kind.plural)
    }

    /// Carries out what `from` sent at `at`, and tells the oracle what that may have to judge.
    pub(super) fn carry_out(self, world: &World, from: Instance, at: Duration) -> Carried {
        let now = world.now();
        let mut state = world.state();
        let store = &mut state.kubernetes;
        let scope = Scope {
            plural: self.kind.plural.to_owned(),
            namespace: self.namespace.clone(),
        };
        let Some(name) = &self.name else {
            return match self.verb {
                Verb::Watch => Carried::Watch(Opened {
                    watched: store.watch(scope, self.from),
                    plural: self.kind.plural,
                    bookmarks: self.bookmarks,
                    lasts: Duration::from_secs(self.seconds),
                }),
                Verb::List => {
                    let (version, objects) = store.list(&scope);
                    // Of metadata alone: nobody but who looks for orphans asks for that.
                    if self.partial && self.kind.plural == OBJECT.plural {
                        world.oracle().listed(&objects, world.sandbox().now());
                    }
                    Carried::Document(200, self.list(version, &objects))
                }
                _ => Carried::refused(&Refusal::new(400, "BadRequest", "no name".into())),
            };
        };
        let key = Key::new(self.kind.plural, &self.namespace, name);
        let before = store.get(&key).ok();
        if self.kind.plural == "events" {
            state.told.push(self.body.clone());
        }
        let store = &mut state.kubernetes;
        let done = match self.verb {
            Verb::Get if key.plural == "namespaces" => namespace(&key).map(Into::into),
            Verb::Get | Verb::List | Verb::Watch => store.get(&key),
            Verb::Create => store.create(&key, self.body, now),
            Verb::Replace => store.replace(&key, self.status, self.body, now),
            Verb::Merge => store.merge(&key, self.status, &self.body),
            Verb::Patch => store.patch(&key, self.status, &self.body),
            Verb::Delete => store.delete(&key, now).ok_or_else(|| Refusal::not_found(&key)),
        };
        let object = match done {
            Ok(object) => object,
            Err(refusal) => {
                if self.status && refusal.reason == "Invalid" {
                    world.oracle().invalid(&refusal.message);
                }
                return Carried::refused(&refusal);
            }
        };
        if self.status {
            store.written.push(object.clone());
        }
        let oracle = world.oracle();
        match (self.verb, self.kind.plural) {
            (Verb::Get, "jwthttpapis") => {
                oracle.read(from, &key, &object);
                if key == *OBJECT {
                    oracle.looks(world.sandbox());
                }
            }
            (Verb::Create | Verb::Replace, "leases") => oracle.leased(from, &object, at),
            _ => {}
        }
        if self.status
            && let Some(before) = &before
        {
            oracle.said(world.sandbox(), before, &object);
        }
        let creates = matches!(self.verb, Verb::Create | Verb::Replace) && before.is_none();
        let document = if self.partial && object["kind"] != "Status" {
            let metadata = &object["metadata"];
            format!(
                r#"{{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{metadata}}}"#
            )
        } else {
            object.to_string()
        };
        Carried::Document(if creates { 201 } else { 200 }, Bytes::from(document))
    }

    fn list(&self, version: u64, objects: &[Arc<Value>]) -> Bytes {
        let mut items = String::new();
        for (index, object) in objects.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(items, "{comma}{object}");
        }
        let (api_version, kind) = (self.kind.api_version(), self.kind.name);
        Bytes::from(format!(
            r#"{{"apiVersion":"{api_version}","kind":"{kind}List","metadata":{{"resourceVersion":"{version}"}},"items":[{items}]}}"#
        ))
    }
}

/// The namespace that every cluster has, with a uid for life.
fn namespace(key: &Key) -> Result<Value, Refusal> {
    if key.name != "kube-system" {
        return Err(Refusal::not_found(key));
    }
    Ok(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": key.name, "uid": crate::KUBE_SYSTEM},
    }))
}
