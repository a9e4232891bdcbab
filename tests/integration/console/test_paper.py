"""An order that never arrived is typed from its paper receipt: worked out while it is typed, and checked by the rules."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from backoffice.books.models import Decision
from backoffice.sales.models import HeldItem, Order
from tests.integration.console.deciding import Desk
from tests.integration.console.pages import Page
from tests.till import Till, a_sale, a_store, codes, entry_of

pytestmark = pytest.mark.django_db

BAGUETTES = {"name": "Baguette", "quantity": "2", "unit_price": "1.20", "kind": "item"}
CASH = {"method": "cash", "amount": "2.40"}


def with_a_gap(till: Till) -> Till:
    """Closed, and order 1002 of it never came."""
    first, last = a_sale(1001), a_sale(1003)
    till.sell(first, last)
    till.close(first, a_sale(1002), last)
    return till


@pytest.fixture
def gap(till: Till) -> Till:
    return with_a_gap(till)


def paper(
    lines: Sequence[dict[str, str]] = (BAGUETTES,), payments: Sequence[dict[str, str]] = (CASH,), **changes: str
) -> dict[str, str]:
    """Order 1002 as it is typed, unless the test says otherwise."""
    typed = {"number": "1002", "day": "2026-03-01", "time": "10:01", "is_offline": "on", "kind": "sale"}
    typed |= {"type": "takeaway", "cashier": "Anna", "total": "2.40", "reason": "till-lost", "note": ""}
    for prefix, rows in (("lines", lines), ("payments", payments)):
        typed |= {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": "0"}
        typed |= {f"{prefix}-{place}-{name}": text for place, row in enumerate(rows) for name, text in row.items()}
    return typed | changes


def form_of(desk: Desk, till: Till, **query: str) -> Page:
    return Page(desk.client.get(address_of(till), query).content.decode())


def address_of(till: Till) -> str:
    return reverse("admin:books_decision_decide", args=["enter", till.shift_id])


def tax_of(desk: Desk, till: Till) -> str:
    """The value of the one tax that the store has."""
    form = desk.client.get(address_of(till)).context["form"]
    return str(form.lines.forms[0].fields["tax"].choices[1][0])


def sums(desk: Desk, till: Till, typed: dict[str, str]) -> Page:
    """What the script of the page asks for while somebody types."""
    answer = desk.client.post(address_of(till), typed | {"look": "1"}, headers={"X-Part": "1"})
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_a_missing_order_is_typed_from_its_receipt_and_is_as_its_till_would_have_sent_it(gap: Till) -> None:
    ruth, otto = Desk("Ruth"), Desk("Otto")
    way = ruth.open("sales_shift_change", gap.shift_id).link("Enter from the receipt")
    assert "number=1002" in ruth.open("sales_shift_change", gap.shift_id).html
    assert way.startswith(address_of(gap))
    shown = form_of(ruth, gap, number="1002")
    assert 'value="1002"' in shown.html
    assert "Missing: 1002." in shown.text
    assert "FR-5.5 (5.5\xa0%)" in shown.html

    tax = tax_of(ruth, gap)
    said = ruth.client.post(address_of(gap), paper([BAGUETTES | {"tax": tax}]), follow=True)
    assert (
        "Enter an order by hand, Shift 311 of Till 1: it waits for a second person." in Page(said.content.decode()).text
    )
    assert f"1002 was entered by {ruth.person}, and waits for a second person" in Page(said.content.decode()).text
    (asked,) = Decision.objects.all()
    question = Page(otto.client.get(reverse("admin:books_decision_answer", args=[asked.pk, "agree"])).content.decode())
    assert "Sale 1002*" in question.text, "whoever agrees sees the receipt"
    assert "Baguette 2 × €1.20 €2.40" in question.text

    otto.answer(asked.pk, "agree")
    order = Order.objects.get(terminal=gap.terminal, number=1002)
    assert entry_of(order.order_id, kind="order") == entry_of(
        Order.objects.get(terminal=gap.terminal, number=1001).order_id, kind="order"
    )
    assert codes(gap.receipt(str(asked.pk))) == ["entered-by-hand"]
    assert (gap.shift()["state"], gap.shift()["missing_numbers"]) == ("reconciled", [])


def test_what_it_comes_to_is_said_while_it_is_typed_and_decides_nothing(gap: Till) -> None:
    desk = Desk()
    tax = tax_of(desk, gap)
    line = BAGUETTES | {"tax": tax}
    begun = sums(desk, gap, paper([line, {"name": "Tart", "quantity": "1", "kind": "item"}], [], total="")).text
    assert "The lines €2.40" in begun
    assert "The total of the receipt is not typed yet." in begun
    apart = sums(desk, gap, paper([line], [CASH | {"amount": "2"}], total="3.40", rounding="0.1")).text
    assert "The receipt says €3.40, and the lines come to €2.50: €0.90 apart." in apart
    assert "€3.40 is due, and the payments come to €2.00: €1.40 apart." in apart
    assert "What it does to the books" not in apart
    right = sums(desk, gap, paper([line, BAGUETTES | {"name": "Tip to come", "discount": "2.40"}], tip="0")).text
    assert "Tax FR-5.5 in it €0.13" in right
    assert "The lines come to the total. = The payments come to what is due." in right
    assert "Sales €7.20 €4.80 €7.20" in right, "declared, now, once entered"
    assert "1000 Cash in drawer €2.40" in right
    assert "2100 Tax payable FR-5.5 €0.13" in right
    assert not Decision.objects.exists()


def test_the_rules_of_an_upload_refuse_it_at_the_very_field(gap: Till) -> None:
    desk = Desk()
    answer = desk.client.post(address_of(gap), paper(number="1001"))
    assert answer.status_code == 422
    form = answer.context["form"]
    assert "Another order of this terminal has its number." in str(form.errors["number"])
    form = desk.client.post(address_of(gap), paper(total="2.50")).context["form"]
    assert "The rules do not post it." in str(form.non_field_errors())
    assert "The total is €2.50, the lines come to €2.40" in str(form.errors["total"])
    form = desk.client.post(address_of(gap), paper(payments=[CASH | {"method": "card"}, CASH])).context["form"]
    assert "€2.40 with the tip, the payments come to €4.80" in str(form.non_field_errors())
    nothing = desk.client.post(address_of(gap), paper([{"name": "", "quantity": "x"}], time="", total="x"))
    assert nothing.status_code == 422
    assert {"time", "total"} <= set(nothing.context["form"].errors)
    assert {"name", "quantity", "unit_price"} <= set(nothing.context["form"].lines.forms[0].errors)
    assert not Decision.objects.exists()


def test_taxes_come_on_top_where_prices_leave_them_out_and_a_new_one_is_named() -> None:
    till = Till(a_store(prices_include_tax=False))
    till.open()
    till.close(a_sale(1001))
    desk = Desk()
    row = BAGUETTES | {"unit_price": "1.2055", "tax": "other"}
    typed = paper([row], [CASH | {"amount": "2.65"}], number="1001", total="2.65", other_code="GST", other_rate="10")
    assert "Tax GST €0.24 It comes to €2.65" in sums(desk, till, typed).text
    unnamed = desk.client.post(address_of(till), typed | {"other_rate": ""})
    assert "A line has another tax: name it, with its rate." in Page(unnamed.content.decode()).text
    desk.client.post(address_of(till), typed)
    order = Decision.objects.get().arguments["order"]
    assert order["lines"][0] == {
        "kind": "item",
        "name": "Baguette",
        "quantity": "2",
        "unit_price": "120.55",
        "discount": 0,
        "amount": 241,
        "taxes": [{"code": "GST", "rate": "0.1", "amount": 24}],
    }


def test_amounts_are_typed_as_ones_language_writes_them(gap: Till) -> None:
    desk = Desk()
    desk.client.cookies["language"] = "fr"
    typed = paper([BAGUETTES | {"unit_price": "1,20", "quantity": "2,0"}], [CASH | {"amount": "2,40"}], total="2,40")
    answer = desk.client.post(address_of(gap), typed, headers={"Accept-Language": "fr"}, follow=True)
    assert Decision.objects.get().arguments["order"]["total"] == 240, Page(answer.content.decode()).text


def test_an_order_that_cannot_be_read_is_typed_anew_from_what_could_be_read_of_it(till: Till) -> None:
    broken = a_sale(1001, total="2.40")
    del broken["payments"]
    till.sell(broken)
    item = HeldItem.objects.get(terminal=till.terminal)
    desk = Desk()
    address = reverse("admin:books_decision_decide", args=["correct", item.pk])
    assert f'href="{address}" data-key="c"' in " ".join(desk.open("sales_helditem_change", item.pk).html.split())
    form = desk.client.get(address).context["form"]
    assert form["number"].value() == 1001
    assert (str(form["time"].value()), form["total"].value()) == ("10:01:00", None)
    assert {"name": "Baguette", "unit_price": Decimal("1.20")}.items() <= form.lines.forms[0].initial.items()
    typed = paper(number="1001", reason="keyed-wrongly")
    desk.client.post(address, typed)
    order = Order.objects.get(terminal=till.terminal, number=1001)
    assert (str(order.order_id), order.total) == (broken["order_id"], 240)


@pytest.mark.parametrize("status", ["voided", "paid"])
def test_where_one_value_cannot_be_read_or_no_money_moved_what_was_sent_stays(till: Till, status: str) -> None:
    wrong = {"total": "2.40"} if status == "paid" else {"lines": [7]}
    till.sell(a_sale(1001, status=status, note="Kept", **wrong))
    item = HeldItem.objects.get(terminal=till.terminal)
    form = Desk().client.get(reverse("admin:books_decision_decide", args=["correct", item.pk])).context["form"]
    assert {"Kept", status} <= {field.value() for field in form}


HUGE = [{"code": "A", "rate": "1e9999999", "amount": 0}]


@pytest.mark.parametrize(
    "sent",
    [None, 7, [], {}, {"lines": [1, {"taxes": 7, "quantity": [], "unit_price": "x"}]}, {"lines": [{"taxes": HUGE}, 1]}],
)
def test_whatever_cannot_be_read_can_be_typed_anew(till: Till, sent: Any) -> None:
    till.sell(sent)
    item = HeldItem.objects.get(terminal=till.terminal)
    answer = Desk().client.get(reverse("admin:books_decision_decide", args=["correct", item.pk]))
    assert answer.status_code == 200
    assert len(answer.context["form"].lines.forms) >= 3


def test_two_refusals_stand_at_their_own_rows(gap: Till) -> None:
    card = "4111111111111111"
    rows = [CASH | {"amount": "1.00", "reference": card}, CASH | {"amount": "1.40", "reference": card}]
    answer = Desk().client.post(address_of(gap), paper(payments=rows, total="9.99"), follow=True)
    assert answer.status_code in {200, 409, 422}
    form = answer.context["form"]
    assert form.errors
    assert all(row.errors for row in form.payments.forms[:2]), "each has a card number"


def test_without_a_script_more_rows_are_asked_for(gap: Till) -> None:
    answer = Desk().client.post(address_of(gap), paper() | {"more": "lines"})
    assert len(answer.context["form"].lines.forms) == 6
    assert "Baguette" in answer.content.decode()
    assert not Decision.objects.exists()
