//! What somebody else does in the middle of the operator's work: to the object, to what is the object's in AWS, to the account.

mod denied;
mod drift;
#[cfg(test)]
mod effects;
mod keys;
mod status;

pub use denied::denials;
pub use drift::Drift;
pub(crate) use drift::SOMEBODY;
pub use status::{CORRUPTED, WIPED};

use crate::{OBJECT, OPERATOR, kubernetes::Key, scenario::ISSUER, world::World};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// The user deletes the object.
    Delete,
    /// An administrator takes the finalizer off and deletes the object, and the user makes one of the same name.
    Replace,
    /// The user deletes the object, and makes one of the same name as soon as it has gone.
    Recreate,
    /// Somebody takes the operator's finalizer off.
    StripFinalizer,
    /// The API server forgets the past: every watch ends, and a new one has to list again.
    Compact,
    /// Every watch ends.
    EndWatches,
    /// The next events come late.
    DelayEvents,
    /// The next events come twice.
    DoubleEvents,
    /// The next events are never shown, until minutes later every watch has to list again.
    DropEvents,
    /// The next two events come in reverse order.
    SwapEvents,
    /// The next list shows the past.
    StaleList,
    /// The next list shows nothing, as before the object was made.
    AncientList,
    /// A part of the status is lost.
    Wipe(&'static str),
    /// A part of the status is wrong for two minutes, and then empty: a text, or a document.
    Corrupt(&'static str, &'static str),
    /// Somebody changes what is the object's in AWS.
    Drift(Drift),
    /// A switch of AWS, as a merge patch, is other than it was for so many seconds.
    Switch(&'static str, u64),
    /// Whatever is written to API Gateway within a minute fails to be deployed.
    FailDeployments,
    /// Another object, whose spec is not accepted, is changed twenty times a second.
    Flood,
    /// The operator's access key is replaced by another: AWS refuses the old one from now on.
    RotateKey,
    /// There is no access key for a minute and a half, and AWS refuses the one that there was.
    LoseKey,
}

impl Deed {
    /// The kind that tables show.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Delete => "deleted meanwhile",
            Self::Replace => "replaced by its namesake",
            Self::Recreate => "made anew",
            Self::StripFinalizer => "finalizer stripped",
            Self::Compact => "watch compacted",
            Self::EndWatches => "watches ended",
            Self::DelayEvents => "events late",
            Self::DoubleEvents => "events doubled",
            Self::DropEvents => "events lost",
            Self::SwapEvents => "events in reverse order",
            Self::StaleList | Self::AncientList => "list of the past",
            Self::Wipe(_) => "status lost",
            Self::Corrupt(..) => "status wrong",
            Self::Drift(Drift::DeleteApi | Drift::DeleteRole) => "deleted in AWS",
            Self::Drift(_) => "drift",
            Self::Switch(patch, _) if patch.contains("deny") => "action denied",
            Self::Switch(patch, _) if patch.contains("quotas") => "quota full",
            Self::Switch(..) => "AWS in trouble",
            Self::FailDeployments => "deployments fail",
            Self::Flood => "another floods",
            Self::RotateKey => "key replaced",
            Self::LoseKey => "key gone",
        }
    }

    /// All of them.
    pub fn all() -> Vec<Self> {
        let plain = [
            Self::Delete,
            Self::Replace,
            Self::Recreate,
            Self::StripFinalizer,
            Self::Compact,
            Self::EndWatches,
            Self::DelayEvents,
            Self::DoubleEvents,
            Self::DropEvents,
            Self::SwapEvents,
            Self::StaleList,
            Self::AncientList,
            Self::Flood,
            Self::RotateKey,
            Self::LoseKey,
            Self::Switch(r#"{"expired_keys": ["AKIDOPERATOR"]}"#, 90),
            Self::Switch(r#"{"invalid_keys": ["AKIDOPERATOR"]}"#, 90),
            Self::Switch(
                r#"{"rate_limits": {"apigateway": {"per_second": 1, "burst": 1}}}"#,
                60,
            ),
        ];
        let wiped = WIPED.map(Self::Wipe);
        let corrupted = CORRUPTED.map(|(field, value)| Self::Corrupt(field, value));
        let drifts = Drift::ALL.iter().copied().map(Self::Drift);
        plain
            .into_iter()
            .chain(wiped)
            .chain(corrupted)
            .chain(drifts)
            .chain(denials())
            .chain(full())
            .chain([Self::FailDeployments])
            .collect()
    }
}

/// Quotas of how many things there may be, and of a function's policy, each full for three minutes. What a spec says cannot be
/// longer than the others allow.
fn full() -> impl Iterator<Item = Deed> {
    [
        r#"{"quotas": {"apis": 1}}"#,
        r#"{"quotas": {"routes": 0}}"#,
        r#"{"quotas": {"integrations": 0}}"#,
        r#"{"quotas": {"authorizers": 0}}"#,
        r#"{"quotas": {"stages": 0}}"#,
        r#"{"quotas": {"roles": 0}}"#,
        r#"{"quotas": {"function_policy_bytes": 0}}"#,
        r#"{"quotas": {"log_groups": 0}}"#,
    ]
    .into_iter()
    .map(|patch| Deed::Switch(patch, 180))
}

/// How long a user waits for an object to go.
const PATIENCE: Duration = Duration::from_secs(1800);

/// How much of a text or a patch is shown.
const SHOWN: usize = 60;

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ").chars().take(SHOWN).collect::<String>()
        };
        match self {
            Self::Wipe("*") => write!(f, "status lost"),
            Self::Wipe(field) => write!(f, "status.{field} lost"),
            Self::Corrupt(field, text) => write!(f, "status.{field} set to {}", short(text)),
            Self::Drift(drift) => write!(f, "{drift:?}"),
            Self::Switch(patch, seconds) => {
                let parsed = serde_json::from_str(patch).unwrap_or_default();
                match denied::denied(&parsed).next() {
                    Some(action) => write!(f, "{action} denied for {seconds} s"),
                    None => write!(f, "AWS with {} for {seconds} s", short(patch)),
                }
            }
            plain => write!(f, "{plain:?}"),
        }
    }
}

