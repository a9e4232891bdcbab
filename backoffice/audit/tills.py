"""All that one terminal sent, chunk by chunk: memory holds one chunk of batches and the terminal's shifts."""

from collections.abc import Callable, Mapping

from django.db.backends.utils import CursorWrapper

from backoffice.audit.batches import chunks_of
from backoffice.audit.counts import check_counts
from backoffice.audit.detached import Detached, load_left
from backoffice.audit.drawers import TillBooks, check_figures, derived_drawer_balance
from backoffice.audit.entries import load_entries
from backoffice.audit.fleet import AuditedStore, AuditedTill, load_shifts
from backoffice.audit.gathered import Gathered
from backoffice.audit.members import Accounting, load_chunk
from backoffice.audit.openings import check_openings, check_z_numbers, load_stays
from backoffice.audit.periods import LockedPeriods
from backoffice.audit.repeats import Originals
from backoffice.audit.z_reports import check_z_reports


def audit_till(
    cursor: CursorWrapper,
    till: AuditedTill,
    stores: Mapping[int, AuditedStore],
    detached: Detached,
    *,
    periods: LockedPeriods,
    gathered: Gathered,
    passed: Callable[[int], None],
) -> None:
    """Checks everything of a terminal. `passed` is told of the orders of each chunk."""
    books = _open_books(cursor, till, detached, periods)
    originals = Originals(cursor, till)
    accounting = Accounting(books, stores=stores, gathered=gathered, originals=originals, detached=detached)
    for batches in chunks_of(till, findings=gathered.findings, waiting=gathered.waiting):
        chunk = load_chunk(cursor, batches)
        for batch in batches:
            accounting.settle(batch, chunk)
        passed(sum(member.what == "order" for batch in batches for member in batch.members))
    originals.check_unreadable(gathered.findings)
    _check_cash(cursor, books, gathered)
    gathered.drawers[till.id] = till, derived_drawer_balance(books)


def _open_books(cursor: CursorWrapper, till: AuditedTill, detached: Detached, periods: LockedPeriods) -> TillBooks:
    shifts = load_shifts(cursor, till)
    entries = load_entries(cursor, ["opening", "over_short", "closing"], [shift.shift_id for shift in shifts])
    left = load_left(cursor, till) if detached.months else 0
    return TillBooks(till, shifts, entries, periods=periods, left=left)


def _check_cash(cursor: CursorWrapper, books: TillBooks, gathered: Gathered) -> None:
    """Once all of a terminal's batches are accounted for: its shifts and its drawer."""
    stays = load_stays(cursor, books.till)
    check_counts(books, ledger=gathered.ledger, findings=gathered.findings)
    check_openings(cursor, books, stays, ledger=gathered.ledger, findings=gathered.findings)
    check_z_numbers(books, stays, findings=gathered.findings)
    check_z_reports(cursor, books, findings=gathered.findings)
    for shift in books.shifts.values():
        check_figures(books, shift, findings=gathered.findings)
        gathered.figures[shift.row.store_id, shift.row.currency].merge(shift.figures)
