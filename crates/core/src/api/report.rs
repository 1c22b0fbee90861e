//! What a pass found, as conditions: pure, so that the same outcome gives the same status.

use super::conditions::{ConditionType, Draft, merge};
use super::{JwtHttpApiStatus, Polarity, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// How far a pass came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// The object goes on living.
    #[default]
    Living,
    /// The object is being deleted.
    Deleting,
}

/// What a pass found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the spec can be built and is allowed.
    pub accepted: Draft,
    /// Whether what it names exists.
    pub resolved: Draft,
    /// Whether AWS is equal to it.
    pub programmed: Draft,
    /// Whether the object lives or goes.
    pub progress: Progress,
    /// Whether nothing is written.
    pub suspended: bool,
    /// How often in a row passes ended with this reason, or with others that pass as it does, counting this one.
    pub failures: u32,
}

/// The one-word result of a report, for events and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Ready,
    /// Work goes on.
    Reconciling(Reason),
    /// A person has to do something.
    Stalled(Reason),
}

/// How many times AWS may fail to read an issuer before a person is asked: issuers have bad minutes (I).
const ISSUER_TRIES: u32 = 3;

impl Report {
    /// The first of the three that is false; else the first that is not known. What was not looked at because something
    /// else failed says less than what failed.
    pub fn violated(&self) -> Option<&Draft> {
        let with = |status| {
            [&self.accepted, &self.resolved, &self.programmed]
                .into_iter()
                .find(move |draft| draft.status == status)
        };
        with(Some(false)).or_else(|| with(None))
    }

    /// The result.
    pub fn verdict(&self) -> Verdict {
        match self.violated() {
            None if self.progress == Progress::Living => Verdict::Ready,
            None => Verdict::Reconciling(Reason::Deleting),
            Some(draft) => match draft.reason.polarity() {
                Polarity::NeedsHuman
                    if draft.reason == Reason::IssuerUnreachable && self.failures < ISSUER_TRIES =>
                {
                    Verdict::Reconciling(draft.reason)
                }
                Polarity::NeedsHuman => Verdict::Stalled(draft.reason),
                Polarity::Passing | Polarity::Good => Verdict::Reconciling(draft.reason),
            },
        }
    }

    fn drafts(&self) -> Vec<(ConditionType, Draft)> {
        use ConditionType as T;
        let verdict = self.verdict();
        let ready = match self.violated() {
            None if self.progress == Progress::Deleting => {
                Draft::no(Reason::Deleting, "the object is being deleted")
            }
            None if self.suspended => Draft::yes(
                Reason::Suspended,
                "AWS is equal to the spec; nothing is written until spec.suspend is removed",
            ),
            None => Draft::yes(Reason::Succeeded, "AWS is equal to the spec"),
            // Unknown is for work under way: what is held or stalled is not ready.
            Some(draft) => Draft {
                status: match verdict {
                    Verdict::Reconciling(reason) if reason != Reason::Suspended => draft.status,
                    Verdict::Ready | Verdict::Reconciling(_) | Verdict::Stalled(_) => Some(false),
                },
                ..draft.clone()
            },
        };
        let gravest = ready.clone();
        let mut drafts = vec![
            (T::Accepted, self.accepted.clone()),
            (T::ResolvedRefs, self.resolved.clone()),
            (T::Programmed, self.programmed.clone()),
            (T::Ready, ready),
        ];
        let really = |draft: Draft| Draft {
            status: Some(true),
            ..draft
        };
        match verdict {
            // What is held by the spec's own wish is neither at work nor in need of anybody.
            Verdict::Ready | Verdict::Reconciling(Reason::Suspended) => {}
            Verdict::Reconciling(_) => {
                drafts.push((T::Reconciling, really(gravest.clone())));
                planted!(BothTrue => {
                    drafts.push((T::Stalled, really(gravest.clone())));
                });
            }
            Verdict::Stalled(_) => drafts.push((T::Stalled, really(gravest.clone()))),
        }
        if self.progress == Progress::Deleting {
            let blocked = matches!(
                verdict,
                Verdict::Stalled(_) | Verdict::Reconciling(Reason::Suspended)
            ) || self.failures >= BLOCKED_AFTER;
            if blocked && gravest.reason != Reason::Deleting {
                drafts.push((T::DeletionBlocked, really(gravest)));
            }
        }
        drafts
    }
}

