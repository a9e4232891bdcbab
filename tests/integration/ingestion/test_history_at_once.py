"""Orders that decide each other's flags and are processed at the same moment: exactly one of them is flagged (protocol §5)."""

from threading import Lock
from typing import Any

import pytest
from django.utils import timezone

from backoffice.inbox.claims import ISOLATE_AFTER, Claim
from backoffice.ingestion.batch import isolate, post
from backoffice.ingestion.batch.claims import process_claimed
from backoffice.sales.models import Order
from tests.integration.ingestion.claiming import claim_of
from tests.integration.ingestion.test_lost_connections import SOMEBODY_WAITS, a_connection, until
from tests.till import Till, a_sale, at_once, codes

TOO_MUCH = "refund-exceeds-original"
SAME_CARD = "same-card-payment"


class Meeting:
    """Where transactions wait until two have come, or the second waits for a lock that the first one has."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.came = 0

    def wait(self) -> None:
        with self._lock:
            self.came += 1
        with a_connection() as watcher:
            watcher.autocommit = True
            until(lambda: self.came >= 2 or watcher.execute(SOMEBODY_WAITS).fetchone()[0])  # type: ignore[index]


def process_two_at_once(*groups: list[Claim]) -> None:
    """In two transactions: neither writes before both have looked, and neither commits before both have looked again."""
    write_judged, look_again = post.write_judged, post.look_again_at_cards
    before_writes, before_commit = Meeting(), Meeting()

    def write(*args: Any, **how: Any) -> None:
        before_writes.wait()
        write_judged(*args, **how)

    def look(*args: Any, **how: Any) -> None:
        look_again(*args, **how)
        before_commit.wait()

    with pytest.MonkeyPatch.context() as patch:
        for module in (post, isolate):
            patch.setattr(module, "write_judged", write)
        patch.setattr(post, "look_again_at_cards", look)
        done = at_once([lambda group=group: process_claimed(group, now=timezone.now()) for group in groups])
    assert [set(processed) for processed in done] == [{attempt.batch_id for attempt in group} for group in groups]
    assert (before_writes.came, before_commit.came) == (2, 2)  # nothing was tried a second time


def tills_of_a_store() -> list[Till]:
    till = Till()
    tills = [till, Till(till.store, name="Till 2")]
    for each in tills:
        each.open()
    return tills


def sent(till: Till, order: dict[str, Any], *, tried: int = 0) -> Claim:
    return claim_of(till.upload(order).json()["batch_id"], attempts=tried + 1)


def by_card(number: int, reference: str = "A1B2C3", **changes: Any) -> dict[str, Any]:
    return a_sale(number, payments=[{"method": "card", "amount": 240, "reference": reference}], **changes)


def a_refund(number: int, of: dict[str, Any]) -> dict[str, Any]:
    lines = [{"quantity": "-1", "unit_price": 240, "amount": -240, "taxes": []}]
    payments = [{"method": "cash", "amount": -240}]
    return a_sale(number, kind="refund", refund_of=of["order_id"], lines=lines, total=-240, payments=payments)


def flags_of(order: dict[str, Any]) -> list[str]:
    stored = Order.objects.get(order_id=order["order_id"]).flags
    return [flag["code"] for flag in stored or []]


@pytest.mark.parametrize("tried", [0, ISOLATE_AFTER], ids=["together", "order by order"])
def test_of_two_refunds_of_one_order_at_once_one_is_too_much(committed_db: None, tried: int) -> None:
    tills = tills_of_a_store()
    sale = a_sale(1001)
    tills[0].sell(sale)
    refunds = [a_refund(1002, sale), a_refund(1002, sale)]
    attempts = [sent(till, refund, tried=tried) for till, refund in zip(tills, refunds, strict=True)]
    process_two_at_once(*([attempt] for attempt in attempts))
    assert sorted(flags_of(refund) for refund in refunds) == [[], [TOO_MUCH]]
    told = [codes(till.receipt(str(attempt.batch_id))) for till, attempt in zip(tills, attempts, strict=True)]
    assert sorted(told) == [[], [TOO_MUCH]]


@pytest.mark.parametrize("tried", [0, ISOLATE_AFTER], ids=["together", "order by order"])
def test_of_two_orders_with_one_card_payment_at_once_one_is_flagged(committed_db: None, tried: int) -> None:
    tills = tills_of_a_store()
    orders = [by_card(1001, type="picnic"), by_card(1001, type="picnic")]
    attempts = [sent(till, order, tried=tried) for till, order in zip(tills, orders, strict=True)]
    process_two_at_once(*([attempt] for attempt in attempts))
    assert sorted(flags_of(order) for order in orders) == [["unknown-type"], ["unknown-type", SAME_CARD]]
    told = [codes(till.receipt(str(attempt.batch_id))) for till, attempt in zip(tills, attempts, strict=True)]
    assert told == [["unknown-type"]] * 2  # what was found afterwards is with the order alone


def test_a_refund_that_is_processed_beside_its_sale_shares_its_card_payment_rightly(committed_db: None) -> None:
    tills = tills_of_a_store()
    sale = by_card(1001)
    refund = a_refund(1001, sale) | {"payments": [{"method": "card", "amount": -240, "reference": "A1B2C3"}]}
    attempts = [sent(till, order) for till, order in zip(tills, (sale, refund), strict=True)]
    process_two_at_once(*([attempt] for attempt in attempts))
    assert SAME_CARD not in flags_of(sale) + flags_of(refund)


def test_two_transactions_for_tills_of_the_same_stores_do_not_lock_each_other_out(committed_db: None) -> None:
    """Each has batches of both stores, in the opposite order."""
    here, there = tills_of_a_store(), tills_of_a_store()
    orders = [[by_card(1001, f"{reference}{store}") for store in range(2)] for reference in "AA"]
    one = [sent(here[0], orders[0][0]), sent(there[0], orders[0][1])]
    other = [sent(there[1], orders[1][1]), sent(here[1], orders[1][0])]
    process_two_at_once(one, other)
    for store in range(2):
        assert sorted(flags_of(mine[store]) for mine in orders) == [[], [SAME_CARD]]


def test_two_transactions_that_refund_the_same_orders_do_not_lock_each_other_out(committed_db: None) -> None:
    """Each has two batches, which refund the two sales in the opposite order."""
    tills = tills_of_a_store()
    sales = [a_sale(1001), a_sale(1002)]
    tills[0].sell(*sales)
    refunds = [[a_refund(1003 + place, sale) for place, sale in enumerate(order)] for order in (sales, sales[::-1])]
    groups = [[sent(till, refund) for refund in group] for till, group in zip(tills, refunds, strict=True)]
    add_flags_of_others, between_batches = post.add_flags_of_others, Meeting()

    def look(*args: Any, **how: Any) -> Any:
        judged = add_flags_of_others(*args, **how)
        between_batches.wait()
        return judged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(post, "add_flags_of_others", look)
        process_two_at_once(*groups)
    assert sorted(flags_of(refund) for group in refunds for refund in group) == [[], [], [TOO_MUCH], [TOO_MUCH]]
