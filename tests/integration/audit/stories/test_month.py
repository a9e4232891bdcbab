"""docs/month.md, played: every order, decision and figure of that page."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backoffice.domain.decisions import Verb
from tests.integration.audit.stories.page import CHECKOUT, sections
from tests.integration.audit.stories.shop import Shop, day_of
from tests.integration.exports.other_programs import beancount_balances, has_hledger, hledger_balances
from tests.till import codes

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
END = date(2026, 3, 31)
# What the page says of the shop's settings.
SETTINGS = {"5.00", "50.00"}


def the_safe_is_counted(shop: Shop) -> None:
    shop.decides(Verb.COUNT_SAFE, "PAR1", reason="daily", two=True, amount=50000)
    shop.check_books()


def a_number_is_missing_and_a_payment_was_keyed_wrongly(shop: Shop) -> None:
    shop.opens("Till 1", number=1, at="2026-03-02T08:00:00+01:00", first_number=1001)
    orders = shop.sells("Till 1")
    shop.closes("Till 1", *orders, at="2026-03-02T18:00:00+01:00", counted=21200, left=20000)
    shop.check_shift("Till 1, shift 1")
    shop.check_books()
    shop.decides(Verb.EXPLAIN, shop.shift_id("Till 1, shift 1"), reason="skipped", numbers="1003")
    shop.check_shift("Till 1, shift 1")
    shop.check_books()
    shop.check_days()
    wrong = shop.orders["1002"]["order_id"]
    shop.decides(Verb.RETENDER, wrong, reason="keyed-wrongly", payments={"card": 2400})
    shop.check_shift("Till 1, shift 1")
    shop.check_books()
    shop.approves("Till 1, shift 1", note="1002 was paid by card: the slip is in the roll.")
    shop.check_days()


def a_gift_card_and_a_drawer_that_is_counted_again(shop: Shop) -> None:
    shop.opens("Till 1", number=2, at="2026-03-03T08:00:00+01:00", first_number=1005)
    orders = shop.sells("Till 1")
    shop.closes("Till 1", *orders, at="2026-03-03T18:00:00+01:00", counted=22600, left=20000)
    shop.check_shift("Till 1, shift 2")
    shop.check_books()
    shop.decides(Verb.RECOUNT, shop.shift_id("Till 1, shift 2"), reason="miscounted", counts={"cash": 23400})
    shop.approves("Till 1, shift 2")
    shop.check_shift("Till 1, shift 2")
    shop.check_books()


def one_order_two_contents(shop: Shop) -> None:
    shop.opens("Till 1", number=3, at="2026-03-04T08:00:00+01:00", first_number=1008)
    shop.sells("Till 1")
    orders = shop.sells("Till 1", again=", as sent again", outcome="conflict")
    shop.closes("Till 1", *orders, at="2026-03-04T18:00:00+01:00", counted=20000, left=20000)
    shop.check_shift("Till 1, shift 3")
    shop.check_books()
    second = f"{shop.receipt['batch_id']}:0"
    shop.decides(Verb.POST, second, reason="checked-with-store", note="The card slip says 120.00.", two=True)
    shop.decides(Verb.VOID, shop.orders["1008"]["order_id"], reason="sold-twice", two=True)
    shop.approves("Till 1, shift 3", note="One order, of which both versions were sent.")
    shop.check_shift("Till 1, shift 3")
    shop.check_books()


def a_table_is_carried_over(shop: Shop) -> None:
    shop.opens("Till 1", number=4, at="2026-03-06T15:00:00+01:00", first_number=1009)
    orders = shop.sells("Till 1")
    closing = {"at": "2026-03-06T23:55:00+01:00", "counted": 21200, "left": 20000}
    shop.closes("Till 1", *orders, **closing, last_number=1010, carried_over=[1010])
    shop.check_shift("Till 1, shift 4")
    shop.check_books()


def the_table_pays(shop: Shop) -> None:
    shop.opens("Till 1", number=5, at="2026-03-07T00:05:00+01:00", first_number=1011)
    table = ("2026-03-06T21:30:00+01:00", "2026-03-07T01:20:00+01:00")
    orders = shop.sells("Till 1", times={"1010": table})
    shop.closes("Till 1", *orders, at="2026-03-07T03:00:00+01:00", counted=21200, left=20000, first_number=1011)
    shop.check_shift("Till 1, shift 5")
    shop.check_books()


def the_first_week_is_exported(shop: Shop) -> None:
    shop.approves("Till 1, shift 4", "Till 1, shift 5")
    shop.asks("export_profile", "ledger", "--format", "hledger", words=())
    shop.exports("ledger", last="2026-03-08")
    shop.check_days()


def a_card_is_declined_after_the_upload(shop: Shop) -> None:
    late_dinner = shop.orders["1012"]["order_id"]
    shop.decides(Verb.RETENDER, late_dinner, reason="declined", payments={"on_account": 6000}, two=True)
    shop.approves("Till 1, shift 5", note="Declined afterwards: on her account.", two=True)
    shop.check_shift("Till 1, shift 5")
    shop.check_books()
    shop.check_days()
    shop.exports("ledger", last="2026-03-09")
    shop.check_days()


def a_tart_comes_back_to_another_till(shop: Shop) -> None:
    shop.opens("Till 1", number=6, at="2026-03-10T08:00:00+01:00", first_number=1013)
    shop.opens("Till 2", number=1, at="2026-03-10T08:00:00+01:00", first_number=2001, opening_float=10000)
    settled = shop.sells("Till 1")
    orders = shop.sells("Till 2")
    shop.closes("Till 1", *settled, at="2026-03-10T18:00:00+01:00", counted=26000, left=20000)
    shop.closes("Till 2", *orders, at="2026-03-10T18:00:00+01:00", counted=10800, left=10000)
    shop.check_shift("Till 1, shift 6")
    shop.check_shift("Till 2, shift 1")
    shop.check_books()
    found = shop.tills["Till 2"].send("GET", f"store/orders/{shop.orders['1001']['order_id']}").json()
    assert (found["terminal_name"], found["given_back"]["amount"]) == ("Till 1", 1200)
    shop.approves("Till 1, shift 6", "Till 2, shift 1")


def cash_goes_to_the_bank(shop: Shop) -> None:
    shop.decides(Verb.BANK, "PAR1", reason="deposit", two=True, amount=30000, slip="4711", date="2026-03-16")
    shop.check_books()


def an_order_comes_late(shop: Shop) -> None:
    shop.opens("Till 2", number=2, at="2026-03-26T08:00:00+01:00", first_number=2003, opening_float=10000)
    orders = shop.sells("Till 2")
    shop.closes("Till 2", *orders, at="2026-03-26T18:00:00+01:00", counted=13600, left=10000)
    shop.check_shift("Till 2, shift 2")
    shop.check_books()
    shop.begins(shop.section, date(2026, 3, 27))
    shop.sells("Till 2", mode="offline")
    assert codes(shop.receipt) == ["late"]
    shop.check_shift("Till 2, shift 2")
    shop.check_books()
    shop.approves("Till 2, shift 2", note="Till 2 was offline: 2004 came from its cache.")


def the_last_day(shop: Shop) -> None:
    shop.opens("Till 1", number=7, at="2026-03-31T08:00:00+02:00", first_number=1014)
    orders = shop.sells("Till 1")
    shop.closes("Till 1", *orders, at="2026-03-31T18:00:00+02:00", counted=21200, left=20000)
    shop.check_books()


def the_month_is_locked(shop: Shop) -> None:
    shop.approves("Till 1, shift 7")
    unfinished = shop.decides(Verb.LOCK, "PAR1", reason="month-closed", date="2026-03-31")["unfinished"]
    assert not any(unfinished.values()), unfinished
    shop.exports("ledger", last="2026-03-31")
    shop.check_days()
    shop.check_trial_balance("account on 31 March", at=END)


def what_comes_for_a_month_that_is_locked(shop: Shop) -> None:
    before = shop.asks("trial_balance", "--store", "PAR1", "--at", "2026-03-31")
    shop.sells("Till 1", mode="offline")
    assert sorted(codes(shop.receipt)) == ["business-date-in-locked-period", "late"]
    shop.check_shift("Till 1, shift 7")
    shop.check_books()
    assert shop.asks("trial_balance", "--store", "PAR1", "--at", "2026-03-31") == before
    shop.check_both_dates()
    shop.check_days()
    shop.approves("Till 1, shift 7", note="1015 came from an old tablet.")
    shop.check_days()


ACTS = {
    "1 March": the_safe_is_counted,
    "2 March": a_number_is_missing_and_a_payment_was_keyed_wrongly,
    "3 March": a_gift_card_and_a_drawer_that_is_counted_again,
    "4 March": one_order_two_contents,
    "6 March": a_table_is_carried_over,
    "7 March": the_table_pays,
    "8 March": the_first_week_is_exported,
    "9 March": a_card_is_declined_after_the_upload,
    "10 March": a_tart_comes_back_to_another_till,
    "16 March": cash_goes_to_the_bank,
    "26 March": an_order_comes_late,
    "31 March": the_last_day,
    "1 April": the_month_is_locked,
    "2 April": what_comes_for_a_month_that_is_locked,
}


def test_a_month_with_everything_that_goes_wrong_in_one(verify: Verify, shop: Shop) -> None:
    days = {heading.partition(":")[0]: section for heading, section in sections(CHECKOUT / "docs" / "month.md").items()}
    assert [day for day in days if day.endswith(("March", "April"))] == list(ACTS)
    for day, act in ACTS.items():
        shop.begins(days[day], day_of(day))
        act(shop)
        shop.section.check_all_told(SETTINGS)
    shop.begins(days["What head office decided"], END)
    shop.check_decisions()
    assert verify()[1]["differences"] == []
    the_exports_are_the_trial_balance(shop)


def the_exports_are_the_trial_balance(shop: Shop) -> None:
    """The month at once to one program, and its three exports to another together: both are the books of 31 March."""
    rows = shop.asks("trial_balance", "--store", "PAR1", "--at", "2026-03-31")
    books = {row["account"]: row["balance"] for row in rows}
    shop.asks("export_profile", "another", "--format", "beancount", words=())
    assert beancount_balances(shop.exports_whole("another", last="2026-03-31")) == books
    if has_hledger():
        balances: Counter[str] = Counter()
        for path in sorted(shop.folder.glob("*.journal")):
            balances.update(hledger_balances(path))
        assert {account: balances[account] for account in books} == books
