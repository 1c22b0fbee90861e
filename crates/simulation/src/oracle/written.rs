//! What the operator has written that was not its to write, or not then.

use super::{Court, End, Rule, Violation, excuses::Excuses, expected};
use crate::is_operator;
use jwthttpapi_sandbox::Entry;
use serde_json::Value;

/// How long an orphan's object has been missing before anything is deleted, in milliseconds.
const ORPHANS_AGE: u64 = 3_600_000;

/// Whether the operator has deleted something.
pub(super) fn deletes(entry: &Entry) -> bool {
    let is_deletion = entry.operation.starts_with("Delete") || entry.operation == "RemovePermission";
    entry.committed && is_operator(&entry.access_key) && is_deletion
}

/// Whether it makes a child that AWS would make twice.
pub(super) fn makes_what_may_be_doubled(entry: &Entry) -> bool {
    entry.committed && ["CreateIntegration", "CreateAuthorizer"].contains(&entry.operation.as_str())
}

impl Court {
    /// What every generation asks for since the one that was in force, and that is gone.
    pub(super) fn unkept(&self, state: &Value) -> Option<Violation> {
        let Excuses {
            drifted, orphaned, ..
        } = self.excuses;
        if self.end != End::NotYet || drifted || orphaned > 0 {
            return None;
        }
        let wanted = self.exposure.since_rest();
        let names = wanted.map(|spec| expected::names(&expected::of(spec, &self.organisation)));
        let kept = names.reduce(|all, names| &all & &names)?;
        let gone = &kept - &expected::names(&expected::shown(state, &self.uid));
        let how = format!("{gone:?} was deleted, and was wanted before and after");
        (!gone.is_empty()).then_some(Violation {
            rule: Rule::Kept,
            how,
        })
    }

    /// What the operator has written that was not its to write, or not then.
    pub(super) fn written(&self, entries: &[Entry]) -> Vec<Violation> {
        let foreign = entries.iter().filter_map(|entry| self.foreign.changed_by(entry));
        let foreign = foreign.map(|how| Violation {
            rule: Rule::NothingForeign,
            how,
        });
        let ours = |entry: &&Entry| entry.committed && is_operator(&entry.access_key);
        let held = entries
            .iter()
            .filter(ours)
            .filter(|_| self.rest.as_ref().is_some_and(|rest| rest.suspended));
        let held = held.map(|entry| Violation {
            rule: Rule::Quiet,
            how: format!(
                "{} was carried out while the object was suspended",
                entry.operation
            ),
        });
        let missing_for = match self.end {
            End::Abandoned(since) => Some(self.changed.0.saturating_sub(since.0)),
            End::NotYet | End::Deleted => None,
        };
        let hasty = entries.iter().filter(|entry| {
            deletes(entry) && missing_for.is_some_and(|missing_for| missing_for < ORPHANS_AGE)
        });
        let hasty = hasty.map(|entry| Violation {
            rule: Rule::NothingForeign,
            how: format!(
                "{} of an orphan whose object has not been missing for an hour",
                entry.operation
            ),
        });
        foreign.chain(held).chain(hasty).collect()
    }

    /// Whether there may be two children that do the same: somebody made one, or who makes one cannot know of the other.
    pub(super) fn may_make_twins(&self) -> bool {
        let Excuses {
            drifted,
            late,
            slept,
            orphaned,
            ..
        } = self.excuses;
        self.rivals || self.lagging || drifted || late || slept || orphaned > 0
    }
}
