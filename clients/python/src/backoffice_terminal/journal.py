"""A terminal's memory: one SQLite file that keeps everything until Back Office has settled it.

Every method is one transaction, flushed to disk before it returns. A journal belongs to one terminal. Use it from one
thread at a time.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import msgspec

from backoffice_terminal.api import Receipt, StoreOrder
from backoffice_terminal.orders import Order
from backoffice_terminal.saved import (
    Cached,
    Movement,
    Opening,
    SavedBatch,
    SavedOrder,
    SavedShift,
    as_json,
    outcomes_of,
    saved_batch,
    saved_order,
    saved_shift,
)

SETTLED = ("reconciled", "approved")

# Some part of the shift is still to be sent.
_UNDELIVERED = """
    opened = 0
    OR (closed_at IS NOT NULL AND declared = 0)
    OR EXISTS (SELECT 1 FROM orders o WHERE o.shift_id = s.shift_id AND o.batch_id IS NULL)
    OR EXISTS (SELECT 1 FROM movements m WHERE m.shift_id = s.shift_id AND m.batch_id IS NULL)
    OR EXISTS (SELECT 1 FROM batches b WHERE b.shift_id = s.shift_id AND b.state = 'sealed')
"""
_SEALED_AGAIN = """
    UPDATE batches SET state = 'sealed' WHERE shift_id = ? AND state IN ('accepted', 'processed', 'failed')
"""
# `duplicate` only says that the member is already known: it never replaces the first outcome.
_ORDER_OUTCOME = """
    UPDATE orders SET outcome = ?1, reasons = ?2 WHERE order_id = ?3 AND (outcome IS NULL OR ?1 <> 'duplicate')
"""
_MOVEMENT_OUTCOME = """
    UPDATE movements SET outcome = ?1, reasons = ?2 WHERE movement_id = ?3 AND (outcome IS NULL OR ?1 <> 'duplicate')
"""
# In no batch, or in one that Back Office has not accepted.
_CACHED = """
    SELECT o.body FROM orders o LEFT JOIN batches b USING (batch_id)
    WHERE b.state IS NULL OR b.state IN ('sealed', 'refused') ORDER BY o.number
