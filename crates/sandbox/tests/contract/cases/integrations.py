"""Integrations with Lambda functions."""

from aws import FUNCTION, ROLE, answers, lacks, refused
from case import cases_of
from sandbox import REGION

case = cases_of("apigatewayv2")
LONG_FORM = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


@case("§6", "O")
def an_integration_reads_back_with_defaults(aws):
    integration = aws.api().integration(PayloadFormatVersion=None).read()
    answers(
        integration,
        ConnectionType="INTERNET",
        IntegrationMethod="POST",
        IntegrationType="AWS_PROXY",
        IntegrationUri=FUNCTION,
        PayloadFormatVersion="1.0",
        TimeoutInMillis=30000,
    )
    lacks(integration, "CredentialsArn", "Description", "RequestParameters", "ResponseParameters", "TlsConfig")


@case("§5", "D/I", each={"plain": FUNCTION, "alias": f"{FUNCTION}:live", "version": f"{FUNCTION}:7", "long": LONG_FORM})
def the_uri_is_echoed_as_given(aws, each):
    answers(aws.api().integration(IntegrationUri=each).read(), IntegrationUri=each)


@case("§5", "D")
def stage_variables_are_allowed_in_the_uri(aws):
    uri = f"{FUNCTION}:${{stageVariables.alias}}"
    answers(aws.api().integration(IntegrationUri=uri).read(), IntegrationUri=uri)


@case("§4", "D")
def neither_the_function_nor_the_role_has_to_exist(aws):
    answers(aws.api().integration(CredentialsArn=ROLE).read(), IntegrationUri=FUNCTION, CredentialsArn=ROLE)


@case("§4", "D")
def the_callers_identity_can_be_passed_on(aws):
    user = "arn:aws:iam::*:user/*"
    answers(aws.api().integration(CredentialsArn=user).read(), CredentialsArn=user)


@case("§4", "I")
def credentials_that_are_no_role_are_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.integration(CredentialsArn="invoker")


@case("§6", "O", each=["hello", "arn:aws:sqs:eu-central-1:123456789012:queue"])
def a_uri_that_is_no_function_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid integration URI specified"):
        api.integration(IntegrationUri=each)


@case("§2", "D")
def a_uri_that_is_too_long_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.integration(IntegrationUri=FUNCTION + "x" * 2048)


@case("§2", "D")
def an_integration_without_a_type_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.integration(IntegrationType=None)


@case("§2", "I", each=["AWS", "HTTP", "MOCK"])
def types_of_websocket_apis_are_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.integration(IntegrationType=each)


@case("§5", "D", each=["1.0", "2.0"])
def both_payload_formats_are_accepted(aws, each):
    answers(aws.api().integration(PayloadFormatVersion=each).read(), PayloadFormatVersion=each)


@case("§2", "O")
def another_payload_format_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Unsupported PayloadFormatVersion"):
        api.integration(PayloadFormatVersion="3.0")


@case("§2", "D", each=[50, 30000])
def a_timeout_within_the_limits_is_accepted(aws, each):
    answers(aws.api().integration(TimeoutInMillis=each).read(), TimeoutInMillis=each)


@case("§2", "D/O", each=[0, 49, 30001])
def a_timeout_beyond_the_limits_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", "Timeout should be between 50 ms and 30000 ms"):
        api.integration(TimeoutInMillis=each)


