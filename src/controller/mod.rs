//! The controller: what wakes it, and the pipeline it drives.
//!
//! | module | what it does in a pass |
//! |---|---|
//! | `watch`, `wake`, `turns` | shows the objects; says which events start a pass; and whose turn it is |
//! | `reconcile` | bounds a pass in time, reports it, says when the next one is due |
//! | `record` | reads and writes the object in Kubernetes |
//! | `converge` | drives an object that lives: `aim` builds what is wanted, `look` reads AWS, `establish` finds or makes the API, `reclaim` takes over a namesake's, `carry_out` plans and executes, with `ahead` before the writes and `conclude` after them |
//! | `unseen` | doubts what status names and AWS does not show |
//! | `attachments` | tells what others put on its roles |
//! | `delete` | drives an object that goes; `release` one whose AWS stays, and `left` is what it could not give up |
//! | `orphans` | looks, beside all that, for what no object claims |

mod ahead;
mod aim;
mod attachments;
mod backoff;
mod belongings;
mod carry_out;
mod conclude;
mod context;
mod converge;
mod delete;
mod deployment;
mod duplicates;
pub(crate) mod error;
mod establish;
mod events;
mod expected;
mod functions;
mod index;
mod left;
mod look;
pub(crate) mod orphans;
pub(crate) mod pass;
mod reclaim;
mod reconcile;
mod record;
mod release;
mod remains;
mod resync;
#[cfg(test)]
mod tests;
mod turns;
mod unseen;
mod wake;
mod watch;

pub(crate) use context::{Cluster, Context, Periods};

use crate::{metrics::Census, server::Health};
use error::Error;
use futures::{Stream, StreamExt, stream};
use jwthttpapi_core::api::{ConditionType, JwtHttpApi, Reason, condition};
use kube::{
    Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        Config, Controller, WatchStreamExt,
        controller::{Action, Error as ControllerError},
        reflector::{self, Store, store::Writer},
        watcher,
    },
};
use std::{future::ready, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use turns::Turns;

type Guarded = DeserializeGuard<JwtHttpApi>;
/// The objects as the watch showed them.
pub(crate) type Cache = Store<Guarded>;

/// How long changes of one object are collected before it is looked at.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// The cache, and what fills it.
pub(crate) fn cache() -> (Cache, Writer<Guarded>) {
    reflector::store()
}

/// What the controller is made of.
pub(crate) struct Parts {
    pub(crate) client: Client,
    /// Fills the cache that is in the context.
    pub(crate) writer: Writer<Guarded>,
    pub(crate) ctx: Arc<Context>,
    pub(crate) concurrency: u16,
    pub(crate) health: Health,
}

/// Runs until stopped. `lead` says when to look at every object: at the start of leadership.
pub(crate) async fn run(
    parts: Parts,
    lead: impl Stream<Item = ()> + Send + Sync + 'static,
    stop: CancellationToken,
) {
    let Parts {
        client,
        writer,
        ctx,
        concurrency,
        health,
    } = parts;
    let store = ctx.store.clone();
    let (stock, woken) = (ctx.clone(), ctx.metrics.clone());
    let turns = Turns::new(concurrency);
    let waiting = Arc::clone(&turns);
    let mut known = wake::Known::default();
    let objects = watch::objects(&client, &ctx.cluster.namespaces, &store)
        .reflect(writer)
        .inspect(move |event| match event {
            Ok(watcher::Event::InitDone) => {
                health.synced();
                take_stock(&stock);
            }
            Ok(watcher::Event::Apply(_) | watcher::Event::Delete(_)) => take_stock(&stock),
            // The cache shows what a first list brings when it is complete.
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => {}
            Err(error) => tracing::warn!(error = error as &dyn std::error::Error, "the watch failed"),
        })
        // The controller would stop to listen for a while after each error: to every namespace, and to the start of leadership.
        .filter_map(|event| ready(event.ok()))
        .flat_map(move |event| stream::iter(known.wakes(event)))
        .inspect(move |object| {
            woken.work().woken(&key(object));
            waiting.hurry(object);
        })
        .map(Ok);
    // Until the cache is filled no reconcile runs, and the controller, asked to stop, would wait for it without end.
    let (filling, asked) = (store.clone(), stop.clone());
    let stopped_empty = async move {
        tokio::select! {
            biased;
            _ = filling.wait_until_ready() => std::future::pending().await,
            () = asked.cancelled() => {}
        }
    };
    let controlling = Controller::for_stream(objects, store)
        // As many as like to wait: whose turn it is is not decided by the order of a hash.
        .with_config(Config::default().concurrency(0).debounce(DEBOUNCE))
        .reconcile_all_on(lead)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(
            move |object, ctx| in_turn(turns.clone(), object, ctx),
            reconcile::error_policy,
            ctx,
        )
        .for_each(|outcome| async move {
            match outcome {
                Ok((object, action)) => tracing::debug!(%object, ?action, "reconciled"),
                Err(ControllerError::ObjectNotFound(object)) => tracing::debug!(%object, "gone"),
                Err(ControllerError::ReconcilerFailed(Error::Conflict, object)) => {
                    tracing::debug!(%object, "changed meanwhile");
                }
                Err(ControllerError::ReconcilerFailed(error, object)) => {
                    tracing::warn!(%object, error = &error as &dyn std::error::Error, "reconcile failed");
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the controller failed");
                }
            }
        });
    tokio::select! {
        biased;
        () = controlling => {}
        () = stopped_empty => {}
    }
}

/// One reconcile, when it is the object's turn.
async fn in_turn(turns: Arc<Turns>, object: Arc<Guarded>, ctx: Arc<Context>) -> Result<Action, Error> {
    let place = turns.enter(&object).await;
    // kube's own span is off where only warnings are logged.
    let span = tracing::error_span!("object", namespace = object.namespace(), name = object.name_any());
    let done = Box::pin(reconcile::reconcile(object, ctx)).instrument(span).await;
    drop(place);
    done
}

/// Namespace and name of an object, for counting.
fn key<K: ResourceExt>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// A word of a closed set: others may write into a status, and no word of theirs becomes a series.
fn within(word: &str, words: &[&str]) -> String {
    let known = words.contains(&word);
    if known { word } else { "other" }.to_owned()
}

/// Counts what the objects say in their status, and forgets those that are gone.
fn take_stock(ctx: &Context) {
    let objects = ctx.store.state();
    let mut census = Census::default();
    for object in &objects {
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let Some(status) = status else { continue };
        for kind in ConditionType::ALL {
            let Some(condition) = condition(&status.conditions, kind) else {
                continue;
            };
            let status = within(&condition.status, &["True", "False", "Unknown"]);
            let counted = (kind.as_str(), status);
            *census.conditions.entry(counted).or_default() += 1;
            if kind == ConditionType::DeletionBlocked {
                let reason = within(&condition.reason, &Reason::ALL.map(Reason::as_str));
                *census.blocked.entry(reason).or_default() += 1;
            }
        }
    }
    ctx.metrics.census(census);
    let alive = objects.iter().map(|object| key(&**object)).collect();
    ctx.metrics.work().retain(&alive);
    ctx.retain(&objects.iter().filter_map(|object| object.uid()).collect());
}
