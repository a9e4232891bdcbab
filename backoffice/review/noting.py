"""Notes on a page: what people wrote about its row, and the form that adds one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext

from backoffice.books.models import MAX_NOTE
from backoffice.books.notes import RIGHT, add_note, find_note, notes_on, take_note_back
from backoffice.books.refusals import NotDecided
from backoffice.fleet.models import Store


def notes_card(request: HttpRequest, about: str, subject: object, *, store: Store, address: str) -> dict[str, Any]:
    """What `console/notes.html` shows; `address` is where its forms are sent."""
    return {
        "row_notes": notes_on(about, str(subject), store_id=store.pk),
        "notes_store": store,
        "notes_address": address if request.user.has_perm(RIGHT) else "",
        "most_of_a_note": MAX_NOTE,
    }


def answer_note(request: HttpRequest, about: str, subject: object, *, store: Store, back: str) -> HttpResponse:
    """Keeps the note that was sent, or takes back the one that is named; then goes back. Raises PermissionDenied."""
    person = request.user
    if not isinstance(person, User) or not person.has_perm(RIGHT):
        raise PermissionDenied
    now = timezone.now()
    try:
        if key := request.POST.get("take_back"):
            note = find_note(key, about, str(subject), store_id=store.pk)
            if note is not None:
                take_note_back(note, person=person, now=now)
        else:
            add_note(about, str(subject), request.POST.get("note", ""), store_id=store.pk, person=person, now=now)
    except NotDecided:
        messages.error(request, gettext("The note was not kept: it has to say something, in at most 500 characters."))
    return HttpResponseRedirect(f"{back}#notes")
