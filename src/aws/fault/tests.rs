use super::table::{TABLE, class};
use super::*;
use std::collections::BTreeSet;

/// Every exception that the service models list for the operations used, by the code on the wire: read from the errors of the
/// SDK crates of apigatewayv2 1.123, lambda 1.156, iam 1.133 and sts 1.124 (which lists none for `GetCallerIdentity`).
const MODELLED: &[(Service, &[&str])] = &[
    (
        Service::ApiGateway,
        &[
            "BadRequestException",
            "ConflictException",
            "NotFoundException",
            "TooManyRequestsException",
        ],
    ),
    (
        Service::Lambda,
        &[
            "InvalidParameterValueException",
            "PolicyLengthExceededException",
            "PreconditionFailedException",
            "PublicPolicyException",
            "ResourceConflictException",
            "ResourceNotFoundException",
            "ServiceException",
            "TooManyRequestsException",
        ],
    ),
    (
        Service::Iam,
        &[
            "ConcurrentModification",
            "DeleteConflict",
            "EntityAlreadyExists",
            "InvalidInput",
            "LimitExceeded",
            "MalformedPolicyDocument",
            "NoSuchEntity",
            "PolicyNotAttachable",
            "ServiceFailure",
            "UnmodifiableEntity",
        ],
    ),
];

#[test]
fn every_modelled_exception_stands_in_the_table_exactly_once() {
    for (service, codes) in MODELLED {
        for code in *codes {
            let rows = TABLE.iter().filter(|(c, s, _)| c == code && *s == Some(*service));
            assert_eq!(rows.count(), 1, "{service} {code}");
        }
    }
}

#[test]
fn no_code_of_one_service_stands_twice() {
    let rows: BTreeSet<_> = TABLE.iter().map(|(code, service, _)| (code, service)).collect();
    assert_eq!(rows.len(), TABLE.len());
}

/// Operation, code, status, text as AWS writes it, and what that is.
const TEXTS: &[(Operation, &str, u16, &str, Class)] = &[
    (
        Operation::CreateFunction,
        "InvalidParameterValueException",
        400,
        "The role defined for the function cannot be assumed by Lambda.",
        Class::RoleNotReady,
    ),
    (
        Operation::AddPermission,
        "InvalidParameterValueException",
        400,
        "The role defined for the function cannot be assumed by Lambda.",
        Class::Rejected,
    ),
    (
        Operation::CreateAuthorizer,
        "ConflictException",
        429,
        "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need additional Authorizers.",
        Class::Quota,
    ),
    (
        Operation::CreateRoute,
        "ConflictException",
        409,
        "Route with key GET /a already exists for this API",
        Class::Exists,
    ),
    (
        Operation::CreateRoute,
        "ConflictException",
        409,
        "The provided route key \"GET /a/{x}\" has a conflicting variable on the same hierarchical level as \"GET /a/{y}\"",
        Class::Rejected,
    ),
    (
        Operation::DeleteIntegration,
        "ConflictException",
        409,
        "Cannot delete Integration because it is referenced by the following Routes with Ids: [a]",
        Class::InUse,
    ),
    (
        Operation::DeleteIntegration,
        "BadRequestException",
        400,
        "Cannot delete Integration because it is referenced by the following Routes with Ids: [a]",
        Class::InUse,
    ),
    (
        Operation::DeleteAuthorizer,
        "ConflictException",
        409,
        "Cannot delete authorizer 'a', is referenced in route: GET /a",
        Class::InUse,
    ),
    (
        Operation::DeleteApi,
        "BadRequestException",
        400,
        "Please remove all API mappings for the API from your custom domain names.",
        Class::InUse,
    ),
    (
        Operation::UpdateRoute,
        "ConflictException",
        409,
        "Unable to complete operation due to concurrent modification. Please try again later.",
        Class::Concurrent,
    ),
    (
        Operation::CreateAuthorizer,
        "BadRequestException",
        400,
        "Caught exception when connecting to https://x/.well-known/openid-configuration for issuer https://x",
        Class::IssuerUnreachable,
    ),
    (
        Operation::CreateAuthorizer,
        "BadRequestException",
        400,
        "Invalid issuer: Issuer is not a valid URL for JWT Authorizer",
        Class::Rejected,
    ),
    (
        Operation::CreateRoute,
        "TooManyRequestsException",
        429,
        "Maximum number of Routes for this Api has been reached.",
        Class::Quota,
    ),
    (
        Operation::CreateRoute,
        "BadRequestException",
        400,
        "Unable to complete operation: the maximum number of routes (300) has been reached",
        Class::Quota,
    ),
    (
        Operation::CreateRoute,
        "TooManyRequestsException",
        429,
        "Too Many Requests",
        Class::Throttled,
    ),
    (
        Operation::GetRoutes,
        "TooManyRequestsException",
        429,
        "Maximum number of requests",
        Class::Throttled,
    ),
    (
        Operation::AddPermission,
        "ResourceConflictException",
        409,
        "The statement id (a) provided already exists. Please provide a new statement id.",
        Class::Exists,
    ),
    (
        Operation::CreateFunction,
        "ResourceConflictException",
        409,
        "Function already exist: hello",
        Class::Exists,
    ),
    (
        Operation::AddPermission,
        "ResourceConflictException",
        409,
        "An update is in progress",
        Class::Concurrent,
    ),
    (
        Operation::PutRolePolicy,
        "LimitExceeded",
        409,
        "Maximum policy size of 10240 bytes exceeded for role a",
        Class::PolicyTooLong,
    ),
    (
        Operation::CreateRole,
        "LimitExceeded",
        409,
        "Cannot exceed quota for RolesPerAccount: 1000",
        Class::Quota,
    ),
];

