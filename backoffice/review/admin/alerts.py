"""Alerts: who must be told, of what, and what has become of it?"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.alerts import words
from backoffice.alerts.evaluation import NotSnoozed, snooze_alert
from backoffice.alerts.models import KINDS, MAX_NOTE, Alert, AlertChange, MailNotice
from backoffice.domain.alerts import AlertDeed, Severity
from backoffice.fleet.models import check_printable
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.filters import FilterForm, choice_field, store_field
from backoffice.review.words import Label
from backoffice.sales.models import Shift

# By `Alert.place`, the first ones first.
PLACES: dict[int, Label] = {
    3: Label(_("Critical"), "red"),
    2: Label(_("Warning"), "amber"),
    1: Label(_("Snoozed"), "grey"),
    0: Label(_("Resolved"), "green"),
}
STATES = {"open": _("Open"), "critical": _("Critical"), "snoozed": _("Snoozed"), "resolved": _("Resolved")}
PLACES_OF = {"open": (2, 3), "critical": (3,), "snoozed": (1,), "resolved": (0,)}
DEEDS = {
    AlertDeed.RAISED: Label(_("Raised"), "amber"),
    AlertDeed.WORSENED: Label(_("Became critical"), "red"),
    AlertDeed.EASED: Label(_("Critical no more"), "amber"),
    AlertDeed.RESOLVED: Label(_("Resolved"), "green"),
    AlertDeed.GROUPED: Label(_("Part of a wider alert"), "grey"),
    AlertDeed.SNOOZED: Label(_("Snoozed"), "grey"),
    AlertDeed.WOKEN: Label(_("Snooze ended"), "amber"),
}
SNOOZES = {
    "1": _("for an hour"),
    "4": _("for four hours"),
    "24": _("for a day"),
    "72": _("for three days"),
    "168": _("for a week"),
}
RIGHT = "alerts.snooze_alert"
MOST_TOLD = 50


class AlertFilters(FilterForm):
    store = store_field()
    state = choice_field(_("State"), _("All, the open ones first"), STATES)
    kind = choice_field(_("About"), _("Everything"), dict(KINDS))


class SnoozeForm(forms.Form):
    """For how long nobody is to be mailed, and why."""

    hours = forms.ChoiceField(label=_("Snooze"), choices=list(SNOOZES.items()), initial="24")
    note = forms.CharField(label=_("Note"), required=False, max_length=MAX_NOTE, validators=[check_printable])

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="snooze-%s", label_suffix="")


@admin.register(Alert)
class AlertAdmin(ReadingAdmin):
    """Every alert, the open and urgent ones first."""

    store_path = "store"
    list_title = _("Alerts")
    list_intro = _("What somebody should look at. An alert ends by itself when what it is about has ended.")
    empty_text = _("Nothing is wrong, and nothing was")
    list_display = ("standing", "what", "how_much", "began", "where", "raised")
    filter_form = AlertFilters
    page_key = ("place", "id")
    page_template = "console/alert.html"

    def get_urls(self) -> list[URLPattern]:
        snooze = path(
            "<path:object_id>/snooze/", self.admin_site.admin_view(self.snooze_view), name="alerts_alert_snooze"
        )
        return [snooze, *super().get_urls()]

    def narrow(self, queryset: QuerySet[Alert], chosen: Mapping[str, Any]) -> QuerySet[Alert]:
        if chosen.get("store"):
            queryset = queryset.filter(store=chosen["store"])
        if chosen.get("kind"):
            queryset = queryset.filter(kind=chosen["kind"])
        if chosen.get("state"):
            queryset = queryset.filter(place__in=PLACES_OF[chosen["state"]])
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "terminal")

    @admin.display(description=_("State"))
    def standing(self, row: Alert) -> SafeString:
        return cells.label(PLACES[row.place])

    @admin.display(description=_("What"))
    def what(self, row: Alert) -> SafeString:
        return cells.page_link(row, words.alert_headline(row))

    @admin.display(description=_("Measured"))
    def how_much(self, row: Alert) -> SafeString:
        return format_html('<span class="c-money">{}</span>', words.measure(row))

    @admin.display(description=_("Since"))
    def began(self, row: Alert) -> SafeString:
        return moment_of(row, row.since)

    @admin.display(description=_("Store"))
    def where(self, row: Alert) -> SafeString:
        return cells.NONE if row.store is None else cells.lines(row.store.name, row.store.code)

    @admin.display(description=_("Raised"))
    def raised(self, row: Alert) -> SafeString:
        return moment_of(row, row.raised_at)

    def page(self, row: Any) -> dict[str, Any]:
        """One alert: what to do, its steps, and who was mailed of it."""
        prefetch_related_objects([row], "store", "terminal", "snoozed_by")
        shift = Shift.objects.filter(pk=row.shift_id).first() if row.shift_id else None
        return {
            "title": words.alert_headline(row),
            "standing": PLACES[row.place],
            "advice": words.advice(row),
            "measure": words.measure(row),
            "since": moment_of(row, row.since),
            "snoozed_until": moment_of(row, row.snoozed_until),
            "shift": shift,
            "steps": [_step(row, change) for change in row.steps.select_related("person").order_by("-number")],
            "told": _told(row),
            "snooze_form": SnoozeForm(),
        }

    def show(self, request: HttpRequest, object_id: str, *, template: str, **extra: Any) -> HttpResponse:
        may_snooze = request.user.has_perm(RIGHT)
        return super().show(request, object_id, template=template, may_snooze=may_snooze, **extra)

    def snooze_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Has nobody mailed of it for a while. Takes POST only."""
        row = self.get_object(request, unquote(object_id))
        if not (request.user.has_perm(RIGHT) and self.has_view_permission(request, row)):
            raise PermissionDenied
        if row is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form, now = SnoozeForm(request.POST), timezone.now()
        if not form.is_valid():
            messages.error(request, gettext("It was not snoozed: choose for how long, and keep the note short."))
            return HttpResponseRedirect(cells.page_url(row))
        until = now + timedelta(hours=int(form.cleaned_data["hours"]))
        try:
            snooze_alert(row.pk, until=until, person=request.user, note=form.cleaned_data["note"], now=now)  # type: ignore[arg-type]
        except NotSnoozed:
            messages.error(request, gettext("It has ended by now."))
        else:
            messages.success(request, gettext("Snoozed. Nobody is mailed of it unless it becomes critical."))
        return HttpResponseRedirect(cells.page_url(row))


