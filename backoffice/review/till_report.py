"""An X or a Z as a page that prints well, on A4 or on the 80 mm paper of a till (docs/store-days.md, "X and Z").

The page is whole in itself: its styles are in it, and it loads nothing. So whoever makes a PDF needs this HTML alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from backoffice.domain.moments import day_in_words, moment
from backoffice.ingestion.till_reports import TillReport
from backoffice.review.formats import MINUS, money, number_ranges, quantity
from backoffice.review.words import LINE_KINDS, METHODS, MOVEMENTS, TYPES, figure, named

# Size and margin of a page, the width and type of what is on it, and in how many columns. A roll has no end: it is cut into pages of the height of A4.
PAPERS: Mapping[str, Mapping[str, str]] = {
    "a4": {"name": "A4", "size": "210mm 297mm", "margin": "14mm 16mm", "width": "178mm", "type": "9pt", "columns": "2"},
    "80mm": {"name": "80 mm", "size": "80mm 297mm", "margin": "4mm", "width": "72mm", "type": "8pt", "columns": "1"},
}
REMARKABLE: Mapping[str, str] = {
    "discounts": "Discounts given",
    "returns": "Goods taken back",
    "voids": "Voided at the till",
    "voided_by_head_office": "Voided by head office",
    "training": "Training",
    "refunds_without_original": "Refunds without an original",
    "refunds_of_unknown_orders": "Of an order not in the books",
    "offline": "Made offline (*)",
    "late": "Came after the close",
}


class SheetRow(NamedTuple):
    """One line: a name, and what stands to the right of it. `is_sum` where it closes what is above."""

    name: str
    cells: Sequence[str]
    is_sum: bool = False


class SheetSection(NamedTuple):
    """A table with its title; `heads` are those of the columns to the right."""

    title: str
    heads: Sequence[str]
    rows: Sequence[SheetRow]


def report_html(report: TillReport, *, paper: str = "a4", links: Mapping[str, str] | None = None) -> str:
    """The page, for one of `PAPERS`. `links` (words → address) stand above it on a screen, and are not printed."""
    context = {
        "title": report_title(report),
        "paper": PAPERS[paper],
        "report": report,
        "is_x": report.kind == "x",
        "facts": _facts(report),
        "sections": [section for section in report_sections(report) if section.rows],
        "seal": (report.seal or "").split("\n"),
        "links": links or {},
    }
    return render_to_string("console/print/till_report.html", context)


def report_title(report: TillReport) -> str:
    """`Z 12`, `Z 12, revision 2`, or `X`."""
    if report.kind == "x":
        return "X"
    return f"Z {report.z_number}" + (f", revision {report.revision}" if report.revision != 1 else "")


def _facts(report: TillReport) -> list[tuple[str, str]]:
    shift, said, zone = report.shift, report.figures, report.store["timezone"]
    day = date.fromisoformat(shift["business_date"])
    cashiers = ", ".join(row["cashier"] for row in said["cashiers"] if row["cashier"])
    first, last = said["first_number"], said["last_number"]
    facts = [
        ("Store", f"{report.store['name']} ({report.store['code']})"),
        ("Terminal", report.terminal["name"]),
        ("Shift", str(shift["number"])),
        ("Business day", day_in_words(day)),
        ("Opened", _time(shift["opened_at"], zone)),
        ("Closed", _time(shift["closed_at"], zone)),
        ("Opened by", shift["cashier"]),
        ("Cashiers", cashiers),
        ("Orders", f"{said['orders']:,}" + (f", numbers {first} to {last}" if said["orders"] else "")),
        ("Prices", "include tax" if report.prices_include_tax else "without tax"),
        ("Figures of", moment(report.made_at, zone)),
    ]
    return [(name, value) for name, value in facts if value]


def _time(text: str | None, zone: str) -> str:
    return "" if text is None else moment(datetime.fromisoformat(text), zone)


def report_sections(report: TillReport) -> list[SheetSection]:
    """Everything that it says, in the order of the page."""
    said, currency = report.figures, report.currency
    by_kind = ["Lines", "Net", "Gross"]
    return [
        _takings(said, currency),
        _taxes(said, currency),
        SheetSection("By payment method", ["Orders", "Amount"], _groups(said["payments"], "method", METHODS, currency)),
        SheetSection("Revenue", by_kind, _kinds(said["revenue"], currency)),
        SheetSection("Not revenue: owed or passed on", by_kind, _kinds(said["not_revenue"], currency)),
        SheetSection("By type of order", ["Orders", "Amount"], _groups(said["order_types"], "type", TYPES, currency)),
        SheetSection("By cashier", ["Orders", "Amount"], _groups(said["cashiers"], "cashier", {}, currency)),
        SheetSection("To look at", ["Number", "Amount"], _counts(REMARKABLE, said, currency)),
        _drawer(said["cash"], currency),
        SheetSection("What is not in these figures", [""], _left_out(said)),
        _differences(said["differences"], currency),
        _perpetual(report),
    ]


def _counts(names: Mapping[str, str], said: Mapping[str, Any], currency: str) -> list[SheetRow]:
    return [
        SheetRow(title, [f"{said[name]['count']:,}", money(said[name]["amount"], currency)])
        for name, title in names.items()
    ]


def _takings(said: Mapping[str, Any], currency: str) -> SheetSection:
    rows = _counts({"sales": "Sales", "refunds": "Refunds"}, said, currency)
    rows.append(SheetRow("Net", ["", money(said["net"], currency)], is_sum=True))
    rows += _counts({"tips": "Tips", "rounding": "Rounding in it"}, said, currency)
    return SheetSection("Takings, with tax", ["Number", "Amount"], rows)


def _taxes(said: Mapping[str, Any], currency: str) -> SheetSection:
    rows = [
        SheetRow(_tax_name(tax), [money(tax[name], currency) for name in ("net", "tax", "gross")])
        for tax in said["taxes"]
    ]
    rows.append(SheetRow("Tax in all", ["", money(said["tax"], currency), ""], is_sum=True))
    return SheetSection("By tax code", ["Net", "Tax", "Gross"], rows)


def _tax_name(tax: Mapping[str, Any]) -> str:
    if not tax["code"]:
        return "Without a tax"
    rate = Decimal(tax["rate"])
    return (
        f"{tax['code']}, {quantity(rate)} each"
        if tax["kind"] == "fixed"
        else f"{tax['code']}, {quantity(rate * 100)} %"
    )


def _groups(rows: Iterable[Mapping[str, Any]], name: str, words: Mapping[str, str], currency: str) -> list[SheetRow]:
    """By a name that tills gave: as `words` have it, or as it is."""
    return [
        SheetRow(words.get(row[name]) or row[name] or "Not said", [f"{row['count']:,}", money(row["amount"], currency)])
        for row in rows
    ]


def _kinds(rows: Iterable[Mapping[str, Any]], currency: str) -> list[SheetRow]:
    return [
        SheetRow(
            named(LINE_KINDS, row["kind"]),
            [f"{row['lines']:,}", money(row["net"], currency), money(row["gross"], currency)],
        )
        for row in rows
    ]


def _drawer(cash: Mapping[str, Any], currency: str) -> SheetSection:
    rows = [
        SheetRow("Opening float", [money(cash["opening_float"], currency)]),
        SheetRow("Cash payments", [money(cash["payments"], currency)]),
    ]
    for row in cash["movements"]:
        reason = f", {row['reason']}" if row["reason"] else ""
        amount = row["amount"] if row["kind"] == "cash_in" else -row["amount"]
        rows.append(SheetRow(f"{named(MOVEMENTS, row['kind'])}{reason} ({row['count']:,})", [money(amount, currency)]))
    rows.append(SheetRow("Expected", [money(cash["expected"], currency)], is_sum=True))
    if cash["counted"] is None:
        rows.append(SheetRow("Counted", ["not yet"]))
    else:
        rows.append(SheetRow("Counted", [money(cash["counted"], currency)]))
        rows.append(SheetRow("Over or short", [signed(cash["over_short"], currency)], is_sum=True))
    return SheetSection("The drawer", [""], rows)


def signed(amount: int, currency: str) -> str:
    """An amount with its sign, a plus too."""
    return ("+" if amount > 0 else "") + money(amount, currency)


def _left_out(said: Mapping[str, Any]) -> list[SheetRow]:
    """What is missing, explained or held: each said, also where there is none."""
    missing, explained = (
        number_ranges([(first, last) for first, last in said[name]])
        for name in ("missing_numbers", "explained_numbers")
    )
    return [
        SheetRow("Numbers missing", [missing or "none"]),
        SheetRow("Uploads missing", [f"{said['missing_batches']:,}" if said["missing_batches"] else "none"]),
        SheetRow("Numbers that never were a sale", [explained or "none"]),
        SheetRow("Held for a decision", [f"{said['held']:,}" if said["held"] else "none"]),
    ]


def _differences(rows: Iterable[Mapping[str, Any]], currency: str) -> SheetSection:
    def said(row: Mapping[str, Any], name: str) -> str:
        amount = row[name]
        if amount is None:
            return "–"
        return f"{amount:,}".replace("-", MINUS) if row["what"] == "order_count" else money(amount, currency)

    return SheetSection(
        "Declared otherwise at the till",
        ["Declared", "Here"],
        [SheetRow(figure(row["what"]), [said(row, "declared"), said(row, "computed")]) for row in rows],
    )


def _perpetual(report: TillReport) -> SheetSection:
    names = {"sales": "Sales", "returns": "Refunds", "net": "Net"}
    rows = [
        SheetRow(title, [money(report.perpetual[name], report.currency)], is_sum=name == "net")
        for name, title in names.items()
    ]
    return SheetSection("Since this terminal began, never reset", [""], rows)
