"""The terminal's lock: whoever writes what belongs to a terminal does so one after the other (ADR 5).

And the store's announcement: whoever posts says so until the transaction ends, and whoever locks the store's books waits
for all who do (ADR 39).
"""

from django.db.backends.utils import CursorWrapper
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from backoffice.postgres.pipeline import ask_together
from backoffice.postgres.transactions import transaction_required

# The announcement comes first, and what is read of the locked period after it, by another statement: so nothing is posted by
# a lock of before. Whoever locks a period waits for those who post, and takes no terminal: nobody waits for each other.
ANNOUNCE_TERMINAL = "SELECT pg_advisory_xact_lock_shared(2, store_id) FROM fleet_terminal WHERE id = %s"
LOCK_TERMINAL = "SELECT id FROM fleet_terminal WHERE id = %s FOR NO KEY UPDATE"
ANNOUNCE_POSTING = "SELECT pg_advisory_xact_lock_shared(2, %s::integer)"
AWAIT_POSTINGS = "SELECT pg_advisory_xact_lock(2, %s::integer)"


@transaction_required
def lock_terminal(terminal_id: int) -> None:
    """Waits for whatever is at work on this terminal, and keeps others away until the transaction ends.

    It announces that this transaction posts for the terminal's store.
    """
    ask_together((ANNOUNCE_TERMINAL, [terminal_id]), (LOCK_TERMINAL, [terminal_id]))


@transaction_required
def announce_posting(cursor: CursorWrapper, *, store_id: int) -> None:
    """Says that this transaction posts for a store: the lock of its period stays as it is until the transaction ends."""
    cursor.execute(ANNOUNCE_POSTING, [store_id])


@transaction_required
def await_postings(cursor: CursorWrapper, *, store_id: int) -> None:
    """Waits for all who are posting for a store, and keeps others from it until the transaction ends."""
    cursor.execute(AWAIT_POSTINGS, [store_id])


def is_lock_wait(error: BaseException) -> bool:
    """Whether a transaction ended because another one was in its way: it may be tried again as it is.

    psycopg raises such an error itself, or is the cause of Django's.
    """
    return any(
        isinstance(found, (LockNotAvailable, DeadlockDetected, SerializationFailure))
        for found in (error, error.__cause__)
    )
