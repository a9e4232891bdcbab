"""The terminal's lock: whoever writes what belongs to a terminal does so one after the other (ADR 5)."""

from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from backoffice.fleet.models import Terminal
from backoffice.postgres.transactions import transaction_required


@transaction_required
def lock_terminal(terminal_id: int) -> None:
    """Waits for whatever is at work on this terminal, and keeps others away until the transaction ends."""
    Terminal.objects.select_for_update(no_key=True).only("pk").get(pk=terminal_id)


def is_lock_wait(error: BaseException) -> bool:
    """Whether a transaction ended because another one was in its way: it may be tried again as it is.

    psycopg raises such an error itself, or is the cause of Django's.
    """
    return any(
        isinstance(found, (LockNotAvailable, DeadlockDetected, SerializationFailure))
        for found in (error, error.__cause__)
    )
