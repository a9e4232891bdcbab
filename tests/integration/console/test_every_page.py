"""Whatever terminals send, every page of the console shows it: those of what is wrong before all others."""

import re
from collections import Counter
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from backoffice.alerts.models import AlertRule
from backoffice.domain.decisions import Verb
from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from backoffice.ledger.models import Account
from backoffice.sales.models import HeldItem, Order, Shift
from backoffice.trail.models import TrailEntry
from tests.integration.books.office import TODAY, a_person, decided
from tests.integration.console.crawling import addresses_of, broken, crawl
from tests.integration.console.oddities import MARKUP, send_fuzzed, send_odd_shifts, send_versions
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(db: None) -> Client:
    """The browser of somebody who may see everything, and who sees an error as an answer."""
    client = Client(raise_request_exception=False)
    sign_in(client, User.objects.create_superuser("claire"))
    return client


def keys(model: type[Model]) -> list[Any]:
    """Of all rows; of what is there before a till has sent anything, and so alike in every test, the newest."""
    found = model._default_manager.order_by("-pk").values_list("pk", flat=True)
    return list(found[:3] if model in {TrailEntry, Account, AlertRule} else found)


# What people of head office set up and no till writes: it is read once, and not for each thing that tills may send.
OFFICE = tuple(f"/console/{place}/" for place in ("alerts", "auth", "fleet/store", "ledger/account", "trail"))
# Pages of which each row shows what its till sent. Of all other kinds (the form of a verb, a history, rows under other
# filters) a few are enough.
SHOWS_A_ROW = re.compile(r"/console/\w+/\w+/[^/]+/(change|report)/")
OF_OTHER_KINDS = 5
KEY = re.compile(r"/([0-9a-f-]{36}|[0-9]+)(?=/)")


class Sparing:
    """Says of an address whether it is read: all that show what tills sent, and few of each other kind."""

    def __init__(self, *, office: bool) -> None:
        self._office = office
        self._seen: Counter[str] = Counter()

    def __call__(self, address: str) -> bool:
        path, _, query = address.partition("?")
        if not self._office and path.startswith(OFFICE):
            return False
        if not query and SHOWS_A_ROW.fullmatch(path):
            return True
        kind = f"{KEY.sub('/N', path)}{'?' if query else ''}"
        self._seen[kind] += 1
        return self._seen[kind] <= OF_OTHER_KINDS


def everything(reader: Client, *, office: bool = False) -> list[str]:
    """Reads all that there is, along links and by address; what is wrong with it. `office`: also what no till writes."""
    sparing = Sparing(office=office)
    pages = crawl(reader, filter(sparing, addresses_of(keys)), follow=sparing)
    assert not [page.address for page in pages if 'class="of-a-till"' in page.html], "what a till says is text"
    return broken(pages)


def processed() -> None:
    """Until nothing waits but what cannot be processed."""
    for _ in range(100):
        if not process_waiting():
            return


def test_what_the_fuzzers_make_can_be_looked_at(reader: Client) -> None:
    till = Till(a_store(name=MARKUP))
    till.open(cashier=MARKUP)
    send_fuzzed(till, of_each=4, seed=10)
    processed()
    assert HeldItem.objects.count() > 30, "or nothing was shown"
    assert everything(reader) == []


def test_versions_of_one_order_can_be_compared(reader: Client) -> None:
    till = Till(name=MARKUP)
    till.open()
    send_versions(till, 1001)
    processed()
    assert HeldItem.objects.filter(outcome="conflict").count() > 5, "or nothing was compared"
    assert everything(reader) == []


def test_shifts_of_every_odd_opening_and_close_can_be_looked_at(reader: Client) -> None:
    till = Till(name=MARKUP)
    send_odd_shifts(till)
    assert Shift.objects.filter(state="discrepant").count() > 10, "or nothing was declared"
    assert Shift.objects.filter(state="closing").count() > 2, "or nothing waits"
    assert everything(reader) == []


