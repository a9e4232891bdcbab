"""The first hours of an installation: a first store, a first terminal with its code, and waiting for its first word."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import segno
from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

from backoffice.fleet.models import ActivationCode, Heartbeat, Store, Terminal, check_printable
from backoffice.ingestion.stores import create_store

# Areas of the IANA database that are places; the others are names of before, or of no place.
AREAS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


def _zones() -> list[tuple[str, str]]:
    places = sorted(name for name in available_timezones() if name.startswith(AREAS))
    return [("", "–"), *((name, name.replace("_", " ")) for name in (*places, "UTC"))]


def _currencies() -> list[tuple[str, str]]:
    names = Locale.parse(to_locale(get_language() or "en")).currencies
    return [("", "–"), *((code, f"{code} – {name}") for code, name in sorted(names.items()) if len(code) == 3)]  # noqa: PLR2004 - ISO 4217


class PlainForm(forms.Form):
    """A form whose fields stand one below the other, with their labels above them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "set-up-%s", "label_suffix": ""})


class NewStoreForm(PlainForm):
    """What a store is; its limits are set later. Time zone and currency cannot be changed once it has sold."""

    name = forms.CharField(label=_("Name"), max_length=200, validators=[check_printable])
    code = forms.CharField(
        label=_("Code"), max_length=32, validators=[check_printable], help_text=_("Short, and for ever: such as PAR1.")
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=_zones, help_text=_("Its business days follow from it. Cannot be changed later.")
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=_currencies, help_text=_("Cannot be changed later."))
    prices_include_tax = forms.BooleanField(label=_("Prices include tax"), required=False, initial=True)

    def create(self) -> Store | None:
        """The new store; None where the form now says why not."""
        try:
            return create_store(**self.cleaned_data)
        except ValidationError as refusal:
            self.add_error(None, refusal)  # which names the fields
            return None


class NewTerminalForm(PlainForm):
    """A till's store, and what people there call it."""

    store = forms.ModelChoiceField(Store.objects.all(), label=_("Store"))
    name = forms.CharField(
        label=_("Name"), max_length=100, validators=[check_printable], help_text=_("As people call it: such as Till 1.")
    )

    def clean(self) -> dict[str, Any]:
        """No other terminal of the store has the name."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        store, name = cleaned.get("store"), cleaned.get("name")
        if store and name and Terminal.objects.filter(store=store, name=name).exists():
            self.add_error("name", _("Another terminal of this store has this name."))
        return cleaned


def qr_code(code: str) -> SafeString:
    """An activation code as a QR code, an SVG in the page: a till with a scanner reads what its keyboard would type."""
    # Its modules alone, drawn from our own symbols: nothing in it is of anybody's input.
    return mark_safe(segno.make(code, error="m", micro=False).svg_inline(scale=6, border=4, dark="#000", light="#fff"))  # noqa: S308  # nosec B308 B703


def set_up_page(console: Any, request: HttpRequest, form: PlainForm, title: str, button: str) -> HttpResponse:
    """A form of the set-up, below the list that `console` shows."""
    request.current_app = console.admin_site.name
    context = {**console.admin_site.each_context(request), **console.way_up(), "title": title}
    return TemplateResponse(request, "console/set_up.html", context | {"form": form, "button": button})


@dataclass(frozen=True)
class Arrival:
    """How far a terminal is with the newest code that was issued for it."""

    expires_at: datetime | None
    used_at: datetime | None
    heard_at: datetime | None
    is_expired: bool

    @property
    def is_there(self) -> bool:
        """Whether it was heard from after it was activated."""
        return self.heard_at is not None


def read_arrival(terminal: Terminal, *, now: datetime) -> Arrival:
    """Whether the newest code was used, and whether the till has spoken since. Two statements."""
    code = ActivationCode.objects.filter(terminal=terminal).order_by("-created_at").first()
    beat = Heartbeat.objects.filter(terminal=terminal).first()
    used = terminal.activated_at if code is None else code.used_at
    heard = beat.received_at if beat is not None and used is not None and beat.received_at >= used else None
    expires = None if code is None else code.expires_at
    return Arrival(expires, used, heard, is_expired=used is None and (expires is None or expires <= now))
