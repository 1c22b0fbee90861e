"""Tags of APIs and stages, by ARNs without an account."""

from aws import answers, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, REGION

case = cases_of("apigatewayv2")


@case("§6", "D")
def an_api_answers_its_tags_inline(aws):
    answers(aws.api(Tags={"a": "1"}).read(), Tags={"a": "1"})


@case("§6", "D")
def a_stage_answers_its_tags_inline(aws):
    answers(aws.api().stage(Tags={"a": "1"}).read(), Tags={"a": "1"})


@case("§6", "D")
def tags_are_merged(aws):
    api = aws.api(Tags={"a": "1", "b": "1"})
    aws.gateway.tag_resource(ResourceArn=api.arn, Tags={"b": "2", "c": "3"})
    answers(aws.gateway.get_tags(ResourceArn=api.arn), Tags={"a": "1", "b": "2", "c": "3"})


@case("§6", "D")
def tags_are_removed_by_key(aws):
    api = aws.api(Tags={"a b/c+d": "1", "b": "1"})
    aws.gateway.untag_resource(ResourceArn=api.arn, TagKeys=["a b/c+d", "unknown"])
    answers(api.read(), Tags={"b": "1"})


@case("§6", "D")
def a_stage_is_tagged_by_its_own_arn(aws):
    api = aws.api()
    stage = api.stage("one")
    aws.gateway.tag_resource(ResourceArn=f"{api.arn}/stages/one", Tags={"a": "1"})
    answers(stage.read(), Tags={"a": "1"})
    lacks(api.read(), "Tags")


@case("§6", "D")
def an_update_takes_no_tags(aws):
    api = aws.api(Tags={"a": "1"})
    api.update(Name="other")
    answers(api.read(), Tags={"a": "1"})


@case("§6", "D")
def routes_cannot_be_tagged(aws):
    api = aws.api()
    route = api.route()
    with refused(400, "BadRequestException"):
        aws.gateway.tag_resource(ResourceArn=f"{api.arn}/routes/{route['RouteId']}", Tags={"a": "1"})


@case("§6", "D")
def an_arn_with_an_account_is_refused(aws):
    arn = f"arn:aws:apigateway:{REGION}:{ACCOUNT}:/apis/{aws.api()['ApiId']}"
    with refused(400, "BadRequestException"):
        aws.gateway.tag_resource(ResourceArn=arn, Tags={"a": "1"})


@case("§6", "D", each=["tag_resource", "untag_resource", "get_tags"])
def an_api_that_does_not_exist_has_no_tags(aws, each):
    arn = f"arn:aws:apigateway:{REGION}::/apis/zzzzzzzzzz"
    members = {"tag_resource": {"Tags": {"a": "1"}}, "untag_resource": {"TagKeys": ["a"]}, "get_tags": {}}[each]
    with refused(404, "NotFoundException"):
        getattr(aws.gateway, each)(ResourceArn=arn, **members)


VALID = {"characters": {"a. :+=@_/-Z9": "v. :+=@_/-Z9"}, "longest": {"k" * 128: "v" * 256}, "no value": {"a": ""}}
INVALID = {
    "long key": {"k" * 129: "v"},
    "long value": {"k": "v" * 257},
    "reserved prefix": {"aws:k": "v"},
    "other characters": {"k": "a,b"},
}


@case("§2", "D?", each=VALID)
def a_tag_within_the_limits_is_accepted(aws, each):
    answers(aws.api(Tags=each).read(), Tags=each)


@case("§2", "D?", each=INVALID)
def a_tag_beyond_the_limits_is_refused(aws, each):
    with refused(400, "BadRequestException"):
        aws.api(Tags=each)


@case("§2", "D?", each=INVALID)
def a_tag_beyond_the_limits_is_refused_later_too(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        aws.gateway.tag_resource(ResourceArn=api.arn, Tags=each)


@case("§2", "D?")
def the_fifty_first_tag_is_refused(aws):
    fifty = {f"key-{n}": "v" for n in range(50)}
    api = aws.api(Tags=fifty)
    with refused(400, "BadRequestException"):
        aws.gateway.tag_resource(ResourceArn=api.arn, Tags={"one": "more"})
    answers(api.read(), Tags=fifty)
