"""Functions with all that they need, as boto3 sees it: role, log group, code, configuration, tags; every answer valid by
botocore's models."""

import base64
import hashlib
import unittest

from botocore.exceptions import ClientError

from sandbox import ACCOUNT, REGION, Sandbox, code_zip, trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"
GROUP = "/aws/lambda/hello"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"


class FunctionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.close()

    def setUp(self):
        self.sandbox.clear()
        self.functions = self.sandbox.client("lambda")
        self.iam = self.sandbox.client("iam")
        self.logs = self.sandbox.client("logs")

    def settings(self, **switches):
        self.sandbox.control("PATCH", "settings", switches)

    def refused(self, status, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        response = caught.exception.response
        self.assertEqual((response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]), (status, code))
        return response["Error"]["Message"]

    def role(self, name="execution", service="lambda.amazonaws.com"):
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]

    def create(self, role, **members):
        members = {"Runtime": "nodejs24.x", "Handler": "index.handler", **members}
        members.setdefault("Code", {"ZipFile": code_zip()})
        return self.functions.create_function(FunctionName="hello", Role=role, **members)


class LogGroups(FunctionsTest):
    def test_log_groups_are_created_paged_updated_and_deleted(self):
        self.settings(page_size=2)
        names = [f"/aws/lambda/{n}" for n in range(3)]
        for name in reversed(names):
            self.logs.create_log_group(logGroupName=name, tags={"jwthttpapi.dev/uid": "1"})
        self.logs.create_log_group(logGroupName="other")
        pages = list(self.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/"))
        self.assertEqual([[group["logGroupName"] for group in page["logGroups"]] for page in pages], [names[:2], names[2:]])
        for name in names:
            self.logs.put_retention_policy(logGroupName=name, retentionInDays=14)
            group = self.logs.describe_log_groups(logGroupNamePrefix=name, limit=1)["logGroups"][0]
            self.assertEqual((group["retentionInDays"], group["arn"]), (14, group["logGroupArn"] + ":*"))
            self.logs.delete_retention_policy(logGroupName=name)
            arn = group["logGroupArn"]
            self.logs.tag_resource(resourceArn=arn, tags={"b": "2", "c": "3"})
            self.logs.untag_resource(resourceArn=arn, tagKeys=["c"])
            tags = {"jwthttpapi.dev/uid": "1", "b": "2"}
            self.assertEqual(self.logs.list_tags_for_resource(resourceArn=arn)["tags"], tags)
            self.logs.delete_log_group(logGroupName=name)
        self.assertEqual(len(self.logs.describe_log_groups()["logGroups"]), 1)

    def test_refusals_are_those_of_the_model(self):
        group = {"logGroupName": GROUP}
        self.refused(400, "ResourceNotFoundException", self.logs.delete_log_group, **group)
        self.logs.create_log_group(**group)
        self.refused(400, "ResourceAlreadyExistsException", self.logs.create_log_group, **group)
        self.refused(400, "InvalidParameterException", self.logs.create_log_group, logGroupName="a b")
        retention = self.logs.put_retention_policy
        self.refused(400, "InvalidParameterException", retention, retentionInDays=2, **group)
        tag = self.logs.tag_resource
        self.refused(400, "ValidationException", tag, resourceArn=GROUP_ARN + ":*", tags={"a": "1"})
        many = {str(n): "" for n in range(50)}
        tag(resourceArn=GROUP_ARN, tags=many)
        self.refused(400, "TooManyTagsException", tag, resourceArn=GROUP_ARN, tags={"one": "more"})
        self.settings(quotas={"log_groups": 1})
        self.refused(400, "LimitExceededException", self.logs.create_log_group, logGroupName="more")
        self.refused(501, "SandboxNotModelled", self.logs.describe_log_streams, **group)

    def test_keys_are_expired_invalid_denied_or_too_fast(self):
        self.settings(
            expired_keys=["AKIDEXPIRED"],
            invalid_keys=["AKIDINVALID"],
            principals={"AKIDDENIED": {"name": "denied", "deny": ["logs:*"]}},
        )
        for key, code in [
            ("AKIDEXPIRED", "ExpiredTokenException"),
            ("AKIDINVALID", "UnrecognizedClientException"),
            ("AKIDDENIED", "AccessDeniedException"),
        ]:
            self.refused(400, code, self.sandbox.client("logs", key).describe_log_groups)
        self.settings(rate_limits={"logs": {"per_second": 1, "burst": 0}})
        self.refused(400, "ThrottlingException", self.logs.describe_log_groups)


class Functions(FunctionsTest):
    def test_a_function_lives_from_its_role_to_its_log_group(self):
        self.settings(function_delay_ms=300)
        code = code_zip()
        created = self.create(self.role(), Code={"ZipFile": code}, Tags={"jwthttpapi.dev/uid": "1"})
        self.assertEqual((created["State"], created["StateReasonCode"]), ("Pending", "Creating"))
        self.assertEqual(created["CodeSha256"], base64.b64encode(hashlib.sha256(code).digest()).decode())
        configure = {"FunctionName": "hello", "Timeout": 5}
        text = self.refused(
            409, "ResourceConflictException", self.functions.update_function_configuration, **configure
        )
        self.assertTrue(text.endswith("The function is currently in the following state: Pending"), text)
        self.wait("function_active_v2")
        updated = self.functions.update_function_configuration(**configure)
        self.assertEqual((updated["Timeout"], updated["LastUpdateStatus"]), (5, "InProgress"))
        new = {"FunctionName": "hello", "ZipFile": code_zip("// other\n"), "Architectures": ["arm64"]}
        text = self.refused(409, "ResourceConflictException", self.functions.update_function_code, **new)
        self.assertTrue(text.endswith(f"An update is in progress for resource: {FUNCTION}"), text)
        self.wait("function_updated_v2")
        self.assertEqual(self.functions.update_function_code(**new)["Architectures"], ["arm64"])
        self.wait("function_updated_v2")
        found = self.functions.get_function(FunctionName="hello")
        self.assertEqual((found["Tags"], found["Configuration"]["Timeout"]), ({"jwthttpapi.dev/uid": "1"}, 5))
        self.logs.create_log_group(logGroupName=GROUP)
        self.functions.delete_function(FunctionName="hello")
        self.assertEqual(len(self.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]), 1)

    def wait(self, waiter):
        self.functions.get_waiter(waiter).wait(FunctionName="hello", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})

    def test_tags_are_added_listed_and_removed(self):
        self.create(self.role())
        self.assertEqual(self.functions.list_tags(Resource=FUNCTION)["Tags"], {})
        self.functions.tag_resource(Resource=FUNCTION, Tags={"a/b": "1", "c": "2"})
        self.functions.untag_resource(Resource=FUNCTION, TagKeys=["c"])
        self.assertEqual(self.functions.list_tags(Resource=FUNCTION)["Tags"], {"a/b": "1"})
        absent = {"Resource": FUNCTION + "-not"}
        self.refused(404, "ResourceNotFoundException", self.functions.list_tags, **absent)
        qualified = {"Resource": FUNCTION + ":live", "Tags": {"a": "1"}}
        self.refused(400, "InvalidParameterValueException", self.functions.tag_resource, **qualified)

    def test_members_are_checked_with_awss_codes(self):
        role = self.role()
        gateway = self.role("gateway", "apigateway.amazonaws.com")
        create = lambda **members: self.create(members.pop("Role", role), **members)
        for code, members in [
            ("InvalidParameterValueException", {"Role": gateway}),
            ("InvalidParameterValueException", {"Code": {"ZipFile": b"no zip"}}),
            ("InvalidParameterValueException", {"Environment": {"Variables": {"AWS_REGION": "x"}}}),
            ("InvalidParameterValueException", {"Environment": {"Variables": {"KEY": "v" * 4096}}}),
            ("InvalidParameterValueException", {"Runtime": "nodejs20.x"}),
            ("ValidationException", {"Environment": {"Variables": {"A-B": "x"}}}),
            ("ValidationException", {"Timeout": 901}),
            ("ValidationException", {"MemorySize": 10241}),
        ]:
            self.refused(400, code, create, **members)
        create()
        self.refused(409, "ResourceConflictException", create)

    def test_omitted_members_stay_and_empty_variables_clear(self):
        self.create(self.role(), Environment={"Variables": {"KEY": "1"}})
        kept = self.functions.update_function_configuration(FunctionName="hello", MemorySize=256)
        self.assertEqual(kept["Environment"]["Variables"], {"KEY": "1"})
        cleared = self.functions.update_function_configuration(FunctionName="hello", Environment={"Variables": {}})
        self.assertNotIn("Environment", cleared)
        self.assertEqual(cleared["MemorySize"], 256)

    def test_a_role_is_passed_only_with_the_permission_to_pass_it(self):
        role = self.role()
        self.settings(principals={"AKIDDENIED": {"name": "denied", "deny": ["iam:PassRole"]}})
        self.functions = self.sandbox.client("lambda", "AKIDDENIED")
        text = self.refused(403, "AccessDeniedException", self.create, role=role)
        self.assertIn(f"is not authorized to perform: iam:PassRole on resource: {role}", text)

    def test_the_state_tells_functions_and_log_groups(self):
        before = self.sandbox.control("GET", "state")
        self.logs.create_log_group(logGroupName=GROUP, tags={"a": "1"})
        group = self.sandbox.control("GET", "state")["regions"][REGION]["logGroups"][0]
        self.assertEqual((group["tags"], group["logStreams"]), ({"a": "1"}, {}))
        self.logs.delete_log_group(logGroupName=GROUP)
        self.assertEqual(self.sandbox.control("GET", "state"), before)
        entry = self.sandbox.control("GET", "journal")[-1]
        self.assertEqual((entry["service"], entry["operation"], entry["target"]), ("logs", "DeleteLogGroup", GROUP))


if __name__ == "__main__":
    unittest.main()
