//! The object as this reconcile read it live, and every write to it.
//!
//! Each write carries the newest resource version answered in this reconcile; a conflict starts the reconcile again. Nothing
//! but the status and the operator's own finalizer is ever written.

use super::{Guarded, error::Error, pass::Findings};
use jwthttpapi_core::api::{
    ConditionType, FIELD_MANAGER, FINALIZER, JwtHttpApi, JwtHttpApiSpec, JwtHttpApiStatus, REQUESTED_AT,
    condition, report,
};
use jwthttpapi_core::planted;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

/// The object as this reconcile read it.
#[derive(Debug)]
pub(crate) struct Record {
    api: Api<JwtHttpApi>,
    object: JwtHttpApi,
}

impl Record {
    /// Reads the object from the API server, past every cache.
    pub(crate) async fn read(client: &Client, namespace: &str, name: &str) -> Result<Option<Self>, Error> {
        // Guarded: the client would log what it cannot read, and code and variables with it.
        let guarded: Api<Guarded> = Api::namespaced(client.clone(), namespace);
        let Some(found) = guarded.get_opt(name).await? else {
            return Ok(None);
        };
        let object = found.0.map_err(|unread| Error::Malformed(unread.error))?;
        let api = Api::namespaced(client.clone(), namespace);
        Ok(Some(Self { api, object }))
    }

    /// Shows the object as the cache has it.
    #[cfg(planted)]
    pub(crate) fn show_cached(&mut self, cache: &super::Cache) {
        if let Some(cached) = cache.get(&super::context::key_in_cache(&self.object))
            && let Ok(object) = &cached.0
        {
            self.object = object.clone();
        }
    }

    /// The version that a write names, so that it is refused when the object was changed since it was read.
    fn version(&self) -> Option<String> {
        planted!(StaleObject => {
            return None;
        });
        self.object.resource_version()
    }

    pub(crate) fn object(&self) -> &JwtHttpApi {
        &self.object
    }

    pub(crate) fn spec(&self) -> &JwtHttpApiSpec {
        &self.object.spec
    }

    /// The status; an empty one before the first visit.
    pub(crate) fn status(&self) -> JwtHttpApiStatus {
        credible(self.object.status.clone().unwrap_or_default(), self.generation())
    }

    pub(crate) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    /// Namespace and name, for counting.
    pub(crate) fn key(&self) -> String {
        super::key(&self.object)
    }

    pub(crate) fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    /// Whether AWS was equal to this generation when it was last looked at.
    pub(crate) fn in_force(&self) -> bool {
        in_force(&self.object)
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.object.meta().deletion_timestamp.is_some()
    }

    pub(crate) fn has_finalizer(&self) -> bool {
        has_finalizer(&self.object)
    }

    /// The value of the annotation that asks for a verification which was not acted on yet.
    pub(crate) fn requested(&self) -> Option<&String> {
        requested(&self.object)
    }

    /// Adds the operator's finalizer.
    pub(crate) async fn add_finalizer(&mut self) -> Result<(), Error> {
        let mut finalizers = self.object.finalizers().to_vec();
        finalizers.push(FINALIZER.to_owned());
        self.write_finalizers(&finalizers).await
    }

    /// Removes it; an object that is gone already is as good.
    pub(crate) async fn remove_finalizer(&mut self) -> Result<(), Error> {
        let mut finalizers = self.object.finalizers().to_vec();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        match self.write_finalizers(&finalizers).await {
            Err(Error::Kube(error)) if matches!(&*error, kube::Error::Api(status) if status.is_not_found()) => {
                Ok(())
            }
            result => result,
        }
    }

    async fn write_finalizers(&mut self, finalizers: &[String]) -> Result<(), Error> {
        let body = json!({"metadata": {"resourceVersion": self.version(), "finalizers": finalizers}});
        let written = self
            .api
            .patch_metadata(&self.object.name_any(), &params(), &Patch::Merge(body))
            .await
            .map_err(Error::of_write)?;
        self.object.metadata = written.metadata;
        Ok(())
    }

    /// Writes the status in the middle of a pass if it differs from the stored one; tells whether it did. Where none was said
    /// before, because nobody did or because it was lost, it says that work goes on: no reader may ever meet a status without
    /// Ready.
    pub(crate) async fn write_midway(
        &mut self,
        next: JwtHttpApiStatus,
        findings: &Findings,
        now: &Time,
    ) -> Result<bool, Error> {
        planted!(ReadyAtOnce => {
            use jwthttpapi_core::api::{Draft, Reason};
            let yes = || Draft::yes(Reason::Succeeded, "AWS is equal to the spec");
            let findings = Findings {
                accepted: yes(),
                resolved: yes(),
                programmed: yes(),
                ..findings.clone()
            };
            let next = report(&next, &findings.report(0), self.generation(), now);
            return self.write(next).await;
        });
        let next = if condition(&next.conditions, ConditionType::Ready).is_some() {
            next
        } else {
            report(&next, &findings.report(0), self.generation(), now)
        };
        self.write(next).await
    }

