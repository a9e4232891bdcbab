"""`python -m tests.house` looks whether the house's own rules hold; `--write` draws the diagrams of the documents anew."""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.house.diagrams import diagrams_out_of_date, write
from tests.house.names import names_defined_twice
from tests.house.sizes import long_files, long_functions
from tests.house.sources import Breach, sources
from tests.house.transactions import transactions_elsewhere, writers_without_transaction

EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
RULES = (long_functions, long_files, names_defined_twice, transactions_elsewhere, writers_without_transaction)


def breaches() -> Iterator[Breach]:
    """Everything that breaks a rule, excepted or not."""
    files = sources()
    for rule in RULES:
        yield from rule(files)
    yield from diagrams_out_of_date()


def complaints(found: Iterable[Breach], exceptions: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A line for each breach that is not excepted, and for each exception without a reason or without a breach."""
    found = list(found)
    lines = [
        f"{breach.place}: {breach.says} ({breach.rule})"
        for breach in found
        if breach.name not in exceptions.get(breach.rule, {})
    ]
    broken = {(breach.rule, breach.name) for breach in found}
    for rule, reasons in exceptions.items():
        for name, reason in reasons.items():
            if (rule, name) not in broken:
                lines.append(f"{EXCEPTIONS.name}: {name} needs no exception any more ({rule})")
            elif not reason.strip():
                lines.append(f"{EXCEPTIONS.name}: {name} is excepted without a reason ({rule})")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Prints what is wrong; 1 where anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.house", description=__doc__)
    parser.add_argument("--write", action="store_true", help="draw the diagrams in docs/ anew, then look")
    if parser.parse_args(arguments).write:
        write()
    lines = complaints(breaches(), tomllib.loads(EXCEPTIONS.read_text()))
    print("\n".join(lines) or "Every rule of the house holds.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
