"""What calls for an alert, measured: a few statements over indexes of what is open, waiting or recent, whatever has been sold.

Each gives what may be above the thresholds; `domain.alerts` decides.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.alerts.models import AlertRule
from backoffice.domain.alerts import AlertKind, AlertSign, Thresholds, thresholds_of
from backoffice.fleet.models import Store
from backoffice.health.backlog import oldest_unsealed_s
from backoffice.postgres.rows import named_rows

Rules = Mapping[tuple[AlertKind, int | None], Thresholds]

# A drawer that adds up well enough for its store needs nobody's approval, so that nothing ends its alert: after so many
# business days it is no news.
OVER_SHORT_DAYS = 3
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

# Every till at work, and when it was heard from last: by heartbeat, upload, opening or close. What head office decides is a
# batch too, and says nothing of the till.
AT_WORK = """
SELECT s.store_id, s.terminal_id, t.name, s.shift_id, coalesce(s.opened_at_corrected, s.opened_at) AS opened_at,
    greatest(s.received_at, h.received_at, b.received_at, c.close_received_at) AS heard_at
FROM sales_shift s JOIN fleet_terminal t ON t.id = s.terminal_id
LEFT JOIN fleet_heartbeat h ON h.terminal_id = s.terminal_id
LEFT JOIN LATERAL (
    SELECT received_at FROM inbox_batch
    WHERE terminal_id = s.terminal_id AND NOT EXISTS (SELECT FROM books_decision d WHERE d.id = inbox_batch.batch_id)
    ORDER BY received_at DESC LIMIT 1
) AS b ON true
LEFT JOIN LATERAL (
    SELECT close_received_at FROM sales_shift
    WHERE terminal_id = s.terminal_id AND close_received_at IS NOT NULL ORDER BY close_received_at DESC LIMIT 1
) AS c ON true
WHERE s.state = 'open' AND s.recorded_end IS NULL
"""
# As the till said it last. One whose tokens are all revoked will never say otherwise.
CACHED = """
SELECT t.store_id, t.id AS terminal_id, t.name, h.cached_orders, coalesce(h.offline_since, h.received_at) AS since
FROM fleet_heartbeat h JOIN fleet_terminal t ON t.id = h.terminal_id
JOIN unnest(%(stores)s::int[], %(least)s::bigint[]) AS rule (store_id, least) ON rule.store_id = t.store_id
WHERE h.cached_orders >= rule.least
    AND EXISTS (SELECT FROM fleet_credential c WHERE c.terminal_id = t.id AND c.revoked_at IS NULL)
"""
WAITING = """
SELECT t.store_id, t.id AS terminal_id, t.name, min(b.received_at) AS since
FROM inbox_batch b JOIN fleet_terminal t ON t.id = b.terminal_id
WHERE b.state <> 'processed' GROUP BY t.id
"""
GAPS = """
SELECT s.store_id, s.terminal_id, t.name, s.shift_id, coalesce(s.close_received_at, s.received_at) AS since
FROM sales_shift s JOIN fleet_terminal t ON t.id = s.terminal_id
WHERE s.state = 'closing'
"""
# Of the last business days by store and day, and so not by state; what is discrepant, however old, from the index of what
# is unsettled.
OVER_SHORT = """
WITH rule AS (
    SELECT * FROM unnest(%(stores)s::int[], %(least)s::bigint[]) AS rule (store_id, least)
), found AS (
    SELECT s.* FROM rule JOIN sales_shift s ON s.store_id = rule.store_id AND s.business_date >= %(first_day)s
    WHERE s.state NOT IN ('open', 'closing', 'approved') AND abs(s.over_short) >= rule.least
    UNION ALL
    SELECT s.* FROM sales_shift s JOIN rule ON s.store_id = rule.store_id
    WHERE s.state = 'discrepant' AND s.business_date < %(first_day)s AND abs(s.over_short) >= rule.least
)
SELECT found.store_id, found.terminal_id, t.name, found.shift_id, abs(found.over_short) AS over_short,
    found.close_received_at AS since
