//! The AWS side against the sandbox: the real SDK, in memory, on a paused clock.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong anywhere in a test binary is the failure of a test"
)]

mod access;
mod clearing;
mod faults;
mod functions;
mod ground;
mod lanes;
mod life;
mod metrics;
mod roles;
mod settled;
