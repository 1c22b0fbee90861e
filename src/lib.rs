//! The operator: the shell round the pure core.
//!
//! ```text
//!  watch ─► dereference ─► build ─► observe ─► plan ─► execute ─► report ─► status, events, metrics
//!            read what     pure     list AWS   pure    steps in    pure
//!            spec names                                order
//! ```
//!
//! [`cli`] parses, [`run`] opens the ways to the world, [`operator`] composes, [`controller`] drives the pipeline, [`aws`] is the
//! only room that talks to AWS.

#[cfg(test)]
mod api_server;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod fence;
pub mod leader;
pub mod metrics;
pub mod operator;
mod queue;
pub mod run;
pub mod server;
pub mod telemetry;
#[cfg(test)]
mod variants;
pub mod verify;