@case("§2", "O")
def a_private_connection_needs_its_link(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK"):
        api.integration(ConnectionType="VPC_LINK")


@case("§6", "O")
def tls_is_ignored_on_a_public_connection(aws):
    lacks(aws.api().integration(TlsConfig={"ServerNameToVerify": "a.example"}).read(), "TlsConfig")


@case("§6", "O")
def an_absent_member_keeps_its_value(aws):
    integration = aws.api().integration(Description="d", CredentialsArn=ROLE, TimeoutInMillis=60)
    integration.update(PayloadFormatVersion="1.0")
    answers(
        integration.read(),
        Description="d",
        CredentialsArn=ROLE,
        TimeoutInMillis=60,
        PayloadFormatVersion="1.0",
        IntegrationUri=FUNCTION,
    )


@case("§6", "O")
def an_empty_description_clears(aws):
    integration = aws.api().integration(Description="d")
    integration.update(Description="")
    lacks(integration.read(), "Description")


@case("§2", "D")
def the_longest_description_is_accepted(aws):
    answers(aws.api().integration(Description="x" * 1024).read(), Description="x" * 1024)


@case("§2", "D")
def a_longer_description_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.integration(Description="x" * 1025)


@case("§6", "O")
def request_parameters_are_merged(aws):
    integration = aws.api().integration(RequestParameters={"append:header.a": "1", "append:header.b": "1"})
    integration.update(RequestParameters={"append:header.b": "2", "append:header.c": "3"})
    wanted = {"append:header.a": "1", "append:header.b": "2", "append:header.c": "3"}
    answers(integration.read(), RequestParameters=wanted)


@case("§6", "O")
def a_request_parameter_is_dropped_with_an_empty_value(aws):
    integration = aws.api().integration(RequestParameters={"append:header.a": "1", "append:header.b": "1"})
    integration.update(RequestParameters={"append:header.a": ""})
    answers(integration.read(), RequestParameters={"append:header.b": "1"})


@case("§6", "O")
def no_request_parameters_do_nothing(aws):
    integration = aws.api().integration(RequestParameters={"append:header.a": "1"})
    integration.update(RequestParameters={})
    answers(integration.read(), RequestParameters={"append:header.a": "1"})


@case("§6", "O")
def response_parameters_of_a_status_are_dropped_with_an_empty_map(aws):
    given = {"200": {"append:header.a": "1"}, "404": {"overwrite:statuscode": "200"}}
    integration = aws.api().integration(ResponseParameters=given)
    integration.update(ResponseParameters={"200": {}})
    answers(integration.read(), ResponseParameters={"404": {"overwrite:statuscode": "200"}})


@case("§6, §15", "U", settings={"credentials_arn_empty_clears": True})
def empty_credentials_clear(aws):
    integration = aws.api().integration(CredentialsArn=ROLE)
    integration.update(CredentialsArn="")
    lacks(integration.read(), "CredentialsArn")


@case("§6, §15", "U", settings={"credentials_arn_empty_clears": False})
def empty_credentials_do_nothing(aws):
    integration = aws.api().integration(CredentialsArn=ROLE)
    integration.update(CredentialsArn="")
    answers(integration.read(), CredentialsArn=ROLE)


IN_USE = "Cannot delete Integration because it is referenced by the following Routes with Ids: ["


def used(aws):
    api = aws.api()
    integration = api.integration()
    return integration, api.route("GET /a", Target=f"integrations/{integration['IntegrationId']}")


@case("§6", "O", settings={"delete_in_use_status": 409})
def one_in_use_refuses_deletion_with_409(aws):
    integration, route = used(aws)
    with refused(409, "ConflictException", IN_USE, route["RouteId"]):
        integration.delete()
    answers(integration.read(), IntegrationUri=FUNCTION)


@case("§6, §15", "U", settings={"delete_in_use_status": 400})
def one_in_use_refuses_deletion_with_400(aws):
    integration, route = used(aws)
    with refused(400, "BadRequestException", IN_USE, route["RouteId"]):
        integration.delete()


@case("§6", "O")
def one_no_longer_in_use_is_deleted(aws):
    integration, route = used(aws)
    route.delete()
    integration.delete()
    with refused(404, "NotFoundException"):
        integration.read()


@case("§6", "O")
def a_replacement_frees_the_old_one(aws):
    api = aws.api()
    old, new = api.integration(), api.integration()
    route = api.route("GET /a", Target=f"integrations/{old['IntegrationId']}")
    route.update(Target=f"integrations/{new['IntegrationId']}")
    old.delete()
    with refused(409, "ConflictException", IN_USE):
        new.delete()


@case("§6", "D", each=["read", "update", "delete"])
def a_deleted_integration_is_not_found(aws, each):
    integration = aws.api().integration()
    integration.delete()
    with refused(404, "NotFoundException"):
        getattr(integration, each)()


@case("§7", "O")
def the_same_integration_can_be_made_twice(aws):
    api = aws.api()
    api.integration(), api.integration()
    answers({"Items": len(api.list("integration")["Items"])}, Items=2)
