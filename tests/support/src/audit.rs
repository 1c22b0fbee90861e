//! What the API server was asked, by whom, from its audit log.

use jiff::Timestamp;
use serde::Deserialize;

/// One answered request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// The group of the resource's API; empty for the oldest.
    pub group: String,
    /// The plural, such as `jwthttpapis`; empty for requests beside resources, such as `/readyz`.
    pub resource: String,
    /// Such as `status`; empty for the resource itself.
    pub subresource: String,
    /// The namespace; empty for what is cluster-wide.
    pub namespace: String,
    /// The object's name; empty for lists and for creations.
    pub name: String,
    /// Who asked, as Kubernetes names users.
    pub user: String,
    /// The HTTP status answered.
    pub code: u16,
    /// Path and query.
    pub uri: String,
    /// When the API server received it, by its clock.
    pub received: Timestamp,
    /// When it had answered.
    pub answered: Timestamp,
}

/// A place in the audit log, to count from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditMark(pub(crate) usize);

/// Every request, with who, what and how answered, but without bodies.
pub(crate) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [{"level": "Metadata"}]
}"#;

impl AuditEntry {
    /// Whether this is the traffic that never rests: a watch, or a lease.
    pub fn is_background(&self) -> bool {
        self.verb == "watch" || self.resource == "leases"
    }

    /// The entry of one line of the log; none for a stage that is not the request's answer. A watch is answered when
    /// it starts: its completion is another stage of the same request.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let event: Event = serde_json::from_str(line).ok()?;
        let answered = if event.verb == "watch" {
            "ResponseStarted"
        } else {
            "ResponseComplete"
        };
        if event.stage != answered {
            return None;
        }
        let object = event.object_ref.unwrap_or_default();
        Some(Self {
            verb: event.verb,
            group: object.api_group,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            user: event.user.username,
            code: event.response_status.unwrap_or_default().code,
            uri: event.request_uri,
            received: event.request_received_timestamp,
            answered: event.stage_timestamp,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verb: &str, stage: &str) -> String {
        serde_json::json!({
            "stage": stage, "verb": verb, "requestURI": "/api/v1/namespaces/demo/pods/one/status",
            "user": {"username": "system:serviceaccount:demo:operator"},
            "objectRef": {"apiGroup": "apps", "resource": "pods", "subresource": "status", "namespace": "demo", "name": "one"},
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z", "stageTimestamp": "2026-01-01T00:00:00.250000Z",
        })
        .to_string()
    }

    #[test]
    fn each_request_counts_once_in_whichever_stage_answers_it() {
        let counted = |verb, stage| AuditEntry::parse(&line(verb, stage)).is_some();
        assert!(counted("patch", "ResponseComplete"));
        assert!(!counted("patch", "ResponseStarted"));
        assert!(counted("watch", "ResponseStarted"));
        assert!(!counted("watch", "ResponseComplete"));
    }

    #[test]
    fn an_entry_says_who_did_what_to_which_object() {
        let entry = AuditEntry::parse(&line("patch", "ResponseComplete")).unwrap();
        assert_eq!(
            (
                entry.verb.as_str(),
                entry.group.as_str(),
                entry.resource.as_str(),
                entry.subresource.as_str(),
                entry.name.as_str(),
                entry.code
            ),
            ("patch", "apps", "pods", "status", "one", 200)
        );
        assert_eq!(entry.user, "system:serviceaccount:demo:operator");
    }
}
