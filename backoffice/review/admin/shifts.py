"""Shifts: does this drawer add up?"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Q, QuerySet, Sum, When, Window, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.domain.decisions import Verb
from backoffice.domain.reasons import IN_LOCKED_PERIOD, LATE
from backoffice.ingestion.report import shift_report
from backoffice.ingestion.till_reports import TillReport, report_of_shift, x_report, z_report
from backoffice.languages.formats import counted, some_of, whole
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.deciding.asking import DecisionButton, buttons_of
from backoffice.review.admin.filters import FilterForm, choice_field, day_field, store_field, terminal_field
from backoffice.review.admin.store_days import store_day_note, store_days_csv, store_days_view
from backoffice.review.decisions import answer_of, decisions_of, took_effect
from backoffice.review.middleware import on_paper
from backoffice.review.originals import READABLE_SIZE, mark_modes
from backoffice.review.shift_figures import counted_by_method, drawer_rows, figure_rows, what_is_wrong
from backoffice.review.till_report import PAPERS, report_html
from backoffice.review.words import SHIFT_STATES, figure
from backoffice.sales.models import CashMovement, HeldItem, Order, Shift

UNSETTLED = ("open", "closing", "discrepant")
HELD_SHOWN = 50
MOVEMENTS_SHOWN = 200
DIFFERENCES_NAMED = 8
REVISIONS_LISTED = 20
REVISION_DIGITS = 9


class ShiftFilters(FilterForm):
    store = store_field()
    terminal = terminal_field()
    day = day_field()
    state = choice_field(
        gettext_lazy("State"), gettext_lazy("All states"), {key: label.text for key, label in SHIFT_STATES.items()}
    )


@admin.register(Shift)
class ShiftAdmin(ReadingAdmin):
    """Every shift, the latest first."""

    store_path = "store"
    list_title = gettext_lazy("Shifts")
    list_intro = gettext_lazy("What the till declared beside what arrived. The latest shift comes first.")
    empty_text = gettext_lazy("No shift has been opened yet. A till opens one before it sells.")
    list_display = ("state_label", "number_and_day", "where", "cashier_name", "opened", "orders", "sold", "difference")
    filter_form = ShiftFilters
    page_key = ("opened_at", "shift_id")
    page_template = "console/shift.html"
    noted_as = "shift"

    def narrow(self, queryset: QuerySet[Shift], chosen: Mapping[str, Any]) -> QuerySet[Shift]:
        fields = {"store": "store", "terminal": "terminal", "day": "business_date", "state": "state"}
        wanted = {field: chosen[name] for name, field in fields.items() if chosen.get(name)}
        if wanted.get("state") in UNSETTLED:
            queryset = queryset.exclude(state__in=["reconciled", "approved"])  # the condition of the partial index
        return queryset.filter(**wanted)

    def complete(self, rows: list[Any]) -> None:
        """Stores, terminals, current sums of orders, and the number held."""
        prefetch_related_objects(rows, "store", "terminal")
        ids = [row.pk for row in rows]
        sums = _sums(ids, days={row.business_date for row in rows})
        undecided = HeldItem.objects.filter(decision_id__isnull=True)
        held = dict(undecided.filter(shift_id__in=ids).order_by().values_list("shift_id").annotate(Count("id")))
        for row in rows:
            row.order_count, row.sold_minor = sums.get(row.pk, (0, 0))
            row.held = held.get(row.pk, 0)

    @admin.display(description=gettext_lazy("State"))
    def state_label(self, row: Shift) -> SafeString:
        return cells.label(SHIFT_STATES[row.state])

    @admin.display(description=gettext_lazy("Shift"))
    def number_and_day(self, row: Shift) -> SafeString:
        return cells.lines(_shift_name(row), cells.business_day(row.business_date))

    @admin.display(description=gettext_lazy("Where"))
    def where(self, row: Shift) -> SafeString:
        return cells.lines(row.store.name, row.terminal.name)

    @admin.display(description=gettext_lazy("Cashier"))
    def cashier_name(self, row: Shift) -> str | SafeString:
        return row.cashier or cells.NONE

    @admin.display(description=gettext_lazy("Opened, closed"))
    def opened(self, row: Shift) -> SafeString:
        end = row.closed_at or row.recorded_end
        return cells.lines(cells.time(row.opened_at, row.store), cells.time(end, row.store) if end else _("still open"))

    @admin.display(description=gettext_lazy("Orders"))
    def orders(self, row: Any) -> SafeString:
        declared = row.declared["order_count"] if row.declared else None
        of_declared = (
            _("of %(count)s declared") % {"count": whole(declared)} if declared not in (None, row.order_count) else ""
        )
        return cells.lines(
            cells.count(row.order_count), of_declared, counted(row.held, "held", "held") if row.held else ""
        )

    @admin.display(description=gettext_lazy("Sales less refunds"))
    def sold(self, row: Any) -> SafeString:
        """Sales less refunds."""
        return cells.amount(row.sold_minor, row.currency)

    @admin.display(description=gettext_lazy("Over or short"))
    def difference(self, row: Shift) -> SafeString:
        """The cash over or short, and the names of other figures that differ."""
        names = some_of([figure(item["what"]).lower() for item in row.differences], limit=DIFFERENCES_NAMED)
        return cells.lines(
            cells.difference(row.over_short, row.currency), _("differs: %(names)s") % {"names": names} if names else ""
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("days/", wrap(store_days_view), name="sales_store_days"),
            path("days/csv/", wrap(store_days_csv), name="sales_store_days_csv"),
            path("days/note/", wrap(store_day_note), name="sales_store_days_note"),
            path("<path:object_id>/report/", wrap(self.report_view), name="sales_shift_report"),
            *super().get_urls(),
        ]

    def report_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An X or a Z to print: `revision` names one, `x` is the figures of now; `paper` is a4 or 80mm. Raises Http404."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        wanted, paper = request.GET.get("revision", ""), request.GET.get("paper", "a4")
        report = _report(row, wanted)
        if report is None or paper not in PAPERS:
            raise Http404
        return on_paper(report_html(report, paper=paper, links=_report_links(row, wanted, paper)))

    def page(self, row: Any) -> dict[str, Any]:
        """Declared beside computed, as of now; the drawer; what is missing, held or late."""
        prefetch_related_objects([row], "store", "terminal")
        report = shift_report(row)
        movements = _movements(row)
        row.held_count = report.held
        held = list(HeldItem.objects.filter(shift_id=row.pk, decision_id__isnull=True).order_by("id")[:HELD_SHOWN])
        mark_modes(held, max_size=READABLE_SIZE)
        return {
            "title": _shift_name(row),
            "state": SHIFT_STATES[row.state],
            "figures": figure_rows(report, counted_by_method(row, report)),
            "drawer": drawer_rows(row, report, movements),
            "movements": movements,
            "movements_shown": MOVEMENTS_SHOWN,
            "problems": [*what_is_wrong(report), *_entered_later(row)],
            "held": held,
            "report": report,
            "revisions": list(range(row.z_revision or 0, 0, -1))[:REVISIONS_LISTED],
            "late": _late_orders(row) if report.late else [],
            **_decisions_about(row),
        }

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the reader may decide about it, and the address at which each gap is explained."""
        buttons = [_held_prevents(row, button) for button in buttons_of(row, person=request.user)]
        urls = {button.verb: button.url for button in buttons}
        return {
            "buttons": [each for each in buttons if each.verb is not Verb.EXPLAIN],
            "explain_url": urls.get(Verb.EXPLAIN, ""),
            "enter_url": urls.get(Verb.ENTER, ""),
        }


