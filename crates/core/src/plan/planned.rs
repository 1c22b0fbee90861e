//! A plan is a value: it can be printed, filtered, executed and made anew after any crash.

use super::step::Step;
use crate::model::desired::Marker;
use crate::model::name::RouteKey;
use std::collections::{BTreeMap, BTreeSet};

/// Steps in the order in which they may be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Ids that were known when the plan was made; executed creates add theirs.
    pub refs: Refs,
    /// The steps. Those of one service run one after the other; those of different services together, but for `after`.
    pub steps: Vec<Planned>,
}

impl Plan {
    /// The deletion of one API, with all that is in it.
    pub fn of_deletion(id: &str) -> Self {
        Self {
            refs: Refs::default(),
            steps: vec![Planned {
                step: Step::DeleteApi { id: id.to_owned() },
                after: BTreeSet::new(),
                settled: None,
                tightens: true,
            }],
        }
    }

    /// Whether AWS is as it should be.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// A step and what has to be done before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// What to do.
    pub step: Step,
    /// Indexes of steps of other services that go before; steps of its own service before it always do.
    pub after: BTreeSet<usize>,
    /// What of all that was written before has to be in force when it is sent, and not only answered.
    pub settled: Option<Settled>,
    /// Whether it takes access away, or is needed by a step that does: such steps go first, with priority in the budget, and
    /// are executed even while references are unresolved.
    pub tightens: bool,
}

/// What AWS takes its time with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Deployments: what was written to the API before is served. The step would be felt by whom the last deployment serves.
    Deployments,
    /// Permissions in IAM: what these steps of the plan, all of which go before, let somebody do, and what the caller knows of
    /// earlier ones.
    Permissions(BTreeSet<usize>),
}

/// What logical names stand for in one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// Id of the API.
    pub api: Option<String>,
    /// Ids of authorizers by name.
    pub authorizers: BTreeMap<String, String>,
    /// Ids of integrations by marker.
    pub integrations: BTreeMap<Marker, String>,
    /// Ids of routes by key.
    pub routes: BTreeMap<RouteKey, String>,
}
