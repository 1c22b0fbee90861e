//! The rate at which a service takes requests.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A token bucket's size and refill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests a second in the long run.
    pub per_second: u64,
    /// Requests at once at most.
    pub burst: u64,
}

/// The fill of a bucket, in thousandths of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    thousandths: u64,
    at: Timestamp,
}

impl Bucket {
    pub(crate) fn full(limit: RateLimit, now: Timestamp) -> Self {
        Self {
            thousandths: limit.burst.saturating_mul(1000),
            at: now,
        }
    }

    /// Takes one request out, or says that there is none.
    pub(crate) fn take(&mut self, limit: RateLimit, now: Timestamp) -> bool {
        let refill = now.0.saturating_sub(self.at.0).saturating_mul(limit.per_second);
        self.thousandths = self
            .thousandths
            .saturating_add(refill)
            .min(limit.burst.saturating_mul(1000));
        self.at = now;
        let granted = self.thousandths >= 1000;
        if granted {
            self.thousandths -= 1000;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_time_refills_it() {
        let limit = RateLimit {
            per_second: 10,
            burst: 40,
        };
        let mut bucket = Bucket::full(limit, Timestamp(0));
        assert_eq!((0..50).filter(|_| bucket.take(limit, Timestamp(0))).count(), 40);
        assert!(!bucket.take(limit, Timestamp(99)));
        assert!(bucket.take(limit, Timestamp(100)));
        assert_eq!(
            (0..50).filter(|_| bucket.take(limit, Timestamp(60_000))).count(),
            40
        );
    }
}
