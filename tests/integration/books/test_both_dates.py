"""Sales by business date and the ledger by entry date reconcile, in figures (books, "Periods")."""

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from backoffice.books.both_dates import BothDates, by_both_dates, net_sales
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.sales.models import Order
from tests.integration.books.office import a_person, decided
from tests.till import Till, a_movement, a_sale

MARCH = (date(2026, 3, 1), date(2026, 3, 31))
APRIL = (date(2026, 4, 1), date(2026, 4, 30))
NET = 227  # of one sale of the tests: 2.40 with 0.13 of tax in it


def of(store: Store, days: tuple[date, date]) -> dict[str, BothDates]:
    rows = by_both_dates(store=store, first=days[0], last=days[1])
    return {row.account: row for row in [*rows, *net_sales(rows)]}


def moved(store: Store, account: str, days: tuple[date, date]) -> int:
    """By the trial balance: its balance at the end less that of the day before."""
    before = {
        row.account: row.balance for row in trial_balance_at(store=store, at=date.fromordinal(days[0].toordinal() - 1))
    }
    after = {row.account: row.balance for row in trial_balance_at(store=store, at=days[1])}
    return after.get(account, 0) - before.get(account, 0)


def test_a_month_is_locked_and_a_late_batch_arrives(till: Till) -> None:
    """March: 3 sales arrive in time, 2 late. April: 1 sale of its own."""
    till.sell(*[a_sale(1001 + number) for number in range(3)])
    decided(Verb.LOCK, till.store.code, date="2026-03-31")
    closed = of(till.store, MARCH)
    till.sell(a_sale(1004), a_sale(1005), movements=[a_movement()])
    april = Till(till.store, name="Till 2")
    april.open(opened_at="2026-04-02T08:00:00+02:00")
    april.sell(a_sale(1001, opened_at="2026-04-02T09:00:00+02:00", closed_at="2026-04-02T09:01:00+02:00"))

    march, of_april = of(till.store, MARCH), of(till.store, APRIL)
    assert march["sales"][2:] == (5 * NET, 2 * NET, 0, 3 * NET)
    assert of_april["sales"][2:] == (NET, 0, 2 * NET, 3 * NET)
    assert {account: row.in_ledger for account, row in march.items()} == {
        account: row.in_ledger for account, row in closed.items()
    }
    net = Order.objects.filter(store=till.store, business_date__range=MARCH).aggregate(net=Sum("total") - Sum("tax"))
    assert march["sales"].of_business_dates == net["net"]
    for days, rows in ((MARCH, march), (APRIL, of_april)):
        for account, row in rows.items():
            assert row.of_business_dates - row.entered_later + row.of_earlier_days == row.in_ledger
            if account != "sales":
                assert row.in_ledger == moved(till.store, account, days), account


def test_a_void_and_a_deposit_of_a_locked_month(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.LOCK, till.store.code, date="2026-03-31")
    decided(Verb.VOID, order["order_id"])
    decided(Verb.BANK, till.store.code, amount=1000, slip="4711", date="2026-03-02", agreed_by=a_person("Otto"))
    march, april = of(till.store, MARCH), of(till.store, APRIL)
    assert march["sales"][2:] == (0, -NET, 0, NET)
    assert april["sales"][2:] == (0, 0, -NET, -NET)
    assert (march["1020"][2:], april["1020"][2:]) == ((1000, 1000, 0, 0), (0, 0, 1000, 1000))


def test_nothing_differs_while_nothing_is_locked(till: Till) -> None:
    till.sell(a_sale(1001))
    decided(Verb.LOCK, till.store.code, date="2026-03-31")
    decided(Verb.UNLOCK, till.store.code, date="2026-03-01", agreed_by=a_person("Otto"))
    till.sell(a_sale(1002))
    assert not any(row.differs for row in of(till.store, MARCH).values())


def both_dates(*words: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("both_dates", *words, "--json", stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


def test_the_command_says_it(till: Till) -> None:
    decided(Verb.LOCK, till.store.code, date="2026-03-31")
    till.sell(a_sale(1001))
    rows = both_dates(till.store.code, "--from", "2026-04-01", "--to", "2026-04-30")
    assert {"account": "sales", "currency": "EUR", "of_business_dates": 0, "entered_later": 0} | {
        "of_earlier_days": NET,
        "in_ledger": NET,
    } in rows
    with pytest.raises(CommandError, match="no store"):
        both_dates("NOWHERE", "--from", "2026-04-01", "--to", "2026-04-30")
    with pytest.raises(CommandError, match="is after"):
        both_dates(till.store.code, "--from", "2026-04-02", "--to", "2026-04-01")
