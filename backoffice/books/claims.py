"""Taking a held order, so that two people do not work on one (books, "Decisions"). A claim lapses by itself."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.books.models import HeldClaim
from backoffice.books.people import check_right
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.domain.moments import moment
from backoffice.sales.models import HeldItem

LAPSES_AFTER = timedelta(minutes=15)


def claim_held(item: HeldItem, *, person: User, now: datetime) -> HeldClaim:
    """Takes a held order, or goes on with it. Raises NotDecided while another has it, and without the right to decide it."""
    check_right(person, Verb.POST)
    with transaction.atomic():
        HeldItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        check_unclaimed(item, person=person, now=now)
        claim, _ = HeldClaim.objects.update_or_create(
            held=item, defaults={"person": person, "until": now + LAPSES_AFTER}
        )
    return claim


def release_held(item: HeldItem, *, person: User) -> None:
    """Gives it back before the claim lapses. What another has taken stays theirs."""
    HeldClaim.objects.filter(held=item, person=person).delete()


def standing_claim(item: HeldItem, *, now: datetime) -> HeldClaim | None:
    """Who is at work on it; None where nobody is."""
    return HeldClaim.objects.filter(held=item, until__gt=now).select_related("person").first()


def check_unclaimed(item: HeldItem, *, person: User, now: datetime) -> None:
    """Raises NotDecided while somebody else has it."""
    claim = standing_claim(item, now=now)
    if claim is not None and claim.person != person:
        until = moment(claim.until, item.store.timezone)
        raise NotDecided("claimed", f"{claim.person} is at work on it until {until}.")
