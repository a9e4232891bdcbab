"""What an X and a Z say of a shift: every figure from its rows, in two round trips whatever their number (docs/store-days.md, "X and Z")."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.domain.accounts import REVENUE_LINES
from backoffice.domain.reasons import LATE, REFUND_OF_UNKNOWN_ORDER
from backoffice.domain.totals import Difference
from backoffice.ingestion.figures import ShiftFigures, explained_numbers
from backoffice.postgres.pipeline import ask_together
from backoffice.postgres.rows import named_rows
from backoffice.sales.models import Shift

# The whole, and the same by type of order and by cashier. What a till never said is NULL, which GROUPING tells from "all".
SUM_BY_ORDER = """
SELECT grouping(type, cashier) AS by, type, cashier, count(*) AS orders, min(number) AS first_number, max(number) AS last_number,
    count(*) FILTER (WHERE status = 'paid') AS paid,
    coalesce(sum(total) FILTER (WHERE status = 'paid'), 0)::bigint AS net,
    count(*) FILTER (WHERE status = 'paid' AND kind = 'sale') AS sale_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND kind = 'sale'), 0)::bigint AS sales,
    count(*) FILTER (WHERE status = 'paid' AND kind = 'refund') AS refund_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND kind = 'refund'), 0)::bigint AS refunds,
    count(*) FILTER (WHERE status = 'paid' AND tip <> 0) AS tip_count,
    coalesce(sum(tip) FILTER (WHERE status = 'paid'), 0)::bigint AS tips,
    count(*) FILTER (WHERE status = 'paid' AND rounding <> 0) AS rounding_count,
    coalesce(sum(rounding) FILTER (WHERE status = 'paid'), 0)::bigint AS rounding,
    count(*) FILTER (WHERE status = 'voided' AND voided_by IS NULL) AS void_count,
    coalesce(sum(total) FILTER (WHERE status = 'voided' AND voided_by IS NULL), 0)::bigint AS voids,
    count(*) FILTER (WHERE voided_by IS NOT NULL) AS voided_later_count,
    coalesce(sum(total) FILTER (WHERE voided_by IS NOT NULL), 0)::bigint AS voided_later,
    count(*) FILTER (WHERE status = 'training') AS training_count,
    coalesce(sum(total) FILTER (WHERE status = 'training'), 0)::bigint AS training,
    count(*) FILTER (WHERE status = 'paid' AND mode = 'offline') AS offline_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND mode = 'offline'), 0)::bigint AS offline,
    count(*) FILTER (WHERE status = 'paid' AND kind = 'refund' AND refund_of IS NULL AND lines_refund IS NULL) AS no_original_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND kind = 'refund' AND refund_of IS NULL AND lines_refund IS NULL), 0)::bigint
        AS no_original,
    count(*) FILTER (WHERE status = 'paid' AND flags @> %(unknown)s::jsonb) AS unknown_original_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND flags @> %(unknown)s::jsonb), 0)::bigint AS unknown_original,
    count(*) FILTER (WHERE flags @> %(late)s::jsonb) AS late_count,
    coalesce(sum(total) FILTER (WHERE status = 'paid' AND flags @> %(late)s::jsonb), 0)::bigint AS late
FROM sales_order WHERE shift_id = %(shift_id)s AND business_date = %(business_date)s
GROUP BY GROUPING SETS ((), (type), (cashier)) ORDER BY by, type, cashier
"""
ALL, BY_TYPE, BY_CASHIER = 3, 1, 2

# A line net of the taxes that are in it, and its taxes, on top or not.
SUM_BY_KIND = """
SELECT kind, count(*) AS lines, sum(net)::bigint AS net, sum(tax)::bigint AS tax, sum(net + tax)::bigint AS gross,
    count(*) FILTER (WHERE discount <> 0) AS discount_count, sum(discount)::bigint AS discounts,
    count(*) FILTER (WHERE amount < 0) AS return_count,
    coalesce(sum(net + tax) FILTER (WHERE amount < 0), 0)::bigint AS returned
FROM (
    SELECT l.kind, l.amount, l.discount, l.amount - CASE WHEN %(inclusive)s THEN taxes.amount ELSE 0 END AS net, taxes.amount AS tax
    FROM sales_order o JOIN sales_orderline l ON l.order_id = o.id AND l.business_date = o.business_date
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((each ->> 'amount')::bigint), 0)::bigint AS amount FROM jsonb_array_elements(l.taxes) AS each
    ) AS taxes
    WHERE o.shift_id = %(shift_id)s AND o.business_date = %(business_date)s AND o.status = 'paid'
) AS line GROUP BY kind ORDER BY kind
"""

# A line with two taxes is in the net of both; one without any is under the code "".
SUM_BY_TAX = """
SELECT coalesce(each ->> 'code', '') AS code, coalesce(each ->> 'kind', 'percent') AS kind,
    trim_scale((each ->> 'rate')::numeric) AS rate, count(*) AS lines,
    sum(l.amount - CASE WHEN %(inclusive)s THEN taxes.amount ELSE 0 END)::bigint AS net,
    coalesce(sum((each ->> 'amount')::bigint), 0)::bigint AS tax
