"""A change that is a transaction of its own: whose it is, is told for it alone, also on a connection that others use next."""

from backoffice.fleet.models import Store
from backoffice.trail.acting import acting
from backoffice.trail.models import TrailEntry
from tests.integration.trail.test_changes import RUTH
from tests.till import a_store


def test_a_change_outside_a_transaction_is_its_persons_and_the_next_is_not(committed_db: None) -> None:
    store = a_store()
    with acting(RUTH):
        Store.objects.filter(pk=store.pk).update(refund_days=2)
    Store.objects.filter(pk=store.pk).update(refund_days=3)
    mine = TrailEntry.objects.filter(about="store", object_id=store.pk, what="changed").order_by("id")
    assert [entry.person for entry in mine] == ["ruth", ""]
