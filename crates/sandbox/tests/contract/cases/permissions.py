"""Resource policies of functions."""

import json

from aws import FUNCTION, answers, demand, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, REGION

case = cases_of("lambda")
HOUR = 3_600_000
SOURCE = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abcdefghij/*/*"


def statements(aws, **members):
    return json.loads(aws.functions.get_policy(FunctionName="hello", **members)["Policy"])["Statement"]


@case("§10", "O")
def a_statement_has_the_shape_that_aws_gives_it(aws):
    aws.function()
    aws.permit("gateway", SourceArn=SOURCE)
    [statement] = statements(aws)
    answers(
        statement,
        Sid="gateway",
        Effect="Allow",
        Principal={"Service": "apigateway.amazonaws.com"},
        Action="lambda:InvokeFunction",
        Resource=FUNCTION,
        Condition={"ArnLike": {"AWS:SourceArn": SOURCE}},
    )


@case("§10", "O", settings={"read_lag_ms": HOUR})
def a_new_statement_may_not_be_shown_yet_and_its_id_is_taken(aws):
    aws.function()
    aws.permit("gateway")
    with refused(404, "ResourceNotFoundException", "The resource you requested does not exist."):
        aws.functions.get_policy(FunctionName="hello")
    with refused(409, "ResourceConflictException"):
        aws.permit("gateway")


@case("§4", "O")
def a_source_account_is_a_condition(aws):
    aws.function()
    aws.permit(SourceAccount=ACCOUNT)
    [statement] = statements(aws)
    answers(statement, Condition={"StringEquals": {"AWS:SourceAccount": ACCOUNT}})


@case("§10", "O")
def a_statement_without_a_source_has_no_condition(aws):
    aws.function()
    aws.permit()
    [statement] = statements(aws)
    lacks(statement, "Condition")


@case("§10", "O")
def the_answer_holds_the_statement_as_a_string(aws):
    aws.function()
    statement = json.loads(aws.permit("gateway", SourceArn=SOURCE)["Statement"])
    answers(statement, Sid="gateway", Resource=FUNCTION)


PRINCIPALS = {"account": (ACCOUNT, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), "everybody": ("*", "*")}


@case("§10", "O", each=PRINCIPALS)
def a_principal_is_a_string_or_an_object(aws, each):
    given, wanted = each
    aws.function()
    aws.permit(Principal=given)
    [statement] = statements(aws)
    answers(statement, Principal=wanted)


@case("§10", "D", each={"long": "x" * 101, "characters": "a.b", "empty": ""})
def a_malformed_statement_id_is_refused(aws, each):
    aws.function()
    with refused(400, None):
        aws.permit(each)


@case("§10", "D")
def a_statement_id_of_100_characters_fits(aws):
    aws.function()
    aws.permit("x" * 100)
    demand(statements(aws)[0]["Sid"] == "x" * 100, "another statement id")


@case("§10", "O")
def a_statement_id_that_is_taken_is_refused(aws):
    aws.function()
    aws.permit("gateway", SourceArn=SOURCE)
    with refused(409, "ResourceConflictException", "The statement id (gateway) provided already exists"):
        aws.permit("gateway", SourceArn=SOURCE)
    demand(len(statements(aws)) == 1, "two statements")


@case("§10", "D")
def a_permission_for_a_function_that_does_not_exist_is_refused(aws):
    with refused(404, "ResourceNotFoundException"):
        aws.permit()


@case("§10", "D/O")
def a_function_without_a_policy_has_none(aws):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_policy(FunctionName="hello")


@case("§10", "D")
def a_statement_is_removed_by_its_id(aws):
    aws.function()
    aws.permit("one")
    aws.permit("two")
    aws.functions.remove_permission(FunctionName="hello", StatementId="one")
    demand([statement["Sid"] for statement in statements(aws)] == ["two"], "another statement is left")


@case("§10", "D/O")
def without_statements_there_is_no_policy(aws):
    aws.function()
    aws.permit("one")
    aws.functions.remove_permission(FunctionName="hello", StatementId="one")
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_policy(FunctionName="hello")


@case("§10", "D")
def a_statement_that_does_not_exist_is_not_removed(aws):
    aws.function()
    aws.permit("one")
    with refused(404, "ResourceNotFoundException"):
        aws.functions.remove_permission(FunctionName="hello", StatementId="two")


@case("§10", "D")
def nothing_is_removed_where_there_is_no_policy(aws):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.functions.remove_permission(FunctionName="hello", StatementId="one")


@case("§10", "D")
def an_old_revision_adds_nothing(aws):
    aws.function()
    aws.permit("one")
    with refused(412, "PreconditionFailedException"):
        aws.permit("two", RevisionId="old")


@case("§10", "D")
def an_old_revision_removes_nothing(aws):
    aws.function()
    aws.permit("one")
    with refused(412, "PreconditionFailedException"):
        aws.functions.remove_permission(FunctionName="hello", StatementId="one", RevisionId="old")


@case("§10", "D")
def the_present_revision_is_accepted(aws):
    aws.function()
    aws.permit("one")
    revision = aws.functions.get_policy(FunctionName="hello")["RevisionId"]
    aws.permit("two", RevisionId=revision)
    after = aws.functions.get_policy(FunctionName="hello")["RevisionId"]
    demand(after != revision, "RevisionId is as before")


@case("§10", "D")
def the_latest_version_has_no_policy_of_its_own(aws):
    aws.function()
    with refused(400, "InvalidParameterValueException"):
        aws.permit(Qualifier="$LATEST")


def aliased(aws):
    aws.function()
    aws.functions.publish_version(FunctionName="hello")
    aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")


@case("§10", "D")
def an_alias_has_a_policy_of_its_own(aws):
    aliased(aws)
    aws.permit("one", Qualifier="live")
    [statement] = statements(aws, Qualifier="live")
    answers(statement, Resource=f"{FUNCTION}:live")
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_policy(FunctionName="hello")


@case("§4, §10", "D")
def the_functions_policy_is_not_that_of_its_alias(aws):
    aliased(aws)
    aws.permit("one")
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_policy(FunctionName="hello", Qualifier="live")


@case("§10", "D")
def a_qualifier_in_the_arn_is_one(aws):
    aliased(aws)
    aws.permit("one", FunctionName=f"{FUNCTION}:live")
    [statement] = statements(aws, Qualifier="live")
    answers(statement, Resource=f"{FUNCTION}:live")


@case("§10", "D")
def a_permission_of_a_qualifier_that_does_not_exist_is_refused(aws):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.permit("one", Qualifier="live")


@case("§6", "I")
def statements_outlive_the_api_they_are_for(aws):
    aws.function()
    api = aws.api()
    aws.permit(SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api['ApiId']}/*/*")
    api.delete()
    demand(len(statements(aws)) == 1, "the statement is gone")


@case("§10", "D")
def a_recreated_function_has_no_policy(aws):
    created = aws.function()
    aws.permit()
    aws.functions.delete_function(FunctionName="hello")
    aws.function(Role=created["Role"])
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_policy(FunctionName="hello")
