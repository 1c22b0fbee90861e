//! The AWS SDK for Rust against the sandbox, in memory and over HTTP.

#[path = "sdk/clients.rs"]
mod clients;
#[path = "sdk/faults.rs"]
mod faults;
#[path = "sdk/kinds.rs"]
mod kinds;
#[path = "sdk/time.rs"]
mod time;
#[path = "sdk/transports.rs"]
mod transports;