"""
# Deletes a settled shift, member by member. What Back Office has not processed stays, with its batch and shift.
_PRUNE = (
    """DELETE FROM orders WHERE shift_id = ?1
       AND batch_id IN (SELECT batch_id FROM batches WHERE state = 'processed')""",
    """DELETE FROM movements WHERE shift_id = ?1
       AND batch_id IN (SELECT batch_id FROM batches WHERE state = 'processed')""",
    """DELETE FROM batches WHERE shift_id = ?1
       AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.batch_id = batches.batch_id)
       AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.batch_id = batches.batch_id)""",
    "DELETE FROM facts WHERE key = 'close:' || ?1",
    """DELETE FROM shifts WHERE shift_id = ?1
       AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.shift_id = ?1)
       AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.shift_id = ?1)""",
)


class Journal:
    """Opens the file, or creates it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(files("backoffice_terminal").joinpath("schema.sql").read_text())

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- facts: the token, the store, the mode, the counters

    def fact(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row["value"])

    def note(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))

    def erase(self, key: str) -> None:
        self._db.execute("DELETE FROM facts WHERE key = ?", (key,))

    def change_facts(self, facts: Mapping[str, str | None]) -> None:
        """Saves several facts, and erases those that are None: all of them or none."""
        with self._transaction():
            for key, value in facts.items():
                if value is None:
                    self.erase(key)
                else:
                    self.note(key, value)

    def next_number(self, counter: str) -> int:
        """The next value of a counter (`order_number`, `shift_number`). Counters never reset."""
        return int(self.fact(counter) or 1)

    def skip_to(self, counter: str, number: int) -> None:
        """Moves a counter forward, never back."""
        if number > self.next_number(counter):
            self.note(counter, str(number))

    # -- shifts

    def add_shift(self, shift_id: str, make: Callable[[int, int], Opening]) -> SavedShift:
        """Saves a shift to open; `make` gets its number and the first order number."""
        with self._transaction():
            number, first_number = self.next_number("shift_number"), self.next_number("order_number")
            opening = msgspec.json.encode(make(number, first_number))
            self._db.execute(
                "INSERT INTO shifts (shift_id, number, first_number, opening) VALUES (?, ?, ?, ?)",
                (shift_id, number, first_number, opening),
            )
            self.note("shift_number", str(number + 1))
        return self.shift(shift_id)

    def adopt_shift(
        self, shift_id: str, opening: Opening, *, counted: int | None, closed_at: str, declaration: bytes
    ) -> None:
        """Saves a shift that another device opened, with the close that is to be sent (§10)."""
        row = (shift_id, opening.number, opening.first_number, msgspec.json.encode(opening))
        self._db.execute(
            """INSERT INTO shifts (shift_id, number, first_number, opening, opened, counted, closed_at, declaration)
            VALUES (?, ?, ?, ?, 1, ?, ?, ?)""",
            (*row, counted, closed_at, declaration),
        )

    def knows(self, shift_id: str) -> bool:
        return bool(self._shifts("shift_id = ?", shift_id))

    @property
    def has_shifts(self) -> bool:
        """Whether any shift is in it: none is on a new disk, or where all are forgotten."""
        return bool(self._shifts("true"))

    def shift(self, shift_id: str) -> SavedShift:
        return self._shifts("shift_id = ?", shift_id)[0]

    def current_shift(self) -> SavedShift | None:
        """The shift that its cashier has not closed."""
        found = self._shifts("closed_at IS NULL")
        return found[-1] if found else None

    def undelivered_shifts(self) -> list[SavedShift]:
        """Shifts of which something waits to be sent, oldest first."""
        return self._shifts(_UNDELIVERED)

    def unsettled_shifts(self) -> list[SavedShift]:
        return self._shifts("opened = 1 AND settled_at IS NULL")

    def declared_shifts(self) -> list[SavedShift]:
        return self._shifts("declared = 1")

    def settled_shifts(self) -> list[SavedShift]:
        return self._shifts("settled_at IS NOT NULL")

    def _shifts(self, condition: str, *values: object) -> list[SavedShift]:
        rows = self._db.execute(f"SELECT * FROM shifts s WHERE {condition} ORDER BY number", values)  # noqa: S608 - our own words  # nosec B608
        return [saved_shift(row) for row in rows]

    def mark_opened(self, shift_id: str) -> None:
        self._db.execute("UPDATE shifts SET opened = 1 WHERE shift_id = ?", (shift_id,))

    def forget_unopened(self) -> None:
        self._db.execute("DELETE FROM shifts WHERE opened = 0")

    def replace_opening(self, shift_id: str, opening: Opening) -> None:
        self._db.execute("UPDATE shifts SET opening = ? WHERE shift_id = ?", (msgspec.json.encode(opening), shift_id))

    def count_drawer(
        self, shift_id: str, *, counted: int | None, closed_at: str, besides: Mapping[str, object]
    ) -> None:
        """The cashier closes the shift, and says `besides` of it. From now on it takes no orders."""
        self.note(f"close:{shift_id}", msgspec.json.encode(besides).decode())
        self._db.execute(
            "UPDATE shifts SET counted = ?, closed_at = ? WHERE shift_id = ?", (counted, closed_at, shift_id)
        )

    def said_at_close(self, shift_id: str) -> dict[str, object]:
        """What the cashier said of a close besides the count, as it is declared."""
        return msgspec.json.decode(self.fact(f"close:{shift_id}") or "{}", type=dict[str, object])

    def save_declaration(self, shift_id: str, declaration: bytes) -> None:
        self._db.execute("UPDATE shifts SET declaration = ? WHERE shift_id = ?", (declaration, shift_id))

    def mark_declared(self, shift_id: str) -> None:
        self._db.execute("UPDATE shifts SET declared = 1, state = 'closing' WHERE shift_id = ?", (shift_id,))

    def note_state(self, shift_id: str, state: str, *, at: str) -> None:
        """Saves the state that Back Office reports. The first sight of a settled shift starts the seven days (§2.2)."""
        self._db.execute(
            "UPDATE shifts SET state = ?, settled_at = CASE WHEN ? THEN coalesce(settled_at, ?) END WHERE shift_id = ?",
            (state, state in SETTLED, at, shift_id),
        )

    def unsettle(self, shift_ids: Sequence[str]) -> None:
        """Back Office lacks part of these shifts after all: ask about them again, and restart the seven days."""
        self._db.executemany(
            "UPDATE shifts SET settled_at = NULL, state = 'closing' WHERE shift_id = ? AND settled_at IS NOT NULL",
            [(shift_id,) for shift_id in shift_ids],
        )

    def forget_delivery(self, shift_id: str) -> None:
        """Back Office was restored to a time before this shift: all of it must be sent again, under the same ids."""
        with self._transaction():
            self._db.execute(
                "UPDATE shifts SET declared = 0, settled_at = NULL, state = 'open' WHERE shift_id = ?", (shift_id,)
            )
            self._db.execute(_SEALED_AGAIN, (shift_id,))

    # -- orders and cash movements

    def add_order(self, shift_id: str, make: Callable[[int], Order]) -> Order:
        """Saves the order that `make` builds for the next number. Number and order are saved together or not at all."""
        with self._transaction():
            number = self.next_number("order_number")
            order = make(number)
            self._db.execute(
                "INSERT INTO orders (order_id, shift_id, number, body) VALUES (?, ?, ?, ?)",
                (order.order_id, shift_id, number, msgspec.json.encode(order)),
            )
            self.note("order_number", str(number + 1))
        return order

    def add_movement(self, shift_id: str, movement: Movement) -> None:
        self._db.execute(
            "INSERT INTO movements (movement_id, shift_id, body) VALUES (?, ?, ?)",
            (movement.movement_id, shift_id, msgspec.json.encode(movement)),
        )

    def orders(self, shift_id: str) -> list[SavedOrder]:
        rows = self._db.execute("SELECT * FROM orders WHERE shift_id = ? ORDER BY number", (shift_id,))
        return [saved_order(row) for row in rows]

    def all_orders(self) -> list[SavedOrder]:
        """Every order of every shift that has not been pruned."""
        return [saved_order(row) for row in self._db.execute("SELECT * FROM orders ORDER BY number")]

    def order(self, order_id: str) -> SavedOrder | None:
        row = self._db.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone()
        return None if row is None else saved_order(row)

    def cached(self) -> Cached:
        """What Back Office has not acknowledged yet, for the heartbeat."""
        orders = [msgspec.json.decode(row["body"], type=Order) for row in self._db.execute(_CACHED)]
        paid = sum(order.total for order in orders if order.status == "paid")
        return Cached(len(orders), paid, orders[0].closed_at if orders else None)

    def shift_of(self, order_id: str) -> str:
        row = self._db.execute("SELECT shift_id FROM orders WHERE order_id = ?", (order_id,)).fetchone()
        return str(row["shift_id"])

    def movements(self, shift_id: str) -> list[Movement]:
        rows = self._db.execute("SELECT body FROM movements WHERE shift_id = ? ORDER BY rowid", (shift_id,))
        return [msgspec.json.decode(row["body"], type=Movement) for row in rows]

    def unsealed(self, shift_id: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Orders and movements that are in no batch yet, by id, in the order they were made."""
        orders = self._db.execute(
            "SELECT order_id, body FROM orders WHERE shift_id = ? AND batch_id IS NULL ORDER BY number", (shift_id,)
        )
        movements = self._db.execute(
            "SELECT movement_id, body FROM movements WHERE shift_id = ? AND batch_id IS NULL ORDER BY rowid",
            (shift_id,),
        )
        return {row[0]: row[1] for row in orders}, {row[0]: row[1] for row in movements}

    def delivered_orders(self, first: int, last: int) -> dict[str, list[str]]:
        """By shift, the orders in a range of numbers that Back Office has processed, as far as this journal knows."""
        rows = self._db.execute(
            """SELECT o.shift_id, o.order_id FROM orders o JOIN batches b USING (batch_id)
            WHERE o.number BETWEEN ? AND ? AND b.state = 'processed' ORDER BY o.number""",
            (first, last),
        )
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["shift_id"], []).append(row["order_id"])
        return found

    # -- batches

    def seal(
        self, batch_id: str, shift_id: str, *, sent_at: str, orders: Sequence[str], movements: Sequence[str]
    ) -> SavedBatch:
        """Fixes the members of a batch, before it is sent for the first time."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, 'sealed', '', '{}')",
                (batch_id, shift_id, sent_at, *map(as_json, (list(orders), list(movements)))),
            )
            self._db.executemany(
                "UPDATE orders SET batch_id = ? WHERE order_id = ?", [(batch_id, id_) for id_ in orders]
            )
            self._db.executemany(
                "UPDATE movements SET batch_id = ? WHERE movement_id = ?", [(batch_id, id_) for id_ in movements]
            )
        return self.batch(batch_id)

    def batch(self, batch_id: str) -> SavedBatch:
        return self._batches("batch_id = ?", batch_id)[0]

    def batches(self, shift_id: str, *states: str) -> list[SavedBatch]:
        return [batch for batch in self._batches("shift_id = ?", shift_id) if batch.state in states]

    def batches_awaiting_outcome(self) -> list[SavedBatch]:
        return self._batches("state IN ('accepted', 'failed')")

    def refused_batches(self) -> list[SavedBatch]:
        """Batches refused for a reason that sending again does not cure. People must look at them."""
        return self._batches("state = 'refused'")

    def unseal_refused(self) -> None:
        """Lets refused batches be sent once more, after people have looked at them."""
        self._db.execute("UPDATE batches SET state = 'sealed' WHERE state = 'refused'")

    def _batches(self, condition: str, *values: object) -> list[SavedBatch]:
        rows = self._db.execute(f"SELECT * FROM batches WHERE {condition} ORDER BY rowid", values)  # noqa: S608 - our own words  # nosec B608
        return [saved_batch(row) for row in rows]

    def members(self, batch: SavedBatch) -> tuple[list[bytes], list[bytes]]:
        """The saved bytes of a batch's orders and movements, in the order sent."""
        return (
            self._bodies("SELECT body FROM orders WHERE order_id = ?", batch.orders),
            self._bodies("SELECT body FROM movements WHERE movement_id = ?", batch.movements),
        )

    def _bodies(self, query: str, ids: list[str]) -> list[bytes]:
        return [self._db.execute(query, (id_,)).fetchone()["body"] for id_ in ids]

    def mark_batch(self, batch_id: str, state: str, problem: str = "") -> None:
        self._db.execute("UPDATE batches SET state = ?, problem = ? WHERE batch_id = ?", (state, problem, batch_id))

    def apply_receipt(self, batch: SavedBatch, receipt: Receipt) -> None:
        """Saves how far a batch has got and, once it is processed, what became of each member."""
        with self._transaction():
            if receipt.state != "processed":
                self.mark_batch(batch.batch_id, "accepted" if receipt.state == "received" else receipt.state)
                return
            self.mark_batch(batch.batch_id, "processed")
            outcomes = msgspec.json.encode(receipt.outcomes).decode()
            self._db.execute("UPDATE batches SET outcomes = ? WHERE batch_id = ?", (outcomes, batch.batch_id))
            self._db.executemany(_ORDER_OUTCOME, outcomes_of(batch.orders, receipt.results))
            self._db.executemany(_MOVEMENT_OUTCOME, outcomes_of(batch.movements, receipt.movements.results))

    # -- what other terminals of the store sold

    def add_store_orders(self, orders: Sequence[StoreOrder], *, cursor: tuple[str, str]) -> list[StoreOrder]:
        """Saves a page of the feed together with the cursor after it. Returns the orders that were new."""
        with self._transaction():
            new = [
                order
                for order in orders
                if self._db.execute(
                    "INSERT OR IGNORE INTO store_orders VALUES (?, ?, ?)",
                    (order.order_id, order.posted_at, msgspec.json.encode(order)),
                ).rowcount
            ]
            self.note(*cursor)
        return new

    def store_orders(self) -> list[StoreOrder]:
        """The orders that the store's feed has brought and that are not deleted yet, in the sequence they came."""
        rows = self._db.execute("SELECT body FROM store_orders ORDER BY rowid")
        return [msgspec.json.decode(row["body"], type=StoreOrder) for row in rows]

    def forget_store_orders(self, *, posted_before: str) -> None:
        """Deletes what was posted before a time in UTC, as RFC 3339."""
        self._db.execute("DELETE FROM store_orders WHERE julianday(posted_at) < julianday(?)", (posted_before,))

    # -- the end

    def prune(self, shift_id: str) -> None:
        """Deletes a shift with its orders. What Back Office has not processed stays, whatever the shift's state."""
        with self._transaction():
            for statement in _PRUNE:
                self._db.execute(statement, (shift_id,))
