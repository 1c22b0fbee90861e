"""Functions: what is checked, what is read back, what is named how."""

import base64
import hashlib
import json

from aws import FUNCTION, answers, defined, demand, lacks, refused
from case import cases_of
from sandbox import ACCOUNT, code_zip

case = cases_of("lambda")
HOUR = 3_600_000
NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."


def configuration(aws, **members):
    return aws.functions.get_function_configuration(**{"FunctionName": "hello", **members})


@case("§10", "D")
def a_function_has_defaults(aws):
    aws.function()
    answers(
        configuration(aws),
        FunctionName="hello",
        FunctionArn=FUNCTION,
        Runtime="nodejs24.x",
        Handler="index.handler",
        Timeout=3,
        MemorySize=128,
        Architectures=["x86_64"],
        PackageType="Zip",
        Version="$LATEST",
    )


@case("§10", "D")
def a_function_that_is_ready_says_so(aws):
    aws.function()
    answers(configuration(aws), State="Active", LastUpdateStatus="Successful")


@case("§10", "D", each={"partial": f"{ACCOUNT}:function:hello", "full": FUNCTION})
def a_function_is_named_by_its_arn_too(aws, each):
    aws.function()
    answers(configuration(aws, FunctionName=each), FunctionArn=FUNCTION)


@case("§10", "D")
def the_arn_has_a_qualifier_only_if_one_was_asked_for(aws):
    aws.function()
    answers(configuration(aws, Qualifier="$LATEST"), FunctionArn=f"{FUNCTION}:$LATEST")
    answers(configuration(aws), FunctionArn=FUNCTION)


@case("§10", "D")
def the_digest_is_that_of_the_zip(aws):
    aws.function()
    digest = base64.b64encode(hashlib.sha256(code_zip()).digest()).decode()
    answers(configuration(aws), CodeSha256=digest, CodeSize=len(code_zip()))


@case("§10", "D")
def tags_come_with_the_function_and_not_with_its_configuration(aws):
    aws.function(Tags={"a": "1"})
    answers(aws.functions.get_function(FunctionName="hello"), Tags={"a": "1"})
    lacks(configuration(aws), "Tags")


@case("§10", "D")
def the_environment_reads_back_as_given(aws):
    aws.function(Environment={"Variables": {"KEY": "1"}})
    answers(configuration(aws)["Environment"], Variables={"KEY": "1"})


@case("§10", "D")
def a_name_of_64_characters_fits(aws):
    answers(aws.function("x" * 64, Role=aws.role()), FunctionName="x" * 64)


@case("§10", "D", each={"long": "x" * 65, "characters": "a.b", "empty": ""})
def a_malformed_name_is_refused(aws, each):
    role = aws.role()
    with refused(400, None):
        aws.function(each, Role=role)


@case("§10", "D")
def a_name_that_is_taken_is_refused(aws):
    aws.function()
    with refused(409, "ResourceConflictException"):
        aws.function(Role=f"arn:aws:iam::{ACCOUNT}:role/role-of-hello")


@case("§10", "O", settings={"function_role_must_be_assumable": True})
def a_role_that_does_not_trust_lambda_is_refused(aws):
    role = aws.role(service="apigateway.amazonaws.com")
    with refused(400, "InvalidParameterValueException", NOT_ASSUMABLE):
        aws.function(Role=role)


@case("§10", "O", settings={"function_role_must_be_assumable": True})
def a_role_that_does_not_exist_is_refused(aws):
    with refused(400, "InvalidParameterValueException", NOT_ASSUMABLE):
        aws.function(Role=f"arn:aws:iam::{ACCOUNT}:role/missing")


@case("§10", "O", settings={"function_role_must_be_assumable": False})
def a_sandbox_may_take_any_role(aws):
    answers(aws.function(Role=f"arn:aws:iam::{ACCOUNT}:role/missing"), FunctionName="hello")


@case("§10, §11", "D/O", settings={"iam_delay_ms": HOUR})
def a_fresh_role_is_not_assumable_yet(aws):
    role = aws.role()
    aws.iam.get_role(RoleName="role")
    with refused(400, "InvalidParameterValueException", NOT_ASSUMABLE):
        aws.function(Role=role)


@case("§10", "O")
def a_role_is_assumable_once_its_trust_is_right(aws):
    role = aws.role(service="apigateway.amazonaws.com")
    with refused(400, "InvalidParameterValueException", NOT_ASSUMABLE):
        aws.function(Role=role)
    trust = aws.iam.get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Principal"]["Service"] = "lambda.amazonaws.com"
    aws.iam.update_assume_role_policy(RoleName="role", PolicyDocument=json.dumps(trust))
    answers(aws.function(Role=role), Role=role)


@case("§10", "D", each={"handler": {"Handler": None}, "runtime": {"Runtime": None}, "family": {"Runtime": "cobol1.x"}})
def a_function_without_what_it_needs_is_refused(aws, each):
    role = aws.role()
    needed = {"Runtime": "nodejs24.x", "Handler": "index.handler", "Role": role, "Code": {"ZipFile": code_zip()}}
    members = defined({**needed, **each})
    with refused(400, "InvalidParameterValueException"):
        aws.functions.create_function(FunctionName="hello", **members)


