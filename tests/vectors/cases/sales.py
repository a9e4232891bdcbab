"""Sales that need no word: every kind of line and tax, both price modes, several currencies, every payment method."""

from typing import Any

from backoffice.domain.accounts import LINE_ACCOUNTS, PAYMENT_ACCOUNTS
from tests.vectors.building import (
    KUWAIT,
    NEW_YORK,
    ON_TOP,
    TOKYO,
    ZURICH,
    Place,
    case,
    goods,
    line,
    pay,
    tax,
)

SOLD = tuple(kind for kind in LINE_ACCOUNTS if kind != "discount")
VAT = tax("FR-20", "0.2", 200)
BOTTLE = (tax("BE-CRV", "0", 29, kind="fixed"), tax("BE-21", "0.21", 1204, kind="compound"))
QUEBEC = (tax("GST", "0.05", 500), tax("QST", "0.09975", 1047, kind="compound"))
STEPPED = {"rounding_step": 100}


def rounds(mode: str) -> Place:
    return Place(currency="TWD", timezone="Asia/Taipei", settings={**STEPPED, "rounding_mode": mode})


BY_METHOD = tuple(case(f"paid by {method}", goods(1000), by=method) for method in PAYMENT_ACCOUNTS)
BY_KIND = tuple(case(f"a line of kind {kind}", goods(1000, kind=kind)) for kind in SOLD)
KINDS_ON_TOP = tuple(
    case(f"a line of kind {kind} with tax on top", line("1", 1000, VAT, kind=kind), at=ON_TOP)
    for kind in ("item", "gift_card", "service_charge", "container_deposit")
)
KINDS_WITH_DISCOUNT = tuple(
    case(f"a line of kind {kind} less a discount, tax included", taxed, by="card")
    for kind in ("item", "service_charge", "donation")
    for taxed in [line("1", 1500, VAT, kind=kind, discount=300)]
)
BY_STATUS = tuple(
    case(name, *lines, status=status, total=total, payments=payments)
    for name, status, lines, total, payments in (
        ("voided with its lines", "voided", (goods(500),), 500, pay(cash=500)),
        ("voided before anything was rung up", "voided", (), 0, []),
        ("voided, whose sums nobody checks", "voided", (goods(500),), 99999, []),
        ("voided with a line and a method that no rule knows", "voided", (goods(5, kind="egg"),), 5, pay(shells=5)),
        ("made by a trainee", "training", (goods(500),), 500, pay(cash=500)),
        ("made by a trainee, with nothing in it", "training", (), 0, []),
    )
)

TAXES = (
    case("two taxes on one line, included", line("1", 1100, tax("A", "0.05", 48), tax("B", "0.1", 96))),
    case("two taxes on one line, on top", line("1", 1000, tax("A", "0.05", 50), tax("B", "0.1", 100)), at=ON_TOP),
    case("a tax at rate 0", line("1", 1000, tax("ZERO", "0", 0))),
    case("a rate of six decimals", line("1", 1000000, tax("X", "0.123456", 123456)), at=ON_TOP),
    case("a compound tax on top of a percentage", line("1", 10000, *QUEBEC), at=ON_TOP),
    case("a tax on a price and on a fixed contribution", line("1", "5702.48", *BOTTLE), at=ON_TOP),
    case("a fixed tax per unit, whatever its rate says", line("3", 200, tax("BAG", "0.5", 30, kind="fixed"))),
    case("a fixed and a compound tax, included", line("1", 6935, *BOTTLE)),
    case(
        "two compound taxes, each on all that are not",
        *[
            line(
                "1",
                1000,
                tax("A", "0.1", 100),
                tax("B", "0.1", 110, kind="compound"),
                tax("C", "0.2", 220, kind="compound"),
            )
        ],
        at=ON_TOP,
    ),
    case("kind percent spelled out", line("1", 1200, tax("FR-20", "0.2", 200, kind="percent"))),
    case("a tax off by one minor unit", line("1", 1200, tax("FR-20", "0.2", 201))),
    case("a tax rounded a piece at a time", line("100", 1559, tax("NINE", "0.09", 14000)), at=ON_TOP),
    case("two pieces, each rounded: off by two", line("2", 105, tax("TEN", "0.1", 23)), at=ON_TOP),
    case("a tax without a code", line("1", 1200, tax("", "0.2", 200))),
)

QUANTITIES = (
    case("a weight", line("0.350", 1290)),
    case("fuel, priced in parts of a minor unit", line("40.12", "159.9")),
    case("half a minor unit, rounded away from zero", line("0.5", 1)),
    case("a quantity of 0", line("0", 500), payments=[]),
    case("a quantity of four decimals", line("0.3333", 3000)),
    case("the smallest price", line("10000", "0.0001")),
    case("many lines of one order", *[line("1", price) for price in (100, 250, 399, 1, 0)]),
    case("an order without lines or payments", payments=[]),
    case("the largest amount there is", line("1", 10**12), by="bank_transfer"),
)

