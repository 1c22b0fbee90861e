"""Stages: what merges, what can be cleared and how."""

from aws import answers, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, REGION

case = cases_of("apigatewayv2")
LOG = {
    "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:group",
    "Format": "$context.requestId $context.status",
}


@case("§6", "O")
def a_stage_reads_back_with_defaults(aws):
    stage = aws.api().stage("one").read()
    answers(stage, StageName="one", AutoDeploy=False)
    answers(stage["DefaultRouteSettings"], DetailedMetricsEnabled=False)
    lacks(stage["DefaultRouteSettings"], "ThrottlingBurstLimit", "ThrottlingRateLimit")
    lacks(stage, "AccessLogSettings", "DeploymentId", "Description", "RouteSettings", "StageVariables", "Tags")


@case("§2", "D", each=["$default", "live", "v1_2", "x" * 128])
def a_well_formed_name_is_accepted(aws, each):
    answers(aws.api().stage(each).read(), StageName=each)


@case("§2", "D/O", each={"slash": "a/b", "dot": "a.b", "space": "a b", "dollar": "$live", "long": "x" * 129})
def a_malformed_name_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.stage(each)


@case("§2, §15", "U", settings={"stage_name_hyphens": True})
def a_hyphen_in_a_name_is_accepted(aws):
    answers(aws.api().stage("a-b").read(), StageName="a-b")


@case("§2, §15", "U", settings={"stage_name_hyphens": False})
def a_hyphen_in_a_name_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Stage name only allows a-zA-Z0-9_"):
        api.stage("a-b")


@case("§2", "D")
def a_stage_without_a_name_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        aws.gateway.create_stage(**api.keys)


@case("§2, §7", "I")
def a_name_that_is_taken_is_refused(aws):
    api = aws.api()
    api.stage("one")
    with refused(409, "ConflictException", "Stage already exists"):
        api.stage("one")


@case("§6", "D", each=["read", "update", "delete"])
def a_deleted_stage_is_not_found(aws, each):
    stage = aws.api().stage()
    stage.delete()
    with refused(404, "NotFoundException"):
        getattr(stage, each)()


@case("§6", "O")
def an_absent_member_keeps_its_value(aws):
    stage = aws.api().stage(Description="d", StageVariables={"a": "1"}, AutoDeploy=True)
    stage.update(DefaultRouteSettings={"ThrottlingBurstLimit": 5})
    answers(stage.read(), Description="d", StageVariables={"a": "1"}, AutoDeploy=True)


@case("§6", "O")
def a_description_cannot_be_cleared(aws):
    stage = aws.api().stage(Description="d")
    stage.update(Description="")
    answers(stage.read(), Description="d")
    stage.update(Description="e")
    answers(stage.read(), Description="e")


@case("§2", "D")
def a_description_that_is_too_long_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.stage(Description="x" * 1025)


@case("§6", "O")
def variables_are_merged(aws):
    stage = aws.api().stage(StageVariables={"a": "1", "b": "1"})
    stage.update(StageVariables={"b": "2", "c": "3"})
    answers(stage.read(), StageVariables={"a": "1", "b": "2", "c": "3"})


@case("§6", "O")
def a_variable_is_dropped_with_an_empty_value(aws):
    stage = aws.api().stage(StageVariables={"a": "1", "b": "1"})
    stage.update(StageVariables={"a": ""})
    answers(stage.read(), StageVariables={"b": "1"})


@case("§2", "D", each={"name": {"k" * 65: "v"}, "value": {"k": "v" * 513}})
def a_variable_beyond_the_limits_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.stage(StageVariables=each)


@case("§2", "O")
def settings_of_an_unknown_route_are_refused(aws):
    api = aws.api()
    with refused(404, "NotFoundException", "Unable to find Route by key GET /a within the provided RouteSettings"):
        api.stage(RouteSettings={"GET /a": {"ThrottlingBurstLimit": 5}})


@case("§2", "O")
def settings_of_an_unknown_route_are_refused_later_too(aws):
    stage = aws.api().stage()
    with refused(404, "NotFoundException", "Unable to find Route by key GET /a within the provided RouteSettings"):
        stage.update(RouteSettings={"GET /a": {"ThrottlingBurstLimit": 5}})


