//! Which code means what: one table.

use super::Class;
use crate::aws::operation::{Kind, Operation, Service};

/// A code, the service that says it (none for any), and what it means.
type Row = (&'static str, Option<Service>, Class);

const APIGW: Option<Service> = Some(Service::ApiGateway);
const LAMBDA: Option<Service> = Some(Service::Lambda);
const IAM: Option<Service> = Some(Service::Iam);
const LOGS: Option<Service> = Some(Service::Logs);

/// First every exception that the service models name for the operations used, service by service; then the codes that every
/// service may answer (D: common errors of the AWS APIs; SDK's own classifiers).
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    ("NotFoundException",                APIGW,  Class::Missing),
    ("TooManyRequestsException",         APIGW,  Class::Throttled),
    ("BadRequestException",              APIGW,  Class::Rejected),
    ("ConflictException",                APIGW,  Class::Concurrent),

    ("ResourceNotFoundException",        LAMBDA, Class::Missing),
    ("ResourceConflictException",        LAMBDA, Class::Concurrent),
    ("InvalidParameterValueException",   LAMBDA, Class::Rejected),
    ("PolicyLengthExceededException",    LAMBDA, Class::PolicyTooLong),
    ("PreconditionFailedException",      LAMBDA, Class::Concurrent),
    ("PublicPolicyException",            LAMBDA, Class::Rejected),
    ("ServiceException",                 LAMBDA, Class::Server),
    ("TooManyRequestsException",         LAMBDA, Class::Throttled),

    ("CodeSigningConfigNotFoundException", LAMBDA, Class::Rejected),
    ("CodeStorageExceededException",     LAMBDA, Class::Quota),
    ("CodeVerificationFailedException",  LAMBDA, Class::Rejected),
    ("InvalidCodeSignatureException",    LAMBDA, Class::Rejected),

    ("ResourceNotFoundException",        LOGS,   Class::Missing),
    ("ResourceAlreadyExistsException",   LOGS,   Class::Exists),
    ("OperationAbortedException",        LOGS,   Class::Concurrent),
    ("InvalidParameterException",        LOGS,   Class::Rejected),
    ("TooManyTagsException",             LOGS,   Class::Rejected),

    ("NoSuchEntity",                     IAM,    Class::Missing),
    ("EntityAlreadyExists",              IAM,    Class::Exists),
    ("DeleteConflict",                   IAM,    Class::InUse),
    ("ConcurrentModification",           IAM,    Class::Concurrent),
    ("EntityTemporarilyUnmodifiable",    IAM,    Class::Concurrent),
    ("LimitExceeded",                    IAM,    Class::Quota),
    ("InvalidInput",                     IAM,    Class::Rejected),
    ("MalformedPolicyDocument",          IAM,    Class::Rejected),
    ("UnmodifiableEntity",               IAM,    Class::Rejected),
    ("PolicyNotAttachable",              IAM,    Class::Rejected),
    ("ServiceFailure",                   IAM,    Class::Server),

    ("AccessDenied",                     None,   Class::Denied),
    ("AccessDeniedException",            None,   Class::Denied),
    ("ForbiddenException",               None,   Class::Denied),
    ("NotAuthorized",                    None,   Class::Denied),
    ("UnauthorizedOperation",            None,   Class::Denied),

    ("AuthFailure",                      None,   Class::CredentialsUnavailable),
    ("ExpiredToken",                     None,   Class::CredentialsUnavailable),
    ("ExpiredTokenException",            None,   Class::CredentialsUnavailable),
    ("IncompleteSignature",              None,   Class::CredentialsUnavailable),
    ("IncompleteSignatureException",     None,   Class::CredentialsUnavailable),
    ("InvalidAccessKeyId",               None,   Class::CredentialsUnavailable),
    ("InvalidClientTokenId",             None,   Class::CredentialsUnavailable),
    ("InvalidSignatureException",        None,   Class::CredentialsUnavailable),
    ("MissingAuthenticationToken",       None,   Class::CredentialsUnavailable),
    ("MissingAuthenticationTokenException", None, Class::CredentialsUnavailable),
    ("RequestExpired",                   None,   Class::CredentialsUnavailable),
    ("RequestTimeTooSkewed",             None,   Class::CredentialsUnavailable),
    ("SignatureDoesNotMatch",            None,   Class::CredentialsUnavailable),
    ("UnrecognizedClientException",      None,   Class::CredentialsUnavailable),

    ("RequestLimitExceeded",             None,   Class::Throttled),
    ("RequestThrottled",                 None,   Class::Throttled),
    ("RequestThrottledException",        None,   Class::Throttled),
    ("SlowDown",                         None,   Class::Throttled),
    ("ThrottledException",               None,   Class::Throttled),
    ("Throttling",                       None,   Class::Throttled),
    ("ThrottlingException",              None,   Class::Throttled),
    ("TooManyRequestsException",         None,   Class::Throttled),

    ("LimitExceededException",           None,   Class::Quota),
    ("ServiceQuotaExceededException",    None,   Class::Quota),

    ("InvalidAction",                    None,   Class::Rejected),
    ("InvalidParameterCombination",      None,   Class::Rejected),
    ("InvalidParameterValue",            None,   Class::Rejected),
    ("InvalidRequestContentException",   None,   Class::Rejected),
    ("MalformedInput",                   None,   Class::Rejected),
    ("MissingParameter",                 None,   Class::Rejected),
    ("OptInRequired",                    None,   Class::Rejected),
    ("RequestEntityTooLargeException",   None,   Class::Rejected),
    ("SerializationException",           None,   Class::Rejected),
    ("UnsupportedMediaTypeException",    None,   Class::Rejected),
    ("ValidationError",                  None,   Class::Rejected),
    ("ValidationException",              None,   Class::Rejected),

    ("InternalError",                    None,   Class::Server),
    ("InternalFailure",                  None,   Class::Server),
    ("InternalServerError",              None,   Class::Server),
    ("InternalServerException",          None,   Class::Server),
    ("InternalServiceException",         None,   Class::Server),
    ("ServiceUnavailable",               None,   Class::Server),
    ("ServiceUnavailableException",      None,   Class::Server),

    ("RequestTimeout",                   None,   Class::Unanswered),
    ("RequestTimeoutException",          None,   Class::Unanswered),
];

