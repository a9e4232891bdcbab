"""Kept Z reports: none is missing, each says what was posted then, and the perpetual totals of a terminal go on."""

import json
from collections import defaultdict
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.drawers import ShiftBooks, TillBooks
from backoffice.audit.findings import Findings

SELECT_REPORTS = """
SELECT shift_id::text, z_number, revision, place, currency, sales, refunds, total_sales, total_refunds, figures
FROM sales_zreport WHERE terminal_id = %s ORDER BY place
"""
SELECT_NUMBERED = """
SELECT shift_id::text, number, z_number, z_revision FROM sales_shift WHERE terminal_id = %s AND z_number IS NOT NULL ORDER BY z_number
"""
# What was voided later was paid then. A shift whose month was detached has no orders here, and is not asked for.
SUM_AS_OF_THEN = """
SELECT z.shift_id::text, z.revision,
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'sale'), 0)::bigint, coalesce(sum(o.total) FILTER (WHERE o.kind = 'refund'), 0)::bigint
FROM sales_zreport z JOIN sales_shift s ON s.shift_id = z.shift_id
LEFT JOIN sales_order o ON o.shift_id = s.shift_id AND o.business_date = s.business_date AND o.id < z.before_id AND (
    o.status = 'paid' OR o.voided_by IS NOT NULL AND EXISTS (
        SELECT FROM ledger_entrysource v
        WHERE v.source_kind = 'void' AND v.source_id = o.order_id AND v.entry_id > z.before_id
    )
)
WHERE z.terminal_id = %s GROUP BY z.shift_id, z.revision
"""


# Held members count until a person has decided, and those of a batch that failed until it is tried again.
COUNT_HELD = """
SELECT shift_id::text, coalesce(sum(held), 0)::bigint, coalesce(sum(failed), 0)::bigint FROM (
    SELECT shift_id, 1 AS held, 0 AS failed FROM sales_helditem WHERE terminal_id = %(till)s AND decision_id IS NULL
    UNION ALL
    SELECT shift_id, 0, order_count + movement_count FROM inbox_batch WHERE terminal_id = %(till)s AND state = 'failed'
) AS member GROUP BY shift_id
"""


class KeptZ(NamedTuple):
    """One revision of a Z as it is in the table, with money in minor units; `figures` as in docs/store-days.md."""

    shift_id: str
    z_number: int
    revision: int
    place: int
    currency: str
    sales: int
    refunds: int
    total_sales: int
    total_refunds: int
    figures: Any

    @property
    def where(self) -> str:
        """In words, but for its terminal."""
        return f"Z {self.z_number}, revision {self.revision}"


class ZCheck:
    """The Zs of one terminal. `held` is what of each shift nobody has decided, and what of it failed."""

    def __init__(self, books: TillBooks, findings: Findings) -> None:
        self._books = books
        self._findings = findings
        self._newest: dict[str, KeptZ] = {}
        self._totals: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self.held: dict[str, tuple[int, int]] = {}

    def unless_equal(self, where: str, what: str, expected: object, found: object) -> None:
        """A finding where two differ."""
        if expected != found:
            till = self._books.till
            self._findings.add(till.store_code, f"{where} of {till.name}", what, expected=expected, found=found)

    def follow(self, report: KeptZ, *, place: int) -> None:
        """One report after those before it: places, revisions, and what the perpetual totals come to."""
        same = self._newest.get(report.shift_id)
        self.unless_equal(report.where, "place among the Zs", place, report.place)
        self.unless_equal(report.where, "revision", 1 if same is None else same.revision + 1, report.revision)
        sales, refunds = self._totals[report.currency]
        before = (0, 0) if same is None else (same.sales, same.refunds)
        now = (sales + report.sales - before[0], refunds + report.refunds - before[1])
        self.unless_equal(report.where, "perpetual totals", now, (report.total_sales, report.total_refunds))
        # One that is wrong is named once, and not all that follow.
        self._totals[report.currency] = (report.total_sales, report.total_refunds)
        self._newest[report.shift_id] = report

    def agree_within(self, report: KeptZ) -> None:
        """The parts of a report come to its sums, each of which is said more than once."""
        for what, expected, found in _sums_within(report):
            self.unless_equal(report.where, what, expected, found)

    def against_shifts(self, numbered: list[tuple[str, int, int, int | None]]) -> None:
        """Every shift that settled since Zs are kept has its newest revision, under its number; and no other shift has."""
        for shift_id in self._newest.keys() - {row[0] for row in numbered}:
            self.unless_equal(self._newest[shift_id].where, "shift with this number", "a shift", None)
        first = min((report.z_number for report in self._newest.values()), default=None)
        for shift_id, number, z_number, revision in numbered:
            report = self._newest.get(shift_id)
            where = f"shift {number}"
            if report is None:
                if revision is not None or (first is not None and z_number > first):
                    self.unless_equal(where, "kept Z", f"Z {z_number}", None)
                continue
            self.unless_equal(where, "newest revision of its Z", report.revision, revision)
            self.unless_equal(where, "number of its Z", z_number, report.z_number)
            shift = self._books.shifts.get(shift_id)
            if shift is not None and shift.row.is_settled:
                self.against_bytes(report, shift)

    def against_bytes(self, report: KeptZ, shift: ShiftBooks) -> None:
        """The newest revision of a settled shift says what the bytes say."""
        said, figures, row = report.figures, shift.figures, shift.row
        expected_cash = row.opening_float + sum(shift.cash.between)
        derived = {
            "orders": figures.orders + figures.unpaid,
            "sales": figures.sales,
            "refunds": figures.refunds,
            "tax": figures.tax,
            "tips": figures.tips,
            "rounding": figures.rounding,
            "cash": (row.opening_float, expected_cash, row.counted),
            "payments": {method: amount for method, amount in sorted(figures.payments.items()) if amount},
            "missing_numbers": [],
            "missing_batches": 0,
        }
        for what, expected in derived.items():
            self.unless_equal(report.where, f"{what} of its newest revision", expected, _as_said(said, what))
        for what, counted in shift.remarkable.as_said().items():
            self.unless_equal(report.where, f"{what} of its newest revision", counted, said[what])
        held, failed = self.held.get(report.shift_id, (0, 0))
        if said["held"] != held + failed:  # nothing is kept anew when a batch fails
            self.unless_equal(report.where, "held of its newest revision", held, said["held"])


