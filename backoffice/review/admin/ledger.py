"""The ledger: do the books balance?"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.books.both_dates import by_both_dates
from backoffice.fleet.models import Store
from backoffice.ledger.models import Account, JournalEntry
from backoffice.review import cells
from backoffice.review.admin.base import ConsoleAdmin, ReadingAdmin
from backoffice.review.admin.filters import DAYS, FilterForm, day_field, store_field
from backoffice.review.journal import entry_amounts, movements, read_entry
from backoffice.review.order_lookup import order_of
from backoffice.review.rights import may_see
from backoffice.review.trial_balance import trial_balance, with_both_dates
from backoffice.review.words import SOURCES, named
from backoffice.sales.models import Shift

# Entries have no index by store: without a day, a store's entries are searched only this far back.
DAYS_BACK = timedelta(days=31)


class EntryFilters(FilterForm):
    store = store_field()
    day = day_field()


@admin.register(JournalEntry)
class EntryAdmin(ReadingAdmin):
    """Every journal entry, the newest first."""

    list_title = "Journal"
    list_intro = (
        "Every entry balances: its debits equal its credits. Entries are never changed; a correction is a new entry."
    )
    empty_text = "The books are empty: nothing has been posted yet."
    list_display = ("entry", "day", "where", "what", "posted", "amount")
    filter_form = EntryFilters
    page_key = ("id",)
    page_template = "console/entry.html"

    def narrow(self, queryset: QuerySet[JournalEntry], chosen: Mapping[str, Any]) -> QuerySet[JournalEntry]:
        """By store and day; only the months concerned are read."""
        if chosen.get("day"):
            queryset = queryset.filter(business_date=chosen["day"])
        if chosen.get("store"):
            queryset = queryset.filter(store=chosen["store"])
            if not chosen.get("day"):
                queryset = queryset.filter(business_date__gte=timezone.now().date() - DAYS_BACK)
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "terminal")
        amounts = entry_amounts((row.pk, row.business_date) for row in rows)
        for row in rows:
            row.moved = int(amounts.get(row.pk, 0))

    @admin.display(description="Entry")
    def entry(self, row: JournalEntry) -> SafeString:
        return cells.number(row.pk, offline=False)

    @admin.display(description="Business day")
    def day(self, row: JournalEntry) -> str:
        return f"{row.business_date.day} {row.business_date:%b %Y}"

    @admin.display(description="Where")
    def where(self, row: JournalEntry) -> SafeString:
        return cells.lines(row.store.name, "" if row.terminal is None else row.terminal.name)

    @admin.display(description="What for")
    def what(self, row: JournalEntry) -> str:
        return named(SOURCES, row.source_kind)

    @admin.display(description="Posted")
    def posted(self, row: JournalEntry) -> SafeString:
        return cells.when(row.posted_at, row.store)

    @admin.display(description="Amount")
    def amount(self, row: Any) -> SafeString:
        """The sum of its debits, which is that of its credits."""
        return cells.amount(row.moved, row.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """The lines, and what they were posted for."""
        prefetch_related_objects([row], "store", "terminal")
        return {
            "title": f"Journal entry {row.pk}",
            "entry": read_entry(row.pk, row.business_date),
            "what_for": named(SOURCES, row.source_kind),
            "order": order_of(row.source_id) if row.source_kind == "order" else None,
            "shift": Shift.objects.filter(pk=row.shift_id).first(),
        }


class MonthForm(forms.Form):
    """Which month, and which store."""

    month = forms.DateField(
        label="Month",
        required=False,
        input_formats=["%Y-%m"],
        validators=DAYS,
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month", "placeholder": "2026-03"}),
    )
    store = store_field()

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        self.fields["store"].required = False


@admin.register(Account)
class AccountAdmin(ConsoleAdmin):
    """The chart of accounts. Names may be changed; codes may not, since entries refer to them."""

    list_title = "Accounts"
    list_intro = "One chart for the company; every store has its own books in it. Names may be changed, codes may not."
    list_display = ("code", "name", "side")
    fields = ("code", "name", "normal_side")
    readonly_fields = ("code", "normal_side")
    page_key = ("code",)
    newest_first = False
    list_per_page = 200

    @admin.display(description="Normal side")
    def side(self, row: Account) -> str:
        return {"debit": "Debit", "credit": "Credit"}.get(row.normal_side, "Either")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.trial_balance)
        return [path("trial-balance/", view, name="ledger_trial_balance"), *super().get_urls()]

    def trial_balance(self, request: HttpRequest) -> HttpResponse:
        """The movements of one month by store and account, and whether both sides are equal: the journal in sum."""
        if not may_see(request)["journalentry"]:
            raise PermissionDenied
        form = MonthForm(request.GET)
        chosen = form.cleaned_data if form.is_valid() else {}
        first = (chosen.get("month") or _latest_month()).replace(day=1)
        end = (first + timedelta(days=31)).replace(day=1)
        store: Store | None = chosen.get("store")
        stores = {store.pk: store for store in Store.objects.all()}
        blocks = trial_balance(movements(first=first, end=end), stores=stores, only=store)
        if store is not None:
            last = end - timedelta(days=1)
            blocks = with_both_dates(blocks, by_both_dates(store=store, first=first, last=last))
        form = MonthForm({"month": f"{first:%Y-%m}", "store": store and store.pk})
        request.current_app = self.admin_site.name
        context = {"title": "Trial balance", "filters": form, "month": first, "blocks": blocks, "chosen": store}
        context |= {"opts": self.opts, "is_fullwidth": "1"}
        return TemplateResponse(
            request, "console/trial_balance.html", {**self.admin_site.each_context(request), **context}
        )


def _latest_month() -> date:
    """A day in the month of the newest entry, so that the page is not empty on the first of a month."""
    newest = JournalEntry.objects.order_by("-id").values_list("business_date", flat=True).first()
    return newest or timezone.now().date()
