"""Small batches share a transaction, and each fares as if it were alone (ADR 13)."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from structlog.testing import capture_logs

from backoffice.inbox.claims import BATCHES_TOGETHER, BYTES_TOGETHER, CLAIM_GRACE, MEMBERS_TOGETHER, claim_next
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import group_commit, members, post
from backoffice.ingestion.batch.claims import process_claimed, process_next
from backoffice.ingestion.locks import lock_terminal
from backoffice.sales.models import Order
from tests.till import Till, a_movement, a_sale, at_once, balance, codes, later, outcomes


def a_refund(number: int, of: dict[str, Any], total: int = -240) -> dict[str, Any]:
    lines = [{"quantity": "-1", "unit_price": -total, "amount": total, "taxes": []}]
    payments = [{"method": "cash", "amount": total}]
    return a_sale(number, kind="refund", refund_of=of["order_id"], lines=lines, total=total, payments=payments)


def by_card(number: int) -> dict[str, Any]:
    return a_sale(number, payments=[{"method": "card", "amount": 240, "reference": "A1B2C3"}])


def sent(till: Till, *batches: Any) -> list[str]:
    """Uploads each order, or list of orders, as a batch of its own; their ids."""
    return [till.upload(*(batch if isinstance(batch, list) else [batch])).json()["batch_id"] for batch in batches]


def flags_of(order: dict[str, Any]) -> list[str]:
    stored = Order.objects.get(order_id=order["order_id"]).flags
    return [flag["code"] for flag in stored or []]


@pytest.fixture
def tills(till: Till) -> list[Till]:
    """Eight tills of one store, with open shifts."""
    others = [Till(till.store, name=f"Till {number}") for number in range(2, 9)]
    for other in others:
        other.open()
    return [till, *others]


def test_small_batches_of_many_tills_cost_little_more_than_one(tills: list[Till]) -> None:
    [alone] = sent(tills[0], a_sale(1001))
    with CaptureQueriesContext(connection) as one:
        assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 1
    batches = [sent(till, a_sale(1002))[0] for till in tills]
    with CaptureQueriesContext(connection) as eight:
        assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 8
    for till, batch_id in zip([tills[0], *tills], [alone, *batches], strict=True):
        assert outcomes(till.receipt(batch_id)) == ["posted"]
    assert [balance(till) for till in tills] == [20480] + [20240] * 7
    marks = 7  # each batch is marked as processed
    assert len(eight) <= len(one) + marks


def test_what_waits_is_taken_in_the_order_received_up_to_so_many_members(till: Till) -> None:
    half = MEMBERS_TOGETHER // 2
    first, second, third = sent(
        till, [a_sale(1001 + at) for at in range(half)], [a_sale(3001 + at) for at in range(half)], a_sale(5001)
    )
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 2
    assert [till.receipt(batch_id)["state"] for batch_id in (first, second, third)] == ["processed"] * 2 + ["received"]


def test_bodies_that_are_large_together_are_taken_apart(till: Till) -> None:
    batches = sent(till, *(a_sale(1001 + at) for at in range(6)))
    Batch.objects.filter(batch_id__in=batches).update(size=BYTES_TOGETHER // 2)
    assert [process_next(now=timezone.now(), most=BATCHES_TOGETHER) for _ in range(4)] == [2, 2, 2, 0]


def test_a_large_body_has_more_time_to_be_read_before_others_try(till: Till) -> None:
    (batch_id,) = sent(till, a_sale(1001))
    Batch.objects.filter(batch_id=batch_id).update(size=BYTES_TOGETHER)
    now = timezone.now()
    assert claim_next(now=now)
    assert not claim_next(now=now + 5 * CLAIM_GRACE - timedelta(milliseconds=1))
    assert claim_next(now=now + 5 * CLAIM_GRACE)


def test_what_was_tried_before_is_tried_alone(till: Till) -> None:
    batches = sent(till, a_sale(1001), a_sale(1002), a_sale(1003))
    Batch.objects.filter(batch_id=batches[1]).update(attempts=1)
    claims = [claim_next(now=later(minutes=minute), most=BATCHES_TOGETHER) for minute in (1, 3, 5)]
    # The third waits beside the second, whose turn comes first; all come again, since nobody processed them.
    assert [[str(claim.batch_id) for claim in claimed] for claimed in claims][:2] == [[batches[0]], [batches[1]]]


def test_one_that_breaks_is_counted_and_its_companions_are_posted(
    tills: list[Till], monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = members.holds

    def broken(order: Any, **circumstances: Any) -> Any:
        if order.note == "boom":
            raise RuntimeError("the rules broke")
        return holds(order, **circumstances)

    monkeypatch.setattr(members, "holds", broken)
    batches = [sent(till, a_sale(1001, note="boom" if place == 3 else ""))[0] for place, till in enumerate(tills)]
    with capture_logs() as said:
        assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 8
    told = {line["event"]: line for line in said}
    assert set(told["batches are tried one by one"]["batch_ids"].split()) == set(batches)
    assert told["batch crashed"]["terminal"] == str(tills[3].terminal.uuid)
    states = [till.receipt(batch_id)["state"] for till, batch_id in zip(tills, batches, strict=True)]
    assert states == ["processed"] * 3 + ["received"] + ["processed"] * 4
    culprit = Batch.objects.get(batch_id=batches[3])
    assert (culprit.attempts, "RuntimeError" in culprit.last_error) == (1, True)
    assert [balance(till) for till in tills] == [20240] * 3 + [20000] + [20240] * 4


def test_known_ones_and_conflicts_among_companions_are_what_they_would_be_alone(tills: list[Till]) -> None:
    till, other = tills[:2]
    order = a_sale(1001)
    first, again, changed, number, foreign = (
        *sent(till, order, order, order | {"note": "changed"}, a_sale(1001)),
        *sent(other, a_sale(1001)),
    )
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 5
    found = [outcomes(till.receipt(batch_id)) for batch_id in (first, again, changed, number)]
    assert found == [["posted"], ["duplicate"], ["conflict"], ["conflict"]]
    assert codes(till.receipt(number)) == ["number-already-used"]
    assert outcomes(other.receipt(foreign)) == ["posted"]
    assert balance(till) == 20240


def test_a_refund_finds_its_sale_among_companions_whichever_came_first(tills: list[Till]) -> None:
    till, other, third = tills[:3]
    sale, later_sale = a_sale(1001), a_sale(1002)
    early = a_refund(1001, later_sale)
    sent(till, sale)
    [refund] = sent(other, a_refund(1002, sale))
    sent(third, early)
    sent(till, later_sale)
    [too_much] = sent(other, a_refund(1003, sale))
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 5
    assert codes(other.receipt(refund)) == []
    assert flags_of(early) == []
    assert codes(other.receipt(too_much)) == ["refund-exceeds-original"]


def test_a_card_payment_is_recognised_among_companions(tills: list[Till]) -> None:
    [first], [second] = sent(tills[0], by_card(1001)), sent(tills[1], by_card(1001))
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 2
    assert (codes(tills[0].receipt(first)), codes(tills[1].receipt(second))) == ([], ["same-card-payment"])


def test_movements_and_held_orders_are_written_with_companions(tills: list[Till]) -> None:
    mixed = tills[0].upload(a_sale(1001), a_sale(1002, total=1), movements=[a_movement()]).json()["batch_id"]
    sent(tills[1], a_sale(1001))
    tills[2].close()
    [late] = sent(tills[2], a_sale(1001))
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 3
    receipt = tills[0].receipt(mixed)
    assert (outcomes(receipt), receipt["movements"]["outcomes"]["posted"]) == (["posted", "held"], 1)
    assert balance(tills[0]) == 25240
    assert codes(tills[2].receipt(late)) == ["late"]
    assert tills[2].shift()["state"] == "discrepant"


def test_live_orders_that_come_meanwhile_are_taken_along(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till()
    tills = [till, *(Till(till.store, name=f"Till {number}") for number in range(2, 7))]
    for each in tills:
        each.open()
    groups: list[int] = []
    really = group_commit.process_claimed

    def count(attempts: Any, **facts: Any) -> Any:
        groups.append(len(attempts))
        return really(attempts, **facts)

    monkeypatch.setattr(group_commit, "process_claimed", count)
    group_commit._turn.acquire()  # as if one were at work while the others arrive
    waiting = threading.Thread(target=_release_when, args=(lambda: len(group_commit._waiting) == len(tills),))
    waiting.start()
    answers = at_once([lambda each=each: each.upload(a_sale(1001), Prefer="wait=5") for each in tills])
    waiting.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert [outcomes(each.receipt(answer.json()["batch_id"])) for each, answer in zip(tills, answers, strict=True)] == [
        ["posted"]
    ] * 6
    assert groups == [6]
    assert [
        each.receipt(answer.json()["batch_id"])["received_at"] for each, answer in zip(tills, answers, strict=True)
    ] == [answer.json()["received_at"] for answer in answers]


def test_a_live_order_that_gets_no_turn_is_left_to_a_worker_at_once(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "PATIENCE_S", 0.05)
    batch_id = str(uuid4())
    with group_commit._turn:
        answer = till.upload(a_sale(1001), batch_id=batch_id, Prefer="wait=1")
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    assert not group_commit._waiting
    assert Batch.objects.get(batch_id=batch_id).attempts == 0
    assert process_next(now=timezone.now()) == 1
    assert outcomes(till.receipt(batch_id)) == ["posted"]


def test_what_another_worker_holds_is_given_back_without_waiting(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sent(till, a_sale(1001), a_sale(1002))
    claims = claim_next(now=timezone.now(), most=BATCHES_TOGETHER)
    assert [str(claim.batch_id) for claim in claims] == [first, second]
    with transaction.atomic():
        lock_terminal(till.terminal.pk)
        Batch.objects.select_for_update(no_key=True).get(batch_id=second)
        began = time.monotonic()
        [nothing] = at_once([lambda: process_claimed(claims, now=timezone.now())])
        assert nothing == {}
        assert time.monotonic() - began < 5  # a lock is waited for ten seconds
    waiting = {str(batch.batch_id): batch for batch in Batch.objects.filter(batch_id__in=[first, second])}
    assert (waiting[first].attempts, waiting[first].due_at) == (0, waiting[first].received_at)
    assert waiting[second].attempts == 1  # whoever holds it now says what becomes of it
    while process_next(now=later(minutes=1), most=BATCHES_TOGETHER):
        """What was tried before is tried alone."""
    assert [outcomes(till.receipt(batch_id)) for batch_id in (first, second)] == [["posted"]] * 2


def test_who_fails_together_and_cannot_be_told_apart_is_tried_again(
    tills: list[Till], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once and then each alone: nothing is half done, and nothing is lost."""
    write_judged, left = post.write_judged, [9]

    def unlucky(*args: Any, **facts: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise MemoryError
        write_judged(*args, **facts)

    monkeypatch.setattr(post, "write_judged", unlucky)
    batches = [sent(till, a_sale(1001))[0] for till in tills]
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 8
    assert {Batch.objects.get(batch_id=batch_id).state for batch_id in batches} == {"received"}
    while process_next(now=later(minutes=5), most=BATCHES_TOGETHER):
        """What was tried before is tried alone."""
    assert {Batch.objects.get(batch_id=batch_id).state for batch_id in batches} == {"processed"}


def _release_when(ready: Callable[[], bool]) -> None:
    deadline = threading.Event()
    try:
        for _ in range(1000):
            if ready() or deadline.wait(0.01):
                break
    finally:
        group_commit._turn.release()
        connections.close_all()
