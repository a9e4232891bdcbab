"""What the tests of exports share: a target that exports go to, and the books to compare them with."""

import json
from collections import defaultdict
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from tests.till import Till

DAY = "2026-03-01"
# Quotation marks, separators, what begins a comment or a formula, a picture, and letters that run from right to left.
ODD = '"O\'Neill" | a;b, 🥖 \\ מאפייה #1'

SUMS = """
SELECT account_id, sum(debit)::bigint, sum(credit)::bigint FROM ledger_journalline WHERE store_id = %s
GROUP BY account_id ORDER BY account_id
"""


class Target:
    """A profile of the test's own, and the folder that its files go to."""

    def __init__(self, till: Till, folder: Path, name: str) -> None:
        self.till = till
        self.folder = folder
        self.name = name

    def define(self, format_name: str, *words: str, code_map: str | None = None) -> dict[str, Any]:
        """Makes the profile, with the text of a map where one is given."""
        if code_map is not None:
            path = self.folder / "map.csv"
            path.write_text(code_map)
            words = (*words, "--map", str(path))
        return told("export_profile", self.name, "--format", format_name, *words)

    @property
    def days(self) -> tuple[str, ...]:
        return ("--store", self.till.store.code, "--from", DAY, "--to", "2026-03-31")

    def export(self, *words: str, into: str = "out") -> dict[str, Any]:
        """Exports March."""
        return told("export", self.name, *self.days, "--out", str(self.folder / into), *words)

    def again(self, run: int, *, into: str) -> dict[str, Any]:
        """The files of a run once more."""
        return told("export", self.name, "--again", str(run), "--out", str(self.folder / into))

    def files(self, report: dict[str, Any], into: str = "out") -> dict[str, bytes]:
        """What a report's files hold, by their names."""
        return {each["name"]: (self.folder / into / each["name"]).read_bytes() for each in report["files"]}

    def only_file(self, report: dict[str, Any], into: str = "out") -> Path:
        """The path of the one file that there is."""
        (each,) = report["files"]
        return self.folder / into / each["name"]

    def books(self) -> dict[str, tuple[int, int]]:
        """Debits and credits of the store's accounts, in minor units, as the ledger has them."""
        with connection.cursor() as cursor:
            cursor.execute(SUMS, [self.till.store.pk])
            return {account: (debit, credit) for account, debit, credit in cursor.fetchall()}

    def trial_balance(self) -> dict[str, tuple[int, int]]:
        """The same, as `trial_balance` prints it."""
        rows = told("trial_balance", "--json", "--store", self.till.store.code)
        return {row["account"]: (row["debit"], row["credit"]) for row in rows}


def told(command: str, *words: str) -> Any:
    """What a command prints: one JSON value on one line."""
    out = StringIO()
    call_command(command, *words, stdout=out)
    assert out.getvalue().count("\n") == 1
    return json.loads(out.getvalue())


def minor(amount: str) -> int:
    """An amount of a file in minor units: it has exactly two decimals."""
    whole, _, rest = amount.replace(",", ".").partition(".")
    assert len(rest) == 2
    return int(whole + rest)


def summed(rows: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Debits and credits by account."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for account, debit, credit in rows:
        sums[account][0] += debit
        sums[account][1] += credit
    return {account: (debit, credit) for account, (debit, credit) in sorted(sums.items())}
