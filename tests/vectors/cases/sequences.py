"""Orders whose outcome or flags other orders decide: batches, one after the other."""

from typing import Any

from tests.vectors.building import (
    ON_TOP,
    PARIS,
    Json,
    Place,
    SequenceCase,
    Step,
    adjustment,
    goods,
    id_of,
    line,
    order,
    pay,
    refund,
    tax,
)

EXCEEDS, DIFFERS = "refund-exceeds-original", "refund-method-differs@/payments/0/method"
SAME_CARD = "posted same-card-payment@/payments/0/reference"
CONFLICT, NUMBER_USED = "conflict content-differs@/order_id", "conflict number-already-used@/number"
FIVE = Place(settings={"rounding_step": 5})
MONTH = Place(settings={"refund_days": 30})
AFTER_A_MONTH = {"opened_at": "2026-04-01T11:00:00+02:00", "closed_at": "2026-04-01T11:02:00+02:00"}


def one_by_one(*pairs: tuple[Json, str]) -> tuple[Step, ...]:
    """Each order in a batch of its own, with its outcome; their numbers count up."""
    return tuple(
        Step(orders=({**sent, "number": 1001 + index},), outcomes=(spelled,))
        for index, (sent, spelled) in enumerate(pairs)
    )


def together(*pairs: tuple[Json, str]) -> tuple[Step, ...]:
    """All orders in one batch."""
    orders = tuple({**sent, "number": 1001 + index} for index, (sent, _) in enumerate(pairs))
    return (Step(orders=orders, outcomes=tuple(spelled for _, spelled in pairs)),)


def sequence(name: str, *pairs: tuple[Json, str], at: Place = PARIS, **fields: Any) -> SequenceCase:
    return SequenceCase(
        name=name, steps=one_by_one(*pairs), at=at, source="protocol §5, How refunds are counted", **fields
    )


def by_card(name: str, reference: str, **fields: Any) -> Json:
    payments = [{"method": "card", "amount": 500, "reference": reference}]
    return order(name, goods(500), payments=payments, **fields)


def exceeds(pointer: str) -> str:
    return f"posted {EXCEEDS}@{pointer}"


def sold(name: str, amount: int = 1000, **fields: Any) -> Json:
    return order(name, goods(amount), **fields)


def back(name: str, of: str, amount: int = -1000, **fields: Any) -> Json:
    return refund(name, goods(amount), of=of, **fields)


