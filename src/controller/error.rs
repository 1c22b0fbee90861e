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
    /// The API server answers reads and fails a write: what it calls to judge one does not work, say.
    #[error("the Kubernetes API server failed a write: {0}")]
    Unwritten(#[source] Box<kube::Error>),
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
        Self::Kube(Box::new(error))
    }
}

impl Error {
    /// Why a write of the object failed.
    pub(crate) fn of_write(error: kube::Error) -> Self {
        // Without an answer it may be what the API server calls that hangs: reads go on working.
        let kube::Error::Api(status) = &error else {
            return Self::Unwritten(Box::new(error));
        };
        match status.code {
            409 => Self::Conflict,
            // The object is gone.
            404 => error.into(),
            429 | 500.. => Self::Unwritten(Box::new(error)),
            _ => Self::Refused(Box::new(error)),
        }
    }
}
