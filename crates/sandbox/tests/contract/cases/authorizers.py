"""Authorizers of the type JWT."""

from aws import answers, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")
HEADER = "$request.header.Authorization"


def jwt(issuer, *audience):
    return {"Issuer": issuer, "Audience": list(audience or ["audience"])}


@case("§6", "O")
def an_authorizer_reads_back_as_given(aws):
    authorizer = aws.api().authorizer().read()
    answers(
        authorizer,
        Name="default",
        AuthorizerType="JWT",
        IdentitySource=[HEADER],
        JwtConfiguration=jwt(aws.issuer),
    )
    lacks(
        authorizer,
        "AuthorizerPayloadFormatVersion",
        "AuthorizerResultTtlInSeconds",
        "EnableSimpleResponses",
        "AuthorizerUri",
        "AuthorizerCredentialsArn",
    )


@case("§3", "D/O", each=["$request.header.X-Token", "$request.querystring.token"])
def one_header_or_query_string_is_an_identity_source(aws, each):
    answers(aws.api().authorizer(IdentitySource=[each]).read(), IdentitySource=[each])


SOURCES = {"two": [HEADER, "$request.header.B"], "none": [], "else": ["$context.x"], "text": ["Authorization"]}


@case("§2", "O", each=SOURCES)
def another_identity_source_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid identity source expression"):
        api.authorizer(IdentitySource=each)


@case("§2", "O")
def one_without_a_jwt_configuration_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "JwtConfiguration must not be null"):
        api.authorizer(JwtConfiguration=None)


@case("§2", "O", each={"absent": {}, "empty": {"Audience": []}})
def one_without_an_audience_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(JwtConfiguration={"Issuer": aws.issuer, **each})


@case("§2, §3", "O", each=["http://localhost/", "accounts.google.com", "", "https://"])
def an_issuer_that_is_no_https_url_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid issuer: Issuer is not a valid URL for JWT Authorizer"):
        api.authorizer(JwtConfiguration=jwt(each))


@case("§2", "D")
def an_issuer_that_is_too_long_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(JwtConfiguration=jwt(aws.issuer + "x" * 2048))


@case("§3", "O")
def an_issuer_that_cannot_be_reached_is_refused(aws):
    api = aws.api()
    texts = ["Caught exception when connecting to", "Please try again later", "must have a valid discovery endpoint"]
    with refused(400, "BadRequestException", *texts, "/.well-known/openid-configuration"):
        api.authorizer(JwtConfiguration=jwt("https://localhost:1/"))


@case("§3", "O")
def an_issuer_without_a_discovery_document_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid issuer: "):
        api.authorizer(JwtConfiguration=jwt(aws.issuer + "nowhere"))


@case("§3", "U", settings={"issuer_must_match_document": False})
def a_document_may_name_another_issuer(aws):
    issuer = aws.issuer.rstrip("/")
    answers(aws.api().authorizer(JwtConfiguration=jwt(issuer)).read(), JwtConfiguration=jwt(issuer))


@case("§3", "U", settings={"issuer_must_match_document": True})
def a_document_that_names_another_issuer_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException", "Invalid issuer: "):
        api.authorizer(JwtConfiguration=jwt(aws.issuer.rstrip("/")))


OF_REQUEST = {
    "simple responses": {"EnableSimpleResponses": False},
    "payload format": {"AuthorizerPayloadFormatVersion": "2.0"},
    "time to live": {"AuthorizerResultTtlInSeconds": 300},
}


@case("§6", "O", each=OF_REQUEST)
def members_of_lambda_authorizers_are_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(**each)


@case("§6", "O", each=OF_REQUEST)
def members_of_lambda_authorizers_are_refused_later_too(aws, each):
    authorizer = aws.api().authorizer()
    with refused(400, "BadRequestException"):
        authorizer.update(**each)


@case("§2", "D")
def a_type_that_does_not_exist_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(AuthorizerType="BASIC")


@case("§2", "D", each=["Name", "AuthorizerType", "IdentitySource"])
def one_that_lacks_a_member_is_refused(aws, each):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer(**{each: None})


@case("§2", "D")
def the_longest_name_is_accepted(aws):
    answers(aws.api().authorizer("x" * 128).read(), Name="x" * 128)


