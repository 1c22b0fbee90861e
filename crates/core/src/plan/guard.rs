//! Filters over a plan: what may be done of it in a given situation.

use super::planned::{Plan, Planned, Settled};
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
    let moved = |steps: &BTreeSet<usize>| -> BTreeSet<usize> {
        steps.iter().filter_map(|old| kept.get(old).copied()).collect()
    };
    let steps = plan
        .steps
        .into_iter()
        .filter(|planned| planned.tightens)
        .map(|planned| Planned {
            after: moved(&planned.after),
            settled: planned.settled.map(|settled| match settled {
                Settled::Deployments => Settled::Deployments,
                Settled::Permissions(steps) => Settled::Permissions(moved(&steps)),
            }),
            ..planned
        })
        .collect();
    Plan {
        refs: plan.refs,
        steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::planned::Refs;
    use crate::plan::step::Step;

    #[test]
    fn what_remains_waits_for_what_remains_of_the_steps_before_it() {
        let step = |name: &str, tightens, after: &[usize]| Planned {
            step: Step::DeleteFunction {
                name: name.to_owned(),
            },
            after: after.iter().copied().collect(),
            settled: Some(Settled::Permissions(after.iter().copied().collect())),
            tightens,
        };
        let plan = |steps: Vec<Planned>| Plan {
            refs: Refs {
                api: Some("api".to_owned()),
                ..Refs::default()
            },
            steps,
        };
        let whole = plan(vec![
            step("a", false, &[]),
            step("b", true, &[0]),
            step("c", false, &[1]),
            step("d", true, &[0, 1, 2]),
        ]);
        assert_eq!(
            only_tightening(whole),
            plan(vec![step("b", true, &[]), step("d", true, &[0])])
        );
    }
}
