//! What the object's status says: by the rules of those who read it, and beside what is in AWS.

use super::{Excuses, Oracle, Rule, expected, rest::is_secret};
use crate::{OBJECT, fault::Fault, life::Phase, world::World};
use jwthttpapi_core::api::{ConditionType, JwtHttpApiStatus, condition, oracle as rules};
use serde_json::Value;

impl Oracle {
    /// Every status that was written keeps the rules of those who read it.
    pub(super) fn statuses(&self, world: &World) {
        let written = std::mem::take(&mut world.state().kubernetes.written);
        let denied = self.court().denied.clone();
        // Half of a refusal may name half of an action.
        let halved = world
            .state()
            .journal
            .iter()
            .any(|effect| effect.fault == Some(Fault::Half));
        for object in written {
            if is_secret(&object["status"].to_string()) {
                self.violated(Rule::Discreet, "a status shows a secret");
            }
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            let status = match serde_json::from_value::<JwtHttpApiStatus>(object["status"].clone()) {
                Ok(status) => status,
                Err(error) => {
                    self.violated(Rule::WellFormed, format!("a status does not parse: {error}"));
                    continue;
                }
            };
            for violation in rules::flux(&status, generation, rules::Moment::InProgress) {
                self.violated(Rule::WellFormed, violation);
            }
            let ready = condition(&status.conditions, ConditionType::Ready);
            let Some(ready) = ready.filter(|ready| ready.reason == "AccessDenied" && !halved) else {
                continue;
            };
            if !denied
                .iter()
                .any(|action| ready.message.contains(action.as_str()))
            {
                let how = format!("no denied action is named: {}", ready.message);
                self.violated(Rule::WellFormed, how);
            }
        }
    }

    /// A status that the operator wanted to write is none by the definition: it would be refused for ever.
    pub(crate) fn invalid(&self, message: &str) {
        self.violated(Rule::WellFormed, message);
    }

    /// The operator has written a status: no generation that was observed is unobserved again. What somebody else wrote of
    /// one that is not there yet does not count.
    pub(super) fn goes_on(&self, before: &Value, now: &Value) {
        let generation = now["metadata"]["generation"].as_i64().unwrap_or_default();
        let observed = |place: &Value| place["observedGeneration"].as_i64();
        let back = |before: &Value, now: &Value| {
            let before = observed(before).filter(|seen| *seen <= generation);
            before.is_some_and(|before| observed(now).is_none_or(|now| now < before))
        };
        if back(&before["status"], &now["status"]) {
            self.violated(Rule::WellFormed, "the observed generation goes back");
        }
        let of = |object: &Value| {
            object["status"]["conditions"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        for old in of(before) {
            let kept = of(now).into_iter().find(|new| new["type"] == old["type"]);
            if kept.is_some_and(|new| back(&old, &new)) {
                let how = format!("the generation of the condition {} goes back", old["type"]);
                self.violated(Rule::WellFormed, how);
            }
        }
    }

    /// At rest the object is what every tool takes for current, and its status tells what is in AWS.
    pub(super) fn status_at_rest(&self, world: &World, phase: Phase) {
        let Ok(object) = world.state().kubernetes.get(&OBJECT) else {
            return;
        };
        let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
        let deleting = object["metadata"]["deletionTimestamp"].is_string();
        let Ok(status) = serde_json::from_value::<JwtHttpApiStatus>(object["status"].clone()) else {
            return;
        };
        if deleting {
            return;
        }
        for violation in rules::flux(&status, generation, rules::Moment::AtRest) {
            self.violated(Rule::WellFormed, format!("at rest: {violation}"));
        }
        let read = rules::kstatus(Some(&status), generation, deleting);
        let rests = if is_held(&object) {
            rules::KStatus::InProgress
        } else {
            rules::KStatus::Current
        };
        if read != rests {
            self.violated(Rule::WellFormed, format!("at rest it is taken for {read:?}"));
        }
        let court = self.court();
        // Something was lost of it since it was looked at, or is not put right.
        let Excuses {
            unseen,
            damaged,
            drifted,
            ..
        } = court.excuses;
        if unseen || (is_held(&object) && (damaged || drifted)) {
            return;
        }
        let state = world.sandbox().state();
        let wanted = expected::status(&state, &court.uid);
        let granted = expected::granted(&state, &court.uid);
        // What was lost together with the integration that told of it is known to nobody.
        let known = court
            .excuses
            .forgot_grants
            .then(|| expected::led_to(&state, &court.uid));
        let functions = expected::functions(&state, &court.uid);
        drop(court);
        let told = object["status"]["grants"].as_array().cloned().unwrap_or_default();
        let mut granted = granted
            .into_iter()
            .filter(|function| known.as_ref().is_none_or(|known| known.contains(function)));
        if let Some(function) = granted.find(|function| !told.contains(function)) {
            let how = format!("status does not tell of the statement on {function}");
            self.violated(Rule::Truthful, how);
        }
        let told = object["status"]["functions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if let Some(function) = functions.iter().find(|function| !told.contains(function)) {
            let how = format!("status does not tell of the function {function}");
            self.violated(Rule::Truthful, how);
        }
        // One that an update gives up is told of until the next look has shown that it is gone.
        let mut others = told.iter().filter(|function| !functions.contains(function));
        if let Some(function) = others.next().filter(|_| phase != Phase::Update) {
            let how = format!("status tells of the function {function}, which is not there");
            self.violated(Rule::Truthful, how);
        }
        for (field, wanted) in wanted.as_object().into_iter().flatten() {
            // A role that an update gives up is told of until the next look has shown that it is gone.
            if field == "roleArn" && wanted.is_null() && phase == Phase::Update {
                continue;
            }
            let said = &object["status"][field];
            if said != wanted {
                let how = format!("status says {said} of {field}, and it is {wanted}");
                self.violated(Rule::Truthful, how);
            }
        }
    }
}

/// Whether an object says Ready of its newest generation.
pub(crate) fn is_ready(object: &Value) -> bool {
    ready(object).is_some_and(|ready| ready["status"] == "True")
}

/// Whether an object says of its newest generation that it is not Ready since it is suspended.
pub(crate) fn is_held(object: &Value) -> bool {
    let held = |ready: &Value| ready["status"] == "False" && ready["reason"] == "Suspended";
    object["spec"]["suspend"] == true && ready(object).is_some_and(held)
}

/// What an object says of its newest generation.
fn ready(object: &Value) -> Option<&Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    let is_of_now = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let mut conditions = conditions.iter().filter(|_| is_of_now);
    conditions.find(|condition| condition["type"] == "Ready")
}
