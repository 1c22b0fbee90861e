//! Why a request is refused, in the API server's words.

use super::{Key, kind::Kind};
use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub code: u16,
    /// The reason, one word.
    pub reason: &'static str,
    /// What people read.
    pub message: String,
    /// Whom it is about.
    details: Option<Value>,
}

impl Refusal {
    /// A refusal that is about no object.
    pub fn new(code: u16, reason: &'static str, message: String) -> Self {
        Self {
            code,
            reason,
            message,
            details: None,
        }
    }

    /// One whose message begins with neither resource nor kind.
    fn about(key: &Key, code: u16, reason: &'static str, message: String) -> Self {
        let kind = Kind::of(&key.plural);
        let mut details = json!({"name": key.name, "kind": kind.plural});
        if !kind.group.is_empty() {
            details["group"] = kind.group.into();
        }
        Self {
            details: Some(details),
            ..Self::new(code, reason, message)
        }
    }

    pub(super) fn not_found(key: &Key) -> Self {
        let text = format!("{} {:?} not found", key.kind().resource(), key.name);
        Self::about(key, 404, "NotFound", text)
    }

    pub(super) fn already_exists(key: &Key) -> Self {
        let text = format!("{} {:?} already exists", key.kind().resource(), key.name);
        Self::about(key, 409, "AlreadyExists", text)
    }

    /// The version that a write carries is not the object's.
    pub(super) fn modified(key: &Key) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(key, why)
    }

    /// The uid that a PUT carries is not the object's.
    pub(super) fn another(key: &Key, asked: &str, found: &str) -> Self {
        let Key {
            plural,
            namespace,
            name,
        } = key;
        // Custom resources are stored under their group; the built-in kinds that are simulated here are not.
        let group = if key.kind().custom {
            format!("{}/", key.kind().group)
        } else {
            String::new()
        };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{group}{plural}/{namespace}/{name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
        );
        Self::conflict(key, &why)
    }

    fn conflict(key: &Key, why: &str) -> Self {
        let resource = key.kind().resource();
        let text = format!(
            "Operation cannot be fulfilled on {resource} {:?}: {why}",
            key.name
        );
        Self::about(key, 409, "Conflict", text)
    }

    /// A write carries no version.
    pub(super) fn no_version(key: &Key) -> Self {
        let why = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
        let text = format!("{} {:?} is invalid: {why}", key.kind().resource(), key.name);
        Self::about(key, 422, "Invalid", text)
    }

    /// What a write wants is not allowed for this object.
    pub(super) fn invalid(key: &Key, why: &str) -> Self {
        let text = format!("{} {:?} is invalid: {why}", key.kind().group_kind(), key.name);
        let mut refusal = Self::about(key, 422, "Invalid", text);
        if let Some(details) = &mut refusal.details {
            details["kind"] = key.kind().name.into();
        }
        refusal
    }

    /// An operation of a JSON patch fails.
    pub(super) fn unfit_patch() -> Self {
        let text = "the server rejected our request due to an error in our request";
        Self {
            details: Some(json!({})),
            ..Self::new(422, "Invalid", text.to_owned())
        }
    }

    /// The body names another object than the path.
    pub(super) fn misnamed(key: &Key, named: &str) -> Self {
        let text = format!(
            "the name of the object ({named}) does not match the name on the URL ({})",
            key.name
        );
        Self::new(400, "BadRequest", text)
    }

    /// A watch from a version whose followers are forgotten.
    pub(super) fn expired(from: u64, oldest: u64) -> Self {
        let text = format!("too old resource version: {from} ({oldest})");
        Self::new(410, "Expired", text)
    }

    /// The Status that is answered.
    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}
