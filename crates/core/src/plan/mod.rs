//! The difference between what AWS should look like and what it looks like, as ordered steps.
//!
//! | desired | observed | outcome |
//! |---|---|---|
//! | there | absent | create |
//! | there | equal | nothing |
//! | there | differs in what AWS can change | update of exactly that |
//! | there | twice | keep the one most used, then the lowest id; repoint; delete the rest |
//! | there | its integration differs | create the new one, repoint the route, delete the old one |
//! | absent | inside an API of ours | delete: containment is ownership |
//! | absent | proven ours (role, statement, function, log group) | delete |
//! | any | not ours | nothing, ever |
//! | any | unknown | nothing that depends on it |
//!
//! Where AWS has no room for what comes beside what goes, one becomes the other (`room`).
//!
//! The module `order` puts the steps so that at every commit a path admits only what the observed or the desired state admits,
//! and no step opens a path that the desired state protects.

pub mod access;
#[cfg(test)]
mod answers_tests;
mod children;
#[cfg(test)]
mod clearing_tests;
mod delete;
mod diff;
mod explain;
mod functions;
mod guard;
mod identity;
mod invocation;
mod keep;
mod kind;
mod links;
mod order;
mod planned;
mod room;
mod settings;
mod step;

#[cfg(test)]
mod drift_tests;
#[cfg(test)]
mod function_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod room_tests;
#[cfg(test)]
mod settled_tests;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod sketch;
#[cfg(test)]
mod step_tests;
#[cfg(test)]
pub(crate) mod world;

pub use delete::{plan_deletion, plan_release};
pub use diff::plan;
pub use guard::only_tightening;
pub use identity::{Candidate, Identity, Intent, Known, Lookup, Reclaimable, identify};
pub use keep::authorizers;
pub use kind::{Kind, Service};
pub use planned::{Plan, Planned, Refs, Settled};
pub use step::{ApiChange, Authorize, RouteChange, Step};