@case("§10", "D", each={"timeout": {"Timeout": 901}, "memory": {"MemorySize": 10241}})
def a_limit_that_is_too_high_is_refused(aws, each):
    role = aws.role()
    with refused(400, None):
        aws.function(Role=role, **each)


@case("§10", "O")
def what_is_no_zip_is_refused(aws):
    role = aws.role()
    with refused(400, "InvalidParameterValueException", "Could not unzip uploaded file"):
        aws.function(Role=role, Code={"ZipFile": b"no zip"})


OPERATIONS = ["get_function", "get_function_configuration", "delete_function", "get_policy", "publish_version"]


@case("§10", "D", each=OPERATIONS)
def a_function_that_does_not_exist_is_not_found(aws, each):
    with refused(404, "ResourceNotFoundException"):
        getattr(aws.functions, each)(FunctionName="missing")


@case("§10", "D")
def an_absent_member_keeps_its_value(aws):
    aws.function(Timeout=7, Description="d", Environment={"Variables": {"KEY": "1"}})
    aws.functions.update_function_configuration(FunctionName="hello", MemorySize=256)
    read = configuration(aws)
    answers(read, Timeout=7, Description="d", MemorySize=256, Handler="index.handler")
    answers(read["Environment"], Variables={"KEY": "1"})


@case("§10", "D")
def the_environment_is_replaced_as_a_whole(aws):
    aws.function(Environment={"Variables": {"AA": "1", "BB": "1"}})
    aws.functions.update_function_configuration(FunctionName="hello", Environment={"Variables": {"BB": "2"}})
    answers(configuration(aws)["Environment"], Variables={"BB": "2"})


@case("§10", "D")
def new_code_has_another_digest_and_revision(aws):
    before = aws.function()
    aws.functions.update_function_code(FunctionName="hello", ZipFile=code_zip("// other\n"))
    after = configuration(aws)
    demand(after["CodeSha256"] != before["CodeSha256"], "CodeSha256 is as before")
    demand(after.get("RevisionId") != before.get("RevisionId"), "RevisionId is as before")


UPDATES = ["update_function_code", "update_function_configuration"]


@case("§10", "D", each=UPDATES)
def an_old_revision_is_refused(aws, each):
    aws.function()
    members = {"ZipFile": code_zip("// other\n")} if each == "update_function_code" else {"Timeout": 5}
    with refused(412, "PreconditionFailedException"):
        getattr(aws.functions, each)(FunctionName="hello", RevisionId="old", **members)


@case("§10", "D", settings={"function_delay_ms": HOUR})
def a_new_function_is_pending(aws):
    aws.function()
    answers(configuration(aws), State="Pending", StateReasonCode="Creating")


@case("§10", "D", settings={"function_delay_ms": HOUR}, each=UPDATES)
def a_pending_function_refuses_updates(aws, each):
    aws.function()
    members = {"ZipFile": code_zip("// other\n")} if each == "update_function_code" else {"Timeout": 5}
    with refused(409, "ResourceConflictException", "Pending"):
        getattr(aws.functions, each)(FunctionName="hello", **members)


@case("§10", "D")
def a_deleted_function_is_not_found(aws):
    aws.function()
    aws.functions.delete_function(FunctionName="hello")
    with refused(404, "ResourceNotFoundException"):
        configuration(aws)


@case("§6", "I")
def its_role_outlives_a_function(aws):
    aws.function()
    aws.functions.delete_function(FunctionName="hello")
    aws.iam.get_role(RoleName="role-of-hello")


@case("§10", "U", settings={"environment_without_variables_clears": True})
def an_environment_without_variables_clears_it(aws):
    aws.function(Environment={"Variables": {"KEY": "1"}})
    aws.functions.update_function_configuration(FunctionName="hello", Environment={})
    lacks(configuration(aws), "Environment")


@case("§10", "U", settings={"environment_without_variables_clears": False})
def an_environment_without_variables_changes_nothing(aws):
    aws.function(Environment={"Variables": {"KEY": "1"}})
    aws.functions.update_function_configuration(FunctionName="hello", Environment={})
    answers(configuration(aws)["Environment"], Variables={"KEY": "1"})


@case("§10", "U", settings={"update_code_resets_architecture": True})
def new_code_without_an_architecture_runs_on_the_usual_one(aws):
    aws.function(Architectures=["arm64"])
    aws.functions.update_function_code(FunctionName="hello", ZipFile=code_zip("// other\n"))
    answers(configuration(aws), Architectures=["x86_64"])


@case("§10", "U", settings={"update_code_resets_architecture": False})
def new_code_without_an_architecture_keeps_the_old_one(aws):
    aws.function(Architectures=["arm64"])
    aws.functions.update_function_code(FunctionName="hello", ZipFile=code_zip("// other\n"))
    answers(configuration(aws), Architectures=["arm64"])


@case("§10", "O", settings={"blocked_runtimes": ["nodejs22.x"]})
def a_runtime_that_was_given_up_is_refused(aws):
    with refused(400, "InvalidParameterValueException"):
        aws.function(Runtime="nodejs22.x")
