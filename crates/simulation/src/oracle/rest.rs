//! What a phase has come to when it is at rest, and whether those who said Ready before spoke the truth.

use super::{Court, Oracle, Rule, expected, is_ready, reach::reaches};
use crate::{
    OBJECT,
    aws::CANARY,
    instance::SECRET,
    life::Phase,
    world::{Effect, World},
};
use jwthttpapi_sandbox::{
    Sandbox,
    model::deployment::{DeployedRoute, Deployment},
};
use prometheus_client::encoding::text::encode;
use serde_json::Value;
use std::collections::BTreeSet;

impl Oracle {
    /// Judges a phase that has come to rest.
    pub fn at_rest(&self, world: &World, phase: Phase) {
        let mut court = self.court();
        let come = court.come(world);
        let found = court.judged_at_rest(&come);
        let gone = come.gone;
        court.goes_on(come);
        drop(court);
        for (rule, how) in found {
            self.violated(rule, format!("{phase:?}: {how}"));
        }
        self.statuses(world);
        if !gone {
            self.status_at_rest(world, phase);
        }
        self.no_secret(world);
    }

    /// Judges whether AWS is still as the spec says that was in force before, if one was.
    pub(crate) fn stays(&self, world: &World) {
        let state = world.sandbox().state();
        let court = self.court();
        if court.in_force.is_null() {
            return;
        }
        let wanted = expected::of(&court.in_force, &court.organisation);
        let shown = expected::shown(&state, &court.uid);
        drop(court);
        if wanted != shown {
            let how = format!("what was in force did not stay: {}", difference(&wanted, &shown));
            self.violated(Rule::AsSpecified, how);
        }
    }

    /// An object's status was written: who says Ready of a generation, and has not said so before, must be right.
    pub(crate) fn said(&self, sandbox: &Sandbox, before: &Value, now: &Value) {
        self.goes_on(before, now);
        if now["metadata"]["namespace"] != OBJECT.namespace || now["metadata"]["name"] != OBJECT.name {
            return;
        }
        if is_ready(before) || !is_ready(now) || now["metadata"]["deletionTimestamp"].is_string() {
            return;
        }
        let mut court = self.court();
        let excuses = &court.excuses;
        if court.rivals || excuses.drifted_unseen || excuses.unseen || excuses.slept || excuses.orphaned > 0 {
            return;
        }
        let (wanted, shown) = court.compared(&court.wanted, &sandbox.state(), &court.uid);
        let mut found = Vec::new();
        if wanted != shown {
            found.push(format!("said Ready too early: {}", difference(&wanted, &shown)));
        }
        for id in court.own(sandbox) {
            let Some(deployment) = sandbox.deployment(&id, "$default", sandbox.now()) else {
                // AWS deploys nothing before there is a route.
                if court.wanted["routes"] != Value::Array(Vec::new()) {
                    found.push("said Ready of what is not deployed".to_owned());
                }
                continue;
            };
            if sandbox.is_deploying(&id, "$default", sandbox.now()) {
                found.push("said Ready before the last deployment".to_owned());
            } else if !is_served(sandbox, &id) {
                found.push("said Ready of what is not served".to_owned());
            }
            let unreached = |route: &&DeployedRoute| !reaches(sandbox, &deployment, route);
            if let Some(route) = deployment.routes.iter().find(unreached) {
                let key = &route.route_key;
                found.push(format!("said Ready, and {key} does not reach its function"));
            }
        }
        court.violated(found.into_iter().map(|how| super::Violation {
            rule: Rule::Truthful,
            how,
        }));
    }

    /// Judges the requests of a time in which nothing was left to do.
    pub(crate) fn quiet(&self, effects: &[Effect]) {
        for effect in effects.iter().filter(|effect| effect.is_write()) {
            self.violated(Rule::Quiet, format!("{} was sent at rest", effect.name));
        }
    }

