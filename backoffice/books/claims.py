"""Taking a held order, so that two people do not work on one (books, "Decisions"). A claim lapses by itself."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.books.models import HeldClaim
from backoffice.books.refusals import NotDecided
from backoffice.sales.models import HeldItem

LAPSES_AFTER = timedelta(minutes=15)


def claim_held(item: HeldItem, *, person: User, now: datetime) -> HeldClaim:
    """Takes a held order, or goes on with it. Raises NotDecided while another has it."""
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


def check_unclaimed(item: HeldItem, *, person: User, now: datetime) -> None:
    """Raises NotDecided while somebody else has it."""
    claim = HeldClaim.objects.filter(held=item, until__gt=now).exclude(person=person).select_related("person").first()
    if claim is not None:
        raise NotDecided("claimed", f"{claim.person} is at work on it until {claim.until.isoformat()}.")
