"""Lists as CSV: every list gives what it shows, to whoever may see it, and nothing that a spreadsheet would run."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.review import list_files
from backoffice.review.admin.held import HeldAdmin
from backoffice.review.list_files import plain_text
from backoffice.sales.models import Order
from backoffice.trail.models import TrailEntry
from tests.integration.console.pages import LISTS
from tests.integration.console.two_stores import browser_of, every_right, somebody
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db


def file_of(client: Client, name: str, **query: Any) -> list[list[str]]:
    """The lines of a list's file, its titles first."""
    answer = client.get(reverse(f"admin:{name}"), query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="[a-z0-9_-]+-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"])
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), strict=True))


def cells_of(lines: list[list[str]], place: int = 1) -> dict[str, str]:
    return dict(zip(lines[0], lines[place], strict=True))


@pytest.fixture
def till(db: None) -> Till:
    till = Till(a_store("PARBAS", name="Paris Bastille"), name="Till 9")
    till.open(cashier="Anna")
    return till


def test_every_list_is_a_file_with_as_many_columns_in_each_line(till: Till, head_office: Client) -> None:
    till.sell(a_sale(1001), a_sale(1002, total=1), movements=[a_movement()])
    found = {name: file_of(head_office, name.replace("_changelist", "_csv")) for name in LISTS}
    found["days"] = file_of(head_office, "sales_store_days_csv")
    for name, lines in found.items():
        assert {len(line) for line in lines} == {len(lines[0])}, name
        assert "" not in lines[0], name
        assert not any("<" in cell for line in lines for cell in line), name
    for name in (
        "sales_order",
        "sales_shift",
        "sales_helditem",
        "fleet_terminal",
        "inbox_batch",
        "ledger_journalentry",
    ):
        assert any("Paris Bastille" in line for line in found[f"{name}_changelist"][1:]), name


def test_an_order_is_in_words_with_amounts_and_times_that_programs_read(till: Till, head_office: Client) -> None:
    sold = a_sale(1001)
    back = {
        "kind": "refund",
        "refund_of": sold["order_id"],
        "total": -240,
        "payments": [{"method": "cash", "amount": -240}],
    }
    line = sold["lines"][0] | {"unit_price": -120, "amount": -240, "taxes": []}
    till.sell(sold)
    till.sell(a_sale(1002, **back, lines=[line]))

    lines = file_of(head_office, "sales_order_csv", store=till.store.pk)

    refund, sale = cells_of(lines, 1), cells_of(lines, 2)
    assert (sale["Order"], sale["Online or offline"], sale["Store"]) == ("1001", "made offline", "Paris Bastille")
    assert (sale["Total"], sale["Total, currency"]) == ("2.40", "EUR")
    assert refund["Total"] == "-2.40", "a number, though it begins with a minus"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00", sale["Closed"]), sale["Closed"]
    shift = cells_of(file_of(head_office, "sales_shift_csv", store=till.store.pk))
    assert (shift["Sales less refunds"], shift["Sales less refunds, currency"], shift["Closed"]) == (
        "0.00",
        "EUR",
        "still open",
    )
    assert shift["Business day"] == str(Order.objects.get(number=1001, store=till.store).business_date)


def test_a_file_has_the_rows_of_the_filters_and_the_search(till: Till, head_office: Client) -> None:
    other = Till()
    other.open()
    till.sell(a_sale(1001), a_sale(1002, mode="online"))
    other.sell(a_sale(7001))
    numbers = [line[0] for line in file_of(head_office, "sales_order_csv", store=till.store.pk, made="online")[1:]]
    assert numbers == ["1002"]
    assert [line[0] for line in file_of(head_office, "sales_order_csv", q="7001")[1:]] == ["7001"]


def test_who_is_bound_to_a_store_takes_along_nothing_of_another(till: Till) -> None:
    other = Till(a_store(name="Quarzal"))
    other.open()
    till.sell(a_sale(1001))
    other.sell(a_sale(7001), a_sale(7002, total=1))
    bound = browser_of(somebody("bound", till.store, rights=every_right()))
    for name in [*(name.replace("_changelist", "_csv") for name in LISTS), "sales_store_days_csv"]:
        content = bound.get(reverse(f"admin:{name}"), {"store": other.store.pk}).content.decode()
        assert not re.search("Quarzal|7001", content), name
    assert [line[0] for line in file_of(bound, "sales_order_csv")[1:]] == ["1001"]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r=1", "'=1"),
        ("＝1", "'＝1"),
        ("a\nb", "a b"),
        ("Anna \u202eannA", "Anna <U+202E>annA"),
        ("Zoé, 3 < 4", "Zoé, 3 < 4"),
    ],
)
def test_a_text_is_nothing_that_a_spreadsheet_runs_or_turns_around(said: str, written: str) -> None:
    assert plain_text(said) == written


