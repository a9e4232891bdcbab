"""From a figure of a report to its days, and to the orders of a day; each order leads to its stored original."""

import re
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.reports.drill import ORDERS_SHOWN, FigureAsked, days_of_figure, orders_of_figure
from backoffice.books.reports.shape import MOST_DAYS
from backoffice.fleet.models import Store
from backoffice.languages.texts import Words
from backoffice.review.admin.filters import DAYS
from backoffice.review.pages import console_page
from backoffice.review.reach import own_choices
from backoffice.review.reports import written_rate
from backoffice.review.rights import may_see
from backoffice.review.words import LINE_KINDS, METHODS, named
from backoffice.sales.models import Order

FIGURE_NAMES: dict[str, Words] = {
    "sale": _("Sales"),
    "refund": _("Refunds"),
    "tip": _("Orders with a tip"),
    "rounding": _("Orders that were rounded"),
    "method": _("Orders paid"),
    "tax": _("Orders with tax"),
    "line": _("Orders with lines"),
    "discount": _("Sales with a discount"),
    "no-receipt": _("Refunds without receipt"),
    "voided": _("Voided orders"),
    "training": _("Training orders"),
    "offline": _("Orders made offline"),
    "out-of-hours": _("Orders out of hours"),
}
MOST_ORDERS = 1_000_000
RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?", re.ASCII)
# Of the others no tax is known: what is paid or given off is not apart from the tax in it.
WITH_TAX = frozenset({"sale", "refund", "tax"})


class FigureForm(forms.Form):
    """What a link of a report asks for; `by_code` and its like say that the text counts, which may be empty."""

    store = forms.ModelChoiceField(Store.objects.all())
    first = forms.DateField(validators=DAYS)
    last = forms.DateField(validators=DAYS)
    figure = forms.ChoiceField(choices=list(FIGURE_NAMES.items()))
    code = forms.CharField(required=False, max_length=64, strip=False)
    rate = forms.CharField(required=False, max_length=64)
    cashier = forms.CharField(required=False, max_length=64, strip=False)
    by_code = forms.BooleanField(required=False)
    by_rate = forms.BooleanField(required=False)
    by_cashier = forms.BooleanField(required=False)
    after = forms.IntegerField(required=False, min_value=0, max_value=MOST_ORDERS)

    def asked(self) -> FigureAsked:
        """Raises Http404 where it asks for nothing that there is."""
        if not self.is_valid():
            raise Http404
        said = self.cleaned_data
        if not 0 <= (said["last"] - said["first"]).days < MOST_DAYS:
            raise Http404
        texts = {name: said[name] if said[f"by_{name}"] else None for name in ("code", "rate", "cashier")}
        return FigureAsked(said["store"], said["first"], said["last"], said["figure"], **texts)


def figure_page(request: HttpRequest) -> HttpResponse:
    """The days of a figure, or the orders of one day. Raises Http404, PermissionDenied."""
    if not may_see(request)["order"]:
        raise PermissionDenied
    if "figure" not in request.GET:
        return console_page(request, "console/figure.html", {"title": gettext("What a figure is the sum of")})
    form = own_choices(request, FigureForm(request.GET))
    asked = form.asked()
    context: dict[str, Any] = {
        "title": _title(asked),
        "asked": asked,
        "has_tax": asked.figure in WITH_TAX and asked.code != "",
        "up_title": gettext("Reports"),
        "up_url": reverse("admin:report_sales"),
    }
    if asked.first != asked.last:
        days = _days(request, asked)
        context |= {"days": days, "rate": _rate(asked, sum(day["figure"].tax for day in days))}
        return console_page(request, "console/figure.html", context)
    after = form.cleaned_data["after"] or 0
    found = orders_of_figure(asked, after=after)
    context |= {
        "orders": _orders([(one.id, one) for one in found]),
        "found": found[0] if found else None,
        "is_day": True,
        "rate": _rate(asked, sum(one.tax for one in found)),
    }
    if found and found[0].of_orders > after + ORDERS_SHOWN:
        context["next"] = "?" + _query(request, after=after + ORDERS_SHOWN)
    return console_page(request, "console/figure.html", context)


def _title(asked: FigureAsked) -> str:
    what = str(FIGURE_NAMES[asked.figure])
    if asked.figure == "tax" and asked.code == "":
        return gettext("Orders without tax")
    if asked.code is not None:
        words = {"method": named(METHODS, asked.code), "line": named(LINE_KINDS, asked.code)}
        what += f": {words.get(asked.figure, asked.code) or gettext('without')}"
    return what


def _rate(asked: FigureAsked, tax: int) -> str:
    """The rate that was asked for, as a report writes it; "" where none was, or where it is none."""
    return written_rate(asked.rate, tax) if asked.rate and RATE.fullmatch(asked.rate) else ""


def _days(request: HttpRequest, asked: FigureAsked) -> list[dict[str, Any]]:
    return [
        {"figure": one, "url": "?" + _query(request, first=one.business_date, last=one.business_date)}
        for one in days_of_figure(asked)
    ]


def _query(request: HttpRequest, **changed: object) -> str:
    return urlencode({**request.GET.dict(), **changed})


def _orders(found: list[tuple[int, Any]]) -> list[Any]:
    """The rows of orders, each with what it adds as `adds`."""
    adds = dict(found)
    days = {one.business_date for one in adds.values()}
    orders = list(Order.objects.filter(id__in=adds, business_date__in=days).order_by("id"))
    prefetch_related_objects(orders, "store", "terminal")
    for order in orders:
        order.adds = adds[order.pk]  # type: ignore[attr-defined]
    return orders
