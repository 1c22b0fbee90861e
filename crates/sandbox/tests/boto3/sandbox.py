"""A sandbox under test: the built program on a free port, an issuer beside it, and clients that check every answer."""

import base64
import io
import json
import os
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import trustme
from botocore.config import Config
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shapes import Validator

REGION = "eu-central-1"
ACCOUNT = "123456789012"


def program() -> str:
    """The built sandbox: SANDBOX_BIN, or the debug build of this workspace."""
    if "SANDBOX_BIN" in os.environ:
        return os.environ["SANDBOX_BIN"]
    workspace = pathlib.Path(__file__).resolve().parents[4]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", workspace / "target"))
    return str(target / "debug" / "jwthttpapi-sandbox")


class Issuer:
    """An issuer with a discovery document and one key, over TLS with an authority of its own."""

    def __init__(self, directory: pathlib.Path):
        authority = trustme.CA()
        self.authority_file = directory / "issuer-ca.pem"
        authority.cert_pem.write_to_path(self.authority_file)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": issuer.url + "jwks.json",
                    },
                    "/jwks.json": {"keys": [issuer.public_key()]},
                }
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def public_key(self):
        """The key as a JWKS document holds it."""
        numbers = self.key.public_key().public_numbers()
        parts = {name: base64url(number.to_bytes(256)) for name, number in [("n", numbers.n), ("e", numbers.e)]}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key", **parts}

    def token(self, **claims) -> str:
        """A token, good for an hour unless the claims say otherwise."""
        claims = {"iss": self.url, "exp": int(time.time()) + 3600, **claims}
        parts = [{"alg": "RS256", "kid": "key"}, claims]
        signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Sandbox:
    """A running sandbox."""

    def __init__(self, *arguments: str):
        command = [program(), "--listen", "127.0.0.1:0", "--account", ACCOUNT, "--region", REGION, *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the sandbox did not start: {line}")
        self.url = line.split()[-1]
        self.validator = Validator()

    def close(self):
        self.process.terminate()
        code = self.process.wait()
        self.process.stderr.close()
        if code != 0:
            raise RuntimeError(f"the sandbox ended with {code}")

    def client(self, service: str, access_key: str = "AKIDSANDBOX", **options):
        """A client that neither retries nor leaves an answer unchecked."""
        client = boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, **options),
        )
        client.meta.events.register("before-parse.*.*", self.validator.check)
        return client

    def control(self, method: str, path: str, body=None):
        """A request to the sandbox itself."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def clear(self):
        """An empty account with default settings."""
        self.control("POST", "reset")
        defaults = {name: None for name in self.control("GET", "settings")}
        self.control("PATCH", "settings", defaults)


def base64url(data: bytes) -> str:
    """As tokens hold it: without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def code_zip(source: str = "export const handler = async () => ({});\n") -> bytes:
    """A function's code: the same source gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.mjs"), source)
    return buffer.getvalue()


def trust(service: str) -> str:
    """A trust policy for one service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def permissions(*resources: str) -> str:
    """Permission to invoke functions."""
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": list(resources)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
