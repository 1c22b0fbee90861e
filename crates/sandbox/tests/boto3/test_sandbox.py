"""boto3 against the sandbox: every kind created, paged and deleted, every answer valid by botocore's models."""

import pathlib
import tempfile
import unittest

from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from sandbox import ACCOUNT, REGION, Issuer, Sandbox, code_zip, permissions, trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"


class SandboxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.issuer = Issuer(pathlib.Path(cls.directory.name))
        cls.sandbox = Sandbox("--issuer-ca", str(cls.issuer.authority_file))

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.close()
        cls.issuer.close()
        cls.directory.cleanup()

    def setUp(self):
        self.sandbox.clear()
        self.gateway = self.sandbox.client("apigatewayv2")
        self.functions = self.sandbox.client("lambda")
        self.iam = self.sandbox.client("iam")
        self.sts = self.sandbox.client("sts")

    def settings(self, **switches):
        self.sandbox.control("PATCH", "settings", switches)

    def refused(self, status, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        response = caught.exception.response
        self.assertEqual((response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]), (status, code))
        return response["Error"]["Message"]

    def api(self, **members):
        return self.gateway.create_api(Name="api", ProtocolType="HTTP", **members)["ApiId"]

    def integration(self, api, **members):
        members = {"IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0", **members}
        answer = self.gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", **members)
        return answer["IntegrationId"]

    def authorizer(self, api, name="default", issuer=None):
        return self.gateway.create_authorizer(
            ApiId=api,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": issuer or self.issuer.url, "Audience": ["audience"]},
        )["AuthorizerId"]

    def role(self, name="role", service="lambda.amazonaws.com"):
        tags = [{"Key": "owner", "Value": "test"}]
        answer = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service), Tags=tags)
        return answer["Role"]["Arn"]

    def function(self, name="hello"):
        return self.functions.create_function(
            FunctionName=name,
            Runtime="nodejs24.x",
            Role=self.role(f"role-of-{name}"),
            Handler="index.handler",
            Code={"ZipFile": code_zip()},
            Environment={"Variables": {"KEY": "1"}},
            Tags={"owner": "test"},
        )

    def paged(self, client, operation, member, **arguments):
        pages = list(client.get_paginator(operation).paginate(**arguments))
        return len(pages), [item for page in pages for item in page[member]]


