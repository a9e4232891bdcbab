"""The newest checkpoint, for whoever hands it on: read as it was signed, without a key."""

from django.db import connection

SELECT_NEWEST = "SELECT note FROM evidence_checkpoint ORDER BY size DESC, id DESC LIMIT 1"


def newest_checkpoint() -> str | None:
    """The newest note that was signed, None before there is one."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_NEWEST)
        row = cursor.fetchone()
    return None if row is None else str(row[0])
