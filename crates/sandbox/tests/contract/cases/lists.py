"""Lists, page by page."""

from aws import demand, refused
from case import cases_of
from sandbox import permissions

case = cases_of("apigatewayv2")
of_functions = cases_of("lambda")
of_roles = cases_of("iam")
HOUR = 3_600_000


def three_apis(aws):
    return {aws.api()["ApiId"] for _ in range(3)}, aws.gateway.get_apis, "ApiId", {}


def three_children(noun):
    make = {
        "authorizer": lambda api, n: api.authorizer(f"name-{n}")["AuthorizerId"],
        "integration": lambda api, n: api.integration(Description=str(n))["IntegrationId"],
        "route": lambda api, n: api.route(f"GET /{n}")["RouteId"],
        "stage": lambda api, n: api.stage(f"stage{n}")["StageName"],
    }[noun]
    key = "StageName" if noun == "stage" else f"{noun.capitalize()}Id"

    def three(aws):
        api = aws.api()
        return {make(api, n) for n in range(3)}, getattr(aws.gateway, f"get_{noun}s"), key, api.keys

    return three


CHILDREN = ("authorizer", "integration", "route", "stage")
KINDS = {"apis": three_apis, **{f"{noun}s": three_children(noun) for noun in CHILDREN}}


def pages(ask, key, members):
    """The identifiers on every page."""
    found, token = [], {}
    while True:
        answer = ask(**members, **token)
        found.append([item[key] for item in answer["Items"]])
        if "NextToken" not in answer:
            return found
        demand(len(found) < 10, "the pages do not end")
        token = {"NextToken": answer["NextToken"]}


@case("§7", "D", each=KINDS)
def the_caller_names_the_size_of_a_page(aws, each):
    wanted, ask, key, members = each(aws)
    found = pages(ask, key, {**members, "MaxResults": "2"})
    demand([len(page) for page in found] == [2, 1], "MaxResults is not kept to")
    demand({item for page in found for item in page} == wanted, "an item is missing")


@case("§7, §15", "U", settings={"page_size": 1}, each=KINDS)
def the_service_may_have_a_smaller_page(aws, each):
    wanted, ask, key, members = each(aws)
    found = pages(ask, key, members)
    demand([len(page) for page in found] == [1, 1, 1], "all on one page")
    demand({item for page in found for item in page} == wanted, "an item is missing")


@case("§7, §15", "U", settings={"page_size": 100}, each=KINDS)
def the_service_may_have_a_page_for_all(aws, each):
    wanted, ask, key, members = each(aws)
    demand([set(page) for page in pages(ask, key, members)] == [wanted], "not all on one page")


@case("§7", "D", each=["0", "two"])
def a_size_that_is_no_positive_number_is_refused(aws, each):
    with refused(400, "BadRequestException"):
        aws.gateway.get_apis(MaxResults=each)


@case("§7", "I")
def an_invented_token_is_refused(aws):
    aws.api()
    with refused(400, "BadRequestException"):
        aws.gateway.get_apis(NextToken="invented")


@case("§7", "I")
def what_is_deleted_between_two_pages_hides_nothing(aws):
    api = aws.api()
    routes = [api.route(f"GET /{n}") for n in range(4)]
    first = api.list("route", MaxResults="2")
    demand(first.get("NextToken"), "MaxResults is not kept to")
    for route in routes:
        if route["RouteId"] == first["Items"][0]["RouteId"]:
            route.delete()
    second = api.list("route", MaxResults="2", NextToken=first["NextToken"])
    met = {item["RouteId"] for page in (first, second) for item in page["Items"]}
    demand(met == {route["RouteId"] for route in routes}, "an item is missing")


@case("§6", "O", settings={"list_order": "creation"})
def a_list_may_begin_with_the_oldest(aws):
    made = [aws.api()["ApiId"] for _ in range(3)]
    demand([api["ApiId"] for api in aws.gateway.get_apis()["Items"]] == made, "in another order")


@case("§6", "O", settings={"list_order": "reversed"})
def a_list_may_begin_with_the_newest(aws):
    made = [aws.api()["ApiId"] for _ in range(3)]
    demand([api["ApiId"] for api in aws.gateway.get_apis()["Items"]] == made[::-1], "in another order")


@case("§6", "O", settings={"list_order": "shuffled"})
def a_list_may_be_in_any_order(aws):
    made = {aws.api()["ApiId"] for _ in range(5)}
    found = pages(aws.gateway.get_apis, "ApiId", {"MaxResults": "2"})
    demand({item for page in found for item in page} == made, "an item is missing")


@case("§15", "U", settings={"list_lag_ms": 0})
def a_list_may_have_something_new_at_once(aws):
    api = aws.api()
    api.route("GET /a")
    demand(len(aws.gateway.get_apis()["Items"]) == 1, "the new API is missing")
    demand(len(api.list("route")["Items"]) == 1, "the new route is missing")


@case("§15", "U", settings={"list_lag_ms": HOUR})
def a_list_may_lack_something_new(aws):
    api = aws.api()
    route = api.route("GET /a")
    demand(aws.gateway.get_apis()["Items"] == [], "the new API is there")
    demand(api.list("route")["Items"] == [], "the new route is there")
    api.read(), route.read()


@of_functions("§7", "D")
def functions_come_page_by_page(aws):
    role = aws.role()
    wanted = {aws.function(f"function-{n}", Role=role)["FunctionName"] for n in range(3)}
    first = aws.functions.list_functions(MaxItems=2)
    demand(len(first["Functions"]) == 2, "MaxItems is not kept to")
    second = aws.functions.list_functions(MaxItems=2, Marker=first["NextMarker"])
    demand("NextMarker" not in second, "there are more pages")
    demand({f["FunctionName"] for page in (first, second) for f in page["Functions"]} == wanted, "one is missing")


@of_roles("§11", "D")
def roles_come_page_by_page(aws):
    for n in range(3):
        aws.role(f"role-{n}")
    first = aws.iam.list_roles(MaxItems=2)
    demand((len(first["Roles"]), first["IsTruncated"]) == (2, True), "MaxItems is not kept to")
    second = aws.iam.list_roles(MaxItems=2, Marker=first["Marker"])
    names = {role["RoleName"] for page in (first, second) for role in page["Roles"]}
    demand(names == {"role-0", "role-1", "role-2"} and not second["IsTruncated"], "one is missing")


@of_roles("§11", "D")
def inline_policies_come_page_by_page(aws):
    aws.role()
    for n in range(3):
        aws.iam.put_role_policy(RoleName="role", PolicyName=f"p{n}", PolicyDocument=permissions("*"))
    first = aws.iam.list_role_policies(RoleName="role", MaxItems=2)
    demand((len(first["PolicyNames"]), first["IsTruncated"]) == (2, True), "MaxItems is not kept to")
    second = aws.iam.list_role_policies(RoleName="role", MaxItems=2, Marker=first["Marker"])
    demand({*first["PolicyNames"], *second["PolicyNames"]} == {"p0", "p1", "p2"}, "one is missing")