class EveryKind(SandboxTest):
    def test_apis_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        cors = {"AllowOrigins": ["https://a.example"], "AllowHeaders": ["X-A"], "AllowMethods": ["*"], "MaxAge": 5}
        apis = {self.api(CorsConfiguration=cors, Tags={"n": str(n)}, Description="d") for n in range(5)}
        pages, items = self.paged(self.gateway, "get_apis", "Items")
        self.assertEqual((pages, {item["ApiId"] for item in items}), (3, apis))
        api = items[0]["ApiId"]
        self.assertEqual(items[0]["CorsConfiguration"]["AllowHeaders"], ["x-a"])
        self.gateway.update_api(ApiId=api, Description="", DisableExecuteApiEndpoint=True, IpAddressType="dualstack")
        self.gateway.delete_cors_configuration(ApiId=api)
        read = self.gateway.get_api(ApiId=api)
        self.assertNotIn("CorsConfiguration", read)
        self.assertNotIn("Description", read)
        arn = f"arn:aws:apigateway:{REGION}::/apis/{api}"
        self.gateway.tag_resource(ResourceArn=arn, Tags={"a/b": "1"})
        self.gateway.untag_resource(ResourceArn=arn, TagKeys=["n"])
        self.assertEqual(self.gateway.get_tags(ResourceArn=arn)["Tags"], {"a/b": "1"})
        for api in apis:
            self.gateway.delete_api(ApiId=api)
        self.assertEqual(self.gateway.get_apis()["Items"], [])
        self.refused(404, "NotFoundException", self.gateway.get_api, ApiId=api)

    def test_authorizers_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        api = self.api()
        ids = {self.authorizer(api, f"name-{n}") for n in range(3)}
        pages, items = self.paged(self.gateway, "get_authorizers", "Items", ApiId=api)
        self.assertEqual((pages, {item["AuthorizerId"] for item in items}), (2, ids))
        for authorizer in ids:
            jwt = {"Issuer": self.issuer.url, "Audience": ["other"]}
            self.gateway.update_authorizer(ApiId=api, AuthorizerId=authorizer, JwtConfiguration=jwt)
            read = self.gateway.get_authorizer(ApiId=api, AuthorizerId=authorizer)
            self.assertEqual(read["JwtConfiguration"]["Audience"], ["other"])
            self.gateway.delete_authorizer(ApiId=api, AuthorizerId=authorizer)
        self.assertEqual(self.gateway.get_authorizers(ApiId=api)["Items"], [])

    def test_integrations_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        api = self.api()
        role = f"arn:aws:iam::{ACCOUNT}:role/invoke"
        ids = {self.integration(api, CredentialsArn=role, TimeoutInMillis=50 + n) for n in range(3)}
        pages, items = self.paged(self.gateway, "get_integrations", "Items", ApiId=api)
        self.assertEqual((pages, {item["IntegrationId"] for item in items}), (2, ids))
        for integration in ids:
            parameters = {"RequestParameters": {"append:header.a": "1"}, "ResponseParameters": {"200": {"remove:header.b": "''"}}}
            self.gateway.update_integration(ApiId=api, IntegrationId=integration, Description="d", **parameters)
            self.assertEqual(self.gateway.get_integration(ApiId=api, IntegrationId=integration)["Description"], "d")
            self.gateway.delete_integration(ApiId=api, IntegrationId=integration)
        self.assertEqual(self.gateway.get_integrations(ApiId=api)["Items"], [])

    def test_routes_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        api = self.api()
        target = "integrations/" + self.integration(api)
        authorizer = self.authorizer(api)
        ids = {
            self.gateway.create_route(
                ApiId=api,
                RouteKey=f"GET /items/{{id}}/{n}",
                Target=target,
                AuthorizationType="JWT",
                AuthorizerId=authorizer,
                AuthorizationScopes=["read"],
                OperationName="name",
            )["RouteId"]
            for n in range(3)
        }
        pages, items = self.paged(self.gateway, "get_routes", "Items", ApiId=api)
        self.assertEqual((pages, {item["RouteId"] for item in items}), (2, ids))
        for route in ids:
            opened = {"AuthorizationType": "NONE", "AuthorizerId": "", "AuthorizationScopes": [], "OperationName": ""}
            self.gateway.update_route(ApiId=api, RouteId=route, **opened)
            read = self.gateway.get_route(ApiId=api, RouteId=route)
            self.assertEqual(read["AuthorizationType"], "NONE")
            self.assertNotIn("AuthorizerId", read)
            self.gateway.delete_route(ApiId=api, RouteId=route)
        self.assertEqual(self.gateway.get_routes(ApiId=api)["Items"], [])

    def test_stages_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        api = self.api()
        self.gateway.create_route(ApiId=api, RouteKey="GET /a", Target="integrations/" + self.integration(api))
        names = {"$default", "one", "two"}
        for name in names:
            self.gateway.create_stage(
                ApiId=api,
                StageName=name,
                AutoDeploy=True,
                Tags={"a": "1"},
                StageVariables={"v": "1"},
                RouteSettings={"GET /a": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 1.5}},
                AccessLogSettings={
                    "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g",
                    "Format": "$context.requestId",
                },
            )
        pages, items = self.paged(self.gateway, "get_stages", "Items", ApiId=api)
        self.assertEqual((pages, {item["StageName"] for item in items}), (2, names))
        for name in names:
            self.gateway.update_stage(ApiId=api, StageName=name, Description="d")
            self.gateway.delete_route_settings(ApiId=api, StageName=name, RouteKey="GET /a")
            self.gateway.delete_access_log_settings(ApiId=api, StageName=name)
            read = self.gateway.get_stage(ApiId=api, StageName=name)
            self.assertEqual(read["RouteSettings"], {})
            text = f"Successfully deployed stage with deployment ID '{read['DeploymentId']}'"
            self.assertEqual(read["LastDeploymentStatusMessage"], text)
            self.gateway.delete_stage(ApiId=api, StageName=name)
        self.assertEqual(self.gateway.get_stages(ApiId=api)["Items"], [])

    def test_functions_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        names = {f"function-{n}" for n in range(3)}
        for name in names:
            self.function(name)
        pages, items = self.paged(self.functions, "list_functions", "Functions")
        self.assertEqual((pages, {item["FunctionName"] for item in items}), (2, names))
        for name in names:
            self.functions.update_function_code(FunctionName=name, ZipFile=code_zip("// other\n"), Publish=True)
            self.functions.update_function_configuration(FunctionName=name, Timeout=5, MemorySize=256)
            version = self.functions.publish_version(FunctionName=name)["Version"]
            self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
            self.assertEqual(self.functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"], version)
            found = self.functions.get_function(FunctionName=name, Qualifier="live")
            self.assertTrue(found["Configuration"]["FunctionArn"].endswith(f":{name}:live"))
            self.assertEqual(self.functions.get_function_configuration(FunctionName=name)["Timeout"], 5)
            self.functions.delete_function(FunctionName=name)
        self.assertEqual(self.functions.list_functions()["Functions"], [])
        self.refused(404, "ResourceNotFoundException", self.functions.get_function, FunctionName="function-0")

    def test_permissions_are_added_read_and_removed(self):
        self.function()
        permission = {
            "FunctionName": "hello",
            "StatementId": "statement",
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api/*/*",
        }
        self.refused(404, "ResourceNotFoundException", self.functions.get_policy, FunctionName="hello")
        self.functions.add_permission(**permission)
        self.refused(409, "ResourceConflictException", self.functions.add_permission, **permission)
        self.assertIn('"Sid":"statement"', self.functions.get_policy(FunctionName="hello")["Policy"])
        removal = {"FunctionName": "hello", "StatementId": "statement"}
        self.functions.remove_permission(**removal)
        self.refused(404, "ResourceNotFoundException", self.functions.remove_permission, **removal)

    def test_roles_and_policies_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        names = {f"role-{n}" for n in range(3)}
        for name in names:
            self.role(name)
        pages, items = self.paged(self.iam, "list_roles", "Roles")
        self.assertEqual((pages, {item["RoleName"] for item in items}), (2, names))
        managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        for role in names:
            for n in range(3):
                self.iam.put_role_policy(RoleName=role, PolicyName=f"p{n}", PolicyDocument=permissions(FUNCTION))
            pages, policies = self.paged(self.iam, "list_role_policies", "PolicyNames", RoleName=role)
            self.assertEqual((pages, policies), (2, ["p0", "p1", "p2"]))
            document = self.iam.get_role_policy(RoleName=role, PolicyName="p0")["PolicyDocument"]
            self.assertEqual(document["Statement"][0]["Resource"], [FUNCTION])
            self.iam.attach_role_policy(RoleName=role, PolicyArn=managed)
            attached = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
            self.assertEqual(attached, [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": managed}])
            self.iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("apigateway.amazonaws.com"))
            self.iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=managed)
            self.assertIn("PermissionsBoundary", self.iam.get_role(RoleName=role)["Role"])
            self.iam.delete_role_permissions_boundary(RoleName=role)
            self.iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "<&>"}])
            self.iam.untag_role(RoleName=role, TagKeys=["owner"])
            self.assertEqual(self.iam.list_role_tags(RoleName=role)["Tags"], [{"Key": "a", "Value": "<&>"}])
            self.assertEqual(self.iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"], [])
            self.refused(409, "DeleteConflict", self.iam.delete_role, RoleName=role)
            for n in range(3):
                self.iam.delete_role_policy(RoleName=role, PolicyName=f"p{n}")
            self.iam.detach_role_policy(RoleName=role, PolicyArn=managed)
            self.iam.delete_role(RoleName=role)
        self.assertEqual(self.iam.list_roles()["Roles"], [])

    def test_sts_knows_the_caller_and_gives_sessions(self):
        self.assertEqual(self.sts.get_caller_identity()["Account"], ACCOUNT)
        role = {"RoleArn": self.role(), "RoleSessionName": "session"}
        self.assertIn("AccessKeyId", self.sts.assume_role(**role)["Credentials"])
        answer = self.sts.assume_role_with_web_identity(**role, WebIdentityToken="token")
        self.assertTrue(answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/role/session"))


class Refusals(SandboxTest):
    def test_a_second_route_of_one_key_is_refused(self):
        api = self.api()
        self.gateway.create_route(ApiId=api, RouteKey="GET /a")
        text = self.refused(409, "ConflictException", self.gateway.create_route, ApiId=api, RouteKey="GET /a")
        self.assertEqual(text, "Route with key GET /a already exists for this API")

    def test_an_integration_in_use_refuses_deletion(self):
        api = self.api()
        integration = self.integration(api)
        self.gateway.create_route(ApiId=api, RouteKey="GET /a", Target=f"integrations/{integration}")
        deletion = {"ApiId": api, "IntegrationId": integration}
        text = self.refused(409, "ConflictException", self.gateway.delete_integration, **deletion)
        self.assertIn("referenced by the following Routes", text)
        self.settings(delete_in_use_status=400)
        self.refused(400, "BadRequestException", self.gateway.delete_integration, **deletion)

    def test_an_issuer_that_cannot_be_reached_is_refused(self):
        api = self.api()
        with self.assertRaises(ClientError) as caught:
            self.authorizer(api, issuer="https://localhost:1/")
        self.assertIn("Issuer must have a valid discovery endpoint", str(caught.exception))

    def test_a_full_quota_is_refused(self):
        self.settings(quotas={"apis": 1, "roles": 1})
        self.api()
        self.refused(429, "TooManyRequestsException", self.gateway.create_api, Name="b", ProtocolType="HTTP")
        self.role()
        another = {"RoleName": "another", "AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}
        self.refused(409, "LimitExceeded", self.iam.create_role, **another)

    def test_a_request_that_is_not_modelled_says_so(self):
        text = self.refused(501, "SandboxNotModelled", self.gateway.get_vpc_links)
        self.assertIn("GET /v2/vpclinks", text)

    def test_keys_are_expired_invalid_or_denied(self):
        denied = {"name": "denied", "deny": ["apigateway:GET", "iam:GetRole"]}
        self.settings(expired_keys=["AKIDEXPIRED"], invalid_keys=["AKIDINVALID"], principals={"AKIDDENIED": denied})
        for key, gateway_code, iam_code in [
            ("AKIDEXPIRED", "ExpiredTokenException", "ExpiredToken"),
            ("AKIDINVALID", "UnrecognizedClientException", "InvalidClientTokenId"),
            ("AKIDDENIED", "AccessDeniedException", "AccessDenied"),
        ]:
            gateway, iam = self.sandbox.client("apigatewayv2", key), self.sandbox.client("iam", key)
            self.refused(403, gateway_code, gateway.get_apis)
            text = self.refused(403, iam_code, iam.get_role, RoleName="role")
        self.assertIn("User: arn:aws:iam::123456789012:user/denied is not authorized to perform: iam:GetRole", text)


class Faults(SandboxTest):
    def fault(self, action, **rule):
        return self.sandbox.control("POST", "faults", {**rule, "action": action})["ids"][0]

    def journal(self):
        return self.sandbox.control("GET", "journal")

    def test_a_failure_before_changes_nothing(self):
        error = {"kind": "fail", "status": 429, "code": "TooManyRequestsException", "message": "slow down"}
        self.fault(error, operation="CreateApi")
        self.refused(429, "TooManyRequestsException", self.api)
        self.assertEqual(self.gateway.get_apis()["Items"], [])
        self.assertFalse(self.journal()[0]["committed"])
        self.api()

    def test_a_dropped_answer_was_carried_out(self):
        self.fault({"kind": "drop", "when": "after"}, operation="CreateApi")
        with self.assertRaises(HTTPClientError):
            self.api()
        self.assertEqual(len(self.gateway.get_apis()["Items"]), 1)
        entry = self.journal()[0]
        self.assertEqual((entry["committed"], entry["dropped"], entry["status"]), (True, True, None))

    def test_a_truncated_answer_was_carried_out(self):
        self.fault({"kind": "truncate"}, operation="CreateApi")
        with self.assertRaises(ConnectionClosedError):
            self.api()
        self.assertEqual(len(self.gateway.get_apis()["Items"]), 1)

    def test_a_held_request_is_seen_and_released(self):
        impatient = self.sandbox.client("apigatewayv2", read_timeout=0.2)
        self.fault({"kind": "hold", "when": "after"}, operation="CreateApi")
        with self.assertRaises(ReadTimeoutError):
            impatient.create_api(Name="api", ProtocolType="HTTP")
        watched = self.sandbox.control("GET", "wait?journal=0&timeout_ms=10000")
        self.assertEqual(len(watched["held"]), 1)
        entry = self.journal()[0]
        self.assertEqual((entry["held"], entry["committed"], entry["status"]), (True, True, None))
        self.assertEqual(self.sandbox.control("POST", "release", {})["released"], 1)
        self.assertEqual(len(self.gateway.get_apis()["Items"]), 1)

    def test_a_request_held_before_is_carried_out_or_discarded(self):
        impatient = self.sandbox.client("apigatewayv2", read_timeout=0.2)
        self.fault({"kind": "hold", "when": "before"}, operation="CreateApi", times=None)
        for discard, apis in [(True, 0), (False, 1)]:
            with self.assertRaises(ReadTimeoutError):
                impatient.create_api(Name="api", ProtocolType="HTTP")
            number = self.sandbox.control("GET", "wait?journal=0")["held"][0]
            self.sandbox.control("POST", "release", {"number": number, "discard": discard})
            self.assertFalse(self.sandbox.control("GET", f"wait?ended={number}")["timed_out"])
            self.assertEqual(len(self.gateway.get_apis()["Items"]), apis)

    def test_a_denied_action_is_named(self):
        self.fault({"kind": "access_denied"}, service="lambda", operation="GetPolicy")
        text = self.refused(403, "AccessDeniedException", self.functions.get_policy, FunctionName="hello")
        self.assertIn("is not authorized to perform: lambda:GetPolicy", text)

    def test_throttles_have_each_services_words(self):
        self.fault({"kind": "throttle"}, times=None)
        self.refused(429, "TooManyRequestsException", self.gateway.get_apis)
        self.refused(429, "TooManyRequestsException", self.functions.list_functions)
        self.refused(400, "Throttling", self.iam.list_roles)

    def test_a_failed_deployment_is_told_by_the_stage(self):
        api = self.api()
        self.gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        self.fault({"kind": "fail_deployment", "message": "no luck"}, operation="CreateRoute")
        self.gateway.create_route(ApiId=api, RouteKey="GET /a")
        stage = self.gateway.get_stage(ApiId=api, StageName="$default")
        self.assertEqual(stage["LastDeploymentStatusMessage"], "no luck")

    def test_the_state_after_deletion_is_the_state_before_creation(self):
        before = self.sandbox.control("GET", "state")
        api = self.api()
        self.gateway.create_route(ApiId=api, RouteKey="GET /a")
        self.assertNotEqual(self.sandbox.control("GET", "state"), before)
        self.gateway.delete_api(ApiId=api)
        self.assertEqual(self.sandbox.control("GET", "state"), before)


# The data plane's part: a call through a route whose role lacks InvokeFunction answers 500.


if __name__ == "__main__":
    unittest.main()