def test_what_a_till_says_is_text_in_a_file(head_office: Client) -> None:
    till = Till(a_store(name="=1+1"))
    till.open(cashier="=cmd|' /C calc'!A0")
    till.sell(a_sale(1001, cashier="@SUM(1)<b>"))
    order = cells_of(file_of(head_office, "sales_order_csv", store=till.store.pk))
    assert (order["Store"], order["Cashier"]) == ("'=1+1", "'@SUM(1)<b>")
    assert cells_of(file_of(head_office, "sales_shift_csv", store=till.store.pk))["Cashier"] == "'=cmd|' /C calc'!A0"


def test_a_file_that_ends_before_the_list_says_so_and_where_the_rest_is(
    till: Till, head_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.sell(*(a_sale(number) for number in range(1001, 1008)))
    monkeypatch.setattr(list_files, "MOST_ROWS", 5)
    answer = head_office.get(reverse("admin:sales_order_csv"), {"store": till.store.pk})
    *lines, last = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert [line[0] for line in lines[1:]] == ["1007", "1006", "1005", "1004", "1003"]
    assert last[0].startswith("The list goes on: this file has 5 rows of it. What follows is at http://testserver/")
    rest = head_office.get(last[0].rpartition(" ")[2]).content.decode("utf-8-sig")
    assert [line.partition(",")[0] for line in rest.splitlines()[1:]] == ["1002", "1001"]


def test_a_file_of_held_orders_has_fewer_rows_since_each_is_read_from_its_upload(
    till: Till, head_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HeldAdmin.most_rows == 1_000
    till.sell(*(a_sale(number, total=1) for number in range(1001, 1006)))
    monkeypatch.setattr(HeldAdmin, "most_rows", 2)
    lines = file_of(head_office, "sales_helditem_csv", store=till.store.pk)
    assert lines[-1][0].startswith(
        "The list goes on: this file has 2 rows of it. What follows is at http://testserver/"
    )
    assert len(lines) == 1 + 2 + 1


def test_it_is_read_in_parts_by_key(till: Till, head_office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is skipped over or counted, and none is missed where one part ends."""
    till.sell(*(a_sale(number) for number in range(1001, 1008)))
    monkeypatch.setattr("backoffice.review.admin.base.ConsoleAdmin.rows_at_once", 3)
    with CaptureQueriesContext(connection) as seen:
        lines = file_of(head_office, "sales_order_csv", store=till.store.pk)
    assert [line[0] for line in lines[1:]] == [str(number) for number in range(1007, 1000, -1)]
    assert not [one["sql"] for one in seen if "OFFSET" in one["sql"] or "COUNT(" in one["sql"].upper()]


def test_who_takes_a_list_along_is_noted(till: Till, head_office: Client) -> None:
    till.sell(a_sale(1001))
    file_of(head_office, "sales_order_csv", store=till.store.pk, q="4111 1111 1111 1111")
    noted = TrailEntry.objects.filter(what="downloaded").latest("id")
    assert (noted.about, noted.object_id, noted.person, noted.store_id) == ("list", "order", "claire", till.store.pk)
    assert noted.after["rows"] == 0
    assert "4111" not in str(noted.after)
    assert noted.at > timezone.now() - timedelta(minutes=1)


def test_what_no_column_can_hold_is_noted_as_it_can_be(head_office: Client) -> None:
    assert file_of(head_office, "sales_order_csv", x="\0", y="z" * 5_000)
    assert len(TrailEntry.objects.get(about="list").after["filters"]) <= 2_000


def test_the_link_above_a_list_takes_its_filters_along(till: Till, head_office: Client) -> None:
    till.sell(*(a_sale(number) for number in range(1001, 1003)))
    html = head_office.get(reverse("admin:sales_order_changelist"), {"store": till.store.pk, "after": "5"}).content
    assert b"Download as CSV" not in html, "there is nothing on this page"
    html = head_office.get(reverse("admin:sales_order_changelist"), {"store": till.store.pk}).content
    assert f'href="{reverse("admin:sales_order_csv")}?store={till.store.pk}" download'.encode() in html
    assert head_office.post(reverse("admin:sales_order_csv")).status_code == 405
