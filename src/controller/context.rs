//! What every reconcile needs, and what the process remembers between two of one object.
//!
//! Nothing remembered here makes a write right that would be wrong without it: a restart loses it and waits anew.

use crate::{aws::Aws, clock::Clock, metrics::Metrics};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApi, Reason},
    model::{Owner, Policy},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Client, Resource, ResourceExt,
    runtime::{events::Reporter, reflector::ObjectRef},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

use super::{
    Cache, Guarded, attachments::Attachments, deployment::Deployments, events::Allowance, index::Index,
    record::has_finalizer, resync, unseen::Unseen,
};

/// What every reconcile needs.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    pub(crate) store: Cache,
    /// Who publishes events.
    pub(crate) reporter: Reporter,
    pub(crate) metrics: Metrics,
    pub(crate) policy: Policy,
    pub(crate) periods: Periods,
    pub(crate) cluster: Cluster,
    /// Whether orphans are deleted.
    pub(crate) delete_orphans: bool,
    pub(crate) clock: Clock,
    pub(crate) index: Index,
    pub(crate) leading: AtomicBool,
    pub(crate) stopping: AtomicBool,
    /// Uids of objects that were released with their tags still on: what is left of them is to stay.
    released: Mutex<BTreeSet<String>>,
    memory: Mutex<BTreeMap<String, Memory>>,
    /// When the period of resyncs was last counted, and what it was.
    resync: Mutex<Option<(Instant, Duration)>>,
}

/// How long a count of all routes of all objects holds: each pass asks for what follows from it, and minutes follow.
const RECOUNT: Duration = Duration::from_secs(1);

/// Whose cluster this is, and how much of it is looked after.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// `--cluster-id`, or the uid below.
    pub(crate) id: String,
    /// Uid of the kube-system namespace; none when only some namespaces are watched.
    pub(crate) kube_system: Option<String>,
    /// Namespaces whose objects are looked after; none for all.
    pub(crate) namespaces: Vec<String>,
    /// Uids of the kube-system namespaces of clusters that this one replaces.
    pub(crate) replaced: Vec<String>,
}

impl Cluster {
    /// The owner that an object is in AWS.
    pub(crate) fn owner(&self, object: &JwtHttpApi) -> Owner {
        Owner {
            cluster: self.id.clone(),
            kube_system: self.kube_system.clone(),
            uid: object.uid().unwrap_or_default(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
        }
    }

    /// Whether what carries our cluster id and this kube-system uid was made here, or in a cluster that this one replaces.
    pub(crate) fn is_ours(&self, kube_system: &str) -> bool {
        let ours = self.kube_system.as_deref();
        ours.is_some_and(|ours| ours == kube_system || self.replaced.iter().any(|old| old == kube_system))
    }
}

/// Times that the installer may set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Periods {
    /// List lag and write timeout together: how long a found intent waits.
    pub(crate) settle: Duration,
    /// How long IAM needs.
    pub(crate) iam_settle: Duration,
    /// How long AWS may take to deploy what was written.
    pub(crate) deploy_settle: Duration,
    /// How often an object is compared with AWS, before stretching.
    pub(crate) resync: Duration,
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Since when an intent or a missing id was seen, or the last create was over.
    pub(crate) unsettled: Option<Instant>,
    /// Why the last creation made nothing, and for which generation: that stays true while the next one waits.
    pub(crate) refused: Option<(i64, Draft)>,
    /// When the intent was written that was seen last. It only tells that one from another.
    pub(crate) announced: Option<Time>,
    /// The change of IAM that status tells of, and when this process made it or first saw it told.
    pub(crate) iam: Option<(Time, Instant)>,
    /// Since when Lambda has said that it cannot assume a role yet.
    pub(crate) unassumable: Option<Instant>,
    /// The deployments that may be on their way.
    pub(crate) deployments: Deployments,
    /// What others put on the roles.
    pub(crate) attachments: Attachments,
    /// The generation for which AWS was last observed to be as wanted.
    pub(crate) converged: Option<i64>,
    /// Children made by this process, which every complete list must show until the instant.
    pub(crate) expected: Option<(BTreeSet<String>, Instant)>,
    /// When what this process last wrote to IAM or Lambda was carried out at the latest.
    pub(crate) wrote_beside: Option<Instant>,
    /// Whether AWS showed the object's own role when it was last asked for one: it is asked again then, whatever status tells.
    pub(crate) has_role: bool,
    /// What status names, nobody wants, and AWS does not show.
    pub(crate) unseen: Unseen,
    /// Until when a write without an answer may still be on its way: nothing read before is believed.
    pub(crate) quiet_until: Option<Instant>,
    /// The generation that this process saw arrive and that was not Ready yet, and when it was first looked at.
    pub(crate) arrived: Option<(i64, Instant)>,
    /// How many more events may tell of it.
    pub(crate) events: Allowance,
    /// What was told of a release that its finalizer has outlived.
    pub(crate) given_up: Option<String>,
    /// How often in a row what was written was not read back as wanted.
    pub(crate) unheld: u32,
    /// How often in a row passes ended with one reason, or with reasons that pass.
    pub(crate) failures: (u32, Option<Reason>),
    /// How often in a row the API server did not take a write.
    pub(crate) untaken: u32,
}

