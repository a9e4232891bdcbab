"""Refunds and exchanges, each alone: what they give back is in no book, and that is all they are flagged for."""

from backoffice.domain.accounts import LINE_ACCOUNTS, PAYMENT_ACCOUNTS
from tests.vectors.building import (
    KUWAIT,
    ON_TOP,
    TOKYO,
    ZURICH,
    Place,
    case,
    goods,
    id_of,
    line,
    pay,
    refund_case,
    tax,
)

EARLIER, ANOTHER = "an order sold earlier", "another order sold earlier"
UNKNOWN = "refund-of-unknown-order"
BY_KIND = tuple(
    refund_case(f"a line of kind {kind} given back", goods(-1000, kind=kind), of=EARLIER)
    for kind in LINE_ACCOUNTS
    if kind != "discount"
)
BY_METHOD = tuple(
    refund_case(f"paid back by {method}", goods(-1000), of=EARLIER, by=method) for method in PAYMENT_ACCOUNTS
)

REFUNDS = (
    case("a refund that names no order", goods(-500), kind="refund"),
    case("a refund that was voided", goods(-500), kind="refund", status="voided", refund_of=id_of(EARLIER)),
    case("a refund of nothing at all", kind="refund", payments=[]),
    refund_case("a refund of 0 that names an order", line("-1", 0), of=EARLIER, payments=[]),
    refund_case("a part of an order, tax on top", line("-1", 212, tax("A", "0.2", -42)), of=EARLIER, at=ON_TOP),
    refund_case("one of three pieces", line("-0.333", 1000), of=EARLIER),
    refund_case("the tip comes back as well", goods(-500), of=EARLIER, tip=-50, by="card"),
    refund_case("a discount comes back with its line", line("-1", 1200, tax("A", "0.2", -167), discount=-200), of=EARLIER),
    refund_case("a gift card sold at half price comes back", line("-1", 10000, kind="gift_card", discount=-5000),
                of=EARLIER, by="card"),
    refund_case("given away, and brought back", line("-1", 400, discount=-400), of=EARLIER, payments=[]),
    refund_case("a refund rounded to the Swiss five", goods(-998), of=EARLIER, rounding=-2, at=ZURICH),
    refund_case("yen come back", line("-3", 330, tax("JP-10", "0.1", -90)), of=EARLIER, at=TOKYO),
    refund_case("dinars come back", line("-2", 1250), of=EARLIER, at=KUWAIT),
    refund_case("kept back: a fee for the return", goods(-1000), goods(100, kind="service_charge"), of=EARLIER),
    refund_case("split between card and cash", goods(-1000), of=EARLIER, payments=pay(card=-700, cash=-300)),
    refund_case("a fixed and a compound tax come back", *[
        line("-1", "5702.48", tax("BE-CRV", "0", -29, kind="fixed"), tax("BE-21", "0.21", -1204, kind="compound"))
    ], of=EARLIER, at=ON_TOP),
    refund_case("a hundred pieces, each rounded, come back", line("-100", 1559, tax("NINE", "0.09", -14000)), of=EARLIER,
                at=ON_TOP),
    case("one refund for two receipts", goods(-800, refund_of=id_of(EARLIER)), goods(-500, refund_of=id_of(ANOTHER)),
         kind="refund", reasons=(f"{UNKNOWN}@/lines/0/refund_of", f"{UNKNOWN}@/lines/1/refund_of")),
    case("two lines of one receipt, each naming it", goods(-800, refund_of=id_of(EARLIER)),
         goods(-500, refund_of=id_of(EARLIER)), kind="refund", reasons=(f"{UNKNOWN}@/lines/0/refund_of",)),
    case("a line that names another receipt than its order", goods(-800), goods(-500, refund_of=id_of(ANOTHER)),
         kind="refund", refund_of=id_of(EARLIER),
         reasons=(f"{UNKNOWN}@/refund_of", f"{UNKNOWN}@/lines/1/refund_of")),
)  # fmt: skip

EXCHANGES = (
    case("an exchange that names nothing", goods(-800), goods(900)),
    case("an exchange of something for something dearer", goods(-800, refund_of=id_of(EARLIER)), goods(900),
         reasons=(f"{UNKNOWN}@/lines/0/refund_of",)),
    case("an exchange that pays money back", goods(-900, refund_of=id_of(EARLIER)), goods(800), by="card",
         reasons=(f"{UNKNOWN}@/lines/0/refund_of",)),
    case("an even exchange", goods(-800, refund_of=id_of(EARLIER)), goods(800), payments=[],
         reasons=(f"{UNKNOWN}@/lines/0/refund_of",)),
    case("an exchange of which the whole order names what comes back", goods(900), goods(-800),
         refund_of=id_of(EARLIER), reasons=(f"{UNKNOWN}@/refund_of",)),
    case("an exchange with taxes of both", line("1", 1200, tax("A", "0.2", 200)), line("-1", 600, tax("A", "0.2", -100)),
         refund_of=id_of(EARLIER), reasons=(f"{UNKNOWN}@/refund_of",)),
    case("empty bottles brought back with the shopping", goods(1000), line("-6", 25, kind="container_deposit")),
    case("a line above 0 gives nothing back, whatever it names", goods(500, refund_of=id_of(EARLIER))),
    case("a discount line gives nothing back, whatever it names", goods(500),
         goods(-50, kind="discount", refund_of=id_of(EARLIER))),
    case("an exchange with a step of rounding", goods(-803, refund_of=id_of(EARLIER)), goods(900), rounding=3,
         at=Place(settings={"rounding_step": 10}), reasons=(f"{UNKNOWN}@/lines/0/refund_of",)),
)  # fmt: skip

CASES = (*REFUNDS, *EXCHANGES, *BY_KIND, *BY_METHOD)
