//! What can go wrong with a request to AWS: a closed set of classes, each with one reason in the status, which says how to go on.
//!
//! Code and status decide. A text of AWS may only choose between ways that wait or look again, never one that writes; what is
//! not known means: look again.

mod obstacle;
mod table;
mod words;

use super::operation::{Kind, Operation, Service};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jwthttpapi_core::api::Reason;
use std::error::Error;
use std::fmt;

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// There is no such thing.
    Missing,
    /// There already is one.
    Exists,
    /// Something still refers to it.
    InUse,
    /// Somebody else changed it at the same time.
    Concurrent,
    /// Too many requests at this moment.
    Throttled,
    /// A quota of the account is used up.
    Quota,
    /// IAM does not allow it.
    Denied,
    /// There are no credentials, or AWS takes them no longer.
    CredentialsUnavailable,
    /// The request itself is refused.
    Rejected,
    /// AWS could not read the issuer's discovery document.
    IssuerUnreachable,
    /// A policy would be longer than AWS allows.
    PolicyTooLong,
    /// A role is too new to be assumed.
    RoleNotReady,
    /// Lambda took a function's creation or change and could not carry it out.
    FunctionFailed,
    /// Lambda is not done yet with a function's creation or change.
    Unfinished,
    /// API Gateway could not deploy what was written.
    DeploymentFailed,
    /// The request never left: no connection, no address, no endpoint.
    NotSent,
    /// No answer, or none that can be read: the request may have been carried out.
    Unanswered,
    /// AWS failed: the request may have been carried out.
    Server,
    /// The request was held back, since this process does not lead.
    NotLeading,
    /// None of these: the request may have been carried out.
    Unknown,
}

impl Class {
    /// The word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "Missing",
            Self::Exists => "Exists",
            Self::InUse => "InUse",
            Self::Concurrent => "Concurrent",
            Self::Throttled => "Throttled",
            Self::Quota => "Quota",
            Self::Denied => "Denied",
            Self::CredentialsUnavailable => "CredentialsUnavailable",
            Self::Rejected => "Rejected",
            Self::IssuerUnreachable => "IssuerUnreachable",
            Self::PolicyTooLong => "PolicyTooLong",
            Self::RoleNotReady => "RoleNotReady",
            Self::FunctionFailed => "FunctionFailed",
            Self::Unfinished => "Unfinished",
            Self::DeploymentFailed => "DeploymentFailed",
            Self::NotSent => "NotSent",
            Self::Unanswered => "Unanswered",
            Self::Server => "Server",
            Self::NotLeading => "NotLeading",
            Self::Unknown => "Unknown",
        }
    }

    /// The reason that it is in a condition.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Missing
            | Self::Exists
            | Self::InUse
            | Self::Concurrent
            | Self::Unfinished
            | Self::Server
            | Self::NotLeading => Reason::ProgressingWithRetry,
            Self::Throttled => Reason::Throttled,
            Self::Quota => Reason::QuotaExceeded,
            Self::Denied => Reason::AccessDenied,
            Self::CredentialsUnavailable => Reason::CredentialsUnavailable,
            Self::Rejected => Reason::AwsRefused,
            Self::IssuerUnreachable => Reason::IssuerUnreachable,
            Self::PolicyTooLong => Reason::PolicyFull,
            Self::RoleNotReady => Reason::RolePropagating,
            Self::FunctionFailed => Reason::FunctionFailed,
            Self::DeploymentFailed => Reason::DeploymentFailed,
            Self::NotSent | Self::Unanswered => Reason::AwsUnreachable,
            Self::Unknown => Reason::InternalError,
        }
    }

    /// Whether every other request to the service at this moment would end the same way.
    pub const fn is_of_the_service(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::CredentialsUnavailable | Self::NotSent | Self::NotLeading
        )
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request to AWS did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of trouble it is.
    pub class: Class,
    /// The service.
    pub service: Service,
    /// The request.
    pub operation: Operation,
    /// AWS's code.
    pub code: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// AWS's own text or the transport's, without what differs from one attempt to the next. For logs; some of it enters
    /// [`Fault::message`].
    pub detail: String,
    /// The id under which AWS knows the request. For logs only: it differs each time.
    pub request_id: Option<String>,
}

