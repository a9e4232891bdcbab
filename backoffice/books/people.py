"""Who may decide what."""

from collections.abc import Mapping

from django.contrib.auth.models import User

from backoffice.books.models import MAX_NOTE, ReasonCode
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb

PERMISSIONS: Mapping[Verb, str] = {
    Verb.POST: "decide_held",
    Verb.CORRECT: "decide_held",
    Verb.DISCARD: "decide_held",
    Verb.MOVE: "decide_held",
    Verb.VOID: "decide_order",
    Verb.RETENDER: "decide_order",
    Verb.EXPLAIN: "decide_numbers",
    Verb.ENTER: "decide_numbers",
    Verb.RECOUNT: "decide_shift",
    Verb.END: "decide_shift",
    Verb.APPROVE: "decide_shift",
    Verb.COUNT_SAFE: "decide_safe",
    Verb.BANK: "decide_safe",
    Verb.LOCK: "decide_period",
    Verb.UNLOCK: "decide_period",
    Verb.IMPORT_CACHE: "decide_terminal",
}


def find_person(name: str) -> User:
    """The person who logs in under this name. Raises NotDecided."""
    person = User.objects.filter(username=name, is_active=True).first()
    if person is None:
        raise NotDecided("unknown-person", f"Nobody who may log in is called {name}.")
    return person


def check_right(person: User, verb: Verb) -> None:
    """Raises NotDecided unless the person may decide this, and so also agree to it."""
    if not person.is_active or not person.has_perm(f"books.{PERMISSIONS[verb]}"):
        raise NotDecided("not-allowed", f"{person} may not decide this ({verb}).")


def check_typed_note(note: str) -> None:
    """Raises NotDecided for a note that cannot be kept."""
    if len(note) > MAX_NOTE or "\0" in note:
        raise NotDecided("note-too-long", f"A note has at most {MAX_NOTE} characters, and none that cannot be shown.")


def usable_reason(verb: Verb, code: str, *, person: User, note: str) -> ReasonCode:
    """The reason of this code, if the person may give it. Raises NotDecided, also where its note is missing."""
    check_typed_note(note)
    reason = ReasonCode.objects.filter(verb=verb.value, code=code, is_active=True).first()
    if reason is None:
        known = ReasonCode.objects.filter(verb=verb.value, is_active=True).values_list("code", flat=True)
        raise NotDecided("unknown-reason", f"{code!r} is no reason to {verb}. Reasons are: {', '.join(known)}.")
    if (
        reason.group_id is not None
        and not person.is_superuser
        and not person.groups.filter(pk=reason.group_id).exists()
    ):
        raise NotDecided("not-allowed", f"Only {reason.group} may give the reason {code}.")
    if reason.needs_note and not note.strip():
        raise NotDecided("note-missing", f"The reason {code} needs a note.")
    return reason
