"""Figures at a glance: the week of each store, a cashier beside the others, and how often an order was sent."""

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.domain.decisions import Verb
from backoffice.inbox.models import Batch
from backoffice.trail.models import TrailEntry
from tests.integration.books.office import decided
from tests.integration.console.conftest import Open
from tests.integration.console.entering import AGAIN, a_person, age
from tests.integration.console.test_orders import posted
from tests.integration.console.two_stores import bind
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db
MARCH = {"first": "2026-03-02", "last": "2026-03-15"}


def a_shift(till: Till, number: int, day: str, *, cashier: str = "Anna", sold: int = 1, off: int = 0) -> None:
    """A shift of one day with `sold` orders of 2.40, whose drawer is off by so much."""
    first = 1000 * number
    till.open(number=number, first_number=first, opened_at=f"{day}T08:00:00+01:00", cashier=cashier)
    times = {"opened_at": f"{day}T10:00:00+01:00", "closed_at": f"{day}T10:01:00+01:00", "cashier": cashier}
    sales = [a_sale(first + place, **times) for place in range(sold)]
    till.sell(*sales)
    answer = till.close(*sales, closed_at=f"{day}T18:00:00+01:00", counted=20000 + 240 * sold + off)
    assert answer.status_code in {200, 202}, answer.content


@pytest.fixture
def till() -> Till:
    """Two Mondays and a Saturday: Anna was short on both Mondays, and Ben over on the Saturday."""
    till = Till(a_store(name="Paris Bastille"))
    a_shift(till, 1, "2026-03-02", sold=1, off=-50)
    a_shift(till, 2, "2026-03-07", cashier="Ben", sold=4, off=20)
    a_shift(till, 3, "2026-03-09", sold=2, off=-150)
    return till


def shades(html: str, text: str) -> list[str]:
    """The colours of the cells that say so."""
    found = re.findall(r'<td class="c-right([^"]*)">(?:<a [^>]*>)?([^<]*)', html)
    return [classes.strip() for classes, words in found if unescape(words) == text]


def test_each_store_stands_beside_its_weekdays_with_figures_in_shaded_cells(page: Open, till: Till) -> None:
    read = page("report_weekdays", **MARCH)
    # 2.40 and 4.80 on the Mondays; to whole units, 3.60 is 4, 9.60 is 10, and any day of the three is 5.60.
    assert "Store Mon Tue Wed Thu Fri Sat Sun Any day Paris Bastille €4 – – – – €10 – €6" in read.text
    assert shades(read.html, "€10") == ["c-much-5"], "its best weekday"
    assert shades(read.html, "€4") == ["c-much-2"]
    assert '<th scope="row" dir="auto">' in read.html, "a screen reader says whose week it is"

    own = page("report_weekdays", store=till.store.pk, **MARCH)
    assert f"store={till.store.pk}" in read.link("Paris Bastille")
    assert "9 Mar 2026 €4.80 – – – – – – €4.80 2 Mar 2026 €2.40 – – – – €9.60 – €12.00" in own.text
    day = own.link("€9.60")
    assert day.startswith(reverse("admin:report_sales"))
    assert "first=2026-03-07&last=2026-03-07" in day


def test_over_and_short_have_their_sign_and_two_colours(page: Open, till: Till) -> None:
    read = page("report_over_short_weekdays", **MARCH)
    assert "Paris Bastille \N{MINUS SIGN}€2.00 – – – – +€0.20 – \N{MINUS SIGN}€1.80" in read.text
    assert shades(read.html, "\N{MINUS SIGN}€2.00")[0] == "c-short-5"
    assert shades(read.html, "+€0.20")[0] == "c-over-1"
    own = page("report_over_short_weekdays", store=till.store.pk, **MARCH)
    assert own.link("\N{MINUS SIGN}€1.50").startswith(reverse("admin:report_over_short"))


def test_by_weekday_is_of_whole_weeks_until_yesterday(page: Open, till: Till) -> None:
    first, last = re.findall(r'name="(?:first|last)" value="([0-9-]+)"', page("report_weekdays").html)
    assert (date.fromisoformat(last) - date.fromisoformat(first)).days == 55


def test_a_heat_map_on_paper_has_its_colours(head_office: Client, till: Till) -> None:
    html = head_office.get(reverse("admin:report_over_short_weekdays"), {**MARCH, "as": "print"}).content.decode()
    assert '<td class="right short-5">' in html


def test_a_cashier_stands_beside_the_others_of_the_store(page: Open, till: Till) -> None:
    a_shift(till, 4, "2026-03-09", cashier="Ben", off=-10)
    report = page("report_over_short", **MARCH)
    shift = page("sales_shift_change", till.shift_id)
    assert shift.link("Ben").startswith(reverse("admin:report_cashier"))
    address = report.link("Anna")
    assert "last=2026-03-15" in address

    read = page("report_cashier", store=till.store.pk, cashier="Anna", last="2026-03-15")
    assert "2 of 2 shifts differ" in read.text
    assert "Together \N{MINUS SIGN}€2.00" in read.text
    # Ben's: +0.20 on the 7th, −0.10 on the 9th, on which Anna was short as well.
    assert "3 9 Mar 2026 Till 1 \N{MINUS SIGN}€1.50 \N{MINUS SIGN}€0.10" in read.text
    assert "1 2 Mar 2026 Till 1 \N{MINUS SIGN}€0.50 –" in read.text
    rows = "Anna 2 2 \N{MINUS SIGN}€2.00 \N{MINUS SIGN}€1.00 Ben 2 2 +€0.10 +€0.05"
    assert rows in read.text, "the shortest first"
    assert "cashier=Ben" in read.link("Ben")


