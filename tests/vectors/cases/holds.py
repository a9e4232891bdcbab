"""Orders and cash movements that are held, for each reason that one alone can have."""

from typing import Any

from tests.vectors.building import (
    ON_TOP,
    MovementCase,
    OrderCase,
    case,
    goods,
    line,
    movement,
    order,
    pay,
    tax,
)

SUMS, PAYMENTS = "sums-do-not-add-up@/total", "payments-do-not-add-up@/payments"
NOT_NEGATIVE = "refund-not-negative@/total"


def changed(name: str, pointer: str, **fields: Any) -> OrderCase:
    """An order that is none, because of these fields."""
    unreadable = order(name, goods(500)) | fields
    return OrderCase(name=name, order=unreadable, reasons=(f"unreadable-order@{pointer}",))


def without(name: str, field: str) -> OrderCase:
    fields = order(name, goods(500))
    del fields[field]
    return OrderCase(name=name, order=fields, reasons=(f"unreadable-order@/{field}",))


def moved(name: str, amount: Any, *reasons: str, **fields: Any) -> MovementCase:
    return MovementCase(name=name, movement=movement(name, amount, **fields), reasons=reasons)


ARITHMETIC = (
    case("a total that is not the sum of its lines", goods(500), total=600, reasons=(SUMS,)),
    case("a total that forgets the rounding", goods(502), rounding=-2, total=502, reasons=(SUMS,)),
    case("a total that forgets the tax on top", line("1", 500, tax("A", "0.2", 100)), total=500, at=ON_TOP, reasons=(SUMS,)),
    case("a total that adds the tax that is included", line("1", 500, tax("A", "0.2", 83)), total=583, reasons=(SUMS,)),
    case("paid too little", goods(500), payments=pay(cash=400), reasons=(PAYMENTS,)),
    case("a tip that nobody paid", goods(500), tip=50, payments=pay(cash=500), reasons=(PAYMENTS,)),
    case("not paid at all", goods(500), payments=[], reasons=(PAYMENTS,)),
    case("wrong in every sum", goods(500), total=600, payments=pay(cash=400), reasons=(SUMS, PAYMENTS)),
)  # fmt: skip

SIGNS = (
    case("a refund whose signs were forgotten", line("2", 120, tax("A", "0.055", 13)), kind="refund",
         reasons=(NOT_NEGATIVE,)),
    case("a refund of a discount line alone", goods(50), kind="refund", reasons=(NOT_NEGATIVE,)),
    case("a refund that sells more than it takes back", goods(-500), goods(900), kind="refund", reasons=(NOT_NEGATIVE,)),
    case("a refund whose signs are those of a sale, with wrong sums", goods(500), kind="refund", total=600,
         reasons=(NOT_NEGATIVE, SUMS)),
)  # fmt: skip

UNKNOWN = (
    case("a method without an account", goods(500), by="seashells", reasons=("unmapped-method@/payments/0/method",)),
    case("a line of a kind that nobody knows", goods(500, kind="mystery"), reasons=("unknown-line-kind@/lines/0/kind",)),
    case("a tax of a kind that nobody knows", line("1", 500, tax("A", "0.2", 83, kind="wealth")),
         reasons=("unknown-tax-kind@/lines/0/taxes/0/kind",)),
    case("all three in the second line and payment", goods(500),
         line("1", 500, tax("A", "0.2", 83, kind="wealth"), kind="mystery"), payments=pay(cash=500, seashells=500),
         reasons=("unknown-line-kind@/lines/1/kind", "unknown-tax-kind@/lines/1/taxes/0/kind",
                  "unmapped-method@/payments/1/method")),
)  # fmt: skip

LIMITS = (
    case("501 lines", *[goods(1)] * 501, reasons=("limit-exceeded@/lines",)),
    case("21 payments", goods(21), payments=pay(cash=1) * 21, reasons=("limit-exceeded@/payments",)),
    case("11 taxes on a line", line("1", 500, *[tax("A", "0", 0)] * 11), reasons=("limit-exceeded@/lines/0/taxes",)),
    case("an order type of 65 characters", goods(500), type="t" * 65, reasons=("limit-exceeded@/type",)),
    case("a tax code of 65 characters", line("1", 500, tax("c" * 65, "0", 0)),
         reasons=("limit-exceeded@/lines/0/taxes/0/code",)),
    case("a discount that is no amount any more less the taxes in it",
         line("1", 10**12, tax("A", "0", -(10**12)), discount=10**12 - 1), reasons=("limit-exceeded@/lines/0/discount",)),
    case("beyond the limits and voided", *[goods(1)] * 501, status="voided", reasons=("limit-exceeded@/lines",)),
)  # fmt: skip

UNREADABLE = (
    changed("a scanned ISBN as the quantity", "/lines/0/quantity", lines=[goods(500) | {"quantity": "9780201379624"}]),
    changed("an amount with a fraction", "/total", total=500.5),
    changed("an amount as a text", "/total", total="500"),
    changed("an amount beyond the largest", "/total", total=10**12 + 1),
    changed("a quantity as a number", "/lines/0/quantity", lines=[goods(500) | {"quantity": 1}]),
    changed("a quantity of five decimals", "/lines/0/quantity", lines=[goods(500) | {"quantity": "1.00001"}]),
    changed("a rate of seven decimals", "/lines/0/taxes/0/rate", lines=[line("1", 500, tax("A", "0.1234567", 0))]),
    changed("a number of 0", "/number", number=0),
    changed("a status that nobody knows", "/status", status="parked"),
    changed("a time without an offset", "/closed_at", closed_at="2026-03-01T11:02:00"),
    changed("a time before the year 2000", "/closed_at", closed_at="1999-12-31T23:59:59+01:00"),
    changed("an identifier that is no UUID", "/order_id", order_id="1017"),
    changed("a tip of null", "/tip", tip=None),
    changed("an adjusted order that is no UUID", "/adjusts", adjusts="1017"),
    changed("a line's original that is no UUID", "/lines/0/refund_of", lines=[goods(-500) | {"refund_of": "x"}]),
    without("no total", "total"),
    without("no number", "number"),
    OrderCase(name="a member that is a text", order="order 1017", reasons=("unreadable-order@",)),
    OrderCase(name="a member that is null", order=None, reasons=("unreadable-order@",)),
)  # fmt: skip

MOVEMENTS = (
    moved("a movement of 0", 0, "amount-not-positive@/amount"),
    moved("a movement below 0", -5000, "amount-not-positive@/amount"),
    moved("a movement whose amount is a text", "5000", "unreadable-movement@/amount"),
    moved("a movement of a kind that nobody knows", 5000, "unreadable-movement@/kind", kind="cash_lost"),
    moved("a reason of 65 characters", 5000, "limit-exceeded@/reason", reason="r" * 65),
)

CASES = (*ARITHMETIC, *SIGNS, *UNKNOWN, *LIMITS, *UNREADABLE, *MOVEMENTS)