/// After how many failures in a row a deletion counts as blocked even by what should pass.
const BLOCKED_AFTER: u32 = 3;

/// The conditions and the observed generation that follow; everything else of the status stays.
///
/// The observed generation moves only when the object is ready, stalled or suspended: until then a waiter sees that the
/// generation is not settled (Flux's reading).
pub fn report(previous: &JwtHttpApiStatus, report: &Report, generation: i64, now: &Time) -> JwtHttpApiStatus {
    let conditions: Vec<Condition> = merge(&previous.conditions, report.drafts(), generation, now);
    let settled = match report.verdict() {
        Verdict::Ready | Verdict::Stalled(_) | Verdict::Reconciling(Reason::Suspended) => true,
        Verdict::Reconciling(_) => false,
    };
    let observed_generation = if settled {
        Some(generation)
    } else {
        previous.observed_generation
    };
    JwtHttpApiStatus {
        observed_generation,
        conditions,
        ..previous.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::condition;
    use k8s_openapi::jiff::Timestamp;

    fn now() -> Time {
        Time(Timestamp::from_second(1).unwrap())
    }

    fn good() -> Report {
        Report {
            accepted: Draft::yes(Reason::Accepted, ""),
            resolved: Draft::yes(Reason::ResolvedRefs, ""),
            programmed: Draft::yes(Reason::Programmed, ""),
            progress: Progress::Living,
            suspended: false,
            failures: 0,
        }
    }

    fn words(report: &Report) -> (Option<i64>, Vec<String>) {
        let status = super::report(&JwtHttpApiStatus::default(), report, 7, &now());
        let words = status
            .conditions
            .iter()
            .map(|c| format!("{}={}/{}", c.type_, c.status, c.reason))
            .collect();
        (status.observed_generation, words)
    }

    #[test]
    fn ready_is_the_sum_of_the_three() {
        let (generation, words) = words(&good());
        assert_eq!(generation, Some(7));
        assert_eq!(words.last().unwrap(), "Ready=True/Succeeded");
        assert_eq!(words.len(), 4);
    }

    #[test]
    fn the_first_violation_is_the_reason_of_ready() {
        let report = Report {
            resolved: Draft::no(Reason::FunctionNotFound, "f"),
            programmed: Draft::no(Reason::AccessDenied, "a"),
            ..good()
        };
        let (generation, words) = words(&report);
        assert_eq!(generation, None);
        assert!(words.contains(&"Ready=False/FunctionNotFound".to_owned()));
        assert!(words.contains(&"Reconciling=True/FunctionNotFound".to_owned()));
    }

    #[test]
    fn what_failed_says_more_than_what_was_not_looked_at() {
        let report = Report {
            accepted: Draft::unknown(Reason::NotObserved, "n"),
            resolved: Draft::unknown(Reason::NotObserved, "n"),
            programmed: Draft::no(Reason::CredentialsUnavailable, "c"),
            ..good()
        };
        let (_, words) = words(&report);
        assert!(
            words.contains(&"Ready=False/CredentialsUnavailable".to_owned()),
            "{words:?}"
        );
        assert!(
            words.contains(&"Stalled=True/CredentialsUnavailable".to_owned()),
            "{words:?}"
        );
    }

    #[test]
    fn what_needs_a_person_stalls_and_settles_the_generation() {
        let report = Report {
            programmed: Draft::no(Reason::AccessDenied, "a"),
            ..good()
        };
        let (generation, words) = words(&report);
        assert_eq!(generation, Some(7));
        assert!(words.contains(&"Stalled=True/AccessDenied".to_owned()));
        assert!(!words.iter().any(|word| word.starts_with("Reconciling")));
    }

    #[test]
    fn an_issuer_gets_three_tries_before_a_person_is_asked() {
        let report = |failures| Report {
            programmed: Draft::no(Reason::IssuerUnreachable, "i"),
            failures,
            ..good()
        };
        assert_eq!(
            report(2).verdict(),
            Verdict::Reconciling(Reason::IssuerUnreachable)
        );
        assert_eq!(report(3).verdict(), Verdict::Stalled(Reason::IssuerUnreachable));
    }

    #[test]
    fn suspension_is_neither_work_nor_need() {
        let held = Report {
            programmed: Draft::no(Reason::Suspended, "2 steps are held"),
            suspended: true,
            ..good()
        };
        let (generation, words) = words(&held);
        assert_eq!((generation, words.len()), (Some(7), 4));
    }

    #[test]
    fn a_deletion_that_cannot_end_says_so() {
        let report = Report {
            programmed: Draft::no(Reason::AccessDenied, "a"),
            progress: Progress::Deleting,
            ..good()
        };
        let status = super::report(&JwtHttpApiStatus::default(), &report, 7, &now());
        let blocked = condition(&status.conditions, ConditionType::DeletionBlocked).unwrap();
        assert_eq!(blocked.reason, "AccessDenied");
        let fine = Report {
            progress: Progress::Deleting,
            ..good()
        };
        assert_eq!(fine.verdict(), Verdict::Reconciling(Reason::Deleting));
        let status = super::report(&JwtHttpApiStatus::default(), &fine, 7, &now());
        assert!(condition(&status.conditions, ConditionType::DeletionBlocked).is_none());
        assert_eq!(
            condition(&status.conditions, ConditionType::Ready)
                .unwrap()
                .reason,
            "Deleting"
        );
    }
    #[test]
    fn only_an_issuer_gets_several_tries() {
        let report = Report {
            programmed: Draft::no(Reason::AccessDenied, "a"),
            failures: 1,
            ..good()
        };
        assert_eq!(report.verdict(), Verdict::Stalled(Reason::AccessDenied));
    }

    #[test]
    fn a_suspended_object_that_is_as_wanted_is_ready_and_says_that_it_is_held() {
        let held = Report {
            suspended: true,
            ..good()
        };
        assert_eq!(words(&held).1.last().unwrap(), "Ready=True/Suspended");
    }

    #[test]
    fn ready_is_unknown_only_while_work_goes_on() {
        for (reason, ready) in [
            (Reason::Progressing, "Ready=Unknown/Progressing"),
            (Reason::Suspended, "Ready=False/Suspended"),
            (Reason::AccessDenied, "Ready=False/AccessDenied"),
        ] {
            let report = Report {
                programmed: Draft::unknown(reason, "u"),
                ..good()
            };
            let (_, words) = words(&report);
            assert_eq!(words[3], ready);
        }
    }

    #[test]
    fn a_deletion_is_blocked_by_what_should_pass_after_three_failures() {
        let blocked = |failures| {
            let report = Report {
                programmed: Draft::no(Reason::Throttled, "t"),
                progress: Progress::Deleting,
                failures,
                ..good()
            };
            words(&report)
                .1
                .contains(&"DeletionBlocked=True/Throttled".to_owned())
        };
        assert_eq!([0, 2, 3, 4].map(blocked), [false, false, true, true]);
        let ends = Report {
            progress: Progress::Deleting,
            failures: 3,
            ..good()
        };
        assert!(
            !words(&ends)
                .1
                .iter()
                .any(|word| word.starts_with("DeletionBlocked"))
        );
        let lives = Report {
            programmed: Draft::no(Reason::AccessDenied, "a"),
            failures: 3,
            ..good()
        };
        assert!(
            !words(&lives)
                .1
                .iter()
                .any(|word| word.starts_with("DeletionBlocked"))
        );
    }

    #[test]
    fn a_deletion_held_by_the_spec_is_blocked_at_once() {
        let held = Report {
            programmed: Draft::no(Reason::Suspended, "s"),
            progress: Progress::Deleting,
            suspended: true,
            ..good()
        };
        assert!(
            words(&held)
                .1
                .contains(&"DeletionBlocked=True/Suspended".to_owned())
        );
    }

    #[test]
    fn what_is_not_settled_keeps_its_generation_and_everything_else_of_the_status() {
        let previous = JwtHttpApiStatus {
            observed_generation: Some(5),
            api_id: Some("a1".into()),
            ..JwtHttpApiStatus::default()
        };
        let working = Report {
            programmed: Draft::no(Reason::Progressing, "p"),
            ..good()
        };
        let after = |report: &Report| super::report(&previous, report, 7, &now());
        assert_eq!(after(&working).observed_generation, Some(5));
        let settled = good();
        assert_eq!(after(&settled).observed_generation, Some(7));
        assert_eq!(after(&working).api_id, previous.api_id);
    }
}
