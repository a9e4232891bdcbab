"""The past as terminals would have told it: shapes of orders, and each shift's batch, hashes, figures and cash.

Everything that the product decides is decided by the product's own rules: bodies are read, hashed, added up and posted
by `backoffice.domain`.
"""

import hashlib
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.identity import content_hash
from backoffice.domain.orders import Order
from backoffice.domain.posting import Posting, post_opening, post_order, post_over_short
from backoffice.domain.repeats import message_hash
from backoffice.domain.totals import compute_totals
from backoffice.domain.wire.members import read_order
from backoffice.domain.wire.messages import CloseShift, OpenShift, Totals
from backoffice.inbox.models import Batch
from backoffice.sales.models import Shift

ORDERS_PER_SHIFT = 50
SHAPES = 97
LINES = 3
FLOAT = 20_000
OPENS, CLOSES = timedelta(hours=7), timedelta(hours=19)
EVERY, TAKES = timedelta(minutes=12), timedelta(minutes=1)
# When each order of a day is opened and closed, as its body says it.
CLOCK = [
    tuple(
        f"{datetime(2000, 1, 1, tzinfo=UTC) + OPENS + place * EVERY + after:%H:%M:%SZ}"
        for after in (timedelta(), TAKES)
    )
    for place in range(ORDERS_PER_SHIFT)
]
# Of a shift's ids the first is its opening's and the last its over or short; its orders' stand between.
IDS_PER_SHIFT = ORDERS_PER_SHIFT + 2
ITEMS = [(f"BAG-{number:03}", name, 60 + 45 * number) for number, name in enumerate(
    ["Baguette", "Croissant", "Pain au chocolat", "Tarte aux pommes", "Café", "Thé vert", "Quiche", "Salade", "Éclair"]
)]  # fmt: skip


class Shape(NamedTuple):
    """An order but for its identifiers and times: the text of its body, and what it becomes in the books."""

    template: str
    order: Order
    postings: list[Posting]


def make_shapes(seed: int = 4) -> list[Shape]:
    """Sales of three lines with a tax each and one payment; now and then voided, a refund, or tipped."""
    rng = random.Random(seed)
    shapes = []
    for number in range(SHAPES):
        sign, status = (-1 if number == 1 else 1), ("voided" if number == 2 else "paid")
        tip = 200 if number % 20 == 3 else 0
        lines = [_line(rng, sign=sign) for _ in range(LINES)]
        total = sum(line["amount"] for line in lines)
        if rng.random() < 0.55 or sign < 0:
            payment = {"method": "cash", "amount": total + tip, "tendered": total + tip + 60, "change": 60}
        else:
            payment = {"method": "card", "amount": total + tip, "reference": "@reference@"}
        order = {
            "order_id": "@id@", "number": "@number@", "mode": "offline", "kind": "sale" if sign > 0 else "refund",
            "status": status, "type": rng.choice(["takeaway", "on_table", None]), "opened_at": "@opened@",
            "closed_at": "@closed@", "cashier": rng.choice(["Anna", "Théo", "Inès"]), "customer": None,
            "printed_to": "local", "refund_of": None, "note": "", "lines": lines, "rounding": 0, "total": total,
            "tip": tip, "payments": [payment],
        }  # fmt: skip
        template = json.dumps(order, separators=(",", ":"), ensure_ascii=False)
        for name, word in {"id": "%(id)s", "opened": "%(opened)s", "closed": "%(closed)s"}.items():
            template = template.replace(f"@{name}@", word)
        template = template.replace('"@number@"', "%(number)d").replace("@reference@", "%(reference)s")
        example = {"id": UUID(int=0), "number": 1, "reference": "", "opened": "2026-01-01T00:00:00Z"}
        read = read_order((template % (example | {"closed": example["opened"]})).encode())
        assert isinstance(read, Order), read
        shapes.append(Shape(template, read, post_order(read, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS)))
    return shapes


def _line(rng: random.Random, *, sign: int) -> dict[str, Any]:
    sku, name, price = rng.choice(ITEMS)
    quantity = sign * rng.choice([1, 1, 1, 2, 2, 3])
    code, thousandths = rng.choice([("FR-5.5", 55), ("FR-10", 100)])
    tax = sign * int(abs(price * quantity) * thousandths / (1000 + thousandths) + 0.5)
    return {
        "kind": "item", "sku": sku, "name": name, "quantity": str(quantity), "unit_price": price, "discount": 0,
        "amount": price * quantity, "taxes": [{"code": code, "rate": str(thousandths / 1000), "amount": tax}],
    }  # fmt: skip


@dataclass
class Drawer:
    """A terminal between two shifts: its place in the fleet, what its drawer holds, and the next numbers."""

    place: int
    terminal_id: int
    store_id: int
    balance: int = 0
    number: int = 1
    shift_number: int = 1


