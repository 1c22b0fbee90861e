"""CORS of an API: replaced list by list, cleared by one request alone."""

from aws import answers, demand, lacks, refused
from case import cases_of

case = cases_of("apigatewayv2")
CORS = {
    "AllowOrigins": ["https://a.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["X-A", "x-b"],
    "ExposeHeaders": ["X-C"],
    "MaxAge": 5,
}


def cors_of(api):
    return api.read().get("CorsConfiguration", {})


@case("§6", "O", each={"allowed": ("AllowHeaders", ["x-a", "x-b"]), "exposed": ("ExposeHeaders", ["x-c"])})
def header_names_come_back_in_lower_case(aws, each):
    name, wanted = each
    answers(cors_of(aws.api(CorsConfiguration=CORS)), **{name: wanted})


@case("§6", "O")
def methods_come_back_as_given(aws):
    answers(cors_of(aws.api(CorsConfiguration=CORS)), AllowMethods=["GET", "POST"])


@case("§6", "O")
def an_empty_configuration_clears_nothing(aws):
    api = aws.api(CorsConfiguration=CORS)
    api.update(CorsConfiguration={})
    answers(cors_of(api), AllowOrigins=["https://a.example"], MaxAge=5)


@case("§6", "O")
def its_own_request_clears_it(aws):
    api = aws.api(CorsConfiguration=CORS)
    aws.gateway.delete_cors_configuration(**api.keys)
    lacks(api.read(), "CorsConfiguration")


@case("§6", "O")
def an_absent_configuration_stays(aws):
    api = aws.api(CorsConfiguration=CORS)
    api.update(Name="other")
    answers(cors_of(api), AllowOrigins=["https://a.example"])


@case("§6", "O")
def a_list_is_replaced_as_given(aws):
    api = aws.api(CorsConfiguration=CORS)
    api.update(CorsConfiguration={**CORS, "AllowMethods": ["PUT"]})
    answers(cors_of(api), AllowMethods=["PUT"])


@case("§2", "O")
def any_origin_with_credentials_is_refused(aws):
    with refused(400, "BadRequestException", "allow-credentials is not supported if 'allow-origin' is *"):
        aws.api(CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True})


@case("§2", "O")
def an_update_to_any_origin_with_credentials_is_refused(aws):
    api = aws.api(CorsConfiguration={"AllowOrigins": ["https://a.example"], "AllowCredentials": True})
    with refused(400, "BadRequestException", "allow-credentials is not supported if 'allow-origin' is *"):
        api.update(CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True})
    answers(cors_of(api), AllowOrigins=["https://a.example"])


@case("§2", "D", each=[-1, 0, 86400])
def an_age_within_the_limits_is_accepted(aws, each):
    answers(cors_of(aws.api(CorsConfiguration={"AllowOrigins": ["*"], "MaxAge": each})), MaxAge=each)


@case("§2", "D", each=[-2, 86401])
def an_age_beyond_the_limits_is_refused(aws, each):
    with refused(400, "BadRequestException"):
        aws.api(CorsConfiguration={"AllowOrigins": ["*"], "MaxAge": each})


@case("§2", "I")
def an_origin_without_a_scheme_is_refused(aws):
    with refused(400, "BadRequestException"):
        aws.api(CorsConfiguration={"AllowOrigins": ["a.example"]})


@case("§6", "O")
def a_refused_configuration_leaves_no_api_behind(aws):
    with refused(400, "BadRequestException"):
        aws.api(CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True})
    demand(aws.gateway.get_apis()["Items"] == [], "the refused API is there")
