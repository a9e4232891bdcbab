"""Taking a held order, so that two people do not work on one (books, "Decisions"). A claim lapses by itself."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from backoffice.books.models import HeldClaim
from backoffice.books.people import check_right, check_store
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.languages.moments import written_moment
from backoffice.sales.models import HeldItem

LAPSES_AFTER = timedelta(minutes=15)


def claim_held(item: HeldItem, *, person: User, now: datetime) -> HeldClaim:
    """Takes a held order, or goes on with it.

    Raises NotDecided while another has it, once it is decided, and without the right to decide it there.
    """
    check_right(person, Verb.POST)
    check_store(person, item.store_id)
    with transaction.atomic():
        held = HeldItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        if held.decision_id is not None:
            raise already_decided(held.decision_id)
        check_unclaimed(item, person=person, now=now)
        mine = standing_claim(item, now=now)
        since = now if mine is None else mine.since
        claim, _ = HeldClaim.objects.update_or_create(
            held=item, defaults={"person": person, "since": since, "until": now + LAPSES_AFTER}
        )
    return claim


def release_held(item: HeldItem, *, person: User, until: datetime | None = None) -> None:
    """Gives it back before the claim lapses. What another has taken stays theirs.

    `until` names the claim that is given back: a page that is left late takes nothing from one that was opened since.
    """
    mine = HeldClaim.objects.filter(held=item, person=person)
    (mine if until is None else mine.filter(until=until)).delete()


def standing_claims(items: Collection[int], *, now: datetime) -> dict[int, HeldClaim]:
    """Who is at work on which of these held orders, by their keys. One statement."""
    claims = HeldClaim.objects.filter(held__in=items, until__gt=now).select_related("person")
    return {claim.held_id: claim for claim in claims}


def standing_claim(item: HeldItem, *, now: datetime) -> HeldClaim | None:
    """Who is at work on it; None where nobody is."""
    return standing_claims([item.pk], now=now).get(item.pk)


def check_unclaimed(item: HeldItem, *, person: User, now: datetime) -> None:
    """Raises NotDecided while somebody else has it."""
    claim = standing_claim(item, now=now)
    if claim is not None and claim.person != person:
        until = written_moment(claim.until, item.store.timezone)
        raise NotDecided(
            "claimed", gettext("{person} is at work on it until {until}.").format(person=claim.person, until=until)
        )
