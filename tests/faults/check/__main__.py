"""The checker's command line. Exit code 0: all holds; 1: something does not, and the first few are named; 2: no proof."""

import argparse
import json
import sys
from pathlib import Path

import psycopg

from tests.faults.check.books import Verdict, judge
from tests.faults.check.expected import Unforeseen
from tests.faults.check.journals import BrokenJournal, journals
from tests.faults.check.sent import testify

# Whole tables are read in one go: let each sort and hash have room, and see one state of the database.
SESSION = "SET work_mem = '128MB'; SET statement_timeout = 0; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


def main() -> int:
    """Reads, compares, tells."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.check", description="Proves that nothing was lost.")
    parser.add_argument("--journals", type=Path, required=True, help="the folder of *.sent and *.acknowledged")
    parser.add_argument("--database", required=True, help="PostgreSQL's URL")
    parser.add_argument("--json", action="store_true", help="figures and findings as one JSON object")
    options = parser.parse_args()
    if not journals(options.journals):
        sys.stderr.write(f"{options.journals} holds no journals: that proves nothing.\n")
        return 2
    try:
        with psycopg.connect(options.database) as connection:
            connection.execute(SESSION)
            verdict = judge(connection, testify(connection, options.journals))
    except (BrokenJournal, Unforeseen) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(as_json(verdict) if options.json else as_table(verdict))
    return 1 if any(finding.count for finding in verdict.findings) else 0


def as_json(verdict: Verdict) -> str:
    """`{"figures": {name: count}, "findings": {name: {"count", "examples"}}}`."""
    findings = {found.name: {"count": found.count, "examples": list(found.examples)} for found in verdict.findings}
    return json.dumps({"figures": verdict.figures, "findings": findings}, indent=2)


def as_table(verdict: Verdict) -> str:
    """Markdown: what was read, what must be zero, and what is not."""
    rows = [*verdict.figures.items(), *((f"**{found.name}**", found.count) for found in verdict.findings)]
    lines = [
        "| checked | count |",
        "|---|---:|",
        *(f"| {name} | {count:,} |".replace(",", " ") for name, count in rows),
    ]
    for found in verdict.findings:
        lines += [f"\n{found.name}:", *(f"- {example}" for example in found.examples)] if found.count else []
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
