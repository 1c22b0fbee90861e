"""Routes: targets, names, defaults."""

from aws import answers, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")


def target(integration):
    return f"integrations/{integration['IntegrationId']}"


@case("§6", "O")
def a_route_of_nothing_but_a_key_reads_back_with_defaults(aws):
    route = aws.api().route("GET /a").read()
    answers(route, ApiKeyRequired=False, AuthorizationType="NONE", RouteKey="GET /a")
    lacks(route, "AuthorizationScopes", "AuthorizerId", "OperationName", "Target")


@case("§2", "O", each=["hello", "integration/x", "integrations/", "integrations"])
def a_malformed_target_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", "Unexpected or malformed target in route"):
        api.route("GET /a", Target=each)


@case("§2", "D")
def a_target_that_is_too_long_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", Target="integrations/" + "x" * 116)


@case("§2", "I")
def a_target_that_does_not_exist_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", Target="integrations/zzzzzzz")


@case("§2", "I")
def an_integration_of_another_api_is_no_target(aws):
    integration = aws.api().integration()
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", Target=target(integration))


@case("§6", "O")
def a_target_can_be_changed(aws):
    api = aws.api()
    route = api.route("GET /a", Target=target(api.integration()))
    other = api.integration(Description="other")
    route.update(Target=target(other))
    answers(route.read(), Target=target(other))


@case("§6", "O")
def an_absent_target_stays(aws):
    api = aws.api()
    integration = api.integration()
    route = api.route("GET /a", Target=target(integration))
    route.update(OperationName="name")
    answers(route.read(), Target=target(integration), OperationName="name")


@case("§6", "O")
def an_empty_operation_name_clears(aws):
    route = aws.api().route("GET /a", OperationName="name")
    route.update(OperationName="")
    lacks(route.read(), "OperationName")


@case("§2", "D")
def the_longest_operation_name_is_accepted(aws):
    answers(aws.api().route("GET /a", OperationName="x" * 64).read(), OperationName="x" * 64)


@case("§2", "D")
def a_longer_operation_name_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", OperationName="x" * 65)


@case("§2", "D")
def api_keys_are_not_available(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", ApiKeyRequired=True)


@case("§6", "D", each=["read", "update", "delete"])
def a_deleted_route_is_not_found(aws, each):
    route = aws.api().route()
    route.delete()
    with refused(404, "NotFoundException"):
        getattr(route, each)()


@case("§6", "D")
def a_route_of_another_api_is_not_found(aws):
    route = aws.api().route()
    other = aws.api()
    with refused(404, "NotFoundException"):
        aws.gateway.get_route(ApiId=other["ApiId"], RouteId=route["RouteId"])


@case("§6", "I")
def a_refused_update_changes_nothing(aws):
    route = aws.api().route("GET /a", OperationName="name")
    with refused(400, "BadRequestException"):
        route.update(OperationName="other", Target="nonsense")
    answers(route.read(), OperationName="name")
    lacks(route.read(), "Target")
