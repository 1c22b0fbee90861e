"""Roles, their trust, boundaries and tags."""

import json

from aws import answers, demand, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, permissions, trust

case = cases_of("iam")
HOUR = 3_600_000
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def read(aws, name="role"):
    return aws.iam.get_role(RoleName=name)["Role"]


@case("§11", "D")
def a_role_reads_back_as_given(aws):
    aws.role(Path="/jwthttpapi/", Description="d", Tags=[{"Key": "a", "Value": "1"}])
    answers(
        read(aws),
        RoleName="role",
        Path="/jwthttpapi/",
        Arn=f"arn:aws:iam::{ACCOUNT}:role/jwthttpapi/role",
        Description="d",
        MaxSessionDuration=3600,
        Tags=[{"Key": "a", "Value": "1"}],
    )


@case("§11", "D")
def the_trust_comes_back_as_the_same_document(aws):
    aws.role(service="apigateway.amazonaws.com")
    statement = read(aws)["AssumeRolePolicyDocument"]["Statement"][0]
    answers(statement, Effect="Allow", Action="sts:AssumeRole", Principal={"Service": "apigateway.amazonaws.com"})


@case("§11", "D", settings={"read_lag_ms": HOUR})
def a_new_role_may_not_be_shown_yet_and_its_name_is_taken(aws):
    aws.role()
    with refused(404, "NoSuchEntity", "The role with name role cannot be found."):
        read(aws)
    with refused(409, "EntityAlreadyExists", "Role with name role already exists."):
        aws.role()


@case("§11", "D")
def a_list_does_not_tell_tags(aws):
    aws.role(Tags=[{"Key": "a", "Value": "1"}])
    [role] = aws.iam.list_roles()["Roles"]
    lacks(role, "Tags")


@case("§11", "D")
def roles_are_listed_by_path(aws):
    aws.role("a", Path="/jwthttpapi/")
    aws.role("b")
    found = [role["RoleName"] for role in aws.iam.list_roles(PathPrefix="/jwthttpapi/")["Roles"]]
    demand(found == ["a"], f"{found}")


@case("§11", "D", each=["x" * 64, "a+=,.@-_Z9"])
def a_well_formed_name_is_accepted(aws, each):
    aws.role(each)
    answers(read(aws, each), RoleName=each)


@case("§11", "D", each={"long": "x" * 65, "characters": "a/b", "space": "a b"})
def a_malformed_name_is_refused(aws, each):
    with refused(400, "ValidationError"):
        aws.role(each)


@case("§11", "D", each={"open": "/a", "long": "/" + "x" * 511 + "/", "bare": "a/"})
def a_malformed_path_is_refused(aws, each):
    with refused(400, "ValidationError"):
        aws.role(Path=each)


@case("§11", "D")
def a_description_that_is_too_long_is_refused(aws):
    with refused(400, "ValidationError"):
        aws.role(Description="x" * 1001)


@case("§11", "D", each=["role", "ROLE", "Role"])
def a_name_that_is_taken_in_any_case_is_refused(aws, each):
    aws.role("role")
    with refused(409, "EntityAlreadyExists"):
        aws.role(each)


@case("§11", "D")
def a_name_is_taken_whatever_the_path(aws):
    aws.role()
    with refused(409, "EntityAlreadyExists"):
        aws.role(Path="/other/")


@case("§11", "D")
def a_recreated_role_has_the_old_arn_and_another_id(aws):
    arn = aws.role()
    before = read(aws)
    aws.iam.delete_role(RoleName="role")
    demand(aws.role() == arn, "another ARN")
    demand(read(aws)["RoleId"] != before["RoleId"], "the old id")


OPERATIONS = ["get_role", "delete_role", "list_role_policies", "list_attached_role_policies", "list_role_tags"]


@case("§11", "D", each=OPERATIONS)
def a_role_that_does_not_exist_is_not_found(aws, each):
    with refused(404, "NoSuchEntity"):
        getattr(aws.iam, each)(RoleName="missing")


TRUSTS = {
    "no json": "{",
    "no statement": '{"Version": "2012-10-17"}',
    "no principal": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}',
    "permissions": permissions("*"),
}


@case("§11", "D", each=TRUSTS)
def a_malformed_trust_is_refused(aws, each):
    with refused(400, "MalformedPolicyDocument"):
        aws.role(AssumeRolePolicyDocument=each)


@case("§11", "D")
def the_trust_is_replaced(aws):
    aws.role()
    aws.iam.update_assume_role_policy(RoleName="role", PolicyDocument=trust("apigateway.amazonaws.com"))
    statement = read(aws)["AssumeRolePolicyDocument"]["Statement"][0]
    answers(statement, Principal={"Service": "apigateway.amazonaws.com"})


