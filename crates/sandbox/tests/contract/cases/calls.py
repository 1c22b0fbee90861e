"""Calls of a deployed API, as far as they come without a function that runs."""

import json

from aws import ROLE, demand
from case import cases_of

case = cases_of("apigatewayv2")
NOT_FOUND = (404, {"message": "Not Found"})
NOT_INVOKED = (500, {"message": "Internal Server Error"})


def deployed(aws, key="GET /a", **guard):
    """An API whose one route reaches a function that may not be invoked."""
    api = aws.api()
    integration = api.integration()
    api.route(key, Target=f"integrations/{integration['IntegrationId']}", **guard)
    api.stage(AutoDeploy=True)
    return api


def expect(aws, api, path, wanted, **request):
    status, headers, body = aws.ground.call(api["ApiId"], path, **request)
    demand((status, json.loads(body)) == wanted, f"{status} {body}")
    return headers


@case("§2", "O")
def a_request_without_a_route_is_not_found(aws):
    expect(aws, deployed(aws), "/b", NOT_FOUND)


@case("§4", "D")
def a_function_that_may_not_be_invoked_is_an_internal_error(aws):
    expect(aws, deployed(aws), "/a", NOT_INVOKED)


@case("§4", "D/O")
def a_role_that_may_not_invoke_is_an_internal_error(aws):
    aws.role("invoker", "apigateway.amazonaws.com")
    api = aws.api()
    integration = api.integration(CredentialsArn=ROLE)
    api.route("GET /a", Target=f"integrations/{integration['IntegrationId']}")
    api.stage(AutoDeploy=True)
    expect(aws, api, "/a", NOT_INVOKED)


@case("§3", "D")
def a_protected_route_wants_a_token(aws):
    api = aws.api()
    guard = {"AuthorizationType": "JWT", "AuthorizerId": api.authorizer()["AuthorizerId"]}
    api.route("GET /a", Target=f"integrations/{api.integration()['IntegrationId']}", **guard)
    api.stage(AutoDeploy=True)
    headers = expect(aws, api, "/a", (401, {"message": "Unauthorized"}))
    demand(headers["www-authenticate"].startswith("Bearer"), "no challenge")


@case("§3", "D")
def a_protected_route_wants_a_good_token(aws):
    api = aws.api()
    guard = {"AuthorizationType": "JWT", "AuthorizerId": api.authorizer()["AuthorizerId"]}
    api.route("GET /a", Target=f"integrations/{api.integration()['IntegrationId']}", **guard)
    api.stage(AutoDeploy=True)
    headers = expect(aws, api, "/a", (401, {"message": "Unauthorized"}), headers={"Authorization": "Bearer x.y.z"})
    demand('error="invalid_token"' in headers["www-authenticate"], "no reason")


@case("§2", "D")
def another_stage_is_a_prefix(aws):
    api = aws.api()
    api.route("GET /a", Target=f"integrations/{api.integration()['IntegrationId']}")
    api.stage("live", AutoDeploy=True)
    expect(aws, api, "/live/a", NOT_INVOKED)
    expect(aws, api, "/a", NOT_FOUND)


@case("§2, §15", "U", settings={"trailing_slash_matches": False})
def a_trailing_slash_may_be_another_path(aws):
    expect(aws, deployed(aws), "/a/", NOT_FOUND)


@case("§2, §15", "U", settings={"trailing_slash_matches": True})
def a_trailing_slash_may_be_the_same_path(aws):
    expect(aws, deployed(aws), "/a/", NOT_INVOKED)


@case("§3", "D")
def a_preflight_is_answered_with_the_cors_configuration(aws):
    api = deployed(aws)
    api.update(CorsConfiguration={"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"]})
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, headers, _ = aws.ground.call(api["ApiId"], "/a", method="OPTIONS", headers=asked)
    demand((status, headers["access-control-allow-origin"]) == (204, "https://a.example"), f"{status}")


@case("§6", "O", settings={"deploy_delay_ms": 3_600_000})
def what_is_not_deployed_is_not_served(aws):
    expect(aws, deployed(aws), "/a", NOT_FOUND)
