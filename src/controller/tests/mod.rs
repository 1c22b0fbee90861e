//! What a reconcile makes of an object and its world.

mod context;
mod deletion;
mod drift;
mod duplicates;
mod errors;
mod events;
mod functions;
mod ground;
mod orphans;
mod passes;
mod process;
mod reclaim;
mod roles;
mod somebody;
mod suspended;
mod takeover;
mod time_to_ready;
mod unseen;
