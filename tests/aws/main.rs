//! The AWS side against the sandbox: the real SDK, in memory, on a paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::or_fun_call,
    clippy::needless_pass_by_value,
    reason = "a test that is surprised ends there"
)]

mod clearing;
mod faults;
mod ground;
mod lanes;
mod life;
