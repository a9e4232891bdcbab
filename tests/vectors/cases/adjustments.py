"""Orders that adjust another, each alone: the other is in no book."""

from typing import Any

from tests.vectors.building import KUWAIT, ON_TOP, PARIS, TOKYO, OrderCase, Place, adjustment, goods, pay

SOLD = "an order sold before it was adjusted"
UNKNOWN = "adjusts-unknown-order@/adjusts"
WITH_LINES = "adjustment-with-lines@/lines"


def adjusting(
    name: str, *lines: Any, reasons: tuple[str, ...] = (UNKNOWN,), at: Place = PARIS, **fields: Any
) -> OrderCase:
    built = adjustment(name, of=SOLD, **fields)
    if lines:
        total = fields.get("total", sum(line["amount"] for line in lines))
        built |= {"lines": list(lines), "total": total}
    return OrderCase(name=name, order=built, reasons=reasons, at=at)


CASES = (
    adjusting("a tip added on the slip", tip=200, payments=pay(card=200)),
    adjusting("a tip taken back", tip=-200, payments=pay(card=-200)),
    adjusting("a tip in yen", tip=100, payments=pay(card=100), at=TOKYO),
    adjusting("a tip in dinars, tax on top or not", tip=250, payments=pay(wallet=250), at=KUWAIT),
    adjusting("keyed as card, was paid in cash", payments=pay(card=-1500, cash=1500)),
    adjusting("keyed as one card, was paid half in cash", payments=pay(card=-1000, cash=500, gift_card=500)),
    adjusting("a voucher that the issuer refused", payments=pay(voucher=-1000, on_account=1000)),
    adjusting("a tip and another method at once", tip=100, payments=pay(cash=-1500, card=1600)),
    adjusting("an adjustment of nothing", payments=[]),
    adjusting("an adjustment of a refund: card instead of cash", kind="refund", payments=pay(cash=500, card=-500)),
    adjusting("an adjustment with tax on top in its store", payments=pay(cash=-300, card=300), at=ON_TOP),
    adjusting("an adjustment that was voided", status="voided", payments=pay(card=200), reasons=()),
    adjusting("an adjustment with lines", goods(500), payments=pay(cash=500), reasons=(WITH_LINES,)),
    adjusting(
        "an adjustment with lines that come to 0",
        goods(500),
        goods(-500),
        payments=[],
        reasons=(WITH_LINES,),
    ),
    adjusting(
        "an adjustment with a total and no lines",
        total=500,
        payments=pay(cash=500),
        reasons=("adjustment-with-lines@/total", "sums-do-not-add-up@/total"),
    ),
    adjusting(
        "an adjustment whose payments are not its tip",
        tip=200,
        payments=pay(card=300),
        reasons=("payments-do-not-add-up@/payments",),
    ),
    adjusting(
        "an adjustment by a method without an account",
        payments=pay(cash=-500, seashells=500),
        reasons=("unmapped-method@/payments/1/method",),
    ),
)
