"""What other programs make of an export: each checks the file by its own rules first."""

import csv
import shutil
import subprocess
from pathlib import Path

from tests.integration.exports.sending import minor

Balances = dict[str, int]
"""Debits less credits by account, in minor units."""


def has_hledger() -> bool:
    """Only root can install it (apt-get install hledger)."""
    return shutil.which("hledger") is not None


def hledger_balances(path: Path) -> Balances:
    """Of a journal that `hledger check --strict` accepts."""
    assert hledger(path, "check", "--strict") == ""
    printed = csv.reader(hledger(path, "balance", "--no-total", "-O", "csv").splitlines()[1:])
    return {account.split(":")[-1]: minor(amount.removesuffix(" EUR")) for account, amount in printed}


def hledger(path: Path, *words: str) -> str:
    """What hledger says of a journal."""
    done = subprocess.run(
        ["hledger", "-f", str(path), *words],
        check=False,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/local/bin"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def beancount_balances(path: Path) -> Balances:
    """Of a file that Beancount loads without an error, as `bean-check` does: every balance in it holds."""
    from beancount.core.data import Transaction  # noqa: PLC0415 - it comes with requirements-dev.txt
    from beancount.loader import load_file  # noqa: PLC0415

    entries, errors, _ = load_file(str(path))
    assert errors == []
    balances: Balances = {}
    for posting in (each for entry in entries if type(entry) is Transaction for each in entry.postings):
        account = posting.account.split(":")[-1]
        balances[account] = balances.get(account, 0) + int(posting.units.number * 100)
    return balances
