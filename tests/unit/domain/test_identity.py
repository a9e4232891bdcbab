"""When two orders are the same, and what each member of a batch is beside what is known."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.identity import (
    HASH_VERSION,
    Incoming,
    KnownItem,
    Recognition,
    content_hash,
    hash_1,
    identify,
    incoming_order,
    movement_hash,
    unreadable_id,
)
from backoffice.domain.orders import Order, Unreadable
from backoffice.domain.wire.members import read_order
from tests.unit.domain.builders import (
    ORDER_ID,
    OTHER_ID,
    OTHER_SHIFT_ID,
    SHIFT_ID,
    a_movement,
    an_order,
    cash,
    raw,
    wire_line,
    wire_order,
    wire_tax,
)

X, Y, Z = (UUID(int=number) for number in (1, 2, 3))
A, B, C = (bytes([1, letter] + [0] * 31) for letter in b"ABC")
THIS, OTHER = 1, 2


def decide(
    *incoming: tuple[UUID, int | None, bytes], known: dict[UUID, KnownItem] | None = None,
    numbers: dict[int, UUID] | None = None,
) -> list[Recognition]:  # fmt: skip
    return identify(
        incoming=[Incoming(*member) for member in incoming],
        known=known or {},
        numbers=numbers or {},
        terminal_id=THIS,
        shift_id=SHIFT_ID,
    )


def summary(decisions: list[Recognition]) -> list[tuple[str, list[str], bool]]:
    return [(each.version, [reason.code for reason in each.reasons], each.takes_number) for each in decisions]


def known(first: bytes, *later: bytes, shift: UUID = SHIFT_ID, later_shift: UUID = SHIFT_ID) -> KnownItem:
    return KnownItem(THIS, {first: shift} | dict.fromkeys(later, later_shift))


NEW = ("new", [], True)
DUPLICATE = ("duplicate", [], False)


def test_orders_never_seen_are_new_and_take_their_numbers():
    assert summary(decide((X, 1, A), (Y, 2, B), (Z, 3, A))) == [NEW, NEW, NEW]


def test_a_movement_or_an_unreadable_order_takes_no_number():
    assert summary(decide((X, None, A))) == [("new", [], False)]


def test_an_order_sent_again_is_a_duplicate():
    assert summary(decide((X, 1, A), known={X: known(A)}, numbers={1: X})) == [DUPLICATE]


def test_an_order_sent_again_under_another_shift_stays_where_it_was():
    again = decide((X, 1, A), known={X: known(A, shift=OTHER_SHIFT_ID)}, numbers={1: X})
    assert summary(again) == [("duplicate", ["other-shift"], False)]


def test_half_old_half_new_only_the_new_are_new():
    assert summary(decide((X, 1, A), (Y, 2, B), known={X: known(A)}, numbers={1: X})) == [DUPLICATE, NEW]


def test_the_same_order_with_other_content_is_a_conflict():
    assert summary(decide((X, 1, B), known={X: known(A)}, numbers={1: X})) == [("conflict", ["content-differs"], False)]


def test_a_conflicting_version_may_take_a_number_that_was_free():
    decisions = decide((X, 9, B), (Y, 9, C), known={X: known(A)}, numbers={1: X})
    assert summary(decisions) == [("conflict", ["content-differs"], True), ("conflict", ["number-already-used"], False)]


def test_a_conflicting_version_sent_again_is_a_duplicate():
    versions = known(A, B, shift=OTHER_SHIFT_ID)
    assert summary(decide((X, 1, B), known={X: versions}, numbers={1: X})) == [DUPLICATE]
    assert summary(decide((X, 1, C), known={X: versions}, numbers={1: X})) == [("conflict", ["content-differs"], False)]


def test_each_version_stays_in_the_shift_under_which_it_came():
    versions = known(A, B, later_shift=OTHER_SHIFT_ID)
    elsewhere = ("duplicate", ["other-shift"], False)
    assert summary(decide((X, 1, A), (X, 1, B), known={X: versions}, numbers={1: X})) == [DUPLICATE, elsewhere]


@pytest.mark.parametrize(("shift", "reasons"), [(SHIFT_ID, []), (OTHER_SHIFT_ID, ["other-shift"])])
def test_a_version_of_anothers_order_stays_in_the_shift_under_which_this_terminal_sent_it(shift, reasons):
    foreign = KnownItem(OTHER, {A: shift})
    assert summary(decide((X, 1, A), known={X: foreign}, numbers={1: X})) == [("duplicate", reasons, False)]


def test_one_order_twice_in_a_batch_is_one_and_a_duplicate():
    assert summary(decide((X, 1, A), (Y, 2, B), (X, 1, A))) == [NEW, NEW, DUPLICATE]


def test_two_contents_of_one_new_order_are_both_conflicts():
    decisions = decide((X, 1, A), (X, 1, B), (X, 1, A))
    assert summary(decisions) == [
        ("conflict", ["content-differs"], True),
        ("conflict", ["content-differs"], False),
        DUPLICATE,
    ]
    assert decisions[0].reasons[0].detail == "Sent with other content in the same batch"


def test_of_a_known_order_a_new_content_is_a_conflict_once():
    decisions = decide((X, 1, B), (X, 1, A), (X, 1, B), known={X: known(A)}, numbers={1: X})
    assert summary(decisions) == [("conflict", ["content-differs"], False), DUPLICATE, DUPLICATE]


def test_a_number_belongs_to_the_first_order_that_named_it():
    assert summary(decide((X, 7, A), (Y, 7, B))) == [NEW, ("conflict", ["number-already-used"], False)]
    assert summary(decide((Y, 7, B), numbers={7: X})) == [("conflict", ["number-already-used"], False)]


def test_an_order_of_another_terminal_is_a_conflict_even_with_the_same_content():
    foreign = KnownItem(OTHER, {})
    assert summary(decide((X, 1, A), (X, 1, A), known={X: foreign})) == [
        ("conflict", ["order-of-another-terminal"], True),
        DUPLICATE,
    ]


def test_every_reason_of_a_conflict_is_given():
    decisions = decide((X, 7, B), known={X: known(A)}, numbers={1: X, 7: Y})
    assert summary(decisions) == [("conflict", ["content-differs", "number-already-used"], False)]


# The number is part of the content, so one content never has two.
members = st.lists(
    st.builds(
        lambda order_id, number, letter: (order_id, number, bytes([1, number or 0, letter] + [0] * 30)),
        st.sampled_from([X, Y, Z]), st.one_of(st.none(), st.integers(1, 4)), st.integers(0, 2),
    ),
    max_size=8,
)  # fmt: skip


@given(members)
def test_a_batch_sent_again_is_all_duplicates(batch):
    first = decide(*batch)
    contents: dict[UUID, list[bytes]] = {}
    numbers: dict[int, UUID] = {}
    for (order_id, number, content), decision in zip(batch, first, strict=True):
        contents.setdefault(order_id, []).append(content)
        if decision.takes_number:
            assert number is not None
            assert number not in numbers
            numbers[number] = order_id
    again = decide(*batch, known={order_id: known(*sent) for order_id, sent in contents.items()}, numbers=numbers)
    assert {decision.version for decision in again} <= {"duplicate"}


@given(members)
def test_every_number_is_taken_by_exactly_one_order_and_every_content_decided_once(batch):
    decisions = decide(*batch)
    taken = [number for (_, number, _), decision in zip(batch, decisions, strict=True) if decision.takes_number]
    assert sorted(taken) == sorted({number for _, number, _ in batch if number is not None})
    fresh = [(order_id, content) for (order_id, _, content), each in zip(batch, decisions, strict=True)
             if each.version != "duplicate"]  # fmt: skip
    assert sorted(fresh) == sorted({(order_id, content) for order_id, _, content in batch})


def hash_of(text: str) -> bytes:
    order = read_order(text.encode())
    assert isinstance(order, Order), order
    return content_hash(order)


def test_the_hash_of_version_1_never_changes():
    full = an_order(
        type="takeaway", cashier="Anna", customer={"name": "Zoë", "points": 1.5, "n": 2.0}, refund_of=OTHER_ID,
        note="x", tip=0, rounding=0, lines=[wire_line(sku="BAG", name="Baguette", quantity="2.000", discount=0)],
    )  # fmt: skip
    assert content_hash(full).hex() == "01233948c3756ca96a6cb3ec65eda3f42c3044bcdf4135db05ade613bf5053d0b0"
    assert movement_hash(a_movement()).hex() == "01dc1afdd1224a532ef790859c800479892fb992f57a5b7233a0437a51072c384e"


def test_the_hash_of_version_2_never_changes():
    assert HASH_VERSION == 2
    adjusting = an_order(adjusts=OTHER_ID, lines=[], total=0, payments=[])
    exchange = an_order(lines=[wire_line(refund_of=OTHER_ID, taxes=[{**wire_tax(13), "kind": "compound"}])])
    assert content_hash(adjusting).hex() == "020ff2bb571c69558c15c641a0550619a156cb6be18ffe33d2cb7c48dd00532bbe"
    assert content_hash(exchange).hex() == "02bad971fb3da827c82a2860f373dbde420f026109491d7edf1f8bf38f075b34ca"


def test_an_order_that_uses_no_newer_field_keeps_the_hash_of_version_1():
    defaults = an_order(adjusts=None, lines=[wire_line(refund_of=None, taxes=[{**wire_tax(13), "kind": "percent"}])])
    assert content_hash(defaults) == content_hash(an_order()) == hash_1(an_order())
    assert incoming_order(defaults).older_hash is None


@pytest.mark.parametrize(
    "fields",
    [
        {"adjusts": OTHER_ID},
        {"lines": [wire_line(refund_of=OTHER_ID)]},
        {"lines": [wire_line(taxes=[{**wire_tax(13), "kind": "VAT"}])]},
    ],
)
def test_before_version_2_its_fields_were_passed_over(fields: dict[str, Any]):
    order = an_order(**fields)
    assert incoming_order(order).older_hash == content_hash(an_order())
    assert content_hash(order) != content_hash(an_order())


@pytest.mark.parametrize(
    "fields",
    [
        {"adjusts": 5},
        {"adjusts": "T-17"},
        {"adjusts": OTHER_ID.replace("-", "")},
        {"lines": [wire_line(refund_of=["x"])]},
        {"lines": [wire_line(refund_of=OTHER_ID.replace("-", ""))]},
        {"lines": [wire_line(taxes=[{**wire_tax(13), "kind": None}])]},
        {"adjusts": 5, "lines": [wire_line(refund_of=5, taxes=[{**wire_tax(13), "kind": 5}])]},
    ],
)
def test_what_only_a_newer_field_makes_unreadable_is_known_by_what_it_was_before(fields: dict[str, Any]):
    order = read_order(raw(wire_order(**fields)))
    assert isinstance(order, Unreadable)
    assert order.older_hash == content_hash(an_order())


@pytest.mark.parametrize("fields", [{"total": "240"}, {"adjusts": 5, "number": 0}, {"adjusts": "\u0000"}, {"lines": 5}])
def test_what_could_not_be_read_before_either_has_no_older_hash(fields: dict[str, Any]):
    order = read_order(raw(wire_order(**fields)))
    assert isinstance(order, Unreadable)
    assert order.older_hash is None


def test_what_came_before_version_2_is_compared_as_it_was_then():
    now, then = bytes([2, *A[1:]]), A
    sent = [Incoming(X, 1, now, then)]

    def recognised(item: KnownItem) -> list[tuple[str, list[str], bool]]:
        return summary(identify(incoming=sent, known={X: item}, numbers={1: X}, terminal_id=THIS, shift_id=SHIFT_ID))

    assert recognised(KnownItem(THIS, {then: SHIFT_ID}, {then})) == [DUPLICATE]
    assert recognised(KnownItem(THIS, {then: OTHER_SHIFT_ID}, {then})) == [("duplicate", ["other-shift"], False)]
    # It came after version 2, when it did not have the fields: this is another content.
    assert recognised(KnownItem(THIS, {then: SHIFT_ID})) == [("conflict", ["content-differs"], False)]
    # Of the same item, another version came before.
    assert recognised(KnownItem(THIS, {then: SHIFT_ID, B: SHIFT_ID}, {B})) == [("conflict", ["content-differs"], False)]


def test_spelling_makes_no_difference():
    same = [
        json.dumps(wire_order()),
        json.dumps(wire_order(), indent=2),
        json.dumps(dict(reversed(wire_order().items()))),
        json.dumps(wire_order(order_id=ORDER_ID.upper())),
        json.dumps(wire_order(lines=[wire_line(quantity="2.000", unit_price="120.0", taxes=[wire_tax(13, "0.0550")])])),
        json.dumps(wire_order(opened_at="2026-03-01T10:00:00Z", closed_at="2026-03-01T05:02:00.000-05:00")),
        json.dumps(wire_order(number=1017)).replace("1017", "\t1017 "),
        json.dumps(wire_order(mode="offline", printed_to="network")),
        json.dumps(wire_order(tip=0, rounding=-0, note="", cashier="", customer=None, type=None, refund_of=None)),
        json.dumps(wire_order(lines=[wire_line(kind="item", sku="", name="", discount=0)])),
        json.dumps(wire_order(table_zone="terrace", lines=[wire_line(colour="red")])),
    ]
    assert len({hash_of(text) for text in same}) == 1


def test_the_spelling_of_a_customer_makes_no_difference():
    customers = ['{"a": 1, "b": [2.5, {"c": 0}]}', '{"b":[25e-1,{"c":-0.0}],"a":1.0}']
    texts = [json.dumps(wire_order())[:-1] + f', "customer": {customer}}}' for customer in customers]
    assert len({hash_of(text) for text in texts}) == 1


CHANGES: list[dict[str, Any]] = [
    {"order_id": OTHER_ID}, {"number": 1018}, {"kind": "refund"}, {"status": "voided"}, {"type": "takeaway"},
    {"opened_at": "2026-03-01T11:00:01+01:00"}, {"closed_at": "2026-03-01T11:02:00+02:00"}, {"cashier": "Bob"},
    {"customer": {}}, {"customer": {"a": 1}}, {"customer": {"a": "1"}}, {"refund_of": OTHER_ID}, {"note": "x"},
    {"rounding": 1}, {"total": 241}, {"tip": 1}, {"lines": []}, {"lines": [wire_line(), wire_line()]}, {"payments": []},
    *({"lines": [wire_line(**{name: value})]} for name, value in {
        "kind": "donation", "sku": "x", "name": "x", "quantity": "2.0001", "unit_price": 121, "discount": 1,
        "amount": 239, "taxes": []}.items()),
    {"adjusts": OTHER_ID}, {"lines": [wire_line(refund_of=OTHER_ID)]},
    *({"lines": [wire_line(taxes=[tax])]} for tax in (
        wire_tax(14), wire_tax(13, "0.056"), wire_tax(13, code="X"), {**wire_tax(13), "kind": "compound"})),
    *({"payments": [payment]} for payment in (
        cash(240), cash(240, tendered=500), cash(240, change=260), cash(241, tendered=500, change=260),
        cash(240, tendered=500, change=260, reference="x"),
        {"method": "card", "amount": 240, "tendered": 500, "change": 260})),
]  # fmt: skip


def test_every_other_field_makes_a_difference():
    hashes = [content_hash(an_order()), *(content_hash(an_order(**change)) for change in CHANGES)]
    assert len(set(hashes)) == len(hashes)


def test_every_field_of_a_movement_makes_a_difference():
    changes: list[dict[str, Any]] = [
        {}, {"movement_id": OTHER_ID}, {"kind": "cash_out"}, {"amount": 1}, {"reason": ""}, {"cashier": ""},
        {"occurred_at": "2026-03-01T11:00:00Z"},
    ]  # fmt: skip
    assert len({movement_hash(a_movement(**change)) for change in changes}) == len(changes)
    assert movement_hash(a_movement(occurred_at="2026-03-01T10:00:00Z")) == movement_hash(a_movement())


def test_a_hash_says_which_version_made_it():
    for content in (content_hash(an_order()), movement_hash(a_movement())):
        assert (len(content), content[0]) == (33, 1)
    assert (len(newer := content_hash(an_order(adjusts=OTHER_ID))), newer[0]) == (33, HASH_VERSION)


def test_what_has_no_identifier_gets_one_from_its_content_and_its_terminal():
    mine = unreadable_id(terminal_id=THIS, content_hash=A)
    assert mine == unreadable_id(terminal_id=THIS, content_hash=A)
    assert mine not in (
        unreadable_id(terminal_id=OTHER, content_hash=A),
        unreadable_id(terminal_id=THIS, content_hash=B),
    )
    assert (mine.version, mine.variant) == (8, "specified in RFC 4122")


@pytest.mark.parametrize("count", [0, 1, 500])
def test_there_is_one_decision_per_member(count):
    batch = [(UUID(int=number), number, A) for number in range(1, count + 1)]
    assert len(decide(*batch)) == count
