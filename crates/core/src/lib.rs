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
//!
//! Facts of AWS say how they are known: D for documented, O for observed, I for inferred.

/// Whether a bug is planted: `planted!(Bug)`; or what it does: `planted!(Bug => { … })`. Nothing and `false` in every build
/// without `--cfg planted`.
#[cfg(planted)]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is($crate::planted::Bug::$bug)
    };
    ($bug:ident => $wrong:block) => {
        if $crate::planted::is($crate::planted::Bug::$bug) $wrong
    };
}

/// Whether a bug is planted: `planted!(Bug)`; or what it does: `planted!(Bug => { … })`. Nothing and `false` in every build
/// without `--cfg planted`.
#[cfg(not(planted))]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
    ($bug:ident => $wrong:block) => {};
}

pub mod api;
pub mod lease;
pub mod model;
pub mod plan;
#[cfg(planted)]
pub mod planted;
pub mod words;
