"""What terminals sent, put beside the books: temporary tables of the session, and the sums that the books must show."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.faults.check.expected import (
    Expected,
    Order,
    Shift,
    Unforeseen,
    read_batch,
    read_close,
    read_opening,
)
from tests.faults.check.journals import Sent, drawers, journals, requests

TABLES = """
CREATE TEMPORARY TABLE sent_order (
    order_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    terminal uuid NOT NULL,
    number bigint NOT NULL,
    acknowledged boolean NOT NULL,
    has_entry boolean NOT NULL
);
CREATE TEMPORARY TABLE sent_batch (batch_id uuid NOT NULL, digest bytea NOT NULL, acknowledged boolean NOT NULL);
"""
FOR_THE_PLANNER = """
CREATE INDEX ON sent_order (order_id);
CREATE INDEX ON sent_batch (batch_id);
ANALYZE sent_order, sent_batch;
"""
COPY_ORDERS = "COPY sent_order (order_id, batch_id, terminal, number, acknowledged, has_entry) FROM STDIN"
COPY_BATCHES = "COPY sent_batch (batch_id, digest, acknowledged) FROM STDIN"


@dataclass
class Testimony:
    """Everything the terminals tell, except for single orders, which are in the temporary tables.

    `blind` is what head office finds in the drawers that were closed without a count, by shift.
    """

    folder: Path
    expected: Expected = field(default_factory=Expected)
    stores: set[str] = field(default_factory=set)
    terminals: set[str] = field(default_factory=set)
    blind: dict[str, int] = field(default_factory=dict)

    def take_back(self, order_ids: set[str]) -> None:
        """Removes orders from what is expected, each once."""
        left = set(order_ids)
        for sent in _all_requests(self.folder) if left else ():
            if sent.what != "batch":
                continue
            for order in read_batch(sent.body).orders:
                if order.order_id in left:
                    left.remove(order.order_id)
                    self.expected.take_back(sent.shift_id, order)


def testify(connection: psycopg.Connection, folder: Path) -> Testimony:
    """Reads the journals once, one terminal after the other, and copies every order into a temporary table."""
    testimony = Testimony(folder)
    connection.execute(TABLES)
    for journal in journals(folder):
        # A terminal's identifiers are its own, so what it sent twice is known while its journal is read.
        known: dict[str, bool] = {}
        testimony.blind |= drawers(journal)
        with connection.cursor() as cursor, cursor.copy(COPY_ORDERS) as rows:
            batches = [
                (sent.batch_id, hashlib.sha256(sent.body).digest(), sent.acknowledged)
                for sent in requests(journal)
                if _note(testimony, sent, known, rows) == "batch"
            ]
        with connection.cursor() as cursor, cursor.copy(COPY_BATCHES) as rows:
            for batch in batches:
                rows.write_row(batch)
    connection.execute(FOR_THE_PLANNER)
    return testimony


def _note(testimony: Testimony, sent: Sent, known: dict[str, bool], rows: psycopg.Copy) -> str:
    shifts = testimony.expected.shifts
    testimony.stores.add(sent.store)
    testimony.terminals.add(sent.terminal)
    if sent.what == "shift":
        cash = shifts[sent.shift_id].cash if sent.shift_id in shifts else 0
        shifts[sent.shift_id] = Shift(sent.terminal, sent.store, read_opening(sent.body), sent.acknowledged, cash)
    elif sent.what == "close":
        if sent.acknowledged:
            _note_close(testimony, sent)
    else:
        for order in read_batch(sent.body).orders:
            _note_order(testimony, sent, order, known, rows)
    return sent.what


def _note_close(testimony: Testimony, sent: Sent) -> None:
    """The terminal waits until its shifts are settled, which a blind close is once head office has counted."""
    close, shift = read_close(sent.body), testimony.expected.shifts[sent.shift_id]
    counted = testimony.blind.get(sent.shift_id) if close.cash_counted is None else close.cash_counted
    if counted is None:
        raise Unforeseen(f"shift {sent.shift_id}: head office counts later, and nobody wrote down what it finds")
    shift.counted, shift.left = counted, close.float_left


def _note_order(testimony: Testimony, sent: Sent, order: Order, known: dict[str, bool], rows: psycopg.Copy) -> None:
    has_entry = known.get(order.order_id)
    if has_entry is None:
        has_entry = known[order.order_id] = testimony.expected.add(sent.shift_id, order)
    rows.write_row((order.order_id, sent.batch_id, sent.terminal, order.number, sent.acknowledged, has_entry))


def _all_requests(folder: Path) -> Iterator[Sent]:
    for journal in journals(folder):
        yield from requests(journal)
