"""The worked examples of the ledger, by the audit's own rules; and what cannot be posted at all."""

from typing import Any

import pytest

from backoffice.audit.reading import read_movement, read_order
from backoffice.audit.rules import (
    DRAWER,
    OVER_SHORT,
    SAFE,
    drawer_effect,
    half_away,
    movement_sides,
    order_sides,
    transfer,
    why_unpostable,
)
from tests.till import a_movement, a_sale

METHODS = {"cash": "1000", "card": "1100", "gift_card": "2200", "on_account": "1300"}
ADJUSTS = "0195518c-1f5e-7d3a-9c55-5b1f6a0c2e11"


def sides(
    *lines: dict[str, Any], paid: dict[str, int], inclusive: bool = True, of_before: bool = False, **changes: Any
) -> dict[str, tuple]:
    """Account (and tax code) → debits and credits, of an order that must be postable."""
    rules: Any = {"inclusive": inclusive, "methods": METHODS, "of_before": of_before}
    payments = [{"method": method, "amount": amount} for method, amount in paid.items()]
    total = sum(paid.values()) - changes.get("tip", 0)
    order = read_order(a_sale(1, lines=list(lines), payments=payments, total=total) | changes)
    assert why_unpostable(order, **rules) == ""
    made = order_sides(order, **rules)
    assert sum(debits for debits, _ in made.values()) == sum(credits_ for _, credits_ in made.values())
    return {" ".join(filter(None, key)): amounts for key, amounts in made.items()}


def line(amount: int, tax: int = 0, *, code: str = "T", **changes: Any) -> dict[str, Any]:
    taxes = [{"code": code, "rate": "0.1", "amount": tax}] if tax else []
    return {"quantity": "1", "unit_price": abs(amount), "amount": amount, "taxes": taxes} | changes


TAX = {"code": "T", "rate": "0.1", "amount": 0}
NET = {"quantity": "3", "unit_price": 1999, "discount": 500}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            sides(line(240, 13, code="FR-5.5"), paid={"cash": 240}),
            {"1000": (240, 0), "4000": (0, 227), "2100 FR-5.5": (0, 13)},
        ),
        (
            sides(line(5497, 488, code="NY", **NET), paid={"card": 6985}, tip=1000, inclusive=False),
            {"1100": (6985, 0), "4100": (500, 0), "4000": (0, 5997), "2100 NY": (0, 488), "2300": (0, 1000)},
        ),
        (
            sides(line(-240, -13, quantity="-2"), paid={"cash": -240}, kind="refund"),
            {"4200": (227, 0), "2100 T": (13, 0), "1000": (0, 240)},
        ),
        (
            sides(line(-5497, -488), paid={"card": -5985}, kind="refund", inclusive=False),
            {"4200": (5497, 0), "2100 T": (488, 0), "1100": (0, 5985)},
        ),
        (
            sides(line(1000, 167, unit_price=1200, discount=200), paid={"cash": 1000}),
            {"1000": (1000, 0), "4100": (167, 0), "4000": (0, 1000), "2100 T": (0, 167)},
        ),
        (
            sides(line(3000), paid={"gift_card": 2000, "cash": 1000}),
            {"2200": (2000, 0), "1000": (1000, 0), "4000": (0, 3000)},
        ),
        (
            sides(line(3000), paid={"card": 5000, "cash": -2000}),
            {"1100": (5000, 0), "1000": (0, 2000), "4000": (0, 3000)},
        ),
        (sides(line(5000, kind="gift_card"), paid={"card": 5000}), {"1100": (5000, 0), "2200": (0, 5000)}),
        (sides(line(3000, kind="account_payment"), paid={"cash": 3000}), {"1000": (3000, 0), "1300": (0, 3000)}),
        (
            sides(line(5000, kind="gift_card", unit_price=10000, discount=5000), paid={"card": 5000}),
            {"1100": (5000, 0), "4100": (5000, 0), "2200": (0, 10000)},
        ),
        (
            sides(line(5000, kind="gift_card", unit_price=10000, discount=5000), paid={"card": 5000}, of_before=True),
            {"1100": (5000, 0), "2200": (0, 5000)},
        ),
        (
            sides(
                line(-5000, kind="gift_card", quantity="-1", unit_price=10000, discount=-5000),
                paid={"card": -5000},
                kind="refund",
            ),
            {"1100": (0, 5000), "4100": (0, 5000), "2200": (10000, 0)},
        ),
        (
            sides(
                line(-1000, -167, kind="service_charge", quantity="-1", discount=-200),
                paid={"cash": -1000},
                kind="refund",
            ),
            {"1000": (0, 1000), "4100": (0, 167), "4010": (1000, 0), "2100 T": (167, 0)},
        ),
        (
            sides(line(10000), paid={"gift_card": 10000}),
            {"2200": (10000, 0), "4000": (0, 10000)},
        ),
        (
            sides(line(424, 85), line(-42, -9, kind="discount", quantity="-1"), paid={"cash": 458}, inclusive=False),
            {"1000": (458, 0), "4100": (42, 0), "4000": (0, 424), "2100 T": (9, 85)},
        ),
        (
            sides(line(-424, -85), line(42, 9, kind="discount"), paid={"cash": -458}, inclusive=False, kind="refund"),
            {"4200": (424, 0), "2100 T": (85, 9), "1000": (0, 458), "4100": (0, 42)},
        ),
        (sides(paid={"card": 200}, tip=200, adjusts=ADJUSTS), {"1100": (200, 0), "2300": (0, 200)}),
        (sides(paid={"cash": -1500, "card": 1500}, adjusts=ADJUSTS), {"1100": (1500, 0), "1000": (0, 1500)}),
        (sides(paid={"card": -5000, "on_account": 5000}, adjusts=ADJUSTS), {"1300": (5000, 0), "1100": (0, 5000)}),
        (
            sides(line(1002), paid={"cash": 1000}, rounding=-2),
            {"1000": (1000, 0), "4900": (2, 0), "4000": (0, 1002)},
        ),
        (sides(line(0, unit_price=400, discount=400), paid={}), {"4100": (400, 0), "4000": (0, 400)}),
        (sides(line(0), paid={}), {}),
        (sides(line(0, quantity="-1", discount=-400), paid={}), {}),
        (sides(line(240), paid={}, status="voided", total=7), {}),
        (sides(line(240), paid={}, status="training"), {}),
    ],
)
def test_orders(made: dict[str, tuple], expected: dict[str, tuple]) -> None:
    assert made == expected


