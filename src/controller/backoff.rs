//! When an object is looked at again: pure, with jitter as an argument.

use jwthttpapi_core::api::{Polarity, Reason};
use std::time::Duration;

/// The first wait after a failure that passes.
const FIRST: Duration = Duration::from_secs(2);
/// The longest wait after failures that pass.
const CAP: Duration = Duration::from_secs(60);
/// The first wait for a person.
const HUMAN_FIRST: Duration = Duration::from_secs(10);
/// The longest wait for a person: a granted permission heals without an edit.
const HUMAN_CAP: Duration = Duration::from_secs(300);
/// How long something that does not exist yet is waited for.
const DEPENDENCY: Duration = Duration::from_secs(15);

/// The wait after the n-th failure in a row (from 1) for one reason; jitter is between 0 and 1.
pub(crate) fn after_failure(reason: Reason, failures: u32, jitter: f64) -> Duration {
    let base = match (reason, reason.polarity()) {
        (Reason::FunctionNotFound, _) => DEPENDENCY,
        (_, Polarity::NeedsHuman) => doubled(HUMAN_FIRST, failures, HUMAN_CAP),
        _ => doubled(FIRST, failures, CAP),
    };
    base.mul_f64(1.0 + 0.2 * jitter)
}

/// The wait after the n-th write in a row (from 1) that the API server refused: only a person changes its mind.
pub(crate) fn after_refusal(refusals: u32, jitter: f64) -> Duration {
    doubled(HUMAN_FIRST, refusals, HUMAN_CAP).mul_f64(1.0 + 0.2 * jitter)
}

/// The wait after the n-th write in a row (from 1) that the API server failed: that passes by itself.
pub(crate) fn after_unwritten(failures: u32, jitter: f64) -> Duration {
    doubled(FIRST, failures, CAP).mul_f64(1.0 + 0.2 * jitter)
}

fn doubled(first: Duration, failures: u32, cap: Duration) -> Duration {
    first
        .saturating_mul(
            1_u32
                .checked_shl(failures.saturating_sub(1).min(16))
                .unwrap_or(u32::MAX),
        )
        .min(cap)
}

/// The wait until the next resync: the period, a tenth more or less, so that objects spread.
pub(crate) fn resync(period: Duration, jitter: f64) -> Duration {
    period.mul_f64(0.9 + 0.2 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_back_off_to_a_cap() {
        let waits: Vec<u64> = (1..9)
            .map(|n| after_failure(Reason::AwsUnreachable, n, 0.0).as_secs())
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(after_failure(Reason::AccessDenied, u32::MAX, 0.0), HUMAN_CAP);
        assert!(after_failure(Reason::AccessDenied, 1, 1.0) <= Duration::from_secs(12));
    }

    #[test]
    fn resyncs_spread_round_their_period() {
        let period = Duration::from_secs(600);
        assert_eq!(resync(period, 0.0).as_secs(), 540);
        assert_eq!(resync(period, 1.0).as_secs(), 660);
    }
}
