"""Transactions that PostgreSQL cannot put one after the other: whoever is told so waits, and posts once (protocol §5)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.inbox.claims import ISOLATE_AFTER
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import post
from backoffice.ingestion.batch.claims import process_claimed, process_next
from backoffice.sales.models import HeldItem, Order
from tests.integration.ingestion.claiming import claim_of
from tests.integration.ingestion.test_lost_connections import a_connection, until
from tests.till import Till, a_sale, balance, later, outcomes

# As an installation may set it: PostgreSQL then tells a transaction that another one was faster.
STRICTER = "SET default_transaction_isolation = 'repeatable read'"
BE_FASTER = "UPDATE inbox_batch SET last_error = 'seen' WHERE batch_id = %s"
SAY_HOW_OFTEN = "SELECT set_config('tests.refusals', %s, true)"
# A sequence counts also what is rolled back.
REFUSE = """
CREATE SEQUENCE refused;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('refused') <= current_setting('tests.refusals')::int THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON sales_order FOR EACH ROW EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def stricter(committed_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(STRICTER)
    yield
    connection.close()  # the setting goes with it


def test_a_batch_that_somebody_changed_under_its_worker_waits_and_is_posted_once(
    till: Till, stricter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = till.upload(a_sale(1001), a_sale(1002)).json()["batch_id"]
    lock_batches = post.lock_batches

    def too_late(cursor: Any, *args: Any, **how: Any) -> Any:
        cursor.execute("SELECT")  # from here on it sees what was there at this moment, and may change nothing newer
        with a_connection() as other:
            other.execute(BE_FASTER, [batch_id])
        return lock_batches(cursor, *args, **how)

    with monkeypatch.context() as race:
        race.setattr(post, "lock_batches", too_late)
        assert process_claimed([claim_of(batch_id)], now=timezone.now()) == {}
    batch = Batch.objects.get(batch_id=batch_id)
    assert (batch.state, batch.last_error) == (
        "received",
        "OperationalError: could not serialize access due to concurrent update",
    )
    connection.close()  # with it goes the setting: whoever posts must see the newest lock of a period
    until(lambda: process_next(now=later(minutes=1)) and till.receipt(batch_id)["state"] == "processed")
    assert outcomes(till.receipt(batch_id)) == ["posted"] * 2
    assert (till.shift()["computed"]["order_count"], balance(till)) == (2, 20480)


@pytest.mark.parametrize("crashes", [0, ISOLATE_AFTER], ids=["together", "order by order"])
def test_a_serialisation_failure_is_no_fault_of_the_order_so_its_batch_waits_uncounted(
    till: Till, crashes: int
) -> None:
    batch_id = till.upload(a_sale(1001), a_sale(1002)).json()["batch_id"]
    Batch.objects.filter(batch_id=batch_id).update(attempts=crashes)
    refusals = 7
    with connection.cursor() as cursor:
        cursor.execute(SAY_HOW_OFTEN, [str(refusals)])
        cursor.execute(REFUSE)
    for minute in range(1, refusals + 1):
        assert process_next(now=later(minutes=minute))
    assert "could not serialize access" in Batch.objects.get(batch_id=batch_id).last_error
    assert Batch.objects.get(batch_id=batch_id).attempts == crashes
    assert till.receipt(batch_id)["state"] == "received"
    assert not Order.objects.filter(terminal=till.terminal).exists()
    assert not HeldItem.objects.filter(terminal=till.terminal).exists()
    assert process_next(now=later(minutes=30))
    assert outcomes(till.receipt(batch_id)) == ["posted"] * 2
    assert balance(till) == 20480
