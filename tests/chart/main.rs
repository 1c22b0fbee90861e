//! The chart: what it makes, what it refuses, what a real API server takes of it, and that its words are true.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong anywhere in a test binary is the failure of a test"
)]

mod definition;
mod documents;
mod flags;
mod ground;
mod installed;
mod metrics;
mod notes;
mod pod;
mod refused;
mod replicas;
mod rights;
mod snapshots;
mod values;
