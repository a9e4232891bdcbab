"""What is asked after every test here sees what it is there for: a batch or an order that was taken and is gone."""

from uuid import uuid4

from django.db import connection

from tests.promises import broken_promises
from tests.till import Till, a_sale, acknowledged_batches

MARK_WITHOUT_WORK = """
UPDATE inbox_batch SET state = 'processed', processed_at = received_at, outcomes = '{"duplicate": 1}' WHERE batch_id = %s
"""


def broken() -> list[str]:
    with connection.cursor() as cursor:
        return broken_promises(cursor, batches=acknowledged_batches)


def test_a_batch_that_was_taken_and_is_gone_is_lost_until_it_comes_again(till: Till) -> None:
    order, batch_id = a_sale(1001), str(uuid4())
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        assert till.upload(order, batch_id=batch_id).status_code == 202
        assert broken() == []
        cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert broken() == [f"lost: the batch {batch_id}"]
    till.sell(order, batch_id=batch_id)
    assert broken() == []


def test_an_order_that_was_taken_and_is_neither_posted_nor_held_is_lost(till: Till) -> None:
    order, batch_id = a_sale(1001), str(uuid4())
    till.upload(order, batch_id=batch_id)
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        cursor.execute(MARK_WITHOUT_WORK, [batch_id])
        assert [word for word in broken() if order["order_id"] in word]
        cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert broken() == []


def test_what_was_refused_is_not_asked_for(till: Till) -> None:
    assert till.upload(raw=b"[").status_code == 400
    assert acknowledged_batches == set()