def throttled(aws):
    api = aws.api()
    api.route("GET /a")
    api.route("GET /b")
    return api.stage(RouteSettings={"GET /a": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 1.5}})


@case("§6", "D/O")
def settings_of_a_route_are_merged(aws):
    stage = throttled(aws)
    stage.update(RouteSettings={"GET /a": {"ThrottlingBurstLimit": 6}, "GET /b": {"ThrottlingBurstLimit": 1}})
    settings = stage.read()["RouteSettings"]
    answers(settings["GET /a"], ThrottlingBurstLimit=6, ThrottlingRateLimit=1.5)
    answers(settings["GET /b"], ThrottlingBurstLimit=1)


@case("§6", "D/O")
def empty_settings_of_routes_clear_nothing(aws):
    stage = throttled(aws)
    stage.update(RouteSettings={})
    answers(stage.read()["RouteSettings"].get("GET /a", {}), ThrottlingBurstLimit=5)


@case("§6", "D/O")
def their_own_request_clears_settings_of_a_route(aws):
    stage = throttled(aws)
    aws.gateway.delete_route_settings(**stage.keys, RouteKey="GET /a")
    lacks(stage.read(), "RouteSettings")


@case("§6", "D")
def settings_of_a_route_that_has_none_are_not_found(aws):
    stage = throttled(aws)
    with refused(404, "NotFoundException"):
        aws.gateway.delete_route_settings(**stage.keys, RouteKey="GET /b")


@case("§6", "O")
def default_settings_are_merged(aws):
    stage = aws.api().stage(DefaultRouteSettings={"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 1.5})
    stage.update(DefaultRouteSettings={"ThrottlingRateLimit": 2.5})
    answers(stage.read()["DefaultRouteSettings"], ThrottlingBurstLimit=5, ThrottlingRateLimit=2.5)


@case("§6", "O")
def default_settings_cannot_be_cleared(aws):
    stage = aws.api().stage(DefaultRouteSettings={"ThrottlingBurstLimit": 5})
    stage.update(DefaultRouteSettings={})
    answers(stage.read()["DefaultRouteSettings"], ThrottlingBurstLimit=5)


@case("§6", "O")
def a_limit_of_zero_is_kept(aws):
    stage = aws.api().stage(DefaultRouteSettings={"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0.0})
    answers(stage.read()["DefaultRouteSettings"], ThrottlingBurstLimit=0, ThrottlingRateLimit=0.0)


@case("§6", "D/O")
def an_access_log_reads_back_as_given(aws):
    answers(aws.api().stage(AccessLogSettings=LOG).read(), AccessLogSettings=LOG)


@case("§6", "D/O")
def an_empty_access_log_clears_nothing(aws):
    stage = aws.api().stage(AccessLogSettings=LOG)
    stage.update(AccessLogSettings={})
    answers(stage.read(), AccessLogSettings=LOG)


@case("§6", "D/O")
def its_own_request_clears_the_access_log(aws):
    stage = aws.api().stage(AccessLogSettings=LOG)
    aws.gateway.delete_access_log_settings(**stage.keys)
    lacks(stage.read(), "AccessLogSettings")


@case("§2", "O", each={"no id": {"Format": "$context.status"}, "no group": {"DestinationArn": "arn:aws:s3:::bucket"}})
def an_unusable_access_log_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.stage(AccessLogSettings={**LOG, **each})


@case("§2", "O")
def the_extended_request_id_is_enough_for_an_access_log(aws):
    log = {**LOG, "Format": "$context.extendedRequestId"}
    answers(aws.api().stage(AccessLogSettings=log).read(), AccessLogSettings=log)


@case("§6", "D")
def one_stage_does_not_touch_another(aws):
    api = aws.api()
    one, two = api.stage("one", StageVariables={"a": "1"}), api.stage("two", StageVariables={"a": "2"})
    two.delete()
    answers(one.read(), StageVariables={"a": "1"})
