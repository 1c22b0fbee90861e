"""Resource quotas: what fits, and what does not."""

from aws import answers, demand, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")
of_roles = cases_of("iam")
of_functions = cases_of("lambda")
AS_CONFLICT = {"full_quota": "conflict"}
AS_THROTTLE = {"full_quota": "too_many_requests"}
AS_400 = {"full_quota": "bad_request"}


def ten_authorizers(aws):
    api = aws.api()
    for n in range(10):
        api.authorizer(f"name-{n}")
    return lambda: api.authorizer("one more")


def ten_stages(aws):
    api = aws.api()
    for n in range(10):
        api.stage(f"stage{n}")
    return lambda: api.stage("onemore")


def three_hundred_routes(aws):
    api = aws.api()
    for n in range(300):
        api.route(f"GET /{n}")
    return lambda: api.route("GET /one/more")


def three_hundred_integrations(aws):
    api = aws.api()
    for _ in range(300):
        api.integration()
    return api.integration


FULL = {
    "authorizers": ten_authorizers,
    "stages": ten_stages,
    "routes": three_hundred_routes,
    "integrations": three_hundred_integrations,
}


@case("§1, §2, §15", "O", settings=AS_CONFLICT, each=FULL)
def a_full_quota_is_429_and_calls_itself_a_conflict(aws, each):
    one_more = each(aws)
    with refused(429, "ConflictException", "Please contact AWS if you need additional"):
        one_more()


@case("§1, §2, §15", "U", settings=AS_THROTTLE, each=FULL)
def a_full_quota_is_429(aws, each):
    one_more = each(aws)
    with refused(429, "TooManyRequestsException"):
        one_more()


@case("§1", "D", settings=AS_THROTTLE)
def a_full_quota_names_its_limit_and_no_time(aws):
    one_more = ten_authorizers(aws)
    with refused(429, "TooManyRequestsException") as members:
        one_more()
    demand(members.get("LimitType"), "no limit is named")
    demand("retry-after" not in members["ResponseMetadata"]["HTTPHeaders"], "a time is named")


@case("§2, §15", "U", settings=AS_400, each={"authorizers": ten_authorizers, "stages": ten_stages})
def a_full_quota_is_400(aws, each):
    one_more = each(aws)
    with refused(400, "BadRequestException"):
        one_more()


@case("§2", "D", settings={"quotas": {"apis": 2}})
def apis_of_an_account_are_limited(aws):
    aws.api(), aws.api()
    with refused(429, "ConflictException"):
        aws.api()


@case("§2", "D")
def what_is_deleted_makes_room(aws):
    api = aws.api()
    last = [api.stage(f"stage{n}") for n in range(10)][-1]
    last.delete()
    api.stage("onemore")


@case("§2", "D")
def fifty_audiences_fit(aws):
    audience = [f"audience-{n}" for n in range(50)]
    authorizer = aws.api().authorizer(JwtConfiguration={"Issuer": aws.issuer, "Audience": audience})
    answers(authorizer.read()["JwtConfiguration"], Audience=audience)


@case("§2", "D")
def the_fifty_first_audience_is_refused(aws):
    audience = [f"audience-{n}" for n in range(51)]
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(JwtConfiguration={"Issuer": aws.issuer, "Audience": audience})


@case("§2", "D")
def ten_scopes_fit(aws):
    scopes = [f"scope-{n}" for n in range(10)]
    answers(aws.api().protected_route(AuthorizationScopes=scopes).read(), AuthorizationScopes=scopes)


@case("§2", "D")
def the_eleventh_scope_is_refused(aws):
    route = aws.api().protected_route()
    with refused(400, "BadRequestException"):
        route.update(AuthorizationScopes=[f"scope-{n}" for n in range(11)])
    lacks(route.read(), "AuthorizationScopes")


@case("§2", "D")
def a_hundred_variables_fit(aws):
    variables = {f"name{n}": "v" for n in range(100)}
    answers(aws.api().stage(StageVariables=variables).read(), StageVariables=variables)


@case("§2", "D")
def the_hundred_and_first_variable_is_refused(aws):
    stage = aws.api().stage(StageVariables={f"name{n}": "v" for n in range(100)})
    with refused(400, "BadRequestException"):
        stage.update(StageVariables={"one": "more"})


@of_roles("§11", "D", settings={"quotas": {"roles": 2}})
def roles_of_an_account_are_limited(aws):
    aws.role("a"), aws.role("b")
    with refused(409, "LimitExceeded"):
        aws.role("c")


@of_functions("§10", "D")
def a_policy_of_twenty_kilobytes_is_full(aws):
    aws.function()
    arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/*/GET/" + "x" * 200
    added = 0
    with refused(400, "PolicyLengthExceededException"):
        while added < 100:
            aws.permit(f"statement-{added}", SourceArn=arn)
            added += 1
    demand(20 < added < 60, f"{added} statements fit")
