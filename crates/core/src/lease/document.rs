//! The lease as Kubernetes stores it.

use super::{Holder, TERMS};
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// Who holds it, as `me` sees it.
pub fn holder<'a>(spec: Option<&'a LeaseSpec>, me: &str) -> Holder<'a> {
    match spec.and_then(|spec| spec.holder_identity.as_deref()) {
        None | Some("") => Holder::Nobody,
        Some(holder) if holder == me => Holder::Me,
        Some(holder) => Holder::Other(holder),
    }
}

/// The lease as its holder writes it. The times in it are for people, but for this: they differ from those before, however
/// the clock goes, since a write of what is stored already changes no version and no follower would see it.
pub fn claimed(previous: Option<&LeaseSpec>, me: &str, now: Timestamp) -> LeaseSpec {
    let held = previous.is_some_and(|previous| previous.holder_identity.as_deref() == Some(me));
    let transitions = previous
        .and_then(|previous| previous.lease_transitions)
        .unwrap_or(0);
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(TERMS.lease.as_secs()).ok(),
        acquire_time: previous
            .filter(|_| held)
            .and_then(|p| p.acquire_time.clone())
            .or(Some(MicroTime(now))),
        renew_time: Some(renewal(previous, now)),
        lease_transitions: Some(if held {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..LeaseSpec::default()
    }
}

fn renewal(previous: Option<&LeaseSpec>, now: Timestamp) -> MicroTime {
    let before = previous.and_then(|previous| previous.renew_time.as_ref());
    if before.map(|before| before.0.as_microsecond()) != Some(now.as_microsecond()) {
        return MicroTime(now);
    }
    let step = SignedDuration::from_micros(1);
    let next = now.checked_add(step).or_else(|_| now.checked_sub(step));
    MicroTime(next.unwrap_or(now))
}

/// The lease as its holder gives it back.
pub fn released(previous: Option<&LeaseSpec>, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        renew_time: Some(MicroTime(now)),
        lease_duration_seconds: Some(1),
        ..previous.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_lease_without_a_holder_is_free_and_one_knows_ones_own() {
        let spec = claimed(None, "a", NOW);
        assert_eq!(holder(None, "a"), Holder::Nobody);
        assert_eq!(holder(Some(&LeaseSpec::default()), "a"), Holder::Nobody);
        assert_eq!(holder(Some(&released(Some(&spec), NOW)), "a"), Holder::Nobody);
        assert_eq!(holder(Some(&spec), "a"), Holder::Me);
        assert_eq!(holder(Some(&spec), "b"), Holder::Other("a"));
    }

    #[test]
    fn transitions_and_the_time_of_acquisition_count_changes_of_holder_only() {
        let later = NOW + SignedDuration::from_secs(1);
        let first = claimed(None, "a", NOW);
        let again = claimed(Some(&first), "a", later);
        let latest = later + SignedDuration::from_secs(1);
        let other = claimed(Some(&again), "b", latest);
        let specs = [&first, &again, &other];
        assert_eq!(
            specs.map(|spec| spec.lease_transitions),
            [Some(1), Some(1), Some(2)]
        );
        assert_eq!(
            specs.map(|spec| spec.acquire_time.clone().unwrap().0),
            [NOW, NOW, latest]
        );
        assert_eq!(
            specs.map(|spec| spec.renew_time.clone().unwrap().0),
            [NOW, later, latest]
        );
    }

    #[test]
    fn a_lease_says_how_long_it_lasts_and_a_released_one_that_it_is_over() {
        let spec = claimed(None, "a", NOW);
        assert_eq!(spec.lease_duration_seconds, Some(15));
        let later = NOW + SignedDuration::from_secs(1);
        let free = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(later)),
            ..spec.clone()
        };
        assert_eq!(released(Some(&spec), later), free);
    }

    #[test]
    fn a_renewal_differs_from_the_one_before_even_when_the_clock_stands_still() {
        // As Kubernetes stores it, which is by microseconds.
        let stored = |spec: &LeaseSpec| serde_json::to_string(spec).unwrap();
        let nearly = NOW + SignedDuration::from_nanos(999);
        for (now, then) in [(NOW, NOW), (NOW, nearly), (Timestamp::MAX, Timestamp::MAX)] {
            let mut spec = claimed(None, "a", now);
            for _ in 0..3 {
                let next = claimed(Some(&spec), "a", then);
                assert_ne!(stored(&next), stored(&spec), "at {then}");
                spec = next;
            }
        }
    }
}
