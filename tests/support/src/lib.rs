//! What the tests and the demo stand on: a real Kubernetes control plane, a local issuer of tokens, the sandbox's
//! views, and child processes that end with whoever started them.
//!
//! Everything here blocks; call it from plain threads and tests, or from `tokio` tests where blocking does no harm.

mod audit;
mod bugs;
pub mod certificates;
mod chart;
mod cluster;
pub mod command;
mod connect_proxy;
pub mod deadline;
mod error;
mod issuer;
mod line;
mod operator;
pub mod places;
mod pod_identity;
pub mod process;
mod proxy;
mod rights;
mod sandbox;
mod tls_front;
pub mod tools;
mod warden;

pub use self::{
    audit::{AuditEntry, AuditMark},
    bugs::{known_bugs, planted_in},
    chart::{Container, OPERATOR_ACCESS_KEY, PROMPT, sandbox_values},
    cluster::{Cluster, Gate},
    connect_proxy::{ConnectProxy, Tunnel},
    error::Error,
    issuer::{Claims, Issuer},
    line::Line,
    operator::Operator,
    pod_identity::PodIdentity,
    proxy::{Passing, Proxy, Side, Sort},
    rights::{only_bounded_roles, operator_policy, pairs},
    sandbox::{ACCOUNT, Answer, JournalEntry, Permission, REGION, Sandbox, SandboxClient, Watched, released},
    tls_front::TlsFront,
};
