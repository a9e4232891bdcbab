"""Orders: what was sold."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db import connection
from django.db.models import Max, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.domain.decisions import Verb
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch.named import orders_naming
from backoffice.languages.formats import whole
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.deciding.asking import buttons_of
from backoffice.review.admin.filters import FilterForm, choice_field, day_field, store_field, terminal_field
from backoffice.review.decisions import decisions_of, effective_at, took_effect
from backoffice.review.journal import entries_of
from backoffice.review.order_lookup import find_identities, held_among, orders_of
from backoffice.review.originals import Place
from backoffice.review.reach import my_reach
from backoffice.review.rights import may_see
from backoffice.review.sendings import sendings_of
from backoffice.review.words import KINDS, METHODS, STATUSES, TYPES, Remark, named, remark
from backoffice.sales.models import Identity, Order, OrderLine, Payment, Shift

# The orders of a store or terminal are found through its shifts, which have the indexes for it.
SHIFTS_BACK = 200
ORDERS_BACK = 100_000
# What the filters are called by orders and by shifts alike.
FIELDS_OF_FILTERS = {"store": "store", "terminal": "terminal", "day": "business_date", "shift": "shift_id"}


class OrderFilters(FilterForm):
    store = store_field()
    terminal = terminal_field()
    day = day_field()
    made = choice_field(_("Made"), _("Online and offline"), {"offline": _("Offline only"), "online": _("Online only")})
    shift = forms.UUIDField(widget=forms.HiddenInput)


@admin.register(Order)
class OrderAdmin(ReadingAdmin):
    """Every order in the books, including voided and training orders, the newest first."""

    store_path = "store"
    list_title = _("Orders")
    list_intro = _(
        "What was posted last comes first. For a store or terminal this covers its latest 200 shifts; choose a day to go further back."
    )
    list_legend = cells.ASTERISK_LEGEND
    empty_text = _("No order has arrived yet. A till's orders appear here as soon as they are in the books.")
    list_display = ("order", "what", "where", "cashier_name", "closed", "paid_by", "remarks", "amount")
    search_fields = ("number",)
    search_help_text = _("Order number or identifier")
    filter_form = OrderFilters
    page_key = ("id",)
    page_template = "console/order.html"
    noted_as, note_key = "order", "order_id"

    def narrow(self, queryset: QuerySet[Order], chosen: Mapping[str, Any]) -> QuerySet[Order]:
        """Through shifts, so that the order table is not searched, nor months that do not matter."""
        scope = _shifts(chosen)
        if scope is not None:
            shifts = list(scope.values_list("shift_id", "business_date"))
            queryset = queryset.filter(
                shift_id__in=[shift_id for shift_id, _ in shifts], business_date__in={day for _, day in shifts}
            )
        if made := chosen.get("made"):
            queryset = queryset.filter(mode=made)
            if scope is None:
                newest = Order.objects.aggregate(newest=Max("id"))["newest"] or 0
                queryset = queryset.filter(id__gt=newest - ORDERS_BACK)
        return queryset

    def chooses_few(self, request: HttpRequest) -> bool:
        """Those of a store, a terminal or a shift, and of a reader's own stores where their latest shifts are shown."""
        chosen = self.bound_filters(request).chosen
        is_bound = my_reach(request).store_ids is not None and not chosen.get("day")
        return is_bound or any(chosen.get(name) for name in ("store", "terminal", "shift"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By number or identifier, in any shift that the filters allow: not in the latest alone."""
        if not search_term.strip():
            return queryset, False
        found = find_identities(search_term, my_reach(request))
        chosen = self.bound_filters(request).chosen
        rows = self.every_row(request).filter(
            id__in=[identity.row_id for identity in found],
            business_date__in={identity.business_date for identity in found},
            **_fields(chosen),
        )
        return rows.filter(mode=chosen["made"]) if chosen.get("made") else rows, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; a search also finds what is held under that number."""
        term = request.GET.get("q", "")
        reach = my_reach(request)
        held = held_among(find_identities(term, reach), reach) if term.strip() and may_see(request)["helditem"] else []
        return super().changelist_view(request, {"held_found": held} | (extra_context or {}))

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "terminal", "shift")
        payments: dict[int, list[Payment]] = {}
        for payment in Payment.objects.filter(
            order_id__in=[row.pk for row in rows], business_date__in={row.business_date for row in rows}
        ):
            payments.setdefault(payment.order_id, []).append(payment)
        for row in rows:
            row.shown_payments = payments.get(row.pk, [])

    @admin.display(description=_("Order"))
    def order(self, row: Order) -> SafeString:
        return cells.number(row.number, offline=row.mode == "offline")

    @admin.display(description=_("What"))
    def what(self, row: Order) -> SafeString:
        status = "" if row.status == "paid" else str(STATUSES[row.status])
        return cells.lines(KINDS[row.kind], ", ".join(filter(None, [status, named(TYPES, row.type)])))

    @admin.display(description=_("Where"))
    def where(self, row: Order) -> SafeString:
        return cells.lines(row.store.name, cells.till_and_shift(row))

    @admin.display(description=_("Cashier"))
    def cashier_name(self, row: Order) -> str | SafeString:
        return row.cashier or cells.NONE

    @admin.display(description=_("Closed"))
    def closed(self, row: Order) -> SafeString:
        """By the till's clock, in the store's time zone."""
        return cells.when(row.closed_at, row.store)

    @admin.display(description=_("Paid by"))
    def paid_by(self, row: Any) -> str | SafeString:
        return ", ".join(dict.fromkeys(named(METHODS, payment.method) for payment in row.shown_payments)) or cells.NONE

    @admin.display(description=_("Remarks"))
    def remarks(self, row: Order) -> str | SafeString:
        flags = list(dict.fromkeys(remark.short for remark in _remarks(row)))
        return cells.lines(*flags) if flags else cells.NONE

    @admin.display(description=_("Total"))
    def amount(self, row: Order) -> SafeString:
        return cells.amount(row.total, row.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """The receipt, the journal entry, where it came from, and where its original is."""
        prefetch_related_objects([row], "store", "terminal", "shift")
        key = {"order_id": row.pk, "business_date": row.business_date}
        decided, versions = _decisions(row), list(Identity.objects.filter(item_id=row.order_id))
        lines = list(OrderLine.objects.filter(**key))
        batch = Batch.objects.only("batch_id", "received_at", "processed_at", "order_count").get(pk=row.batch_id)
        return {
            "title": (gettext("Order %(number)s, voided") if row.voided_by else gettext("Order %(number)s"))
            % {"number": row},
            "lines": lines,
            "taxes": _taxes(lines),
            "payments": list(Payment.objects.filter(**key)),
            "remarks": _remarks(row),
            **decided,
            "entries": entries_of(row.order_id),
            "batch": batch,
            "place_in_batch": gettext("Order %(place)s of %(count)s in its upload")
            % {"place": whole(row.position + 1), "count": whole(batch.order_count)},
            "travelled": max(row.received_at - row.closed_at, timedelta()),
            "place": Place(row.batch_id, "order", row.position),
            "sendings": sendings_of(row, versions, is_decided=decided["decision"] is not None),
            "versions": len(versions),
            **_relatives(row),
            "legend": cells.ASTERISK_LEGEND,
        }

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the reader may decide about it."""
        return {"buttons": buttons_of(row, person=request.user)}


def _decisions(row: Order) -> dict[str, Any]:
    """What people decided about the order: how it came into the books, how its payments were corrected, and whether it stands."""
    found = decisions_of(about="order", subject=row.order_id, besides=[row.voided_by, row.batch_id])
    by_id = {each.pk: each for each in found}
    voided = by_id.get(row.voided_by)
    corrections = [each for each in found if each.verb == Verb.RETENDER.value and took_effect(each)]
    return {
        "voided": voided,
        "voided_at": None if voided is None else effective_at(voided),
        "corrections": sorted(corrections, key=effective_at),
        "decision": by_id.get(row.batch_id),
        "decisions": found,
    }


def _relatives(row: Any) -> dict[str, Any]:
    """What it gives back or adjusts, and what gives it back or adjusts it; of `elsewhere`, only that it is there."""
    with connection.cursor() as cursor:
        naming = orders_naming(cursor, row.order_id, store_id=row.store_id)
    wanted = {each for each in (row.refund_of, row.adjusts, *naming) if each is not None}
    found = orders_of(wanted)
    orders = {key: order for key, order in found.items() if row.reach.holds(order.store_id)}
    return {
        "refunded": orders.get(row.refund_of) if row.refund_of else None,
        "adjusted": orders.get(row.adjusts) if row.adjusts else None,
        "naming": [orders[each] for each in naming if each in orders],
        "elsewhere": found.keys() - orders.keys(),
    }


def _fields(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {field: chosen[name] for name, field in FIELDS_OF_FILTERS.items() if chosen.get(name)}


def _shifts(chosen: Mapping[str, Any]) -> QuerySet[Shift] | None:
    """The shifts that the filters choose, of the reader's stores; None if that is all of them."""
    found = _fields(chosen)
    if "own_stores" in chosen:
        found["store__in"] = chosen["own_stores"]
    if not found:
        return None
    shifts = Shift.objects.filter(**found).order_by("-opened_at")
    return shifts if "business_date" in found else shifts[:SHIFTS_BACK]


def _taxes(lines: list[OrderLine]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        for tax in line.taxes:
            sums[tax["code"]] = sums.get(tax["code"], 0) + tax["amount"]
    return sums


def _remarks(row: Order) -> list[Remark]:
    return [remark(flag, row.currency) for flag in row.flags or []]
