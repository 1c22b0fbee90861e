//! The real operator over a simulated Kubernetes and a simulated AWS.
//!
//! ```text
//!  life: scenario + schedule of faults + seed
//!    │
//!    ├─ instance 1..n of the operator ── kube client ──► world ──► kubernetes (store)
//!    │    (Controller, SDKs: real)   └── AWS SDKs ─────► world ──► the sandbox
//!    │                                                    │ numbers and writes down every request, lets faults befall it,
//!    │                                                    └ and has the oracles judge what was committed
//!    └─ outcome: journal, violations
//! ```
//!
//! Time is tokio's paused clock: an hour of waiting takes no time at all. A seed and a schedule decide everything.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "what goes wrong in the simulation itself ends the run"
)]

mod aws;
#[cfg(planted)]
pub mod bugs;
pub mod deed;
pub mod effect;
pub mod fault;
mod ground;
mod instance;
pub mod kubernetes;
pub mod life;
pub mod oracle;
pub mod outage;
pub mod scenario;
pub mod sweep;
pub mod walk;
pub mod workers;
pub mod world;

pub use ground::{Ground, ground};

/// Whether an access key is one of the operator's.
pub fn is_operator(key: &str) -> bool {
    [OPERATOR, ROTATED].contains(&key)
}

use kubernetes::Key;
use std::sync::LazyLock;

/// The Region of everything.
pub const REGION: &str = "eu-central-1";
/// The account of everything.
pub const ACCOUNT: &str = "123456789012";
/// The uid of the namespace kube-system, and so the cluster's id.
pub const KUBE_SYSTEM: &str = "11111111-2222-4333-8444-555555555555";
/// The access key of the operator.
pub const OPERATOR: &str = "AKIDOPERATOR";
/// The one that it has when that was replaced.
pub const ROTATED: &str = "AKIDROTATED";
/// The object of every life.
pub static OBJECT: LazyLock<Key> = LazyLock::new(|| Key::new("jwthttpapis", "demo", "hello"));
/// Another one, where there is another that works.
pub static NEIGHBOUR: LazyLock<Key> = LazyLock::new(|| Key::new("jwthttpapis", "other", "hello"));
