//! What is done to an object and to what is its, by its user and by others: the oracle is told, so that it can judge what follows.

use super::{End, IN_FORCE, Oracle, Rest, expected};
use crate::REGION;
use jwthttpapi_sandbox::{Sandbox, Timestamp};
use serde_json::Value;
use std::sync::Arc;

impl Oracle {
    /// The object has this uid from now on.
    pub fn lives(&self, uid: &str) {
        let mut court = self.court();
        uid.clone_into(&mut court.uid);
        court.end = End::NotYet;
        court.apis.clear();
        court.may_have_had = 1;
        court.rest = None;
        court.unlisted = None;
        court.excuses.let_go |= !court.known.is_empty() && court.wanted["deletionPolicy"] == "Retain";
    }

    /// Somebody changes what is the object's. Whom a change that opens lets in is not the operator's doing.
    pub fn drifted(&self, opens: bool) {
        let mut court = self.court();
        court.excuses.drifted = true;
        court.excuses.drifted_unseen = true;
        court.excuses.opened |= opens;
        court.excuses.unseen = true;
    }

    /// The operator is about to look at the object. Whom somebody's change has let in by now is not its doing until that is put right,
    /// and what is still being deployed is nobody's; for all that comes after it is to blame again.
    pub(crate) fn looks(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        // Of several processes one may still act by what it saw before, and a list that lags does not show it yet. What a namesake
        // left is not the object's own before it is taken over.
        let own = court.own(sandbox);
        if !court.excuses.opened || court.rivals || court.lagging || own.is_empty() {
            return;
        }
        court.excuses.opened = false;
        let now = sandbox.now();
        for id in own {
            let Some(coming) = sandbox.next_deployment(&id, "$default") else {
                continue;
            };
            let open = court.exposure.open(&coming, sandbox.cors(&id).is_some());
            court.excuses.let_in.extend(open);
            if sandbox.is_deploying(&id, "$default", now) {
                court.excuses.deploying_until = Timestamp(now.0 + IN_FORCE);
            }
        }
    }

    /// The operator begins to look at AWS: what somebody changed before, and has been deployed, it is to see.
    pub(crate) fn looks_at_aws(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        // Requests beside another object may be about that one.
        if court.rivals || court.lagging || court.reads_lag || court.beside {
            return;
        }
        let now = sandbox.now();
        let own = court.own(sandbox);
        if !own.iter().any(|id| sandbox.is_deploying(id, "$default", now)) {
            court.excuses.drifted_unseen = false;
        }
    }

    /// Somebody deletes the object.
    pub(crate) fn goes(&self) {
        self.court().end = End::Deleted;
    }

    /// Who looks for orphans was shown these objects.
    pub(crate) fn listed(&self, objects: &[Arc<Value>], now: Timestamp) {
        let mut court = self.court();
        let shown = objects.iter().any(|one| one["metadata"]["uid"] == court.uid);
        court.unlisted = if shown { None } else { court.unlisted.or(Some(now)) };
    }

    /// The object goes without its finalizer: what it leaves is to be removed, and not before it has been missing for an hour. A
    /// list of the past lacked it before already.
    pub(crate) fn abandoned(&self, sandbox: &Sandbox) {
        let mut court = self.court();
        court.end = End::Abandoned(court.unlisted.unwrap_or_else(|| sandbox.now()));
        let uid = court.uid.clone();
        court.excuses.went.insert(uid);
        // The status went with the object: from now on log groups alone tell of functions.
        court.excuses.forgot_functions = true;
    }

    /// Somebody deletes an API.
    pub fn deleted(&self, api: &str) {
        let mut court = self.court();
        court.orphans.remove(api);
        court.may_have_had += 1;
        drop(court);
        self.hidden();
    }

    /// Somebody takes away what tells of an API that it is to go with its object: of an orphan nobody can tell any more.
    pub fn hidden(&self) {
        let mut court = self.court();
        court.excuses.orphaned += u32::from(matches!(court.end, End::Abandoned(_)));
    }