def test_of_a_cashier_whom_nobody_knows_or_who_is_elsewhere_it_says_so(page: Open, till: Till) -> None:
    assert "Choose a store and a cashier" in page("report_cashier").text
    nobody = page("report_cashier", store=till.store.pk, cashier="\N{RIGHT-TO-LEFT OVERRIDE}<b>annA</b>")
    assert "No drawer of this cashier was counted there" in nobody.text
    assert "<b>annA" not in nobody.html
    elsewhere = a_person("view_shift")
    bind(elsewhere, a_store())
    told = (
        sign_in(Client(), elsewhere)
        .get(reverse("admin:report_cashier"), {"store": till.store.pk, "cashier": "Anna"})
        .content.decode()
    )
    assert "Choose a store and a cashier" in told


def test_an_order_says_how_often_and_in_which_uploads_it_was_sent(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001)
    till.sell(a_sale(1000), sale)
    once = page("sales_order_change", posted(sale).pk)
    assert "Sent Once By the uploads of its shift." in once.text
    again = till.sell(sale, sale)["batch_id"]
    till.sell(sale | {"note": "other"})
    read = page("sales_order_change", posted(sale).pk)
    assert "Sent 4 times" in read.text
    assert [read.text.count(f", {words}") for words in ("in the books", "sent before", "in conflict")] == [1, 2, 1]
    assert f"/inbox/batch/{again}/change/" in read.html


def test_what_head_office_posted_was_sent_by_the_till_as_often_as_it_sent_it(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001, total=1)
    till.sell(sale)
    decided(Verb.CORRECT, sale["order_id"], order=sale | {"total": 240})
    text = page("sales_order_change", posted(sale).pk).text
    assert "Sent Once" in text


def of_original(batch_id: Any, **query: Any) -> str:
    """The address of what a till sent."""
    place = reverse("admin:inbox_batch_stored", args=[batch_id])
    return place + "".join(f"?{name}={value}" for name, value in query.items())


def test_what_a_till_sent_is_read_by_who_has_the_right_and_shows_who_they_are(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1002, x_loyalty="kept though unknown")
    batch_id = till.sell(a_sale(1001), sale, movements=[a_movement(77)])["batch_id"]
    order = reverse("admin:sales_order_change", args=[posted(sale).pk])
    address = of_original(batch_id, order=1)

    reader = sign_in(Client(), a_person("view_order", "view_batch"))
    assert "kept though unknown" not in reader.get(order).content.decode()
    assert "/stored/" not in reader.get(order).content.decode(), "nothing leads to a closed door"
    assert reader.get(address).status_code == 403
    assert reader.post(of_original(batch_id)).status_code == 403

    auditor = sign_in(Client(), a_person("view_order", "view_original"))
    assert address in unescape(auditor.get(order).content.decode())
    assert '"x_loyalty": "kept though unknown"' in unescape(auditor.get(address).content.decode())
    assert '"number": 1001' not in unescape(auditor.get(address).content.decode()), "only what is asked for"
    assert '"amount": 77' in unescape(auditor.get(of_original(batch_id, movement=0)).content.decode())
    assert auditor.get(of_original(batch_id, order=2)).status_code == 404
    assert auditor.get(of_original("nonsense")).status_code == 404
    file = auditor.post(of_original(batch_id))
    assert b'"x_loyalty"' in file.content
    assert len(file.content) == Batch.objects.get(pk=batch_id).size
    noted = list(
        TrailEntry.objects.filter(about="batch", object_id=batch_id).order_by("id").values_list("what", "after")
    )
    assert noted == [("read", {"order": 2}), ("read", {"order": 2}), ("read", {"movement": 1}), ("downloaded", None)]
    assert not TrailEntry.objects.filter(about="batch", object_id=batch_id, person="").exists(), "by whom?"

    age(auditor, 3600)
    session = auditor.session
    session["console.seen"] = session["console.signed_in"] = session["console.seen"] + 3600
    session.save()
    asked = auditor.get(address)
    assert asked.status_code == 302
    assert "/again/" in asked.headers["Location"] or asked.headers["Location"].startswith(AGAIN)


def test_what_a_till_of_another_store_sent_is_not_there() -> None:
    till = Till()
    till.open()
    batch_id = till.sell(a_sale(1001))["batch_id"]
    person = a_person("view_original")
    bind(person, a_store())
    assert sign_in(Client(), person).get(of_original(batch_id)).status_code == 404