FROM found JOIN fleet_terminal t ON t.id = found.terminal_id
"""


class Look(NamedTuple):
    """What one look has found, and how many tills of each store are at work."""

    signs: list[AlertSign]
    at_work: Mapping[int, int]


def read_rules() -> Rules:
    """All thresholds, by kind and store. One statement."""
    rows = AlertRule.objects.values_list("kind", "store_id", "warning", "critical")
    return {(AlertKind(kind), store_id): Thresholds(*levels) for kind, store_id, *levels in rows}


def look_for_signs(rules: Rules, *, now: datetime) -> Look:
    """Measures whatever has a rule. Seven statements at most."""
    stores = list(Store.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        at_work = _rows(cursor, AT_WORK)
        signs = [
            *_silent_and_open(at_work, now=now),
            *_cached(cursor, _limits(rules, AlertKind.CACHED, stores)),
            *_over_short(cursor, _limits(rules, AlertKind.OVER_SHORT, stores), now=now),
            *(
                _sign(AlertKind.WAITING, row, _whole(now - row["since"], MINUTE), since=row["since"])
                for row in _rows(cursor, WAITING)
            ),
            *(
                _sign(AlertKind.GAP, row, _whole(now - row["since"], HOUR), since=row["since"], of_shift=True)
                for row in _rows(cursor, GAPS)
            ),
        ]
    if (unsealed_s := oldest_unsealed_s(now=now)) >= MINUTE.total_seconds():
        since = now - timedelta(seconds=unsealed_s)
        signs.append(AlertSign(AlertKind.UNSEALED, None, "", int(unsealed_s // MINUTE.total_seconds()), since))
    return Look(signs, Counter(row["store_id"] for row in at_work))


def _silent_and_open(at_work: list[dict[str, Any]], *, now: datetime) -> Iterator[AlertSign]:
    for row in at_work:
        heard, opened = row["heard_at"], row["opened_at"]
        yield _sign(AlertKind.SILENT, row, _whole(now - heard, MINUTE), since=heard)
        yield _sign(AlertKind.OPEN_LONG, row, _whole(now - opened, HOUR), since=opened, of_shift=True)


def _cached(cursor: CursorWrapper, limits: dict[str, Any]) -> Iterator[AlertSign]:
    if limits["stores"]:
        for row in _rows(cursor, CACHED, limits):
            yield _sign(AlertKind.CACHED, row, row["cached_orders"], since=row["since"])


def _over_short(cursor: CursorWrapper, limits: dict[str, Any], *, now: datetime) -> Iterator[AlertSign]:
    if limits["stores"]:
        first_day = (now - timedelta(days=OVER_SHORT_DAYS)).date()
        for row in _rows(cursor, OVER_SHORT, limits | {"first_day": first_day}):
            yield _sign(AlertKind.OVER_SHORT, row, row["over_short"], since=row["since"], of_shift=True)


def _limits(rules: Rules, kind: AlertKind, stores: list[int]) -> dict[str, Any]:
    """From which measure on each store's rows are of interest; stores without a rule are left out."""
    least = {store: thresholds_of(rules, kind, store).least for store in stores}
    kept = {store: level for store, level in least.items() if level is not None}
    return {"stores": list(kept), "least": list(kept.values())}


def _sign(
    kind: AlertKind, row: Mapping[str, Any], value: int, *, since: datetime | None, of_shift: bool = False
) -> AlertSign:
    shift_id = str(row["shift_id"]) if of_shift else None
    subject = shift_id or f"terminal {row['terminal_id']}"
    return AlertSign(kind, row["store_id"], subject, value, since, row["terminal_id"], shift_id, (row["name"],))


def _whole(span: timedelta, unit: timedelta) -> int:
    return max(0, span // unit)


def _rows(cursor: CursorWrapper, statement: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    cursor.execute(statement, parameters)
    return named_rows(cursor)
