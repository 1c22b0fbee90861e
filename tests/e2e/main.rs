//! End to end: the built binary on a real Kubernetes API server, under the chart's identity, with the sandbox over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that is surprised ends there"
)]
#![allow(
    clippy::print_stdout,
    reason = "figures are for reading: cargo test -- --nocapture"
)]

mod big;
mod binary;
mod clusters;
mod cost;
mod credentials;
mod demo;
mod examples;
mod ground;
mod identities;
mod installed;
mod killed;
mod leadership;
mod namespaced;
mod network;
mod organisation;
mod orphans;
mod outages;
mod removal;
mod restore;
mod rights;
mod role;
mod stopping;
mod trouble;
mod upgrade;
