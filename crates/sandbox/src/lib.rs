//! A strict model of the parts of AWS that jwthttpapi uses, over the real wire protocols.
//!
//! [`Sandbox`] is the whole of it: a model of API Gateway v2, Lambda, IAM, STS and CloudWatch Logs, with a journal, faults on demand
//! and switches for what is not confirmed about AWS. It is reached over HTTP ([`serve`]) or, with the feature `sdk`,
//! as the HTTP client of an AWS SDK client.
//!
//! Signatures are not verified: whoever reaches the sandbox may use it, and the access key only tells callers apart.

mod access;
mod clock;
mod control;
pub mod data_plane;
mod faults;
mod http_server;
mod issuer;
mod journal;
pub mod model;
mod permissions;
mod reply;
mod sandbox;
#[cfg(feature = "sdk")]
mod sdk;
mod web_identity;
mod wire;

pub use self::{
    clock::Clock,
    faults::{Action, ActiveRule, Rule, When},
    http_server::serve,
    issuer::{CertificateError, Discovery, Fetcher, IssuerError, Issuers},
    journal::Entry,
    model::{Account, SMALLEST_ARCHIVE, Settings, Timestamp},
    permissions::Permission,
    sandbox::{Awaited, Options, Outcome, Release, Sandbox, Watched},
    wire::Service,
};
