"""The worked examples of the ledger, from the till to the journal (ledger, "Worked examples")."""

from typing import Any
from uuid import uuid4

import pytest

from tests.till import Till, a_movement, a_sale, a_store, balance, entry_of, outcomes


def debit(account: str, amount: int) -> tuple[str, int, int]:
    return (account, amount, 0)


def credit(account: str, amount: int) -> tuple[str, int, int]:
    return (account, 0, amount)


def line(amount: int, *, taxes: Any = (), **changes: Any) -> dict[str, Any]:
    return {"quantity": "1", "unit_price": amount, "amount": amount, "taxes": list(taxes)} | changes


def tax(amount: int, rate: str, code: str) -> dict[str, Any]:
    return {"code": code, "rate": rate, "amount": amount}


def pay(**methods: int) -> list[dict[str, Any]]:
    return [{"method": method, "amount": amount} for method, amount in methods.items()]


BREAD = line(240, taxes=[tax(13, "0.055", "FR-5.5")], quantity="2", unit_price=120)
BREAD_BACK = line(-240, taxes=[tax(-13, "0.055", "FR-5.5")], quantity="-2", unit_price=120)
ON_TOP = line(5497, taxes=[tax(488, "0.08875", "NY")], quantity="3", unit_price=1999, discount=500)
ON_TOP_BACK = line(-5497, taxes=[tax(-488, "0.08875", "NY")], quantity="-3", unit_price=1999, discount=-500)

INCLUSIVE: dict[str, tuple[dict[str, Any], set[tuple[str, int, int]]]] = {
    "two baguettes": (
        {"lines": [BREAD], "total": 240, "payments": pay(cash=240)},
        {debit("1000", 240), credit("4000", 227), credit("2100", 13)},
    ),
    "refunded in cash": (
        {"kind": "refund", "lines": [BREAD_BACK], "total": -240, "payments": pay(cash=-240)},
        {debit("4200", 227), debit("2100", 13), credit("1000", 240)},
    ),
    "a discount inside the price": (
        {
            "lines": [line(1000, taxes=[tax(167, "0.2", "FR-20")], unit_price=1200, discount=200)],
            "total": 1000,
            "payments": pay(cash=1000),
        },
        {debit("1000", 1000), debit("4100", 167), credit("4000", 1000), credit("2100", 167)},
    ),
    "split payment": (
        {"lines": [line(3000)], "total": 3000, "payments": pay(gift_card=2000, cash=1000)},
        {debit("2200", 2000), debit("1000", 1000), credit("4000", 3000)},
    ),
    "cash-back": (
        {"lines": [line(3000)], "total": 3000, "payments": pay(card=5000, cash=-2000)},
        {debit("1100", 5000), credit("1000", 2000), credit("4000", 3000)},
    ),
    "a gift card sold": (
        {"lines": [line(5000, kind="gift_card")], "total": 5000, "payments": pay(card=5000)},
        {debit("1100", 5000), credit("2200", 5000)},
    ),
    "an account settled": (
        {"lines": [line(3000, kind="account_payment")], "total": 3000, "payments": pay(cash=3000)},
        {debit("1000", 3000), credit("1300", 3000)},
    ),
    "cash rounding": (
        {"lines": [line(1002)], "rounding": -2, "total": 1000, "payments": pay(cash=1000)},
        {debit("1000", 1000), debit("4900", 2), credit("4000", 1002)},
    ),
    "given away": (
        {"lines": [line(0, unit_price=400, discount=400)], "total": 0, "payments": []},
        {debit("4100", 400), credit("4000", 400)},
    ),
    "a free item": ({"lines": [line(0)], "total": 0, "payments": []}, set()),
    "an exchange": (
        {"lines": [line(500), line(-200, quantity="-1", unit_price=200)], "total": 300, "payments": pay(cash=300)},
        {debit("1000", 300), debit("4200", 200), credit("4000", 500)},
    ),
    "every other method": (
        {
            "lines": [line(1500)],
            "total": 1500,
            "payments": pay(wallet=100, bank_transfer=200, on_account=300, voucher=400, points=500),
        },
        {
            debit("1100", 100),
            debit("1110", 200),
            debit("1300", 300),
            debit("2200", 400),
            debit("2210", 500),
            credit("4000", 1500),
        },
    ),
    "every other line": (
        {
            "lines": [
                line(100, kind="deposit"),
                line(200, kind="container_deposit"),
                line(300, kind="donation"),
                line(400, kind="service_charge"),
            ],
            "total": 1000,
            "payments": pay(card=1000),
        },
        {debit("1100", 1000), credit("2400", 100), credit("2410", 200), credit("2420", 300), credit("4010", 400)},
    ),
}

