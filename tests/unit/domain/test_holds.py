"""What holds an order, and keeps it out of the books until a person decides."""

from typing import Any

import pytest

from backoffice.domain.accounts import LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.reasons import REASONS
from backoffice.domain.rules import MAX_OF_A_CODE, holds, movement_holds
from tests.unit.domain.builders import (
    a_movement,
    a_shift,
    an_order,
    cash,
    paid_by,
    places,
    plain_line,
    wire_line,
    wire_tax,
)


def held(*, prices_include_tax: bool = True, **fields: Any) -> list[tuple[str, str]]:
    reasons = holds(an_order(**fields), shift=a_shift(prices_include_tax=prices_include_tax), methods=PAYMENT_ACCOUNTS)
    assert all(REASONS[reason.code].kind == "hold" and reason.detail for reason in reasons)
    return places(reasons)


def test_an_order_that_adds_up_is_not_held():
    assert held() == []
    assert held(prices_include_tax=False, total=253, payments=[cash(253)]) == []
    assert held(lines=[], total=0, payments=[]) == []


@pytest.mark.parametrize("off_by", [1, -1, 1000])
def test_a_total_that_is_not_the_sum_of_its_lines_is_held(off_by):
    total = 240 + off_by
    assert held(total=total, payments=[cash(total)]) == [("sums-do-not-add-up", "/total")]
    assert held(prices_include_tax=False, total=253 + off_by, payments=[cash(253 + off_by)]) == [
        ("sums-do-not-add-up", "/total")
    ]


def test_payments_that_are_not_total_and_tip_are_held():
    assert held(payments=[cash(239)]) == [("payments-do-not-add-up", "/payments")]
    assert held(payments=[]) == [("payments-do-not-add-up", "/payments")]
    assert held(tip=10) == [("payments-do-not-add-up", "/payments")]
    assert held(tip=10, payments=[cash(250)]) == []


def test_rounding_is_part_of_the_total():
    assert held(rounding=-2, total=238, payments=[cash(238)]) == []
    assert held(rounding=-2) == [("sums-do-not-add-up", "/total")]


def test_everything_that_is_wrong_is_said_at_once():
    assert held(total=1, lines=[wire_line(kind="mystery")], payments=[paid_by("shells", 5)]) == [
        ("sums-do-not-add-up", "/total"),
        ("payments-do-not-add-up", "/payments"),
        ("unknown-line-kind", "/lines/0/kind"),
        ("unmapped-method", "/payments/0/method"),
    ]


@pytest.mark.parametrize("method", sorted(PAYMENT_ACCOUNTS))
def test_every_method_of_the_protocol_is_mapped_by_default(method):
    assert held(payments=[paid_by(method, 240)]) == []


def test_a_method_that_the_store_does_not_map_is_held():
    order = an_order(payments=[paid_by("points", 140), cash(100)])
    reasons = holds(order, shift=a_shift(), methods={"cash"})
    assert places(reasons) == [("unmapped-method", "/payments/0/method")]


@pytest.mark.parametrize("kind", sorted(LINE_KINDS))
def test_every_line_kind_of_the_protocol_is_posted(kind):
    assert held(lines=[wire_line(kind=kind)]) == []


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_voided_or_practised_is_not_checked(status):
    assert held(status=status, total=1, lines=[wire_line(kind="mystery")], payments=[paid_by("shells", 5)]) == []


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"lines": [plain_line(0)] * 501}, "/lines"),
    ({"payments": [cash(0)] * 21}, "/payments"),
    ({"lines": [wire_line(taxes=[wire_tax(0)] * 11)]}, "/lines/0/taxes"),
    ({"lines": [wire_line(sku="x" * 65)]}, "/lines/0/sku"),
    ({"lines": [wire_line(name="x" * 201)]}, "/lines/0/name"),
    ({"lines": [wire_line(kind="x" * 65)]}, "/lines/0/kind"),
    ({"lines": [wire_line(taxes=[wire_tax(0, code="x" * 65)])]}, "/lines/0/taxes/0/code"),
    ({"payments": [cash(0, reference="x" * 65)]}, "/payments/0/reference"),
    ({"payments": [paid_by("x" * 65, 0)]}, "/payments/0/method"),
    ({"cashier": "x" * 65}, "/cashier"),
    ({"note": "x" * 501}, "/note"),
    ({"type": "x" * 65}, "/type"),
]


@pytest.mark.parametrize(("fields", "pointer"), LIMITS, ids=[pointer for _, pointer in LIMITS])
def test_an_order_beyond_a_limit_is_held_whatever_its_status(fields, pointer):
    for status in ("paid", "voided", "training"):
        assert ("limit-exceeded", pointer) in held(status=status, **fields)


def test_an_order_at_every_limit_is_not_held():
    line = plain_line(1, sku="x" * 64, name="é" * 200, taxes=[wire_tax(0, code="x" * 64)] * 10)
    payment = cash(25, reference="x" * 64)
    lines = [line] * 100 + [plain_line(1)] * 400  # all of them at every limit would be more than 256 KiB
    assert held(lines=lines, total=500, payments=[payment] * 20, cashier="x" * 64, note="😀" * 500, type="x" * 64) == []


def test_of_many_wrong_lines_only_the_first_few_are_told():
    reasons = held(lines=[wire_line(kind="mystery")] * 120, payments=[])
    assert reasons[0] == ("sums-do-not-add-up", "/total")
    assert [pointer for code, pointer in reasons if code == "unknown-line-kind"] == [
        f"/lines/{index}/kind" for index in range(MAX_OF_A_CODE)
    ]


@pytest.mark.parametrize("amount", [0, -5000])
def test_a_cash_movement_must_be_above_zero(amount):
    assert places(movement_holds(a_movement(amount=amount))) == [("amount-not-positive", "/amount")]


def test_a_cash_movement_beyond_a_limit_is_held():
    assert movement_holds(a_movement()) == ()
    assert places(movement_holds(a_movement(reason="x" * 65, cashier="x" * 65))) == [
        ("limit-exceeded", "/reason"),
        ("limit-exceeded", "/cashier"),
    ]
