//! Trouble on demand: rules that pick requests out and say what happens to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::Service;

/// Which requests a rule is about, and what it does to them. A member that is absent matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// The operation, such as `CreateRoute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The API id, function, role, log group or ARN, as the journal shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The part of the target, as the journal shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Only writes, or only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutating: Option<bool>,
    /// The caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The first matching request that the rule acts on, counted from 1 since the rule was made.
    #[serde(default = "one")]
    pub from: u64,
    /// How many it acts on; `null` means all that follow.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// What happens.
    pub action: Action,
}

fn one() -> u64 {
    1
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn once() -> Option<u64> {
    Some(1)
}

/// On which side of carrying the request out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The request is not carried out.
    Before,
    /// The request was carried out.
    After,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// An error answer: instead of carrying the request out, or in spite of it.
    Fail {
        /// Before unless said.
        #[serde(default = "before")]
        when: When,
        /// The HTTP status.
        status: u16,
        /// The error's code.
        code: String,
        /// The error's text.
        #[serde(default)]
        message: String,
    },
    /// 429, in each service's own words.
    Throttle,
    /// 403, in AWS's words, naming the action.
    AccessDenied,
    /// The connection ends without an answer.
    Drop {
        /// Before or after.
        when: When,
    },
    /// Nothing goes on until the request is released. Held before, it is carried out then, even if its sender has
    /// died since; a release may also say that it never arrived.
    Hold {
        /// Before or after.
        when: When,
    },
    /// The request is carried out, and half of the answer arrives.
    Truncate,
    /// The request is carried out, and the automatic deployments that it causes fail with this text.
    FailDeployment {
        /// `lastDeploymentStatusMessage`.
        message: String,
    },
    /// The request is carried out, and the update of a function that it causes fails for this reason.
    FailFunction {
        /// `LastUpdateStatusReasonCode`.
        code: String,
    },
}

fn before() -> When {
    When::Before
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) target: Option<&'a str>,
    pub(crate) resource: Option<&'a str>,
    pub(crate) mutating: bool,
    pub(crate) access_key: &'a str,
}

impl Rule {
    fn matches(&self, seen: Seen) -> bool {
        let text = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        self.service.is_none_or(|service| service == seen.service)
            && text(&self.operation, Some(seen.operation))
            && text(&self.target, seen.target)
            && text(&self.resource, seen.resource)
            && text(&self.access_key, Some(seen.access_key))
            && self.mutating.is_none_or(|mutating| mutating == seen.mutating)
    }
}

/// A rule with its identifier and how often it has matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveRule {
    /// Counts from 1.
    pub id: u64,
    /// Matching requests so far.
    pub seen: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}

/// All rules. The oldest one that acts wins; the others count the request all the same.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    last: u64,
    rules: BTreeMap<u64, ActiveRule>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) -> u64 {
        self.last += 1;
        self.rules.insert(
            self.last,
            ActiveRule {
                id: self.last,
                seen: 0,
                rule,
            },
        );
        self.last
    }

    pub(crate) fn list(&self) -> Vec<ActiveRule> {
        self.rules.values().cloned().collect()
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        self.rules.remove(&id).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Counts a request and picks what happens to it.
    pub(crate) fn pick(&mut self, seen: Seen) -> Option<(u64, Action)> {
        let mut picked = None;
        for active in self.rules.values_mut().filter(|active| active.rule.matches(seen)) {
            active.seen += 1;
            let end = active
                .rule
                .times
                .map(|times| active.rule.from.saturating_add(times));
            let acts = active.seen >= active.rule.from && end.is_none_or(|end| active.seen < end);
            if acts && picked.is_none() {
                picked = Some((active.id, active.rule.action.clone()));
            }
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(operation: &str) -> Seen<'_> {
        Seen {
            service: Service::ApiGateway,
            operation,
            target: Some("api"),
            resource: None,
            mutating: true,
            access_key: "AKIA",
        }
    }

    fn picks(rule: serde_json::Value, requests: usize) -> Vec<usize> {
        let mut faults = Faults::default();
        faults.add(serde_json::from_value(rule).unwrap());
        (1..=requests)
            .filter(|_| faults.pick(seen("CreateRoute")).is_some())
            .collect()
    }

    #[test]
    fn a_rule_acts_once_unless_it_says_how_often() {
        assert_eq!(picks(json!({"action": {"kind": "throttle"}}), 4).len(), 1);
        assert_eq!(
            picks(json!({"times": null, "action": {"kind": "throttle"}}), 4).len(),
            4
        );
        assert_eq!(
            picks(
                json!({"from": 3, "times": null, "action": {"kind": "throttle"}}),
                4
            )
            .len(),
            2
        );
        assert_eq!(
            picks(json!({"from": 2, "times": 2, "action": {"kind": "throttle"}}), 9).len(),
            2
        );
    }

    #[test]
    fn a_rule_counts_only_what_it_matches() {
        let mut faults = Faults::default();
        let rule =
            json!({"operation": "CreateRoute", "from": 2, "action": {"kind": "drop", "when": "after"}});
        faults.add(serde_json::from_value(rule).unwrap());
        assert_eq!(faults.pick(seen("CreateRoute")), None);
        assert_eq!(faults.pick(seen("CreateStage")), None);
        assert_eq!(
            faults.pick(seen("CreateRoute")),
            Some((1, Action::Drop { when: When::After }))
        );
    }

    #[test]
    fn the_oldest_rule_wins_and_the_others_count() {
        let mut faults = Faults::default();
        faults.add(serde_json::from_value(json!({"action": {"kind": "throttle"}})).unwrap());
        faults.add(serde_json::from_value(json!({"from": 2, "action": {"kind": "truncate"}})).unwrap());
        assert_eq!(faults.pick(seen("GetApi")), Some((1, Action::Throttle)));
        assert_eq!(faults.pick(seen("GetApi")), Some((2, Action::Truncate)));
        assert_eq!(faults.pick(seen("GetApi")), None);
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        assert!(
            serde_json::from_value::<Rule>(json!({"operaton": "x", "action": {"kind": "throttle"}})).is_err()
        );
        assert!(serde_json::from_value::<Rule>(json!({"action": {"kind": "explode"}})).is_err());
    }
}
