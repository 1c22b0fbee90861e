"""Who may ask, when, and how often."""

import contextlib
import datetime
import functools
from unittest import mock

import botocore.auth
from aws import FUNCTION, demand, refused
from case import cases_of
from sandbox import ACCOUNT, permissions

gateway = cases_of("apigatewayv2")
functions = cases_of("lambda")
iam = cases_of("iam")
sts = cases_of("sts")
EXPIRED = {"expired_keys": ["AKIDEXPIRED"]}
INVALID = {"invalid_keys": ["AKIDINVALID"]}
TIMELY = {"signatures_expire": True}
UNTIMELY = {"signatures_expire": False}
# Minutes that a clock is off, and how a refusal begins.
OFF = {"ahead": (6, "Signature not yet current: "), "behind": (-6, "Signature expired: ")}


@contextlib.contextmanager
def clock_off_by(minutes):
    """Requests within are signed by a clock that is so many minutes ahead."""
    right = botocore.auth.get_current_datetime
    off = datetime.timedelta(minutes=minutes)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: right() + off):
        yield


def denying(*actions):
    return {"principals": {"AKIDDENIED": {"name": "denied", "deny": list(actions)}}}


def not_allowed(action):
    return f"User: arn:aws:iam::123456789012:user/denied is not authorized to perform: {action}"


@gateway("§12", "D", settings=EXPIRED)
def an_expired_key_is_refused_by_api_gateway(aws):
    with refused(403, "ExpiredTokenException"):
        aws.with_key("AKIDEXPIRED").gateway.get_apis()


@functions("§12", "D", settings=EXPIRED)
def an_expired_key_is_refused_by_lambda(aws):
    with refused(403, "ExpiredTokenException"):
        aws.with_key("AKIDEXPIRED").functions.list_functions()


@iam("§12", "D", settings=EXPIRED)
def an_expired_key_is_refused_by_iam(aws):
    with refused(403, "ExpiredToken"):
        aws.with_key("AKIDEXPIRED").iam.list_roles()


@sts("§12", "D", settings=EXPIRED)
def an_expired_key_is_refused_by_sts(aws):
    with refused(403, "ExpiredToken"):
        aws.with_key("AKIDEXPIRED").sts.get_caller_identity()


@gateway("§12", "D", settings=INVALID)
def an_unknown_key_is_refused_by_api_gateway(aws):
    with refused(403, "UnrecognizedClientException"):
        aws.with_key("AKIDINVALID").gateway.get_apis()


@iam("§12", "D", settings=INVALID)
def an_unknown_key_is_refused_by_iam(aws):
    with refused(403, "InvalidClientTokenId"):
        aws.with_key("AKIDINVALID").iam.list_roles()


def lasts_five_minutes(ask, code, off):
    """Demands that what a request is signed with is good for that long only."""
    minutes, text = off
    with clock_off_by(minutes), refused(403, code, text):
        ask()
    with clock_off_by(minutes // 2):
        ask()


@gateway("§12", "O", settings=TIMELY, each=OFF)
def api_gateway_takes_a_signature_for_five_minutes(aws, each):
    lasts_five_minutes(aws.gateway.get_apis, "InvalidSignatureException", each)


@iam("§12", "O", settings=TIMELY, each=OFF)
def iam_takes_a_signature_for_five_minutes(aws, each):
    lasts_five_minutes(aws.iam.list_roles, "SignatureDoesNotMatch", each)


@gateway("§12", "I", settings=UNTIMELY)
def a_clock_of_its_own_takes_any_signature(aws):
    with clock_off_by(60):
        aws.gateway.get_apis()


@gateway("§12", "D", settings=denying("apigateway:POST"))
def actions_of_api_gateway_are_verbs(aws):
    denied = aws.with_key("AKIDDENIED")
    with refused(403, "AccessDeniedException", not_allowed("apigateway:POST")):
        denied.api()
    denied.gateway.get_apis()


@gateway("§12", "O", settings=denying("apigateway:TagResource"))
def tagging_is_asked_for_by_its_name_too(aws):
    api = aws.api()
    with refused(403, "AccessDeniedException", not_allowed("apigateway:TagResource")):
        aws.with_key("AKIDDENIED").gateway.tag_resource(ResourceArn=api.arn, Tags={"a": "1"})


@functions("§12", "D", settings=denying("lambda:GetPolicy"))
def actions_of_lambda_are_operations(aws):
    aws.function()
    aws.permit()
    denied = aws.with_key("AKIDDENIED")
    with refused(403, "AccessDeniedException", not_allowed("lambda:GetPolicy")):
        denied.functions.get_policy(FunctionName="hello")
    denied.functions.get_function_configuration(FunctionName="hello")


@iam("§12", "D", settings=denying("iam:GetRole"))
def actions_of_iam_are_operations(aws):
    aws.role()
    denied = aws.with_key("AKIDDENIED")
    with refused(403, "AccessDenied", not_allowed("iam:GetRole")):
        denied.iam.get_role(RoleName="role")
    denied.iam.list_roles()


@sts("§12", "D", settings=denying("*"))
def the_callers_identity_needs_no_permission(aws):
    demand(aws.with_key("AKIDDENIED").sts.get_caller_identity()["Account"] == "123456789012", "another account")


def limited(service):
    return {"rate_limits": {service: {"per_second": 0, "burst": 1}}}


@gateway("§1", "D", settings=limited("apigateway"))
def too_many_requests_are_refused_by_api_gateway(aws):
    aws.gateway.get_apis()
    with refused(429, "TooManyRequestsException"):
        aws.gateway.get_apis()


@functions("§1", "D", settings=limited("lambda"))
def too_many_requests_are_refused_by_lambda(aws):
    aws.functions.list_functions()
    with refused(429, "TooManyRequestsException"):
        aws.functions.list_functions()


@iam("§11", "D", settings=limited("iam"))
def too_many_requests_are_refused_by_iam(aws):
    aws.iam.list_roles()
    with refused(400, "Throttling"):
        aws.iam.list_roles()


BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
ONLY_BOUNDED = {
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": BOUNDARY}},
        },
    ]
}


@iam("§12", "D", settings={"principals": {"AKIDBOUNDED": {"name": "bounded", "policy": ONLY_BOUNDED}}})
def a_condition_on_the_boundary_looks_at_the_role(aws):
    aws.role("free")
    bounded = aws.with_key("AKIDBOUNDED")
    put = functools.partial(bounded.iam.put_role_policy, PolicyName="p", PolicyDocument=permissions(FUNCTION))
    with refused(403, "AccessDenied"):
        bounded.role("another")
    with refused(403, "AccessDenied"):
        put(RoleName="free")
    with refused(403, "AccessDenied"):
        bounded.iam.put_role_permissions_boundary(RoleName="free", PermissionsBoundary=BOUNDARY + "-of-others")
    bounded.iam.put_role_permissions_boundary(RoleName="free", PermissionsBoundary=BOUNDARY)
    put(RoleName="free")
    bounded.role("another", PermissionsBoundary=BOUNDARY)
    put(RoleName="another")
