"""Whatever somebody types into an address, the console answers: with a page, with what is not there, never with an error."""

from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from backoffice.domain.decisions import Verb
from backoffice.review.admin.account_days import AccountDaysFilters
from backoffice.review.admin.filters import ReportFilters
from backoffice.review.drilling import FigureForm
from backoffice.review.paging import AFTER, BEFORE
from tests.integration.books.office import decided
from tests.integration.console.conftest import Open
from tests.integration.console.crawling import addresses_of, model_of, patterns, read
from tests.integration.console.pages import LISTS
from tests.signing_in import sign_in
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db

ODD = (
    *("", " ", "0", "-1", "1", "1.5", "1e9", "9" * 30, "9" * 5000, "-" + "9" * 5000, "９", "٣", "0x10", "1_000", "NaN"),
    *(
        "\0",
        "a\0b",
        "\ufffd",
        "\u202e",
        "é" * 300,
        "'",
        '"',
        "%",
        "%00",
        "_",
        "\\",
        "[",
        "(",
        "*",
        "{}",
        "~",
        "~~",
        "x~y",
        "<b>",
    ),
    *("9999-12", "0001-01", "0000-00", "2026-13", "2026-02-30", "9999-12-31", "0001-01-01", "10000-01-01", "2026-03"),
    *("2026-03-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "24:00"),
    *("00000000-0000-0000-0000-000000000000", "f" * 32, "urn:uuid:" + "f" * 32, "None", "null", "true", "open", "held"),
    "9999-12-31T23:59:59-23:59~ffffffff-ffff-ffff-ffff-ffffffffffff",
    "0001-01-01T00:00:00+23:59~00000000-0000-0000-0000-000000000000",
)
# Django's own, and unfold's.
OTHERS = ("q", "p", "o", "e", "s", "all", "page", "extended", "term", "app_label", "model_name", "field_name", "next")
OTHERS += ("_to_field", "_popup", "_changelist_filters", "_facets", "_selected_action", "dataset", AFTER, BEFORE)
LOOKUPS = ("", "__in", "__regex", "__contains", "__year", "__isnull", "__gt", "__range", "__len", "__0", "__id", "__x")
REPORTED = {
    "sales_order_changelist": [
        "q=" + "9" * 5000,
        "cashier__regex=[",
        "number__in=" + "9" * 20,
        "business_date__year=0",
    ],
    "sales_shift_changelist": ["opening_hash=1", "business_date__year=0", "shift=%00", "cashier__iregex=("],
    "inbox_batch_changelist": ["digest=1", "body=1", "outcomes__x=1", "terminal__store__code=%00"],
    "fleet_store_changelist": ["order_types__contains=x", "order_types__0_1=x"],
    "ledger_journalentry_changelist": ["kind__in=%00", "source_kind__in=%00", "day=9999-12-31"],
    "ledger_trial_balance": ["at=9999-12-31", "since=0001-01-01", "at=10000-01-01", "store=%00"],
    "ledger_account_days": ["account=4000&since=0001-01-01", "account=%00", "account=4000&at=9999-12-31"],
    "report_sales": ["first=9999-12-31", "last=0001-01-01", "first=2026-03-02&last=2026-03-01", "store=%00&as=print"],
    "report_orders": ["figure=sale", "figure=x", "figure=sale&store=1&first=0001-01-01&last=9999-12-31", "figure=%00"],
    "sales_store_days": ["day=9999-12-31", "day=1999-12-31", "day=x", "store=%00", "store=1&day=2026-03-01"],
    "search": ["s=x&page=x", "s=x&page=0", "s=x&page=" + "9" * 5000, "s=%00", "s=x&page=2"],
}


# What pages besides lists take.
OF_PAGES = [*AccountDaysFilters.base_fields, *ReportFilters.base_fields, *FigureForm.base_fields]

# Of the odd values, for each parameter and place: there are enough of those that each value has its turn.
SOME = 6


def some(rng: Random) -> list[str]:
    return rng.sample(ODD, SOME)


@pytest.fixture
def reader(db: None) -> Client:
    """The browser of somebody who may see everything, and who sees an error as an answer."""
    client = Client(raise_request_exception=False)
    sign_in(client, User.objects.create_superuser("claire"))
    return client


@pytest.fixture
def till() -> Till:
    """One of each kind of row, so that no list is empty."""
    till = Till()
    till.open()
    till.sell(a_sale(1001), a_sale(1002, total=1), voided := a_sale(1003))
    decided(Verb.VOID, voided["order_id"])
    return till


def names_of(model: type[Model]) -> list[str]:
    """Every parameter that a list of this model might take, offered or not."""
    page = admin.site._registry[model]
    fields = [field.name for field in model._meta.get_fields()]
    looked_up = [
        f"{field}{lookup}" for field in (*fields, "store__code", "terminal__credentials") for lookup in LOOKUPS
    ]
    return [*page.filter_form.base_fields, *OF_PAGES, *OTHERS, *looked_up]


def odd_queries(model: type[Model] | None, rng: Random, count: int) -> Iterator[str]:
    names = list(OTHERS) if model is None else names_of(model)
    for _ in range(count):
        chosen: list[tuple[str, Any]] = [(rng.choice(names), rng.choice(ODD)) for _ in range(rng.randint(1, 3))]
        yield urlencode(chosen)


def answered(reader: Client, address: str) -> str | None:
    """What is wrong with an answer; None if it is one. 400 is for what is forged, such as a key of another field."""
    page = read(reader, address)
    return None if page.status < 500 and not page.error else f"{address[:200]}: {page.status} {page.error}"


def test_what_once_was_an_error_is_an_answer(reader: Client, till: Till) -> None:
    asked = [f"{reverse(f'admin:{name}')}?{query}" for name, queries in REPORTED.items() for query in queries]
    wrong = [answered(reader, address) for address in asked]
    assert [one for one in wrong if one] == []


def test_any_query_of_any_address_is_answered(reader: Client, till: Till) -> None:
    rng = Random(1)
    wrong = []
    for address in addresses_of(lambda model: model._default_manager.order_by().values_list("pk", flat=True)[:1]):
        model = next((model for model in admin.site._registry if f"/{model._meta.model_name}/" in address), None)
        wrong += [answered(reader, f"{address}?{query}") for query in odd_queries(model, rng, 4)]
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("name", LISTS)
def test_every_parameter_of_a_list_may_be_anything(reader: Client, till: Till, name: str) -> None:
    model, address = model_of(name), reverse(f"admin:{name}")
    offered = [*admin.site._registry[model].filter_form.base_fields, "q", AFTER, BEFORE]
    rng = Random(name)
    wrong = [answered(reader, f"{address}?{urlencode({one: value})}") for one in offered for value in some(rng)]
    assert [one for one in wrong if one] == []


def test_a_key_in_an_address_may_be_anything(reader: Client, till: Till) -> None:
    wrong, rng = [], Random(17)
    for place, pattern in patterns():
        if "object_id" not in pattern.pattern.converters:
            continue
        for value in some(rng):
            before, _, after = place.partition("<path:object_id>")
            wrong.append(answered(reader, reverse("admin:index") + before + quote(value, safe="") + after))
    assert len(wrong) > 20 * SOME, "or no address was found"
    assert [one for one in wrong if one] == []


def test_a_form_may_be_filled_in_with_anything(reader: Client, till: Till) -> None:
    wrong = []
    for model, page in admin.site._registry.items():
        names = [field.name for field in model._meta.fields]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        row = model._default_manager.order_by().first()
        if row is None:
            continue  # nothing of this kind was made by a till
        address = reverse(name, args=[row.pk])
        for value in some(Random(name)):
            answer = reader.post(address, dict.fromkeys(names, value))
            if answer.status_code >= 500:
                wrong.append(f"{type(page).__name__} {value[:50]!r}: {answer.exc_info[1]}")
    assert wrong == []


def test_a_look_up_that_is_not_offered_changes_nothing(page: Open, till: Till) -> None:
    rows = {name: len(page(name).rows) for name in LISTS}
    assert rows["sales_order_changelist"], "or there is nothing to leave out"
    for name in LISTS:
        fields = [
            field.name for field in model_of(name)._meta.fields if field.name not in {"store", "terminal", "state"}
        ]
        asked = {f"{field}__isnull": "1" for field in fields}
        assert len(page(name, **asked).rows) == rows[name], "one of them changed what is shown"


def test_a_link_to_the_next_page_repeats_nothing_that_was_not_asked_for(page: Open) -> None:
    till = Till()
    till.open()
    till.sell(*(a_sale(1001 + place) for place in range(51)))
    read = page("sales_order_changelist", store=till.store.pk, cashier__regex="[", x="y" * 500)
    (older,) = [link for link in read.html.split('"') if link.startswith("?") and f"{AFTER}=" in link]
    assert "cashier" not in older
    assert "yyy" not in older
    assert f"store={till.store.pk}" in older


def test_a_name_that_another_till_of_the_store_has_is_refused(reader: Client, till: Till) -> None:
    other = Till(till.store, name="Till 2")
    answer = reader.post(reverse("admin:fleet_terminal_name", args=[other.terminal.pk]), {"name": till.terminal.name})
    assert answer.status_code == 200
    assert "Another terminal of this store has this name." in answer.content.decode()
