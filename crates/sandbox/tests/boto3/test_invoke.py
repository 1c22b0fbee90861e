"""Calls of a deployed API: boto3 sets it up, unmodified, and the function really runs.

AWS_ENDPOINT_URL names the sandbox.
"""

import io
import json
import os
import unittest
import urllib.error
import urllib.request
import zipfile

import boto3

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
CODE = "def handler(event, context):\n    return {'route': event['routeKey']}\n"


def trusting(service):
    principal = {"Service": service}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allowing(action, resource):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def call(api, path):
    """Status and JSON of a GET."""
    try:
        with urllib.request.urlopen(f"{ENDPOINT}/_sandbox/invoke/{api}{path}") as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Invoke(unittest.TestCase):
    def setUp(self):
        self.gateway, self.functions, self.iam = map(SESSION.client, ["apigatewayv2", "lambda", "iam"])
        name = self.id().rpartition(".")[2][:40]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
            files.writestr("app.py", CODE)
        execution = self.role(f"{name}-run", "lambda.amazonaws.com")
        self.function = self.functions.create_function(
            FunctionName=name, Runtime="python3.13", Handler="app.handler", Role=execution, Timeout=20,
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]  # fmt: skip
        self.addCleanup(self.functions.delete_function, FunctionName=name)
        self.name = name

    def role(self, name, service):
        self.addCleanup(self.iam.delete_role, RoleName=name)
        answer = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(service))
        return answer["Role"]["Arn"]

    def api(self, **integration):
        """An API whose one route `GET /a` has an integration with the function."""
        api = self.gateway.create_api(Name=self.name, ProtocolType="HTTP")["ApiId"]
        self.addCleanup(self.gateway.delete_api, ApiId=api)
        integration_id = self.gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=self.function, PayloadFormatVersion="2.0",
            **integration,
        )["IntegrationId"]  # fmt: skip
        self.gateway.create_route(ApiId=api, RouteKey="GET /a", Target=f"integrations/{integration_id}")
        self.gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        return api

    def test_a_role_that_may_not_invoke_answers_500_and_one_that_may_200(self):
        invoker = f"{self.name}-invoke"
        api = self.api(CredentialsArn=self.role(invoker, "apigateway.amazonaws.com"))
        self.assertEqual(call(api, "/a"), (500, {"message": "Internal Server Error"}))

        self.iam.put_role_policy(
            RoleName=invoker, PolicyName="p", PolicyDocument=allowing("lambda:InvokeFunction", self.function)
        )
        self.addCleanup(self.iam.delete_role_policy, RoleName=invoker, PolicyName="p")
        self.assertEqual(call(api, "/a"), (200, {"route": "GET /a"}))

    def test_without_a_role_the_functions_own_policy_decides(self):
        api = self.api()
        self.assertEqual(call(api, "/a"), (500, {"message": "Internal Server Error"}))
        account = self.function.split(":")[4]
        self.functions.add_permission(
            FunctionName=self.name, StatementId="gateway", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:eu-west-1:{account}:{api}/*/*",
        )  # fmt: skip
        self.assertEqual(call(api, "/a"), (200, {"route": "GET /a"}))
        self.assertEqual(call(api, "/b"), (404, {"message": "Not Found"}))


if __name__ == "__main__":
    unittest.main()
