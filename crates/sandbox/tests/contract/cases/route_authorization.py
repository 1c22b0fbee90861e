"""Who may call a route."""

from aws import answers, demand, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")
JWT_WANTS_ONE = "Setting the authorization type to JWT requires a valid JWT authorizer."
SCOPES_WANT_JWT = "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type"


@case("§6", "O")
def a_protected_route_reads_back_whole(aws):
    api = aws.api()
    authorizer = api.authorizer()["AuthorizerId"]
    guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer, "AuthorizationScopes": ["a", "b"]}
    answers(api.route("GET /a", **guard).read(), **guard)


@case("§2", "O")
def jwt_without_an_authorizer_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid authorizer ID specified.", JWT_WANTS_ONE):
        api.route("GET /a", AuthorizationType="JWT")


@case("§2", "O")
def jwt_with_an_unknown_authorizer_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid authorizer ID specified.", JWT_WANTS_ONE):
        api.route("GET /a", AuthorizationType="JWT", AuthorizerId="zzzzzz")


@case("§2", "O")
def an_authorizer_of_another_api_is_refused(aws):
    authorizer = aws.api().authorizer()["AuthorizerId"]
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid authorizer ID specified."):
        api.route("GET /a", AuthorizationType="JWT", AuthorizerId=authorizer)


@case("§2", "O")
def an_update_to_jwt_without_an_authorizer_is_refused(aws):
    route = aws.api().route()
    with refused(400, "BadRequestException", JWT_WANTS_ONE):
        route.update(AuthorizationType="JWT")
    answers(route.read(), AuthorizationType="NONE")


@case("§2", "O", each=["NONE", "AWS_IAM"])
def scopes_without_jwt_are_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", SCOPES_WANT_JWT):
        api.route("GET /a", AuthorizationType=each, AuthorizationScopes=["a"])


@case("§2", "D")
def a_type_that_does_not_exist_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", AuthorizationType="BASIC")


@case("§6", "O")
def an_absent_type_keeps_jwt(aws):
    route = aws.api().protected_route()
    route.update(OperationName="name")
    answers(route.read(), AuthorizationType="JWT", AuthorizerId=route["AuthorizerId"])


@case("§6", "O")
def an_empty_authorizer_under_jwt_is_refused(aws):
    route = aws.api().protected_route()
    with refused(400, "BadRequestException"):
        route.update(AuthorizerId="")
    answers(route.read(), AuthorizationType="JWT", AuthorizerId=route["AuthorizerId"])


@case("§6", "O")
def none_and_an_empty_authorizer_open_the_route(aws):
    route = aws.api().protected_route()
    route.update(AuthorizationType="NONE", AuthorizerId="")
    answers(route.read(), AuthorizationType="NONE")
    lacks(route.read(), "AuthorizerId")


@case("§6", "O")
def empty_scopes_clear(aws):
    route = aws.api().protected_route(AuthorizationScopes=["a"])
    route.update(AuthorizationScopes=[])
    lacks(route.read(), "AuthorizationScopes")
    answers(route.read(), AuthorizationType="JWT")


@case("§6", "O")
def absent_scopes_stay(aws):
    route = aws.api().protected_route(AuthorizationScopes=["a"])
    route.update(OperationName="name")
    answers(route.read(), AuthorizationScopes=["a"])


@case("§6", "O")
def scopes_are_replaced_as_given(aws):
    route = aws.api().protected_route(AuthorizationScopes=["a", "b"])
    route.update(AuthorizationScopes=["c"])
    answers(route.read(), AuthorizationScopes=["c"])


@case("§6", "O")
def authorizers_are_swapped_with_type_and_id_together(aws):
    api = aws.api()
    route = api.protected_route()
    other = api.authorizer("other")["AuthorizerId"]
    route.update(AuthorizationType="JWT", AuthorizerId=other)
    answers(route.read(), AuthorizationType="JWT", AuthorizerId=other)


@case("§6", "O")
def jwt_goes_over_to_aws_iam(aws):
    route = aws.api().protected_route()
    route.update(AuthorizationType="AWS_IAM", AuthorizerId="")
    answers(route.read(), AuthorizationType="AWS_IAM")
    lacks(route.read(), "AuthorizerId")


@case("§15", "U", settings={"keep_authorizer_id_on_none": False})
def none_alone_drops_the_authorizer(aws):
    route = aws.api().protected_route()
    route.update(AuthorizationType="NONE")
    answers(route.read(), AuthorizationType="NONE")
    lacks(route.read(), "AuthorizerId")


@case("§15", "U", settings={"keep_authorizer_id_on_none": True})
def none_alone_keeps_the_authorizer(aws):
    route = aws.api().protected_route()
    route.update(AuthorizationType="NONE")
    answers(route.read(), AuthorizationType="NONE", AuthorizerId=route["AuthorizerId"])


@case("§15", "U", settings={"keep_authorizer_id_on_none": True})
def a_kept_authorizer_of_an_open_route_is_in_use(aws):
    api = aws.api()
    authorizer = api.authorizer()
    route = api.route("GET /a", AuthorizationType="JWT", AuthorizerId=authorizer["AuthorizerId"])
    route.update(AuthorizationType="NONE")
    with refused(409, "ConflictException", "is referenced in route"):
        authorizer.delete()


@case("§15", "U", settings={"refuse_none_with_scopes": False})
def none_alone_drops_the_scopes(aws):
    route = aws.api().protected_route(AuthorizationScopes=["a"])
    route.update(AuthorizationType="NONE", AuthorizerId="")
    lacks(route.read(), "AuthorizationScopes")


@case("§15", "U", settings={"refuse_none_with_scopes": True})
def none_is_refused_while_there_are_scopes(aws):
    route = aws.api().protected_route(AuthorizationScopes=["a"])
    with refused(400, "BadRequestException", SCOPES_WANT_JWT):
        route.update(AuthorizationType="NONE", AuthorizerId="")
    answers(route.read(), AuthorizationType="JWT", AuthorizationScopes=["a"])
    route.update(AuthorizationType="NONE", AuthorizerId="", AuthorizationScopes=[])
    answers(route.read(), AuthorizationType="NONE")


@case("§6", "O")
def a_refused_creation_leaves_no_route_behind(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.route("GET /a", AuthorizationType="JWT")
    demand(api.list("route")["Items"] == [], "the refused route is there")
