//! What has befallen the object, as far as it excuses the operator.

use super::expected;
use jwthttpapi_sandbox::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// What happened to the object that no operator could undo at once, or ever.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one life")]
pub(super) struct Excuses {
    /// Somebody has changed what is the object's, and it was not put right yet.
    pub(super) drifted: bool,
    /// The same, and the operator has not begun to look at AWS since.
    pub(super) drifted_unseen: bool,
    /// Such a change may let somebody in, and the operator has not looked since.
    pub(super) opened: bool,
    /// What had been opened when it looked, and until when that may not be in force yet.
    pub(super) let_in: BTreeSet<String>,
    pub(super) deploying_until: Timestamp,
    /// Something has changed that no living process knows of.
    pub(super) unseen: bool,
    /// Such a change is a request that arrived when its sender was gone.
    pub(super) late: bool,
    /// A part of the status was lost or wrong, and the object was not at rest since, or is suspended.
    pub(super) damaged: bool,
    /// A process slept while its request was on its way: two APIs are no mistake until it is at rest.
    pub(super) slept: bool,
    /// The list of granted functions was lost: the one place that knows of some statements.
    pub(super) forgot_grants: bool,
    /// The list of functions was lost, or the log groups: either of them tells of functions, roles and log groups.
    pub(super) forgot_functions: bool,
    pub(super) lost_logs: bool,
    /// Somebody took the finalizer off.
    pub(super) stripped: bool,
    /// How often the object went without its finalizer: what it had in AWS stays, unless a namesake takes it over.
    pub(super) orphaned: u32,
    /// The uids of those.
    pub(super) went: BTreeSet<String>,
    pub(super) taken_over: bool,
    /// Something of the object's was made something of nobody's, or was retained by one that has a namesake now.
    pub(super) let_go: bool,
    /// The uid was lost of the namesake from whom something is taken over: the one place that knows what is left of it.
    pub(super) forgot_namesake: bool,
}

impl Excuses {
    /// Whether nothing may tell any more of a function that leaves, its role and its logs.
    pub(super) fn lost_functions(&self) -> bool {
        self.forgot_functions && self.lost_logs
    }

    /// AWS but for what nothing may tell of any more.
    pub(super) fn all_but_lost(&self, state: &Value) -> Value {
        let mut state = state.clone();
        if self.forgot_grants {
            state = expected::without_statements(state);
        }
        if self.lost_functions() {
            state = expected::without_functions(state);
        }
        state
    }

    /// Whether something that an object had may stay in AWS for ever.
    pub(super) fn leave_something(&self) -> bool {
        match self.orphaned {
            0 => false,
            1 => !self.taken_over || self.forgot_namesake,
            // It may have gone before everything was gone of the one before.
            _ => true,
        }
    }
}
