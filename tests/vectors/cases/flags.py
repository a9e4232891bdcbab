"""Orders and cash movements that are posted and flagged, for each flag that one alone can raise."""

from dataclasses import replace
from typing import Any

from tests.vectors.building import (
    ON_TOP,
    PARIS,
    ZURICH,
    MovementCase,
    Place,
    case,
    goods,
    id_of,
    line,
    movement,
    tax,
)

SKEW_MS = 15 * 60 * 1000
ENDED = Place(closed_at="2026-03-01T18:00:00+01:00")
LATER = {"opened_at": "2026-03-01T18:00:30+01:00", "closed_at": "2026-03-01T18:01:00+01:00"}
EARLIER = {"opened_at": "2026-03-01T07:58:00+01:00", "closed_at": "2026-03-01T07:59:00+01:00"}
AMOUNT, SIGN, TAX = (
    "line-amount-mismatch@/lines/0/amount",
    "sign-mismatch@/lines/0/amount",
    "tax-mismatch@/lines/0/taxes",
)
ROUNDING = "rounding-excessive@/rounding"
PAN = "4111 1111 1111 1111"


def rounding(mode: str | None) -> Place:
    return Place(settings={"rounding_step": 100, "rounding_mode": mode})


def tendered(amount: int, **fields: int) -> list[dict[str, Any]]:
    return [{"method": "cash", "amount": amount, **fields}]


def moved(name: str, *reasons: str, at: Place = PARIS, **fields: Any) -> MovementCase:
    return MovementCase(name=name, movement=movement(name, 5000, **fields), reasons=reasons, at=at)


OFFLINE = (
    case("a customer on an order made offline", goods(500), mode="offline", customer={"name": "Leroy"},
         reasons=("customer-on-offline-order@/customer",)),
    case("printed over the network, offline", goods(500), mode="offline", printed_to="network",
         reasons=("network-print-on-offline-order@/printed_to",)),
    case("voided, and printed over the network offline", goods(500), mode="offline", printed_to="network",
         status="voided", reasons=("network-print-on-offline-order@/printed_to",)),
)  # fmt: skip

HOURS = (
    case("closed before its shift opened", goods(500), **EARLIER, reasons=("outside-shift-hours@/closed_at",)),
    case("closed after its shift closed", goods(500), **LATER, at=ENDED, reasons=("outside-shift-hours@/closed_at",)),
    case("a wrong clock by the heartbeats", goods(500), clock_skew_ms=SKEW_MS, reasons=("clock-skew@",)),
    case("a clock that is slow", goods(500), clock_skew_ms=-SKEW_MS, reasons=("clock-skew@",)),
    case("received after the close, in no batch of it", goods(500), late=True, at=ENDED, reasons=("late@",)),
    case("a number below the shift's, opened in the shift", goods(500), number=900,
         reasons=("number-out-of-range@/number",)),
)  # fmt: skip

LINES = (
    case("an amount that is not quantity times price", line("2", 120, amount=250), reasons=(AMOUNT,)),
    case("an amount that forgets its discount", line("1", 500, discount=100, amount=500), reasons=(AMOUNT,)),
    case("signs that contradict each other", line("-1", 500, amount=500), reasons=(AMOUNT, SIGN)),
    case("a refund of positive quantity", line("2", 120, amount=-240), kind="refund", reasons=(AMOUNT, SIGN)),
    case("a tax that is not its rate of the base", line("1", 1200, tax("A", "0.2", 240)), reasons=(f"{TAX}/0/amount",)),
    case("a tax off by two minor units", line("1", 1200, tax("A", "0.2", 202)), reasons=(f"{TAX}/0/amount",)),
    case("a compound tax said to be a percentage", line("1", "5702.48", tax("BE-CRV", "0", 29, kind="fixed"),
         tax("BE-21", "0.21", 1204)), at=ON_TOP, reasons=(f"{TAX}/1/amount",)),
    case("a compound tax of the base alone", line("1", 10000, tax("GST", "0.05", 500),
         tax("QST", "0.09975", 998, kind="compound")), at=ON_TOP, reasons=(f"{TAX}/1/amount",)),
    case("a hundred pieces, further off than rounding each explains", line("100", 1559, tax("NINE", "0.09", 14083)),
         at=ON_TOP, reasons=(f"{TAX}/0/amount",)),
    case("six wrong lines, of which five are named", *[line("1", 500, amount=501)] * 6,
         reasons=tuple(f"line-amount-mismatch@/lines/{index}/amount" for index in range(5))),
)  # fmt: skip