@pytest.mark.parametrize(
    ("movement", "expected"),
    [
        (a_movement(5000), {("1000", ""): (5000, 0), ("1010", ""): (0, 5000)}),
        (a_movement(800, kind="cash_out", reason="tips"), {("1000", ""): (0, 800), ("2300", ""): (800, 0)}),
        (a_movement(800, reason="?"), {("1000", ""): (800, 0), ("1990", ""): (0, 800)}),
    ],
)
def test_cash_movements(movement: dict[str, Any], expected: Any) -> None:
    made = movement_sides(read_movement(movement), reasons={"change": "1010", "tips": "2300"})
    assert made == expected
    assert drawer_effect(made) == expected["1000", ""][0] - expected["1000", ""][1]


def test_opening_and_a_short_close() -> None:
    assert transfer(20000 - 61250, DRAWER, SAFE) == {("1000", ""): (0, 41250), ("1010", ""): (41250, 0)}
    assert transfer(-350, DRAWER, OVER_SHORT) == {("1000", ""): (0, 350), ("6900", ""): (350, 0)}
    assert transfer(0, DRAWER, OVER_SHORT) == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"total": 241}, "its total is 241 and its lines come to 240"),
        ({"tip": 1}, "its payments come to 240, total and tip to 241"),
        ({"payments": [{"method": "shells", "amount": 240}]}, "no account is mapped to shells"),
        ({"lines": [line(240, kind="wish")]}, "no rule posts lines of kind wish"),
        ({"lines": [line(240) | {"taxes": [TAX | {"kind": "wish"}]}]}, "nobody knows taxes of kind wish"),
        ({"kind": "refund"}, "it is a refund, and its total is 240"),
        ({"adjusts": ADJUSTS}, "it adjusts another order, and has lines or a total"),
        ({"total": 241, "status": "voided"}, ""),
        ({"lines": [], "total": 0, "payments": [], "status": "training"}, ""),
        ({"lines": [line(240) | {"taxes": [TAX | {"kind": "compound"}]}]}, ""),
    ],
)
def test_what_cannot_be_posted(changes: dict[str, Any], why: str) -> None:
    assert why_unpostable(read_order(a_sale(1) | changes), inclusive=True, methods=METHODS) == why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "refund"}, ""),
        ({"lines": [line(240, kind="discount")]}, "no rule posts lines of kind discount"),
        ({"lines": [line(240, kind="deposit")]}, ""),
    ],
)
def test_what_could_not_be_posted_before(changes: dict[str, Any], why: str) -> None:
    order = read_order(a_sale(1) | changes)
    assert why_unpostable(order, inclusive=True, methods=METHODS, of_before=True) == why


@pytest.mark.parametrize(("numerator", "expected"), [(5, 1), (4, 0), (-5, -1), (-4, 0), (15, 2), (-15, -2), (0, 0)])
def test_halves_go_away_from_zero(numerator: int, expected: int) -> None:
    assert half_away(numerator, 10) == expected
    assert half_away(numerator, -10) == -expected
