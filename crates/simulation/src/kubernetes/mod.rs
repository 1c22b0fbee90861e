//! A simulated API server, as much of one as the operator uses.

mod server;
mod store;

pub use server::ApiServer;
pub use store::{Key, Refusal, Store};
