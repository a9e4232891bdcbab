"""Held orders in the console: what is not in the books until someone decides."""

from copy import deepcopy

import pytest

from backoffice.sales.models import HeldItem
from tests.integration.console.conftest import Open
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db


def a_till() -> Till:
    till = Till()
    till.open()
    return till


def held_of(till: Till) -> HeldItem:
    return HeldItem.objects.get(terminal=till.terminal)


def test_the_list_says_why_in_plain_words_and_what_is_at_stake(page: Open) -> None:
    till = a_till()
    till.sell(a_sale(1001, total=340))

    row = page("sales_helditem_changelist", store=till.store.pk).row("1001")

    assert "1001 *" in row.text
    assert "The total is not the sum of its lines, taxes and rounding." in row.text
    assert "€3.40" in row.text


def test_the_oldest_comes_first(page: Open) -> None:
    till = a_till()
    till.sell(a_sale(1001, total=1))
    till.sell(a_sale(1002, total=1))
    assert [row.text[:4] for row in page("sales_helditem_changelist", store=till.store.pk).rows] == ["1001", "1002"]


def test_the_page_gives_amounts_in_currency_and_says_what_it_means(page: Open) -> None:
    till = a_till()
    till.sell(a_sale(1001, total=340))

    read = page("sales_helditem_change", held_of(till).pk)

    assert "Order 1001* is held" in read.text
    assert "The total is €3.40, the lines come to €2.40." in read.text
    assert (
        "This order is not in the books, nor in the sales, taxes and payments of its shift, until someone decides."
        in read.text
    )
    assert "The original, as the till sent it" in read.text


def test_a_conflict_shows_both_versions_with_what_changed(page: Open) -> None:
    till = a_till()
    first = a_sale(1001)
    till.sell(first)
    other = deepcopy(first)
    other["lines"][0] |= {"quantity": "3", "amount": 360}
    other |= {"total": 360, "cashier": "Théo"}
    other["payments"] = [{"method": "cash", "amount": 360}]
    till.sell(other)

    read = page("sales_helditem_change", held_of(till).pk)

    assert "The first version is order 1001* and stands in the books." in read.text
    for changed in ("Line 1, quantity 2 3", "Line 1, amount €2.40 €3.60", "Total €2.40 €3.60", "Cashier Anna Théo"):
        assert changed in read.text
    assert "Payment 1, tendered €5.00 —" in read.text
    changed_rows = read.html.count('class="c-changed"')
    assert changed_rows == 7
    assert "The first version, as the till sent it" in read.text
    assert "This version, as the till sent it" in read.text


def test_a_number_used_twice_is_compared_with_the_order_that_has_it(page: Open) -> None:
    till = a_till()
    till.sell(a_sale(1001))
    till.sell(a_sale(1001, cashier="Théo"))

    read = page("sales_helditem_change", held_of(till).pk)

    assert "Another order of this terminal has its number." in read.text
    assert "Cashier Anna Théo" in read.text


def test_two_versions_in_one_upload_are_held_both(page: Open) -> None:
    till = a_till()
    first = a_sale(1001)
    till.sell(first, first | {"cashier": "Théo"})

    one, two = HeldItem.objects.filter(terminal=till.terminal).order_by("id")

    assert "Cashier Théo Anna" in page("sales_helditem_change", one.pk).text
    assert "Nothing says which is true." in page("sales_helditem_change", two.pk).text


def test_an_order_known_from_another_terminal_is_compared_with_it(page: Open) -> None:
    one, other = a_till(), a_till()
    sale = a_sale(1001)
    one.sell(sale)
    other.sell(sale | {"cashier": "Théo"})

    read = page("sales_helditem_change", held_of(other).pk)

    assert "Its identifier belongs to another terminal." in read.text
    assert "Cashier Anna Théo" in read.text


@pytest.mark.parametrize(
    "rubbish", [None, 7, "text", [], {}, {"number": 10**30, "total": 10**40}, {"total": "x"}, {"note": "\ud800"}]
)
def test_what_cannot_be_read_can_still_be_looked_at(page: Open, rubbish: object) -> None:
    till = a_till()
    till.sell(rubbish)

    read = page("sales_helditem_change", held_of(till).pk)

    assert "It cannot be read as an order." in read.text
    assert "Order without a number is held" in read.text
    assert "No number" in page("sales_helditem_changelist", store=till.store.pk).text


def test_a_cash_movement_is_held_with_its_amount(page: Open) -> None:
    till = a_till()
    till.sell(movements=[a_movement(-500)])

    assert "Cash movement" in page("sales_helditem_changelist", store=till.store.pk).rows[0].text
    text = page("sales_helditem_change", held_of(till).pk).text
    assert "The amount of a cash movement must be above zero." in text
    assert "\N{MINUS SIGN}€5.00" in text


def test_a_conflicting_movement_is_compared(page: Open) -> None:
    till = a_till()
    movement = a_movement(5000)
    till.sell(movements=[movement])
    till.sell(movements=[movement | {"amount": 6000}])

    assert "Amount €50.00 €60.00" in page("sales_helditem_change", held_of(till).pk).text


def test_nothing_held_says_so(page: Open) -> None:
    till = a_till()
    assert "Nothing matches" in page("sales_helditem_changelist", store=till.store.pk).text
