"""What the day of the demo does not leave behind: something on each page that waits for a person, or says what is wrong."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.utils import timezone

from tests.journeys.http_till import HttpTill
from tests.till import a_heartbeat, a_sale

# Till 4 is not heard from for a while: there is an alert about it, and somebody who is told.
SET_UP = """
from datetime import time, timedelta
from django.contrib.auth.models import Group, User
from django.utils import timezone
from backoffice.alerts.evaluation import evaluate_alerts
from backoffice.alerts.models import AlertRecipient, QuietHours, WebhookEndpoint
from backoffice.fleet.models import Heartbeat, Store, Terminal
from backoffice.books.deciding import Proposal, decide
from backoffice.domain.decisions import Verb
from backoffice.sales.models import Order, Shift
now = timezone.now()
store, ruth = Store.objects.get(code="PARIS"), User.objects.get(username="ruth")
Store.objects.filter(pk=store.pk).update(second_person_above=100)
QuietHours.objects.create(store=store, begins_at=time(22), ends_at=time(6))
AlertRecipient.objects.create(person=ruth)
WebhookEndpoint.objects.create(name="Stock", url="https://stock.example/hooks", owner=ruth, events=["alert.raised", "order.held"])
mona = User.objects.create_user("mona", first_name="Mona", last_name="Petit", is_staff=True)
mona.groups.add(Group.objects.get(name="Store managers"))
till, ago = Terminal.objects.get(store=store, name="Till 4"), now - timedelta(minutes=42)
for rows in (Shift.objects.filter(terminal=till), Heartbeat.objects.filter(terminal=till)):
    rows.update(received_at=ago)
Heartbeat.objects.filter(terminal=till).update(sent_at=ago, clock_skew_ms=0, offline_since=ago)
Terminal.objects.filter(store=store, name__in=["Till 3", "Till 4", "Till 5"]).update(activated_at=now - timedelta(hours=2))
evaluate_alerts(now=now)
order = Order.objects.filter(store=store, status="paid", voided_by=None, total__gt=100).order_by("-pk")[1]
decide(Proposal(verb=Verb.VOID, subject=str(order.order_id), person=ruth, reason="sold-twice", note="", arguments={}), now=now)
"""


# Of the shifts that the pages link to, the last by its key is the one whose page is taken: see tests.browsing.
SHORT_SHIFT = UUID("ffffffff-ffff-4fff-bfff-ffffffffffff")
TOLERATE_ONE_EURO = """
from backoffice.fleet.models import Store
Store.objects.filter(code="PARIS").update(max_over_short=100)
"""


def leave_unsettled(base_url: str, manage: Callable[..., str]) -> None:
    """Till 3 of Paris sends what cannot be posted, and one order twice with different content; Till 4 is silent; the
    drawer of Till 5 is short.
    """
    now = timezone.now()
    at = (now - timedelta(minutes=50)).isoformat()
    facts = {"opened_at": at, "closed_at": at, "cashier": "Inès"}
    orders = [a_sale(number, **facts) for number in range(1, 6)]
    changed = deepcopy(orders[2])
    changed["lines"][0] |= {"quantity": "3", "amount": 360}
    changed |= {"total": 360, "payments": [{"method": "cash", "amount": 360}]}
    till = _open(base_url, manage, "Till 3")
    for sent in ([*orders, a_sale(6, **facts | {"total": 740})], [changed]):
        till.processed(till.upload(*sent).json()["batch_id"])
    silent = _open(base_url, manage, "Till 4")
    last = {"offline_mode": True, "cached_orders": 4, "cached_total": 1830, "oldest_cached_at": at, "last_number": 4}
    silent.send("PUT", "terminal/heartbeat", a_heartbeat(**last, shift_id=str(silent.shift_id)))
    _close_short(base_url, manage)
    manage("shell", "--verbosity=0", "--command", SET_UP)


def _close_short(base_url: str, manage: Callable[..., str]) -> None:
    """Till 5 sells for 12.00, and counts 7.00 less than its drawer should hold."""
    manage("shell", "--verbosity=0", "--command", TOLERATE_ONE_EURO)
    till = _open(base_url, manage, "Till 5", shift_id=SHORT_SHIFT)
    now = timezone.now()
    facts = {"opened_at": (now - timedelta(minutes=40)).isoformat(), "cashier": "Inès"}
    orders = [a_sale(number, **facts, closed_at=facts["opened_at"]) for number in range(1, 6)]
    batch_id = till.upload(*orders).json()["batch_id"]
    till.processed(batch_id)
    closed_at = (now - timedelta(minutes=20)).isoformat()
    assert till.close(*orders, batches=[batch_id], counted=20_500, closed_at=closed_at).status_code in {200, 202}
    assert till.settled()["state"] == "discrepant"


def _open(base_url: str, manage: Callable[..., str], name: str, *, shift_id: UUID | None = None) -> HttpTill:
    """A further till of Paris with an open shift."""
    here: Any = SimpleNamespace(base_url=base_url)
    till = HttpTill(here, name=name, code=manage("issue_activation_code", "PARIS", name).split()[-1])
    opened_at = (timezone.now() - timedelta(hours=1)).isoformat()
    answer = till.open(shift_id, number=1, opened_at=opened_at, cashier="Inès", first_number=1)
    assert answer.status_code == 201, answer.text
    return till
