"""Calls of a deployed API: boto3 sets it up, and the function really runs."""

import json
import unittest
import urllib.error
import urllib.request

from sandbox import ACCOUNT, REGION, Sandbox, code_zip, permissions, trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"
CODE = "export const handler = async (event) => ({route: event.routeKey});\n"
DENIED = (500, {"message": "Internal Server Error"})


class Invoke(unittest.TestCase):
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
        self.functions.create_function(
            FunctionName="hello",
            Runtime="nodejs24.x",
            Role=self.role("run", "lambda.amazonaws.com"),
            Handler="index.handler",
            Timeout=20,
            Code={"ZipFile": code_zip(CODE)},
        )

    def role(self, name, service):
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]

    def api(self, **integration):
        """An API whose one route `GET /a` has an integration with the function."""
        api = self.gateway.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        members = {"IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0", **integration}
        created = self.gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", **members)
        target = f"integrations/{created['IntegrationId']}"
        self.gateway.create_route(ApiId=api, RouteKey="GET /a", Target=target)
        self.gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        return api

    def call(self, api, path):
        """Status and JSON of a GET."""
        try:
            with urllib.request.urlopen(f"{self.sandbox.url}/_sandbox/invoke/{api}{path}") as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def test_a_role_that_may_not_invoke_answers_500_and_one_that_may_200(self):
        api = self.api(CredentialsArn=self.role("invoker", "apigateway.amazonaws.com"))
        self.assertEqual(self.call(api, "/a"), DENIED)
        self.iam.put_role_policy(RoleName="invoker", PolicyName="p", PolicyDocument=permissions(f"{FUNCTION}:live"))
        self.assertEqual(self.call(api, "/a"), DENIED, "an alias does not cover the function")
        self.iam.put_role_policy(RoleName="invoker", PolicyName="p", PolicyDocument=permissions(FUNCTION))
        self.assertEqual(self.call(api, "/a"), (200, {"route": "GET /a"}))

    def test_without_a_role_the_functions_own_policy_decides(self):
        api = self.api()
        self.assertEqual(self.call(api, "/a"), DENIED)
        self.functions.add_permission(
            FunctionName="hello",
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*",
        )
        self.assertEqual(self.call(api, "/a"), (200, {"route": "GET /a"}))
        self.assertEqual(self.call(api, "/b"), (404, {"message": "Not Found"}))


if __name__ == "__main__":
    unittest.main()