COUNTED = (
    sequence("given back once, and once more", (sold("s1"), "posted"), (back("s1a", "s1"), "posted"),
             (back("s1b", "s1"), exceeds("/total"))),
    sequence("given back in parts, to the last minor unit", (sold("s2"), "posted"), (back("s2a", "s2", -400), "posted"),
             (back("s2b", "s2", -600), "posted"), (back("s2c", "s2", -3), exceeds("/total"))),
    sequence("three pieces at a third each, rounded one by one", (order("s3", line("3", "333.5")), "posted"),
             (back("s3a", "s3", -334), "posted"), (back("s3b", "s3", -334), "posted"), (back("s3c", "s3", -334), "posted")),
    sequence("an exchange, and then a refund of the same goods", (sold("s4", 800), "posted"),
             (order("s4a", goods(-800, refund_of=id_of("s4")), goods(900)), "posted"),
             (back("s4b", "s4", -800), exceeds("/total"))),
    sequence("a refund, and then an exchange of the same goods", (sold("s5", 800), "posted"), (back("s5a", "s5", -800), "posted"),
             (order("s5b", goods(-800, refund_of=id_of("s5")), goods(900)), exceeds("/lines/0/refund_of"))),
    sequence("one refund of two receipts that are there", (sold("s6"), "posted"), (sold("s6b", 500), "posted"),
             (refund("s6c", goods(-1000, refund_of=id_of("s6")), goods(-500, refund_of=id_of("s6b"))), "posted")),
    sequence("one refund of two receipts, of which one had come back", (sold("s7"), "posted"), (sold("s7b", 500), "posted"),
             (back("s7c", "s7b", -500), "posted"),
             (refund("s7d", goods(-1000, refund_of=id_of("s7")), goods(-500, refund_of=id_of("s7b"))),
              exceeds("/lines/1/refund_of"))),
    sequence("what an exchange sold comes back", (sold("s8", 800), "posted"),
             (order("s8a", goods(-800, refund_of=id_of("s8")), goods(900)), "posted"), (back("s8b", "s8a", -900), "posted")),
    sequence("card paid back in cash, rounded to the step", (sold("s9", 998, by="card"), "posted"),
             (back("s9a", "s9", -998, rounding=-2), f"posted {DIFFERS}"), at=FIVE),
    sequence("card paid back in cash, by more than a step", (sold("s10", 998, by="card"), "posted"),
             (back("s10a", "s10", -998, rounding=-52),
              f"posted rounding-excessive@/rounding {EXCEEDS}@/total {DIFFERS}"), at=FIVE),
    sequence("a refund of 10.50 of a sale of 9.98", (sold("s11", 998), "posted"), (back("s11a", "s11", -1050), exceeds("/total")),
             at=FIVE),
    sequence("a discount line comes back with the order", *(
        (order("s12", line("2", 212, tax("A", "0.2", 85)), line("-1", 42, tax("A", "0.2", -9), kind="discount"),
               on_top=True), "posted"),
        (refund("s12a", line("-2", 212, tax("A", "0.2", -85)), line("1", 42, tax("A", "0.2", 9), kind="discount"),
                of="s12", on_top=True), "posted")), at=ON_TOP),
    sequence("the discount of the order is forgotten at its refund", (order("s13", goods(509), goods(-51, kind="discount")),
             "posted"), (back("s13a", "s13", -509), exceeds("/total"))),
    sequence("a refund of what was voided", (sold("s14", status="voided"), "posted"), (back("s14a", "s14"), exceeds("/total"))),
    sequence("the tip is no part of what may come back", (sold("s15", tip=100, by="card"), "posted"),
             (back("s15a", "s15", -1100, by="card"), exceeds("/total"))),
    sequence("a refund of a refund", (sold("s16"), "posted"), (back("s16a", "s16"), "posted"),
             (back("s16b", "s16a", -5000, by="card"), "posted refund-of-refund@/refund_of")),
    sequence("a refund after the days that the store allows", (sold("s17"), "posted"),
             (back("s17a", "s17", **AFTER_A_MONTH), "posted refund-too-late@/closed_at"), at=MONTH),
    sequence("an exchange after the days that the store allows", (sold("s18"), "posted"),
             (order("s18a", goods(-1000, refund_of=id_of("s18")), goods(1200), **AFTER_A_MONTH),
              "posted refund-too-late@/lines/0/refund_of"), at=MONTH),
    sequence("a refund that comes before its sale, and exceeds it",
             (back("s19a", "s19", -1200), "posted refund-of-unknown-order@/refund_of"), (sold("s19"), "posted"),
             afterwards={id_of("s19a"): f"posted {EXCEEDS}@/total"}),
    sequence("a refund that comes before its sale, and is right",
             (back("s20a", "s20"), "posted refund-of-unknown-order@/refund_of"), (sold("s20"), "posted"),
             afterwards={id_of("s20a"): "posted"}),
)  # fmt: skip

METHODS = (
    sequence("bought on account, paid back in cash", (sold("m1", 10000, by="on_account"), "posted"),
             (back("m1a", "m1", -10000), f"posted {DIFFERS}")),
    sequence("paid by card, paid back by card", (sold("m2", by="card"), "posted"), (back("m2a", "m2", by="card"), "posted")),
    sequence("half by card and half in cash, all back in cash", (sold("m3", payments=pay(card=500, cash=500)), "posted"),
             (back("m3a", "m3"), "posted")),
    sequence("cash-back on a card: cash is no method it was paid with", (sold("m4", payments=pay(card=1500, cash=-500)), "posted"),
             (back("m4a", "m4"), f"posted {DIFFERS}")),
    sequence("keyed as cash, adjusted to card, paid back by card", (sold("m5"), "posted"),
             (adjustment("m5a", of="m5", payments=pay(cash=-1000, card=1000)), "posted"),
             (back("m5b", "m5", by="card"), "posted")),
    sequence("keyed as cash, adjusted to card, paid back in cash", (sold("m6"), "posted"),
             (adjustment("m6a", of="m6", payments=pay(cash=-1000, card=1000)), "posted"),
             (back("m6b", "m6"), f"posted {DIFFERS}")),
    sequence("an exchange that pays back in another way", (sold("m7", by="card"), "posted"),
             (order("m7a", goods(-1000, refund_of=id_of("m7")), goods(400)), f"posted {DIFFERS}")),
    sequence("two receipts, of which one was paid in cash", (sold("m8", by="card"), "posted"), (sold("m8b", 500), "posted"),
             (refund("m8c", goods(-1000, refund_of=id_of("m8")), goods(-500, refund_of=id_of("m8b"))), "posted")),
    sequence("in cash for a sale on account that comes later",
             (back("m9a", "m9"), "posted refund-of-unknown-order@/refund_of"), (sold("m9", by="on_account"), "posted"),
             afterwards={id_of("m9a"): f"posted {DIFFERS}"}),
)  # fmt: skip