def _shift_name(row: Shift) -> str:
    return _("Shift %(number)s") % {"number": row.number}


def _held_prevents(row: Any, button: DecisionButton) -> DecisionButton:
    """Of an approval, that something is held: what the shift's own row does not say."""
    if button.verb is not Verb.APPROVE or button.refused or not row.held_count:
        return button
    return button._replace(refused=_("%(count)s held: decide them first.") % {"count": row.held_count})


def _decisions_about(row: Shift) -> dict[str, Any]:
    """Its approval, and those that something superseded since; who ended it; everything that was decided about it."""
    found = decisions_of(about="shift", subject=row.pk, besides=[row.approval_id, row.ended_by])
    by_id = {each.pk: each for each in found}
    approvals = [each for each in found if each.verb == Verb.APPROVE.value and took_effect(each)]
    return {
        "approval": by_id.get(row.approval_id),
        "superseded": [each for each in approvals if each.pk != row.approval_id],
        "ended": by_id.get(row.ended_by),
        "entering": [each for each in map(_entering, found) if each is not None],
        "decisions": found,
    }


def _entering(decision: Any) -> dict[str, Any] | None:
    """The number that somebody entered from its receipt while nobody has answered; None of any other decision."""
    is_waiting = decision.needs_second_person and answer_of(decision) is None
    if decision.verb != Verb.ENTER.value or not is_waiting:
        return None
    return {"number": decision.before["number"], "decision": decision}


