"""Celery's entry into the sealer."""

from celery import shared_task
from django.utils import timezone

from backoffice.books.evidence.checkpoints import sign_if_possible
from backoffice.books.evidence.sealer import seal_some


@shared_task
def seal_books() -> None:
    """Seals what is closed, and signs it where there is a key."""
    now = timezone.now()
    seal_some(now=now)
    sign_if_possible(now=now)
