"""Who plays AWS in this run, and what came of it."""

import pathlib
from collections import Counter
from dataclasses import dataclass, field

import pytest

import differences
from case import CASES
from ground import OnMoto, OnSandbox
from sandbox import Issuer, Sandbox


@dataclass
class Outcomes:
    sandbox: set = field(default_factory=set)
    same: set = field(default_factory=set)
    differ: dict = field(default_factory=dict)
    explained: set = field(default_factory=set)


OUTCOMES = Outcomes()


def pytest_addoption(parser):
    parser.addoption("--record", action="store_true", help="write what moto does into the table of differences")


@pytest.fixture(scope="session")
def outcomes():
    return OUTCOMES


@pytest.fixture(scope="session")
def recording(request):
    return request.config.getoption("--record", default=False)


@pytest.fixture(scope="session")
def table():
    return differences.read()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    issuer = Issuer(pathlib.Path(tmp_path_factory.mktemp("issuer")))
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def sandbox(issuer):
    sandbox = Sandbox("--issuer-ca", str(issuer.authority_file))
    yield OnSandbox(sandbox, issuer)
    sandbox.close()


@pytest.fixture(scope="session")
def moto(issuer):
    return OnMoto(issuer)


def pytest_terminal_summary(terminalreporter):
    if not OUTCOMES.sandbox:
        return
    services = Counter(case.service for case in CASES)
    terminalreporter.write_line(", ".join(f"{service} {count}" for service, count in services.items()))
    terminalreporter.write_line(
        f"contract: {len(CASES)} cases, sandbox {len(OUTCOMES.sandbox)}, moto {len(OUTCOMES.same)}, "
        f"explained differences {len(OUTCOMES.explained)}"
    )
