"""Celery's entry into what is kept for reports."""

from celery import shared_task
from django.utils import timezone

from backoffice.books.reports.keeping import keep_figures


@shared_task
def keep_reports() -> None:
    """Keeps the figures of some days that nobody sells in any more."""
    keep_figures(today=timezone.now().date())
