"""Log groups: what is checked, what is read back, what is named how."""

from aws import answers, demand, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, REGION

case = cases_of("logs")
NAME = "/aws/lambda/hello"
ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{NAME}"
DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]


def group(aws, name=NAME, **members):
    aws.logs.create_log_group(logGroupName=name, **members)


def shown(aws, prefix=NAME):
    return aws.logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]


@case("B", "D")
def a_log_group_reads_back_with_both_of_its_arns(aws):
    group(aws)
    (found,) = shown(aws)
    answers(found, logGroupName=NAME, arn=f"{ARN}:*", logGroupArn=ARN, metricFilterCount=0)
    lacks(found, "retentionInDays")


@case("B", "D", each={"short": "g", "long": "x" * 512, "characters": "a_b-c/d.e#f"})
def a_name_within_the_grammar_fits(aws, each):
    group(aws, each)
    demand([found["logGroupName"] for found in shown(aws, each)] == [each], "it is not listed")


@case("B", "D", each={"long": "x" * 513, "characters": "a b"})
def a_malformed_name_is_refused(aws, each):
    with refused(400, "InvalidParameterException"):
        group(aws, each)


@case("B", "D")
def a_name_that_is_taken_is_refused(aws):
    group(aws)
    with refused(400, "ResourceAlreadyExistsException"):
        group(aws)


@case("B", "D")
def log_groups_are_found_by_how_their_names_begin(aws):
    for name in ("/aws/lambda/a-1", "/aws/lambda/a-2", "/aws/lambda/b"):
        group(aws, name)
    found = [found["logGroupName"] for found in shown(aws, "/aws/lambda/a-")]
    demand(found == ["/aws/lambda/a-1", "/aws/lambda/a-2"], f"{found}")


@case("B", "D", each=DAYS)
def logs_are_kept_for_the_days_that_aws_knows(aws, each):
    group(aws)
    aws.logs.put_retention_policy(logGroupName=NAME, retentionInDays=each)
    answers(shown(aws)[0], retentionInDays=each)


@case("B", "D", each=[2, 31, 366])
def logs_are_kept_for_no_other_days(aws, each):
    group(aws)
    with refused(400, "InvalidParameterException"):
        aws.logs.put_retention_policy(logGroupName=NAME, retentionInDays=each)


@case("B", "D")
def logs_are_kept_for_ever_without_a_retention_policy(aws):
    group(aws)
    aws.logs.put_retention_policy(logGroupName=NAME, retentionInDays=7)
    aws.logs.delete_retention_policy(logGroupName=NAME)
    lacks(shown(aws)[0], "retentionInDays")


@case("B", "D")
def tags_come_at_the_creation_and_later(aws):
    group(aws, tags={"a": "1", "b": "2"})
    aws.logs.tag_resource(resourceArn=ARN, tags={"a": "3"})
    aws.logs.untag_resource(resourceArn=ARN, tagKeys=["b", "c"])
    answers(aws.logs.list_tags_for_resource(resourceArn=ARN), tags={"a": "3"})


@case("B", "O")
def a_log_group_is_tagged_by_its_arn_without_the_star(aws):
    group(aws)
    with refused(400, "ValidationException"):
        aws.logs.tag_resource(resourceArn=f"{ARN}:*", tags={"a": "1"})


@case("B", "D")
def a_deleted_log_group_is_gone(aws):
    group(aws)
    aws.logs.delete_log_group(logGroupName=NAME)
    demand(shown(aws) == [], "it is listed")


@case("B", "D", each=["delete_log_group", "put_retention_policy", "delete_retention_policy"])
def a_log_group_that_does_not_exist_is_not_found(aws, each):
    more = {"retentionInDays": 7} if each == "put_retention_policy" else {}
    with refused(400, "ResourceNotFoundException"):
        getattr(aws.logs, each)(logGroupName=NAME, **more)


@case("B", "D")
def tags_of_a_log_group_that_does_not_exist_are_not_found(aws):
    with refused(400, "ResourceNotFoundException"):
        aws.logs.list_tags_for_resource(resourceArn=ARN)


@case("§10", "D")
def a_function_leaves_its_log_group_behind(aws):
    group(aws)
    aws.function()
    aws.functions.delete_function(FunctionName="hello")
    demand(len(shown(aws)) == 1, "it went with the function")


@case("§1", "D", settings={"rate_limits": {"logs": {"per_second": 0, "burst": 1}}})
def too_many_requests_are_refused(aws):
    shown(aws)
    with refused(400, "ThrottlingException"):
        shown(aws)


@case("B", "D", settings={"quotas": {"log_groups": 1}})
def a_full_quota_is_refused(aws):
    group(aws)
    with refused(400, "LimitExceededException"):
        group(aws, "another")
