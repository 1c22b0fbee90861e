"""Versions and aliases of functions."""

from aws import FUNCTION, answers, demand, refused
from case import cases_of
from sandbox import code_zip

case = cases_of("lambda")


def published(aws):
    aws.function()
    return aws.functions.publish_version(FunctionName="hello")


@case("§10", "D")
def versions_are_counted(aws):
    answers(published(aws), Version="1", FunctionArn=f"{FUNCTION}:1")
    aws.functions.update_function_code(FunctionName="hello", ZipFile=code_zip("// other\n"))
    answers(aws.functions.publish_version(FunctionName="hello"), Version="2", FunctionArn=f"{FUNCTION}:2")


@case("§10", "D")
def nothing_new_publishes_nothing(aws):
    published(aws)
    answers(aws.functions.publish_version(FunctionName="hello"), Version="1")


@case("§10", "D")
def a_version_keeps_its_code(aws):
    first = published(aws)
    aws.functions.update_function_code(FunctionName="hello", ZipFile=code_zip("// other\n"))
    read = aws.functions.get_function_configuration(FunctionName="hello", Qualifier="1")
    answers(read, CodeSha256=first["CodeSha256"], FunctionArn=f"{FUNCTION}:1")


@case("§10", "D")
def an_alias_names_a_version(aws):
    published(aws)
    alias = aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    answers(alias, AliasArn=f"{FUNCTION}:live", FunctionVersion="1", Name="live")
    answers(aws.functions.get_alias(FunctionName="hello", Name="live"), FunctionVersion="1")
    read = aws.functions.get_function_configuration(FunctionName="hello", Qualifier="live")
    answers(read, FunctionArn=f"{FUNCTION}:live", Version="1")


@case("§10", "D")
def an_alias_that_is_taken_is_refused(aws):
    published(aws)
    aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    with refused(409, "ResourceConflictException"):
        aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")


@case("§10", "D")
def an_alias_of_a_version_that_does_not_exist_is_refused(aws):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="7")


@case("§10", "D")
def an_alias_that_does_not_exist_is_not_found(aws):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_alias(FunctionName="hello", Name="live")


@case("§10", "D", each=["live", "7"])
def a_qualifier_that_does_not_exist_is_not_found(aws, each):
    aws.function()
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_function(FunctionName="hello", Qualifier=each)


@case("§10", "D")
def a_version_that_an_alias_names_is_not_deleted(aws):
    published(aws)
    aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    with refused(409, "ResourceConflictException"):
        aws.functions.delete_function(FunctionName="hello", Qualifier="1")


@case("§10", "D")
def a_deleted_version_leaves_the_function(aws):
    published(aws)
    aws.functions.delete_function(FunctionName="hello", Qualifier="1")
    with refused(404, "ResourceNotFoundException"):
        aws.functions.get_function_configuration(FunctionName="hello", Qualifier="1")
    answers(aws.functions.get_function_configuration(FunctionName="hello"), Version="$LATEST")


@case("§10", "D")
def deletion_takes_versions_and_aliases_along(aws):
    published(aws)
    aws.functions.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    aws.functions.delete_function(FunctionName="hello")
    for qualifier in ("1", "live"):
        with refused(404, "ResourceNotFoundException"):
            aws.functions.get_function_configuration(FunctionName="hello", Qualifier=qualifier)
    demand(aws.functions.list_functions()["Functions"] == [], "something is left")
