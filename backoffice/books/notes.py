"""Notes beside a row: written by whoever may see it and has the right, taken back by their author, never changed."""

from datetime import datetime

from django.contrib.auth.models import User

from backoffice.books.cards import without_cards
from backoffice.books.models import Note, NoteTakenBack
from backoffice.books.people import check_store, check_typed_note
from backoffice.books.refusals import NotDecided

RIGHT = "books.add_note"
MOST_SHOWN = 100
MOST_DIGITS = 18


def notes_on(about: str, subject: str, *, store_id: int) -> list[Note]:
    """The newest notes on one row, the newest first, each with its author and whether it was taken back. One statement."""
    notes = Note.objects.filter(about=about, subject=subject, store=store_id).select_related("person", "taken_back")
    return list(notes.order_by("-id")[:MOST_SHOWN])


def find_note(key: str, about: str, subject: str, *, store_id: int) -> Note | None:
    """The note of this key, however old, where it is on this row; None for what is no key."""
    if not key.isascii() or not key.isdecimal() or len(key) > MOST_DIGITS:
        return None
    return Note.objects.filter(pk=int(key), about=about, subject=subject, store=store_id).first()


def add_note(about: str, subject: str, text: str, *, store_id: int, person: User, now: datetime) -> Note:
    """Keeps a note, without the card data that is in it. Raises NotDecided."""
    _check(person, store_id)
    check_typed_note(text)
    kept = without_cards(text.strip(), {}).note
    if not kept:
        raise NotDecided("note-missing", "A note has to say something.")
    return Note.objects.create(
        about=about, subject=subject, store_id=store_id, person=person, written_at=now, text=kept
    )


def take_note_back(note: Note, *, person: User, now: datetime) -> None:
    """Strikes a note of one's own through; again is nothing new. Raises NotDecided for one of somebody else."""
    _check(person, note.store_id)
    if note.person_id != person.pk:
        raise NotDecided("not-allowed", "Only its author takes a note back.")
    NoteTakenBack.objects.get_or_create(note=note, defaults={"taken_back_at": now})


def _check(person: User, store_id: int) -> None:
    if not person.has_perm(RIGHT):
        raise NotDecided("not-allowed", f"{person} may not write notes.")
    check_store(person, store_id)
