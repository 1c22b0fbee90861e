//! What a reconcile makes of an object and its world.

mod errors;
mod functions;
mod ground;
mod passes;
mod roles;