@case("§2", "D")
def a_longer_name_is_refused(aws):
    api = aws.api()
    with refused(400, "BadRequestException"):
        api.authorizer("x" * 129)


@case("§6", "O")
def the_jwt_configuration_is_replaced_as_a_whole(aws):
    authorizer = aws.api().authorizer(JwtConfiguration=jwt(aws.issuer, "a", "b"))
    authorizer.update(JwtConfiguration=jwt(aws.issuer, "c"))
    answers(authorizer.read(), JwtConfiguration=jwt(aws.issuer, "c"))


@case("§6", "O", each={"audience": {"Audience": ["other"]}, "issuer": {"Issuer": "https://localhost/"}})
def half_a_jwt_configuration_is_refused(aws, each):
    authorizer = aws.api().authorizer()
    with refused(400, "BadRequestException"):
        authorizer.update(JwtConfiguration=each)
    answers(authorizer.read(), JwtConfiguration=jwt(aws.issuer))


@case("§6", "O")
def an_absent_member_keeps_its_value(aws):
    authorizer = aws.api().authorizer()
    authorizer.update(Name="other")
    answers(authorizer.read(), Name="other", IdentitySource=[HEADER], JwtConfiguration=jwt(aws.issuer))


@case("§6", "O")
def the_identity_source_can_be_changed(aws):
    authorizer = aws.api().authorizer()
    authorizer.update(IdentitySource=["$request.querystring.token"])
    answers(authorizer.read(), IdentitySource=["$request.querystring.token"])


@case("§7, §15", "U", settings={"authorizer_names_unique": True})
def a_name_that_is_taken_is_refused(aws):
    api = aws.api()
    api.authorizer("same")
    with refused(409, "ConflictException"):
        api.authorizer("same")
    other = api.authorizer("other")
    with refused(409, "ConflictException"):
        other.update(Name="same")


@case("§7, §15", "U", settings={"authorizer_names_unique": False})
def names_may_repeat(aws):
    api = aws.api()
    api.authorizer("same")
    answers(api.authorizer("same").read(), Name="same")


@case("§3, §15", "U", settings={"revalidate_issuer_on_update": True})
def an_update_fetches_the_issuer_again(aws):
    authorizer = aws.api().authorizer()
    with refused(400, "BadRequestException", "Invalid issuer: "):
        authorizer.update(JwtConfiguration=jwt("https://localhost:1/"))
    answers(authorizer.read(), JwtConfiguration=jwt(aws.issuer))


@case("§3, §15", "U", settings={"revalidate_issuer_on_update": False})
def an_update_does_not_fetch_the_issuer(aws):
    authorizer = aws.api().authorizer()
    authorizer.update(JwtConfiguration=jwt("https://localhost:1/"))
    answers(authorizer.read(), JwtConfiguration=jwt("https://localhost:1/"))


def used(aws):
    api = aws.api()
    authorizer = api.authorizer()
    guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}
    return authorizer, api.route("GET /a", **guard)


@case("§6", "O", settings={"delete_in_use_status": 409})
def one_in_use_refuses_deletion_with_409(aws):
    authorizer, _ = used(aws)
    with refused(409, "ConflictException", "Cannot delete authorizer 'default', is referenced in route: "):
        authorizer.delete()
    answers(authorizer.read(), Name="default")


@case("§6, §15", "U", settings={"delete_in_use_status": 400})
def one_in_use_refuses_deletion_with_400(aws):
    authorizer, _ = used(aws)
    with refused(400, "BadRequestException", "Cannot delete authorizer 'default', is referenced in route: "):
        authorizer.delete()


@case("§6", "O")
def one_no_longer_in_use_is_deleted(aws):
    authorizer, route = used(aws)
    route.update(AuthorizationType="NONE", AuthorizerId="")
    authorizer.delete()
    with refused(404, "NotFoundException"):
        authorizer.read()


@case("§6", "D", each=["read", "update", "delete"])
def a_deleted_authorizer_is_not_found(aws, each):
    authorizer = aws.api().authorizer()
    authorizer.delete()
    with refused(404, "NotFoundException"):
        getattr(authorizer, each)()