    /// Writes the status if it differs from the stored one; tells whether it did.
    pub(crate) async fn write(&mut self, next: JwtHttpApiStatus) -> Result<bool, Error> {
        if self.object.status.as_ref() == Some(&next) {
            return Ok(false);
        }
        let body = json!({
            "metadata": {"resourceVersion": self.version()},
            "status": merge_patch(&self.status(), &next),
        });
        self.object = self
            .api
            .patch_status(&self.object.name_any(), &params(), &Patch::Merge(body))
            .await
            .map_err(Error::of_write)?;
        Ok(true)
    }
}

/// Whether AWS was equal to an object's generation when it was last looked at.
pub(super) fn in_force(object: &JwtHttpApi) -> bool {
    let conditions = object.status.as_ref().map(|status| &status.conditions);
    conditions
        .and_then(|conditions| condition(conditions, ConditionType::Programmed))
        .is_some_and(|programmed| {
            programmed.status == "True" && programmed.observed_generation == object.metadata.generation
        })
}

/// The value of the annotation that asks for a verification which was not acted on yet.
pub(super) fn requested(object: &JwtHttpApi) -> Option<&String> {
    let status = object.status.as_ref();
    let handled = status.and_then(|status| status.last_handled_reconcile_at.as_ref());
    object
        .annotations()
        .get(REQUESTED_AT)
        .filter(|asked| Some(*asked) != handled)
}

/// A generation that is not there yet was observed by nobody, whatever somebody else wrote.
fn credible(mut status: JwtHttpApiStatus, generation: i64) -> JwtHttpApiStatus {
    if status.observed_generation > Some(generation) {
        status.observed_generation = Some(-1);
    }
    status
}

fn params() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// The next status, with a null for every field that goes: a merge leaves out nothing by itself.
fn merge_patch(previous: &JwtHttpApiStatus, next: &JwtHttpApiStatus) -> Value {
    let value = |status: &JwtHttpApiStatus| serde_json::to_value(status).unwrap_or_default();
    let mut patch = value(next);
    clear(&value(previous), &mut patch);
    patch
}

fn clear(previous: &Value, patch: &mut Value) {
    if let (Value::Object(previous), Value::Object(patch)) = (previous, patch) {
        for (field, before) in previous {
            clear(before, patch.entry(field.clone()).or_insert(Value::Null));
        }
    }
}

/// Whether an object carries the operator's finalizer.
pub(super) fn has_finalizer(object: &impl ResourceExt) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwthttpapi_core::api::{Pending, PendingOperation};
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    #[test]
    fn a_generation_that_is_not_there_yet_was_observed_by_nobody() {
        let observed = |seen| {
            let status = JwtHttpApiStatus {
                observed_generation: seen,
                ..JwtHttpApiStatus::default()
            };
            credible(status, 7).observed_generation
        };
        assert_eq!(observed(None), None);
        assert_eq!(observed(Some(6)), Some(6));
        assert_eq!(observed(Some(7)), Some(7));
        assert_eq!(observed(Some(8)), Some(-1));
    }

    #[test]
    fn a_field_that_goes_is_sent_as_null() {
        let previous = JwtHttpApiStatus {
            nonce: Some("n".into()),
            role_arn: Some("r".into()),
            grants: vec!["g".into()],
            ..JwtHttpApiStatus::default()
        };
        let next = JwtHttpApiStatus {
            nonce: Some("n".into()),
            ..JwtHttpApiStatus::default()
        };
        assert_eq!(
            merge_patch(&previous, &next),
            json!({"nonce": "n", "roleArn": null, "grants": null})
        );
    }

    /// A creation that follows a takeover names no API.
    #[test]
    fn a_field_inside_of_another_that_goes_is_sent_as_null_too() {
        let pending = |operation, api_id: Option<&str>| JwtHttpApiStatus {
            pending: Some(Pending {
                operation,
                since: Time(Timestamp::UNIX_EPOCH),
                api_id: api_id.map(str::to_owned),
                from_uid: api_id.map(str::to_owned),
            }),
            ..JwtHttpApiStatus::default()
        };
        let previous = pending(PendingOperation::ReclaimApi, Some("a"));
        let patch = merge_patch(&previous, &pending(PendingOperation::CreateApi, None));
        assert_eq!(patch["pending"]["operation"], "CreateApi");
        assert_eq!(patch["pending"].get("apiId"), Some(&Value::Null));
        assert_eq!(patch["pending"].get("fromUid"), Some(&Value::Null));
    }
}
