"""The ledger: do the books balance?"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.both_dates import by_both_dates
from backoffice.books.evidence.balance import accounts_moved
from backoffice.languages.texts import in_their_language
from backoffice.ledger.models import Account, JournalEntry, JournalLine
from backoffice.review import cells
from backoffice.review.admin.account_days import account_days
from backoffice.review.admin.base import ConsoleAdmin, ReadingAdmin
from backoffice.review.admin.filters import FilterForm, account_field, day_field, store_field
from backoffice.review.admin.store_form import ReasonedForm
from backoffice.review.journal import entry_amounts, read_entry
from backoffice.review.order_lookup import order_of
from backoffice.review.pages import console_page
from backoffice.review.reach import OF_THE_COMPANY, my_reach, my_stores, own_choices
from backoffice.review.rights import may_see
from backoffice.review.trial_balance import trial_balance, with_both_dates
from backoffice.review.words import SOURCES, named
from backoffice.sales.models import Shift

# Entries have no index by store: without a day, a store's entries are searched only this far back.
DAYS_BACK = timedelta(days=31)


class EntryFilters(FilterForm):
    store = store_field()
    day = day_field()
    account = account_field()


@admin.register(JournalEntry)
class EntryAdmin(ReadingAdmin):
    """Every journal entry, the newest first."""

    store_path = "store"
    list_title = _("Journal")
    list_intro = _(
        "Every entry balances: its debits equal its credits. Entries are never changed; a correction is a new entry."
        " Numbers of entries may have gaps; those of seals have none."
    )
    empty_text = _("The books are empty: nothing has been posted yet.")
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
        if chosen.get("account"):
            # One look-up for each entry, by its key: lines have no index by account.
            lines = JournalLine.objects.filter(entry_id=OuterRef("pk"), business_date=OuterRef("business_date"))
            queryset = queryset.filter(Exists(lines.filter(account=chosen["account"])))
        if (chosen.get("store") or chosen.get("account") or "own_stores" in chosen) and not chosen.get("day"):
            queryset = queryset.filter(business_date__gte=timezone.now().date() - DAYS_BACK)
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "terminal")
        amounts = entry_amounts((row.pk, row.business_date) for row in rows)
        for row in rows:
            row.moved = int(amounts.get(row.pk, 0))

    @admin.display(description=_("Entry"))
    def entry(self, row: JournalEntry) -> SafeString:
        return cells.number(row.pk, offline=False)

    @admin.display(description=_("Business day"))
    def day(self, row: JournalEntry) -> SafeString:
        return cells.business_day(row.business_date)

    @admin.display(description=_("Where"))
    def where(self, row: JournalEntry) -> SafeString:
        return cells.lines(row.store.name, "" if row.terminal is None else row.terminal.name)

    @admin.display(description=_("What for"))
    def what(self, row: JournalEntry) -> str:
        return named(SOURCES, row.source_kind)

    @admin.display(description=_("Posted"))
    def posted(self, row: JournalEntry) -> SafeString:
        return cells.when(row.posted_at, row.store)

    @admin.display(description=_("Amount"))
    def amount(self, row: Any) -> SafeString:
        """The sum of its debits, which is that of its credits."""
        return cells.amount(row.moved, row.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """The lines, and what they were posted for."""
        prefetch_related_objects([row], "store", "terminal")
        return {
            "title": gettext("Journal entry {number}").format(number=row.pk),
            "entry": read_entry(row.pk, row.business_date),
            "what_for": named(SOURCES, row.source_kind),
            "order": order_of(row.source_id) if row.source_kind == "order" else None,
            "shift": Shift.objects.filter(pk=row.shift_id).first(),
        }


class BalanceFilters(FilterForm):
    """Up to which day, from which on, and of which store."""

    store = store_field()
    since = day_field(_("From"))
    at = day_field(_("At the end of"))


@admin.register(Account)
class AccountAdmin(ConsoleAdmin):
    """The chart of accounts. Names may be changed; codes may not, since entries refer to them."""

    store_path = OF_THE_COMPANY
    list_title = _("Accounts")
    list_intro = _(
        "One chart for the company; every store has its own books in it. Names may be changed, codes may not."
    )
    list_display = ("code", "name", "side")
    form = ReasonedForm
    readonly_fields = ("code", "normal_side")
    history_about = "account"
    page_key = ("code",)
    newest_first = False
    list_per_page = 200

    def get_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
        return ["code", "name", "normal_side", *(["why"] if self.has_change_permission(request, obj) else [])]

    @admin.display(description=_("Normal side"))
    def side(self, row: Account) -> str:
        return str({"debit": _("Debit"), "credit": _("Credit")}.get(row.normal_side, _("Either")))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("trial-balance/", self.admin_site.admin_view(self.trial_balance), name="ledger_trial_balance"),
            path("days/", self.admin_site.admin_view(account_days), name="ledger_account_days"),
        ]
        return [*own, *super().get_urls()]

    def trial_balance(self, request: HttpRequest) -> HttpResponse:
        """Every account at the end of a day, by store and in all, and whether both sides are equal. Each leads to its days."""
        if not may_see(request)["journalentry"]:
            raise PermissionDenied
        form = own_choices(request, BalanceFilters(request.GET))
        chosen = form.chosen
        store, since, at = chosen.get("store"), chosen.get("since"), chosen.get("at")
        moved = accounts_moved(store=store, among=my_reach(request).store_ids, since=since, at=at)
        names = {code: in_their_language(name) for code, name in Account.objects.values_list("code", "name")}
        blocks = trial_balance(moved, stores={one.pk: one for one in my_stores(request)}, names=names)
        if store is not None and since and at:
            blocks = with_both_dates(blocks, by_both_dates(store=store, first=since, last=at))
        context = {
            "title": gettext("Trial balance"),
            "filters": form,
            "since": since,
            "at": at,
            "blocks": blocks,
            "chosen": store,
            "days": urlencode({"since": since or "", "at": at or ""}),
            "opts": self.opts,
        }
        return console_page(request, "console/trial_balance.html", context)
