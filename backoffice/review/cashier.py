"""The page of a cashier: how their drawers added up lately, beside the others of the store."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.reports.cashier import CashierSums, CashierTrend, cashier_trend
from backoffice.review.admin.filters import FilterForm, day_field, store_field
from backoffice.review.charts import over_short_by_shift
from backoffice.review.pages import console_page
from backoffice.review.reach import own_choices
from backoffice.review.reports import today_at
from backoffice.review.rights import may_see

MOST_CHARACTERS = 64


class CashierFilters(FilterForm):
    """Whose shifts, in which store, and until which day."""

    store = store_field()
    cashier = forms.CharField(label=_("Cashier"), max_length=MOST_CHARACTERS, strip=False)
    last = day_field(_("Until"))


def cashier_page(request: HttpRequest) -> HttpResponse:
    """The last counted shifts of a cashier in a store. Raises PermissionDenied."""
    if not may_see(request)["shift"]:
        raise PermissionDenied
    form = own_choices(request, CashierFilters(request.GET))
    chosen = form.chosen
    store, cashier = chosen.get("store"), chosen.get("cashier")
    context: dict[str, Any] = {
        "title": gettext("Over and short of a cashier"),
        "filters": form,
        "store": store,
        "up_title": gettext("Over and short"),
        "up_url": reverse("admin:report_over_short"),
    }
    if store is None or not cashier:
        return console_page(request, "console/cashier.html", context)
    trend = cashier_trend(store, cashier, last=chosen.get("last") or today_at(store, timezone.now()))
    context |= {"title": gettext("Over and short of {cashier}").format(cashier=cashier), "cashier": cashier}
    context["trend"] = trend
    if trend is not None:
        context |= {"chart": over_short_by_shift(trend), "everybody": _linked(trend, store.pk, chosen.get("last"))}
    return console_page(request, "console/cashier.html", context)


def _linked(trend: CashierTrend, store_id: int, last: object) -> list[tuple[CashierSums, str]]:
    """Everybody of the store, each with the address of their own page; the one whose page it is without."""
    kept = {"store": store_id, "last": last or ""}
    return [
        (one, "" if one == trend.own or not one.cashier else "?" + urlencode(kept | {"cashier": one.cashier}))
        for one in trend.everybody
    ]