@case("§11", "D")
def a_malformed_trust_replaces_nothing(aws):
    aws.role()
    with refused(400, "MalformedPolicyDocument"):
        aws.iam.update_assume_role_policy(RoleName="role", PolicyDocument="{")
    statement = read(aws)["AssumeRolePolicyDocument"]["Statement"][0]
    answers(statement, Principal={"Service": "lambda.amazonaws.com"})


def long_trust(characters):
    """A trust policy of so many characters besides white space."""
    document = json.loads(trust("lambda.amazonaws.com"))
    document["Statement"][0]["Sid"] = ""
    document["Statement"][0]["Sid"] = "x" * (characters - len(json.dumps(document).replace(" ", "")))
    return json.dumps(document)


@case("§11", "D")
def a_trust_of_2048_characters_fits(aws):
    aws.role(AssumeRolePolicyDocument=long_trust(2048))


@case("§11", "D")
def a_longer_trust_is_refused(aws):
    with refused(409, "LimitExceeded"):
        aws.role(AssumeRolePolicyDocument=long_trust(2049))


@case("§11", "D")
def a_boundary_is_set_with_the_role(aws):
    aws.role(PermissionsBoundary=MANAGED)
    answers(read(aws)["PermissionsBoundary"], PermissionsBoundaryArn=MANAGED)


@case("§11", "D")
def a_boundary_takes_the_place_of_another(aws):
    aws.role(PermissionsBoundary=MANAGED)
    another = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    aws.iam.put_role_permissions_boundary(RoleName="role", PermissionsBoundary=another)
    answers(read(aws)["PermissionsBoundary"], PermissionsBoundaryArn=another)


@case("§11", "D")
def a_boundary_is_set_and_deleted_later(aws):
    aws.role()
    aws.iam.put_role_permissions_boundary(RoleName="role", PermissionsBoundary=MANAGED)
    answers(read(aws)["PermissionsBoundary"], PermissionsBoundaryArn=MANAGED)
    aws.iam.delete_role_permissions_boundary(RoleName="role")
    lacks(read(aws), "PermissionsBoundary")


@case("§11", "D")
def tags_are_merged_and_removed_by_key(aws):
    aws.role(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    aws.iam.tag_role(RoleName="role", Tags=[{"Key": "b", "Value": "<&>"}, {"Key": "c", "Value": ""}])
    aws.iam.untag_role(RoleName="role", TagKeys=["a"])
    tags = {tag["Key"]: tag["Value"] for tag in aws.iam.list_role_tags(RoleName="role")["Tags"]}
    demand(tags == {"b": "<&>", "c": ""}, f"{tags}")


@case("§11", "D")
def a_tag_key_in_another_case_replaces_the_tag(aws):
    aws.role(Tags=[{"Key": "Team", "Value": "1"}])
    aws.iam.tag_role(RoleName="role", Tags=[{"Key": "team", "Value": "2"}])
    demand(aws.iam.list_role_tags(RoleName="role")["Tags"] == [{"Key": "team", "Value": "2"}], "another list")


@case("§11", "D")
def two_tags_whose_keys_differ_in_case_are_refused(aws):
    with refused(400, "InvalidInput"):
        aws.role(Tags=[{"Key": "Team", "Value": "1"}, {"Key": "team", "Value": "2"}])


@case("§11", "D")
def the_fifty_first_tag_is_refused(aws):
    aws.role(Tags=[{"Key": f"key-{n}", "Value": "v"} for n in range(50)])
    with refused(409, "LimitExceeded"):
        aws.iam.tag_role(RoleName="role", Tags=[{"Key": "one", "Value": "more"}])


TAGS = {
    "prefix": {"Key": "aws:a", "Value": "1"},
    "key": {"Key": "k" * 129, "Value": "v"},
    "value": {"Key": "k", "Value": "v" * 257},
}


@case("§2", "D?", each=TAGS)
def a_tag_beyond_the_limits_is_refused(aws, each):
    with refused(400, None):
        aws.role(Tags=[each])


@case("§11", "D")
def a_bare_role_is_deleted(aws):
    aws.role()
    aws.iam.delete_role(RoleName="role")
    with refused(404, "NoSuchEntity"):
        read(aws)


@case("§11", "D")
def a_role_has_no_instance_profiles(aws):
    aws.role()
    demand(aws.iam.list_instance_profiles_for_role(RoleName="role")["InstanceProfiles"] == [], "there is one")
