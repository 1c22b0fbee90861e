"""Automatic deployments."""

from aws import answers, demand, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")
HOUR = 3_600_000
BY_HAND = "Deployment ID cannot be set on this stage because AutoDeploy is enabled"


def deployed(aws):
    api = aws.api()
    api.route("GET /a")
    return api, api.stage(AutoDeploy=True)


def expect_another_deployment(stage, change):
    before = stage.read().get("DeploymentId")
    change()
    after = stage.read().get("DeploymentId")
    demand(after is not None and after != before, "DeploymentId is as before")


@case("§6", "O")
def a_stage_made_after_its_routes_is_deployed(aws):
    _, stage = deployed(aws)
    demand(stage.read().get("DeploymentId"), "DeploymentId is absent")


@case("§6", "O")
def a_stage_without_routes_is_not_deployed(aws):
    lacks(aws.api().stage(AutoDeploy=True).read(), "DeploymentId")


@case("§6", "D")
def a_stage_that_is_deployed_by_hand_has_no_deployment(aws):
    api = aws.api()
    api.route("GET /a")
    lacks(api.stage(AutoDeploy=False).read(), "DeploymentId", "LastDeploymentStatusMessage")


@case("§6", "O")
def the_first_route_deploys(aws):
    api = aws.api()
    stage = api.stage(AutoDeploy=True)
    expect_another_deployment(stage, lambda: api.route("GET /a"))


@case("§6", "O", each=["route", "integration", "authorizer"])
def a_new_child_deploys(aws, each):
    api, stage = deployed(aws)
    make = {"route": lambda: api.route("GET /b"), "integration": api.integration, "authorizer": api.authorizer}
    expect_another_deployment(stage, make[each])


@case("§6", "O", each=["route", "integration", "authorizer"])
def a_changed_child_deploys(aws, each):
    api, stage = deployed(aws)
    make = {"route": lambda: api.route("GET /b"), "integration": api.integration, "authorizer": api.authorizer}
    change = {"route": {"OperationName": "n"}, "integration": {"Description": "d"}, "authorizer": {"Name": "other"}}
    child = make[each]()
    expect_another_deployment(stage, lambda: child.update(**change[each]))


@case("§6", "O")
def a_deleted_route_deploys(aws):
    api, stage = deployed(aws)
    other = api.route("GET /b")
    expect_another_deployment(stage, other.delete)


@case("B", "D", settings={"api_settings_deploy": True})
def the_switch_of_the_endpoint_deploys(aws):
    api, stage = deployed(aws)
    expect_another_deployment(stage, lambda: api.update(DisableExecuteApiEndpoint=True))


@case("B", "U", settings={"api_settings_deploy": False})
def the_switch_of_the_endpoint_does_not_deploy(aws):
    api, stage = deployed(aws)
    before = stage.read().get("DeploymentId")
    api.update(DisableExecuteApiEndpoint=True)
    answers(stage.read(), DeploymentId=before)


@case("§6", "O")
def turning_it_on_deploys(aws):
    api = aws.api()
    api.route("GET /a")
    stage = api.stage()
    expect_another_deployment(stage, lambda: stage.update(AutoDeploy=True))


@case("§6", "O")
def success_is_told_too(aws):
    _, stage = deployed(aws)
    read = stage.read()
    text = f"Successfully deployed stage with deployment ID '{read.get('DeploymentId')}'"
    demand(read.get("LastDeploymentStatusMessage") == text, "LastDeploymentStatusMessage is another")


@case("§6", "O")
def a_deployment_cannot_be_named(aws):
    _, stage = deployed(aws)
    with refused(400, "BadRequestException", BY_HAND):
        stage.update(DeploymentId="abcdef")


@case("§6", "O")
def not_even_the_present_deployment_can_be_named(aws):
    _, stage = deployed(aws)
    with refused(400, "BadRequestException", BY_HAND):
        stage.update(DeploymentId=stage.read().get("DeploymentId", "abcdef"), Description="d")
    lacks(stage.read(), "Description")


@case("§6", "O", settings={"deploy_delay_ms": HOUR})
def a_deployment_takes_time(aws):
    _, stage = deployed(aws)
    answers(stage.read(), AutoDeploy=True)
    lacks(stage.read(), "DeploymentId", "LastDeploymentStatusMessage")


@case("§1", "O", settings={"concurrent_modification": True})
def a_second_write_at_the_same_time_is_refused(aws):
    api = aws.api()
    with aws.ground.held("CreateRoute", lambda: api.route("GET /a")):
        with refused(409, "ConflictException", "Unable to complete operation due to concurrent modification"):
            api.integration()
    demand(len(api.list("route")["Items"]) == 1, "the first write is missing")


@case("§1", "O", settings={"concurrent_modification": False})
def a_second_write_at_the_same_time_may_be_accepted(aws):
    api = aws.api()
    with aws.ground.held("CreateRoute", lambda: api.route("GET /a")):
        api.integration()
    demand(len(api.list("route")["Items"]) == 1, "the first write is missing")


@case("§1", "O", settings={"concurrent_modification": True})
def writes_to_two_apis_do_not_meet(aws):
    api, other = aws.api(), aws.api()
    with aws.ground.held("CreateRoute", lambda: api.route("GET /a")):
        other.route("GET /a")
