"""Who may decide what, and of which stores."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.utils.translation import gettext

from backoffice.books.models import MAX_NOTE, Membership, ReasonCode
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
    Verb.BANK_RECEIVED: "decide_safe",
    Verb.BANK_CHANGE: "decide_safe",
    Verb.LOCK: "decide_period",
    Verb.UNLOCK: "decide_period",
    Verb.IMPORT_CACHE: "decide_terminal",
}
OWN_STORES_ONLY = "books.own_stores_only"


class Reach(NamedTuple):
    """The stores that somebody may see and decide about, by their ids; None are all stores, also those to come."""

    store_ids: frozenset[int] | None

    def holds(self, store_id: int | None) -> bool:
        """Whether a store is among them. What is of no store is not."""
        return self.store_ids is None or store_id in self.store_ids

    def of(self, queryset: QuerySet[Any], path: str) -> QuerySet[Any]:
        """The rows of these stores. `path` leads from a row to its store, such as `terminal__store`."""
        return queryset if self.store_ids is None else queryset.filter(**{f"{path}__in": sorted(self.store_ids)})


EVERYWHERE, NOWHERE = Reach(None), Reach(frozenset())


def reach_of(person: User | AnonymousUser) -> Reach:
    """Where somebody may work, as it stands in the database now. One statement, besides those of their rights.

    Whoever has a membership has its stores and no others, also where it has none. So has whoever may see their own stores
    only, with a membership or without. Everybody else has every store.
    """
    if not person.is_active:
        return NOWHERE
    if person.is_superuser:
        return EVERYWHERE
    stores = Membership.objects.filter(person=person.pk).values_list("pk", "stores__pk")
    found = {store_id for _, store_id in stores if store_id is not None}
    return Reach(frozenset(found)) if stores or person.has_perm(OWN_STORES_ONLY) else EVERYWHERE


def find_person(name: str) -> User:
    """The person who logs in under this name. Raises NotDecided."""
    person = User.objects.filter(username=name, is_active=True).first()
    if person is None:
        raise NotDecided("unknown-person", gettext("Nobody who may log in is called {name}.").format(name=name))
    return person


def check_right(person: User, verb: Verb) -> None:
    """Raises NotDecided unless the person may decide this, and so also agree to it."""
    if not person.is_active or not person.has_perm(f"books.{PERMISSIONS[verb]}"):
        raise NotDecided(
            "not-allowed", gettext("{person} may not decide this ({verb}).").format(person=person, verb=verb)
        )


def check_store(person: User, store_id: int) -> None:
    """Raises NotDecided unless the person may decide about this store."""
    if not reach_of(person).holds(store_id):
        raise NotDecided("not-allowed", gettext("{person} may not decide about this store.").format(person=person))


def check_typed_note(note: str) -> None:
    """Raises NotDecided for a note that cannot be kept."""
    if len(note) > MAX_NOTE or "\0" in note:
        raise NotDecided(
            "note-too-long",
            gettext("A note has at most {most} characters, and none that cannot be shown.").format(most=MAX_NOTE),
        )


def usable_reason(verb: Verb, code: str, *, person: User, note: str) -> ReasonCode:
    """The reason of this code, if the person may give it. Raises NotDecided, also where its note is missing."""
    check_typed_note(note)
    reason = ReasonCode.objects.filter(verb=verb.value, code=code, is_active=True).first()
    if reason is None:
        known = ReasonCode.objects.filter(verb=verb.value, is_active=True).values_list("code", flat=True)
        raise NotDecided(
            "unknown-reason",
            gettext("{code} is no reason to {verb}. Reasons are: {named}.").format(
                code=f"{code!r}", verb=verb, named=", ".join(known)
            ),
        )
    if (
        reason.group_id is not None
        and not person.is_superuser
        and not person.groups.filter(pk=reason.group_id).exists()
    ):
        raise NotDecided(
            "not-allowed", gettext("Only {group} may give the reason {code}.").format(group=reason.group, code=code)
        )
    if reason.needs_note and not note.strip():
        raise NotDecided("note-missing", gettext("The reason {code} needs a note.").format(code=code))
    return reason
