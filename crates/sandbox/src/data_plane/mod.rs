//! What callers of a deployed API meet: route selection, authorization, CORS, the permission to invoke, and the
//! function itself.
//!
//! Everything up to the decision is pure and takes time, keys and documents as arguments.

pub mod admission;
pub mod answer;
pub mod cors;
pub mod invoke_permission;
pub mod jwt;
pub mod matcher;
pub mod payload;
pub mod request;
pub mod runner;
pub(crate) mod serve;
pub mod target;
