"""Cases: rules of AWS, each with its source, and what it takes to try it."""

import functools
from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass(frozen=True)
class Case:
    """One rule that a model of AWS either follows or does not."""

    name: str
    service: str
    # Paragraphs of the fact sheet, and how sure they are: D documented, O observed, I inferred, U not confirmed.
    source: str
    confidence: str
    # Switches of the sandbox that differ from their defaults; nothing else can be steered.
    settings: dict[str, Any]
    # Whether it names a policy that AWS manages.
    managed: bool
    run: Callable[[Any], None] = field(compare=False)

    @property
    def cited(self) -> str:
        return f"{self.source} {self.confidence}"


CASES: list[Case] = []


def cases_of(service: str):
    """The decorator of one service's cases; the name of the function is the rule.

    With `each`, a list of values or a dictionary of named ones, there is one case for every value.
    """

    def case(source: str, confidence: str, *, settings=None, managed=False, each=None):
        def register(function):
            group = function.__module__.rpartition(".")[2]
            name = f"{group}.{function.__name__}"
            values = {None: None} if each is None else each if isinstance(each, dict) else {str(v): v for v in each}
            for label, value in values.items():
                run = function if each is None else functools.partial(function, each=value)
                full = name if label is None else f"{name}[{label}]"
                if any(known.name == full for known in CASES):
                    raise ValueError(f"two cases have the name {full}")
                CASES.append(Case(full, service, source, confidence, settings or {}, managed, run))
            return function

        return register

    return case
