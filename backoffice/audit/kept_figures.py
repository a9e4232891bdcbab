"""What is kept for reports: each figure of a kept day must be what the day's orders come to (docs/reports.md).

Orders, lines and payments are compared with the bytes elsewhere, so the figures are derived from the tables, month by month.
"""

from collections.abc import Mapping

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore

FETCH = 1_000

# Readers take no kept day while nobody knows what has changed: transactions began again, as in a copy in a new cluster.
SELECT_MONTHS = """
SELECT DISTINCT date_trunc('month', business_date)::date, (date_trunc('month', business_date) + interval '1 month')::date FROM (
    SELECT business_date FROM reports_keptday UNION SELECT business_date FROM reports_dayfigure
) AS kept WHERE (SELECT xid FROM reports_keptmark) < pg_snapshot_xmax(pg_current_snapshot())::text::bigint ORDER BY 1
"""
# A day that is read from its orders counts as not kept: it was never finished, or has changed since. Of a detached month
# there is nothing to derive it from.
SELECT_DIFFERENT = """
WITH changed AS (
    SELECT store_id, business_date FROM sales_posting WHERE xid >= (SELECT xid FROM reports_keptmark)::text::xid8
    UNION
    SELECT s.store_id, s.business_date FROM ledger_journalentry e JOIN sales_shift s USING (shift_id)
    WHERE e.xid >= (SELECT xid FROM reports_keptmark)::text::xid8 AND e.source_kind IN ('void', 'retender')
), kept AS MATERIALIZED (
    SELECT store_id, business_date FROM (
        SELECT store_id, business_date FROM reports_keptday UNION
        SELECT store_id, business_date FROM reports_dayfigure f WHERE NOT EXISTS (
            SELECT FROM sales_shift s WHERE s.store_id = f.store_id AND s.business_date = f.business_date
        )
    ) AS day
    WHERE business_date >= %(month)s AND business_date < %(next)s
        AND NOT EXISTS (SELECT FROM sales_detachedmonth m WHERE business_date BETWEEN m.first_day AND m.last_day)
    EXCEPT SELECT store_id, business_date FROM changed
), sold AS MATERIALIZED (
    SELECT o.*, s.prices_include_tax AS inclusive, o.status = 'paid' AS paid,
        CASE WHEN o.refund_of IS NULL AND o.lines_refund IS NULL THEN '' ELSE 'unknown' END AS original
    FROM kept k JOIN sales_shift s ON s.store_id = k.store_id AND s.business_date = k.business_date
    JOIN sales_order o ON o.shift_id = s.shift_id AND o.business_date = s.business_date
    WHERE o.business_date >= %(month)s AND o.business_date < %(next)s
), line AS MATERIALIZED (
    SELECT o.id, o.kind AS order_kind, l.kind, l.discount, l.amount, l.taxes, l.amount - CASE WHEN o.inclusive THEN tax.sum ELSE 0 END AS net
    FROM sold o JOIN sales_orderline l ON l.order_id = o.id AND l.business_date = o.business_date
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((each ->> 'amount')::bigint), 0) AS sum FROM jsonb_array_elements(l.taxes) AS each
    ) AS tax
    WHERE o.paid AND l.business_date >= %(month)s AND l.business_date < %(next)s
), figure AS (
    SELECT o.id, each.* FROM sold o CROSS JOIN LATERAL (VALUES
        (o.paid AND o.adjusts IS NULL, o.kind::text, '', '', o.total - o.tax - o.rounding, o.tax, o.total),
        (o.paid AND o.tip <> 0, 'tip', '', '', 0, 0, o.tip),
        (o.paid AND o.rounding <> 0, 'rounding', '', '', 0, 0, o.rounding),
        (o.paid AND o.mode = 'offline', 'offline', '', '', 0, 0, o.total),
        (o.paid AND o.flags @> '[{"code": "outside-shift-hours"}]', 'out-of-hours', '', '', 0, 0, o.total),
        (o.paid AND o.kind = 'refund' AND o.adjusts IS NULL
            AND (o.original = '' OR o.flags @> '[{"code": "refund-of-unknown-order"}]'), 'no-receipt', o.original, '', 0, 0, o.total),
        (o.status = 'voided', 'voided', CASE WHEN o.voided_by IS NULL THEN 'till' ELSE 'office' END, '', 0, 0, o.total),
        (o.status = 'training', 'training', '', '', 0, 0, o.total)
    ) AS each (counts, figure, code, rate, net, tax, amount) WHERE each.counts
    UNION ALL
    SELECT o.id, true, 'method', p.method, '', 0, 0, sum(p.amount)
    FROM sold o JOIN sales_payment p ON p.order_id = o.id AND p.business_date = o.business_date
    WHERE o.paid AND p.business_date >= %(month)s AND p.business_date < %(next)s
    GROUP BY o.id, p.method HAVING sum(p.amount) <> 0
    UNION ALL
    SELECT l.id, true, 'line', l.kind, '', sum(l.net), 0, sum(l.amount) FROM line l GROUP BY l.id, l.kind
    UNION ALL
    SELECT id, true, 'discount', '', '', 0, 0, sum(off) FROM (
        SELECT id, CASE WHEN kind = 'discount' THEN discount - amount ELSE discount END AS off FROM line WHERE order_kind = 'sale'
    ) AS given GROUP BY id HAVING sum(off) <> 0
    UNION ALL
    SELECT id, true, 'tax', code, rate, sum(net), sum(tax), sum(net + tax) FROM (
        SELECT id, each ->> 'code' AS code, trim_scale((each ->> 'rate')::numeric)::text AS rate, net, (each ->> 'amount')::bigint AS tax
        FROM line CROSS JOIN LATERAL jsonb_array_elements(taxes) AS each
        UNION ALL
        SELECT id, '', '', net, 0 FROM line WHERE taxes = '[]' AND kind IN ('item', 'discount', 'service_charge')
    ) AS taxed GROUP BY id, code, rate
), derived AS (
    SELECT store_id, business_date, cashier, currency, figure, code, rate, count(*) AS number, sum(f.net) AS net, sum(f.tax) AS tax,
        sum(f.amount) AS amount
    FROM figure f JOIN sold USING (id) GROUP BY 1, 2, 3, 4, 5, 6, 7
), found AS (
    SELECT store_id, business_date, cashier, currency, figure, code, rate, sum(number) AS number, sum(net) AS net, sum(tax) AS tax,
        sum(amount) AS amount
    FROM reports_dayfigure JOIN kept USING (store_id, business_date) GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT store_id, business_date, cashier, concat_ws(' ', figure, nullif(code, ''), nullif(rate, ''), currency),
    CASE WHEN d.number IS NOT NULL THEN format('%%s: net %%s, tax %%s, amount %%s', d.number, d.net, d.tax, d.amount) END,
    CASE WHEN f.number IS NOT NULL THEN format('%%s: net %%s, tax %%s, amount %%s', f.number, f.net, f.tax, f.amount) END
FROM derived d FULL JOIN found f USING (store_id, business_date, cashier, currency, figure, code, rate)
WHERE (d.number, d.net, d.tax, d.amount) IS DISTINCT FROM (f.number, f.net, f.tax, f.amount) ORDER BY 1, 2, 3, 4
"""


def check_kept_figures(cursor: CursorWrapper, stores: Mapping[int, AuditedStore], findings: Findings) -> None:
    """Compares the figures of every kept day with its orders; what differs is named."""
    codes = {store.id: store.code for store in stores.values()}
    cursor.execute(SELECT_MONTHS)
    for month, following in cursor.fetchall():
        with connection.chunked_cursor() as rows:
            rows.execute(SELECT_DIFFERENT, {"month": month, "next": following})
            while chunk := rows.fetchmany(FETCH):
                for store_id, day, cashier, figure, expected, found in chunk:
                    where = f"figures kept of {day}, cashier {cashier or 'unnamed'}"
                    findings.add(codes.get(store_id, ""), where, figure, expected=expected, found=found)
