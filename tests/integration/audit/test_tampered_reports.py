"""Figures that are kept for reports, and somebody changed: each is named. What is read from its orders is no difference."""

from datetime import date

import pytest

from backoffice.books.reports.keeping import keep_figures
from backoffice.books.reports.models import DayFigure, KeptDay
from backoffice.domain.decisions import Verb
from backoffice.sales.models import Order
from tests.integration.audit.test_tampered_seals import Tamper, Verify, found
from tests.integration.books.office import decided
from tests.integration.books.report_day import a_day
from tests.till import Till

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 1)


@pytest.fixture
def kept(verify: Verify, tamper: Tamper) -> Till:
    """A day with one of everything, whose figures were kept after it had long ended; an order was voided before that."""
    till = a_day()
    decided(Verb.VOID, Order.objects.get(shift_id=till.shift_id, number=1004).order_id)
    assert keep_figures(today=date(2026, 3, 2)) == 1
    for table in ("sales_posting", "ledger_journalentry"):
        tamper(f"UPDATE {table} SET xid = '1'")
    tamper("UPDATE reports_keptmark SET xid = 2")
    assert verify()[1]["differences"] == []
    return till


FIGURE = "UPDATE reports_dayfigure SET {} WHERE figure = '{}'"
CHANGES = {
    **{
        f"{column} of {figure}": (FIGURE.format(f"{column} = {column} + 1", figure), figure)
        for column, figure in (
            ("amount", "sale"),
            ("net", "refund"),
            ("tax", "tax"),
            ("number", "method"),
            ("amount", "line"),
            ("amount", "discount"),
            ("number", "no-receipt"),
            ("amount", "voided"),
            ("amount", "training"),
            ("number", "offline"),
            ("amount", "tip"),
        )
    },
    "a cashier": (FIGURE.format("cashier = 'Nobody'", "sale"), "cashier Nobody: sale"),
    "a rate": (FIGURE.format("rate = '0.2'", "tax") + " AND rate <> ''", "tax "),
    "one that is gone": ("DELETE FROM reports_dayfigure WHERE figure = 'voided'", "voided office EUR"),
    "one that was added": (
        (
            "INSERT INTO reports_dayfigure (store_id, business_date, currency, cashier, figure, code, rate, number, net, tax, amount)"
            " SELECT store_id, '2026-02-01', 'EUR', '', 'sale', '', '', 1, 100, 0, 100 FROM reports_keptday"
        ),
        "figures kept of 2026-02-01, cashier unnamed: sale EUR",
    ),
    "a mark that hides what came later": ("UPDATE sales_order SET cashier = 'Bea' WHERE number = 1001", "cashier Bea"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_found_and_named(kept: Till, verify: Verify, tamper: Tamper, change: str) -> None:
    statement, words = CHANGES[change]
    tamper(statement)
    differences = [each for each in found(verify) if each.startswith("figures kept of ")]
    assert any(words in difference for difference in differences), differences


def test_what_readers_take_from_the_orders_is_no_difference(kept: Till, verify: Verify, tamper: Tamper) -> None:
    decided(Verb.VOID, Order.objects.get(shift_id=kept.shift_id, number=1001).order_id)
    assert verify()[1]["differences"] == []
    tamper("UPDATE ledger_journalentry SET xid = '1'")
    assert "figures kept of 2026-03-01" in " ".join(found(verify))
    KeptDay.objects.all().delete()
    assert verify()[1]["differences"] == [], "a day that is not kept is read from its orders"
    assert DayFigure.objects.exists()
