//! Where the sandbox takes the time from.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::model::Timestamp;

/// The source of every "now".
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Tokio's clock, which tests can pause: `epoch` was at `started`.
    Tokio {
        /// The time that the clock began with.
        epoch: Timestamp,
        /// When that was.
        started: Instant,
    },
}

impl Clock {
    /// Tokio's clock, beginning now with `epoch`.
    pub fn tokio(epoch: Timestamp) -> Self {
        Self::Tokio {
            epoch,
            started: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        let elapsed = match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Self::Tokio { started, .. } => started.elapsed(),
        };
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::System => Timestamp(millis),
            Self::Tokio { epoch, .. } => epoch.after(millis),
        }
    }
}
