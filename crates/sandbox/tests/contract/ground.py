"""Those who play AWS: the sandbox, and moto."""

import contextlib
import threading
import urllib.error
import urllib.request

import boto3
import moto
from botocore.config import Config

from aws import Aws, Unsteerable
from sandbox import REGION

# The service judges what is sent, not the client.
UNCHECKED = {"parameter_validation": False}


class Ground:
    """Clients, kept for all cases, and the last operation that one of them asked for."""

    def __init__(self, issuer):
        self.issuer = issuer.url
        self.token = issuer.token
        self.asked = "nothing"
        self.clients = {}

    def client(self, service: str, access_key: str):
        key = (service, access_key)
        if key not in self.clients:
            client = self.connect(service, access_key)
            client.meta.events.register("before-parameter-build.*.*", self.note)
            self.clients[key] = client
        return self.clients[key]

    def note(self, model, **_):
        self.asked = model.name


class OnSandbox(Ground):
    """The sandbox, with the switches of each case."""

    def __init__(self, sandbox, issuer):
        super().__init__(issuer)
        self.sandbox = sandbox

    def connect(self, service, access_key):
        return self.sandbox.client(service, access_key, **UNCHECKED)

    @contextlib.contextmanager
    def empty(self, case):
        """An empty account."""
        self.sandbox.clear()
        if case.settings:
            self.sandbox.control("PATCH", "settings", case.settings)
        yield Aws(self)

    @contextlib.contextmanager
    def held(self, operation, request):
        """While a request is on its way."""
        rule = {"operation": operation, "action": {"kind": "hold", "when": "before"}}
        self.sandbox.control("POST", "faults", rule)
        thread = threading.Thread(target=request)
        thread.start()
        try:
            # No request has that number: what is waited for is the one that is held.
            watched = self.sandbox.control("GET", "wait?journal=999999")
            assert watched["held"], "the request did not arrive"
            yield
        finally:
            self.sandbox.control("POST", "release", {})
            thread.join()

    def call(self, api, path, method="GET", headers=None):
        """Status, headers and body of a call of a deployed API."""
        url = f"{self.sandbox.url}/_sandbox/invoke/{api}{path}"
        request = urllib.request.Request(url, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()


class OnMoto(Ground):
    """moto within this process; it has no switches."""

    # What moto loads of AWS's own policies takes it seconds for every account.
    CONFIG = {"iam": {"load_aws_managed_policies": False}, "lambda": {"use_docker": False}}
    MANAGED = {**CONFIG, "iam": {"load_aws_managed_policies": True}}

    def connect(self, service, access_key):
        return boto3.client(
            service,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, **UNCHECKED),
        )

    @contextlib.contextmanager
    def empty(self, case):
        """An empty account, whatever the switches."""
        with moto.mock_aws(config=self.MANAGED if case.managed else self.CONFIG):
            yield Aws(self)

    def held(self, operation, request):
        raise Unsteerable("answers at once: no two requests are under way together")

    def call(self, api, path, method="GET", headers=None):
        raise Unsteerable("serves no HTTP APIs")
