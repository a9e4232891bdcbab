"""What a till sent, as it is stored: of an upload, or of one order or cash movement in it.

It may name customers and hold whatever a till wrote, so it has a right of its own, asks again who is there, and each reading
is in the audit trail.
"""

import zlib
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from backoffice.inbox.models import Batch
from backoffice.review.entrance.rule import ask_again
from backoffice.review.middleware import actor_of
from backoffice.review.originals import Place, StoredOriginal, read_originals
from backoffice.review.pages import console_page
from backoffice.review.rights import reads_originals
from backoffice.trail.events import DOWNLOADED, READ, record_event

MOST_MEMBERS = 1_000_000


class PlaceForm(forms.Form):
    """Which member of the upload; without any, all of it."""

    order = forms.IntegerField(required=False, min_value=0, max_value=MOST_MEMBERS)
    movement = forms.IntegerField(required=False, min_value=0, max_value=MOST_MEMBERS)


def stored_page(request: HttpRequest, batches: QuerySet[Batch], key: str) -> HttpResponse:
    """The stored text of one of `batches`; a POST hands out its bytes. Raises Http404, PermissionDenied, and what asks again."""
    if not reads_originals(request):
        raise PermissionDenied
    try:
        batch = batches.select_related("terminal__store").filter(pk=key).first()
    except ValidationError:
        batch = None  # what no key can be
    if batch is None:
        raise Http404
    ask_again(request)
    if request.method == "POST":
        return _bytes_of(request, batch)
    place = _place(request, batch)
    body = zlib.decompress(batch.body)
    original = StoredOriginal(body) if place is None else _member(place)
    _note(request, READ, batch, place)
    context: dict[str, Any] = {
        "title": gettext("What the till sent"),
        "row": batch,
        "original": original,
        "place": place,
        "digest": bytes(batch.digest).hex(),
        "up_title": gettext("Uploads"),
        "up_url": reverse("admin:inbox_batch_changelist"),
    }
    return console_page(request, "console/stored.html", context)


def _bytes_of(request: HttpRequest, batch: Batch) -> HttpResponse:
    body = zlib.decompress(batch.body)
    _note(request, DOWNLOADED, batch, None)
    name = f"upload-{batch.pk}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="application/octet-stream", headers=headers)


def _place(request: HttpRequest, batch: Batch) -> Place | None:
    form = PlaceForm(request.GET)
    if not form.is_valid():
        raise Http404
    for what in ("order", "movement"):
        if (position := form.cleaned_data[what]) is not None:
            return Place(batch.pk, what, position)
    return None


def _member(place: Place) -> StoredOriginal:
    try:
        return read_originals([place])[place]
    except IndexError:
        raise Http404 from None


def _note(request: HttpRequest, deed: str, batch: Batch, place: Place | None) -> None:
    """In the audit trail, of the upload's store: whoever reads does so without changing anything, so their name is given."""
    record_event(
        deed,
        about="batch",
        object_id=str(batch.pk),
        object_name=batch.terminal.name,
        store_id=batch.terminal.store_id,
        said=None if place is None else {place.what: place.position + 1},
        actor=actor_of(request),
    )