    /// Judges a phase that nothing disturbed, on the usual AWS or on one that was drawn: it ends soon, and a creation makes
    /// everything once.
    pub(crate) fn prompt(&self, phase: Phase, took: std::time::Duration, effects: &[Effect], usual: bool) {
        if took > SOON {
            self.violated(Rule::Prompt, format!("{phase:?} took {} s", took.as_secs()));
        }
        let looks = effects
            .iter()
            .filter(|effect| effect.name == "Get jwthttpapis")
            .count();
        // An AWS that shows at once what was written needs one look, and one more when a role has settled.
        // Nothing of a function that leaves is forgotten before it was seen to be gone, its logs last.
        let lost_logs = effects.iter().any(|effect| effect.name == "DeleteLogGroup");
        let leaving = match phase {
            _ if !lost_logs => 0,
            Phase::Delete => 1,
            _ => 2,
        };
        let most = if usual {
            1 + leaving + usize::from(expected::has_role(&self.court().wanted))
        } else {
            MOST_LOOKS
        };
        if looks > most {
            self.violated(Rule::Prompt, format!("{phase:?} took {looks} passes"));
        }
        if phase == Phase::Create {
            let made = effects.iter().filter(|effect| effect.is_commit()).count();
            let wanted = expected::pieces(&self.court().wanted);
            if made != wanted {
                let how = format!("{made} writes made what {wanted} could make");
                self.violated(Rule::Prompt, how);
            }
        }
    }

    fn no_secret(&self, world: &World) {
        let state = world.state();
        let shown = state.kubernetes.get(&OBJECT).unwrap_or_default();
        let told = state.told.iter().map(ToString::to_string);
        if told.chain([shown.to_string()]).any(|text| is_secret(&text)) {
            drop(state);
            self.violated(Rule::Discreet, "the object or an event shows a secret");
        }
    }

    /// Judges what a life leaves that has ended.
    pub(crate) fn ended(&self, world: &World) {
        let state = world.state();
        let mut text = String::new();
        for metrics in &state.metrics {
            if encode(&mut text, metrics).is_err() {
                self.violated(Rule::Discreet, "metrics cannot be read");
            }
        }
        if is_secret(&text) {
            self.violated(Rule::Discreet, "metrics show a secret");
        }
    }
}

pub(super) fn is_secret(text: &str) -> bool {
    text.contains(SECRET) || text.contains(CANARY)
}

/// Whether what an API is configured to is what it serves: no deployment failed, nor is one on its way.
pub(super) fn is_served(sandbox: &Sandbox, id: &str) -> bool {
    let of = |deployment: &Deployment| (deployment.routes.clone(), deployment.disabled);
    let served = sandbox.deployment(id, "$default", sandbox.now());
    // AWS deploys nothing before there is a route.
    served.is_none() || served.as_ref().map(of) == sandbox.next_deployment(id, "$default").as_ref().map(of)
}

/// How long a phase takes that nothing disturbs: the waits for lists and for IAM, and room for both.
const SOON: std::time::Duration = std::time::Duration::from_secs(90);
/// How many passes such a phase takes when lists lag.
const MOST_LOOKS: usize = 20;

/// What there was when the living object was at rest.
pub(super) struct Rest {
    /// All of AWS.
    pub(super) aws: Value,
    /// Whether the object is suspended: until that is lifted nothing is written.
    pub(super) suspended: bool,
}

impl Rest {
    /// The user suspends the object.
    pub(super) fn suspended(self) -> Self {
        Self {
            suspended: true,
            ..self
        }
    }
}

impl Court {
    /// What AWS should show of the object and what it shows, without what nobody can know any more.
    pub(super) fn compared(&self, spec: &Value, state: &Value, uid: &str) -> (Value, Value) {
        let mut wanted = expected::of(spec, &self.organisation);
        let mut shown = expected::shown(state, uid);
        if self.excuses.forgot_grants {
            wanted["grants"] = Value::Null;
            shown["grants"] = Value::Null;
        }
        if self.excuses.lost_functions() {
            wanted["leftovers"] = Value::Null;
            shown["leftovers"] = Value::Null;
            let asked = &wanted["functions"];
            if let Some(functions) = shown["functions"].as_object_mut() {
                functions.retain(|name, _| !asked[name].is_null());
            }
        }
        (wanted, shown)
    }
}

/// Where two values differ: paths with both values, a few of them.
pub(super) fn difference(expected: &Value, found: &Value) -> String {
    let mut all = Vec::new();
    compare("", expected, found, &mut all);
    all.truncate(6);
    all.join("; ")
}

fn compare(path: &str, expected: &Value, found: &Value, all: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let empty = Value::Null;
                let (one, other) = (one.get(key).unwrap_or(&empty), other.get(key).unwrap_or(&empty));
                compare(&format!("{path}/{key}"), one, other, all);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}/{index}"), one, other, all);
            }
        }
        (one, other) if one == other => {}
        (one, other) => all.push(format!("{path}: expected {one}, found {other}")),
    }
}
