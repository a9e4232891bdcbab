"""The whole audit, one terminal at a time, so that memory holds one chunk of batches and one terminal's shifts."""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.audit.anchors import SignedHead, load_keys, read_anchor
from backoffice.audit.balances import check_daily_balances
from backoffice.audit.batches import chunks_of, count_orders
from backoffice.audit.counts import check_counts
from backoffice.audit.detached import Detached, load_detached, load_left, take_late_entries
from backoffice.audit.drawers import TillBooks, check_figures, derived_drawer_balance
from backoffice.audit.entries import load_entries
from backoffice.audit.exported import check_exports
from backoffice.audit.findings import AuditReport, Figures, Findings, StoreReport, Waiting
from backoffice.audit.fleet import AuditedStore, AuditedTill, load_shifts, load_stores, load_tills
from backoffice.audit.imported import check_imports
from backoffice.audit.ledger import Ledger
from backoffice.audit.leftovers import check_decisions, check_drawers_total, check_leftovers, check_totals
from backoffice.audit.members import Accounting, Met, load_chunk
from backoffice.audit.openings import check_openings, check_z_numbers, load_stays
from backoffice.audit.periods import LockedPeriods, load_locked
from backoffice.audit.repeats import Originals
from backoffice.audit.safes import check_safes
from backoffice.audit.seals import SealCheck
from backoffice.audit.trail import check_trail
from backoffice.audit.z_reports import check_z_reports

Progress = Callable[[int, int], None]
"""Called with the number of orders checked so far, and the number in all."""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Sees all tables as they were at one moment, while others go on writing; refuses to write."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # These are many short statements over many partitions: compiling them would cost more than running them.
            cursor.execute("SET LOCAL jit = off")
        yield


def audit(*, progress: Progress, anchor: str | None = None) -> AuditReport:
    """Derives the books again and compares them with the tables. Run it within `one_snapshot`.

    `anchor` is a signed note from elsewhere, from which the seals must go on. Raises AnchorRefused before anything is read
    where it says nothing about these books.
    """
    with connection.cursor() as cursor, _no_search_for_cycles():
        head = None if anchor is None else read_anchor(anchor, load_keys(cursor))
        return Audit(cursor, progress, anchor=head).run()


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    # Millions of values come and go and none is part of a cycle: looking for cycles would take a fifth of the time.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Audit:
    """One audit, and what it has found so far."""

    def __init__(self, cursor: CursorWrapper, progress: Progress, *, anchor: SignedHead | None = None) -> None:
        self._cursor = cursor
        self._progress = progress
        self._anchor = anchor
        self._findings = Findings()
        self._waiting = Waiting()
        self._met = Met()
        self._ledger = Ledger(self._findings)
        self._figures: dict[tuple[int, str], Figures] = defaultdict(Figures)
        self._done = 0
        self._detached = Detached([], None)
        self._periods = LockedPeriods()

    def run(self) -> AuditReport:
        """From the bytes to the tables, then from the tables back."""
        stores = load_stores(self._cursor)
        self._detached = load_detached(self._cursor)
        self._periods = load_locked(self._cursor, self._findings)
        total = count_orders(self._cursor)
        balances: dict[int, tuple[AuditedTill, int]] = {}
        late = take_late_entries(self._cursor, self._ledger) if self._detached.months else {}
        for till in load_tills(self._cursor):
            books = self._audit_till(till, stores, total)
            balances[till.id] = (till, derived_drawer_balance(books) + late.get(till.id, 0))
        check_safes(self._cursor, stores, self._detached, periods=self._periods, ledger=self._ledger)
        self._periods.check_entries(self._cursor, {each.id: each.code for each in stores.values()}, self._findings)
        check_leftovers(self._cursor, self._met, self._ledger, self._findings)
        check_decisions(self._cursor, self._findings)
        check_imports(self._cursor, self._findings)
        check_totals(self._cursor, self._ledger, stores, self._findings)
        check_drawers_total(self._cursor, balances, self._findings)
        self._check_evidence(stores)
        return AuditReport(
            self._store_reports(stores.values()),
            self._findings.kept,
            self._findings.count,
            self._waiting,
            self._detached.months,
        )

    def _audit_till(self, till: AuditedTill, stores: dict[int, AuditedStore], total: int) -> TillBooks:
        shifts = load_shifts(self._cursor, till)
        shift_ids = [shift.shift_id for shift in shifts]
        entries = load_entries(self._cursor, ["opening", "over_short", "closing"], shift_ids)
        left = load_left(self._cursor, till) if self._detached.months else 0
        books = TillBooks(till, shifts, entries, periods=self._periods, left=left)
        originals = Originals(self._cursor, till)
        accounting = Accounting(
            books,
            stores=stores,
            met=self._met,
            ledger=self._ledger,
            findings=self._findings,
            originals=originals,
            detached=self._detached,
        )
        for batches in chunks_of(till, findings=self._findings, waiting=self._waiting):
            chunk = load_chunk(self._cursor, batches)
            for batch in batches:
                accounting.settle(batch, chunk)
                self._done += sum(member.what == "order" for member in batch.members)
            self._progress(self._done, total)
        originals.check_unreadable(self._findings)
        self._check_cash(books)
        return books

    def _check_cash(self, books: TillBooks) -> None:
        """Once all of a terminal's batches are accounted for: its shifts and its drawer."""
        stays = load_stays(self._cursor, books.till)
        check_counts(books, ledger=self._ledger, findings=self._findings)
        check_openings(self._cursor, books, stays, ledger=self._ledger, findings=self._findings)
        check_z_numbers(books, stays, findings=self._findings)
        check_z_reports(self._cursor, books, findings=self._findings)
        for shift in books.shifts.values():
            check_figures(books, shift, findings=self._findings)
            self._figures[shift.row.store_id, shift.row.currency].merge(shift.figures)

    def _check_evidence(self, stores: dict[int, AuditedStore]) -> None:
        SealCheck(self._cursor, self._findings, stores=stores, detached=self._detached, anchor=self._anchor).run()
        check_daily_balances(stores, self._findings)
        check_exports(self._cursor, stores, self._findings)
        check_trail(self._cursor, self._findings)

    def _store_reports(self, stores: Iterable[AuditedStore]) -> list[StoreReport]:
        reports = []
        for store in stores:
            currencies = sorted({currency for store_id, currency in self._figures if store_id == store.id})
            for currency in currencies or [store.currency]:
                figures = self._figures.get((store.id, currency), Figures())
                reports.append(StoreReport(store.code, store.name, currency, figures))
        return reports
