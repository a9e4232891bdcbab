"""X and Z as they are read: the kept Z of a shift that settled, or an X with the figures of this moment."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from backoffice.ingestion.figures import shift_figures
from backoffice.ingestion.reconcile import counted_cash, differences_of
from backoffice.ingestion.z_figures import Standing, z_figures
from backoffice.ingestion.z_reports import newest_z, totals_with, z_before, z_head
from backoffice.sales.models import Shift
from backoffice.sales.z_reports import ZReport


class TillReport(msgspec.Struct, frozen=True):
    """An X or a Z, as the command prints it. Amounts are in minor units of `currency`.

    `kind` is `x` or `z`; an X has neither number nor revision. `perpetual` are the terminal's totals with this report in
    them: sales, returns (0 or below) and net. `revisions` counts those that are kept of the shift's Z.
    """

    kind: str
    shift_id: UUID
    z_number: int | None
    revision: int | None
    revisions: int
    made_at: datetime
    currency: str
    store: dict[str, Any]
    terminal: dict[str, Any]
    shift: dict[str, Any]
    prices_include_tax: bool
    figures: dict[str, Any]
    perpetual: dict[str, int]
    seal: str | None


def z_report(shift: Shift, *, revision: int | None = None) -> TillReport | None:
    """The kept Z of a shift: its newest revision, or that of this number. None where there is none."""
    kept = ZReport.objects.filter(shift=shift).order_by("-revision")
    report = kept.first() if revision is None else kept.filter(revision=revision).first()
    if report is None:
        return None
    return TillReport(
        kind="z",
        shift_id=shift.shift_id,
        z_number=report.z_number,
        revision=report.revision,
        revisions=shift.z_revision or report.revision,
        made_at=report.made_at,
        currency=report.currency,
        figures=report.figures,
        perpetual=_perpetual(report.total_sales, report.total_refunds),
        seal=report.seal,
        **report.head,
    )


def x_report(shift: Shift, *, now: datetime) -> TillReport:
    """The figures of a shift at this moment; nothing is kept of it, and it has no number."""
    newest = newest_z(shift)
    with connection.cursor() as cursor:
        figures = shift_figures(cursor, shift)
        standing = Standing(counted_cash(shift), differences_of(shift, figures))
        said = z_figures(cursor, shift, figures, standing)
        totals = totals_with(z_before(cursor, shift, is_kept=False), said, newest)
    return TillReport(
        kind="x",
        shift_id=shift.shift_id,
        z_number=None,
        revision=None,
        revisions=0 if newest is None else newest.revision,
        made_at=now,
        currency=shift.currency,
        figures=said,
        perpetual=_perpetual(totals.total_sales, totals.total_refunds),
        seal=totals.seal,
        **z_head(shift),
    )


def report_of_shift(shift: Shift, *, now: datetime) -> TillReport:
    """The newest revision of its Z; an X while it has none."""
    return z_report(shift) or x_report(shift, now=now)


def _perpetual(sales: int, refunds: int) -> dict[str, int]:
    return {"sales": sales, "returns": refunds, "net": sales + refunds}
