"""Reports in the console: figures in units of the currency, each leading to the orders that it is the sum of."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from backoffice.domain.decisions import Verb
from backoffice.review.reports import written_rate
from tests.integration.books.office import decided
from tests.integration.books.report_day import DAY, a_day
from tests.integration.console.conftest import Open
from tests.integration.console.pages import REPORTS, Page
from tests.signing_in import sign_in
from tests.till import Till, a_store

pytestmark = pytest.mark.django_db

# What each page says of the day, beside its name.
SAYS = {
    "report_sales": "4 €67.40 1 −€1.20 €64.46 €1.74 €0.00 €1.00 €67.20",
    "report_weekdays": "23 Feb 2026 – – – – – – €66.20 €66.20",
    "report_tax": "FR-0 0 % 1 €5.00 €0.00 €5.00",
    "report_over_short": "311 €201.20 €201.00 −€0.20",
    "report_over_short_weekdays": "23 Feb 2026 – – – – – – −€0.20 −€0.20",
    "report_no_receipt": "1 Mar 2026 Ben none 1 −€1.20",
    "report_risk": "Anna 2 €12.40 0 €0.00 0.0 % 2.2 % 0 €0.00 0.0 % 2.2 % 1 €2.00 16.1 % 0.0 %",
    "report_cash": "€201.00 −€200.00 €0.00 €1.00 –",
    "report_offline": "1 Mar 2026 1 €5.00 5 20.0 %",
}


@pytest.fixture
def day(db: None) -> Till:
    return a_day()


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_what_the_day_was(page: Open, day: Till, name: str) -> None:
    assert SAYS[name] in page(name, store=day.store.pk, **DAY).text


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_nothing_says_so(page: Open, name: str) -> None:
    store = a_store()
    text = page(name, store=store.pk, **DAY).text
    assert re.search(r"Nothing was sold|No drawer was counted|No refund without|No cash moved|No order was made", text)


def test_dates_that_are_no_range_are_told(page: Open) -> None:
    text = page("report_sales", first="2026-03-02", last="2026-03-01").text
    assert "the first before the last" in text


def test_a_figure_leads_to_its_orders_and_each_to_its_original(head_office: Client, day: Till) -> None:
    def read(name: str, address: str = "", **query: object) -> Page:
        answer = head_office.get(address or reverse(f"admin:{name}"), query)
        assert answer.status_code == 200
        return Page(answer.content.decode())

    report = read("report_sales", store=day.store.pk, **DAY)
    of_refunds = read("", report.link("−€1.20"))
    assert "1 order, −€1.20 in all" in of_refunds.text
    order = read("", of_refunds.link("1005"))
    assert "Order 1005" in order.text
    assert "/original/" in order.html or "original" in order.text.lower()
    methods = next(row for row in re.findall(r"<tr>.*?</tr>", report.html) if "Gift card" in row and "€5.00" in row)
    assert "1 order, €5.00 in all" in read("", Page(methods).link("1")).text


@pytest.mark.parametrize(
    ("asked", "orders", "amount"),
    [
        ({"figure": "sale"}, 4, "€67.40"),
        ({"figure": "tax", "code": "FR-5.5", "by_code": 1}, 2, "€1.20"),
        ({"figure": "tax", "code": "FR-0", "by_code": 1, "rate": "0", "by_rate": 1}, 1, "€5.00"),
        ({"figure": "method", "code": "card", "by_code": 1}, 2, "€61.00"),
        ({"figure": "discount", "cashier": "Anna", "by_cashier": 1}, 1, "€2.00"),
        ({"figure": "voided"}, 1, "€2.40"),
        ({"figure": "training"}, 1, "€2.40"),
        ({"figure": "offline"}, 1, "€5.00"),
        ({"figure": "tip"}, 1, "€1.00"),
    ],
)
def test_the_orders_of_a_figure_come_to_it(
    page: Open, day: Till, asked: dict[str, object], orders: int, amount: str
) -> None:
    text = page("report_orders", store=day.store.pk, **DAY, **asked).text
    assert f"{orders} order{'' if orders == 1 else 's'}, {amount} in all" in text
    by_day = page("report_orders", store=day.store.pk, first="2026-02-20", last="2026-03-05", **asked)
    assert f"1 Mar 2026 {orders}" in by_day.text
    assert f"{orders} order" in Page(by_day.html).text or by_day.link(str(orders))


def test_the_orders_of_a_rate_say_it_as_a_percentage_and_tax_stands_only_where_there_is_one(
    page: Open, day: Till
) -> None:
    def orders(**asked: object) -> str:
        return page("report_orders", store=day.store.pk, **DAY, **asked).text

    taxed = orders(figure="tax", by_code=1, code="FR-20", by_rate=1, rate="0.2")
    assert "Orders with tax: FR-20" in taxed
    assert "rate 20 %" in taxed.replace("\N{NO-BREAK SPACE}", " ")
    assert "Tax in it" in taxed
    assert "Tax in it" not in orders(figure="method", by_code=1, code="cash")
    without = orders(figure="tax", by_code=1)
    assert "Orders without tax" in without
    assert "Tax in it" not in without


def test_a_levy_of_so_much_a_piece_is_no_tax_of_zero_per_cent() -> None:
    assert written_rate("0", 60) == "per piece"
    assert [written_rate(rate, 0) for rate in ("0", "0.055")] == ["0\N{NO-BREAK SPACE}%", "5.5\N{NO-BREAK SPACE}%"]


def test_no_orders_of_a_figure_say_so(page: Open, day: Till) -> None:
    text = page("report_orders", store=day.store.pk, **DAY, figure="out-of-hours").text
    assert "No order is in this figure" in text


def test_everybody_who_may_see_a_report_sees_the_same_figures(day: Till, head_office: Client) -> None:
    """What one may not open is no link, and is in the sum all the same."""
    decided(Verb.BANK, day.store.code, amount=80, slip="4711", date="2026-03-01")
    for name, right in (
        ("report_sales", "view_order"),
        ("report_tax", "view_order"),
        ("report_cash", "view_journalentry"),
    ):
        auditor = Client()
        sign_in(auditor, User.objects.create_user(name, is_staff=True))
        User.objects.get(username=name).user_permissions.set(Permission.objects.filter(codename=right))
        address = reverse(f"admin:{name}")
        query = {"store": str(day.store.pk), **DAY}
        tables = [
            re.findall(r"<td[^>]*>(?:<a[^>]*>)?([^<]*)", client.get(address, query).content.decode())
            for client in (auditor, head_office)
        ]
        assert tables[0] == tables[1] != []


def test_on_paper_there_is_one_document_with_its_styles_and_names_are_text(head_office: Client) -> None:
    till = a_day(Till(a_store(name='<img src="http://evil.example/x"> "Bastille" 🥐 مخبز')))
    answer = head_office.get(reverse("admin:report_sales"), {"store": till.store.pk, **DAY, "as": "print"})
    html = answer.content.decode()
    assert "&lt;img src=&quot;http://evil.example/x&quot;&gt; &quot;Bastille&quot; 🥐 مخبز" in html
    assert re.findall(r"<(?:img|link|script|iframe|object)\b", html) == []
    assert "size: A4 landscape" in html
    assert "€67.40" in html


def test_a_pdf_is_asked_for_with_a_button_and_has_a_name(head_office: Client, day: Till) -> None:
    address = f"{reverse('admin:report_tax')}?store={day.store.pk}&first=2026-03-01&last=2026-03-01"
    answer = head_office.post(address, {"as": "pdf"})
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].endswith('-2026-03-01-2026-03-01.pdf"')
    assert answer.content.startswith(b"%PDF-")
    assert head_office.get(f"{address}&as=pdf").headers["Content-Type"].startswith("text/html")


def test_of_all_stores_there_is_a_row_per_store_whose_figures_lead_to_days(head_office: Client, day: Till) -> None:
    query = {"first": "2026-02-20", "last": "2026-03-05"}
    read = Page(head_office.get(reverse("admin:report_sales"), query).content.decode())
    assert "Business day" not in read.text
    assert "Choose a store to see its days" in read.text
    days = Page(head_office.get(read.link("−€1.20")).content.decode())
    assert "1 Mar 2026 1 −€0.06 −€1.20" in days.text
