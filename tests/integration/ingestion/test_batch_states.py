"""The table of a batch's states is what the statements of the inbox do: each of them, upon a batch in each state."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from uuid import UUID

from django.utils import timezone

from backoffice.domain.states import BATCH_TRANSITIONS, BatchState
from backoffice.inbox.claims import FAIL_AFTER, claim_next, count_failure, give_back
from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from tests.till import Till, a_sale

STATEMENTS: Mapping[str, Callable[[UUID], object]] = {
    "claimed": lambda _: claim_next(now=timezone.now()),
    "crashed": lambda batch_id: count_failure(batch_id=batch_id, error="a test's", now=timezone.now()),
    "given back": lambda batch_id: give_back([batch_id], now=timezone.now()),
    "processed": lambda _: process_waiting(),
}


def test_the_states_of_a_batch_follow_each_other_as_the_table_says_and_in_no_other_way(till: Till):
    numbers = count(1001)
    seen: dict[BatchState, set[BatchState]] = {state: set() for state in BatchState}
    for present in BatchState:
        for attempts in (0, FAIL_AFTER):
            for name, statement in STATEMENTS.items():
                batch_id = UUID(till.upload(a_sale(next(numbers))).json()["batch_id"])
                batch = Batch.objects.filter(batch_id=batch_id)
                if present == BatchState.PROCESSED:
                    process_waiting()
                else:
                    batch.update(state=present.value)
                # Due before whatever else a test may have left, so that it is the one that is claimed.
                batch.update(attempts=attempts, due_at=batch.get().received_at - timedelta(days=36500))
                statement(batch_id)
                after = BatchState(batch.get().state)
                if after != present:
                    seen[present].add(after)
                if present == BatchState.RECEIVED and name == "claimed":
                    assert (after == BatchState.FAILED) == (attempts == FAIL_AFTER)
                batch.exclude(state=BatchState.PROCESSED.value).update(attempts=0, due_at=batch.get().received_at)
                process_waiting()
    assert seen == {state: set(following) for state, following in BATCH_TRANSITIONS.items()}
