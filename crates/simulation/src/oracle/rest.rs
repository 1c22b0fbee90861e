//! What a phase has come to when it is at rest, and whether those who said Ready before spoke the truth.

use super::{Court, Oracle, Rule, expected, is_held, is_ready, reach::reaches};
use crate::{
    OBJECT,
    aws::CANARY,
    instance::SECRET,
    life::Phase,
    world::{Effect, World},
};
use jwthttpapi_sandbox::{Sandbox, model::deployment::DeployedRoute};
use prometheus_client::encoding::text::encode;
use serde_json::Value;
use std::collections::BTreeSet;

impl Oracle {
    /// Judges a phase that has come to rest.
    pub fn at_rest(&self, world: &World, phase: Phase) {
        let state = world.sandbox().state();
        let mut court = self.court();
        let uid = court.uid.clone();
        let mut found = Vec::new();
        let mut compare = |rule: Rule, expected: &Value, shown: &Value| {
            if expected != shown {
                found.push((rule, format!("{phase:?}: {}", difference(expected, shown))));
            }
        };
        let object = world.state().kubernetes.get(&OBJECT).ok();
        let gone = object.is_none();
        let held = object.is_some_and(|object| is_held(&object));
        let excuses = &court.excuses;
        // Nobody puts right what is suspended.
        let left_alone = held && (excuses.drifted || excuses.orphaned > 0);
        let rest = court
            .rest
            .as_ref()
            .filter(|_| !excuses.drifted && excuses.orphaned == 0);
        if gone && court.wanted["deletionPolicy"] == "Retain" {
            compare(
                Rule::NothingForeign,
                &expected::others(&court.before),
                &expected::others(&expected::known(&court.before, &state)),
            );
            if let Some(rest) = rest {
                let (was, is) = (expected::untagged(&rest.aws), expected::untagged(&state));
                compare(Rule::NothingLeft, &was, &is);
            }
        } else if gone && !excuses.leave_something() {
            compare(
                Rule::NothingLeft,
                &excuses.all_but_lost(&court.before),
                &excuses.all_but_lost(&state),
            );
        } else {
            let (before, is) = (&court.before, &state);
            let known = excuses.let_go.then(|| expected::known(before, is));
            compare(
                Rule::NothingForeign,
                &expected::others(before),
                &expected::others(known.as_ref().unwrap_or(is)),
            );
        }
        if !gone && !left_alone {
            let spec = if held { &court.in_force } else { &court.wanted };
            let (wanted, shown) = court.compared(spec, &state, &uid);
            compare(Rule::AsSpecified, &wanted, &shown);
        }
        if !gone && !held {
            court.in_force = court.wanted.clone();
            court.exposure.settle();
        }
        // What befalls a deletion may leave something behind, and a release may leave tags on.
        if gone && world.state().schedule.is_empty() && state.to_string().contains(&uid) {
            found.push((Rule::NothingLeft, "something carries the object's uid".to_owned()));
        }
        let alive: BTreeSet<String> = world.sandbox().apis().into_iter().map(|(id, _)| id).collect();
        for orphan in court
            .orphans
            .difference(&alive)
            .filter(|_| !court.deletes_orphans)
        {
            found.push((
                Rule::NothingForeign,
                format!("the namesake's API {orphan} is gone"),
            ));
        }
        court.excuses.drifted &= left_alone;
        court.excuses.opened &= left_alone;
        if !left_alone {
            court.excuses.let_in.clear();
        }
        court.excuses.damaged &= held;
        court.excuses.late = false;
        court.excuses.slept = false;
        let suspended = court.wanted["suspend"] == true;
        court.rest = (!gone).then_some(Rest {
            aws: state,
            suspended,
        });
        drop(court);
        for (rule, how) in found {
            self.violated(rule, how);
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
        if court.rivals || excuses.drifted || excuses.unseen || excuses.slept || excuses.orphaned > 0 {
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

/// How long a phase takes that nothing disturbs: the waits for lists and for IAM, and room for both.
const SOON: std::time::Duration = std::time::Duration::from_secs(90);
/// How many passes such a phase takes when lists lag.
const MOST_LOOKS: usize = 20;

/// What there was when the living object was at rest.
pub(super) struct Rest {
    /// All of AWS.
    aws: Value,
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
    fn compared(&self, spec: &Value, state: &Value, uid: &str) -> (Value, Value) {
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
fn difference(expected: &Value, found: &Value) -> String {
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
