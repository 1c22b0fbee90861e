"""The grammar of route keys."""

from aws import answers, refused
from case import cases_of

case = cases_of("apigatewayv2")
TEXT = "The provided route key is not formatted properly for HTTP protocol"


@case("§2", "D", each=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"])
def every_method_is_accepted(aws, each):
    answers(aws.api().route(f"{each} /a").read(), RouteKey=f"{each} /a")


@case("§2", "D", each=["$default", "GET /", "GET /{x}", "GET /a/{x}/b/{y}", "ANY /{proxy+}", "GET /a.b/c-d_e/~f"])
def a_well_formed_key_is_accepted(aws, each):
    answers(aws.api().route(each).read(), RouteKey=each)


@case("§2", "D/O", each=["TRACE /a", "CONNECT /a", "get /a", "/a", "GET", "GET a", "$connect", "GET  /a"])
def a_key_that_is_no_method_and_path_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", TEXT):
        api.route(each)


@case("§2", "O", each=["GET /a/", "GET /a/{x}/", "ANY /a/b/"])
def a_trailing_slash_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route(each)


@case("§2", "D", each=["GET /a{x}", "GET /{x}b", "GET /{}", "GET /{x", "GET /x}"])
def a_parameter_that_does_not_fill_its_segment_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route(each)


@case("§2", "D", each=["GET /{proxy+}/a", "GET /{a+}/{b+}"])
def a_greedy_parameter_before_the_end_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route(each)


@case("§2", "D", each=["GET /{x}/{x}", "GET /{x}/{x+}"])
def a_parameter_name_used_twice_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route(each)


@case("§2", "D")
def an_update_to_a_malformed_key_is_refused(aws):
    route = aws.api().route("GET /a")
    with refused(400, "BadRequestException"):
        route.update(RouteKey="TRACE /a")
    answers(route.read(), RouteKey="GET /a")


@case("§2", "D")
def a_route_without_a_key_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route(None)


@case("§2", "O")
def a_key_that_is_taken_is_refused(aws):
    api = aws.api()
    api.route("GET /a")
    with refused(409, "ConflictException", "Route with key GET /a already exists for this API"):
        api.route("GET /a")


@case("§2", "O")
def an_update_to_a_key_that_is_taken_is_refused(aws):
    api = aws.api()
    api.route("GET /a")
    route = api.route("GET /b")
    with refused(409, "ConflictException", "Route with key GET /a already exists for this API"):
        route.update(RouteKey="GET /a")
    answers(route.read(), RouteKey="GET /b")


@case("§2", "O", each=[("GET /{x}", "GET /{y}"), ("ANY /a/{x}/b", "ANY /a/{y}/b"), ("GET /{p+}", "GET /{q+}")])
def a_key_that_differs_in_a_parameters_name_alone_is_refused(aws, each):
    api = aws.api()
    api.route(each[0])
    with refused(409, "ConflictException", "conflicting variable on the same hierarchical level"):
        api.route(each[1])


@case("§2", "O")
def a_routes_own_key_is_not_taken(aws):
    route = aws.api().route("GET /a")
    route.update(RouteKey="GET /a")
    answers(route.read(), RouteKey="GET /a")


@case("§2", "O")
def a_key_is_taken_in_its_own_api_only(aws):
    aws.api().route("GET /a")
    answers(aws.api().route("GET /a").read(), RouteKey="GET /a")


@case("§2", "D", each=["POST /a", "ANY /a", "GET /a/b", "$default"])
def another_key_is_free(aws, each):
    api = aws.api()
    api.route("GET /a")
    answers(api.route(each).read(), RouteKey=each)


@case("§6", "O")
def a_key_can_be_changed(aws):
    api = aws.api()
    route = api.route("GET /a")
    route.update(RouteKey="GET /b")
    answers(route.read(), RouteKey="GET /b")
    api.route("GET /a")


@case("§2", "O")
def a_deleted_routes_key_is_free(aws):
    api = aws.api()
    api.route("GET /a").delete()
    answers(api.route("GET /a").read(), RouteKey="GET /a")
