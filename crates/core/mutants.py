"""Holds what `make mutants` has found, in this run and in those before it, against what is promised.

Of all mutants that compile nine in ten are noticed by a test; of what decides whose something is and who gets in, all.
"""

import pathlib
import sys

STRICT = ("model/owner.rs", "plan/identity.rs", "plan/access.rs")
LEAST = 0.9


def lines(file):
    return set(file.read_text().splitlines()) if file.exists() else set()


def main(directory):
    mutants = set(sys.stdin.read().splitlines())
    unviable = lines(directory / "unviable.txt")
    caught = lines(directory / "caught.txt") | lines(directory / "timeout.txt")
    # What earlier runs caught, and what did not compile in them.
    caught |= lines(directory / "previously_caught.txt")
    missed = mutants & lines(directory / "missed.txt")
    tried = missed | mutants & (caught | unviable)
    if not tried:
        sys.exit("mutants: none was tried")
    share = 1 - len(missed) / len(tried - unviable)
    strict = sorted(name for name in missed if any(f"/{file}:" in name for file in STRICT))
    print(
        f"mutants: {len(tried)} of {len(mutants)} tried, {len(missed)} missed ({share:.1%} noticed), "
        f"{len(strict)} of them in ownership and access"
    )
    for name in sorted(missed):
        print(f"  {name}")
    if strict or share < LEAST:
        sys.exit(1)


main(pathlib.Path(sys.argv[1]))
