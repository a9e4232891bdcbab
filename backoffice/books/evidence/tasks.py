"""Celery's entry into the sealer."""

from celery import shared_task
from django.utils import timezone

from backoffice.books.evidence.checkpoints import sign_if_possible
from backoffice.books.evidence.sealer import seal_some
from backoffice.books.evidence.stamping import stamp_beside


@shared_task
def seal_books() -> None:
    """Seals what is closed, signs it where there is a key, and has it stamped where there is an authority."""
    now = timezone.now()
    seal_some(now=now)
    sign_if_possible(now=now)
    stamp_beside(now=now)
