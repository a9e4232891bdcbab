"""What holds for every body whatever its bytes: `check` fails where the decoder, the rules or the card filter break it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.cards.masking import mask_cards, mask_closely
from backoffice.domain.cards.search import may_hold_cards
from backoffice.domain.identity import content_hash, movement_hash
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.posting import Posting, post_movement, post_order
from backoffice.domain.reasons import REASONS, Reason
from backoffice.domain.returns import GivenBack, method_flags, named_orders, original_of, return_flags, returns_of
from backoffice.domain.rules import (
    MAX_OF_A_CODE,
    StoreSettings,
    bounded,
    card_references,
    family_of,
    flags,
    holds,
    movement_flags,
    movement_holds,
)
from backoffice.domain.wire import members as member_reading
from backoffice.domain.wire.envelope import (
    MAX_DEPTH,
    BodyMalformed,
    EnvelopeInvalid,
    TooManyOrders,
    decode_batch,
    decode_object,
)
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.domain.wire.messages import read_activation, read_close_shift, read_heartbeat, read_open_shift
from backoffice.domain.wire.scanning import find_members
from tests.fuzz.spelling import depth, parse, spell
from tests.unit.domain.builders import ORDINARY, OTHER_ID, a_shift, raw, spelled_out, wire_movement, wire_order

MOST = 50
REFUSALS = (BodyMalformed, EnvelopeInvalid, TooManyOrders)
SHIFTS = (a_shift(), a_shift(prices_include_tax=False))
SETTINGS = StoreSettings(
    max_order_total=1000, min_refund_total=100, refund_days=30, rounding_step=5, rounding_mode="down"
)
BIGINT = 2**63
GOOD = (raw(wire_order()), raw(wire_order(order_id=OTHER_ID, number=1018)))
GOOD_MOVEMENT = raw(wire_movement())

Told = tuple[Any, ...]


def check(body: bytes) -> None:
    """Every promise about one body. Raises AssertionError, or whatever broke."""
    rng = Random(body)
    value, is_json = _value(body)
    _check_refusal(body, is_json=is_json and depth(value) <= MAX_DEPTH)
    for read in (read_activation, read_close_shift, read_heartbeat, read_open_shift):
        try:
            read(body)
        except (BodyMalformed, EnvelopeInvalid) as error:
            _check_words(error.detail)
    _check_member_among_others(body, is_json=is_json and depth(value) <= MAX_DEPTH - 2)
    try:
        envelope = decode_batch(body, max_orders=MOST)
    except REFUSALS:
        return
    split = find_members(body, names=("orders", "cash_movements"), most=MOST)
    assert [envelope.orders, envelope.movements] == [members.found for members in split.values()]
    assert split["orders"].total == len(envelope.orders)
    told = read_all(envelope.orders, envelope.movements)
    _check_spelling(value, told, rng)
    _check_cards(body)


def _value(body: bytes) -> tuple[Any, bool]:
    try:
        return parse(body), True
    except (ValueError, RecursionError):
        return None, False


def _check_refusal(body: bytes, *, is_json: bool) -> None:
    """400 exactly for what Python's own decoder does not take, or what is too deep."""
    try:
        decode_batch(body, max_orders=MOST)
        malformed = False
    except BodyMalformed as error:
        _check_words(error.detail)
        malformed = True
    except EnvelopeInvalid as error:
        _check_words(error.detail, error.pointer)
        malformed = False
    except TooManyOrders:
        malformed = False
    assert malformed != is_json
    try:
        decode_object(body)
    except BodyMalformed:
        assert not is_json
    except EnvelopeInvalid:
        assert is_json


def _check_words(*texts: str) -> None:
    """Words travel in UTF-8, and are kept where there is no U+0000."""
    for text in texts:
        assert "\0" not in text
        text.encode()


def read_all(members: Sequence[bytes], movements: Sequence[bytes]) -> list[Told]:
    """What is told of each member: kind, identity, content and reasons."""
    return [_tell_order(one) for one in members] + [_tell_movement(one) for one in movements]


def _tell_order(member: bytes) -> Told:
    order = read_order(member)
    if isinstance(order, Unreadable):
        return _tell_unreadable(order)
    slowly = member_reading._read_slowly(member, Order)
    assert spelled_out(slowly) == spelled_out(order), "two roads, two orders"
    _check_carriable(order)
    digest = content_hash(order)
    assert (len(digest), digest) == (33, content_hash(slowly))
    told: list[Any] = [order.order_id, order.number, digest, card_references(order)]
    for shift in SHIFTS:
        found = holds(order, shift=shift, methods=PAYMENT_ACCOUNTS)
        flagged = flags(order, shift=shift, settings=SETTINGS, circumstances=ORDINARY)
        _check_reasons(found, kind="hold")
        _check_reasons(flagged, kind="flag")
        told += [found, flagged]
        if not found:
            _check_postings(post_order(order, prices_include_tax=shift.prices_include_tax, accounts=PAYMENT_ACCOUNTS))
        told.append(_tell_returns(order, prices_include_tax=shift.prices_include_tax))
    return tuple(told)


