"""What terminals have to tell: of a day offline in one or two batches, or order by order; the close comes last."""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec

OPENED = datetime.combine(datetime.now(UTC), datetime.min.time(), UTC)
OPENING = {"number": 1, "opened_at": f"{OPENED:%Y-%m-%dT%H:%M:%SZ}", "opening_float": 20000, "first_number": 1}
CLOSED = OPENED + timedelta(hours=15)
FLOAT = 20000


class Message(NamedTuple):
    """`kind` is opening, batch, live or close; `order_ids` are those that its body brings; not sent before `at_s`."""

    kind: str
    path: str
    body: bytes
    order_ids: tuple[str, ...] = ()
    at_s: float = 0.0


@dataclass
class Evening:
    """What one terminal has to tell once its shift is open, in order; it connects at `at_s`."""

    token: str
    shift_id: str
    messages: list[Message]
    at_s: float

    @property
    def opening(self) -> Message:
        """What opens the shift."""
        return Message("opening", f"/api/v1/shifts/{self.shift_id}", json.dumps(OPENING).encode())

    @property
    def order_ids(self) -> list[str]:
        """Of all its orders."""
        return [each for message in self.messages for each in message.order_ids]

    @property
    def batch_ids(self) -> list[str]:
        """Of all its batches."""
        return [message.path.rpartition("/")[2] for message in self.messages if message.order_ids]


class Day:
    """One terminal's shift as it is sold; `place` tells its card payments from those of all others."""

    def __init__(self, rng: random.Random, *, place: int, first_number: int, orders_per_hour: float = 6) -> None:
        self._rng = rng
        self._shapes = _shapes()
        self._place = place
        self._first = self._number = first_number
        self._apart = timedelta(hours=1) / orders_per_hour
        self._texts: list[str] = []
        self.shift_id = self._id()
        self.messages: list[Message] = []

    def sell(self, orders: int, *, kind: str = "batch", at_s: float = 0.0) -> None:
        """A batch of so many orders."""
        sold = [self._order() for _ in range(orders)]
        path = f"/api/v1/shifts/{self.shift_id}/batches/{self._id()}"
        body = '{"orders":[' + ",".join(text for _, text in sold) + "]}"
        self.messages.append(Message(kind, path, body.encode(), tuple(each for each, _ in sold), at_s))
        self._texts += [text for _, text in sold]

    def close(self, *, at_s: float = 0.0) -> None:
        """Declares all that was sold, with the drawer as it should be."""
        from backoffice.domain.orders import Order  # noqa: PLC0415 - after django.setup()
        from backoffice.domain.totals import compute_totals  # noqa: PLC0415
        from backoffice.domain.wire.members import read_order  # noqa: PLC0415

        orders = [order for text in self._texts if isinstance(order := read_order(text.encode()), Order)]
        figures = msgspec.to_builtins(compute_totals(orders))
        close = {
            "closed_at": _text(CLOSED),
            "batches": [message.path.rpartition("/")[2] for message in self.messages],
            "order_count": figures.pop("order_count"),
            "first_number": self._first,
            "last_number": self._number - 1,
            "cash_counted": FLOAT + figures["payments"].get("cash", 0),
            "totals": figures,
        }
        path = f"/api/v1/shifts/{self.shift_id}/close"
        self.messages.append(Message("close", path, json.dumps(close).encode(), at_s=at_s))

    def _order(self) -> tuple[str, str]:
        at = OPENED + self._apart * (self._number - self._first)
        template = self._shapes[self._rng.randrange(len(self._shapes))].template
        order_id = self._id()
        text = template % {
            "id": order_id,
            "number": self._number,
            "reference": f"{self._place}-{self._number}",
            "opened": _text(at),
            "closed": _text(at + timedelta(minutes=1)),
        }
        self._number += 1
        return order_id, text

    def _id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128)))


@cache
def _shapes() -> list[Any]:
    from tests.bench.history import make_shapes  # noqa: PLC0415 - after django.setup()

    return make_shapes()


def first_number(day: int) -> int:
    """Of a terminal's orders on the first, second, … of its days."""
    return (day - 1) * 1000 + 1


def make_evenings(tokens: Sequence[str], *, within_s: float, seed: int, day: int) -> Iterator[Evening]:
    """A day offline for each terminal: one batch or two, at a moment of its own."""
    rng = random.Random(f"{seed} {day}")
    for place, token in enumerate(tokens):
        sold = Day(rng, place=place, first_number=first_number(day))
        for _ in range(rng.choice([1, 2])):
            sold.sell(rng.randint(10, 40))
        sold.close()
        yield Evening(token, sold.shift_id, sold.messages, rng.uniform(0, within_s))


def make_live_days(tokens: Sequence[str], *, within_s: float, every_s: float, seed: int) -> Iterator[Evening]:
    """Terminals that are online: each sells an order every so many seconds, and closes at the end."""
    rng = random.Random(f"{seed} live")
    for place, token in enumerate(tokens):
        sold = Day(rng, place=-1 - place, first_number=1, orders_per_hour=60)
        at_s = rng.uniform(0, every_s)
        while at_s < within_s:
            sold.sell(1, kind="live", at_s=at_s)
            at_s += every_s
        sold.close(at_s=within_s)
        yield Evening(token, sold.shift_id, sold.messages, 0.0)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
