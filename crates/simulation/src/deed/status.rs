//! What somebody does to the object's status: parts of it are lost, or say what is not so.

use crate::{
    OBJECT,
    ground::{STRANGER, stranger_function, stranger_role},
    oracle::{Rule, is_held},
    world::World,
};
use jwthttpapi_core::api::REQUESTED_AT;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Every part of the status that can be lost, `*` for all of it.
pub const WIPED: [&str; 19] = [
    "*",
    "observedGeneration",
    "accountId",
    "region",
    "clusterId",
    "apiId",
    "endpoint",
    "stages",
    "authorizers",
    "functions",
    "roleArn",
    "pending",
    "nonce",
    "grants",
    "reclaimedFrom",
    "iamChangedAt",
    "lastVerifiedTime",
    "lastHandledReconcileAt",
    "conditions",
];

/// Stands for the id of an API of somebody else.
const FOREIGN: &str = "foreign";
/// Stands for the id of the object's API.
const OWN: &str = "own-api";
/// Stands for what another object of this cluster has.
const THEIR_UID: &str = "their-uid";
const THEIR_ROLE: &str = "their-role";
const THEIR_FUNCTION: &str = "their-function";

/// Parts of the status with something wrong in them: a text, or a document.
pub const CORRUPTED: [(&str, &str); 22] = [
    ("observedGeneration", "99"),
    ("accountId", "999999999999"),
    ("region", "us-east-1"),
    ("clusterId", "another-cluster"),
    ("apiId", "nonesuch00"),
    ("apiId", FOREIGN),
    ("endpoint", "https://elsewhere.example"),
    (
        "stages",
        r#"[{"name": "$default", "url": "https://elsewhere.example/"}]"#,
    ),
    ("authorizers", r#"[{"name": "default", "id": "nonesuch"}]"#),
    ("functions", r#"[{"name": "theirs", "arn": "their-function"}]"#),
    ("roleArn", THEIR_ROLE),
    (
        "pending",
        r#"{"operation": "CreateApi", "since": "2027-01-15T08:00:00Z"}"#,
    ),
    (
        "pending",
        r#"{"operation": "ReclaimApi", "apiId": "foreign", "fromUid": "their-uid", "since": "2027-01-15T08:00:00Z"}"#,
    ),
    (
        "pending",
        r#"{"operation": "ReclaimApi", "apiId": "own-api", "fromUid": "their-uid", "since": "2027-01-15T08:00:00Z"}"#,
    ),
    ("nonce", "00000000000000000000000000000000"),
    ("grants", r#"["their-function"]"#),
    ("reclaimedFrom", THEIR_UID),
    ("iamChangedAt", "2099-01-01T00:00:00Z"),
    ("lastVerifiedTime", "2099-01-01T00:00:00Z"),
    ("lastHandledReconcileAt", "somebody's word"),
    ("conditions", READY),
    ("conditions", STALLED),
];

/// Says that all is well.
const READY: &str = r#"[
    {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "observedGeneration": 1,
     "lastTransitionTime": "2027-01-15T08:00:00Z"},
    {"type": "Programmed", "status": "True", "reason": "Programmed", "message": "", "observedGeneration": 1,
     "lastTransitionTime": "2027-01-15T08:00:00Z"}
]"#;
/// Says that only a person can help.
const STALLED: &str = r#"[
    {"type": "Ready", "status": "False", "reason": "PolicyFull", "message": "forged", "observedGeneration": 1,
     "lastTransitionTime": "2027-01-15T08:00:00Z"},
    {"type": "Stalled", "status": "True", "reason": "PolicyFull", "message": "forged", "observedGeneration": 1,
     "lastTransitionTime": "2027-01-15T08:00:00Z"}
]"#;

/// Where the object's things are: with one of these wrong the operator keeps its hands off.
const PLACE: [&str; 3] = ["accountId", "region", "clusterId"];
/// How soon a wrong place has to be reported, and how long after that a part of the status is still wrong.
const TOLD: Duration = Duration::from_secs(60);

impl World {
    /// A part of the status is lost. That opens nothing, and nobody alive knows of it.
    pub(super) fn wipe(&self, field: &'static str) {
        self.oracle().damaged();
        self.forget(field);
        self.write_status(field, &Value::Null);
    }

    /// A part of the status is wrong for a while, and then lost.
    pub(super) fn corrupt(&self, field: &'static str, text: &str) {
        self.oracle().damaged();
        self.forget(field);
        self.write_status(field, &self.said(field, text));
        let judged = PLACE.contains(&field) && self.is_alone();
        if judged {
            self.ask_for_a_look();
        }
        let world = self.clone();
        tokio::spawn(async move {
            sleep(TOLD).await;
            if judged {
                world.judge_place(field);
            }
            sleep(TOLD).await;
            world.oracle().damaged();
            world.write_status(field, &Value::Null);
            world.oracle().healed();
            world.announce();
        });
    }

    /// What only this part of the status tells is known to nobody any more.
    fn forget(&self, field: &str) {
        if matches!(field, "*" | "grants") {
            self.oracle().forgot_grants();
        }
        if matches!(field, "*" | "functions") {
            self.oracle().forgot_functions();
        }
        if matches!(field, "*" | "pending" | "reclaimedFrom") {
            self.oracle().forgot_namesake();
        }
    }

    /// A value of the status: a document, or a plain text.
    fn said(&self, field: &str, text: &str) -> Value {
        let foreign = self.foreign_api().unwrap_or_default();
        let text = text
            .replace(FOREIGN, &foreign)
            .replace(OWN, &self.api().unwrap_or_default())
            .replace(THEIR_UID, STRANGER)
            .replace(THEIR_ROLE, &stranger_role())
            .replace(THEIR_FUNCTION, &stranger_function());
        let is_document = text.starts_with(['[', '{']) || field == "observedGeneration";
        let document = is_document.then(|| serde_json::from_str(&text).expect("a document"));
        document.unwrap_or_else(|| json!(text))
    }

    fn write_status(&self, field: &str, value: &Value) {
        let patch = if field == "*" {
            json!({"status": null})
        } else {
            json!({"status": {field: value}})
        };
        // There may be no object at the moment.
        let _ = self.state().kubernetes.merge(&OBJECT, true, &patch);
    }

    /// The API of somebody else.
    fn foreign_api(&self) -> Option<String> {
        let own = self.api();
        let mut apis = self.sandbox().apis().into_iter().map(|(id, _)| id);
        apis.find(|id| Some(id) != own.as_ref())
    }

    /// Whether nothing else befalls this life.
    fn is_alone(&self) -> bool {
        self.state().schedule.len() == 1
    }

    /// Nothing of the status wakes the operator.
    fn ask_for_a_look(&self) {
        let annotation =
            json!({"metadata": {"annotations": {REQUESTED_AT: "whether it is the right place"}}});
        let _ = self.state().kubernetes.merge(&OBJECT, false, &annotation);
    }

    fn judge_place(&self, field: &str) {
        let Ok(object) = self.state().kubernetes.get(&OBJECT) else {
            return;
        };
        // With no finalizer it went as soon as it was deleted, and another one may be there.
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let stalled = conditions.iter().any(|condition| {
            condition["type"] == "Stalled"
                && condition["status"] == "True"
                && condition["reason"] == "AccountMismatch"
        });
        // Nothing is asked for a deletion that is held back.
        let held = is_held(&object) && object["metadata"]["deletionTimestamp"].is_string();
        if !object["status"][field].is_null() && !stalled && !held {
            let how = format!(
                "another {field} is not reported as AccountMismatch: {}",
                object["status"]
            );
            self.oracle().violated(Rule::InPlace, how);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn fields() -> BTreeSet<String> {
        let definition = serde_json::to_value(jwthttpapi_core::api::crd()).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let status = schema["properties"]["status"]["properties"].as_object().unwrap();
        status.keys().cloned().collect()
    }

    #[test]
    fn every_part_of_the_status_is_lost() {
        let mut wiped: BTreeSet<String> = WIPED.map(str::to_owned).into();
        assert!(wiped.remove("*"));
        assert_eq!(wiped, fields());
    }

    #[test]
    fn every_part_of_the_status_is_wrong() {
        let corrupted: BTreeSet<String> = CORRUPTED.map(|(field, _)| field.to_owned()).into();
        assert_eq!(corrupted, fields());
    }
}
