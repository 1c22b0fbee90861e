"""Every case on the sandbox, where it has to hold, and on moto, where it holds or a row of the table says why not."""

import importlib.metadata
import pathlib

import pytest

import cases  # noqa: F401  registers them
import differences
from aws import Differs, Unsteerable
from botocore.exceptions import ClientError
from case import CASES
from differences import Difference

NAMES = [case.name for case in CASES]
# Switches about the calls of an API, which the Rust tests of the data plane try, and about the tests' own comfort.
NOT_OF_THE_CONTROL_PLANE = {"latency_ms", "jwks_cache_seconds", "api_endpoint"}


def test_there_are_cases_and_not_a_few():
    assert len(CASES) >= 200


def test_every_source_is_one_of_the_page():
    page = (pathlib.Path(__file__).parent / "sources.md").read_text(encoding="utf-8")
    known = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    cited = {source for case in CASES for source in case.source.split(", ")}
    assert cited <= known


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_sandbox(case, sandbox, outcomes):
    with sandbox.empty(case) as aws:
        case.run(aws)
    outcomes.sandbox.add(case.name)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_moto(case, moto, table, outcomes, recording):
    difference = difference_of(case, moto)
    if difference is None:
        outcomes.same.add(case.name)
    else:
        outcomes.differ[case.name] = difference
    if recording:
        return
    row = table.get(case.name)
    found = row and (row.moto, row.source)
    assert (difference and (difference, case.cited)) == found, "the table says otherwise"
    if row:
        assert row.why, "the table does not say why"
        outcomes.explained.add(case.name)


def difference_of(case, moto):
    """What moto does otherwise, or nothing."""
    try:
        with moto.empty(case) as aws:
            case.run(aws)
    except Unsteerable as difference:
        return str(difference)
    except Differs as difference:
        return f"{moto.asked}: {difference}"
    except ClientError as error:
        metadata = error.response["ResponseMetadata"]
        return f"{moto.asked}: {metadata['HTTPStatusCode']} {error.response['Error']['Code']}"
    except Exception as error:  # moto's own faults come out of the client as they are
        return f"{moto.asked}: {type(error).__name__} within moto"
    return None


def test_the_table_is_written_as_it_has_to_be(table, outcomes, recording):
    version = importlib.metadata.version("moto")
    if recording:
        rows = [row for row in (row_of(case, table.get(case.name), outcomes) for case in CASES) if row]
        differences.TABLE.write_text(differences.written(rows, version))
        return
    assert set(table) <= set(NAMES), "the table names cases that are none"
    ordered = [table[name] for name in NAMES if name in table]
    assert differences.TABLE.read_text() == differences.written(ordered, version), "not as --record writes it"


def row_of(case, row, outcomes):
    """What the table has to say about a case: what this run found, or as before when it did not look."""
    if case.name in outcomes.same:
        return None
    found = outcomes.differ.get(case.name)
    return row if found is None else Difference(case.name, found, case.cited, row.why if row else "")


def test_every_switch_is_tried_both_ways(sandbox):
    """A switch that no case moves, or that none leaves as it is, is not tried."""
    sandbox.sandbox.clear()
    defaults = sandbox.sandbox.control("GET", "settings")
    moved = {name for case in CASES for name, value in case.settings.items() if value != defaults[name]}
    assert set(defaults) - NOT_OF_THE_CONTROL_PLANE == moved
    for name, default in defaults.items():
        if isinstance(default, bool):
            values = [case.settings[name] for case in CASES if name in case.settings]
            assert {True, False} <= set(values), f"{name} is not tried both ways"
