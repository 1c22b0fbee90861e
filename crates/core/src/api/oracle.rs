//! What Kubernetes tools read in a status: judges for tests, written after the tools' rules and independent of what writes
//! the status.

use super::{JwtHttpApiStatus, condition};
use crate::api::ConditionType as T;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What kstatus concludes, and with it `kubectl wait`-like tools, Flux and Helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KStatus {
    /// On its way out.
    Terminating,
    /// Not there yet.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// As wanted.
    Current,
}

/// The algorithm of kstatus for a custom resource: the first rule that decides wins, and conditions are read in the order
/// in which they stand.
pub fn kstatus(status: Option<&JwtHttpApiStatus>, generation: i64, deleting: bool) -> KStatus {
    if deleting {
        return KStatus::Terminating;
    }
    let Some(status) = status else {
        return KStatus::Current;
    };
    if status
        .observed_generation
        .is_some_and(|observed| observed != generation)
    {
        return KStatus::InProgress;
    }
    let standard = status
        .conditions
        .iter()
        .find_map(|c| match (c.type_.as_str(), c.status.as_str()) {
            ("Reconciling", "True") => Some(KStatus::InProgress),
            ("Stalled", "True") => Some(KStatus::Failed),
            _ => None,
        });
    let ready = || match condition(&status.conditions, T::Ready).map(|c| c.status.as_str()) {
        Some("False" | "Unknown") => KStatus::InProgress,
        _ => KStatus::Current,
    };
    standard.unwrap_or_else(ready)
}

/// When a status is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is being done.
    AtRest,
    /// A pass is under way.
    InProgress,
}

