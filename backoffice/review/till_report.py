"""An X or a Z as a page that prints well, on A4 or on the 80 mm paper of a till (docs/store-days.md, "X and Z").

The page is whole in itself: its styles are in it, and it loads nothing. So whoever makes a PDF needs this HTML alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.ingestion.till_reports import TillReport
from backoffice.languages.formats import money, number_ranges, percent, quantity, whole
from backoffice.languages.moments import written_day, written_moment
from backoffice.languages.texts import Words
from backoffice.review.words import LINE_KINDS, METHODS, MOVEMENTS, TYPES, figure, named

# Size and margin of a page, the width and type of what is on it, and in how many columns. A roll has no end: it is cut into pages of the height of A4.
PAPERS: Mapping[str, Mapping[str, str]] = {
    "a4": {"name": "A4", "size": "210mm 297mm", "margin": "14mm 16mm", "width": "178mm", "type": "9pt", "columns": "2"},
    "80mm": {"name": "80 mm", "size": "80mm 297mm", "margin": "4mm", "width": "72mm", "type": "8pt", "columns": "1"},
}
REMARKABLE: Mapping[str, Words] = {
    "discounts": _("Discounts given"),
    "returns": _("Goods taken back"),
    "voids": _("Voided at the till"),
    "voided_by_head_office": _("Voided by head office"),
    "training": _("Training"),
    "refunds_without_original": _("Refunds without an original"),
    "refunds_of_unknown_orders": _("Of an order not in the books"),
    "offline": _("Made offline (*)"),
    "late": _("Came after the close"),
}


class SheetRow(NamedTuple):
    """One line: a name, and what stands to the right of it. `is_sum` where it closes what is above."""

    name: Words
    cells: Sequence[str]
    is_sum: bool = False


class SheetSection(NamedTuple):
    """A table with its title; `heads` are those of the columns to the right."""

    title: Words
    heads: Sequence[Words]
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
    if report.revision == 1:
        return f"Z {report.z_number}"
    return gettext("Z {number}, revision {revision}").format(number=report.z_number, revision=report.revision)


def _facts(report: TillReport) -> list[tuple[Words, str]]:
    shift, said, zone = report.shift, report.figures, report.store["timezone"]
    day = date.fromisoformat(shift["business_date"])
    cashiers = ", ".join(row["cashier"] for row in said["cashiers"] if row["cashier"])
    first, last = said["first_number"], said["last_number"]
    numbers = gettext(", numbers {first} to {last}").format(first=first, last=last) if said["orders"] else ""
    facts: list[tuple[Words, str]] = [
        (_("Store"), f"{report.store['name']} ({report.store['code']})"),
        (_("Terminal"), report.terminal["name"]),
        (_("Shift"), str(shift["number"])),
        (_("Business day"), written_day(day)),
        (_("Opened"), _time(shift["opened_at"], zone)),
        (_("Closed"), _time(shift["closed_at"], zone)),
        (_("Opened by"), shift["cashier"]),
        (_("Cashiers"), cashiers),
        (_("Orders"), whole(said["orders"]) + numbers),
        (_("Prices"), gettext("include tax") if report.prices_include_tax else gettext("without tax")),
        (_("Figures of"), written_moment(report.made_at, zone)),
    ]
    return [(name, value) for name, value in facts if value]


def _time(text: str | None, zone: str) -> str:
    return "" if text is None else written_moment(datetime.fromisoformat(text), zone)


def report_sections(report: TillReport) -> list[SheetSection]:
    """Everything that it says, in the order of the page."""
    said, currency = report.figures, report.currency
    by_kind = [_("Lines"), _("Net"), _("Gross")]
    by_name = [_("Orders"), _("Amount")]
    return [
        _takings(said, currency),
        _taxes(said, currency),
        SheetSection(_("By payment method"), by_name, _groups(said["payments"], "method", METHODS, currency)),
        SheetSection(_("Revenue"), by_kind, _kinds(said["revenue"], currency)),
        SheetSection(_("Not revenue: owed or passed on"), by_kind, _kinds(said["not_revenue"], currency)),
        SheetSection(_("By type of order"), by_name, _groups(said["order_types"], "type", TYPES, currency)),
        SheetSection(_("By cashier"), by_name, _groups(said["cashiers"], "cashier", {}, currency)),
        SheetSection(_("To look at"), [_("Number"), _("Amount")], _counts(REMARKABLE, said, currency)),
        _drawer(said["cash"], currency),
        SheetSection(_("What is not in these figures"), [""], _left_out(said)),
        _differences(said["differences"], currency),
        _perpetual(report),
    ]


def _counts(names: Mapping[str, Words], said: Mapping[str, Any], currency: str) -> list[SheetRow]:
    return [
        SheetRow(title, [whole(said[name]["count"]), money(said[name]["amount"], currency)])
        for name, title in names.items()
    ]


def _takings(said: Mapping[str, Any], currency: str) -> SheetSection:
    rows = _counts({"sales": _("Sales"), "refunds": _("Refunds")}, said, currency)
    rows.append(SheetRow(_("Sales less refunds"), ["", money(said["net"], currency)], is_sum=True))
    rows += _counts({"tips": _("Tips"), "rounding": _("Rounding in it")}, said, currency)
    return SheetSection(_("Takings, with tax"), [_("Number"), _("Amount")], rows)


def _taxes(said: Mapping[str, Any], currency: str) -> SheetSection:
    rows = [
        SheetRow(_tax_name(tax), [money(tax[name], currency) for name in ("net", "tax", "gross")])
        for tax in said["taxes"]
    ]
    rows.append(SheetRow(_("Tax in all"), ["", money(said["tax"], currency), ""], is_sum=True))
    return SheetSection(_("By tax code"), [_("Net"), _("Tax"), _("Gross")], rows)


def _tax_name(tax: Mapping[str, Any]) -> str:
    if not tax["code"]:
        return gettext("Without a tax")
    rate = Decimal(tax["rate"])
    if tax["kind"] == "fixed":
        return gettext("{code}, {amount} each").format(code=tax["code"], amount=quantity(rate))
    return f"{tax['code']}, {percent(rate, places=4)}"


def _groups(rows: Iterable[Mapping[str, Any]], name: str, words: Mapping[str, Words], currency: str) -> list[SheetRow]:
    """By a name that tills gave: as `words` have it, or as it is."""
    return [
        SheetRow(
            words.get(row[name]) or row[name] or _("Not said"), [whole(row["count"]), money(row["amount"], currency)]
        )
        for row in rows
    ]


def _kinds(rows: Iterable[Mapping[str, Any]], currency: str) -> list[SheetRow]:
    return [
        SheetRow(
            named(LINE_KINDS, row["kind"]),
            [whole(row["lines"]), money(row["net"], currency), money(row["gross"], currency)],
        )
        for row in rows
    ]


def _drawer(cash: Mapping[str, Any], currency: str) -> SheetSection:
    rows = [
        SheetRow(_("Opening float"), [money(cash["opening_float"], currency)]),
        SheetRow(_("Cash payments"), [money(cash["payments"], currency)]),
    ]
    for row in cash["movements"]:
        reason = f", {row['reason']}" if row["reason"] else ""
        amount = row["amount"] if row["kind"] == "cash_in" else -row["amount"]
        rows.append(
            SheetRow(f"{named(MOVEMENTS, row['kind'])}{reason} ({whole(row['count'])})", [money(amount, currency)])
        )
    rows.append(SheetRow(_("Expected"), [money(cash["expected"], currency)], is_sum=True))
    if cash["counted"] is None:
        rows.append(SheetRow(_("Counted"), [gettext("not yet")]))
    else:
        rows.append(SheetRow(_("Counted"), [money(cash["counted"], currency)]))
        rows.append(SheetRow(_("Over or short"), [signed(cash["over_short"], currency)], is_sum=True))
    return SheetSection(_("The drawer"), [""], rows)


def signed(amount: int, currency: str) -> str:
    """An amount with its sign, a plus too."""
    return ("+" if amount > 0 else "") + money(amount, currency)


def _left_out(said: Mapping[str, Any]) -> list[SheetRow]:
    """What is missing, explained or held: each said, also where there is none."""
    none = gettext("none")
    missing, explained = (
        number_ranges([(first, last) for first, last in said[name]])
        for name in ("missing_numbers", "explained_numbers")
    )
    return [
        SheetRow(_("Numbers missing"), [missing or none]),
        SheetRow(_("Uploads missing"), [whole(said["missing_batches"]) if said["missing_batches"] else none]),
        SheetRow(_("Numbers that never were a sale"), [explained or none]),
        SheetRow(_("Held for a decision"), [whole(said["held"]) if said["held"] else none]),
    ]


def _differences(rows: Iterable[Mapping[str, Any]], currency: str) -> SheetSection:
    def said(row: Mapping[str, Any], name: str) -> str:
        amount = row[name]
        if amount is None:
            return "–"
        return whole(amount) if row["what"] == "order_count" else money(amount, currency)

    return SheetSection(
        _("Declared otherwise at the till"),
        [_("Declared"), _("Here")],
        [SheetRow(figure(row["what"]), [said(row, "declared"), said(row, "computed")]) for row in rows],
    )


def _perpetual(report: TillReport) -> SheetSection:
    names = {"sales": _("Sales"), "returns": _("Refunds"), "net": _("Sales less refunds")}
    rows = [
        SheetRow(title, [money(report.perpetual[name], report.currency)], is_sum=name == "net")
        for name, title in names.items()
    ]
    return SheetSection(_("Since this terminal began, never reset"), [""], rows)
