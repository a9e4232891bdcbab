"""Orders in the console: what was sold."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.review.admin import orders
from backoffice.sales.models import HeldItem, Order
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db


def posted(order: dict) -> Order:
    return Order.objects.get(order_id=order["order_id"])


def held_of(till: Till) -> list[HeldItem]:
    return list(HeldItem.objects.filter(terminal=till.terminal))


def test_an_order_made_offline_carries_its_asterisk_everywhere(page: Open) -> None:
    till = Till()
    till.open()
    offline, online = a_sale(1001), a_sale(1002, mode="online")
    till.sell(offline, online)

    shown = page("sales_order_changelist", store=till.store.pk)
    assert "1001 *" in shown.row("1001").text
    assert "*" not in shown.row("1002").text
    assert "* made offline: the till kept the order and sent it later." in shown.text

    receipt = page("sales_order_change", posted(offline).pk)
    assert "Order 1001*" in receipt.text
    assert "Sale 1001 *" in receipt.text
    assert "* made offline" in receipt.text
    assert "*" not in page("sales_order_change", posted(online).pk).text


def test_the_receipt_shows_lines_taxes_payments_and_change(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001, cashier="Anna")
    till.sell(sale)

    text = page("sales_order_change", posted(sale).pk).text

    assert "Paris Bastille" in text
    assert "Baguette 2 × €1.20 €2.40" in text
    assert "Total €2.40 including tax FR-5.5 €0.13" in text
    assert "Cash €2.40 Given €5.00 Change €2.60" in text


def test_the_page_of_an_order_shows_its_balanced_journal_entry(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001)
    till.sell(sale)

    text = page("sales_order_change", posted(sale).pk).text

    for line in ("1000 Cash in drawer €2.40", "4000 Sales €2.27", "2100 Tax payable FR-5.5 €0.13"):
        assert line in text
    assert "Both sides are equal €2.40 €2.40" in text


def test_a_voided_order_has_no_journal_entry_and_says_why(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001, status="voided")
    till.sell(sale)

    assert "Voided and training orders" in page("sales_order_change", posted(sale).pk).text


def test_it_says_where_the_order_came_from(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1002)
    till.sell(a_sale(1001), sale)

    read = page("sales_order_change", posted(sale).pk)

    assert "Order 2 of 2 in its upload" in read.text
    assert "The original, as the till sent it" in read.text
    assert "Offline, 1 Mar 2026, 10:00 CET" in read.text


@pytest.mark.parametrize(
    ("zone", "currency", "time", "total"),
    [
        ("Asia/Tokyo", "JPY", "18:01 JST", "JP¥240"),
        ("America/New_York", "USD", "04:01 EST", "US$2.40"),
        ("Asia/Dubai", "KWD", "13:01 UTC+04", "KWD 0.240"),
    ],
)
def test_times_are_the_stores_and_money_has_its_own_minor_unit(
    page: Open, zone: str, currency: str, time: str, total: str
) -> None:
    till = Till(a_store(timezone=zone, currency=currency))
    till.open()
    till.sell(a_sale(1001))

    row = page("sales_order_changelist", store=till.store.pk).row("1001")

    assert time in row.text
    assert total in row.text


def test_markup_in_an_order_is_text(page: Open) -> None:
    till = Till(a_store(name="<script>store</script>"))
    till.open(cashier="<script>shift</script>")
    sale = a_sale(1001, cashier="<script>cashier</script>", note="</pre><script>note</script>")
    sale["lines"][0]["name"] = "<script>alert(1)</script>"
    sale["payments"][0]["reference"] = "<script>reference</script>"
    held = a_sale(1002, total=1, note="<script>held</script>")
    till.sell(sale, held)
    till.sell(a_sale(1003, order_id=sale["order_id"], note="<script>other</script>"))

    pages = [
        page("sales_order_changelist", store=till.store.pk),
        page("sales_order_change", posted(sale).pk),
        page("sales_shift_changelist", store=till.store.pk),
        page("sales_shift_change", till.shift_id),
        page("fleet_terminal_change", till.terminal.pk),
        *(page("sales_helditem_change", item.pk) for item in held_of(till)),
    ]

    assert "<script>alert(1)</script>" in pages[1].text
    for read in pages:
        for inside in ("alert(1)", "cashier", "store", "shift", "note", "reference", "held", "other"):
            assert f"<script>{inside}" not in read.html


class TestSearch:
    """By number or identifier, through the identities' unique indexes."""

    @pytest.mark.parametrize("spelling", ["{number}", "{number}*", " {number} ", "{order_id}"])
    def test_it_finds_an_order(self, page: Open, spelling: str) -> None:
        till = Till()
        till.open(first_number=7_700_001)
        sale = a_sale(7_700_001)
        till.sell(sale, a_sale(7_700_002))

        found = page("sales_order_changelist", q=spelling.format(**sale))

        assert [row.text[:7] for row in found.rows] == ["7700001"]

    def test_it_never_scans_what_grows_with_sales(self, page: Open) -> None:
        till = Till()
        till.open(first_number=7_700_001)
        till.sell(a_sale(7_700_001))

        with CaptureQueriesContext(connection) as asked:
            page("sales_order_changelist", q="7700001")

        about_orders = [one["sql"] for one in asked if 'FROM "sales_order"' in one["sql"]]
        assert about_orders
        for sql in about_orders:
            assert '"sales_order"."id" IN' in sql
            assert '"sales_order"."business_date" IN' in sql
            assert '"sales_order"."number" =' not in sql

    @pytest.mark.parametrize(
        "nonsense", ["nothing like it", "9" * 40, "0195b1a0-0000-4000-8000-00000000beef", "0", "-1", "\x00", "1'--"]
    )
    def test_what_is_unknown_finds_nothing(self, page: Open, nonsense: str) -> None:
        assert "Nothing matches" in page("sales_order_changelist", q=nonsense).text

    def test_an_order_that_is_held_is_named(self, page: Open) -> None:
        till = Till()
        till.open()
        wrong = a_sale(1001, total=1)
        till.sell(wrong)

        found = page("sales_order_changelist", q=wrong["order_id"])

        assert "Order 1001 * of Paris Bastille, Till 1, is held and not in the books." in found.text


