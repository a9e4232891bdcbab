"""Two stores with one of everything each: what do the people of one see of the other?"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from backoffice.alerts.models import Alert, AlertRule, QuietHours
from backoffice.books.exports.jobs import ask_export, run_waiting
from backoffice.books.exports.models import ExportMap, ExportProfile
from backoffice.books.exports.planning import StoreDays
from backoffice.books.importing import hand_in
from backoffice.books.models import Membership
from backoffice.books.people import reach_of
from backoffice.domain.alerts import AlertKind
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.review.reach import OF_HEAD_OFFICE, OF_THE_COMPANY
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.books.office import a_person, decided, unmap
from tests.integration.evidence.sealing import seal_here
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

ZONE = ZoneInfo("Europe/Paris")
LOOKED_AT = 1


class Shop(NamedTuple):
    """A store with one of everything; `words` are found in nothing but what is of this store."""

    store: Store
    till: Till
    manager: User
    day: date
    sales: list[dict[str, Any]]
    words: frozenset[str]


def a_shop(word: str, *, first: int, price: int) -> Shop:
    """A store called `word` whose orders begin with number `first`: sold, held, decided, asked for, and exported."""
    till = Till(a_store(f"{word}-X", name=f"{word} Shop"), name=f"{word} Till")
    opened = timezone.now().astimezone(ZONE) - timedelta(minutes=20)
    opening = {
        "opened_at": opened.isoformat(),
        "cashier": f"{word} Cashier",
        "number": first + 70,
        "first_number": first,
    }
    assert till.open(**opening).status_code == 201
    facts = facts_of(word, price)
    sales = [a_sale(first + place, **facts) for place in range(5)]
    till.sell(*sales, a_sale(first + 5, **facts | {"total": price + 1}), movements=[_movement(price)])
    till.sell(sales[0] | {"note": f"{word} Note"})
    unmap(till, "card")
    till.sell(a_sale(first + 6, **facts | {"payments": [{"method": "card", "amount": price}]}))
    decided(Verb.RETENDER, sales[1]["order_id"], note=f"{word} said", payments={"voucher": price})
    Store.objects.filter(pk=till.store.pk).update(second_person_above=1)
    decided(Verb.VOID, sales[2]["order_id"], note=f"{word} asks", person=a_person(f"{word}-asker"))
    lost = cached_shift(till.shift_id, cached_batch(a_sale(first + 90, **facts)))
    hand_in(saved_cache(till, lost), person=a_person(f"{word}-finder"), now=timezone.now())
    _export(till.store, opened.date(), word)
    _alert(till, word)
    manager = User.objects.create_user(f"{word}-manager", is_staff=True)
    bind(manager, till.store)
    words = {
        word,
        str(till.shift_id),
        str(till.terminal.uuid),
        str(first + 1),
        *(sale["order_id"] for sale in sales[:4]),
    }
    return Shop(till.store, till, manager, opened.date(), sales, frozenset(words))


def facts_of(word: str, price: int) -> dict[str, Any]:
    """What the orders of a store have in common: a thing of this price, sold ten minutes ago."""
    at = (timezone.now() - timedelta(minutes=10)).isoformat()
    line = a_sale(1)["lines"][0] | {"quantity": "1", "unit_price": price, "amount": price, "name": f"{word} Loaf"}
    payments = [{"method": "cash", "amount": price}]
    facts = {"opened_at": at, "closed_at": at, "cashier": f"{word} Cashier", "lines": [line], "total": price}
    return facts | {"payments": payments}


def refer(ours: Shop, theirs: Shop) -> None:
    """One of our orders contradicts one of theirs, and another gives theirs back."""
    facts = facts_of("Zwirn", 4417)
    line = facts["lines"][0] | {"unit_price": -4417, "amount": -4417, "taxes": []}
    back = {"kind": "refund", "refund_of": theirs.sales[4]["order_id"], "lines": [line], "total": -4417}
    back |= {"payments": [{"method": "cash", "amount": -4417}]}
    ours.till.sell(a_sale(41050, **facts | {"order_id": theirs.sales[4]["order_id"]}), a_sale(41051, **facts | back))


def _movement(amount: int) -> dict[str, Any]:
    return a_movement(amount, occurred_at=timezone.now().isoformat())


def _alert(till: Till, word: str) -> None:
    """An alert of its till, with a rule and quiet hours of the store."""
    AlertRule.objects.create(kind=AlertKind.SILENT.value, store=till.store, warning=len(word))
    QuietHours.objects.create(store=till.store, begins_at=time(22), ends_at=time(6))
    facts = {"subject": f"terminal {till.terminal.pk}", "names": [till.terminal.name], "severity": 1, "worst": 1}
    facts |= {"terminal": till.terminal, "value": 20, "since": timezone.now(), "raised_at": timezone.now()}
    Alert.objects.create(kind=AlertKind.SILENT.value, store=till.store, **facts)


def _export(store: Store, day: date, word: str) -> None:
    """To a profile that both stores have."""
    facts = {"format": "gl-csv", "granularity": "entry", "created_at": timezone.now()}
    profile, is_new = ExportProfile.objects.get_or_create(name="books", defaults=facts)
    if is_new:
        ExportMap.objects.create(profile=profile, version=1, created_at=timezone.now())
    seal_here()
    ask_export(profile, StoreDays(store, day, day), person=a_person(f"{word}-exporter"), now=timezone.now())
    assert run_waiting(now=timezone.now()) == 1


def bind(person: User, *stores: Store) -> None:
    """From here on somebody works in these stores alone."""
    Membership.objects.get_or_create(person=person)[0].stores.set(stores)


def every_right() -> Iterable[Permission]:
    """All but the one that takes something away."""
    return Permission.objects.exclude(codename="own_stores_only")


def somebody(name: str, *stores: Store, groups: Iterable[Group] = (), rights: Iterable[Permission] = ()) -> User:
    """Staff with these rights; bound to stores where any are named."""
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(groups)
    user.user_permissions.set(rights)
    if stores:
        bind(user, *stores)
    return user


def browser_of(user: User | None) -> Client:
    """Logged in, where there is somebody; an error of the console is an answer."""
    client = Client(raise_request_exception=False)
    if user is not None:
        sign_in(client, user)
    return client


def keys_of(model: type[Model], shop: Shop) -> list[Any]:
    """Some keys of the rows of one store, the newest, found by the way that the model's page declares."""
    page: Any = admin.site._registry[model]
    if page.store_path in {OF_THE_COMPANY, OF_HEAD_OFFICE}:
        return []
    rows = page.of_reach(model._default_manager.order_by("-pk"), reach_of(shop.manager))
    return list(rows.values_list("pk", flat=True)[:LOOKED_AT])
