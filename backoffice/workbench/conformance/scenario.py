"""What the people at the terminal are asked to do, how far they have got, and what each step still waits for."""

import textwrap
from collections.abc import Callable, Iterator
from typing import NamedTuple

from backoffice.domain.states import ShiftState
from backoffice.workbench.conformance.books import StoredShift
from backoffice.workbench.conformance.floor import Floor
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.words import few, few_ranges

SOLD_OFFLINE = 8
WIDTH = 110


class Step(NamedTuple):
    """A sentence for people, and what is still awaited before it is done: nothing when it is."""

    words: str
    awaits: Callable[[Floor], Iterator[str]]


def _activation(floor: Floor) -> Iterator[str]:
    if not floor.credentials.activations:
        yield "the first code"


def _opening(floor: Floor) -> Iterator[str]:
    if not floor.history.openings:
        yield "the opening of a shift"


def _live_orders(floor: Floor) -> Iterator[str]:
    if left := floor.mischief.left("live"):
        yield f"{left} more new orders that say online, each in a batch of its own"
    if not any(seen.order.kind == "refund" for seen in floor.history.orders.values()):
        yield "a refund"


def _heartbeat(floor: Floor) -> Iterator[str]:
    if not floor.heartbeats:
        yield "a heartbeat"


def _changed_token(floor: Floor) -> Iterator[str]:
    if not floor.credentials.is_changed:
        yield "a new token that has been used"


def _feed(floor: Floor) -> Iterator[str]:
    if not floor.feed.is_read_out:
        yield "the last page of the feed"


def _cache(floor: Floor) -> Iterator[str]:
    orders, history = floor.books.orders, floor.history
    is_closed = bool(history.closes)  # from then on orders are missing on purpose
    offline = sum(s.order is not None and s.order.mode == "offline" for s in orders.values())
    if offline < SOLD_OFFLINE and not is_closed:
        yield f"{SOLD_OFFLINE - offline} of {SOLD_OFFLINE} offline orders"
    if not (history.movements if is_closed else floor.books.movements):
        yield "a cash movement"
    if is_closed:
        return
    largest = max((len(batch.orders) for batch in history.batches.values()), default=0)
    if floor.mischief.left("cache", orders=largest):
        yield "a batch of several offline orders"
    waiting = [seen.order.number for id_, seen in history.orders.items() if seen.came_as is None and id_ not in orders]
    if waiting:
        yield f"number {few(waiting)}, which came and was not taken"


def _second_activation(floor: Floor) -> Iterator[str]:
    if floor.credentials.activations > 1:
        return
    if not floor.credentials.is_revoked:
        yield "a live order, which will be refused"
    yield "the second code"


def _first_close(floor: Floor) -> Iterator[str]:
    if floor.first_settled:
        return
    shift = next(iter(floor.books.shifts.values()), None)
    if shift is None:
        yield "the close of the shift"
    else:
        yield from _unsettled(floor, shift)


def _restore(floor: Floor) -> Iterator[str]:
    if not floor.is_restored:
        yield from _before_the_restore(floor)
        return
    if not floor.heartbeats_since_restore:
        yield "a heartbeat"
    if floor.history.asked:
        yield f"number {few(floor.history.asked)}, which was lost"


def _before_the_restore(floor: Floor) -> Iterator[str]:
    """It comes with the second batch of a shift after the first, once that is settled."""
    if not floor.first_settled:
        yield "the first shift, which is not settled"
    elif (shift := floor.books.open_shift) is None:
        yield "another shift"
    else:
        is_begun = any(batch.shift_id == shift.shift_id for batch in floor.books.batches.values())
        yield f"{'one order' if is_begun else 'two orders'} more in shift {shift.opening.number}"


def _second_close(floor: Floor) -> Iterator[str]:
    if not floor.is_restored or len(floor.books.shifts) < 2:  # noqa: PLR2004 - the first and this one
        yield "another shift, after Back Office was restored"
        return
    for shift in floor.books.shifts.values():
        yield from _unsettled(floor, shift)


def _unsettled(floor: Floor, shift: StoredShift) -> Iterator[str]:
    name, books = f"shift {shift.opening.number}", floor.books
    if shift.close is None:
        yield f"the close of {name}"
    elif books.state(shift) is ShiftState.CLOSING:
        if missing := books.missing_numbers(shift):
            yield f"number {few_ranges(missing)} of {name}"
        if batches := books.missing_batches(shift):
            yield f"batch {few(batches)} of {name}"


STEPS = (
    Step("Activate the terminal with the first code.", _activation),
    Step("Open a shift.", _opening),
    Step(
        "Sell live, one order at a time, until this step is done: about a dozen orders, among them a refund, a tip and "
        "a voided order. If the terminal goes offline by itself, let it come back and go on.",
        _live_orders,
    ),
    Step("Send a heartbeat.", _heartbeat),
    Step("Change the token.", _changed_token),
    Step("Follow the store's feed to its end, and request it twice more.", _feed),
    Step(
        "Pull the cable or go offline, sell eight orders, put money into the drawer, come back and send all of them in "
        "one batch. One order will be refused: the terminal must show it; then send it again.",
        _cache,
    ),
    Step(
        "Sell one more live: the credential is refused. Sell two offline, then activate with the second code.",
        _second_activation,
    ),
    Step("Send what is waiting, close the shift, and follow it until it is settled.", _first_close),
    Step(
        "Open another shift and sell two orders live, then send a heartbeat: Back Office was restored to an earlier "
        "time, and asks for what it has lost.",
        _restore,
    ),
    Step("Close this shift, and follow both until they are settled.", _second_close),
)


def check_movement_shown(notes: Notebook, floor: Floor) -> None:
    """Whoever sold offline as step 7 asks, and closed the shift, has put money into the drawer, and never told.

    In a run that left the step out, or did not come as far, there may be none to tell of.
    """
    history = floor.history
    offline = sum(seen.order.mode == "offline" for seen in history.orders.values())
    if history.closes and offline >= SOLD_OFFLINE and not history.movements:
        number = history.openings[next(iter(history.closes))].message.number
        what = f"step 7 asks for money to be put into the drawer, and shift {number} was closed"
        notes.broke("movements-arrive", f"no cash movement was ever sent: {what}")


def steps_left(floor: Floor) -> list[str]:
    """The sentences of the steps that are not done, each with what it waits for."""
    left = []
    for number, step in enumerate(STEPS, 1):
        if awaited := list(step.awaits(floor)):
            left.append(f"{number}. {step.words} Waits for {'; '.join(awaited)}.")
    return left


def instructions(floor: Floor, address: str) -> str:
    """What is printed at the start of a run."""
    first, second = floor.credentials.codes
    steps = "\n".join(
        textwrap.fill(step.words, WIDTH, initial_indent=f"{number:>2}. ", subsequent_indent="    ")
        for number, step in enumerate(STEPS, 1)
    )
    return (
        f"A Back Office that misbehaves on purpose listens at {address}/api/v1/\n"
        f"    first code   {first}\n"
        f"    second code  {second}   (after the credential was refused)\n"
        f"It sells in EUR, prices include tax, and uses the clock of this machine. {address}/ shows how far you are, and\n"
        f"{address}/report what it would say if you ended here.\n\n"
        f"{steps}\n"
    )