ADJUSTED = (
    sequence("a tip for an order that is there", (sold("a1", by="card"), "posted"),
             (adjustment("a1a", of="a1", tip=200, payments=pay(card=200)), "posted")),
    sequence("an adjustment that comes before its order",
             (adjustment("a2a", of="a2", tip=200, payments=pay(card=200)), "posted adjusts-unknown-order@/adjusts"),
             (sold("a2", by="card"), "posted"), afterwards={id_of("a2a"): "posted"}),
    sequence("an adjustment of an order that is held", (sold("a3", total=1), "held sums-do-not-add-up@/total"),
             (adjustment("a3a", of="a3", tip=200, payments=pay(card=200)), "posted adjusts-unknown-order@/adjusts")),
)  # fmt: skip

CARDS = (
    sequence("one card slip on two orders", (by_card("c1", "TX-1"), "posted"), (by_card("c1b", "TX-1"), SAME_CARD)),
    sequence("one card slip on two orders more than a day apart", (by_card("c2", "TX-2"), "posted"),
             (by_card("c2b", "TX-2", closed_at="2026-03-02T11:02:01+01:00"), "posted")),
    sequence("an order and its refund on one slip", (by_card("c3", "TX-3"), "posted"),
             (refund("c3a", goods(-500), of="c3", payments=[{"method": "card", "amount": -500, "reference": "TX-3"}]), "posted")),
    sequence("an order and the tip written on its slip", (by_card("c4", "TX-4"), "posted"),
             (adjustment("c4a", of="c4", tip=50, payments=[{"method": "card", "amount": 50, "reference": "TX-4"}]), "posted")),
    sequence("an order and its exchange on one slip", (by_card("c5", "TX-5"), "posted"),
             (order("c5a", goods(-500, refund_of=id_of("c5")), goods(600),
                    payments=[{"method": "card", "amount": 100, "reference": "TX-5"}]), "posted")),
    sequence("a gift card keeps its number", *[
        (sold(name, payments=[{"method": "gift_card", "amount": 1000, "reference": "GC-1"}]), "posted")
        for name in ("c6", "c6b")
    ]),
    SequenceCase(name="one card slip on two orders of one batch",
                 steps=together((by_card("c7", "TX-7"), "posted"), (by_card("c7b", "TX-7"), SAME_CARD))),
)  # fmt: skip

FIRST = sold("d1")
HELD = sold("d4", total=1)
HELD_FOR = "held sums-do-not-add-up@/total"
IDENTITY = (
    SequenceCase(name="the same order again, spelled in another way", steps=(
        Step(orders=(FIRST,), outcomes=("posted",)),
        Step(orders=({**sold("d1", mode="offline", tip=0, adjusts=None, printed_to="local", cashback=True),
                      "order_id": id_of("d1").upper(), "opened_at": "2026-03-01T10:00:00Z"},), outcomes=("duplicate",)))),
    SequenceCase(name="the same identifier with other content", steps=(
        Step(orders=(sold("d2"),), outcomes=("posted",)),
        Step(orders=(sold("d2", note="changed"),), outcomes=(CONFLICT,)))),
    SequenceCase(name="two contents of one identifier in one batch", steps=(
        Step(orders=(sold("d3"), sold("d3", note="changed")), outcomes=(CONFLICT, CONFLICT)),)),
    SequenceCase(name="a held order again, as it was and corrected", steps=(
        Step(orders=(HELD,), outcomes=(HELD_FOR,)), Step(orders=(HELD,), outcomes=("duplicate",)),
        Step(orders=(sold("d4"),), outcomes=(CONFLICT,)))),
    SequenceCase(name="one number for two orders", steps=(
        Step(orders=(sold("d5"),), outcomes=("posted",)), Step(orders=(sold("d5b"),), outcomes=(NUMBER_USED,)))),
    SequenceCase(name="an unreadable order takes no number", steps=(
        Step(orders=({**sold("d6"), "total": "1000"},), outcomes=("held unreadable-order@/total",)),
        Step(orders=(sold("d6b"),), outcomes=("posted",)))),
    SequenceCase(name="a voided order takes its number", steps=(
        Step(orders=(sold("d7", status="voided"), sold("d7b")), outcomes=("posted", NUMBER_USED)),)),
    SequenceCase(name="an order that is known under another shift", steps=(
        Step(orders=(sold("d8"),), outcomes=("posted",)),
        Step(orders=(sold("d8"),), outcomes=("duplicate other-shift@",), shift=2))),
    SequenceCase(name="an order of another terminal", steps=(
        Step(orders=(sold("d9"),), outcomes=("posted",)),
        Step(orders=(sold("d9"),), outcomes=("conflict order-of-another-terminal@/order_id",), terminal=2))),
    SequenceCase(name="two terminals count for themselves, and give back of each other", steps=(
        Step(orders=(sold("d10"),), outcomes=("posted",)),
        Step(orders=(back("d10b", "d10"),), outcomes=("posted",), terminal=2),
        Step(orders=({**back("d10c", "d10"), "number": 1002},), outcomes=(exceeds("/total"),)))),
)  # fmt: skip

CASES = (*COUNTED, *METHODS, *ADJUSTED, *CARDS, *IDENTITY)