#[test]
fn text_tells_the_meanings_of_one_code_apart() {
    for (operation, code, status, text, wanted) in TEXTS {
        let class = class(*operation, Some(code), Some(*status), text);
        assert_eq!(class, *wanted, "{operation} {code}: {text}");
    }
}

#[test]
fn only_a_code_proves_that_something_is_missing() {
    assert_eq!(
        class(Operation::GetApi, None, Some(404), "not found"),
        Class::Unknown
    );
    assert_eq!(
        class(Operation::GetApi, Some("SomethingElse"), Some(404), ""),
        Class::Unknown
    );
    assert_eq!(
        class(Operation::GetRole, Some("NotFoundException"), Some(404), ""),
        Class::Unknown
    );
    assert_eq!(
        class(Operation::GetRole, Some("NoSuchEntity"), Some(404), ""),
        Class::Missing
    );
}

#[test]
fn without_a_known_code_the_status_decides_and_the_rest_is_unknown() {
    let by = |status| class(Operation::CreateApi, Some("NeverSeen"), status, "");
    assert_eq!(by(Some(403)), Class::Denied);
    assert_eq!(by(Some(409)), Class::Concurrent);
    assert_eq!(by(Some(429)), Class::Throttled);
    assert_eq!(by(Some(502)), Class::Server);
    assert_eq!(by(Some(418)), Class::Unknown);
    assert_eq!(by(None), Class::Unknown);
    // AWS names every refusal for want of a permission.
    assert_eq!(class(Operation::CreateApi, None, Some(403), ""), Class::Unknown);
}

fn fault(class: Class, operation: Operation, detail: &str) -> Fault {
    Fault {
        class,
        service: operation.service(),
        operation,
        code: None,
        status: None,
        detail: words::clean(detail),
        request_id: Some("7e1f3a52-0000-4000-8000-0123456789ab".into()),
    }
}

#[test]
fn a_write_may_have_committed_whenever_no_answer_says_otherwise_and_a_read_never() {
    for class in [Class::Unanswered, Class::Server, Class::Unknown] {
        let write = fault(class, Operation::CreateApi, "");
        assert!(write.may_have_committed());
        let read = fault(class, Operation::GetApi, "");
        assert!(!read.may_have_committed());
    }
    for class in [
        Class::NotSent,
        Class::NotLeading,
        Class::Throttled,
        Class::Rejected,
    ] {
        assert!(!fault(class, Operation::CreateApi, "").may_have_committed());
    }
}

#[test]
fn a_refusal_names_the_action_that_is_missing() {
    let own = fault(Class::Denied, Operation::CreateRoute, "");
    assert!(own.message().contains("apigateway:POST on /apis/*/routes"));
    let said = "User: arn:aws:sts::123456789012:assumed-role/x/1732 is not authorized to perform: apigateway:POST on resource: arn:aws:apigateway:eu-central-1::/apis/a/routes";
    let same = fault(Class::Denied, Operation::CreateRoute, said);
    assert_eq!(same.message(), own.message());
    let other = "User: arn:aws:sts::123456789012:assumed-role/x/1732 is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/y";
    let passed = fault(Class::Denied, Operation::CreateIntegration, other).message();
    assert!(
        passed.contains("iam:PassRole") && !passed.contains("1732"),
        "{passed}"
    );
}

#[test]
fn a_message_is_the_same_whatever_the_request_was_called() {
    let text = |id: &str| {
        format!(
            "Invalid target RequestId: {id} (Service: AmazonApiGatewayV2; Status Code: 400; Error Code: BadRequestException; Request ID: {id}; Proxy: null)"
        )
    };
    let one = fault(
        Class::Rejected,
        Operation::UpdateRoute,
        &text("7e1f3a52-aaaa-4000-8000-0123456789ab"),
    );
    let other = fault(
        Class::Rejected,
        Operation::UpdateRoute,
        &text("00000000-bbbb-4000-8000-0123456789ab"),
    );
    assert_eq!(one.message(), other.message());
    assert_eq!(one.message(), "API Gateway refuses UpdateRoute: Invalid target");
}

#[test]
fn a_long_text_of_aws_is_cut() {
    let message = fault(Class::Rejected, Operation::UpdateRoute, &"ä ".repeat(5000)).message();
    assert!(message.chars().count() < 500);
}

#[test]
fn every_class_has_words_of_its_own() {
    let classes = [
        Class::Missing,
        Class::Exists,
        Class::InUse,
        Class::Concurrent,
        Class::Throttled,
        Class::Quota,
        Class::Denied,
        Class::CredentialsUnavailable,
        Class::Rejected,
        Class::IssuerUnreachable,
        Class::PolicyTooLong,
        Class::RoleNotReady,
        Class::FunctionFailed,
        Class::Unfinished,
        Class::DeploymentFailed,
        Class::NotSent,
        Class::Unanswered,
        Class::Server,
        Class::NotLeading,
        Class::Unknown,
    ];
    let messages: BTreeSet<String> = classes
        .iter()
        .map(|class| fault(*class, Operation::CreateAuthorizer, "").message())
        .collect();
    assert_eq!(messages.len(), classes.len());
}

#[test]
fn a_service_that_knows_no_keys_may_be_in_a_region_that_is_not_enabled() {
    let of = |code: &str| Fault {
        code: Some(code.to_owned()),
        ..fault(Class::CredentialsUnavailable, Operation::GetApis, "")
    };
    let named = of("UnrecognizedClientException").message();
    assert!(named.contains("enable this Region"), "{named}");
    let expired = of("ExpiredTokenException").message();
    assert!(!expired.contains("Region"), "{expired}");
}
