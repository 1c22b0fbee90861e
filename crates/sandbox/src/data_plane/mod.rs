//! What callers of a deployed API meet.
//!
//! ```text
//! target ─► matcher ─► cors ─► jwt ─► invoke_permission ─► payload::event ─► runner ─► payload::response ─► cors
//!  which    which     pre-    who     may API Gateway      what the          Node,     what it means        headers
//!  API      route     flight          invoke it            function sees     Python
//!           └──── admission ────┘                                       └─► execution_log
//! ```
//!
//! All but the runner, the fetching of keys and `serve`, which puts it together, is pure: time, keys and documents
//! come in as arguments. Facts of AWS say how they are known: D for documented, O for observed, I for inferred.

pub mod admission;
pub mod answer;
pub mod cors;
pub(crate) mod evaluation;
mod execution_log;
pub mod invoke_permission;
pub mod jwt;
pub mod matcher;
pub mod payload;
pub mod request;
pub mod runner;
pub(crate) mod serve;
pub mod target;
