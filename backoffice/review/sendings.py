"""How often a till sent an order, and what became of it each time: as far as the uploads of its shift say.

An upload keeps the result of each of its orders that was not plainly posted. An upload that was sent again as a whole leaves
no trace, and repeats under a shift that has no version of the order are not looked for.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q

from backoffice.inbox.models import Batch
from backoffice.sales.models import Identity, Order

MOST_UPLOADS = 50


class TimeSent(NamedTuple):
    """An upload that brought an order, and what became of it there: a key of `OUTCOMES`."""

    batch: Batch
    outcome: str


def sendings_of(order: Order, versions: Iterable[Identity], *, is_decided: bool) -> list[TimeSent]:
    """Every time that an order is known to have been sent, the first first. One statement.

    `versions` are its identities. Where it came into the books by a decision, head office made the upload that posted it:
    that is none of the till's. It reads the uploads of a shift or two, by their index.
    """
    shifts = {order.shift_id, *(one.shift_id for one in versions if one.terminal_id == order.terminal_id)}
    names_it = Q(results__contains=[{"order_id": str(order.order_id)}])
    known = Batch.objects.filter(names_it | Q(pk=order.batch_id), shift_id__in=shifts, terminal_id=order.terminal_id)
    found = []
    for batch in known.only("batch_id", "received_at", "results").order_by("received_at")[:MOST_UPLOADS]:
        if batch.pk == order.batch_id and is_decided:
            continue
        outcomes = [result["outcome"] for result in batch.results if result.get("order_id") == str(order.order_id)]
        if batch.pk == order.batch_id and outcomes.count("posted") == 0:
            outcomes.insert(0, "posted")
        found += [TimeSent(batch, outcome) for outcome in outcomes]
    return found
