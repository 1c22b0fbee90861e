//! Conditions: what type, what status, and when it last changed.

use super::Reason;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Types of conditions. The first four are always there after the first visit, the others only while they are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// The spec can be built and is allowed.
    Accepted,
    /// What the spec names exists.
    ResolvedRefs,
    /// AWS is equal to the spec.
    Programmed,
    /// All of the above, and traffic is served.
    Ready,
    /// Work goes on.
    Reconciling,
    /// A person has to do something.
    Stalled,
    /// The object cannot go yet.
    DeletionBlocked,
}

impl ConditionType {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::ResolvedRefs,
        Self::Programmed,
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::DeletionBlocked,
    ];

    /// The word in status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::DeletionBlocked => "DeletionBlocked",
        }
    }
}

/// A condition before it has times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// True, False or, when nothing is known, none.
    pub status: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// For people: what it is and what to do.
    pub message: String,
}

impl Draft {
    /// It is so.
    pub fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: Some(true),
            reason,
            message: message.into(),
        }
    }

    /// It is not so.
    pub fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: Some(false),
            reason,
            message: message.into(),
        }
    }

    /// It is not known.
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: None,
            reason,
            message: message.into(),
        }
    }

    const fn word(&self) -> &'static str {
        match self.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        }
    }
}

/// The longest message that is written, in characters.
const MESSAGE: usize = 1024;

/// Conditions with times: one that keeps its status keeps its time of transition, whatever else changes.
pub fn merge(
    previous: &[Condition],
    drafts: impl IntoIterator<Item = (ConditionType, Draft)>,
    generation: i64,
    now: &Time,
) -> Vec<Condition> {
    drafts
        .into_iter()
        .map(|(kind, draft)| {
            let since = previous
                .iter()
                .find(|old| old.type_ == kind.as_str() && old.status == draft.word())
                .map_or_else(|| now.clone(), |old| old.last_transition_time.clone());
            Condition {
                type_: kind.as_str().to_owned(),
                status: draft.word().to_owned(),
                reason: draft.reason.as_str().to_owned(),
                message: printable(&draft.message),
                observed_generation: Some(generation),
                last_transition_time: since,
            }
        })
        .collect()
}

/// A condition by its type.
pub fn condition(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == kind.as_str())
}

/// Bounded, and without control characters: messages carry text of tenants and of AWS.
fn printable(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if clean.chars().count() <= MESSAGE {
        return clean;
    }
    clean.chars().take(MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::Timestamp;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn the_time_of_transition_moves_only_with_the_status() {
        let ready = |draft| [(ConditionType::Ready, draft)];
        let first = merge(&[], ready(Draft::no(Reason::Progressing, "a")), 1, &at(1));
        let second = merge(&first, ready(Draft::no(Reason::AccessDenied, "b")), 2, &at(2));
        assert_eq!(second[0].last_transition_time, at(1));
        assert_eq!(
            (second[0].reason.as_str(), second[0].observed_generation),
            ("AccessDenied", Some(2))
        );
        let third = merge(&second, ready(Draft::yes(Reason::Succeeded, "c")), 2, &at(3));
        assert_eq!(third[0].last_transition_time, at(3));
    }

    #[test]
    fn messages_are_bounded_and_of_one_line() {
        let long = format!("a\nb\u{1b}[31m{}", "é".repeat(3000));
        let written = merge(
            &[],
            [(ConditionType::Ready, Draft::no(Reason::Progressing, long))],
            1,
            &at(1),
        );
        assert_eq!(written[0].message.chars().count(), MESSAGE);
        assert!(!written[0].message.contains(['\n', '\u{1b}']));
    }
    #[test]
    fn a_message_of_the_greatest_length_stays_whole() {
        let message = |length| {
            let draft = Draft::no(Reason::Progressing, "a".repeat(length));
            merge(&[], [(ConditionType::Ready, draft)], 1, &at(1))
                .remove(0)
                .message
        };
        assert_eq!(message(MESSAGE), "a".repeat(MESSAGE));
        assert_eq!(message(MESSAGE + 1), format!("{}…", "a".repeat(MESSAGE - 1)));
    }

    #[test]
    fn a_condition_is_found_by_its_type() {
        let draft = || Draft::unknown(Reason::NotObserved, "a");
        let all = merge(&[], ConditionType::ALL.map(|kind| (kind, draft())), 1, &at(1));
        for kind in ConditionType::ALL {
            assert_eq!(condition(&all, kind).unwrap().type_, kind.as_str());
        }
        assert_eq!(
            all.iter().map(|c| c.status.as_str()).collect::<Vec<_>>(),
            ["Unknown"; 7]
        );
        assert!(condition(&all[1..], ConditionType::Accepted).is_none());
    }

    #[test]
    fn another_type_of_the_same_status_does_not_lend_its_time() {
        let no = |kind| (kind, Draft::no(Reason::Progressing, "a"));
        let first = merge(&[], [no(ConditionType::Accepted)], 1, &at(1));
        let second = merge(&first, [no(ConditionType::Ready)], 1, &at(2));
        assert_eq!(second[0].last_transition_time, at(2));
    }
}