ON_TOP_EXAMPLES: dict[str, tuple[dict[str, Any], set[tuple[str, int, int]]]] = {
    "a discount, tax on top and a tip": (
        {"lines": [ON_TOP], "total": 5985, "tip": 1000, "payments": pay(card=6985)},
        {debit("1100", 6985), debit("4100", 500), credit("4000", 5997), credit("2100", 488), credit("2300", 1000)},
    ),
    "refunded, tip kept": (
        {"kind": "refund", "lines": [ON_TOP_BACK], "total": -5985, "payments": pay(card=-5985)},
        {debit("4200", 5497), debit("2100", 488), credit("1100", 5985)},
    ),
}


@pytest.mark.parametrize("name", INCLUSIVE)
def test_prices_with_tax(till: Till, name: str):
    changes, expected = INCLUSIVE[name]
    order = a_sale(1001, **changes)
    assert outcomes(till.sell(order)) == ["posted"]
    assert entry_of(order["order_id"]) == expected


@pytest.mark.parametrize("name", ON_TOP_EXAMPLES)
def test_prices_without_tax(name: str):
    till = Till(a_store(prices_include_tax=False, currency="USD", timezone="America/New_York"))
    till.open()
    changes, expected = ON_TOP_EXAMPLES[name]
    order = a_sale(1001, **changes)
    assert outcomes(till.sell(order)) == ["posted"]
    assert entry_of(order["order_id"]) == expected


# --- Cash -------------------------------------------------------------------------------------------------------------


def test_the_first_opening_brings_the_float_from_the_safe(till: Till):
    assert entry_of(till.shift_id) == {debit("1000", 20000), credit("1010", 20000)}


def test_a_shift_opened_with_an_empty_drawer_has_no_entry():
    till = Till()
    till.open(opening_float=0)
    assert entry_of(till.shift_id) == set()


MOVEMENTS: dict[str, tuple[dict[str, Any], set[tuple[str, int, int]]]] = {
    "cash in": ({"amount": 5000}, {debit("1000", 5000), credit("1010", 5000)}),
    "cash out to the safe": (
        {"kind": "cash_out", "amount": 700, "reason": "safe_drop"},
        {debit("1010", 700), credit("1000", 700)},
    ),
    "tips paid out": (
        {"kind": "cash_out", "amount": 800, "reason": "tips"},
        {debit("2300", 800), credit("1000", 800)},
    ),
    "an unknown reason in": ({"amount": 90, "reason": "found"}, {debit("1000", 90), credit("1990", 90)}),
    "an unknown reason out": (
        {"kind": "cash_out", "amount": 90, "reason": "parking"},
        {debit("1990", 90), credit("1000", 90)},
    ),
}


@pytest.mark.parametrize("name", MOVEMENTS)
def test_cash_in_and_out(till: Till, name: str):
    changes, expected = MOVEMENTS[name]
    movement = a_movement(**changes)
    till.sell(movements=[movement])
    assert entry_of(movement["movement_id"]) == expected


def test_short_at_the_close(till: Till):
    till.close(counted=19650)
    assert entry_of(till.shift_id, number=1) == {debit("6900", 350), credit("1000", 350)}
    assert balance(till) == 19650


def test_over_at_the_close(till: Till):
    till.close(counted=20010)
    assert entry_of(till.shift_id, number=1) == {debit("1000", 10), credit("6900", 10)}
    assert balance(till) == 20010


def test_an_exact_count_posts_nothing(till: Till):
    order = a_sale(1001)
    till.sell(order)
    till.close(order)
    assert entry_of(till.shift_id, number=1) == set()
    assert balance(till) == 20240


def test_closed_at_612_50_the_next_opening_of_200_brings_412_50_to_the_safe(till: Till):
    order = a_sale(1001, lines=[line(41300)], total=41300, payments=pay(cash=41300))
    till.sell(order)
    till.close(order, counted=61250)
    assert balance(till) == 61250
    till.open(opening_float=20000, first_number=1002)
    assert entry_of(till.shift_id) == {debit("1010", 41250), credit("1000", 41250)}
    assert balance(till) == 20000


