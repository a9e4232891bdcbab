"""The trial balance: the sum of all lines at any date, whatever of them is sealed."""

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from backoffice.books.evidence.sealer import seal
from tests.integration.evidence.sealing import rows
from tests.till import Till, a_movement, a_sale, a_store

SUMS = """
SELECT s.code, l.account_id, l.currency, sum(l.debit)::bigint, sum(l.credit)::bigint FROM ledger_journalline l
JOIN fleet_store s ON s.id = l.store_id WHERE s.code = %s AND l.business_date <= %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
FAR = date(2099, 1, 1)


def balance_of(*words: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("trial_balance", "--json", *words, stdout=out)
    assert out.getvalue().count("\n") == 1
    return json.loads(out.getvalue())


def expected(till: Till, at: date = FAR) -> list[dict[str, Any]]:
    return [
        {
            "store": code,
            "account": account,
            "currency": currency,
            "debit": debit,
            "credit": credit,
            "balance": debit - credit,
        }
        for code, account, currency, debit, credit in rows(SUMS, till.store.code, at)
    ]


def next_day(till: Till) -> None:
    """Closes the till's shift as it is, and opens one on the second of March."""
    assert till.open(number=312, opened_at="2026-03-02T08:00:00+01:00", first_number=2001).status_code == 201


def test_it_is_the_sum_of_all_lines_before_between_and_after_seals(till: Till) -> None:
    till.sell(a_sale(1001), movements=[a_movement()])
    assert balance_of("--store", till.store.code) == expected(till)
    seal(now=timezone.now())
    assert balance_of("--store", till.store.code) == expected(till)
    till.sell(a_sale(1002))
    assert balance_of("--store", till.store.code) == expected(till)
    seal(now=timezone.now())
    found = balance_of("--store", till.store.code)
    assert found == expected(till)
    assert sum(row["balance"] for row in found) == 0
    assert {row["account"] for row in found} == {"1000", "1010", "2100", "4000"}


@pytest.mark.parametrize("is_sealed", [False, True])
def test_it_ends_with_a_business_date(till: Till, is_sealed: bool) -> None:
    first = a_sale(1001)
    receipt = till.sell(first)
    assert till.close(first, batches=[receipt["batch_id"]]).status_code in {200, 202}
    next_day(till)
    till.sell(a_sale(2001))
    if is_sealed:
        seal(now=timezone.now())
    store = ("--store", till.store.code)
    assert balance_of(*store, "--at", "2026-02-28") == []
    assert balance_of(*store, "--at", "2026-03-01") == expected(till, date(2026, 3, 1))
    assert balance_of(*store, "--at", "2026-03-02") == expected(till) != expected(till, date(2026, 3, 1))


def test_all_stores_stand_in_one_list(till: Till) -> None:
    other = Till()
    assert other.open().status_code == 201
    till.sell(a_sale(1001))
    other.sell(a_sale(1001))
    found = balance_of()
    for each in (till, other):
        assert [row for row in found if row["store"] == each.store.code] == expected(each)
    assert found == sorted(found, key=lambda row: (row["store"], row["account"], row["currency"]))


def test_it_is_exact_in_a_new_cluster_whose_transactions_begin_again(till: Till) -> None:
    """As after a dump was restored there, before and after the sealer has noticed."""
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE evidence_sealmark SET xid = xid + 1000000 WHERE source = 'entry'")
    till.sell(a_sale(1002))
    assert balance_of("--store", till.store.code) == expected(till)
    seal(now=timezone.now())
    assert balance_of("--store", till.store.code) == expected(till)
    till.sell(a_sale(1003))
    assert balance_of("--store", till.store.code) == expected(till)


def test_daily_balances_can_be_made_again(till: Till) -> None:
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    till.sell(a_sale(1002))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE evidence_dailybalance SET debit = 7 WHERE store_id = %s", [till.store.pk])
    assert balance_of("--store", till.store.code) != expected(till)
    call_command("rebuild_balances", stdout=StringIO())
    assert balance_of("--store", till.store.code) == expected(till)


def test_a_table_is_printed_for_people(till: Till) -> None:
    till.sell(a_sale(1001))
    out = StringIO()
    call_command("trial_balance", "--store", till.store.code, stdout=out)
    head, *lines = [line.split() for line in out.getvalue().splitlines()]
    assert head == ["store", "account", "currency", "debit", "credit", "balance"]
    assert [till.store.code, "4000", "EUR", "€0.00", "€2.27", "−€2.27"] in lines
    assert [till.store.code, "1000", "EUR", "€202.40", "€0.00", "€202.40"] in lines


def test_a_store_that_has_sold_nothing_has_no_rows(committed_db: None) -> None:
    assert balance_of("--store", a_store().code) == []


@pytest.mark.parametrize(
    ("words", "says"), [(["--store", "NONE"], "no store NONE"), (["--at", "31.03.2026"], "not a date")]
)
def test_what_it_does_not_understand_it_says(committed_db: None, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        balance_of(*words)
