"""Shifts in the console: does this drawer add up?"""

from uuid import uuid4

import pytest

from tests.integration.console.conftest import Open
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db


def a_shift(count: int = 3) -> tuple[Till, list[dict]]:
    till = Till()
    till.open()
    return till, [a_sale(1001 + number) for number in range(count)]


def test_a_shift_that_adds_up(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders)
    till.close(*orders)

    read = page("sales_shift_change", till.shift_id)

    assert "Adds up" in read.text
    assert "Orders 3 3 –" in read.text
    assert "Sales €7.20 €7.20 –" in read.text
    assert "By payment method" in read.text
    assert "Cash €7.20 €7.20 counted €7.20 –" in read.text
    assert "Neither over nor short" in read.text
    row = page("sales_shift_changelist", store=till.store.pk).row("Shift 311")
    assert "Adds up" in row.text
    assert "€7.20" in row.text


def test_what_differs_is_named_and_marked(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders)
    till.close(
        *orders, totals={"sales": 700, "refunds": 0, "tax": 39, "tips": 0, "rounding": 0, "payments": {"cash": 700}}
    )

    read = page("sales_shift_change", till.shift_id)

    assert "Does not add up" in read.text
    assert "The till declared other figures than those of the orders that arrived." in read.text
    assert "Sales €7.00 €7.20 \N{MINUS SIGN}€0.20" in read.text
    assert "differs: sales, cash" in page("sales_shift_changelist", store=till.store.pk).row("Shift 311").text


def test_a_drawer_that_is_short(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders, movements=[a_movement(5000), a_movement(800, kind="cash_out", reason="tips")])
    till.close(*orders, counted=20000 + 720 + 5000 - 800 - 350)

    text = page("sales_shift_change", till.shift_id).text

    assert "Opening float €200.00 Cash payments €7.20 Cash put in €50.00 Cash taken out \N{MINUS SIGN}€8.00" in text
    assert "Expected in the drawer €249.20 Counted €245.70 Short \N{MINUS SIGN}€3.50" in text
    assert "2 cash movements" in text


def test_a_drawer_that_nobody_counted_and_a_float_that_differs_are_named(page: Open) -> None:
    till, _ = a_shift()
    till.close(cash_counted=None, float_left=20000)
    blind = till.shift_id
    till.open(number=312, opening_float=15000)

    text = page("sales_shift_change", blind).text
    assert "The drawer has not been counted yet." in text
    assert "Not counted yet" in text
    assert "The till declared other figures" not in text
    assert "differs: cash not counted yet" in page("sales_shift_changelist", store=till.store.pk).row("Shift 311").text
    assert "opened with another float than the last close left" in page("sales_shift_change", till.shift_id).text


def test_a_count_that_cannot_be_is_named(page: Open) -> None:
    till = Till()
    till.store.max_over_short = 500
    till.store.save()
    till.open()
    till.close(counted=96385074)

    text = page("sales_shift_change", till.shift_id).text
    assert "The drawer is over or short by more than the store allows." in text
    assert "Does not add up" in text


def test_what_is_missing_is_said_in_words(page: Open) -> None:
    till, orders = a_shift(6)
    batch = uuid4()
    till.sell(*orders[:2], orders[5], batch_id=batch)
    till.close(*orders, batches=[batch, uuid4()])

    text = page("sales_shift_change", till.shift_id).text

    assert "Waiting for orders" in text
    assert "Orders 1003–1005 have not arrived." in text
    assert "1 upload that the till listed has not arrived or has not been processed." in text
    assert "of 6 declared" in page("sales_shift_changelist", store=till.store.pk).row("Shift 311").text


def test_held_and_late_orders_are_named(page: Open) -> None:
    till, orders = a_shift(2)
    wrong = a_sale(1003, total=1)
    till.sell(*orders, wrong)
    till.close(*orders, a_sale(1003))
    till.sell(a_sale(1004))

    text = page("sales_shift_change", till.shift_id).text

    assert "1 order is held and not in these figures." in text
    assert "1 order came after the close" in text
    assert "Order 1003 *" in text


def test_an_open_shift_has_declared_nothing(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders)

    text = page("sales_shift_change", till.shift_id).text

    assert "The shift is open." in text
    assert "Orders – 3 –" in text
    assert "Not counted yet" in text


def test_its_orders_are_one_step_away(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders)
    assert page("sales_shift_change", till.shift_id).link("See its 3 orders").endswith(f"?shift={till.shift_id}")


def test_shifts_can_be_narrowed(page: Open) -> None:
    till, orders = a_shift()
    till.sell(*orders)

    def found(**filters: object) -> int:
        return len(page("sales_shift_changelist", store=till.store.pk, **filters).rows)

    assert found() == found(state="open") == found(day="2026-03-01") == found(terminal=till.terminal.pk) == 1
    assert found(state="discrepant") == found(day="2026-03-02") == 0
