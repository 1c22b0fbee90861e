"""Inline policies of roles, and attachments of managed ones."""

import json

from aws import FUNCTION, answers, demand, refused
from case import cases_of
from sandbox import permissions, trust

case = cases_of("iam")
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def put(aws, document=permissions(FUNCTION), name="policy"):
    aws.iam.put_role_policy(RoleName="role", PolicyName=name, PolicyDocument=document)


def read(aws, name="policy"):
    return aws.iam.get_role_policy(RoleName="role", PolicyName=name)


@case("§11", "D")
def a_policy_comes_back_as_the_same_document(aws):
    aws.role()
    put(aws)
    answers(read(aws), RoleName="role", PolicyName="policy", PolicyDocument=json.loads(permissions(FUNCTION)))


@case("§11", "D")
def characters_of_other_alphabets_come_back_as_given(aws):
    aws.role()
    statement = {"Sid": "a", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/a b+c%20ä&<\"/*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    put(aws, json.dumps(document))
    answers(read(aws), PolicyDocument=document)


@case("§11", "D")
def a_policy_is_replaced(aws):
    aws.role()
    put(aws)
    put(aws, permissions("*"))
    answers(read(aws)["PolicyDocument"]["Statement"][0], Resource=["*"])
    demand(aws.iam.list_role_policies(RoleName="role")["PolicyNames"] == ["policy"], "another list")


@case("§11", "D")
def the_same_policy_can_be_put_again(aws):
    aws.role()
    put(aws)
    put(aws)
    demand(aws.iam.list_role_policies(RoleName="role")["PolicyNames"] == ["policy"], "another list")


@case("§11", "D")
def a_policy_is_deleted(aws):
    aws.role()
    put(aws)
    aws.iam.delete_role_policy(RoleName="role", PolicyName="policy")
    with refused(404, "NoSuchEntity"):
        read(aws)


@case("§11", "D", each=["get_role_policy", "delete_role_policy"])
def a_policy_that_does_not_exist_is_not_found(aws, each):
    aws.role()
    with refused(404, "NoSuchEntity"):
        getattr(aws.iam, each)(RoleName="role", PolicyName="missing")


@case("§11", "D")
def a_policy_of_a_role_that_does_not_exist_is_refused(aws):
    with refused(404, "NoSuchEntity"):
        put(aws)


DOCUMENTS = {
    "no json": "{",
    "no statement": '{"Version": "2012-10-17"}',
    "no effect": '{"Version": "2012-10-17", "Statement": [{"Action": "s3:*", "Resource": "*"}]}',
    "no action": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}',
    "no resource": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]}',
    "trust": trust("lambda.amazonaws.com"),
}


@case("§11", "D", each=DOCUMENTS)
def a_malformed_document_is_refused(aws, each):
    aws.role()
    with refused(400, "MalformedPolicyDocument"):
        put(aws, each)
    demand(aws.iam.list_role_policies(RoleName="role")["PolicyNames"] == [], "it is there")


@case("§11", "D")
def a_name_of_128_characters_fits(aws):
    aws.role()
    put(aws, name="x" * 128)
    answers(read(aws, "x" * 128), PolicyName="x" * 128)


@case("§11", "D", each={"long": "x" * 129, "characters": "a b"})
def a_malformed_name_is_refused(aws, each):
    aws.role()
    with refused(400, "ValidationError"):
        put(aws, name=each)


def long_permissions(characters):
    """A policy of so many characters besides white space."""
    empty = len(permissions(FUNCTION).replace(" ", ""))
    return permissions(FUNCTION + "x" * (characters - empty))


@case("§11", "D")
def policies_of_10240_characters_fit_together(aws):
    aws.role()
    put(aws, long_permissions(5120), "a")
    put(aws, long_permissions(5120), "b")


@case("§11", "D")
def longer_policies_are_refused_together(aws):
    aws.role()
    put(aws, long_permissions(5120), "a")
    with refused(409, "LimitExceeded"):
        put(aws, long_permissions(5121), "b")


@case("§11", "D")
def white_space_is_not_counted(aws):
    aws.role()
    put(aws, long_permissions(10240).replace("{", "{" + " " * 500))


@case("§11", "D", managed=True)
def an_attached_policy_is_listed(aws):
    aws.role()
    aws.iam.attach_role_policy(RoleName="role", PolicyArn=MANAGED)
    aws.iam.attach_role_policy(RoleName="role", PolicyArn=MANAGED)
    attached = aws.iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]
    demand(attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": MANAGED}], "another list")


@case("§11", "D", managed=True)
def a_policy_that_is_not_attached_is_not_detached(aws):
    aws.role()
    with refused(404, "NoSuchEntity"):
        aws.iam.detach_role_policy(RoleName="role", PolicyArn=MANAGED)


@case("§11", "D")
def a_role_with_an_inline_policy_is_not_deleted(aws):
    aws.role()
    put(aws)
    with refused(409, "DeleteConflict", "must delete policies first"):
        aws.iam.delete_role(RoleName="role")
    aws.iam.delete_role_policy(RoleName="role", PolicyName="policy")
    aws.iam.delete_role(RoleName="role")


@case("§11", "D", managed=True)
def a_role_with_an_attached_policy_is_not_deleted(aws):
    aws.role()
    aws.iam.attach_role_policy(RoleName="role", PolicyArn=MANAGED)
    with refused(409, "DeleteConflict", "must detach all policies first"):
        aws.iam.delete_role(RoleName="role")
    aws.iam.detach_role_policy(RoleName="role", PolicyArn=MANAGED)
    aws.iam.delete_role(RoleName="role")
