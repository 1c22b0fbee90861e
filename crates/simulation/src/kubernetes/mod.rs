//! A simulated API server, as much of one as the operator uses.
//!
//! It is held against the real kube-apiserver by `tests/contract`, whose cases pass on both. Objects are taken as they come:
//! neither schema nor CEL is simulated but that entries of the status differ, and nobody is refused for want of rights. A request that asks for more than is
//! simulated, by a path, a verb or a parameter, is refused, so that nothing is held true that was only overlooked.
//!
//! What differs on purpose:
//!
//! | the real one | here | why it does not matter |
//! |---|---|---|
//! | keeps `managedFields`, and a write that changes only them is a change, as the first after a creation may be | has none | the operator throws them away unread |
//! | says in `details.causes` of a refusal what is said in its message | has no causes | the operator reads code and reason |
//! | sends bookmarks about when they are due, some twice | when they are due, once | a bookmark is an older truth at worst |
//! | says in Go's words why a body is no JSON patch | in Rust's | the operator sends none |
//! | ends a watch that says no end after 30 to 60 minutes | after 290 seconds | the operator's watches say one |
//! | lists in pages, when a limit is asked for | in one | one object is in every life |
//! | drops Events after an hour | keeps them | nobody reads them |

mod kind;
mod lists;
mod log;
mod metadata;
mod refusal;
mod request;
mod server;
mod store;

pub use refusal::Refusal;
pub use server::ApiServer;
pub use store::{Key, Store};