CURRENCIES = (
    case("yen have no decimals", line("3", 330, tax("JP-10", "0.1", 90)), at=TOKYO),
    case(
        "two Japanese rates on one receipt",
        line("1", 540, tax("JP-8", "0.08", 40)),
        line("1", 550, tax("JP-10", "0.1", 50)),
        at=TOKYO,
    ),
    case("dinars have three decimals", line("2", 1250), tip=250, by="card", at=KUWAIT),
    case("a third of a dinar", line("0.3333", 3000), at=KUWAIT),
    case("dollars with tax on top", line("2", 1999, tax("NY", "0.08875", 355)), by="card", at=NEW_YORK),
    case("francs rounded up to the five", goods(1003), rounding=2, at=ZURICH),
    case("francs by card, not rounded", goods(1003), by="card", at=ZURICH),
    case("rounded down by 99 of a step of 100", goods(799), rounding=-99, at=rounds("down")),
    case("rounded up by 99 of a step of 100", goods(701), rounding=99, at=rounds("up")),
    case("rounded by half a step to the nearest", goods(750), rounding=50, at=rounds("nearest")),
)

DISCOUNTS = (
    case(
        "a discount line, tax included",
        line("1", 1200, tax("FR-20", "0.2", 200)),
        line("-1", 120, tax("FR-20", "0.2", -20), kind="discount"),
    ),
    case("a discount line of quantity 1 at a negative amount", goods(1000), line("-1", 100, kind="discount")),
    case(
        "two discount lines of two rates",
        *[
            line("1", 1000, tax("A", "0.2", 200)),
            line("1", 1000, tax("B", "0.1", 100)),
            line("-1", 100, tax("A", "0.2", -20), kind="discount"),
            line("-1", 100, tax("B", "0.1", -10), kind="discount"),
        ],
        at=ON_TOP,
    ),
    case("a discount line as large as the order", goods(500), goods(-500, kind="discount"), payments=[]),
    case("gift card given away for nothing", line("1", 5000, kind="gift_card", discount=5000), payments=[]),
    case("a deposit less a discount, with tax on top", line("1", 1000, kind="deposit", discount=250), at=ON_TOP),
)

PAYMENTS = (
    case(
        "split between five methods",
        goods(1500),
        payments=pay(cash=100, card=200, gift_card=300, voucher=400, points=500),
    ),
    case("two payments of one method", goods(1000), payments=[*pay(card=400), *pay(card=600)]),
    case(
        "change handed back", goods(850), payments=[{"method": "cash", "amount": 850, "tendered": 1000, "change": 150}]
    ),
    case("a tip in cash", goods(850), tip=150),
    case("a tip by card, the goods in cash", goods(850), tip=150, payments=pay(cash=850, card=150)),
    case("a payment of 0", goods(500), payments=pay(cash=500, card=0)),
)

FULL: dict[str, Any] = {
    "mode": "offline", "type": "takeaway", "cashier": "Anna", "customer": None, "printed_to": "local", "refund_of": None,
    "adjusts": None, "note": "no onions", "rounding": 0, "tip": 0,
}  # fmt: skip
WHOLE_LINE = {"kind": "item", "sku": "4006381333931", "name": "Stift", "discount": 0, "refund_of": None}
FIELDS = (
    case("every field spelled out, made offline", line("1", 199, **WHOLE_LINE), **FULL),
    case("a customer on an order made online", goods(500), customer={"name": "Mme Petit", "vip": True}),
    case("printed over the network, online", goods(500), printed_to="network"),
    case("for delivery", goods(500), type="delivery"),
    case("an EAN as sku is no card number", line("1", 199, sku="4111111111111111")),
    case("fields that nobody knows", line("1", 199, allergens=["nuts"]), loyalty={"tier": "gold"}),
    case("a time with another offset", goods(500), closed_at="2026-03-01T10:02:00Z"),
    case("a name of 200 characters", line("1", 500, name="n" * 200), note="n" * 500),
    case("opened before the shift, paid in it under an old number", goods(500), number=900,
         opened_at="2026-03-01T07:30:00+01:00"),
    case("closed in the second the shift opened", goods(500), opened_at="2026-03-01T08:00:00+01:00",
         closed_at="2026-03-01T08:00:00+01:00"),
    case("a store's own order type", goods(500), type="drive_in", at=Place(settings={"order_types": ["drive_in"]})),
    case("as much as the store allows", goods(5000), at=Place(settings={"max_order_total": 5000})),
)  # fmt: skip

CASES = (
    *BY_METHOD, *BY_KIND, *KINDS_ON_TOP, *KINDS_WITH_DISCOUNT, *BY_STATUS, *TAXES, *QUANTITIES, *CURRENCIES, *DISCOUNTS,
    *PAYMENTS, *FIELDS,
)  # fmt: skip
