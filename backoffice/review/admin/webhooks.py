"""Webhooks: who is sent what, and what has become of each message."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from backoffice.alerts.deliveries import RETRIES, replay_delivery, turn_endpoint_off
from backoffice.alerts.endpoints import check_endpoint_url, rotate_secret, send_test_message, turn_endpoint_on
from backoffice.alerts.models import EventType, WebhookDelivery, WebhookEndpoint
from backoffice.languages.moments import written_moment
from backoffice.review import cells
from backoffice.review.admin.alert_settings import plain_choice
from backoffice.review.admin.base import PageAdmin, ReadingAdmin
from backoffice.review.admin.filters import FilterForm, choice_field
from backoffice.review.admin.store_form import ReasonedForm
from backoffice.review.reach import OF_HEAD_OFFICE
from backoffice.review.words import Label

DELIVERY_STATES = {
    "waiting": Label(_("Waiting"), "blue"),
    "delivered": Label(_("Delivered"), "green"),
    "failed": Label(_("Given up"), "red"),
    "dropped": Label(_("Endpoint turned off"), "grey"),
}
ON, OFF = Label(_("On"), "green"), Label(_("Off"), "red")
ASKED_FOR = [(each.value, each.label) for each in EventType if each is not EventType.TEST]
MOST_SHOWN = 20


class EndpointForm(ReasonedForm):
    """Where messages go, and which."""

    events = forms.MultipleChoiceField(
        label=_("Events"), choices=ASKED_FOR, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "events", "store", "owner")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "store" in self.fields:
            self.fields["store"].empty_label = gettext("All stores")  # type: ignore[attr-defined]
            self.fields["owner"].help_text = gettext(
                "Is told by mail when it is turned off, or takes nothing for three days."
            )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        check_endpoint_url(url)
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PageAdmin):
    """The receivers of webhooks."""

    store_path = OF_HEAD_OFFICE
    list_title = _("Webhooks")
    list_intro = _("Programs that are told of alerts, signed as Standard Webhooks say.")
    empty_text = _("No program is told of anything yet")
    change_list_template = "console/settings_list.html"
    page_template = "console/webhook.html"
    list_display = ("stands", "endpoint", "told", "where", "owned_by")
    form = EndpointForm
    page_key = ("name", "id")
    newest_first = False
    history_about = "webhook endpoint"

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> list[str]:
        may = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return ["name", "url", "events", "store", "owner", *(["why"] if may else [])]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        views: dict[str, Callable[..., HttpResponse]] = {
            "settings": self.changeform_view,
            "test": self.test_view,
            "secret": self.secret_view,
            "on": self.on_view,
            "off": self.off_view,
        }
        own = [
            path(f"<path:object_id>/{name}/", wrap(view), name=f"alerts_webhookendpoint_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("alerts.add_webhookendpoint"))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return plain_choice(super().formfield_for_dbfield(db_field, request, **kwargs))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        answer: Any = super().render_change_form(request, context, *args, **kwargs)
        if kwargs.get("obj") is None:
            answer.context_data["title"] = gettext("Add an endpoint")
        return answer

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        more = {"add_words": gettext("Add an endpoint"), "may_add": self.has_add_permission(request)}
        return super().changelist_view(request, more | (extra_context or {}))

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "owner")

    @admin.display(description=_("Endpoint"))
    def endpoint(self, row: WebhookEndpoint) -> SafeString:
        return cells.lines(cells.page_link(row, row.name), row.url)

    @admin.display(description=_("State"))
    def stands(self, row: WebhookEndpoint) -> SafeString:
        return cells.label(ON if row.is_active else OFF)

    @admin.display(description=_("Events"))
    def told(self, row: WebhookEndpoint) -> SafeString:
        return cells.lines(*_event_names(row)) if row.events else cells.NONE

    @admin.display(description=_("Store"))
    def where(self, row: WebhookEndpoint) -> str:
        return str(row.store) if row.store else gettext("All stores")

    @admin.display(description=_("Owner"))
    def owned_by(self, row: WebhookEndpoint) -> str:
        return str(row.owner)

    def page(self, row: Any) -> dict[str, Any]:
        """An endpoint, its secrets by age, and its newest deliveries."""
        deliveries = list(row.deliveries.select_related("message").order_by("-id")[:MOST_SHOWN])
        return {
            "title": row.name,
            "standing": ON if row.is_active else OFF,
            "event_names": _event_names(row),
            "secrets": [
                {"made": utc(secret.created_at), "ends": utc(secret.ends_at)}
                for secret in row.secrets.order_by("-created_at", "-pk")
            ],
            "deliveries": [_delivery_line(each) for each in deliveries],
        }

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None) -> Any:
        return self._with_secret(request, obj)

    def response_change(self, request: HttpRequest, obj: WebhookEndpoint) -> HttpResponse:
        return HttpResponseRedirect(cells.page_url(obj))

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Makes a new secret and shows it once. Takes POST only."""
        return self._posted(request, object_id, lambda row: self._with_secret(request, row))

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leaves a test message. Takes POST only."""

        def send(row: WebhookEndpoint) -> None:
            send_test_message(row, now=timezone.now())
            messages.success(request, gettext("A test message is on its way. It is listed below, with the answer."))

        return self._posted(request, object_id, send)

    def on_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends to it again. Takes POST only."""
        return self._posted(request, object_id, turn_endpoint_on)

    def off_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends nothing to it any more. Takes POST only."""

        def turn_off(row: WebhookEndpoint) -> None:
            turn_endpoint_off(
                row, because=gettext("turned off by %(person)s") % {"person": request.user}, now=timezone.now()
            )

        return self._posted(request, object_id, turn_off)

    def _posted(
        self, request: HttpRequest, object_id: str, act: Callable[[WebhookEndpoint], HttpResponse | None]
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return act(row) or HttpResponseRedirect(cells.page_url(row))

    def _with_secret(self, request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
        secret = rotate_secret(row, now=timezone.now())
        return self.show(request, str(row.pk), template="console/webhook_secret.html", secret=secret)


class DeliveryFilters(FilterForm):
    endpoint = forms.ModelChoiceField(
        WebhookEndpoint.objects.order_by("name"), label=_("Endpoint"), empty_label=_("All endpoints")
    )
    state = choice_field(
        _("State"),
        _("All states"),
        {state: word.text for state, word in DELIVERY_STATES.items()},
    )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadingAdmin):
    """Each message to each endpoint, the newest first."""

    store_path = OF_HEAD_OFFICE
    list_title = _("Webhook deliveries")
    list_intro = _("What was sent to which endpoint, and what it answered. Kept for 90 days. Times are in UTC.")
    empty_text = _("Nothing has been sent yet")
    list_display = ("stands", "delivery", "to", "tries", "made")
    filter_form = DeliveryFilters
    page_template = "console/webhook_delivery.html"

    def get_urls(self) -> list[URLPattern]:
        replay = path(
            "<path:object_id>/replay/",
            self.admin_site.admin_view(self.replay_view),
            name="alerts_webhookdelivery_replay",
        )
        return [replay, *super().get_urls()]

    def narrow(self, queryset: QuerySet[WebhookDelivery], chosen: Mapping[str, Any]) -> QuerySet[WebhookDelivery]:
        if chosen.get("endpoint"):
            queryset = queryset.filter(endpoint=chosen["endpoint"])
        if chosen.get("state"):
            queryset = queryset.filter(state=chosen["state"])
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "message", "endpoint")

    @admin.display(description=_("Message"))
    def delivery(self, row: WebhookDelivery) -> SafeString:
        return cells.lines(cells.page_link(row, row.message.get_type_display()), row.message.type)

    @admin.display(description=_("State"))
    def stands(self, row: WebhookDelivery) -> SafeString:
        return cells.label(DELIVERY_STATES[row.state])

    @admin.display(description=_("Endpoint"))
    def to(self, row: WebhookDelivery) -> str:
        return row.endpoint.name

    @admin.display(description=_("Tries"))
    def tries(self, row: WebhookDelivery) -> int:
        return row.attempts

    @admin.display(description=_("Made"))
    def made(self, row: WebhookDelivery) -> SafeString:
        return cells.instant(row.made_at, utc(row.made_at), "UTC")

    def page(self, row: Any) -> dict[str, Any]:
        """One delivery: the message as it is sent, and every try."""
        prefetch_related_objects([row], "message", "endpoint")
        return {
            **_delivery_line(row),
            "title": row.message.get_type_display(),
            "tried": [(each, utc(each.began_at)) for each in row.tries.order_by("-id")[:MOST_SHOWN]],
            "may_be_replayed": row.state != "waiting" and row.endpoint.is_active,
            "most_tries": len(RETRIES) + 1,
        }

    def show(self, request: HttpRequest, object_id: str, *, template: str, **extra: Any) -> HttpResponse:
        return super().show(request, object_id, template=template, may_replay=_may_replay(request), **extra)

    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Has it sent once more. Takes POST only."""
        row = self.get_object(request, unquote(object_id))
        if not (_may_replay(request) and self.has_view_permission(request, row)):
            raise PermissionDenied
        if row is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if replay_delivery(row.pk, now=timezone.now()):
            messages.success(request, gettext("It is sent again, with the same webhook-id."))
        else:
            messages.error(request, gettext("It is on its way already, or its endpoint is off."))
        return HttpResponseRedirect(cells.page_url(row))


def utc(value: Any) -> str:
    """A moment in UTC; "" for None."""
    return "" if value is None else written_moment(value, "UTC")


def _may_replay(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("alerts.change_webhookdelivery"))


def _event_names(row: WebhookEndpoint) -> list[str]:
    labels = dict(EventType.choices)
    return [str(labels.get(event, event)) for event in row.events]


def _delivery_line(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "delivery": row,
        "standing": DELIVERY_STATES[row.state],
        "made": utc(row.made_at),
        "due": utc(row.due_at) if row.state == "waiting" else "",
        "ended": utc(row.ended_at),
    }