class Told(NamedTuple):
    """One shift with its batch, and the entries of its drawer: (id, kind, number, postings). `ids` and `hashes` are of
    its orders, one after the other."""

    shift: Shift
    batch: Batch
    first_id: int
    first_number: int
    ids: bytes
    hashes: bytes
    entries: list[tuple[int, str, int, list[Posting]]]


class Past:
    """Tells shifts, the same for the same seed."""

    def __init__(self, shapes: Sequence[Shape], *, seed: int) -> None:
        self._shapes = shapes
        self._seed = seed

    def tell(self, drawer: Drawer, day: date, *, first_id: int) -> Told:
        """The shift of a terminal on a day, settled; `drawer` stands as it was left afterwards."""
        rng = random.Random(f"{self._seed} {drawer.terminal_id} {day}")
        morning = datetime(day.year, day.month, day.day, tzinfo=UTC)
        opened_at, closed_at = morning + OPENS, morning + CLOSES
        shift_id, batch_id = _uuid(rng, opened_at), _uuid(rng, closed_at)
        texts = list(self._texts(drawer, rng, opened_at))
        orders = [order for text in texts if isinstance(order := read_order(text.encode()), Order)]
        assert len(orders) == len(texts)
        body = ('{"orders":[' + ",".join(texts) + '],"cash_movements":[]}').encode()
        totals = compute_totals(orders)
        expected = FLOAT + totals.payments.get("cash", 0)
        over = rng.choice([0] * 18 + [-350, 200])
        opening = OpenShift(
            number=drawer.shift_number, opened_at=opened_at, cashier="Anna", opening_float=FLOAT, first_number=drawer.number
        )  # fmt: skip
        figures = msgspec.to_builtins(totals)
        count = figures["order_count"]
        close = CloseShift(
            closed_at=closed_at, batches=[batch_id], order_count=count, first_number=drawer.number,
            last_number=drawer.number + count - 1, cash_counted=expected + over,
            totals=Totals(**{name: value for name, value in figures.items() if name != "order_count"}),
        )  # fmt: skip
        received_at = closed_at + timedelta(seconds=drawer.place % 600)
        settled_at = received_at + timedelta(seconds=1)
        shift = Shift(
            shift_id=shift_id, terminal_id=drawer.terminal_id, store_id=drawer.store_id, number=drawer.shift_number,
            state="reconciled", business_date=day, currency="EUR", prices_include_tax=True, cashier="Anna",
            opening_float=FLOAT, first_number=drawer.number, opened_at=opened_at, opening_hash=message_hash(opening),
            opening_entry_id=first_id, received_at=opened_at, declared=msgspec.to_builtins(close),
            closing_hash=message_hash(close), closed_at=closed_at, close_received_at=settled_at, computed=figures,
            differences=[], expected_cash=expected, over_short=over, reconciliations=int(over != 0),
            flags=[], drawer_counts=1, reconciled_at=settled_at, z_number=drawer.shift_number,
        )  # fmt: skip
        batch = Batch(
            batch_id=batch_id, terminal_id=drawer.terminal_id, shift_id=shift_id, digest=hashlib.sha256(body).digest(),
            body=zlib.compress(body, 1), size=len(body), order_count=count, movement_count=0, received_at=received_at,
            state="processed", due_at=received_at, attempts=1, processed_at=settled_at, outcomes={"posted": count},
        )  # fmt: skip
        entries = [
            (first_id, "opening", 0, post_opening(opening_float=FLOAT, drawer_balance=drawer.balance)),
            (first_id + IDS_PER_SHIFT - 1, "over_short", 1, post_over_short(over_short=over, posted_before=0)),
        ]
        told = Told(
            shift, batch, first_id + 1, drawer.number, b"".join(order.order_id.bytes for order in orders),
            b"".join(map(content_hash, orders)), [entry for entry in entries if entry[3]],
        )  # fmt: skip
        drawer.balance, drawer.number, drawer.shift_number = (
            expected + over,
            drawer.number + count,
            drawer.shift_number + 1,
        )
        return told

    def _texts(self, drawer: Drawer, rng: random.Random, opened_at: datetime) -> Iterator[str]:
        day = f"{opened_at:%Y-%m-%dT}"
        for place, (opened, closed) in enumerate(CLOCK):
            number = drawer.number + place
            yield self._shapes[number % SHAPES].template % {
                "id": _uuid(rng, opened_at + place * EVERY),
                "number": number,
                "reference": f"{drawer.terminal_id}-{number}",
                "opened": day + opened,
                "closed": day + closed,
            }


def _uuid(rng: random.Random, at: datetime) -> UUID:
    """Version 7, as the protocol advises: it begins with its time."""
    bits = rng.getrandbits(74)
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1)