def moment_of(alert: Alert, moment: datetime | None) -> SafeString:
    """A moment by the clock of an alert's store, or in UTC; a dash for None."""
    if moment is None:
        return cells.NONE
    return cells.instant(moment, words.moment_in_words(moment, alert), alert.store.timezone if alert.store else "UTC")


def _step(alert: Alert, change: AlertChange) -> dict[str, Any]:
    return {
        "label": DEEDS[AlertDeed(change.what)],
        "at": moment_of(alert, change.at),
        "measure": words.measure(alert, change.value),
        "severity": words.SEVERITY_WORDS[Severity(change.severity)],
        "person": change.person,
        "until": moment_of(alert, change.until) if change.until else "",
        "note": change.note,
    }


def _told(alert: Alert) -> list[dict[str, Any]]:
    """Who was mailed of which step, and whether the mail has gone."""
    notices = (
        MailNotice.objects.filter(change__alert=alert, is_moot=False)
        .select_related("recipient__person", "mail", "change")
        .order_by("-id")
    )
    return [
        {
            "person": notice.recipient.person,
            "step": DEEDS[AlertDeed(notice.change.what)].text,
            "sent": moment_of(alert, notice.mail.sent_at) if notice.mail and notice.mail.sent_at else "",
            "error": notice.mail.error if notice.mail else "",
        }
        for notice in notices[:MOST_TOLD]
    ]
