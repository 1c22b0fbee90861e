//! The decision of leadership: pure, on the watcher's own monotonic clock, so that skewed clocks cannot shorten a lease.

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;

/// How long a lease lasts without renewal.
pub const LEASE: Duration = Duration::from_secs(15);
/// How long after the start of its last successful renewal a leader may start writes.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often a leader renews and a follower looks.
pub const RETRY: Duration = Duration::from_secs(2);

/// What to do about the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take it: nobody holds it, or its holder fell silent.
    Acquire,
    /// It is ours: renew it.
    Renew,
    /// Somebody else holds it.
    Wait {
        /// Who.
        holder: String,
        /// How long until it may be taken, unless renewed.
        remaining: Duration,
    },
}

/// Decides. `unchanged` is how long this process has watched the lease's renewal stay the same.
pub fn decide(spec: Option<&LeaseSpec>, me: &str, unchanged: Duration) -> Verdict {
    match spec.and_then(|spec| spec.holder_identity.as_deref()) {
        None | Some("") => Verdict::Acquire,
        Some(holder) if holder == me => Verdict::Renew,
        Some(_) if unchanged >= LEASE => Verdict::Acquire,
        Some(holder) => Verdict::Wait {
            holder: holder.to_owned(),
            remaining: LEASE.saturating_sub(unchanged),
        },
    }
}

/// The lease as its holder writes it. The times in it are for people.
pub fn claimed(previous: Option<&LeaseSpec>, me: &str, now: Timestamp) -> LeaseSpec {
    let held = previous.is_some_and(|previous| previous.holder_identity.as_deref() == Some(me));
    let transitions = previous
        .and_then(|previous| previous.lease_transitions)
        .unwrap_or(0);
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(LEASE.as_secs()).ok(),
        acquire_time: previous
            .filter(|_| held)
            .and_then(|p| p.acquire_time.clone())
            .or(Some(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if held {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..LeaseSpec::default()
    }
}

/// The lease as its holder gives it back.
pub fn released(previous: &LeaseSpec, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        renew_time: Some(MicroTime(now)),
        lease_duration_seconds: Some(1),
        ..previous.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(by: &str) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(by.into()),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_silent_holder_is_followed_after_exactly_the_lease() {
        let almost = LEASE.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(
            decide(Some(&held("a")), "b", almost),
            Verdict::Wait {
                holder: "a".into(),
                remaining: Duration::from_millis(1)
            }
        );
        assert_eq!(decide(Some(&held("a")), "b", LEASE), Verdict::Acquire);
    }

    #[test]
    fn a_free_lease_is_taken_at_once_and_ones_own_is_renewed() {
        assert_eq!(decide(None, "a", Duration::ZERO), Verdict::Acquire);
        assert_eq!(decide(Some(&held("")), "a", Duration::ZERO), Verdict::Acquire);
        assert_eq!(decide(Some(&held("a")), "a", Duration::MAX), Verdict::Renew);
    }

    #[test]
    fn transitions_count_changes_of_holder_only() {
        let now = Timestamp::UNIX_EPOCH;
        let first = claimed(None, "a", now);
        let again = claimed(Some(&first), "a", now);
        let other = claimed(Some(&again), "b", now);
        assert_eq!(
            [&first, &again, &other].map(|spec| spec.lease_transitions),
            [Some(1), Some(1), Some(2)]
        );
        assert_eq!(
            decide(Some(&released(&other, now)), "a", Duration::ZERO),
            Verdict::Acquire
        );
    }

    #[test]
    fn a_deposed_leader_is_silent_before_its_lease_can_be_taken() {
        assert!(
            RENEW_DEADLINE + Duration::from_secs(5) <= LEASE,
            "a write takes up to five seconds"
        );
    }
}
