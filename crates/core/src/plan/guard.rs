//! Filters over a plan: what may be done of it in a given situation.

use super::step::{Plan, Planned};
use std::collections::{BTreeMap, BTreeSet};

/// What remains of a plan while references are unresolved: steps that take access away, and what they need.
#[must_use]
pub fn only_tightening(plan: Plan) -> Plan {
    let kept: BTreeMap<usize, usize> = plan
        .steps
        .iter()
        .enumerate()
        .filter(|(_, planned)| planned.tightens)
        .enumerate()
        .map(|(new, (old, _))| (old, new))
        .collect();
    let steps = plan
        .steps
        .into_iter()
        .filter(|planned| planned.tightens)
        .map(|planned| Planned {
            after: planned
                .after
                .iter()
                .filter_map(|old| kept.get(old).copied())
                .collect::<BTreeSet<_>>(),
            ..planned
        })
        .collect();
    Plan {
        refs: plan.refs,
        steps,
    }
}