    /// Somebody takes an API away: it is nobody's, or somebody else's, and the object needs another.
    pub fn disowned(&self) {
        let mut court = self.court();
        court.may_have_had += 1;
        court.excuses.orphaned += 1;
        court.excuses.let_go = true;
    }

    /// What was taken away is nobody's to delete from now on.
    pub fn is_foreign(&self, api: String) {
        self.court().orphans.insert(api);
    }

    /// The user has made a function anew: it is as the one before, but for its age.
    pub fn remade(&self, function: &str, state: &Value) {
        let mut court = self.court();
        let list = format!("/regions/{REGION}/functions");
        let anew = expected::items(state.pointer(&list).unwrap_or(&Value::Null));
        let Some(anew) = anew.into_iter().find(|one| one["FunctionName"] == function) else {
            return;
        };
        let before = Arc::make_mut(&mut court.before).pointer_mut(&list);
        for one in before.and_then(Value::as_array_mut).into_iter().flatten() {
            if one["FunctionName"] == function {
                one["LastModified"] = anew["LastModified"].clone();
                one["RevisionId"] = anew["RevisionId"].clone();
            }
        }
    }

    /// Somebody denies an action.
    pub fn denied(&self, action: &str) {
        self.court().denied.insert(action.to_owned());
    }

    /// The list of granted functions is lost: a statement on one that no integration names any more stays.
    pub fn forgot_grants(&self) {
        self.court().excuses.forgot_grants = true;
    }

    /// The list of the object's own functions is lost.
    pub fn forgot_functions(&self) {
        self.court().excuses.forgot_functions = true;
    }

    /// What is known of a takeover is lost.
    pub fn forgot_namesake(&self) {
        self.court().excuses.forgot_namesake = true;
    }

    /// Somebody changes log groups, or even deletes them.
    pub fn lost_logs(&self, deleted: bool) {
        self.court().excuses.lost_logs |= deleted;
    }

    /// A request is on its way whose sender is gone.
    pub(crate) fn arrives_late(&self) {
        let mut court = self.court();
        court.excuses.unseen = true;
        court.excuses.late = true;
    }

    /// A part of the status is lost, or wrong.
    pub(crate) fn damaged(&self) {
        let mut court = self.court();
        court.excuses.unseen = true;
        court.excuses.damaged = true;
    }

    /// Something changes that no living process knows of.
    pub fn unseen(&self) {
        self.court().excuses.unseen = true;
    }

    /// Whether AWS has to be looked at before it can be at rest; asked for the look that follows.
    pub fn must_be_looked_at(&self) -> bool {
        std::mem::take(&mut self.court().excuses.unseen)
    }

    /// Somebody takes the finalizer off.
    pub fn stripped(&self) {
        self.court().excuses.stripped = true;
    }

    /// Whether somebody took the finalizer off at any time.
    pub fn was_stripped(&self) -> bool {
        self.court().excuses.stripped
    }

    /// The object goes without its finalizer, and leaves these APIs behind.
    pub fn orphaned(&self, apis: impl IntoIterator<Item = String>) {
        let mut court = self.court();
        court.excuses.orphaned += 1;
        let uid = court.uid.clone();
        court.excuses.went.insert(uid);
        court.orphans.extend(apis);
    }

    /// The user wants this from now on, beside what is in force.
    pub fn wanted(&self, spec: &Value) {
        let mut court = self.court();
        court.wanted = spec.clone();
        court.rest = court
            .rest
            .take()
            .filter(|_| spec["suspend"] == true)
            .map(Rest::suspended);
        court.exposure.also(spec);
    }

    /// A process sleeps while its request is on its way.
    pub fn slept(&self) {
        let mut court = self.court();
        court.excuses.slept = true;
        court.may_have_had += 1;
    }

    /// Whether a second API may be there that only the next list of all shows.
    pub fn may_be_doubled(&self) -> bool {
        self.court().excuses.slept
    }
}
