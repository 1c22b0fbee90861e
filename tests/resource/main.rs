//! The resource as users meet it: what the real API server accepts and refuses, the examples, and the documents.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong anywhere in a test binary is the failure of a test"
)]

mod definition;
mod documents;
mod examples;
mod functions;
mod good;
mod ground;
mod managers;
mod refused;
mod updates;
