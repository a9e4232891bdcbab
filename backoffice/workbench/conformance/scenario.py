"""What the people at the terminal are asked to do, and how far they have got."""

from collections.abc import Callable
from typing import NamedTuple

from backoffice.workbench.conformance.floor import Floor

SOLD_OFFLINE = 8


class Step(NamedTuple):
    """A sentence for people, and whether it is done."""

    words: str
    is_done: Callable[[Floor], bool]


def _cache_is_delivered(floor: Floor) -> bool:
    if floor.history.closes:
        return True  # from here on something is always missing on purpose
    orders, history = floor.books.orders, floor.history
    made_offline = [s for s in orders.values() if s.order is not None and s.order.mode == "offline"]
    largest = max((len(batch.orders) for batch in history.batches.values()), default=0)
    suffered = not floor.mischief.left("cache", orders=largest) and not floor.culprits
    arrived = all(seen.came_as is not None or order_id in orders for order_id, seen in history.orders.items())
    return len(made_offline) >= SOLD_OFFLINE and suffered and arrived


def _is_restored_and_sent(floor: Floor) -> bool:
    return floor.is_restored and floor.heartbeats_since_restore > 0 and not floor.history.asked


STEPS = (
    Step("Activate the terminal with the first code.", lambda floor: floor.credentials.activations > 0),
    Step("Open a shift.", lambda floor: bool(floor.history.openings)),
    Step(
        "Sell live, one order at a time, until this step is done: about a dozen orders, among them a refund, a tip and\n"
        "    a voided order. If the terminal goes offline by itself, let it come back and go on.",
        lambda floor: not floor.mischief.left("live"),
    ),
    Step("Send a heartbeat.", lambda floor: floor.heartbeats > 0),
    Step("Change the token.", lambda floor: floor.credentials.is_changed),
    Step("Follow the store's feed to its end, and request it twice more.", lambda floor: floor.feed.is_read_out),
    Step(
        "Pull the cable or go offline, sell eight orders, put money into the drawer, come back and send all of them in\n"
        "    one batch. One order will be refused: the terminal must show it; then send it again.",
        _cache_is_delivered,
    ),
    Step(
        "Sell one more live: the credential is refused. Sell two offline, then activate with the second code.",
        lambda floor: floor.credentials.activations > 1,
    ),
    Step(
        "Send what is waiting, close the shift, and follow it until it is settled.",
        lambda floor: floor.first_settled,
    ),
    Step(
        "Open another shift and sell two orders live, then send a heartbeat: Back Office was restored to an earlier\n"
        "    time, and asks for what it has lost.",
        _is_restored_and_sent,
    ),
    Step(
        "Close this shift, and follow both until they are settled.",
        lambda floor: floor.is_restored and len(floor.books.shifts) > 1 and floor.everything_came(),
    ),
)


def steps_left(floor: Floor) -> list[str]:
    """The sentences of the steps that are not done."""
    return [f"{number}. {step.words}" for number, step in enumerate(STEPS, 1) if not step.is_done(floor)]


def instructions(floor: Floor, address: str) -> str:
    """What is printed at the start of a run."""
    first, second = floor.credentials.codes
    steps = "\n".join(f"{number:>2}. {step.words}" for number, step in enumerate(STEPS, 1))
    return (
        f"A Back Office that misbehaves on purpose listens at {address}/api/v1/\n"
        f"    first code   {first}\n"
        f"    second code  {second}   (after the credential was refused)\n"
        f"It sells in EUR, prices include tax, and uses the clock of this machine. {address}/ shows how far you are.\n\n"
        f"{steps}\n"
    )
