"""AWS as a case sees it, whoever plays it, and what a case demands of an answer."""

import contextlib

from botocore.exceptions import ClientError

from sandbox import ACCOUNT, REGION, code_zip, trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/invoker"


class Differs(AssertionError):
    """An answer that is not what the case demands; the text holds nothing that changes from run to run."""


class Unsteerable(Differs):
    """What a case needs beside AWS's own requests does not exist here."""


def answers(answer, **members):
    """Demands members of an answer. Lists are sets: AWS guarantees no order."""
    for name, wanted in members.items():
        found = answer.get(name)
        if comparable(found) != comparable(wanted):
            raise Differs(shown(name, found))


def lacks(answer, *names):
    """Demands that members are absent, or empty, which is the same."""
    for name in names:
        found = answer.get(name)
        if found not in (None, "", [], {}):
            raise Differs(shown(name, found))


def demand(holds, otherwise: str):
    """Demands anything else."""
    if not holds:
        raise Differs(otherwise)


@contextlib.contextmanager
def refused(status: int, code: str | None, *texts: str):
    """Demands that the request within is refused in this way, and in words that contain the texts.

    No code is demanded where the sources give none. What is yielded holds the refusal's members afterwards.
    """
    members = {}
    try:
        yield members
    except ClientError as error:
        response = error.response
        found = (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"])
        if found != (status, code or found[1]):
            raise Differs(f"{found[0]} {found[1]}") from error
        for text in texts:
            if text not in response["Error"]["Message"]:
                raise Differs("refused in other words") from error
        members.update(response)
    else:
        raise Differs("accepted")


def comparable(value):
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(value)
    return value


def shown(name: str, value) -> str:
    """What was found; identifiers are new in every run."""
    if value is None:
        return f"{name} is absent"
    if name.endswith("Id"):
        return f"{name} is another"
    text = repr(value)
    return f"{name} is {text}" if len(text) <= 60 else f"{name} is {text[:57]}..."


class Aws:
    """Clients of every service, and the things that cases are about."""

    def __init__(self, ground, access_key="AKIDCONTRACT"):
        self.ground = ground
        self.issuer = ground.issuer
        self.gateway = ground.client("apigatewayv2", access_key)
        self.functions = ground.client("lambda", access_key)
        self.iam = ground.client("iam", access_key)
        self.sts = ground.client("sts", access_key)
        self.logs = ground.client("logs", access_key)

    def with_key(self, access_key: str):
        """The same account with another access key."""
        return Aws(self.ground, access_key)

    def api(self, **members):
        return Api(self.gateway, {"Name": "api", "ProtocolType": "HTTP", **members}, self.issuer)

    def role(self, name="role", service="lambda.amazonaws.com", **members) -> str:
        """The ARN of a new role."""
        members = {"AssumeRolePolicyDocument": trust(service), **members}
        return self.iam.create_role(RoleName=name, **members)["Role"]["Arn"]

    def function(self, name="hello", **members):
        """The answer to the creation of a function, with a role of its own unless one is named."""
        defaults = {"Runtime": "nodejs24.x", "Handler": "index.handler", "Code": {"ZipFile": code_zip()}}
        if "Role" not in members:
            defaults["Role"] = self.role(f"role-of-{name}")
        return self.functions.create_function(FunctionName=name, **{**defaults, **members})

    def permit(self, statement="gateway", **members):
        """Adds a permission to `hello`."""
        defaults = {"FunctionName": "hello", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
        return self.functions.add_permission(StatementId=statement, **{**defaults, **members})


class Thing:
    """Something of API Gateway: how it was answered when it was made, and its other requests."""

    def __init__(self, client, noun, keys, answer):
        self.client, self.noun, self.keys, self.made = client, noun, keys, answer

    def __getitem__(self, member):
        return self.made[member]

    def read(self):
        return getattr(self.client, f"get_{self.noun}")(**self.keys)

    def update(self, **members):
        return getattr(self.client, f"update_{self.noun}")(**self.keys, **members)

    def delete(self):
        return getattr(self.client, f"delete_{self.noun}")(**self.keys)


class Api(Thing):
    """An API and the making of its children."""

    def __init__(self, client, members, issuer):
        answer = client.create_api(**members)
        super().__init__(client, "api", {"ApiId": answer["ApiId"]}, answer)
        self.issuer = issuer

    @property
    def arn(self) -> str:
        return f"arn:aws:apigateway:{REGION}::/apis/{self['ApiId']}"

    def authorizer(self, Name="default", **members):
        defaults = {
            "Name": Name,
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": self.issuer, "Audience": ["audience"]},
        }
        return self.child("authorizer", "AuthorizerId", {**defaults, **members})

    def integration(self, **members):
        defaults = {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0"}
        return self.child("integration", "IntegrationId", {**defaults, **members})

    def route(self, key="GET /a", **members):
        return self.child("route", "RouteId", {"RouteKey": key, **members})

    def protected_route(self, key="GET /a", **members):
        """A route with an authorizer of its own."""
        guard = {"AuthorizationType": "JWT", "AuthorizerId": self.authorizer()["AuthorizerId"]}
        return self.route(key, **guard, **members)

    def stage(self, name="$default", **members):
        return self.child("stage", "StageName", {"StageName": name, **members})

    def list(self, noun, **members):
        return getattr(self.client, f"get_{noun}s")(**self.keys, **members)

    def child(self, noun, key, members):
        answer = getattr(self.client, f"create_{noun}")(**self.keys, **defined(members))
        return Thing(self.client, noun, {**self.keys, key: answer[key]}, answer)


def defined(members):
    """Without what a case took away with None."""
    return {name: value for name, value in members.items() if value is not None}
