"""No setting makes an order crash: whatever the forms, the commands and the database take, orders are processed with it."""

from collections.abc import Iterator
from random import Random
from typing import Any
from zoneinfo import available_timezones

import pytest
from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.fleet.models import Store
from backoffice.inbox.models import Batch
from backoffice.ingestion.stores import create_store
from backoffice.languages.formats import money
from backoffice.ledger.models import Account, CashReason, PaymentAccount
from tests.integration.console.conftest import Open
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db

ODD_NUMBERS = (
    "",
    "0",
    "1",
    "-1",
    "0.01",
    "0.05",
    "1e3",
    "1e400",
    "0e999999",
    "NaN",
    "Infinity",
    "9" * 30,
    "9" * 400,
    "٣",
)
ODD_NUMBERS += (
    "3650",
    "3651",
    "2147483647",
    "2147483648",
    "10000000000",
    "10000000000.01",
    "1000000000000",
    "10000",
    "10000.01",
)
ODD_TEXTS = (
    "",
    ",",
    "takeaway",
    "a" * 64,
    "a" * 65,
    ",".join(f"t{place}" for place in range(64)),
    "\0",
    "\x1b[2J",
    "😀",
)
ODD_TEXTS += (
    ",".join(f"t{place}" for place in range(65)),
    "{}",
    "NULL",
    '"',
    "\\",
    "'; --",
    "<b>",
    "é" * 64,
    "\u202e",
    " ",
)
AMOUNTS = ("max_order_total", "min_refund_total", "rounding_step", "max_over_short", "second_person_above")
FAR = "2099-12-31T10:00:00+01:00"


def sell(till: Till) -> None:
    """Orders of every kind that a setting has a say in. None of them may crash, however the settings are."""
    first = Batch.objects.filter(terminal=till.terminal).count() * 100 + 1001
    sale = a_sale(first, rounding=3, total=243, payments=[{"method": "cash", "amount": 243}])
    line = sale["lines"][0] | {"quantity": "-2", "amount": -240, "taxes": []}
    back: dict[str, Any] = {"kind": "refund", "lines": [line], "total": -240}
    back |= {"payments": [{"method": "cash", "amount": -240}], "refund_of": sale["order_id"]}
    orders = [
        sale,
        a_sale(first + 1, **back),
        a_sale(first + 2, **back, closed_at=FAR),
        a_sale(first + 3, **back | {"refund_of": a_sale(1)["order_id"]}),
        a_sale(first + 4, type="drive_thru"),
        a_sale(first + 5, type=""),
        a_sale(first + 6, lines=[line | {"quantity": "1", "amount": 10**12}], total=10**12, payments=[]),
        a_sale(first + 7, payments=[{"method": "points", "amount": 240}]),
    ]
    movements = [a_movement(), a_movement(reason=""), a_movement(kind="cash_out", reason="bank")]
    receipt = till.sell(*orders, movements=movements)
    assert receipt["state"] == "processed"
    assert Batch.objects.get(batch_id=receipt["batch_id"]).attempts == 1, "it crashed, and was tried again"
    assert "processing-failed" not in str(receipt)
    assert till.send("GET", "terminal").status_code == 200


def forms(rng: Random, count: int) -> Iterator[dict[str, str]]:
    for _ in range(count):
        filled = {name: rng.choice(ODD_NUMBERS) if rng.random() < 0.3 else "" for name in (*AMOUNTS, "refund_days")}
        texts = {
            "order_types": rng.choice(ODD_TEXTS),
            "name": rng.choice(ODD_TEXTS) if rng.random() < 0.3 else "Bastille",
        }
        yield filled | texts | {"prices_include_tax": rng.choice(("", "on"))}


@pytest.mark.parametrize("currency", ["EUR", "JPY", "CLF"])
def test_whatever_the_form_takes_orders_are_processed(head_office: Client, page: Open, currency: str) -> None:
    till = Till(a_store(currency=currency))
    till.open()
    address = reverse("admin:fleet_store_change", args=[till.store.pk])
    # Each number in every other field, and each field with every other number.
    places = [(name, value) for name in (*AMOUNTS, "refund_days") for value in ODD_NUMBERS]
    one_by_one = [{"name": "Bastille", name: value} for name, value in places[::2]]
    taken = 0
    for filled in [*(one_by_one if currency == "EUR" else ()), *forms(Random(currency), 18)]:
        answer = head_office.post(address, filled)
        assert answer.status_code in {200, 302}, filled
        if answer.status_code == 302:
            taken += 1
            sell(till)
    assert taken > 3, "or nothing was tried"
    page("fleet_store_change", till.store.pk)
    page("fleet_store_changelist")


