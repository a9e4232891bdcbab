"""Celery's entries into the workshop. Thin: each makes one call."""

from celery import Task, shared_task
from django.utils import timezone

from backoffice.health.broker import leave_answer
from backoffice.ingestion.batch.refunds import look_again_at_arrived
from backoffice.ingestion.months import drain_default, make_months
from backoffice.ingestion.reconcile import catch_up_on_shifts
from backoffice.ingestion.sweep import process_waiting


@shared_task
def look() -> None:
    """Looks into the inbox: the message says nothing else."""
    process_waiting()


@shared_task
def sweep() -> None:
    """Beat's look into the inbox, for whatever no bell was rung for."""
    process_waiting()


@shared_task
def months() -> None:
    """Makes the partitions of the months to come, and of rows that came before theirs was made."""
    today = timezone.now().date()
    make_months(today=today)
    drain_default(today=today)


@shared_task
def refunds() -> None:
    """Catches up on refunds whose original arrived beside them."""
    look_again_at_arrived(now=timezone.now())


@shared_task
def shifts() -> None:
    """Catches up on closing shifts for which everything arrived unnoticed."""
    catch_up_on_shifts(now=timezone.now())


@shared_task(bind=True)
def answer(self: "Task[[], None]") -> None:
    """Lets `doctor` see that a worker reads messages. It recognises its own by the task's id, since no message has arguments."""
    leave_answer(str(self.request.id))
