//! Every reason that a condition can have: one closed set, each with its meaning and its remedy.

/// Why a condition is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The spec is not one that can be built.
    InvalidSpec,
    /// A function that the installer does not allow.
    FunctionNotAllowed,
    /// A role that the installer does not allow to be passed.
    RoleNotAllowed,
    /// A policy would be, or is, larger than AWS allows.
    PolicyFull,
    /// The operator acts in another account, Region or cluster id than the one that holds the API.
    AccountMismatch,
    /// Several APIs could be the object's.
    AmbiguousOwnership,
    /// Somebody else's role has the name.
    RoleNameConflict,
    /// Somebody else's function or log group has the name.
    FunctionNameConflict,
    /// AWS refuses an action.
    AccessDenied,
    /// The account's quota is used up.
    QuotaExceeded,
    /// AWS cannot read the issuer's discovery document.
    IssuerUnreachable,
    /// AWS refuses a request for another reason.
    AwsRefused,
    /// An automatic deployment failed.
    DeploymentFailed,
    /// Lambda could not make a function what was asked.
    FunctionFailed,
    /// A role cannot go while policies of others are on it.
    RoleInUse,
    /// There are no usable AWS credentials.
    CredentialsUnavailable,
    /// A function does not exist.
    FunctionNotFound,
    /// AWS does not answer.
    AwsUnreachable,
    /// AWS asks for fewer requests.
    Throttled,
    /// AWS or Kubernetes failed in a way that passes.
    ProgressingWithRetry,
    /// Work is being done.
    Progressing,
    /// A request may have made an API that lists do not show yet.
    AwaitingVisibility,
    /// A role or policy is new, and IAM needs time.
    RolePropagating,
    /// Nothing is written on request of the spec.
    Suspended,
    /// The object is being deleted.
    Deleting,
    /// What it depends on is not there.
    NotObserved,
    /// The operator met a case that it does not know.
    InternalError,
    /// The spec is accepted.
    Accepted,
    /// Everything that the spec names exists.
    ResolvedRefs,
    /// AWS is equal to the spec.
    Programmed,
    /// All is well.
    Succeeded,
}

/// Whether a reason speaks of success, of something that passes, or of something that only a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// As wanted.
    Good,
    /// It passes by itself, or is being worked on.
    Passing,
    /// A person has to change something.
    NeedsHuman,
}

impl Reason {
    /// All of them, gravest first.
    pub const ALL: [Self; 31] = [
        Self::InvalidSpec,
        Self::FunctionNotAllowed,
        Self::RoleNotAllowed,
        Self::PolicyFull,
        Self::AccountMismatch,
        Self::AmbiguousOwnership,
        Self::RoleNameConflict,
        Self::FunctionNameConflict,
        Self::AccessDenied,
        Self::QuotaExceeded,
        Self::IssuerUnreachable,
        Self::AwsRefused,
        Self::DeploymentFailed,
        Self::FunctionFailed,
        Self::RoleInUse,
        Self::CredentialsUnavailable,
        Self::FunctionNotFound,
        Self::AwsUnreachable,
        Self::Throttled,
        Self::ProgressingWithRetry,
        Self::Progressing,
        Self::AwaitingVisibility,
        Self::RolePropagating,
        Self::Suspended,
        Self::Deleting,
        Self::NotObserved,
        Self::InternalError,
        Self::Accepted,
        Self::ResolvedRefs,
        Self::Programmed,
        Self::Succeeded,
    ];

    /// The word in conditions, events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpec => "InvalidSpec",
            Self::FunctionNotAllowed => "FunctionNotAllowed",
            Self::RoleNotAllowed => "RoleNotAllowed",
            Self::PolicyFull => "PolicyFull",
            Self::AccountMismatch => "AccountMismatch",
            Self::AmbiguousOwnership => "AmbiguousOwnership",
            Self::RoleNameConflict => "RoleNameConflict",
            Self::FunctionNameConflict => "FunctionNameConflict",
            Self::AccessDenied => "AccessDenied",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::IssuerUnreachable => "IssuerUnreachable",
            Self::AwsRefused => "AwsRefused",
            Self::DeploymentFailed => "DeploymentFailed",
            Self::FunctionFailed => "FunctionFailed",
            Self::RoleInUse => "RoleInUse",
            Self::CredentialsUnavailable => "CredentialsUnavailable",
            Self::FunctionNotFound => "FunctionNotFound",
            Self::AwsUnreachable => "AwsUnreachable",
            Self::Throttled => "Throttled",
            Self::ProgressingWithRetry => "ProgressingWithRetry",
            Self::Progressing => "Progressing",
            Self::AwaitingVisibility => "AwaitingVisibility",
            Self::RolePropagating => "RolePropagating",
            Self::Suspended => "Suspended",
            Self::Deleting => "Deleting",
            Self::NotObserved => "NotObserved",
            Self::InternalError => "InternalError",
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
            Self::Succeeded => "Succeeded",
        }
    }

    /// Whether it is good, passes, or needs a person.
    pub const fn polarity(self) -> Polarity {
        match self {
            Self::InvalidSpec
            | Self::FunctionNotAllowed
            | Self::RoleNotAllowed
            | Self::PolicyFull
            | Self::AccountMismatch
            | Self::AmbiguousOwnership
            | Self::RoleNameConflict
            | Self::FunctionNameConflict
            | Self::AccessDenied
            | Self::QuotaExceeded
            | Self::IssuerUnreachable
            | Self::AwsRefused
            | Self::DeploymentFailed
            | Self::FunctionFailed
            | Self::RoleInUse
            | Self::CredentialsUnavailable => Polarity::NeedsHuman,
            Self::FunctionNotFound
            | Self::AwsUnreachable
            | Self::Throttled
            | Self::ProgressingWithRetry
            | Self::Progressing
            | Self::AwaitingVisibility
            | Self::RolePropagating
            | Self::Suspended
            | Self::Deleting
            | Self::NotObserved
            | Self::InternalError => Polarity::Passing,
            Self::Accepted | Self::ResolvedRefs | Self::Programmed | Self::Succeeded => Polarity::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_is_listed_once_under_a_camel_case_word() {
        let words: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert!(
            words
                .iter()
                .all(|word| word.len() <= 128 && word.chars().all(|c| c.is_ascii_alphanumeric()))
        );
        assert!(Reason::ALL.is_sorted());
    }
}