/// Patches of AWS's switches that are in force, oldest first.
#[derive(Debug, Default)]
pub struct Switched {
    last: u32,
    patches: BTreeMap<u32, Value>,
}

impl Switched {
    fn on(&mut self, patch: Value) -> u32 {
        self.last += 1;
        self.patches.insert(self.last, patch);
        self.last
    }

    fn off(&mut self, number: u32) {
        self.patches.remove(&number);
    }

    /// Whether AWS is as usual again.
    fn is_empty(&self) -> bool {
        self.patches.is_empty()
    }

    fn patches(&self) -> impl Iterator<Item = &Value> {
        self.patches.values()
    }
}

impl World {
    /// Does it.
    pub(crate) async fn perform(&self, deed: &Deed) {
        match deed {
            Deed::Drift(drift) => {
                self.oracle().drifted(drift.opens());
                let _turn = self.turn().await;
                drift.happen(self).await;
                self.lose_track();
            }
            Deed::Switch(patch, seconds) => self.switch(patch, *seconds),
            Deed::Corrupt(field, value) => self.corrupt(field, value),
            Deed::Wipe(field) => self.wipe(field),
            Deed::Replace => self.replace(),
            Deed::Recreate => self.recreate(),
            Deed::Delete => self.delete(),
            Deed::StripFinalizer => {
                self.oracle().stripped();
                let object = self.state().kubernetes.get(&OBJECT).unwrap_or_default();
                if !object["metadata"]["deletionTimestamp"].is_null() {
                    self.oracle().orphaned(None);
                }
                self.state().kubernetes.strip_finalizers(&OBJECT);
            }
            Deed::Compact => self.state().kubernetes.compact(),
            Deed::EndWatches => self.state().kubernetes.end_watches(),
            Deed::DelayEvents => {
                self.state().kubernetes.hold_events();
                self.later(20, |world| world.state().kubernetes.release_events());
            }
            Deed::DoubleEvents => self.state().kubernetes.double_events(),
            Deed::DropEvents => {
                self.state().kubernetes.lose_events();
                self.later(180, |world| world.state().kubernetes.expire());
            }
            Deed::SwapEvents => {
                self.state().kubernetes.swap_events();
                self.later(20, |world| world.state().kubernetes.settle_events());
            }
            Deed::StaleList => self.state().kubernetes.make_list_stale(),
            Deed::AncientList => self.state().kubernetes.make_list_ancient(),
            Deed::FailDeployments => self.fail_deployments(),
            Deed::Flood => self.flood(),
            Deed::RotateKey => self.rotate_key(),
            Deed::LoseKey => self.lose_key(),
        }
        self.announce();
    }

    /// The user deletes the object. One without the finalizer is gone at once, whatever it has in AWS.
    pub(crate) fn delete(&self) {
        let now = self.now();
        let has_api = self.api().is_some();
        let Some(object) = self.object() else { return };
        let mut state = self.state();
        self.oracle().goes();
        if has_api && object["metadata"]["finalizers"].is_null() && self.oracle().was_stripped() {
            self.oracle().orphaned(None);
        }
        state.kubernetes.delete(&OBJECT, now);
    }

    /// An administrator takes the finalizer off and deletes the object: what it has in AWS is for the operator to find.
    pub(crate) fn abandon(&self) {
        self.oracle().abandoned(self.sandbox());
        let now = self.now();
        let store = &mut self.state().kubernetes;
        store.strip_finalizers(&OBJECT);
        store.delete(&OBJECT, now);
    }

