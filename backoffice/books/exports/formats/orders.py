"""What was sold, beside what was posted: orders as JSON Lines, and lines of orders as they go into Parquet.

Of each revision the orders, and what head office changed of them (void, retender): each is where its entry is. Orders that
post nothing have no entry and no seal, and so are in no revision.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

from backoffice.books.exports.formats.sending import Sending
from backoffice.books.exports.models import ExportRevision
from backoffice.books.exports.reading import ENTRIES, PAGE, range_of

ORDERS = """, event AS (
    SELECT e.*, s.entry_id AS order_row, s.business_date AS order_day FROM entry e
    JOIN ledger_entrysource s ON s.source_kind = 'order' AND s.source_id = e.source_id AND s.source_number = 0
    WHERE e.source_kind IN ('order', 'void', 'retender')
)
"""
# Of an order all that is kept of it; of what happened to it later, what was posted. Times are in UTC, as the session is.
_EVENTS = """
SELECT e.number, json_strip_nulls(json_build_object(
    'revision', %(reference)s::text, 'seal_number', e.number, 'event', e.source_kind, 'order_id', o.order_id,
    'number', o.number, 'store', %(store)s::text, 'terminal', %(terminals)s::jsonb ->> o.terminal_id::text,
    'business_date', e.business_date, 'posted_at', e.posted_at, 'currency', o.currency,
    'order', CASE WHEN e.source_kind = 'order' THEN json_build_object(
        'shift_id', o.shift_id, 'mode', o.mode, 'kind', o.kind, 'type', o.type, 'opened_at', o.opened_at,
        'closed_at', o.closed_at, 'cashier', o.cashier, 'customer', o.customer, 'refund_of', o.refund_of,
        'adjusts', o.adjusts, 'note', o.note, 'tax', o.tax, 'rounding', o.rounding, 'total', o.total, 'tip', o.tip,
        'lines', coalesce((SELECT json_agg(json_build_object('kind', l.kind, 'sku', l.sku, 'name', l.name,
            'quantity', l.quantity::text, 'unit_price', l.unit_price::text, 'discount', l.discount, 'amount', l.amount,
            'taxes', l.taxes, 'refund_of', l.refund_of) ORDER BY l.position)
            FROM sales_orderline l WHERE l.order_id = o.id AND l.business_date = o.business_date), '[]'::json),
        'payments', coalesce((SELECT json_agg(json_build_object('method', p.method, 'amount', p.amount,
            'reference', p.reference) ORDER BY p.position)
            FROM sales_payment p WHERE p.order_id = o.id AND p.business_date = o.business_date), '[]'::json)
    ) END,
    'postings', (SELECT json_agg(json_build_object('account', l.account_id, 'tax_code', l.tax_code, 'debit', l.debit,
        'credit', l.credit) ORDER BY l.position)
        FROM ledger_journalline l WHERE l.entry_id = e.id AND l.business_date = e.business_date)
))::text
FROM event e JOIN sales_order o ON o.id = e.order_row AND o.business_date = e.order_day
ORDER BY e.number
"""
# A void takes back what its order sold: the same lines with the other sign.
_SOLD = """
SELECT e.number, e.source_kind, e.business_date, o.order_id::text, o.number, o.closed_at,
    coalesce(%(terminals)s::jsonb ->> o.terminal_id::text, ''), o.cashier, o.kind, coalesce(o.type, ''), l.position, l.kind, l.sku, l.name,
    sign * l.quantity, l.unit_price, sign * l.discount, sign * l.amount,
    sign * (SELECT coalesce(sum((t.tax ->> 'amount')::bigint), 0)::bigint FROM jsonb_array_elements(l.taxes) AS t (tax)), l.taxes::text
FROM event e JOIN sales_order o ON o.id = e.order_row AND o.business_date = e.order_day
JOIN sales_orderline l ON l.order_id = o.id AND l.business_date = o.business_date
CROSS JOIN LATERAL (SELECT CASE WHEN e.source_kind = 'void' THEN -1 ELSE 1 END AS sign) AS side
WHERE e.source_kind IN ('order', 'void') ORDER BY e.number, l.position
"""
# The last number of a page, whether or not it is an order's.
_LAST = """
SELECT max(number), count(*) FROM entry
"""
SELECT_EVENTS = ENTRIES + ORDERS + _EVENTS
SELECT_SOLD = ENTRIES + ORDERS + _SOLD
SELECT_LAST = ENTRIES + _LAST


class SoldLine(NamedTuple):
    """One line of an order as it is sent; amounts in minor units, with a void's sign turned."""

    revision: str
    row: tuple[Any, ...]


def write_jsonl(sending: Sending, folder: Path, name: str) -> None:
    """NAME.jsonl: one JSON object a line."""
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for _, (_, text) in _pages(sending, SELECT_EVENTS):
            file.write(f"{text}\n")


def sold_lines(sending: Sending) -> Iterator[SoldLine]:
    """The lines of all orders of a run."""
    for revision, row in _pages(sending, SELECT_SOLD):
        yield SoldLine(revision.reference, row)


def _pages(sending: Sending, select: str) -> Iterator[tuple[ExportRevision, tuple[Any, ...]]]:
    done = 0
    for revision in sending.revisions:
        found, after = range_of(sending.run, revision), revision.after
        more = {
            "reference": revision.reference,
            "store": sending.store_code,
            "terminals": sending.terminals,
        }
        while True:
            wanted = found.parameters(after=after, most=PAGE)
            with connection.cursor() as cursor:
                cursor.execute(SELECT_LAST, wanted)
                last, count = cursor.fetchone()
                if last is None:
                    break
                cursor.execute(select, wanted | more)
                rows = cursor.fetchall()
            yield from ((revision, row) for row in rows)
            after, done = last, done + count
            sending.passed(done)
