//! Waiting for what gives no notice, and never for longer than was said.

use std::time::{Duration, Instant};

use crate::Error;

/// How often a probe is repeated.
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `probe` until it answers `Ok(Some(_))`; an `Err` ends the wait at once.
///
/// # Errors
///
/// What the probe says, or [`Error::Deadline`] with the last `Ok(None)` after `limit`.
pub fn poll<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if Instant::now() >= end {
            return Err(Error::Deadline {
                what: what.to_owned(),
                limit,
                detail: String::new(),
            });
        }
        std::thread::park_timeout(INTERVAL);
    }
}
