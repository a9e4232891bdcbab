"""The worked examples of docs/ledger.md, each with the entry that stands there."""

from typing import Any

from tests.vectors.building import (
    NEW_YORK,
    ON_TOP,
    PARIS,
    ZURICH,
    MovementCase,
    OrderCase,
    Place,
    adjustment,
    case,
    goods,
    line,
    movement,
    pay,
    refund_case,
    tax,
)

SOURCE = "ledger, Worked examples"
BAGUETTES = "two baguettes, tax included, paid in cash with change"
BOOKS = "three books less a discount, tax on top, with a tip by card"
OFF_THE_ORDER = "a discount of the whole order as a line of its own, tax on top"


def example(name: str, *lines: dict[str, Any], entry: str, at: Place = PARIS, **fields: Any) -> OrderCase:
    return case(name, *lines, entry=entry, at=at, source=SOURCE, **fields)


def adjusted(name: str, *, entry: str, of: str, **fields: Any) -> OrderCase:
    reasons = ("adjusts-unknown-order@/adjusts",)
    return OrderCase(name=name, order=adjustment(name, of=of, **fields), reasons=reasons, entry=entry, source=SOURCE)


CASES = (
    example(
        BAGUETTES,
        line("2", 120, tax("FR-5.5", "0.055", 13)),
        payments=[{"method": "cash", "amount": 240, "tendered": 500, "change": 260}],
        entry="1000 D 240, 4000 C 227, 2100/FR-5.5 C 13",
    ),
    example(
        BOOKS,
        line("3", 1999, tax("NY", "0.08875", 488), discount=500),
        tip=1000,
        by="card",
        at=NEW_YORK,
        entry="1100 D 6985, 4100 D 500, 4000 C 5997, 2100/NY C 488, 2300 C 1000",
    ),
    refund_case(
        "the two baguettes come back, and cash goes out",
        line("-2", 120, tax("FR-5.5", "0.055", -13)),
        of=BAGUETTES,
        source=SOURCE,
        entry="4200 D 227, 2100/FR-5.5 D 13, 1000 C 240",
    ),
    refund_case(
        "the three books come back, and the staff keeps the tip",
        line("-3", 1999, tax("NY", "0.08875", -488), discount=-500),
        of=BOOKS,
        by="card",
        at=NEW_YORK,
        source=SOURCE,
        entry="4200 D 5497, 2100/NY D 488, 1100 C 5985",
    ),
    example(
        "a discount inside a price that includes tax",
        line("1", 1200, tax("FR-20", "0.20", 167), discount=200),
        entry="1000 D 1000, 4100 D 167, 4000 C 1000, 2100/FR-20 C 167",
    ),
    example(
        "paid by gift card and cash",
        goods(3000),
        payments=pay(gift_card=2000, cash=1000),
        entry="2200 D 2000, 1000 D 1000, 4000 C 3000",
    ),
    example(
        "cash-back on a card",
        goods(3000),
        payments=pay(card=5000, cash=-2000),
        entry="1100 D 5000, 1000 C 2000, 4000 C 3000",
    ),
    example("gift card sold by card", goods(5000, kind="gift_card"), by="card", entry="1100 D 5000, 2200 C 5000"),
    example("an account settled in cash", goods(3000, kind="account_payment"), entry="1000 D 3000, 1300 C 3000"),
    example(
        "gift card sold for half its value",
        line("1", 10000, kind="gift_card", discount=5000),
        by="card",
        entry="1100 D 5000, 4100 D 5000, 2200 C 10000",
    ),
    example(
        "that gift card redeemed for its whole value",
        goods(10000),
        by="gift_card",
        entry="2200 D 10000, 4000 C 10000",
    ),
    example(
        OFF_THE_ORDER,
        line("2", 212, tax("FR-20", "0.2", 85)),
        line("-1", 42, tax("FR-20", "0.2", -9), kind="discount"),
        at=ON_TOP,
        entry="1000 D 458, 4100 D 42, 2100/FR-20 D 9, 4000 C 424, 2100/FR-20 C 85",
    ),
    refund_case(
        "the mirror image of an order with a discount line",
        line("-2", 212, tax("FR-20", "0.2", -85)),
        line("1", 42, tax("FR-20", "0.2", 9), kind="discount"),
        of=OFF_THE_ORDER,
        at=ON_TOP,
        source=SOURCE,
        entry="4200 D 424, 2100/FR-20 D 85, 1000 C 458, 4100 C 42, 2100/FR-20 C 9",
    ),
    adjusted(
        "a tip written on the slip of an order sent before",
        of=BOOKS,
        tip=200,
        payments=pay(card=200),
        entry="1100 D 200, 2300 C 200",
    ),
    adjusted(
        "keyed as cash, was paid by card",
        of=BAGUETTES,
        payments=pay(cash=-1500, card=1500),
        entry="1100 D 1500, 1000 C 1500",
    ),
    adjusted(
        "a card that was declined after the upload",
        of=BOOKS,
        payments=pay(card=-5000, on_account=5000),
        entry="1300 D 5000, 1100 C 5000",
    ),
    example(
        "cash rounded to the Swiss five",
        goods(1002),
        rounding=-2,
        at=ZURICH,
        entry="1000 D 1000, 4900 D 2, 4000 C 1002",
    ),
    example("given away", line("1", 400, discount=400), payments=[], entry="4100 D 400, 4000 C 400"),
    example("a free item at price 0", line("1", 0), payments=[], entry=""),
    MovementCase(
        name="change brought to the drawer",
        movement=movement("change brought to the drawer", 5000),
        source=SOURCE,
        entry="1000 D 5000, 1010 C 5000",
    ),
    MovementCase(
        name="tips paid out of the drawer",
        movement=movement("tips paid out of the drawer", 800, kind="cash_out", reason="tips"),
        source=SOURCE,
        entry="2300 D 800, 1000 C 800",
    ),
)
"""Closes and openings of the document are in `drawers`."""
