"""The whole audit: from the bytes to the tables, in shares; then from the tables back, and what is above single terminals."""

from collections.abc import Iterable

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.anchors import SignedHead, load_keys, read_anchor
from backoffice.audit.balances import check_daily_balances
from backoffice.audit.detached import load_detached, take_late_entries
from backoffice.audit.exported import check_exports
from backoffice.audit.findings import AuditReport, Figures, Findings, StoreReport
from backoffice.audit.fleet import AuditedStore, load_stores
from backoffice.audit.gathered import Gathered
from backoffice.audit.imported import check_imports
from backoffice.audit.kept_figures import check_kept_figures
from backoffice.audit.leftovers import check_decisions, check_drawers_total, check_leftovers, check_totals
from backoffice.audit.periods import load_locked
from backoffice.audit.safes import check_safes
from backoffice.audit.seals import SealCheck
from backoffice.audit.shares import Context, Progress, divide, load_work, take_shares
from backoffice.audit.snapshot import no_search_for_cycles
from backoffice.audit.stamps import check_stamps
from backoffice.audit.trail import check_trail


def audit(*, progress: Progress, anchor: str | None = None, processes: int = 1) -> AuditReport:
    """Derives the books again and compares them with the tables. Run it within `one_snapshot`.

    `anchor` is a signed note from elsewhere, from which the seals must go on. Raises AnchorRefused before anything is read
    where it says nothing about these books. More `processes` than one are begun where there is enough to do; they see what
    others have committed.
    """
    with connection.cursor() as cursor, no_search_for_cycles():
        head = None if anchor is None else read_anchor(anchor, load_keys(cursor))
        locks = Findings()
        context = Context(load_stores(cursor), load_detached(cursor), load_locked(cursor, locks))
        work = load_work(cursor)
        gathered = take_shares(cursor, divide(work, processes), context, total=work.records, progress=progress)
        gathered.findings.merge(locks)
        _check_whole(cursor, context, gathered, anchor=head)
    return AuditReport(
        _store_reports(context.stores.values(), gathered),
        gathered.findings.kept,
        gathered.findings.count,
        gathered.waiting,
        context.detached.months,
        gathered.peak_bytes,
    )


def _check_whole(cursor: CursorWrapper, context: Context, gathered: Gathered, *, anchor: SignedHead | None) -> None:
    """What takes all terminals and stores to be checked before, or is none's own."""
    stores, findings, ledger = context.stores, gathered.findings, gathered.ledger
    if context.detached.months:
        for till_id, moved in take_late_entries(cursor, ledger).items():
            till, balance = gathered.drawers[till_id]
            gathered.drawers[till_id] = till, balance + moved
    check_safes(cursor, stores, context.detached, periods=context.periods, ledger=ledger, findings=findings)
    context.periods.check_entries(cursor, {each.id: each.code for each in stores.values()}, findings)
    check_leftovers(cursor, gathered.met, ledger, findings)
    check_decisions(cursor, findings)
    check_imports(cursor, findings)
    check_totals(cursor, ledger, stores, findings)
    check_drawers_total(cursor, gathered.drawers, findings)
    SealCheck(cursor, findings, stores=stores, detached=context.detached).check_whole(anchor=anchor)
    check_stamps(cursor, findings)
    check_daily_balances(stores, findings)
    check_exports(cursor, stores, findings)
    check_kept_figures(cursor, stores, findings)
    check_trail(cursor, findings)


def _store_reports(stores: Iterable[AuditedStore], gathered: Gathered) -> list[StoreReport]:
    reports = []
    for store in stores:
        currencies = sorted({currency for store_id, currency in gathered.figures if store_id == store.id})
        for currency in currencies or [store.currency]:
            figures = gathered.figures.get((store.id, currency), Figures())
            reports.append(StoreReport(store.code, store.name, currency, figures))
    return reports