/// Flux's rules for conditions: everything that the status breaks, warnings included, each with its number.
pub fn flux(status: &JwtHttpApiStatus, generation: i64, moment: Moment) -> Vec<String> {
    let find = |kind| condition(&status.conditions, kind);
    let is = |kind, word: &str| find(kind).is_some_and(|c: &Condition| c.status == word);
    let at_rest = moment == Moment::AtRest;
    let observed = status.observed_generation;
    let negative = [T::Stalled, T::Reconciling, T::DeletionBlocked];
    let old = |c: &Condition| c.observed_generation.is_some_and(|seen| seen < generation);
    let apart = |c: &Condition| c.observed_generation != observed;
    let gravest = negative.into_iter().find_map(find);
    let reasoned = |c: &Condition| {
        find(T::Ready).is_some_and(|ready| ready.reason == c.reason && ready.message == c.message)
    };
    let ready = is(T::Ready, "True");
    let rules = [
        (
            "FAIL 1: a negative condition is True while Ready is",
            at_rest && ready && negative.iter().any(|kind| is(*kind, "True")),
        ),
        ("FAIL 2: there is no Ready", find(T::Ready).is_none()),
        (
            "FAIL 3: Reconciling is True and Ready not False",
            at_rest && is(T::Reconciling, "True") && !is(T::Ready, "False"),
        ),
        (
            "FAIL 4: Stalled is True and Ready not False",
            is(T::Stalled, "True") && !is(T::Ready, "False"),
        ),
        (
            "FAIL 5: Reconciling and Stalled are both there",
            find(T::Reconciling).is_some() && find(T::Stalled).is_some(),
        ),
        (
            "FAIL 6: a generation is observed that is not there yet",
            observed.is_some_and(|seen| seen > generation),
        ),
        (
            "FAIL 7: Ready is True for an old generation",
            at_rest && ready && observed.is_some_and(|seen| seen < generation),
        ),
        (
            "FAIL 8: Ready is True beside a condition of an old generation",
            at_rest && ready && status.conditions.iter().any(old),
        ),
        (
            "FAIL 9: Ready is True and a condition is of another generation than the status",
            at_rest && ready && status.conditions.iter().any(apart),
        ),
        (
            "FAIL 11: Ready is Unknown and Reconciling not True",
            !at_rest && is(T::Ready, "Unknown") && !is(T::Reconciling, "True"),
        ),
        (
            "WARN 1: a negative condition is there while Ready is True",
            at_rest && ready && gravest.is_some(),
        ),
        (
            "WARN 2: Ready does not say what the gravest negative condition says",
            at_rest && gravest.is_some_and(|c| !reasoned(c)),
        ),
        (
            "WARN 3: Reconciling is there and not True",
            find(T::Reconciling).is_some() && !is(T::Reconciling, "True"),
        ),
        (
            "WARN 4: Stalled is there and not True",
            find(T::Stalled).is_some() && !is(T::Stalled, "True"),
        ),
        (
            "WARN 5: a condition is of no generation",
            status.conditions.iter().any(|c| c.observed_generation.is_none()),
        ),
    ];
    rules
        .into_iter()
        .filter(|(_, broken)| *broken)
        .map(|(rule, _)| rule.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Draft, Polarity, Progress, Reason, Report, Verdict, report};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    const GENERATION: i64 = 7;

    fn drafts(good: Reason) -> Vec<Draft> {
        let bad = Reason::ALL
            .into_iter()
            .filter(|reason| reason.polarity() != Polarity::Good);
        bad.flat_map(|reason| [Draft::no(reason, "why"), Draft::unknown(reason, "why")])
            .chain([Draft::yes(good, "")])
            .collect()
    }

    /// One draft of each kind.
    fn kinds(good: Reason) -> Vec<Draft> {
        let (human, passing) = (Reason::AccessDenied, Reason::Progressing);
        vec![
            Draft::yes(good, ""),
            Draft::no(human, "human"),
            Draft::unknown(passing, "passing"),
            Draft::no(Reason::Suspended, "held"),
        ]
    }

    /// Every reason in each of the three drafts, beside one of each kind in the other two, with everything else about it.
    fn reports() -> Vec<Report> {
        let good = [Reason::Accepted, Reason::ResolvedRefs, Reason::Programmed];
        let mut reports = Vec::new();
        for all in 0..good.len() {
            let [first, second, third] = [0, 1, 2].map(|index| {
                if index == all {
                    drafts(good[index])
                } else {
                    kinds(good[index])
                }
            });
            for accepted in &first {
                for resolved in &second {
                    for programmed in &third {
                        for (deleting, suspended, failures) in (0..12).map(|n| (n % 2 == 0, n % 4 < 2, n / 4))
                        {
                            reports.push(Report {
                                accepted: accepted.clone(),
                                resolved: resolved.clone(),
                                programmed: programmed.clone(),
                                progress: if deleting {
                                    Progress::Deleting
                                } else {
                                    Progress::Living
                                },
                                suspended,
                                failures: failures * 2,
                            });
                        }
                    }
                }
            }
        }
        reports
    }

    fn status_of(report_: &Report, previous: i64) -> JwtHttpApiStatus {
        let previous = JwtHttpApiStatus {
            observed_generation: Some(previous),
            ..JwtHttpApiStatus::default()
        };
        report(&previous, report_, GENERATION, &Time(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn no_report_breaks_a_rule_of_flux_or_misleads_kstatus() {
        for report in reports() {
            for previous in [-1, GENERATION] {
                let status = status_of(&report, previous);
                let verdict = report.verdict();
                let broken = flux(&status, GENERATION, Moment::InProgress);
                assert!(broken.is_empty(), "{broken:?} by {report:?}: {status:?}");
                let held = matches!(verdict, Verdict::Reconciling(Reason::Suspended));
                let unknown = condition(&status.conditions, T::Ready).unwrap().status == "Unknown";
                if !unknown {
                    let broken = flux(&status, GENERATION, Moment::AtRest);
                    assert!(broken.is_empty(), "{broken:?} by {report:?}: {status:?}");
                }
                let deleting = report.progress == Progress::Deleting;
                let expected = match verdict {
                    _ if deleting => KStatus::Terminating,
                    Verdict::Ready => KStatus::Current,
                    Verdict::Stalled(_) => KStatus::Failed,
                    Verdict::Reconciling(_) => KStatus::InProgress,
                };
                let read = kstatus(Some(&status), GENERATION, deleting);
                assert!(read == expected || held, "{read:?} by {report:?}: {status:?}");
            }
        }
    }

    #[test]
    fn an_object_that_was_never_seen_is_in_progress_by_the_default_of_its_status() {
        let unseen = JwtHttpApiStatus {
            observed_generation: Some(-1),
            ..JwtHttpApiStatus::default()
        };
        assert_eq!(kstatus(Some(&unseen), 1, false), KStatus::InProgress);
        assert_eq!(kstatus(None, 1, false), KStatus::Current);
    }

    #[test]
    fn an_edit_that_nobody_has_seen_is_in_progress() {
        let good = Report {
            accepted: Draft::yes(Reason::Accepted, ""),
            resolved: Draft::yes(Reason::ResolvedRefs, ""),
            programmed: Draft::yes(Reason::Programmed, ""),
            progress: Progress::Living,
            suspended: false,
            failures: 0,
        };
        let status = status_of(&good, -1);
        assert_eq!(kstatus(Some(&status), GENERATION, false), KStatus::Current);
        assert_eq!(kstatus(Some(&status), GENERATION + 1, false), KStatus::InProgress);
        assert_eq!(
            flux(&status, GENERATION + 1, Moment::AtRest),
            [
                "FAIL 7: Ready is True for an old generation",
                "FAIL 8: Ready is True beside a condition of an old generation"
            ]
        );
    }
}