impl Memory {
    /// Since when the change that status tells of may be on its way through IAM: since it was `made`, if it was just now, else since
    /// this process first saw it told.
    pub(crate) fn iam_changed(&mut self, told: Option<Time>, made: Option<Instant>) -> Option<Instant> {
        let known = self.iam.take();
        self.iam = told.map(|told| {
            let known = known.filter(|(known, _)| *known == told);
            let since = made.or_else(|| known.map(|(_, since)| since));
            (told, since.unwrap_or_else(Instant::now))
        });
        self.iam.as_ref().map(|(_, since)| *since)
    }
}

impl Context {
    #[expect(
        clippy::too_many_arguments,
        reason = "the composition root names each part once"
    )]
    pub(crate) fn new(
        client: Client,
        aws: Aws,
        store: Cache,
        reporter: Reporter,
        metrics: Metrics,
        policy: Policy,
        periods: Periods,
        cluster: Cluster,
        delete_orphans: bool,
        clock: Clock,
    ) -> Self {
        Self {
            client,
            aws,
            store,
            reporter,
            metrics,
            policy,
            periods,
            cluster,
            delete_orphans,
            clock,
            index: Index::default(),
            leading: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            released: Mutex::default(),
            memory: Mutex::default(),
            resync: Mutex::default(),
        }
    }

    /// The owner that an object is in AWS.
    pub(crate) fn owner(&self, object: &JwtHttpApi) -> Owner {
        self.cluster.owner(object)
    }

    /// What is remembered of an object. Only one reconcile of an object runs at a time.
    pub(crate) fn recall(&self, uid: &str) -> Memory {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(uid)
            .cloned()
            .unwrap_or_default()
    }

    /// Keeps what is remembered of an object.
    pub(crate) fn remember(&self, uid: &str, memory: Memory) {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(uid.to_owned(), memory);
    }

    /// Forgets what is remembered of an object.
    pub(crate) fn forget(&self, uid: &str) {
        let mut memories = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memories.remove(uid);
    }

    /// Counts a write of an object that the API server did not take; how many they are in a row.
    pub(crate) fn untaken(&self, uid: &str) -> u32 {
        let mut memories = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = memories.entry(uid.to_owned()).or_default();
        memory.untaken = memory.untaken.saturating_add(1);
        memory.untaken
    }

    /// Keeps the sweep from what an object leaves behind, for the life of this process.
    pub(crate) fn keep(&self, uid: &str) {
        let mut released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.insert(uid.to_owned());
    }

    /// Whether the sweep deletes what carries this uid when nobody has it any more.
    pub(crate) fn deletes_orphans_of(&self, uid: &str) -> bool {
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        self.delete_orphans && !released.contains(uid)
    }

    /// Forgets objects that are gone: all but those with these uids.
    pub(crate) fn retain(&self, alive: &BTreeSet<String>) {
        let mut memories = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memories.retain(|uid, _| alive.contains(uid));
    }

    /// Whether this process may start reconciles.
    pub(crate) fn leads(&self) -> bool {
        self.leading.load(Ordering::Relaxed) && !self.stopping.load(Ordering::Relaxed)
    }

    /// Whether a plan made for an object is to be cut: the process stops, or the watch shows another object.
    pub(crate) fn outdated(&self, object: &JwtHttpApi) -> bool {
        if !self.leads() {
            return true;
        }
        let key = key_in_cache(object);
        // It was there when this pass began: it has gone.
        let Some(seen) = self.store.get(&key) else {
            return true;
        };
        let Ok(seen) = &seen.0 else { return false };
        if seen.uid() != object.uid() {
            // A predecessor that a watch behind our own read still shows is no change, whatever befell it.
            return seen.meta().creation_timestamp >= object.meta().creation_timestamp;
        }
        // Nor is an older generation.
        let newer = seen.metadata.generation > object.metadata.generation;
        let deleted = seen.meta().deletion_timestamp.is_some() && object.meta().deletion_timestamp.is_none();
        // What we have just put on the watch may not show yet.
        let stripped = is_later(seen, object) && has_finalizer(object) && !has_finalizer(seen);
        newer || deleted || stripped
    }

    /// Whether a deletion is to be cut: the process stops, or the user wants something else of it, such as `suspend` or `Retain`.
    /// That the object has gone stops nothing: what is its is to go, too.
    pub(crate) fn reconsidered(&self, object: &JwtHttpApi) -> bool {
        let key = key_in_cache(object);
        let seen = self.store.get(&key);
        let changed = |seen: Arc<Guarded>| {
            seen.meta().generation > object.meta().generation && seen.uid() == object.uid()
        };
        !self.leads() || seen.is_some_and(changed)
    }

    /// The effective period of resyncs, as it was at most [`RECOUNT`] ago.
    pub(crate) fn resync(&self) -> Duration {
        let mut counted = self.resync.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, period)) = *counted
            && at.elapsed() < RECOUNT
        {
            return period;
        }
        let period = resync::period(self.periods.resync, &self.store, self.aws.settings());
        self.metrics.resync(period);
        *counted = Some((Instant::now(), period));
        period
    }
}

/// Where the cache has an object.
pub(super) fn key_in_cache(object: &JwtHttpApi) -> ObjectRef<Guarded> {
    ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default())
}

/// Whether one version of an object came after another: versions of one kind are numbers that grow (KEP-5504). Where they are
/// none, nobody can tell.
fn is_later(one: &JwtHttpApi, other: &JwtHttpApi) -> bool {
    let version = |object: &JwtHttpApi| object.resource_version()?.parse::<u64>().ok();
    version(one)
        .zip(version(other))
        .is_some_and(|(one, other)| one > other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_change_of_iam_counts_from_when_it_was_made_or_first_seen() {
        let told = |second| Some(Time(Timestamp::from_second(second).unwrap()));
        let mut memory = Memory::default();
        assert_eq!(memory.iam_changed(None, None), None);
        let seen = Instant::now();
        assert_eq!(memory.iam_changed(told(1), None), Some(seen));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(memory.iam_changed(told(1), None), Some(seen));
        let made = Instant::now();
        assert_eq!(memory.iam_changed(told(1), Some(made)), Some(made));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(memory.iam_changed(told(2), None), Some(Instant::now()));
        assert_eq!(memory.iam_changed(None, None), None);
    }
}