FROM sales_order o JOIN sales_orderline l ON l.order_id = o.id AND l.business_date = o.business_date
CROSS JOIN LATERAL (
    SELECT coalesce(sum((any_tax ->> 'amount')::bigint), 0)::bigint AS amount FROM jsonb_array_elements(l.taxes) AS any_tax
) AS taxes
LEFT JOIN LATERAL jsonb_array_elements(l.taxes) AS each ON true
WHERE o.shift_id = %(shift_id)s AND o.business_date = %(business_date)s AND o.status = 'paid'
GROUP BY 1, 2, 3 ORDER BY 1, 3, 2
"""

SUM_BY_METHOD = """
SELECT p.method, count(DISTINCT o.id) AS count, sum(p.amount)::bigint AS amount
FROM sales_order o JOIN sales_payment p ON p.order_id = o.id AND p.business_date = o.business_date
WHERE o.shift_id = %(shift_id)s AND o.business_date = %(business_date)s AND o.status = 'paid'
GROUP BY p.method ORDER BY p.method
"""

SUM_BY_REASON = """
SELECT kind, reason, count(*) AS count, sum(amount)::bigint AS amount
FROM sales_cashmovement WHERE shift_id = %(shift_id)s GROUP BY kind, reason ORDER BY kind, reason
"""
SUMS = (SUM_BY_ORDER, SUM_BY_KIND, SUM_BY_TAX, SUM_BY_METHOD, SUM_BY_REASON)


class Standing(NamedTuple):
    """What is known of a shift beside its rows: the count that stands, in minor units, and what differs from the close."""

    counted: int | None
    differences: Sequence[Difference]


def z_figures(cursor: CursorWrapper, shift: Shift, figures: ShiftFigures, standing: Standing) -> dict[str, Any]:
    """Everything that an X or a Z says of the shift, as JSON; amounts in minor units, signed as in orders."""
    asked: dict[str, Any] = {
        "shift_id": shift.shift_id,
        "business_date": shift.business_date,
        "inclusive": shift.prices_include_tax,
        "unknown": f'[{{"code": "{REFUND_OF_UNKNOWN_ORDER}"}}]',
        "late": f'[{{"code": "{LATE}"}}]',
    }
    answers = ask_together(*((statement, asked) for statement in SUMS))
    orders, kinds, taxed, payments, movements = (named_rows(answer) for answer in answers)
    (whole,) = (row for row in orders if row["by"] == ALL)
    taxes = [_tax(row) for row in taxed]
    return {
        **_sold(whole, kinds, taxes),
        "payments": payments,
        "order_types": [_group(row, "type") for row in orders if row["by"] == BY_TYPE],
        "cashiers": [_group(row, "cashier") for row in orders if row["by"] == BY_CASHIER],
        **_remarkable(whole, kinds),
        "cash": {
            "opening_float": shift.opening_float,
            "payments": figures.computed.payments.get("cash", 0),
            "movements": movements,
            "expected": figures.expected_cash,
            "counted": standing.counted,
            "over_short": None if standing.counted is None else standing.counted - figures.expected_cash,
        },
        "missing_numbers": [list(ends) for ends in figures.missing_numbers],
        "missing_batches": len(figures.missing_batches),
        "explained_numbers": [list(ends) for ends in explained_numbers(cursor, shift)],
        "held": figures.held,
        "differences": msgspec.to_builtins(standing.differences),
    }


def _sold(whole: dict[str, Any], kinds: list[dict[str, Any]], taxes: list[dict[str, Any]]) -> dict[str, Any]:
    """What was sold: revenue by kind of line, and apart from it what is owed to customers or passed on."""
    lines = [{name: row[name] for name in ("kind", "lines", "net", "tax", "gross")} for row in kinds]
    return {
        "orders": whole["orders"],
        "first_number": whole["first_number"],
        "last_number": whole["last_number"],
        "sales": _counted(whole, "sale_count", "sales"),
        "refunds": _counted(whole, "refund_count", "refunds"),
        "net": whole["net"],
        "tips": _counted(whole, "tip_count", "tips"),
        "rounding": _counted(whole, "rounding_count", "rounding"),
        "taxes": taxes,
        "tax": sum(tax["tax"] for tax in taxes),
        "revenue": [line for line in lines if line["kind"] in REVENUE_LINES],
        "not_revenue": [line for line in lines if line["kind"] not in REVENUE_LINES],
    }


def _remarkable(whole: dict[str, Any], kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """What an auditor looks at first, each as number and amount. A discount is what was given: above 0 in a sale."""
    discounts = {"count": 0, "amount": 0}
    returns = {"count": 0, "amount": 0}
    for row in kinds:
        is_discount = row["kind"] == "discount"
        discounts["count"] += row["discount_count"] + (row["lines"] if is_discount else 0)
        discounts["amount"] += row["discounts"] - (row["gross"] if is_discount else 0)
        if row["kind"] == "item":
            returns = _counted(row, "return_count", "returned")
    return {
        "discounts": discounts,
        "returns": returns,
        "voids": _counted(whole, "void_count", "voids"),
        "voided_by_head_office": _counted(whole, "voided_later_count", "voided_later"),
        "training": _counted(whole, "training_count", "training"),
        "refunds_without_original": _counted(whole, "no_original_count", "no_original"),
        "refunds_of_unknown_orders": _counted(whole, "unknown_original_count", "unknown_original"),
        "offline": _counted(whole, "offline_count", "offline"),
        "late": _counted(whole, "late_count", "late"),
    }


def _counted(row: dict[str, Any], count: str, amount: str) -> dict[str, int]:
    return {"count": row[count], "amount": row[amount]}


def _group(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: row[name], "count": row["paid"], "amount": row["net"], "tips": row["tips"]}


def _tax(row: dict[str, Any]) -> dict[str, Any]:
    rate: Decimal | None = row["rate"]
    return {**row, "rate": None if rate is None else f"{rate:f}", "gross": row["net"] + row["tax"]}