def test_what_was_decided_can_be_looked_at(reader: Client) -> None:
    till = Till(name=MARKUP)
    till.open()
    till.sell(sold := a_sale(1001), held := a_sale(1002, total=999), odd := a_sale(1003, total=1, note=MARKUP))
    ruth, otto = a_person("Ruth"), a_person("Otto")
    decided(Verb.VOID, sold["order_id"], note=MARKUP)
    decided(Verb.CORRECT, odd["order_id"], order={**odd, "total": 240}, agreed_by=otto, person=ruth)
    decided(Verb.DISCARD, held["order_id"])
    decided(Verb.BANK, till.store.code, amount=500, slip=MARKUP, date=str(TODAY), agreed_by=otto)
    decided(Verb.BANK_RECEIVED, till.store.code, amount=400, slip=MARKUP, date=str(TODAY))
    decided(Verb.BANK_CHANGE, till.store.code, amount=300, slip=MARKUP, date=str(TODAY))
    decided(Verb.ENTER, till.shift_id, order=a_sale(1004, note=MARKUP))
    assert everything(reader, office=True) == []
    page = reader.get(reverse("admin:sales_helditem_change", args=[HeldItem.objects.get(order_id=held["order_id"]).pk]))
    assert "Order 1002* was held" in unescape(strip_tags(page.content.decode()))
    assert "1002" not in reader.get(reverse("admin:sales_helditem_changelist")).content.decode()
    voided = Order.objects.get(order_id=sold["order_id"])
    assert "It was voided" in reader.get(reverse("admin:sales_order_change", args=[voided.pk])).content.decode()


def test_batches_that_cannot_be_processed_can_be_looked_at(reader: Client) -> None:
    till = Till()
    till.open()
    for body in (b'{"orders": [{"note": "\\ud800"}, 7, null, [], "x"]}', b'{"orders": [], "x": "\\udfff"}', b"{}"):
        till.upload(raw=body)
    till.upload(*(a_sale(1001 + place) for place in range(250)), movements=[None] * 250)
    error = f"ValueError: {MARKUP}" + "e" * 1_000_000
    Batch.objects.filter(terminal=till.terminal).update(state="failed", attempts=5, last_error=error)
    assert everything(reader) == []


def test_what_an_earlier_version_took_can_be_looked_at(reader: Client) -> None:
    """Closes without bounds, as they were taken once: thousands of methods, of batches, and of figures that differ."""
    till = Till()
    till.open()
    till.close()
    shift = Shift.objects.get(terminal=till.terminal)
    shift.declared["totals"]["payments"] = {f"{place}{MARKUP}{'m' * 200}": place for place in range(1, 5_000)}
    shift.declared["batches"] *= 3
    shift.differences = [
        {"what": f"payments.{name}", "declared": place, "computed": 0, "difference": place}
        for name, place in shift.declared["totals"]["payments"].items()
    ]
    shift.state = "discrepant"
    shift.save()
    assert everything(reader) == []


def test_a_member_larger_than_anybody_reads_is_shown_in_part(reader: Client) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001)
    till.sell(sale)
    till.sell(sale | {"note": "large", "x": [{"": 0}] * 40_000})
    till.sell(sale | {"note": "long", "x": {"k" * 100_000: list(range(20_000))}})
    till.sell(*({"number": place, "x": [{"": 0}] * 20_000} for place in range(5)))
    assert HeldItem.objects.filter(terminal=till.terminal).count() == 7
    assert everything(reader) == []


def test_a_broken_tills_many_are_shown_in_part(reader: Client) -> None:
    till = Till()
    for number in range(24):
        till.open(number=number + 1, closed_at="2026-03-01T20:00:00+01:00", first_number=1)
        if number % 2:
            till.close(first_number=1, last_number=2**53 - 1, batches=[])
    till.open(number=999)
    till.sell(
        *(a_sale(2 * place) for place in range(1, 150)), movements=[a_movement(place + 1) for place in range(250)]
    )

    pages = crawl(reader, addresses_of(lambda model: keys(model)[:2]), follow=lambda _: False)

    assert broken(pages) == []
    terminal = reader.get(reverse("admin:fleet_terminal_change", args=[till.terminal.pk])).content.decode()
    assert "and 3 more" in terminal, "of its open shifts"
    shift = reader.get(reverse("admin:sales_shift_change", args=[till.shift_id])).content.decode()
    assert "The first 200 cash movements" in shift