def check_z_reports(cursor: CursorWrapper, books: TillBooks, *, findings: Findings) -> None:
    """Checks every Z of a terminal, once the bytes of its shifts are accounted for."""
    check = ZCheck(books, findings)
    till = [books.till.id]
    cursor.execute(SELECT_REPORTS, till)
    reports = [KeptZ._make((*row[:-1], json.loads(row[-1]))) for row in cursor.fetchall()]
    cursor.execute(SUM_AS_OF_THEN, till)
    then = {(shift_id, revision): (sales, refunds) for shift_id, revision, sales, refunds in cursor.fetchall()}
    cursor.execute(COUNT_HELD, {"till": books.till.id})
    check.held = {shift_id: (held, failed) for shift_id, held, failed in cursor.fetchall()}
    for place, report in enumerate(reports, start=1):
        check.follow(report, place=place)
        check.agree_within(report)
        if report.shift_id in books.shifts:
            posted = then.get((report.shift_id, report.revision))
            check.unless_equal(
                report.where, "sales and refunds posted until then", posted, (report.sales, report.refunds)
            )
    cursor.execute(SELECT_NUMBERED, till)
    check.against_shifts(cursor.fetchall())


def _sums_within(report: KeptZ) -> list[tuple[str, Any, Any]]:
    """What a sum is called, what its parts come to, and what it says."""
    said = report.figures
    net = report.sales + report.refunds
    kinds = [*said["revenue"], *said["not_revenue"]]
    return [
        ("sales", report.sales, said["sales"]["amount"]),
        ("refunds", report.refunds, said["refunds"]["amount"]),
        ("net", net, said["net"]),
        ("sum of types of order", net, sum(row["amount"] for row in said["order_types"])),
        ("sum of cashiers", net, sum(row["amount"] for row in said["cashiers"])),
        ("sum of tips by cashier", said["tips"]["amount"], sum(row["tips"] for row in said["cashiers"])),
        (
            "sum of kinds of line and rounding",
            net,
            sum(row["gross"] for row in kinds) + said["rounding"]["amount"],
        ),
        ("tax by kind of line", said["tax"], sum(row["tax"] for row in kinds)),
        ("tax by code", said["tax"], sum(row["tax"] for row in said["taxes"])),
        ("gross by code", [row["net"] + row["tax"] for row in said["taxes"]], [row["gross"] for row in said["taxes"]]),
        ("gross by kind", [row["net"] + row["tax"] for row in kinds], [row["gross"] for row in kinds]),
        ("sum of payments", net + said["tips"]["amount"], sum(row["amount"] for row in said["payments"])),
        ("expected cash", _expected(said["cash"]), said["cash"]["expected"]),
        ("over or short", _over_short(said["cash"]), said["cash"]["over_short"]),
    ]


def _expected(cash: Any) -> int:
    moved = sum(row["amount"] if row["kind"] == "cash_in" else -row["amount"] for row in cash["movements"])
    expected: int = cash["opening_float"] + cash["payments"] + moved
    return expected


def _over_short(cash: Any) -> int | None:
    return None if cash["counted"] is None else cash["counted"] - cash["expected"]


def _as_said(said: Any, what: str) -> Any:
    """A figure as a report has it, in the form in which the bytes have it."""
    if what == "payments":
        return {row["method"]: row["amount"] for row in said["payments"] if row["amount"]}
    if what == "cash":
        return tuple(said["cash"][name] for name in ("opening_float", "expected", "counted"))
    return said[what]["amount"] if isinstance(said[what], dict) else said[what]