def _late_orders(shift: Shift) -> list[Order]:
    """The first orders that came after its close, in an upload that the close did not list."""
    late = Order.objects.filter(shift_id=shift.pk, business_date=shift.business_date, flags__contains=[{"code": LATE}])
    return list(late.order_by("id")[:HELD_SHOWN])


def _entered_later(shift: Shift) -> list[str]:
    """Says how many of its orders stand in the books on another day, since those of its business day were locked."""
    flag = [{"code": IN_LOCKED_PERIOD}]
    orders = Order.objects.filter(shift_id=shift.pk, business_date=shift.business_date, flags__contains=flag).count()
    if not orders:
        return []
    said = ngettext(
        "%(count)s order came when the books of this day were locked, and stands on a later one.",
        "%(count)s orders came when the books of this day were locked, and stand on a later one.",
        orders,
    )
    return [said % {"count": whole(orders)}]


def _report(row: Shift, wanted: str) -> TillReport | None:
    if wanted == "x":
        return x_report(row, now=timezone.now())
    if not wanted:
        return report_of_shift(row, now=timezone.now())
    return z_report(row, revision=int(wanted)) if wanted.isdecimal() and len(wanted) <= REVISION_DIGITS else None


def _report_links(row: Shift, wanted: str, paper: str) -> dict[str, str]:
    """Back to the shift, the other paper, the newest revision, and the figures of now."""
    links = {_shift_name(row): reverse("admin:sales_shift_change", args=[row.pk])}
    links |= {words["name"]: f"?revision={wanted}&paper={name}" for name, words in PAPERS.items()}
    if row.z_revision:
        links |= {f"Z {row.z_number}": f"?paper={paper}", _("X, as of now"): f"?revision=x&paper={paper}"}
    return links


def _movements(shift: Shift) -> list[CashMovement]:
    """The first cash movements of the shift; each has the sums of all of them, `all_in` and `all_out`. One statement."""
    sums = {
        name: Window(Sum(Case(When(kind=kind, then="amount"), default=0)))
        for name, kind in (("all_in", "cash_in"), ("all_out", "cash_out"))
    }
    movements = CashMovement.objects.filter(shift_id=shift.pk).annotate(**sums)
    return list(movements.order_by("occurred_at", "pk")[:MOVEMENTS_SHOWN])


def _sums(ids: list[UUID], *, days: set[Any]) -> dict[UUID, tuple[int, int]]:
    """For each shift the number of orders in the books, and sales less refunds in minor units. One statement."""
    rows = (
        Order.objects.filter(shift_id__in=ids, business_date__in=days)
        .order_by()
        .values_list("shift_id")
        .annotate(count=Count("id"), sold=Sum("total", filter=Q(status="paid")))
    )
    return {shift_id: (count, int(total or 0)) for shift_id, count, total in rows}
