//! What the sandbox says of the requests to its AWS.

use serde::Deserialize;

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Permission {
    /// Such as `apigateway:POST`.
    pub action: String,
    /// The ARN that a policy's `Resource` is held against.
    pub resource: String,
}

/// One request to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one request, named as the sandbox names them"
)]
pub struct JournalEntry {
    /// Counts from 1.
    pub number: u64,
    /// `apigateway`, `lambda`, `iam` or `sts`.
    pub service: String,
    /// Such as `CreateApi`.
    pub operation: String,
    /// The API id, function, role or ARN that it is about; none for lists of the account.
    pub target: Option<String>,
    /// What of the target: a child's id, or its name or route key when it is created.
    pub resource: Option<String>,
    /// The access key it was signed with: who asked.
    pub access_key: String,
    /// What policies have to allow for it.
    pub permissions: Vec<Permission>,
    /// Whether the operation is one that writes.
    pub mutating: bool,
    /// Whether it wrote.
    pub committed: bool,
    /// The HTTP status; none while there is no answer.
    pub status: Option<u16>,
    /// The error's code.
    pub error: Option<String>,
    /// Whether a fault keeps the request or its answer back now.
    pub held: bool,
    /// Whether it ended without an answer.
    pub dropped: bool,
}

/// What a wait for requests ended with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Watched {
    /// The number of the last request.
    pub last: u64,
    /// The numbers of the requests that a fault keeps back.
    pub held: Vec<u64>,
    /// Whether nothing happened in time.
    pub timed_out: bool,
}