def _tell_returns(order: Order, *, prices_include_tax: bool) -> Told:
    """What the order gives back, told by itself as the original: nothing that is given back is below 0, or named twice."""
    returned = returns_of(order, prices_include_tax=prices_include_tax)
    original = original_of(order, prices_include_tax=prices_include_tax)
    named, given_back = named_orders(order), [one.original for one in returned]
    assert len(given_back) == len(set(given_back))
    assert {*given_back} <= named <= family_of(order)
    assert order.status == "paid" or not named
    for known in (None, original):
        for one in returned:
            found = return_flags(order, returned=one, original=known, before=GivenBack(), settings=SETTINGS)
            _check_reasons(found, kind="flag")
        _check_reasons(bounded(method_flags(order, originals=[known])), kind="flag")
    return named, tuple(returned), original


def _tell_movement(member: bytes) -> Told:
    movement = read_movement(member)
    if isinstance(movement, Unreadable):
        return _tell_unreadable(movement)
    assert member_reading._read_slowly(member, CashMovement) == movement, "two roads, two movements"
    _check_carriable(movement)
    found = movement_holds(movement)
    flagged = movement_flags(movement, shift=SHIFTS[0], reasons=CASH_REASON_ACCOUNTS, circumstances=ORDINARY)
    _check_reasons(found, kind="hold")
    _check_reasons(flagged, kind="flag")
    if not found:
        postings = post_movement(movement, accounts=CASH_REASON_ACCOUNTS)
        assert postings
        _check_postings(postings)
    return movement.movement_id, movement_hash(movement), found, flagged


def _tell_unreadable(member: Unreadable) -> Told:
    assert len(member.content_hash) == 33
    assert member.item_id is None or isinstance(member.item_id, UUID)
    assert member.number is None or 1 <= member.number < 2**53
    assert member.reasons
    _check_reasons(member.reasons, kind="hold")
    # Of which problem is told first, the order of the fields may decide.
    return member.item_id, member.number, member.content_hash


def _check_carriable(member: Order | CashMovement) -> None:
    """What is read can be stored: no U+0000, no half of a pair, every integer within PostgreSQL's."""
    for name in member.__struct_fields__:
        value = getattr(member, name)
        if isinstance(value, int):
            assert abs(value) < BIGINT
        _check_words(*_texts(value))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _check_reasons(reasons: Sequence[Reason], *, kind: str) -> None:
    assert max(Counter(reason.code for reason in reasons).values(), default=0) <= MAX_OF_A_CODE
    for reason in reasons:
        assert REASONS[reason.code].kind == kind
        assert reason.pointer == "" or reason.pointer.startswith("/")
        _check_words(reason.pointer, reason.detail)
        assert len(reason.detail) <= 400


def _check_postings(postings: Sequence[Posting]) -> None:
    assert sum(posting.debit for posting in postings) == sum(posting.credit for posting in postings)
    for posting in postings:
        assert (posting.debit > 0) != (posting.credit > 0)
        assert 0 <= posting.debit + posting.credit < BIGINT
        _check_words(posting.account, posting.tax_code)


def _check_spelling(value: Any, told: list[Told], rng: Random) -> None:
    """Names in another order, blanks and escapes change nothing that is told."""
    again = decode_batch(spell(value, rng), max_orders=MOST)
    assert read_all(again.orders, again.movements) == told


def _check_member_among_others(member: bytes, *, is_json: bool) -> None:
    """As one member of a batch the body holds itself at most: its neighbours are read as ever."""
    if not is_json:
        return
    first, last = GOOD
    body = b'{"orders": [' + first + b"," + member + b", " + last + b'], "cash_movements": [' + GOOD_MOVEMENT + b"]}"
    envelope = decode_batch(body, max_orders=MOST)
    assert (envelope.orders[0], envelope.orders[2], envelope.movements) == (first, last, [GOOD_MOVEMENT])
    assert len(envelope.orders) == 3
    _tell_order(envelope.orders[1])
    _tell_movement(envelope.orders[1])


def _check_cards(body: bytes) -> None:
    """Masking leaves a batch of as many members, finds nothing twice, and nothing where it did not look."""
    masked = mask_cards(body)
    before, after = decode_batch(body, max_orders=MOST), decode_batch(masked.body, max_orders=MOST)
    assert (len(after.orders), len(after.movements)) == (len(before.orders), len(before.movements))
    read_all(after.orders, after.movements)
    assert mask_cards(masked.body).body == masked.body
    if not masked.findings:
        assert masked.body == body
    if not may_hold_cards(body):
        assert mask_closely(body).findings == ()
    for finding in masked.findings:
        _check_words(finding.pointer)
        members = {"orders": after.orders, "cash_movements": after.movements}.get(finding.list)
        assert (finding.index is None) == (members is None)
        assert finding.index is None or members is None or finding.index < len(members)
    touched = {(finding.list, finding.index) for finding in masked.findings}
    for index, (old, new) in enumerate(zip(before.orders, after.orders, strict=True)):
        assert old == new or ("orders", index) in touched
