"""One day in the figures of every report, reckoned by hand: see `report_day.the_orders`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.domain.decisions import Verb
from backoffice.sales.models import Order
from tests.integration.books.office import a_person, decided
from tests.integration.books.report_day import a_day
from tests.till import Till

Rows = list[dict[str, Any]]


@pytest.fixture
def day(database: None) -> Till:
    return a_day()


def report(name: str, till: Till, *, first: str = "2026-03-01", last: str = "2026-03-01") -> dict[str, Any]:
    out = StringIO()
    call_command("report", name, "--store", till.store.code, "--from", first, "--to", last, "--json", stdout=out)
    assert out.getvalue().count("\n") == 1
    told: dict[str, Any] = json.loads(out.getvalue())
    assert (told["report"], told["store"], told["from"], told["to"]) == (name, till.store.code, first, last)
    return told


def sheet(told: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = [one for one in told["sheets"] if one["title"] == title]
    assert found["currency"] == "EUR"
    return found


def rows(told: dict[str, Any], title: str, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in sheet(told, title)["rows"]]


def test_the_sales_summary_adds_up_from_what_was_sold_to_what_was_paid(day: Till) -> None:
    told = report("sales", day)
    (row,) = sheet(told, "By store and day")["rows"]
    assert row["store"] == day.store.code
    assert row["day"] == "2026-03-01"
    # 2.40 + 10.00 + 5.00 + 50.00, less 1.20; the voided order and the training are in no figure.
    assert (row["sales_number"], row["sales"], row["refunds_number"], row["refunds"]) == (4, 6740, 1, -120)
    # 2.27 + 8.33 + 5.00 + 50.00 − 1.14, and 0.13 + 1.67 − 0.06
    assert (row["net"], row["tax"], row["rounding"]) == (6446, 174, 0)
    assert row["net"] + row["tax"] + row["rounding"] == row["sales"] + row["refunds"] == 6620
    assert (row["tips"], row["paid"]) == (100, 6720)
    assert rows(told, "By tax", "tax_code", "rate", "orders", "net", "tax", "gross") == [
        ("FR-0", "0", 1, 500, 0, 500),
        ("FR-20", "0.2", 1, 833, 167, 1000),
        ("FR-5.5", "0.055", 2, 113, 7, 120),
    ]
    assert rows(told, "By payment method", "method", "orders", "amount") == [
        ("card", 2, 6100),
        ("cash", 2, 120),
        ("gift_card", 1, 500),
    ]
    assert rows(told, "By kind of line", "line_kind", "orders", "net", "amount") == [
        ("gift_card", 1, 5000, 5000),
        ("item", 4, 1446, 1620),
    ]
    assert sheet(told, "By payment method")["sums"] == {"amount": 6720}
    assert sheet(told, "By tax")["sums"] == {"tax": 174}


def test_the_tax_report_shows_the_zero_rate_and_agrees_with_the_ledger(day: Till) -> None:
    told = report("tax", day)
    assert rows(told, "Tax by code and rate", "tax_code", "rate", "net", "tax") == [
        ("FR-0", "0", 500, 0),
        ("FR-20", "0.2", 833, 167),
        ("FR-5.5", "0.055", 113, 7),
    ]
    assert rows(told, "Beside the ledger", "of_lines", "in_ledger", "difference") == [(174, 174, 0)]


def test_over_and_short_are_those_of_the_shift_and_of_the_ledger(day: Till) -> None:
    told = report("over-short", day)
    for by in ("store", "terminal", "cashier"):
        assert rows(told, f"By {by}", "shifts", "over", "short", "over_short") == [(1, 0, -20, -20)]
    assert rows(told, "By terminal", "terminal") == [("Till 1",)]
    assert rows(told, "By cashier", "cashier") == [("Anna",)]
    assert rows(told, "Shifts that were over or short", "shift", "expected", "counted", "over_short") == [
        (311, 20120, 20100, -20)
    ]
    assert rows(told, "Beside the ledger", "of_shifts", "in_ledger", "difference") == [(-20, -20, 0)]


def test_the_refund_without_receipt_is_bens(day: Till) -> None:
    told = report("no-receipt", day)
    assert rows(told, "Refunds without receipt", "cashier", "receipt", "orders", "amount") == [("Ben", "none", 1, -120)]


def test_risk_stands_beside_the_other_cashier(day: Till) -> None:
    told = report("risk", day)
    anna, ben = sheet(told, "Given back and taken off, by cashier")["rows"]
    assert (anna["cashier"], anna["sales_number"], anna["sales"]) == ("Anna", 2, 1240)
    # 2.00 of 12.40, and the other's nothing; refunds the other way round: 1.20 of 55.00.
    assert (anna["discount"], anna["discount_bp"], anna["discount_peers_bp"]) == (200, 1612, 0)
    assert (anna["refund"], anna["refund_bp"], anna["refund_peers_bp"]) == (0, 0, 218)
    assert (ben["sales_number"], ben["sales"]) == (2, 5500)
    assert (ben["refund"], ben["refund_number"], ben["refund_bp"], ben["refund_peers_bp"]) == (-120, 1, 218, 0)
    assert (ben["no-receipt"], ben["no-receipt_number"]) == (-120, 1)
    _, ben = sheet(told, "Voided, and out of hours, by cashier")["rows"]
    assert (ben["voided"], ben["voided_number"], ben["voided_bp"], ben["voided_peers_bp"]) == (240, 1, 5000, 0)
    assert (ben["out-of-hours"], ben["out-of-hours_bp"]) == (0, 0)


def test_cash_that_is_not_banked_is_what_was_taken_less_what_was_short(day: Till) -> None:
    decided(Verb.BANK, day.store.code, amount=80, slip="4711", date="2026-03-01", agreed_by=a_person("Otto"))
    told = report("cash", day)
    # The float came from the safe, which nobody had counted: 200.00 less than nothing, less 0.80 to the bank.
    keys = ("drawers", "safe", "on_its_way", "not_banked", "banked_on")
    deposits = ("slip", "since", "days", "amount", "on_its_way")
    assert rows(told, "Deposits on their way", *deposits) == [("4711", "2026-03-01", 0, 80, 80)]
    assert rows(told, "At the end of 1 Mar 2026", *keys) == [(20100, -20080, 80, 100, "2026-03-01")]
    assert rows(told, "The safe, day by day", "day", "in", "out", "banked", "left") == [
        ("2026-03-01", 0, 20080, 80, -20080)
    ]
    later = report("cash", day, first="2026-03-02", last="2026-03-05")
    assert rows(later, "At the end of 5 Mar 2026", *keys) == [(20100, -20080, 80, 100, None)]
    assert rows(later, "Deposits on their way", *deposits) == [("4711", "2026-03-01", 4, 80, 80)]
    decided(Verb.BANK_RECEIVED, day.store.code, amount=80, slip="4711", date="2026-03-03")
    decided(Verb.BANK_CHANGE, day.store.code, amount=50, date="2026-03-03")
    arrived = report("cash", day, first="2026-03-02", last="2026-03-05")
    assert rows(arrived, "At the end of 5 Mar 2026", *keys) == [(20100, -20030, 0, 70, None)]
    assert rows(arrived, "The safe, day by day", "day", "in", "out", "banked", "left") == [
        ("2026-03-03", 50, 0, 0, -20030)
    ]
    assert "Deposits on their way" not in [each["title"] for each in arrived["sheets"]]


def test_what_was_made_offline_stands_beside_all_orders(day: Till) -> None:
    told = report("offline", day)
    assert rows(told, "Made offline", "orders", "amount", "of_orders", "share_bp") == [(1, 500, 5, 2000)]


def test_what_head_office_voids_leaves_every_figure_and_counts_as_voided(day: Till) -> None:
    discounted = Order.objects.get(shift_id=day.shift_id, number=1002)
    decided(Verb.VOID, discounted.order_id)
    (row,) = sheet(report("sales", day), "By store and day")["rows"]
    assert (row["sales_number"], row["sales"], row["tax"], row["tips"], row["paid"]) == (3, 5740, 7, 0, 5620)
    assert rows(report("tax", day), "Beside the ledger", "of_lines", "in_ledger", "difference") == [(7, 7, 0)]
    told = report("risk", day)
    assert rows(told, "Given back and taken off, by cashier", "cashier", "discount") == [("Anna", 0), ("Ben", 0)]
    unusual = rows(told, "Voided, and out of hours, by cashier", "cashier", "voided", "voided_number")
    assert unusual == [("Anna", 1000, 1), ("Ben", 240, 1)]


def test_a_corrected_payment_moves_between_the_methods(day: Till) -> None:
    order = Order.objects.get(shift_id=day.shift_id, number=1002)
    decided(Verb.RETENDER, order.order_id, payments={"cash": 1100})
    assert rows(report("sales", day), "By payment method", "method", "orders", "amount") == [
        ("card", 1, 5000),
        ("cash", 3, 1220),
        ("gift_card", 1, 500),
    ]


def test_days_before_and_after_are_in_no_figure(day: Till) -> None:
    for name in ("sales", "tax", "over-short", "no-receipt", "risk", "offline"):
        assert report(name, day, first="2026-03-02", last="2026-03-31")["sheets"] == []
        assert report(name, day, first="2026-02-01", last="2026-02-28")["sheets"] == []


def test_a_report_is_printed_for_people(day: Till) -> None:
    out = StringIO()
    call_command("report", "tax", "--store", day.store.code, "--from", "2026-03-01", "--to", "2026-03-01", stdout=out)
    assert "FR-5.5" in out.getvalue()
    assert "5.5\N{NO-BREAK SPACE}%" in out.getvalue()
    assert "€8.33" in out.getvalue()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sales", "--store", "NONE"], "no store NONE"),
        (["profit"], "no report profit"),
        (["sales", "--from", "2026-03-02", "--to", "2026-03-01"], "the first before the last"),
        (["sales", "--from", "2020-01-01", "--to", "2026-03-01"], "at most 366 days"),
        (["sales", "--from", "1.3.2026"], "not a date"),
    ],
)
def test_what_it_does_not_understand_it_says(database: None, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("report", *words, "--json", stdout=StringIO())
