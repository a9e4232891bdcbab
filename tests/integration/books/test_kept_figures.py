"""What is kept of a day says the same as its orders, and is kept anew when they change. These tests commit."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.books.reports.figures import read_figures
from backoffice.books.reports.keeping import keep_figures, rebuild_figures
from backoffice.books.reports.models import DayFigure, KeptDay
from backoffice.books.reports.shape import Scope
from backoffice.domain.decisions import Verb
from backoffice.sales.models import Order
from tests.integration.books.office import decided
from tests.integration.books.report_day import a_day, the_orders
from tests.till import Till

DAY = date(2026, 3, 1)
EVERY = ("sale", "refund", "tip", "tax", "method", "line", "discount", "no-receipt", "voided", "training", "offline")


@pytest.fixture
def day(committed_db: None) -> Till:
    return a_day()


def figures(till: Till) -> list[Any]:
    return sorted(read_figures(Scope(till.store, DAY, DAY), EVERY, by_cashier=True))


def keep() -> None:
    while keep_figures(today=date(2026, 3, 2)):
        pass


def reads_orders(till: Till) -> bool:
    with CaptureQueriesContext(connection) as asked:
        figures(till)
    return any("sales_orderline" in one["sql"] for one in asked)


def test_kept_figures_are_those_of_the_orders_which_are_read_no_more(day: Till) -> None:
    before = figures(day)
    assert before
    assert reads_orders(day)
    keep()
    assert figures(day) == before
    assert not reads_orders(day)


def test_a_day_is_not_kept_while_a_shift_of_it_is_open(day: Till) -> None:
    other = Till(day.store, name="Till 2")
    other.open()
    keep()
    assert not KeptDay.objects.filter(store_id=day.store.pk).exists()


@pytest.mark.parametrize("what", ["late order", "void", "retender"])
def test_what_changes_later_is_in_the_figures_at_once_and_is_kept_anew(day: Till, what: str) -> None:
    keep()
    before = figures(day)
    order = Order.objects.get(shift_id=day.shift_id, number=1002)
    if what == "late order":
        day.sell(the_orders()[0] | {"number": 1008})
    elif what == "void":
        decided(Verb.VOID, order.order_id)
    else:
        decided(Verb.RETENDER, order.order_id, payments={"cash": 1100})
    changed = figures(day)
    assert changed != before
    assert reads_orders(day)
    keep()
    assert figures(day) == changed
    assert not reads_orders(day)


def test_what_is_kept_can_be_made_again(day: Till) -> None:
    keep()
    before = figures(day)
    DayFigure.objects.filter(store_id=day.store.pk).update(amount=7)
    assert figures(day) != before
    rebuild_figures(today=date(2026, 3, 2))
    assert figures(day) == before
    assert not reads_orders(day)


def test_a_copy_in_a_new_cluster_whose_transactions_begin_again_is_read_from_its_orders(day: Till) -> None:
    keep()
    before = figures(day)
    DayFigure.objects.filter(store_id=day.store.pk).update(amount=7)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reports_keptmark SET xid = xid + 1000000")
    assert figures(day) == before
    keep()
    assert figures(day) == before
    assert not reads_orders(day)
