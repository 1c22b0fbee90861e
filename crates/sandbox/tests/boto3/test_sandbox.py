"""What the sandbox is beside AWS's rules: paginators go through, faults act, and what is not modelled says so."""

import unittest

from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from sandbox import ACCOUNT, REGION, Sandbox, code_zip, permissions, trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"


class SandboxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.close()

    def setUp(self):
        self.sandbox.clear()
        self.gateway = self.sandbox.client("apigatewayv2")
        self.functions = self.sandbox.client("lambda")
        self.iam = self.sandbox.client("iam")

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

    def role(self, name):
        document = trust("lambda.amazonaws.com")
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


class Paginators(SandboxTest):
    """boto3's own, with pages of two."""

    def setUp(self):
        super().setUp()
        self.settings(page_size=2)

    def paged(self, client, operation, member, key=None, **arguments):
        pages = list(client.get_paginator(operation).paginate(**arguments))
        return len(pages), {item[key] if key else item for page in pages for item in page[member]}

    def test_apis_are_met_once(self):
        apis = {self.api() for _ in range(5)}
        self.assertEqual(self.paged(self.gateway, "get_apis", "Items", "ApiId"), (3, apis))

    def test_children_of_an_api_are_met_once(self):
        api = self.api()
        routes = {self.gateway.create_route(ApiId=api, RouteKey=f"GET /{n}")["RouteId"] for n in range(3)}
        self.assertEqual(self.paged(self.gateway, "get_routes", "Items", "RouteId", ApiId=api), (2, routes))
        names = {"$default", "one", "two"}
        for name in names:
            self.gateway.create_stage(ApiId=api, StageName=name)
        self.assertEqual(self.paged(self.gateway, "get_stages", "Items", "StageName", ApiId=api), (2, names))

    def test_roles_functions_and_policies_are_met_once(self):
        names = {"a", "b", "c"}
        # Every policy is one of the first role.
        for name in sorted(names):
            role = self.role(name)
            self.functions.create_function(
                FunctionName=name,
                Runtime="nodejs24.x",
                Role=role,
                Handler="index.handler",
                Code={"ZipFile": code_zip()},
            )
            self.iam.put_role_policy(RoleName="a", PolicyName=name, PolicyDocument=permissions(FUNCTION))
        self.assertEqual(self.paged(self.iam, "list_roles", "Roles", "RoleName"), (2, names))
        self.assertEqual(self.paged(self.iam, "list_role_policies", "PolicyNames", RoleName="a"), (2, names))
        self.assertEqual(self.paged(self.functions, "list_functions", "Functions", "FunctionName"), (2, names))


class NotModelled(SandboxTest):
    def test_a_request_that_is_not_modelled_says_so(self):
        text = self.refused(501, "SandboxNotModelled", self.gateway.get_vpc_links)
        self.assertIn("GET /v2/vpclinks", text)


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


if __name__ == "__main__":
    unittest.main()