    fn switch(&self, patch: &str, seconds: u64) {
        let patch: Value = serde_json::from_str(patch).expect("a patch");
        for action in denied::denied(&patch) {
            self.oracle().denied(action);
        }
        let number = self.state().switched.on(patch);
        self.set_switches();
        self.later(seconds, move |world| {
            world.state().switched.off(number);
            world.set_switches();
        });
    }

    /// Switches of AWS as the deeds that are going on want them.
    fn set_switches(&self) {
        let mut settings = self.usual().clone();
        if self.state().rotated {
            settings = settings.patched(&keys::refusing(OPERATOR)).expect("switches");
        }
        for patch in self.state().switched.patches() {
            settings = settings.patched(patch).expect("switches");
        }
        self.sandbox().set_settings(settings);
    }

    fn fail_deployments(&self) {
        let rule = json!({
            "service": "apigateway", "mutating": true, "times": null,
            "action": {"kind": "fail_deployment", "message": "simulated trouble"},
        });
        let rule = serde_json::from_value(rule).expect("a rule");
        self.sandbox().add_faults(vec![rule]);
        self.later(60, |world| world.sandbox().clear_faults());
    }

    /// Another object, for a while: what it asks for is refused, again and again.
    fn flood(&self) {
        let world = self.clone();
        tokio::spawn(async move {
            let noisy = Key::new("jwthttpapis", "demo", "noisy");
            let spec = |round: u32| {
                json!({"issuer": ISSUER, "audience": [round.to_string()], "routes": [
                    {"routeKey": "GET /noise", "authorizer": "nobody", "lambda": {"name": "one"}},
                ]})
            };
            let object = json!({
                "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi", "spec": spec(0),
            });
            let now = world.now();
            if world.state().kubernetes.create(&noisy, object, now).is_err() {
                return;
            }
            for round in 1..100 {
                sleep(Duration::from_millis(50)).await;
                let change = json!({"spec": spec(round)});
                let _ = world.state().kubernetes.merge(&noisy, false, &change);
            }
            let now = world.now();
            world.state().kubernetes.delete(&noisy, now);
            world.announce();
        });
    }

    fn replace(&self) {
        let now = self.now();
        let Some(old) = self.object() else { return };
        let uid = old["metadata"]["uid"].as_str().unwrap_or_default();
        let deleting = old["metadata"]["deletionTimestamp"].is_string();
        // A deletion that is under way may still reach what is left behind.
        let orphans = self.api_of(uid).filter(|_| !deleting);
        self.oracle().orphaned(orphans);
        // Its functions are known to its namesake by their logs alone.
        self.oracle().forgot_functions();
        let mut state = self.state();
        state.kubernetes.strip_finalizers(&OBJECT);
        state.kubernetes.delete(&OBJECT, now);
        drop(state);
        self.bear(&old);
        self.lose_track();
    }

    /// A statement on a function that neither spec nor status names, and to which no integration leads, is known to nobody.
    fn lose_track(&self) {
        let Some(object) = self.object() else { return };
        let routes = object["spec"]["routes"].as_array().into_iter().flatten();
        let named: Vec<&Value> = routes.map(|route| &route["lambda"]["name"]).collect();
        let granted = object["status"]["grants"].as_array().into_iter().flatten();
        let granted: Vec<&str> = granted.filter_map(Value::as_str).collect();
        let is_known = |function: &str| {
            let arn = format!(":function:{function}");
            named.iter().any(|name| **name == *function)
                || granted.iter().any(|grant| grant.ends_with(&arn))
                || self.reaches(function)
        };
        if !self.statements().iter().all(|(function, _)| is_known(function)) {
            self.oracle().forgot_grants();
        }
    }

    fn recreate(&self) {
        self.delete();
        let world = self.clone();
        tokio::spawn(async move {
            let mut changes = world.changes();
            let mut last = Arc::default();
            let gone = async {
                while let Some(object) = world.object() {
                    last = object;
                    let _ = changes.changed().await;
                }
            };
            if timeout(PATIENCE, gone).await.is_err() || last.is_null() {
                return;
            }
            // A namesake of one that went without its finalizer knows of its things no more than one that replaces it.
            if world.oracle().was_stripped() {
                world.oracle().forgot_grants();
                world.oracle().forgot_functions();
            }
            world.bear(&last);
            world.announce();
        });
    }

    fn object(&self) -> Option<Arc<Value>> {
        self.state().kubernetes.get(&OBJECT).ok()
    }

    /// The user makes an object like one that has gone.
    fn bear(&self, old: &Value) {
        let object = json!({"apiVersion": old["apiVersion"], "kind": old["kind"], "spec": old["spec"]});
        let now = self.now();
        let born = self.state().kubernetes.create(&OBJECT, object, now);
        if let Ok(new) = born {
            self.oracle()
                .lives(new["metadata"]["uid"].as_str().unwrap_or_default());
        }
    }

    /// Undoes a deed after so many seconds.
    fn later(&self, seconds: u64, undo: impl FnOnce(&Self) + Send + 'static) {
        let world = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(seconds)).await;
            undo(&world);
        });
    }
}
