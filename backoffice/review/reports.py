"""Reports in the console: the figures of `books.reports`, written for people, on the screen and on A4."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext

from backoffice.books.reports.catalogue import REPORTS, ReportKind, make_report
from backoffice.books.reports.pdf import PdfNotMade, pdf
from backoffice.books.reports.shape import Column, LeadsTo, ReportRefused, ReportRow, Scope, Sheet, make_scope
from backoffice.fleet.models import Store
from backoffice.languages.formats import money, percent, signed_money, whole, whole_money
from backoffice.languages.moments import written_day, written_moment
from backoffice.languages.texts import Words
from backoffice.review.admin.filters import ReportFilters
from backoffice.review.middleware import on_paper
from backoffice.review.pages import console_page
from backoffice.review.reach import my_reach, my_stores, own_choices
from backoffice.review.rights import may_see
from backoffice.review.shading import shades_of
from backoffice.review.words import LINE_KINDS, METHODS, named

# More rows than that nobody reads on a screen: whoever wants more chooses a store, or takes paper.
ROWS_ON_SCREEN, ROWS_ON_PAPER = 100, 500
PAGES: Mapping[str, tuple[str, str]] = {
    "orders": ("admin:report_orders", "order"),
    "journal": ("admin:ledger_journalentry_changelist", "journalentry"),
    "account": ("admin:ledger_account_days", "journalentry"),
    "cashier": ("admin:report_cashier", "shift"),
    "sales": ("admin:report_sales", "order"),
    "weekdays": ("admin:report_weekdays", "order"),
    "over-short": ("admin:report_over_short", "shift"),
    "over-short-weekdays": ("admin:report_over_short_weekdays", "shift"),
}


class ShownCell(NamedTuple):
    """A cell as people read it, with the address of what it is the sum of, or none.

    `shade` names its colour in a sheet that is shaded: the figure says the same.
    """

    text: Words
    kind: str
    url: str = ""
    shade: str = ""

    @property
    def is_figure(self) -> bool:
        """Whether it stands to the right."""
        return self.kind in {"money", "rounded", "signed", "balance", "count", "share", "rate", "number"}

    def html(self, *, is_heading: bool = False) -> SafeString:
        """Its cell of a table; its text is a link where the reader may follow it."""
        text = format_html('<a class="c-link" href="{}">{}</a>', self.url, self.text) if self.url else self.text
        if is_heading:
            return format_html('<th scope="row" dir="auto">{}</th>', text)
        if self.is_figure:
            return format_html('<td class="c-right{}">{}</td>', f" c-{self.shade}" if self.shade else "", text)
        return format_html('<td dir="auto">{}</td>', text)


class ShownSheet(NamedTuple):
    """A sheet as people read it: its first rows, how many more there are, and the sums of all."""

    title: Words
    currency: str
    columns: Sequence[ShownCell]
    rows: Sequence[Sequence[ShownCell]]
    sums: Sequence[ShownCell]
    more: int
    note: Words
    is_shaded: bool = False

    @property
    def table_rows(self) -> Iterator[SafeString]:
        """What is within each row of its table. A template would take twice as long, and a sheet has thousands of cells."""
        for row in self.rows:
            cells = (cell.html(is_heading=self.is_shaded and not place) for place, cell in enumerate(row))
            yield format_html_join("", "{}", ((cell,) for cell in cells))


def shown_sheet(sheet: Sheet, *, may: Mapping[str, bool], most: int = ROWS_ON_PAPER) -> ShownSheet:
    """A sheet in words, at most so many rows of it; links lead where the reader may go."""
    sums = [] if sheet.sums is None else [ShownCell(_sum(sheet, column), column.kind) for column in sheet.columns]
    rows = zip(sheet.rows[:most], shades_of(sheet), strict=False)
    return ShownSheet(
        sheet.title,
        sheet.currency,
        [ShownCell(column.title, column.kind) for column in sheet.columns],
        [[_cell(sheet, column, row, may, shades) for column in sheet.columns] for row, shades in rows],
        sums,
        max(0, len(sheet.rows) - most),
        sheet.note,
        bool(sheet.shading),
    )


def _sum(sheet: Sheet, column: Column) -> str:
    value = (sheet.sums or {}).get(column.key)
    return "" if value is None else written(value, column.kind, sheet.currency)


def _cell(
    sheet: Sheet, column: Column, row: ReportRow, may: Mapping[str, bool], shades: Mapping[str, str]
) -> ShownCell:
    value, lead = row.cells[column.key], row.leads.get(column.key)
    text = written(value, column.kind, sheet.currency)
    if column.kind == "rate" and value is not None:
        text = written_rate(value, row.cells.get("tax") or 0)
    url = address_of(lead, may) if lead and value is not None and (value or column.is_shaded) else ""
    return ShownCell(text, column.kind, url, shades.get(column.key, ""))


def address_of(lead: LeadsTo, may: Mapping[str, bool]) -> str:
    """Where a figure leads; "" where the reader may not go."""
    if lead.page == "shift":
        return reverse("admin:sales_shift_change", args=[lead.query["shift_id"]]) if may["shift"] else ""
    name, kind = PAGES[lead.page]
    return f"{reverse(name)}?{urlencode(lead.query)}" if may[kind] else ""


def written(value: Any, kind: str, currency: str) -> str:
    """A value of a report as people write it; – where there is none."""
    if value is None or (kind == "text" and not value):
        return "–"
    if kind in MONEY:
        return MONEY[kind](value, currency)
    return WRITTEN[kind](value) if kind in WRITTEN else str(value)


def written_rate(rate: str, tax: int) -> str:
    """A rate of a tax that came to `tax`: a fixed levy has none, and is so much for each piece."""
    return gettext("per piece") if tax and not Decimal(rate) else _percent(rate)


def _percent(rate: str) -> str:
    """A rate, which is a fraction of one: `0.055` is `5.5 %`."""
    return percent(Decimal(rate), places=4)


MONEY: Mapping[str, Callable[[int, str], str]] = {
    "money": money,
    "balance": money,
    "rounded": whole_money,
    "signed": signed_money,
}
WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "day": written_day,
    "count": whole,
    "share": lambda value: percent(Decimal(value).scaleb(-4), places=1, fixed=True),
    "rate": _percent,
    "code": lambda value: str(value) or gettext("without tax"),
    "method": lambda value: named(METHODS, value),
    "line_kind": lambda value: named(LINE_KINDS, value),
}


def today_at(store: Store | None, now: datetime, *, among: QuerySet[Store] | None = None) -> date:
    """The day that it is at the store, or at the first of all (or of those `among`) to have a new one."""
    others = Store.objects.all() if among is None else among
    zones = [store.timezone] if store else others.order_by().values_list("timezone", flat=True).distinct()
    return max((now.astimezone(ZoneInfo(zone)).date() for zone in zones), default=now.date())


def report_page(request: HttpRequest, name: str) -> HttpResponse:
    """A report on the screen; with `?as=print` for A4; a POST, since it costs more, gives a PDF. Raises Http404, PermissionDenied."""
    kind = REPORTS.get(name)
    if kind is None:
        raise Http404
    may = may_see(request)
    if not may[kind.of]:
        raise PermissionDenied
    form = own_choices(request, ReportFilters(request.GET))
    chosen = form.chosen
    store, refused = chosen.get("store"), ""
    today = today_at(store, timezone.now(), among=my_stores(request))
    try:
        first, last = chosen.get("first"), chosen.get("last")
        scope = make_scope(store=store, first=first, last=last, today=today, weeks=kind.weeks)
    except ReportRefused as error:
        refused = str(error)
        scope = make_scope(store=store, first=None, last=None, today=today, weeks=kind.weeks)
    # Of many stores a row per day is what nobody reads: a figure leads to its days.
    scope = scope._replace(by_day=store is not None or scope.first == scope.last, among=my_reach(request).store_ids)
    is_paper = request.method == "POST" or request.GET.get("as") == "print"
    most = ROWS_ON_PAPER if is_paper else ROWS_ON_SCREEN
    sheets = [] if refused else [shown_sheet(sheet, may=may, most=most) for sheet in make_report(name, scope)]
    context: dict[str, Any] = {"kind": kind, "scope": scope, "sheets": sheets, "refused": refused}
    if is_paper:
        return _on_paper(context, as_pdf=request.method == "POST")
    query = {"store": "" if store is None else store.pk, "first": scope.first, "last": scope.last}
    context |= {"title": kind.title, "filters": own_choices(request, ReportFilters(query)), "query": urlencode(query)}
    return console_page(request, "console/report.html", context)


def _on_paper(context: Mapping[str, Any], *, as_pdf: bool) -> HttpResponse:
    kind, scope = context["kind"], context["scope"]
    html = paper(kind, scope, context["sheets"])
    if not as_pdf:
        return on_paper(html)
    try:
        made = pdf(html)
    except PdfNotMade as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    where = slugify(scope.store.code) if scope.store else "all"
    headers = {"Content-Disposition": f'attachment; filename="{kind.name}-{where}-{scope.first}-{scope.last}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def paper(kind: ReportKind, scope: Scope, sheets: Sequence[ShownSheet]) -> str:
    """A report as a document for A4, its styles in it."""
    wide = max((len(sheet.columns) for sheet in sheets), default=0) > 8  # noqa: PLR2004 - what A4 holds upright
    made = written_moment(timezone.now(), scope.store.timezone if scope.store else "UTC")
    return render_to_string(
        "console/report_paper.html",
        {"kind": kind, "scope": scope, "sheets": sheets, "made": made, "is_wide": wide},
    )


def paper_of(name: str, scope: Scope) -> str:
    """A report of this name for A4, without links. Raises KeyError."""
    sheets = [
        shown_sheet(sheet, may=dict.fromkeys(("order", "shift", "journalentry"), False))
        for sheet in make_report(name, scope)
    ]
    return paper(REPORTS[name], scope, sheets)
