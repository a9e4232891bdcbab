"""A till that gives every card payment the same reference ("VISA") is no malice, and slows nobody down (protocol §5)."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.domain.rules import MOST_SHARING
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import post, same_card
from backoffice.ingestion.batch.claims import process_next
from backoffice.sales.models import Payment
from tests.integration.ingestion.test_history_at_once import by_card
from tests.integration.ingestion.test_lost_connections import a_connection
from tests.till import Till, a_sale, codes, later

FLAG = ["same-card-payment"]
HOLD_STORE = "SELECT pg_advisory_xact_lock(1, %s)"


def flagged(receipt: dict[str, Any]) -> list[bool]:
    return [[reason["code"] for reason in result["reasons"]] == FLAG for result in receipt["results"]]


def sell_by_card(till: Till, count: int, first: int, **how: Any) -> dict[str, Any]:
    return till.sell(*[by_card(number, **how) for number in range(first, first + count)])


@pytest.fixture
def other_till(till: Till) -> Till:
    other = Till(till.store, name="Till 2")
    other.open()
    return other


# --- What is flagged --------------------------------------------------------------------------------------------------


def test_it_is_flagged_until_more_than_fifty_others_have_it_and_then_no_more(till: Till) -> None:
    receipt = sell_by_card(till, 60, 1001)
    assert flagged(receipt) == [False] + [True] * MOST_SHARING + [False] * (59 - MOST_SHARING)


def test_it_is_the_same_over_batches_and_tills(till: Till, other_till: Till) -> None:
    assert flagged(sell_by_card(till, 30, 1001)) == [False] + [True] * 29
    assert flagged(sell_by_card(other_till, 30, 1001)) == [True] * (MOST_SHARING - 29) + [False] * (59 - MOST_SHARING)
    assert codes(till.sell(by_card(1031))) == []


def test_another_reference_and_another_store_are_flagged_as_ever(till: Till) -> None:
    sell_by_card(till, 60, 1001)
    assert flagged(sell_by_card(till, 2, 2001, reference="B7")) == [False, True]
    elsewhere = Till()
    elsewhere.open()
    assert flagged(sell_by_card(elsewhere, 2, 1001)) == [False, True]


def test_those_of_another_day_do_not_count(till: Till) -> None:
    times = {"opened_at": "2026-03-04T10:00:00+01:00", "closed_at": "2026-03-04T10:01:00+01:00"}
    sell_by_card(till, 60, 1001)
    receipt = till.sell(by_card(2001, **times), by_card(2002, **times))
    assert ["same-card-payment" in codes(receipt, place) for place in (0, 1)] == [False, True]


def test_voided_orders_and_other_methods_do_not_count(till: Till) -> None:
    till.sell(*[by_card(number, status="voided") for number in range(1001, 1061)])
    cheque = [{"method": "voucher", "amount": 240, "reference": "A1B2C3"}]
    till.sell(*[a_sale(number, payments=cheque) for number in range(1101, 1161)])
    assert flagged(sell_by_card(till, 2, 2001)) == [False, True]
    assert set(
        Payment.objects.filter(order__terminal=till.terminal, order__number__lt=2000).values_list(
            "card_closed_at", flat=True
        )
    ) == {None}


def test_payments_of_the_version_before_are_still_compared(till: Till, other_till: Till) -> None:
    elsewhere = Till()
    elsewhere.open()
    till.sell(by_card(1001))
    Payment.objects.update(store_id=None, card_closed_at=None)
    assert codes(other_till.sell(by_card(1001))) == FLAG
    assert codes(elsewhere.sell(by_card(1001))) == []


# --- What it costs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(till: Till) -> Till:
    """A till beside 3 000 payments with its reference, 1 500 of them in its own store."""
    elsewhere = Till()
    elsewhere.open()
    for each in (till, elsewhere):
        for first in (1001, 2001, 3001):
            sell_by_card(each, 500, first)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sales_payment, sales_order")
    return till


def plans_of(till: Till, *orders: Any) -> list[dict[str, Any]]:
    """The plan of each look at card payments while a batch is processed, as it was executed."""
    asked: list[Any] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql == same_card.SELECT_CARD_PAYMENTS:
            asked.append(params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        till.sell(*orders)
    plans = []
    with connection.cursor() as cursor:
        for params in asked:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {same_card.SELECT_CARD_PAYMENTS}", params)
            [found] = cursor.fetchone()
            plans.append((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])
    return plans


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


def test_a_live_order_reads_as_many_payments_as_the_rule_counts(crowded: Till) -> None:
    plans = plans_of(crowded, by_card(5001))
    assert len(plans) == 2
    for plan in plans:
        read = sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in scans(plan))
        dropped = sum(scan.get("Rows Removed by Filter", 0) * scan["Actual Loops"] for scan in scans(plan))
        assert 0 < read <= 2 * (MOST_SHARING + 1), plan
        assert dropped <= MOST_SHARING + 1, plan


def test_it_uses_the_stores_index_and_reads_the_months_of_the_window_alone(crowded: Till) -> None:
    for plan in plans_of(crowded, by_card(5001)):
        found = [scan for scan in scans(plan) if scan["Relation Name"].startswith("sales_payment")]
        assert {scan["Node Type"] for scan in found} <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, plan
        assert any("compared" in scan.get("Index Name", "") or "store_id" in scan["Index Name"] for scan in found)
        # The month of the order and the one before, for each of the two parts; or all of them in the default partition.
        assert len({scan["Relation Name"] for scan in found}) <= 2, plan


def test_a_batch_of_them_looks_up_no_more_than_the_rule_counts(till: Till) -> None:
    """The others are known beside each other: a batch of ten times as many asks for as many."""
    asked: list[int] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql == same_card.SELECT_CARD_PAYMENTS:
            asked.append(len(params["references"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        sell_by_card(till, 1000, 1001)
    assert asked == [MOST_SHARING + 1] * 2


# --- The store's lock -------------------------------------------------------------------------------------------------


def test_whoever_waits_for_the_stores_lock_in_vain_is_put_off_uncounted(committed_db: None, till: Till) -> None:
    """And tills of other stores, in the same transaction at first, do not wait with it."""
    elsewhere = Till()
    elsewhere.open()
    batch_id, free = (each.upload(by_card(1001)).json()["batch_id"] for each in (till, elsewhere))
    with a_connection() as holder:
        holder.execute(HOLD_STORE, [till.store.pk])
        for _ in range(6):
            Batch.objects.filter(batch_id=batch_id, state="received").update(due_at="2000-01-01T00:00:00Z")
            process_next(now=later(seconds=0), most=16)
        holder.rollback()
    waiting = Batch.objects.get(batch_id=batch_id)
    assert (waiting.state, waiting.attempts, "lock timeout" in waiting.last_error) == ("received", 0, True)
    assert elsewhere.receipt(free)["state"] == "processed"
    while till.receipt(batch_id)["state"] == "received":
        assert process_next(now=later(minutes=1), most=16)
    assert codes(till.receipt(batch_id)) == []


def test_nobody_is_kept_waiting_while_shifts_are_reconciled(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's lock is taken afterwards, also where a batch is taken order by order."""
    held: list[int] = []
    reconcile = post.reconcile_unsettled

    def watch(cursor: Any, **facts: Any) -> None:
        reconcile(cursor, **facts)
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = 1"
        )
        held.append(cursor.fetchone()[0])

    till.close()
    monkeypatch.setattr(post, "reconcile_unsettled", watch)
    for number, attempts in ((1001, 0), (1002, 3)):
        batch_id = till.upload(by_card(number)).json()["batch_id"]
        Batch.objects.filter(batch_id=UUID(batch_id)).update(attempts=attempts)
        with CaptureQueriesContext(connection) as captured:
            process_next(now=later(seconds=1))
        assert any("pg_advisory_xact_lock(1" in query["sql"] for query in captured.captured_queries)
    assert held == [0, 0]
