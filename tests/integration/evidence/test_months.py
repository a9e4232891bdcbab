"""Months that leave and come back: their seals stay, and what left without one is sealed when it returns."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from backoffice.audit.findings import AuditReport
from backoffice.audit.run import audit
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.ingestion.detaching import attach_month, detach_month
from backoffice.ingestion.months import drain_default
from tests.integration.evidence.sealing import entries_in, numbers_of, rows, seal_here
from tests.integration.ingestion.test_detaching import OLD, TODAY, as_committed, execute, open_shift, sale
from tests.till import Till

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(db: None) -> Till:
    """A till whose shift of an old month is settled and not sealed, in a transaction that is rolled back."""
    drain_default(today=TODAY)
    execute("SELECT sales_create_month(%s), ledger_create_month(%s)", OLD, OLD)
    till = Till()
    open_shift(till)
    sales = [sale(1001), sale(1002)]
    till.close(*sales, batches=[till.sell(*sales)["batch_id"]])
    as_committed()
    return till


def differences(till: Till) -> list[Any]:
    """What the audit says of this store."""
    report: AuditReport = audit(progress=lambda *_: None)
    return [each for each in report.differences if each.store == till.store.code]


def balances(till: Till) -> list[Any]:
    return trial_balance_at(store=till.store)


def test_the_seals_and_balances_of_a_month_stay_while_it_is_away_and_when_it_is_back(till: Till) -> None:
    seal_here()
    numbers, before = numbers_of(till.store.pk), balances(till)
    assert before
    detach_month(month=OLD, now=timezone.now())
    assert (balances(till), differences(till)) == (before, [])
    call_command("rebuild_balances", stdout=StringIO())
    assert balances(till) == before
    attach_month(month=OLD)
    assert seal_here() == 0
    assert (numbers_of(till.store.pk), balances(till), differences(till)) == (numbers, before, [])


def test_what_left_without_a_seal_is_sealed_when_it_comes_back(till: Till) -> None:
    before = balances(till)
    detach_month(month=OLD, now=timezone.now())
    seal_here()  # passes over it
    execute("UPDATE evidence_sealmark SET row_id = row_id + 1000000")
    attach_month(month=OLD)
    assert balances(till) == before
    seal_here()
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))
    assert (balances(till), differences(till)) == (before, [])


def test_a_month_that_left_before_entries_knew_their_transaction_is_sealed_when_it_comes_back(till: Till) -> None:
    detach_month(month=OLD, now=timezone.now())
    execute("DROP INDEX IF EXISTS ledger_journalentry_200002_xid_id_idx")
    execute("ALTER TABLE ledger_journalentry_200002 DROP COLUMN xid")
    seal_here()
    attach_month(month=OLD)
    seal_here()
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))
    assert differences(till) == []


def test_entries_that_move_into_their_month_keep_their_transaction(till: Till) -> None:
    other = Till()
    open_shift(other, month="2000-06")
    other.sell(sale(1001, month="2000-06"))
    as_committed()
    where = "SELECT id, xid::text, tableoid::regclass::text FROM ledger_journalentry WHERE store_id = %s ORDER BY id"
    before = rows(where, other.store.pk)
    assert {table for _, _, table in before} == {"ledger_journalentry_default"}
    seal_here()
    execute("SELECT sales_create_month('2000-06-01'), ledger_create_month('2000-06-01')")
    assert rows(where, other.store.pk) == [(row, xid, "ledger_journalentry_200006") for row, xid, _ in before]
    assert seal_here() == 0
    assert differences(other) == []
