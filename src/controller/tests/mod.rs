//! What a reconcile makes of an object and its world.

mod errors;
mod functions;
mod ground;
mod orphans;
mod passes;
mod reclaim;
mod roles;
