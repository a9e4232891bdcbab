"""What the rules say of a case: outcome, reasons and entries, in the form that a vector has."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.orders import Order, Unreadable
from backoffice.domain.posting import (
    Posting,
    post_closing,
    post_movement,
    post_opening,
    post_order,
    post_over_short,
)
from backoffice.domain.reasons import Reason
from backoffice.domain.returns import GivenBack, return_flags, returns_of, unknown_adjusted
from backoffice.domain.rules import Circumstances, Shift, StoreSettings, flags, holds, movement_flags, movement_holds
from backoffice.domain.totals import cash_differences, compute_totals, expected_cash, settled_state
from backoffice.domain.upload import Upload, open_upload
from backoffice.domain.wire.members import read_movement, read_order
from tests.vectors.building import DrawerCase, Json, MovementCase, OrderCase, Place, ShiftOfDay

NOBODY = UUID(int=0)
NOTHING = GivenBack()


def shift_of(place: Place) -> Shift:
    """The shift as the rules take it. Its business date decides nothing here."""
    return Shift(
        shift_id=NOBODY,
        terminal_id=1,
        currency=place.currency,
        prices_include_tax=place.prices_include_tax,
        opened_at=datetime.fromisoformat(place.opened_at),
        closed_at=None if place.closed_at is None else datetime.fromisoformat(place.closed_at),
        first_number=place.first_number,
        business_date=date(2026, 3, 1),
    )


def settings_of(place: Place) -> StoreSettings:
    """The settings as the rules take them; those that a case leaves out flag nothing."""
    known = {name: value for name, value in place.settings.items() if name in StoreSettings.__struct_fields__}
    types = known.get("order_types")
    return StoreSettings(**{**known, "order_types": None if types is None else frozenset(types)})


def judge_order(case: OrderCase) -> Json:
    """What becomes of an order that is the first of an empty set of books."""
    upload = _upload(orders=[case.order])
    order = read_order(upload.envelope.orders[0])
    if isinstance(order, Unreadable):
        return expectation("held", _with_cards(order.reasons, upload, "orders"), [])
    shift = shift_of(case.at)
    held = holds(order, shift=shift, methods=PAYMENT_ACCOUNTS)
    circumstances = Circumstances(late=case.late, clock_skew_ms=case.clock_skew_ms)
    settings = settings_of(case.at)
    flagged = flags(order, shift=shift, settings=settings, circumstances=circumstances)
    found = held or (*flagged, *_of_orders_that_are_not_there(order, case.at))
    postings = [] if held else post_of(order, case.at)
    judged = expectation("held" if held else "posted", _with_cards(found, upload, "orders"), postings)
    return {**judged, "totals": totals_of([order])}


def judge_movement(case: MovementCase) -> Json:
    """What becomes of a cash movement."""
    upload = _upload(movements=[case.movement])
    movement = read_movement(upload.envelope.movements[0])
    if isinstance(movement, Unreadable):
        return expectation("held", movement.reasons, [])
    held = movement_holds(movement)
    flagged = movement_flags(
        movement, shift=shift_of(case.at), reasons=CASH_REASON_ACCOUNTS, circumstances=Circumstances()
    )
    postings = [] if held else post_movement(movement, accounts=CASH_REASON_ACCOUNTS)
    found = _with_cards(held or flagged, upload, "cash_movements")
    return expectation("held" if held else "posted", found, postings)


def post_of(order: Order, place: Place) -> list[Posting]:
    """The entry of an order that is not held."""
    return post_order(order, prices_include_tax=place.prices_include_tax, accounts=PAYMENT_ACCOUNTS)


def entry_of_member(member: Json, place: Place) -> list[Json]:
    """The entry of an order on the wire."""
    return postings_json(post_of(read_sound(member), place))


def judge_drawer(case: DrawerCase) -> Iterator[Json]:
    """What each shift of a drawer posts besides its orders, and how it ends."""
    balance, float_left = 0, None
    for shift in case.shifts:
        opening = post_opening(opening_float=shift.opening_float, drawer_balance=balance, float_left=float_left)
        expected = _expected_cash(shift)
        over_short = 0 if shift.counted is None else shift.counted - expected
        over = post_over_short(over_short=over_short, posted_before=0)
        left = shift.float_left
        moved = [] if left is None or shift.counted is None else _to_the_safe(shift.counted, left)
        differences = cash_differences(
            counted=shift.counted, expected=expected, max_over_short=case.at.settings.get("max_over_short")
        )
        differs = float_left is not None and float_left != shift.opening_float
        yield {
            "flags": [{"code": "opening-float-differs", "pointer": "/opening_float"}] if differs else [],
            "state": settled_state(waiting_batches=0, missing_numbers=0, held=0, differences=len(differences)).value,
            "cash": {
                "expected": expected,
                "counted": shift.counted,
                "over_short": None if shift.counted is None else over_short,
            },
            "differences": [msgspec.structs.asdict(difference) for difference in differences],
            "opening": postings_json(opening),
            "over_short": postings_json(over),
            "closing": postings_json(moved),
        }
        float_left = left
        balance = expected + over_short if left is None or shift.counted is None else left


def _to_the_safe(counted: int, float_left: int) -> list[Posting]:
    return post_closing(counted=counted, float_left=float_left, moved_before=0)


def _expected_cash(shift: ShiftOfDay) -> int:
    sums = {"cash_in": 0, "cash_out": 0}
    for each in shift.movements:
        sums[each["kind"]] += each["amount"]
    paid = totals_of([read_sound(order) for order in shift.orders])["payments"].get("cash", 0)
    return expected_cash(opening_float=shift.opening_float, cash_payments=paid, **sums)


def totals_of(orders: Iterable[Order]) -> Json:
    """What a close declares of these orders, in the form of its `totals` with `order_count`."""
    totals: Json = msgspec.to_builtins(compute_totals(orders))
    return totals


def expectation(outcome: str, reasons: Iterable[Reason], postings: Iterable[Posting]) -> Json:
    """An outcome as a vector has it: the words for people are left out, since they may change."""
    return {
        "outcome": outcome,
        "reasons": [{"code": reason.code, "pointer": reason.pointer} for reason in reasons],
        "postings": postings_json(postings),
    }


def postings_json(postings: Iterable[Posting]) -> list[Json]:
    """The lines of an entry by account and tax code, debits first."""
    ordered = sorted(postings, key=lambda posting: (posting.debit == 0, posting.account, posting.tax_code))
    return [posting._asdict() for posting in ordered]


def read_sound(member: Json) -> Order:
    """An order on the wire that can be read."""
    order = read_order(json.dumps(member).encode())
    assert isinstance(order, Order), order
    return order


def _upload(*, orders: Iterable[Any] = (), movements: Iterable[Any] = ()) -> Upload:
    body = json.dumps({"orders": list(orders), "cash_movements": list(movements)}).encode()
    return open_upload(body, gzip=None, max_orders=1)


def _with_cards(reasons: Iterable[Reason], upload: Upload, which: Literal["orders", "cash_movements"]) -> list[Reason]:
    found = [Reason(finding.code, finding.pointer) for finding in upload.findings if finding.list == which]
    return [*reasons, *found]


def _of_orders_that_are_not_there(order: Order, place: Place) -> Iterator[Reason]:
    """What others would decide, in books that have none: what is given back or adjusted is unknown."""
    for returned in returns_of(order, prices_include_tax=place.prices_include_tax):
        yield from return_flags(order, returned=returned, original=None, before=NOTHING, settings=settings_of(place))
    if order.status == "paid" and order.adjusts is not None:
        yield unknown_adjusted()
