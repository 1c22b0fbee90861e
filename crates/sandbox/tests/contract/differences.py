"""The table of what moto does otherwise, and why the sandbox is right."""

import pathlib
from dataclasses import dataclass

TABLE = pathlib.Path(__file__).with_name("differences.md")
HEAD = """\
# Where moto differs

What moto {version} does with a case that the sandbox passes, and why the sandbox is right. Sources are paragraphs of
the project's fact sheet on AWS, or B, the public service model, with how sure each is: D documented (D? in an old copy only), O observed, I inferred, U
not confirmed, where the sandbox has a switch and is tried both ways. `pytest crates/sandbox/tests/contract --record`
writes the first three columns; the last is written by hand, and the suite fails while one is empty.

| case | moto | source | why the sandbox is right |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Difference:
    case: str
    moto: str
    source: str
    why: str


def read() -> dict[str, Difference]:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")][1:]
    differences = [Difference(*cells(row)) for row in rows]
    return {difference.case: difference for difference in differences}


def written(differences, version: str) -> str:
    """The file as it has to be."""
    rows = [f"| {d.case} | {d.moto} | {d.source} | {d.why} |\n" for d in map(escaped, differences)]
    return HEAD.format(version=version) + "".join(rows)


def cells(row: str) -> list[str]:
    parts = row.strip().removeprefix("|").removesuffix("|").replace("\\|", "\0").split("|")
    return [part.strip().replace("\0", "|") for part in parts]


def escaped(difference: Difference) -> Difference:
    return Difference(*(value.replace("|", "\\|") for value in vars(difference).values()))
