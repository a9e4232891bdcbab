"""An account day by day, from its balances by day: between the trial balance and the journal."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.evidence.balance import AccountMoved, accounts_moved
from backoffice.fleet.models import Store
from backoffice.ledger.models import Account
from backoffice.review.admin.filters import FilterForm, account_field, day_field, store_field
from backoffice.review.pages import console_page
from backoffice.review.reach import my_reach, my_stores, own_choices
from backoffice.review.rights import may_see

DAYS_SHOWN = 400
DAYS_OF_EACH = timedelta(days=31)


class AccountDaysFilters(FilterForm):
    account = account_field()
    store = store_field()
    since = day_field(_("From"))
    at = day_field(_("At the end of"))


def account_days(request: HttpRequest) -> HttpResponse:
    """The days on which an account moved, by store. Raises PermissionDenied."""
    if not may_see(request)["journalentry"]:
        raise PermissionDenied
    form = own_choices(request, AccountDaysFilters(request.GET))
    chosen = form.chosen
    account, store = chosen.get("account"), chosen.get("store")
    if account is not None and store is None and not chosen.get("since"):
        # Of all stores the latest days: all of them would be a book.
        chosen = chosen | {"since": (chosen.get("at") or timezone.now().date()) - DAYS_OF_EACH}
    blocks = [] if account is None else _blocks(request, account, chosen)
    context = {
        "title": gettext("Account by day") if account is None else str(account),
        "account": account,
        "filters": form,
    }
    context |= {"blocks": blocks, "up_title": gettext("Trial balance"), "up_url": reverse("admin:ledger_trial_balance")}
    return console_page(request, "console/account_days.html", context)


def _blocks(request: HttpRequest, account: Account, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    since = chosen.get("since")
    wanted: dict[str, Any] = {"store": chosen.get("store"), "among": my_reach(request).store_ids}
    wanted |= {"accounts": [account.code]}
    moved = accounts_moved(**wanted, since=since, at=chosen.get("at"), by_day=True)
    before: dict[tuple[int, str], int] = {}
    if since is not None:
        for row in accounts_moved(**wanted, at=since - timedelta(days=1)):
            before[row.store_id, row.currency] = row.debit - row.credit
    found: dict[tuple[int, str], list[AccountMoved]] = {}
    for row in moved:
        found.setdefault((row.store_id, row.currency), []).append(row)
    stores = {one.pk: one for one in my_stores(request)}
    return [
        _shortened(
            _block(account, stores[key[0]], found[key], before=before.get(key, 0), has_before=since is not None),
            most=DAYS_SHOWN,
        )
        for key in sorted(found, key=lambda key: (stores[key[0]].code, key[1]))
    ]


def _block(
    account: Account, store: Store, moved: list[AccountMoved], *, before: int, has_before: bool
) -> dict[str, Any]:
    """The days of one store in one currency, each with the balance at its end."""
    balance, days = before, []
    for row in sorted(moved):
        balance += row.debit - row.credit
        query = urlencode({"store": store.pk, "day": str(row.business_date), "account": account.code})
        url = f"{reverse('admin:ledger_journalentry_changelist')}?{query}"
        days.append(
            {
                "business_date": row.business_date,
                "debit": row.debit,
                "credit": row.credit,
                "balance": balance,
                "url": url,
            }
        )
    return {
        "store": store,
        "currency": moved[0].currency,
        "before": before,
        "before_shown": has_before,
        "days": days,
        "debit": sum(row.debit for row in moved),
        "credit": sum(row.credit for row in moved),
    }


def _shortened(block: dict[str, Any], *, most: int) -> dict[str, Any]:
    """The latest days, and how many there are before them; these stay in the sums."""
    more = max(0, len(block["days"]) - most)
    return block | {"days": block["days"][more:], "more": more, "before_shown": block["before_shown"] and not more}
