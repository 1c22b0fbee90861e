//! Why a reconcile ended early.

use crate::aws::Fault;

/// Why a reconcile ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The object changed under our hands: start again.
    #[error("the object changed meanwhile")]
    Conflict,
    /// The API server refuses what was written for what it says: the schema or a policy of the cluster is against it.
    #[error("the Kubernetes API server refuses a write: {0}")]
    Refused(#[source] Box<kube::Error>),
    /// The API server failed.
    #[error("the Kubernetes API server failed: {0}")]
    Kube(#[source] Box<kube::Error>),
    /// AWS failed; the status says how.
    #[error("AWS failed: {0}")]
    Aws(#[from] Box<Fault>),
    /// The stored object does not parse.
    #[error("the stored object does not parse: {0}")]
    Malformed(String),
    /// The reconcile took too long.
    #[error("the reconcile did not end within its deadline")]
    Deadline,
    /// The reconcile panicked.
    #[error("the reconcile panicked")]
    Panic,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Aws(Box::new(fault))
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.is_conflict() => Self::Conflict,
            kube::Error::Api(status) if status.is_invalid() => Self::Refused(Box::new(error)),
            _ => Self::Kube(Box::new(error)),
        }
    }
}
