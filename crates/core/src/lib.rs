//! The pure core of jwthttpapi: what a `JwtHttpApi` means, and what to do about it.
//!
//! Nothing here does I/O, reads a clock or draws a random number; the crate's dependencies make sure of that.
//! Data flows one way:
//!
//! ```text
//! spec ─► model::build ─► Desired ─┐
//!                                  ├─► plan::plan ─► Plan [Step …] ─► (the shell executes) ─► api::report ─► status
//! AWS  ─► (the shell observes) ─► Observed ─┘
//! ```
//!
//! * [`api`]: the Kubernetes-facing types, conditions and reasons;
//! * [`model`]: what AWS should look like (names, ownership, documents, [`model::build`]) and what it looks like
//!   ([`model::observed`]);
//! * [`plan`]: the difference as ordered steps, who may reach what while they run, and whose an API is;
//! * [`lease`]: the decision of leadership.

pub mod api;
pub mod lease;
pub mod model;
pub mod plan;