BOUNDS = {
    "max_order_total": (0, 10**12),
    "min_refund_total": (0, 10**12),
    "refund_days": (0, 3650),
    "rounding_step": (0, 1_000_000),
    "max_over_short": (0, 10**12),
    "second_person_above": (0, 10**12),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_setting_beyond_its_bounds_is_refused_by_the_database(name: str) -> None:
    store = a_store()
    for value in (BOUNDS[name][0] - 1, BOUNDS[name][1] + 1):
        with (
            pytest.raises(IntegrityError, match=f"store_{name}_bounded|fleet_store_{name}_check"),
            transaction.atomic(),
        ):
            Store.objects.filter(pk=store.pk).update(**{name: value})


def test_more_types_of_order_than_anybody_names_are_refused_by_the_database() -> None:
    store = a_store()
    with pytest.raises(IntegrityError, match="store_order_types_bounded"), transaction.atomic():
        Store.objects.filter(pk=store.pk).update(order_types=[f"t{place}" for place in range(65)])


@pytest.mark.parametrize("end", [0, 1])
def test_at_the_bounds_orders_are_processed(end: int, page: Open) -> None:
    till = Till()
    till.open()
    Store.objects.filter(pk=till.store.pk).update(order_types=[], **{name: of[end] for name, of in BOUNDS.items()})
    sell(till)
    page("fleet_store_change", till.store.pk)


def test_a_store_of_any_currency_and_zone_that_is_taken_sells(page: Open) -> None:
    rng = Random(13)
    currencies = ["XXX", "XTS", "CLF", "UYW", "MRU", "eur", "EURO", "", *rng.sample(sorted(list_currencies()), 8)]
    zones = ["localtime", "Factory", "UTC", "Etc/GMT+12", "Pacific/Kiritimati", "", "europe/paris", "../etc/passwd"]
    zones += rng.sample(sorted(available_timezones()), len(currencies) - len(zones))
    codes = ["\udcff", "a\0b", "\x1b[2J", "S" * 33, "", " ", "<b>", "a/b?c=d", "é" * 32, "\u202e", "日本"]
    codes += [f"C{place}" for place in range(len(currencies) - len(codes))]
    made = 0
    tries = [(rng.choice(codes) + str(place), "UTC", currency) for place, currency in enumerate(currencies)]
    tries += [(f"Z{place}", zone, "EUR") for place, zone in enumerate(zones)]
    tries += [(code, "UTC", "EUR") for code in codes]
    for code, zone, currency in tries:
        try:
            with transaction.atomic():
                store = create_store(
                    code=code, name=f"{code} Bastille", timezone=zone, currency=currency, prices_include_tax=True
                )
        except ValidationError:
            continue
        made += 1
        till = Till(store)
        till.open()
        sell(till)
    assert made > 20, "or nothing was tried"
    for name in ("index", "fleet_store_changelist", "sales_order_changelist", "sales_shift_changelist"):
        page(name)


@pytest.mark.parametrize("code", ["\udcff", "\x1b[2J", "S" * 33])
def test_a_code_that_nobody_could_type_is_refused_in_words(code: str) -> None:
    with pytest.raises(CommandError, match="code: "):
        call_command("create_store", code, "--timezone", "UTC", "--currency", "EUR")


def test_every_currency_can_be_written() -> None:
    for currency in list_currencies():
        assert money(-(10**12), currency)


def test_without_an_account_for_anything_an_order_is_held_and_a_movement_posted() -> None:
    till = Till()
    till.open()
    PaymentAccount.objects.filter(store=till.store).delete()
    CashReason.objects.filter(store=till.store).delete()
    sell(till)


def test_with_everything_mapped_to_any_one_account_orders_are_processed() -> None:
    till = Till()
    till.open()
    for account in Account.objects.all():
        PaymentAccount.objects.filter(store=till.store, method__in=PAYMENT_ACCOUNTS).update(account=account)
        CashReason.objects.filter(store=till.store).update(account=account)
        sell(till)
