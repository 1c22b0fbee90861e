"""Who is calling, and sessions."""

import json
import time

from aws import answers, demand, refused
from case import cases_of
from sandbox import ACCOUNT

case = cases_of("sts")
AUDIENCE = "sts.amazonaws.com"
SUBJECT = "system:serviceaccount:demo:operator"


@case("§14", "D")
def the_callers_arn_holds_partition_and_account(aws):
    caller = aws.sts.get_caller_identity()
    answers(caller, Account=ACCOUNT)
    demand(caller["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/"), "Arn has another form")
    demand(caller["UserId"], "no UserId")


def trusting(principal, action="AssumeRole", **conditions):
    statement = {"Effect": "Allow", "Principal": principal, "Action": f"sts:{action}"}
    if conditions:
        statement["Condition"] = conditions
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(aws, trust=None, **members):
    """A role that trusts its account, unless said otherwise."""
    trust = trust or trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    return aws.role(AssumeRolePolicyDocument=trust, **members)


def role_of_web_identity(aws):
    """A role that trusts one subject of the issuer, for one audience."""
    provider = aws.issuer.removeprefix("https://")
    principal = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}"}
    equal = {f"{provider}:sub": SUBJECT, f"{provider}:aud": AUDIENCE}
    return role(aws, trusting(principal, "AssumeRoleWithWebIdentity", StringEquals=equal))


def assume(aws, role, **members):
    return aws.sts.assume_role(RoleArn=role, RoleSessionName="session", **members)


def assume_with(aws, token):
    members = {"RoleArn": role_of_web_identity(aws), "RoleSessionName": "session", "WebIdentityToken": token}
    return aws.sts.assume_role_with_web_identity(**members)


def expect_session(answer):
    credentials = answer["Credentials"]
    demand(credentials["AccessKeyId"].startswith("ASIA"), "AccessKeyId is none of a session")
    demand(credentials["SecretAccessKey"] and credentials["SessionToken"], "credentials are missing")
    user = answer["AssumedRoleUser"]["Arn"]
    demand(user == f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session", "AssumedRoleUser has another ARN")


@case("§14", "D")
def a_role_is_assumed(aws):
    expect_session(assume(aws, role(aws)))


@case("§14", "D")
def the_path_of_a_role_is_not_in_its_sessions(aws):
    expect_session(assume(aws, role(aws, Path="/jwthttpapi/")))


@case("§14", "D", each={"account": "arn:aws:iam::210987654321:root", "user": f"arn:aws:iam::{ACCOUNT}:user/somebody"})
def a_role_that_trusts_others_is_not_assumed(aws, each):
    with refused(403, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: "):
        assume(aws, role(aws, trusting({"AWS": each})))


@case("§14", "D")
def a_role_of_a_service_is_not_assumed_by_a_user(aws):
    with refused(403, "AccessDenied"):
        assume(aws, aws.role(service="lambda.amazonaws.com"))


@case("§14", "D", each=[899, 3601])
def a_session_has_its_shortest_and_longest(aws, each):
    with refused(400, "ValidationError"):
        assume(aws, role(aws), DurationSeconds=each)


@case("§14", "D", each={"text": AUDIENCE, "list": [AUDIENCE]})
def a_role_is_assumed_with_a_web_identity(aws, each):
    answer = assume_with(aws, aws.ground.token(sub=SUBJECT, aud=each))
    expect_session(answer)
    answers(answer, SubjectFromWebIdentityToken=SUBJECT, Audience=AUDIENCE, Provider=aws.issuer)


@case("§14", "D", each={"subject": ("somebody", AUDIENCE), "audience": (SUBJECT, "something")})
def a_web_identity_is_held_against_the_conditions_of_the_trust(aws, each):
    subject, audience = each
    with refused(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        assume_with(aws, aws.ground.token(sub=subject, aud=audience))


@case("§14", "D")
def a_web_identity_has_an_end(aws):
    token = aws.ground.token(sub=SUBJECT, aud=AUDIENCE, exp=int(time.time()) - 1)
    with refused(400, "ExpiredTokenException"):
        assume_with(aws, token)


@case("§14", "D")
def what_is_no_token_is_no_web_identity(aws):
    with refused(400, "InvalidIdentityToken"):
        assume_with(aws, "token")


@case("§14", "D")
def a_web_identity_is_signed_by_its_issuer(aws):
    token = aws.ground.token(sub=SUBJECT, aud=AUDIENCE)
    signed, _, _ = token.rpartition(".")
    _, _, signature = aws.ground.token(sub="somebody").rpartition(".")
    with refused(400, "InvalidIdentityToken"):
        assume_with(aws, f"{signed}.{signature}")
