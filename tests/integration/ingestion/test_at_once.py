"""Uploads and workers at the same moment: each order once, and no deadlock (what the service must survive, "Concurrency")."""

import json
import random
import time
from typing import Any
from uuid import uuid4

import pytest

from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import claims
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Order
from tests.till import Till, a_sale, at_once, balance

PATIENCE_S = 20


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went wrong while batches were processed."""
    noted: list[str] = []
    count_failure = claims.count_failure

    def note(*, error: str, **facts: Any) -> str | None:
        noted.append(error)
        return count_failure(error=error, **facts)

    monkeypatch.setattr(claims, "count_failure", note)
    return noted


def process_all(*tills: Till) -> None:
    """Four workers at once, again and again until nothing of these tills waits."""
    terminals = [till.terminal.pk for till in tills]
    deadline = time.monotonic() + PATIENCE_S
    while Batch.objects.filter(terminal_id__in=terminals).exclude(state="processed").exists():
        assert time.monotonic() < deadline
        at_once([process_waiting] * 4)


def test_of_twenty_identical_uploads_one_is_stored_and_all_get_the_same_receipt(committed_db: None, till: Till):
    batch_id = uuid4()
    raw = json.dumps({"orders": [a_sale(1001 + index) for index in range(5)]}).encode()
    answers = at_once([lambda: till.upload(raw=raw, batch_id=batch_id)] * 20)
    assert {answer.status_code for answer in answers} == {202}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert Batch.objects.filter(terminal=till.terminal).count() == 1
    process_all(till)
    assert till.receipt(str(batch_id))["outcomes"]["posted"] == 5


def test_twenty_identical_live_uploads_post_once(committed_db: None, till: Till):
    batch_id = uuid4()
    raw = json.dumps({"orders": [a_sale(1001, mode="online")]}).encode()
    answers = at_once([lambda: till.upload(raw=raw, batch_id=batch_id, Prefer="wait=5")] * 20)
    assert {answer.status_code for answer in answers} <= {200, 202}
    process_all(till)
    assert (till.shift()["computed"]["order_count"], balance(till)) == (1, 20240)


def test_of_twenty_contents_under_one_identifier_one_is_stored(committed_db: None, till: Till):
    batch_id = uuid4()
    orders = [a_sale(1001 + index) for index in range(20)]
    answers = at_once([lambda order=order: till.upload(order, batch_id=batch_id) for order in orders])
    assert sorted(answer.status_code for answer in answers) == [202] + [422] * 19
    process_all(till)
    assert till.shift()["computed"]["order_count"] == 1


def test_twenty_shuffled_overlapping_batches_of_one_terminal_post_each_order_once(
    committed_db: None, till: Till, errors: list[str]
):
    chance = random.Random(1)
    orders = [a_sale(1001 + index) for index in range(40)]
    batches = [chance.sample(orders, 25) for _ in range(20)] + [orders]
    at_once([lambda batch=batch: till.upload(*batch) for batch in batches])
    process_all(till)
    assert errors == []
    assert (till.shift()["computed"]["order_count"], till.shift()["held"]) == (40, 0)
    assert balance(till) == 20000 + 40 * 240


def test_overlapping_batches_of_several_terminals_post_each_order_once_without_a_deadlock(
    committed_db: None, till: Till, errors: list[str]
):
    tills = [till, *(Till(till.store, name=f"Till {number}") for number in (2, 3, 4))]
    for other in tills[1:]:
        other.open()
    chance = random.Random(2)
    orders = [a_sale(1001 + index) for index in range(60)]
    uploads = [(tills[index % 4], chance.sample(orders, 40)) for index in range(20)]
    for sender, batch in uploads:
        assert sender.upload(*batch).status_code == 202
    process_all(*tills)
    assert [error for error in errors if "Raced" not in error] == []
    sent = {order["order_id"] for _, batch in uploads for order in batch}
    posted = [str(order_id) for order_id in Order.objects.filter(store=till.store).values_list("order_id", flat=True)]
    assert sorted(posted) == sorted(sent)
    drawers = sum(balance(each) for each in tills)
    assert drawers == 4 * 20000 + len(sent) * 240


def test_a_live_order_and_the_same_order_in_a_batch_post_once(committed_db: None, till: Till, errors: list[str]):
    orders = [a_sale(1001 + index, mode="online") for index in range(8)]
    calls = [lambda order=order: till.upload(order, Prefer="wait=5") for order in orders]
    calls += [lambda order=order: till.upload(order | {"mode": "offline"}) for order in orders]
    at_once([*calls, process_waiting, process_waiting])
    process_all(till)
    assert errors == []
    assert (till.shift()["computed"]["order_count"], till.shift()["held"]) == (8, 0)
