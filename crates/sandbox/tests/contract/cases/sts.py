"""Who is calling, and sessions."""

from aws import answers, demand
from case import cases_of
from sandbox import ACCOUNT

case = cases_of("sts")


@case("§14", "D")
def the_callers_arn_holds_partition_and_account(aws):
    caller = aws.sts.get_caller_identity()
    answers(caller, Account=ACCOUNT)
    demand(caller["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/"), "Arn has another form")
    demand(caller["UserId"], "no UserId")


def expect_session(answer):
    credentials = answer["Credentials"]
    demand(credentials["AccessKeyId"].startswith("ASIA"), "AccessKeyId is none of a session")
    demand(credentials["SecretAccessKey"] and credentials["SessionToken"], "credentials are missing")
    user = answer["AssumedRoleUser"]["Arn"]
    demand(user == f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session", "AssumedRoleUser has another ARN")


@case("§14", "D")
def a_role_is_assumed(aws):
    expect_session(aws.sts.assume_role(RoleArn=aws.role(), RoleSessionName="session"))


@case("§14", "D")
def a_role_is_assumed_with_a_web_identity(aws):
    token = {"RoleArn": aws.role(), "RoleSessionName": "session", "WebIdentityToken": "token"}
    expect_session(aws.sts.assume_role_with_web_identity(**token))


@case("§14", "D")
def the_path_of_a_role_is_not_in_its_sessions(aws):
    arn = aws.role(Path="/jwthttpapi/")
    expect_session(aws.sts.assume_role(RoleArn=arn, RoleSessionName="session"))
