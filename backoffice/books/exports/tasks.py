"""Celery's entry into exports."""

from celery import shared_task
from django.utils import timezone

from backoffice.books.exports.jobs import run_waiting


@shared_task
def run_exports() -> None:
    """Performs the exports that the console has asked for."""
    run_waiting(now=timezone.now())