MONEY = (
    case("rounded by more than half a step", goods(1004), rounding=-4, at=ZURICH, reasons=(ROUNDING,)),
    case("more than half a step, where the store names no mode", goods(799), rounding=-99, at=rounding(None),
         reasons=(ROUNDING,)),
    case("a whole step down", goods(800), rounding=-100, at=rounding("down"), reasons=(ROUNDING,)),
    case("a whole step up", goods(700), rounding=100, at=rounding("up"), reasons=(ROUNDING,)),
    case("change that does not fit", goods(850), payments=tendered(850, tendered=1000, change=100),
         reasons=("change-mismatch@/payments/0/change",)),
    case("tendered without change", goods(850), payments=tendered(850, tendered=1000),
         reasons=("change-mismatch@/payments/0/change",)),
    case("above the store's maximum", goods(5001), at=Place(settings={"max_order_total": 5000}),
         reasons=("over-max-order-total@/total",)),
    case("a refund above the store's maximum", goods(-5001), kind="refund",
         at=Place(settings={"max_order_total": 5000}), reasons=("over-max-order-total@/total",)),
    case("a refund below the store's minimum", goods(-50), kind="refund", at=Place(settings={"min_refund_total": 100}),
         reasons=("refund-below-minimum@/total",)),
    case("an order type that nobody knows", goods(500), type="drone", reasons=("unknown-type@/type",)),
    case("a type that the store does not have", goods(500), type="delivery",
         at=Place(settings={"order_types": ["takeaway"]}), reasons=("unknown-type@/type",)),
)  # fmt: skip

UNKNOWN = (
    case("a refund of an order that is in no book", goods(-500), kind="refund", refund_of=id_of("nowhere"),
         reasons=("refund-of-unknown-order@/refund_of",)),
    case("an adjustment of an order that is in no book", payments=[], adjusts=id_of("nowhere"),
         reasons=("adjusts-unknown-order@/adjusts",)),
)  # fmt: skip

TEXTS = (
    case("a name of 201 characters", line("1", 500, name="n" * 201), reasons=("text-shortened@/lines/0/name",)),
    case("a sku of 65 characters", line("1", 500, sku="s" * 65), reasons=("text-shortened@/lines/0/sku",)),
    case("a cashier and a note that are too long", goods(500), cashier="c" * 65, note="n" * 501,
         reasons=("text-shortened@/cashier", "text-shortened@/note")),
    case("a reference of 65 characters", goods(500), reasons=("text-shortened@/payments/0/reference",),
         payments=[{"method": "card", "amount": 500, "reference": "r" * 65}]),
    case("64 characters that are two UTF-16 units each", goods(500), cashier="🥖" * 64),
    case("a card number in the note", goods(500), note=f"paid with {PAN}", reasons=("card-number-masked@/note",)),
    case("a card number in an unknown field", goods(500), terminal_says={"slip": PAN},
         reasons=("card-number-masked@/terminal_says/slip",)),
    case("a security code", goods(500), payments=[{"method": "card", "amount": 500, "cvv": "123"}],
         reasons=("card-data-removed@/payments/0/cvv",)),
    case("held, and with a card number", goods(500), note=PAN, total=600,
         reasons=("sums-do-not-add-up@/total", "card-number-masked@/note")),
)  # fmt: skip

MOVEMENTS = (
    moved("cash taken to the safe", kind="cash_out", reason="safe_drop"),
    moved("cash in for a reason that nobody knows", "unknown-cash-reason@/reason", reason="found on the floor"),
    moved("cash out for no reason", "unknown-cash-reason@/reason", kind="cash_out", reason=""),
    moved("cash moved before the shift opened", "outside-shift-hours@/occurred_at", occurred_at=EARLIER["closed_at"]),
    moved("a cashier of 65 characters", "text-shortened@/cashier", cashier="c" * 65),
    moved("change in dinars", at=replace(PARIS, currency="KWD", timezone="Asia/Kuwait")),
)  # fmt: skip

CASES = (*OFFLINE, *HOURS, *LINES, *MONEY, *UNKNOWN, *TEXTS, *MOVEMENTS)
