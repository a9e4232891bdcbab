"""Tests here see a company of their own, made and tampered with inside a transaction that is rolled back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.till import Till

# Children first; all of it comes back when the test's transaction is rolled back.
TABLES = (
    "reports_dayfigure",
    "reports_keptday",
    "exports_keptpiece",
    "exports_exportdownload",
    "exports_exportjob",
    "exports_exportwritten",
    "exports_exportedsum",
    "exports_exportrevision",
    "exports_exportrun",
    "exports_exportmap",
    "exports_exportprofile",
    "evidence_leaf",
    "evidence_dayroot",
    "evidence_stamp",
    "evidence_stamptry",
    "evidence_checkpoint",
    "evidence_verifierkey",
    "evidence_storetree",
    "evidence_dailybalance",
    "trail_entry",
    "books_membership_stores",
    "books_heldclaim",
    "books_notetakenback",
    "books_note",
    "books_decisionanswer",
    "books_decision",
    "books_cachefile",
    "sales_zreport",
    "sales_decidedmember",
    "sales_explainednumbers",
    "ledger_journalline",
    "ledger_journalentry",
    "ledger_entrysource",
    "ledger_periodlock",
    "sales_payment",
    "sales_orderline",
    "sales_order",
    "sales_cashmovement",
    "sales_helditem",
    "sales_identity",
    "inbox_batch",
    "sales_shift",
    "fleet_credential",
    "fleet_activationcode",
    "fleet_terminal",
    "ledger_paymentaccount",
    "ledger_cashreason",
    "fleet_store",
)
GUARDED = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^(books|evidence|exports|fleet|ledger|sales|trail)_'
"""
REFERENCES = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0 AND conrelid::regclass::text ~ '^(books|exports|fleet|inbox|sales|ledger)_'
"""


@contextmanager
def _unguarded() -> Iterator[None]:
    """What the owner of the tables could do to the books: no guard watches."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(GUARDED)
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture(autouse=True)
def company(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test asks for `committed_db`: nothing in any table, and nothing refers to anything; the audit runs inside the test's own transaction."""
    if "committed_db" in request.fixturenames:
        return
    request.getfixturevalue("db")
    monkeypatch.setattr("backoffice.management.commands.verify_books.one_snapshot", nullcontext)
    with _unguarded(), connection.cursor() as cursor:
        cursor.execute(REFERENCES)
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE evidence_installationtree SET day = NULL, size = 0, packed = ''")
        cursor.execute("UPDATE evidence_sealmark SET xid = 0, row_id = 0")


@pytest.fixture
def till() -> Till:
    """A till whose shift is open."""
    till = Till()
    assert till.open().status_code == 201
    return till


@pytest.fixture
def tamper() -> Callable[..., None]:
    """Changes what is stored, past every guard; fails the test where it changes nothing."""

    def run(statement: str, *values: Any) -> None:
        with _unguarded(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            assert cursor.rowcount > 0, statement

    return run


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, dict[str, Any]]]:
    """Runs `verify_books --json`: its exit code, and its only document."""

    def run() -> tuple[int, dict[str, Any]]:
        code = 0
        capsys.readouterr()
        try:
            call_command("verify_books", "--json")
        except SystemExit as end:
            code = int(str(end.code))
        printed = capsys.readouterr().out
        assert printed.count("\n") == 1
        return code, json.loads(printed)

    return run
