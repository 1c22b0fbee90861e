//! The AWS SDK for Rust against the sandbox, in memory and over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in what tests share"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over"
)]

#[path = "sdk/clients.rs"]
mod clients;
#[path = "sdk/faults.rs"]
mod faults;
#[path = "sdk/functions.rs"]
mod functions;
#[path = "sdk/kinds.rs"]
mod kinds;
#[path = "sdk/logs.rs"]
mod logs;
#[path = "sdk/policies.rs"]
mod policies;
#[path = "sdk/time.rs"]
mod time;
#[path = "sdk/transports.rs"]
mod transports;
