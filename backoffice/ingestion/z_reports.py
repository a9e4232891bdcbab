"""Keeps a shift's Z when it settles, and a further revision whenever it settles with other figures (docs/store-days.md, "X and Z").

In the transaction of the reconciliation and under the terminal's lock: so numbers have no gap, and no Z is missing.
"""

from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db.backends.utils import CursorWrapper

from backoffice.ingestion.figures import ShiftFigures
from backoffice.ingestion.z_figures import Standing, z_figures
from backoffice.postgres.rows import rows_as
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift
from backoffice.sales.z_reports import ZReport

log = structlog.get_logger(__name__)

# Seals are made in the books, which know the sales and not the other way round: so the newest is read here by its name.
SELECT_BEFORE = """
SELECT
    (SELECT coalesce(max(place), 0) FROM sales_zreport WHERE terminal_id = %(terminal_id)s) AS place,
    coalesce(total.total_sales, 0) AS total_sales, coalesce(total.total_refunds, 0) AS total_refunds,
    (SELECT note FROM evidence_checkpoint ORDER BY size DESC, id DESC LIMIT 1) AS seal,
    CASE WHEN %(is_kept)s::boolean THEN nextval('ledger_entry_id_seq') ELSE 0 END AS before_id
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT total_sales, total_refunds FROM sales_zreport
    WHERE terminal_id = %(terminal_id)s AND currency = %(currency)s ORDER BY place DESC LIMIT 1
) AS total ON true
"""


class ZBefore(NamedTuple):
    """A terminal's perpetual totals in one currency, in minor units, and how many revisions of Zs led to them.

    `seal` is the newest signed head of the books, None before there is one. `before_id` is a number above those of all that
    is posted of the terminal, 0 where no Z is kept now.
    """

    place: int
    total_sales: int
    total_refunds: int
    seal: str | None
    before_id: int


@transaction_required
def keep_z_report(
    cursor: CursorWrapper, shift: Shift, figures: ShiftFigures, standing: Standing, *, now: datetime
) -> None:
    """Adds revision 1 of the shift's Z, or the next one where its figures differ from the newest. Saves `z_revision`.

    The shift is saved and settled, and its terminal locked. One that settled before there were Z numbers has none.
    """
    if shift.z_number is None:
        return
    said = z_figures(cursor, shift, figures, standing)
    newest = newest_z(shift)
    if newest is not None and newest.figures == said:
        return
    totals = totals_with(z_before(cursor, shift, is_kept=True), said, newest)
    report = ZReport.objects.create(
        terminal_id=shift.terminal_id,
        shift=shift,
        z_number=shift.z_number,
        revision=1 if newest is None else newest.revision + 1,
        place=totals.place,
        currency=shift.currency,
        sales=said["sales"]["amount"],
        refunds=said["refunds"]["amount"],
        total_sales=totals.total_sales,
        total_refunds=totals.total_refunds,
        head=z_head(shift),
        figures=said,
        seal=totals.seal,
        before_id=totals.before_id,
        made_at=now,
    )
    shift.z_revision = report.revision
    shift.save(update_fields=["z_revision"])
    log.info("z report kept", shift_id=str(shift.shift_id), z_number=report.z_number, revision=report.revision)


def newest_z(shift: Shift) -> ZReport | None:
    """The newest revision of the shift's Z; None while it has none."""
    return None if shift.z_revision is None else ZReport.objects.get(shift=shift, revision=shift.z_revision)


def z_before(cursor: CursorWrapper, shift: Shift, *, is_kept: bool) -> ZBefore:
    """What the newest Z of the shift's terminal left, for one that is kept now, or for an X."""
    asked: dict[str, Any] = {"terminal_id": shift.terminal_id, "currency": shift.currency, "is_kept": is_kept}
    cursor.execute(SELECT_BEFORE, asked)
    (before,) = rows_as(ZBefore, cursor)
    return before


def totals_with(before: ZBefore, said: dict[str, Any], newest: ZReport | None) -> ZBefore:
    """As it is after a further revision with these figures: by as much as they differ from the `newest` of the same Z."""
    sales, refunds = (0, 0) if newest is None else (newest.sales, newest.refunds)
    return before._replace(
        place=before.place + 1,
        total_sales=before.total_sales + said["sales"]["amount"] - sales,
        total_refunds=before.total_refunds + said["refunds"]["amount"] - refunds,
    )


def z_head(shift: Shift) -> dict[str, Any]:
    """Which shift of which terminal and store it is, as they are called now."""
    times = {"opened_at": shift.opened_at, "closed_at": shift.closed_at or shift.recorded_end}
    return {
        "store": {"code": shift.store.code, "name": shift.store.name, "timezone": shift.store.timezone},
        "terminal": {"id": str(shift.terminal.uuid), "name": shift.terminal.name},
        "shift": {
            "number": shift.number,
            "business_date": shift.business_date.isoformat(),
            "cashier": shift.cashier,
            **{name: None if time is None else time.isoformat() for name, time in times.items()},
        },
        "prices_include_tax": shift.prices_include_tax,
    }