def test_with_a_float_left_the_412_50_go_at_the_close_and_a_float_of_150_is_50_short(till: Till):
    order = a_sale(1001, lines=[line(41300)], total=41300, payments=pay(cash=41300))
    till.sell(order)
    till.close(order, counted=61250, float_left=20000)
    assert entry_of(till.shift_id, number=1, kind="closing") == {debit("1010", 41250), credit("1000", 41250)}
    assert entry_of(till.shift_id, number=1, kind="over_short") == {debit("6900", 50), credit("1000", 50)}
    assert balance(till) == 20000
    till.open(number=312, opening_float=15000, first_number=1002)
    assert entry_of(till.shift_id) == {debit("6900", 5000), credit("1000", 5000)}
    assert [flag["code"] for flag in till.shift()["flags"]] == ["opening-float-differs"]


def test_a_float_that_was_left_in_the_drawer_needs_no_entry(till: Till):
    till.close()
    till.open(opening_float=20000)
    assert entry_of(till.shift_id) == set()


def test_a_late_order_corrects_what_was_over(till: Till):
    first, second = a_sale(1001), a_sale(1002)
    till.sell(first)
    till.close(first, counted=20480)
    assert entry_of(till.shift_id, number=1) == {debit("1000", 240), credit("6900", 240)}
    till.sell(second)
    assert entry_of(second["order_id"]) == {debit("1000", 240), credit("4000", 227), credit("2100", 13)}
    assert entry_of(till.shift_id, number=2) == {debit("6900", 240), credit("1000", 240)}
    assert (balance(till), balance(till, "6900")) == (20480, 0)
    assert till.shift()["cash"]["over_short"] == 0


def test_each_late_order_corrects_once(till: Till):
    till.close()
    for number in (1001, 1002, 1003):
        till.sell(a_sale(number))
    corrections = [entry_of(till.shift_id, number=number) for number in (1, 2, 3, 4)]
    assert corrections == [{debit("6900", 240), credit("1000", 240)}] * 3 + [set()]
    assert balance(till) == 20000


def test_a_late_card_sale_moves_no_cash(till: Till):
    till.close()
    till.sell(a_sale(1001, payments=pay(card=240)))
    assert entry_of(till.shift_id, number=1) == set()


def test_while_it_is_closing_nothing_is_over_or_short_yet(till: Till):
    order, batch_id = a_sale(1001), uuid4()
    till.close(order, batches=[batch_id], counted=20000)
    assert entry_of(till.shift_id, number=1) == set()
    till.sell(order, batch_id=batch_id)
    assert entry_of(till.shift_id, number=1) == {debit("6900", 240), credit("1000", 240)}


def test_a_late_order_of_a_closed_shift_leaves_the_open_ones_drawer_right(till: Till):
    closed = till.shift_id
    till.close()
    till.open()
    till.sell(a_sale(1001), shift_id=closed)
    order = a_sale(1002)
    till.sell(order)
    assert balance(till) == 20240
    till.close(order, counted=20240)
    assert entry_of(till.shift_id, number=1) == set()


def test_an_opening_after_many_shifts_still_knows_the_drawer(till: Till):
    for day in range(2, 7):
        order = a_sale(1000 + day)
        till.sell(order)
        till.close(order, counted=20240 - day)
        till.open(opening_float=15000 + day, opened_at=f"2026-03-{day:02}T08:00:00+01:00")
        assert balance(till) == 15000 + day
    assert balance(till) + balance(till, "1010") + balance(till, "6900") == 5 * 240


def test_two_drawers_of_one_store_are_two(till: Till):
    other = Till(till.store, name="Till 2")
    other.open(opening_float=5000)
    other.sell(a_sale(1001))
    assert (balance(till), balance(other)) == (20000, 5240)


def test_after_a_shift_recorded_beside_an_open_one_the_next_opening_puts_the_drawer_right(till: Till):
    """Both shifts move one drawer account; an opening brings it to its float whatever stood there (ledger, "Cash")."""
    live, order = till.shift_id, a_sale(1001)
    till.sell(order)
    till.open(
        number=300,
        first_number=901,
        opening_float=10000,
        opened_at="2026-02-27T08:00:00+01:00",
        closed_at="2026-02-27T18:00:00+01:00",
    )
    till.close(counted=10000, first_number=901, last_number=900)
    till.shift_id = live
    assert till.close(order, counted=20240).json()["cash"]["over_short"] == 0
    till.open(number=312, first_number=1002)
    assert balance(till) == 20000