/// What an answer means.
pub(super) fn class(operation: Operation, code: Option<&str>, status: Option<u16>, text: &str) -> Class {
    let coded = code.and_then(|code| {
        let row = |service: Option<Service>| TABLE.iter().find(|(c, s, _)| *c == code && *s == service);
        row(Some(operation.service())).or_else(|| row(None))
    });
    let class = coded.map_or_else(|| by_status(status, code.is_some()), |(_, _, class)| *class);
    refined(class, operation, text)
}

/// Without a known code. Only a code proves that something is missing: a 404 may come from whatever stands at a wrong address.
/// Without any a 403 may be of wrong keys, half of whose refusal was lost.
const fn by_status(status: Option<u16>, named: bool) -> Class {
    match status {
        Some(403) if named => Class::Denied,
        Some(409) => Class::Concurrent,
        Some(413) => Class::Rejected,
        Some(429) => Class::Throttled,
        Some(500..=599) => Class::Server,
        _ => Class::Unknown,
    }
}

/// One code stands for several things; operation and text tell them apart. None of the results leads to a write.
fn refined(class: Class, operation: Operation, text: &str) -> Class {
    use Operation as Op;
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let creates = matches!(
        operation,
        Op::CreateApi | Op::CreateAuthorizer | Op::CreateIntegration | Op::CreateRoute | Op::CreateStage
    );
    let is_write = operation.kind() == Kind::Write;
    match class {
        // O: "… already exists …", Lambda's "Function already exist: …", "… is referenced in route …",
        // "… concurrent modification …".
        Class::Concurrent if says(&["already exist"]) => Class::Exists,
        // "… has a conflicting variable on the same hierarchical level as …" (O, plutomi #271): no time heals that.
        Class::Concurrent if is_write && says(&["conflicting variable"]) => Class::Rejected,
        Class::Concurrent | Class::Rejected
            if is_write && says(&["referenced", "remove all api mappings"]) =>
        {
            Class::InUse
        }
        // O: one code for an issuer that is wrong and for one that is slow.
        Class::Rejected
            if matches!(operation, Op::CreateAuthorizer | Op::UpdateAuthorizer)
                && says(&["when connecting to", "discovery endpoint", "openid-configuration"]) =>
        {
            Class::IssuerUnreachable
        }
        // O: a new role is not known everywhere at once.
        Class::Rejected
            if matches!(operation, Op::CreateFunction | Op::UpdateFunctionConfiguration)
                && says(&[
                    "cannot be assumed by lambda",
                    "role does not have permissions",
                    // With environment variables Lambda asks for a grant on their key first.
                    "does not refer to a valid principal",
                ]) =>
        {
            Class::RoleNotReady
        }
        // I: whether a full quota is a 429 or a 400 is not known. Reports of others have a 429 whose code is that
        // of a conflict (O).
        Class::Throttled | Class::Rejected | Class::Concurrent
            if creates && says(&["maximum number", "quota", "contact aws"]) && !says(&["rate exceeded"]) =>
        {
            Class::Quota
        }
        // Seen in reports of others (O): "Scope ARN: … does not exist or is not attachable." is about the boundary, not the role.
        Class::Missing
            if operation == Op::CreateRole
                || (operation == Op::PutRolePermissionsBoundary && says(&["scope arn"])) =>
        {
            Class::Rejected
        }
        // D: IAM has one code for too many roles and too long a policy.
        Class::Quota if matches!(operation, Op::PutRolePolicy | Op::UpdateAssumeRolePolicy) => {
            Class::PolicyTooLong
        }
        other => other,
    }
}
