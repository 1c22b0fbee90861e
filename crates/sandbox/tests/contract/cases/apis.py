"""APIs: what is read back, what an update keeps, what deletion takes along."""

from aws import answers, demand, lacks, refused
from case import cases_of
from sandbox import REGION

case = cases_of("apigatewayv2")
UNKNOWN = "zzzzzzzzzz"


@case("§6", "O")
def a_new_api_reads_back_with_defaults(aws):
    answers(
        aws.api().read(),
        Name="api",
        ProtocolType="HTTP",
        ApiKeySelectionExpression="$request.header.x-api-key",
        RouteSelectionExpression="$request.method $request.path",
        DisableExecuteApiEndpoint=False,
        IpAddressType="ipv4",
    )


@case("§6", "O")
def what_was_never_set_is_absent(aws):
    lacks(aws.api().read(), "Description", "Version", "CorsConfiguration", "Tags")


@case("§6", "O")
def the_creation_answers_what_is_read_later(aws):
    api = aws.api(Description="d", Version="1", Tags={"a": "1"})
    read = api.read()
    for name in read:
        if name != "ResponseMetadata":
            demand(read[name] == api[name], f"{name} is another than CreateApi said")


@case("§2", "D")
def the_endpoint_holds_the_id_and_the_region(aws):
    api = aws.api()
    wanted = f"https://{api['ApiId']}.execute-api.{REGION}.amazonaws.com"
    demand(api["ApiEndpoint"] == wanted, "ApiEndpoint has another form")


@case("§7", "D/O")
def names_may_repeat(aws):
    demand(aws.api()["ApiId"] != aws.api()["ApiId"], "the same API twice")


@case("§6", "O")
def an_absent_member_keeps_its_value(aws):
    api = aws.api(Description="d", Version="1", DisableExecuteApiEndpoint=True)
    api.update(Name="other")
    answers(api.read(), Name="other", Description="d", Version="1", DisableExecuteApiEndpoint=True)


@case("§6", "O", each=["Description", "Version"])
def an_empty_text_clears(aws, each):
    api = aws.api(Description="d", Version="1")
    api.update(**{each: ""})
    lacks(api.read(), each)


@case("§6", "O")
def the_endpoint_is_enabled_again_with_false(aws):
    api = aws.api(DisableExecuteApiEndpoint=True)
    answers(api.read(), DisableExecuteApiEndpoint=True)
    api.update(DisableExecuteApiEndpoint=False)
    answers(api.read(), DisableExecuteApiEndpoint=False)


@case("§6", "O")
def the_address_type_goes_back_to_ipv4(aws):
    api = aws.api(IpAddressType="dualstack")
    answers(api.read(), IpAddressType="dualstack")
    api.update(IpAddressType="ipv4")
    answers(api.read(), IpAddressType="ipv4")


@case("§2", "D", each={"name": ("Name", 128), "description": ("Description", 1024), "version": ("Version", 64)})
def the_longest_text_is_accepted(aws, each):
    name, longest = each
    answers(aws.api(**{name: "x" * longest}).read(), **{name: "x" * longest})


@case("§2", "D", each={"name": ("Name", 128), "description": ("Description", 1024), "version": ("Version", 64)})
def a_longer_text_is_refused(aws, each):
    name, longest = each
    with refused(400, "BadRequestException"):
        aws.api(**{name: "x" * (longest + 1)})


@case("§2", "D")
def an_api_without_a_name_is_refused(aws):
    with refused(400, "BadRequestException"):
        aws.gateway.create_api(ProtocolType="HTTP")


@case("§2", "D")
def an_api_without_a_protocol_is_refused(aws):
    with refused(400, "BadRequestException"):
        aws.gateway.create_api(Name="api")


@case("§2", "D")
def a_protocol_that_does_not_exist_is_refused(aws):
    with refused(400, "BadRequestException"):
        aws.api(ProtocolType="FTP")


@case("§6", "D")
def an_address_type_that_does_not_exist_is_refused(aws):
    with refused(400, "BadRequestException"):
        aws.api(IpAddressType="ipv7")


@case("§6", "D", each=["get_api", "update_api", "delete_api", "get_routes", "get_stages", "delete_cors_configuration"])
def an_api_that_does_not_exist_is_not_found(aws, each):
    with refused(404, "NotFoundException"):
        getattr(aws.gateway, each)(ApiId=UNKNOWN)


@case("§6", "O")
def deletion_takes_everything_in_the_api_along(aws):
    api = aws.api()
    integration = api.integration()
    route = api.protected_route(Target=f"integrations/{integration['IntegrationId']}")
    stage = api.stage(AutoDeploy=True)
    api.delete()
    for thing in (route, integration, stage):
        with refused(404, "NotFoundException"):
            thing.read()


@case("§6", "D")
def a_deleted_api_is_not_found(aws):
    api = aws.api()
    api.delete()
    with refused(404, "NotFoundException"):
        api.read()
    with refused(404, "NotFoundException"):
        api.delete()


@case("§7", "I")
def a_recreated_api_has_another_id(aws):
    api = aws.api()
    api.delete()
    demand(aws.api()["ApiId"] != api["ApiId"], "the old id again")