impl Fault {
    /// The fault of a request that the SDK gave up.
    pub(super) fn of<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = meta.and_then(|meta| meta.code()).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let said = meta.and_then(|meta| meta.message()).map(str::to_owned);
        let detail = words::clean(&said.unwrap_or_else(|| obstacle::told(&causes(error)).to_owned()));
        let class = match error {
            SdkError::ServiceError(_) => table::class(operation, code.as_deref(), status, &detail),
            SdkError::ConstructionFailure(_) => transport(error).unwrap_or(Class::NotSent),
            SdkError::DispatchFailure(failure) => transport(error).unwrap_or_else(|| {
                if failure.as_connector_error().is_some_and(ConnectorError::is_user) {
                    Class::NotSent
                } else {
                    Class::Unanswered
                }
            }),
            SdkError::TimeoutError(_) => transport(error).unwrap_or(Class::Unanswered),
            _ => Class::Unanswered,
        };
        Self {
            class,
            service: operation.service(),
            operation,
            code,
            status,
            detail,
            request_id: meta
                .and_then(|meta| meta.extra("aws_request_id"))
                .map(str::to_owned),
        }
    }

    /// An answer that lacks what it must have: as good as none.
    pub(super) fn unreadable(operation: Operation, lacks: &str) -> Self {
        Self::without_answer(Class::Unanswered, operation, format!("the answer lacks {lacks}"))
    }

    /// Lambda's word for why a function did not become what was asked.
    pub(super) fn of_function(operation: Operation, code: &str) -> Self {
        Self::without_answer(Class::FunctionFailed, operation, code.to_owned())
    }

    /// Lambda was not done in time with what was asked before.
    pub(super) fn unfinished(operation: Operation) -> Self {
        Self::without_answer(Class::Unfinished, operation, String::new())
    }

    /// A stage's word for why it serves what was deployed before.
    pub(crate) fn of_deployment(text: &str) -> Self {
        Self::without_answer(Class::DeploymentFailed, Operation::GetStage, words::clean(text))
    }

    /// A write that was held back, since this process does not lead.
    pub(super) fn not_leading(operation: Operation) -> Self {
        Self::without_answer(Class::NotLeading, operation, String::new())
    }

    /// A step that refers to something nobody made. It was not sent.
    pub(super) fn unresolved(operation: Operation, what: &str) -> Self {
        Self::without_answer(Class::Missing, operation, format!("there is no id of {what}"))
    }

    fn without_answer(class: Class, operation: Operation, detail: String) -> Self {
        Self {
            class,
            service: operation.service(),
            operation,
            code: None,
            status: None,
            detail,
            request_id: None,
        }
    }

    /// The reason that it is in a condition.
    pub const fn reason(&self) -> Reason {
        self.class.reason()
    }

    /// What it means and what to do, in words that are the same each time: no ids of requests, no times.
    pub fn message(&self) -> String {
        words::message(self)
    }

    /// Whether the request may have changed something all the same.
    pub const fn may_have_committed(&self) -> bool {
        matches!(self.operation.kind(), Kind::Write)
            && matches!(self.class, Class::Unanswered | Class::Server | Class::Unknown)
    }

    /// Whether it may be the Region that is wrong, not the keys: one that is not enabled knows none (O).
    pub(super) fn may_be_of_the_region(&self) -> bool {
        self.code.as_deref() == Some("UnrecognizedClientException")
    }

    /// Whether what was refused is the permissions boundary of a role.
    fn is_of_the_boundary(&self) -> bool {
        let sets = matches!(
            self.operation,
            Operation::CreateRole | Operation::PutRolePermissionsBoundary
        );
        sets && (self.detail.contains("Scope ARN") || self.code.as_deref() == Some("PolicyNotAttachable"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.service, self.operation, self.class)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl Error for Fault {}

/// What the errors below the SDK's prove: that there were no credentials, or that no connection was made. Nothing else here
/// proves that a request was not sent.
fn transport(error: &(dyn Error + 'static)) -> Option<Class> {
    // Sources of credentials ask AWS, too, and what keeps them from it keeps everybody.
    if obstacle::of(&causes(error)).is_some() {
        return Some(Class::NotSent);
    }
    chain(error).find_map(|error| {
        let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if error.is::<CredentialsError>() || error.to_string().starts_with(IDENTITY_TIMEOUT) {
            Some(Class::CredentialsUnavailable)
        } else {
            client
                .is_some_and(hyper_util::client::legacy::Error::is_connect)
                .then_some(Class::NotSent)
        }
    })
}

/// An error and what caused it, in words.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// An error, its cause, and so on.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// How the SDK begins the text of its own error, whose type is private, when no provider gave credentials in time.
const IDENTITY_TIMEOUT: &str = "identity resolver timed out";

#[cfg(test)]
mod tests;