def test_orders_can_be_narrowed(page: Open) -> None:
    one, other = Till(), Till()
    for till in (one, other):
        till.open()
        till.sell(a_sale(1001), a_sale(1002, mode="online"))

    def numbers(**filters: object) -> list[str]:
        return [row.text[:4] for row in page("sales_order_changelist", **filters).rows]

    assert numbers(store=one.store.pk) == ["1002", "1001"]
    assert numbers(store=one.store.pk, made="offline") == ["1001"]
    assert numbers(terminal=other.terminal.pk, day="2026-03-01") == ["1002", "1001"]
    assert numbers(terminal=other.terminal.pk, day="2026-03-02") == []
    assert numbers(shift=one.shift_id, made="online") == ["1002"]
    assert numbers(store=one.store.pk, terminal=other.terminal.pk) == []


def test_a_search_finds_what_lies_before_the_latest_shifts(page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "SHIFTS_BACK", 1)
    till = Till()
    till.open()
    till.sell(order := a_sale(1001))
    till.close(order)
    till.open(number=312, opened_at="2026-03-02T08:00:00+01:00", first_number=1002)
    till.sell(a_sale(1002, opened_at="2026-03-02T10:00:00+01:00", closed_at="2026-03-02T10:01:00+01:00"))
    store, other = till.store.pk, a_store().pk

    def numbers(**filters: object) -> list[str]:
        return [row.text[:4] for row in page("sales_order_changelist", **filters).rows]

    assert numbers(store=store) == ["1002"]
    assert numbers(store=store, q="1001") == ["1001"]
    assert numbers(store=store, day="2026-03-02", q=order["order_id"]) == []
    assert numbers(store=other, q=order["order_id"]) == []


def test_remarks_are_words_and_amounts(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001, customer={"name": "Ada"})
    sale["payments"][0]["change"] = 250
    till.sell(sale)

    assert "Customer named while offline" in page("sales_order_changelist", store=till.store.pk).row("1001").text
    text = page("sales_order_change", posted(sale).pk).text
    assert "A customer is named on an order that was made offline." in text
    assert "€5.00 tendered less €2.50 change is not €2.40 (payment 1, change)." in text


def test_a_refund_leads_to_what_it_refunds(page: Open) -> None:
    till = Till()
    till.open()
    sale = a_sale(1001)
    till.sell(sale)
    refund = a_sale(1002, kind="refund", refund_of=sale["order_id"], total=-240, mode="online")
    refund["lines"][0] |= {
        "quantity": "-2",
        "amount": -240,
        "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": -13}],
    }
    refund["payments"] = [{"method": "cash", "amount": -240}]
    till.sell(refund)

    read = page("sales_order_change", posted(refund).pk)

    assert "Refund of Order 1001 *" in read.text
    assert read.link("Order 1001").endswith(f"/sales/order/{posted(sale).pk}/change/")
    assert "\N{MINUS SIGN}€2.40" in read.text
