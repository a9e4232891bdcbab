"""The worked examples of the ledger's design, one test each: what an accountant would check with a pencil."""

from typing import Any

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.posting import (
    Posting,
    post_bank_change,
    post_bank_deposit,
    post_bank_receipt,
    post_movement,
    post_opening,
    post_order,
    post_over_short,
)
from backoffice.domain.rules import holds
from tests.unit.domain.builders import (
    OTHER_ID,
    a_movement,
    a_shift,
    an_order,
    cash,
    paid_by,
    plain_line,
    wire_line,
    wire_tax,
)


def entry_of(*, prices_include_tax: bool = True, **fields: Any) -> set[Posting]:
    order = an_order(**fields)
    assert holds(order, shift=a_shift(prices_include_tax=prices_include_tax), methods=PAYMENT_ACCOUNTS) == ()
    postings = post_order(order, prices_include_tax=prices_include_tax, accounts=PAYMENT_ACCOUNTS)
    assert sum(posting.debit for posting in postings) == sum(posting.credit for posting in postings)
    assert len(set(postings)) == len(postings)
    return set(postings)


def debit(account: str, amount: int, tax_code: str = "") -> Posting:
    return Posting(account, amount, 0, tax_code)


def credit(account: str, amount: int, tax_code: str = "") -> Posting:
    return Posting(account, 0, amount, tax_code)


def test_two_baguettes_paid_in_cash():
    assert entry_of() == {debit("1000", 240), credit("4000", 227), credit("2100", 13, "FR-5.5")}


NEW_YORK = {
    "lines": [
        {
            "quantity": "3",
            "unit_price": 1999,
            "discount": 500,
            "amount": 5497,
            "taxes": [wire_tax(488, "0.08875", "NY")],
        }
    ],
    "total": 5985,
    "tip": 1000,
    "payments": [paid_by("card", 6985)],
}


def test_a_discounted_sale_with_tax_on_top_and_a_tip_by_card():
    assert entry_of(prices_include_tax=False, **NEW_YORK) == {
        debit("1100", 6985),
        debit("4100", 500),
        credit("4000", 5997),
        credit("2100", 488, "NY"),
        credit("2300", 1000),
    }


def test_the_baguettes_come_back_and_cash_goes_out():
    assert entry_of(
        kind="refund",
        lines=[wire_line(quantity="-2", amount=-240, taxes=[wire_tax(-13)])],
        total=-240,
        payments=[cash(-240)],
    ) == {debit("4200", 227), debit("2100", 13, "FR-5.5"), credit("1000", 240)}


def test_the_discounted_sale_is_refunded_and_its_tip_kept():
    assert entry_of(
        prices_include_tax=False,
        kind="refund",
        lines=[
            {
                "quantity": "-3",
                "unit_price": 1999,
                "discount": -500,
                "amount": -5497,
                "taxes": [wire_tax(-488, "0.08875", "NY")],
            }
        ],
        total=-5985,
        payments=[paid_by("card", -5985)],
    ) == {debit("4200", 5497), debit("2100", 488, "NY"), credit("1100", 5985)}


def test_a_discount_inside_an_inclusive_price_is_posted_net_of_tax():
    assert entry_of(
        lines=[
            {
                "quantity": "1",
                "unit_price": 1200,
                "discount": 200,
                "amount": 1000,
                "taxes": [wire_tax(167, "0.20", "FR-20")],
            }
        ],
        total=1000,
        payments=[cash(1000)],
    ) == {debit("1000", 1000), debit("4100", 167), credit("4000", 1000), credit("2100", 167, "FR-20")}


def test_a_payment_split_between_a_gift_card_and_cash():
    assert entry_of(lines=[plain_line(3000)], total=3000, payments=[paid_by("gift_card", 2000), cash(1000)]) == {
        debit("2200", 2000),
        debit("1000", 1000),
        credit("4000", 3000),
    }


def test_cash_back_on_a_card():
    assert entry_of(lines=[plain_line(3000)], total=3000, payments=[paid_by("card", 5000), cash(-2000)]) == {
        debit("1100", 5000),
        credit("1000", 2000),
        credit("4000", 3000),
    }


def test_a_gift_card_sold_by_card():
    assert entry_of(lines=[plain_line(5000, kind="gift_card")], total=5000, payments=[paid_by("card", 5000)]) == {
        debit("1100", 5000),
        credit("2200", 5000),
    }


def test_an_account_settled_in_cash():
    assert entry_of(lines=[plain_line(3000, kind="account_payment")], total=3000, payments=[cash(3000)]) == {
        debit("1000", 3000),
        credit("1300", 3000),
    }


def test_a_gift_card_sold_for_half_owes_its_holder_the_whole():
    half_price = plain_line(10000, kind="gift_card") | {"discount": 5000, "amount": 5000}
    assert entry_of(lines=[half_price], total=5000, payments=[paid_by("card", 5000)]) == {
        debit("1100", 5000),
        debit("4100", 5000),
        credit("2200", 10000),
    }
    assert entry_of(lines=[plain_line(10000)], total=10000, payments=[paid_by("gift_card", 10000)]) == {
        debit("2200", 10000),
        credit("4000", 10000),
    }


DISCOUNTED = [
    {"quantity": "2", "unit_price": 212, "amount": 424, "taxes": [wire_tax(85, "0.20", "FR-20")]},
    {"kind": "discount", "quantity": "-1", "unit_price": 42, "amount": -42, "taxes": [wire_tax(-9, "0.20", "FR-20")]},
]


def test_a_discount_of_the_whole_order_with_tax_on_top():
    assert entry_of(prices_include_tax=False, lines=DISCOUNTED, total=458, payments=[cash(458)]) == {
        debit("1000", 458),
        debit("4100", 42),
        debit("2100", 9, "FR-20"),
        credit("4000", 424),
        credit("2100", 85, "FR-20"),
    }


def test_its_mirror_image_leaves_nothing_but_returns():
    mirrored = [
        {**DISCOUNTED[0], "quantity": "-2", "amount": -424, "taxes": [wire_tax(-85, "0.20", "FR-20")]},
        {**DISCOUNTED[1], "quantity": "1", "amount": 42, "taxes": [wire_tax(9, "0.20", "FR-20")]},
    ]
    assert entry_of(prices_include_tax=False, kind="refund", lines=mirrored, total=-458, payments=[cash(-458)]) == {
        credit("1000", 458),
        credit("4100", 42),
        credit("2100", 9, "FR-20"),
        debit("4200", 424),
        debit("2100", 85, "FR-20"),
    }


def adjustment(*payments: dict[str, Any], tip: int = 0) -> set[Posting]:
    return entry_of(adjusts=OTHER_ID, lines=[], total=0, tip=tip, payments=list(payments))


def test_a_tip_written_on_the_slip_of_an_order_sent_before():
    assert adjustment(paid_by("card", 200), tip=200) == {debit("1100", 200), credit("2300", 200)}


def test_keyed_as_cash_and_paid_by_card():
    assert adjustment(cash(-1500), paid_by("card", 1500)) == {debit("1100", 1500), credit("1000", 1500)}


def test_a_card_declined_after_the_upload():
    assert adjustment(paid_by("card", -5000), paid_by("on_account", 5000)) == {
        debit("1300", 5000),
        credit("1100", 5000),
    }


def test_swiss_cash_rounding():
    assert entry_of(lines=[plain_line(1002)], rounding=-2, total=1000, payments=[cash(1000)]) == {
        debit("1000", 1000),
        debit("4900", 2),
        credit("4000", 1002),
    }


def test_a_coffee_given_away():
    given_away = {"quantity": "1", "unit_price": 400, "discount": 400, "amount": 0}
    for prices_include_tax in (True, False):
        entry = entry_of(prices_include_tax=prices_include_tax, lines=[given_away], total=0, payments=[])
        assert entry == {debit("4100", 400), credit("4000", 400)}


def test_a_free_item_at_price_zero_has_no_entry():
    assert entry_of(lines=[plain_line(0)], total=0, payments=[]) == set()


def test_the_drawer_is_emptied_into_the_safe_but_for_the_next_float():
    assert post_opening(opening_float=20000, drawer_balance=61250) == [debit("1010", 41250), credit("1000", 41250)]


def test_a_first_float_comes_out_of_the_safe():
    assert post_opening(opening_float=20000, drawer_balance=0) == [debit("1000", 20000), credit("1010", 20000)]


def test_a_float_that_is_already_in_the_drawer_has_no_entry():
    assert post_opening(opening_float=20000, drawer_balance=20000) == []


def test_change_is_brought_to_the_drawer():
    movement = a_movement(kind="cash_in", amount=5000, reason="change")
    assert post_movement(movement, accounts=CASH_REASON_ACCOUNTS) == [debit("1000", 5000), credit("1010", 5000)]


def test_tips_are_paid_out_of_the_drawer():
    movement = a_movement(kind="cash_out", amount=800, reason="tips")
    assert post_movement(movement, accounts=CASH_REASON_ACCOUNTS) == [debit("2300", 800), credit("1000", 800)]


def test_cash_taken_for_an_unknown_reason_waits_in_suspense():
    movement = a_movement(kind="cash_out", amount=800, reason="pizza")
    assert post_movement(movement, accounts=CASH_REASON_ACCOUNTS) == [debit("1990", 800), credit("1000", 800)]


def test_a_drawer_that_is_short_at_close():
    assert post_over_short(over_short=-350, posted_before=0) == [debit("6900", 350), credit("1000", 350)]


def test_a_drawer_reconciled_again_posts_only_what_is_new():
    assert post_over_short(over_short=-100, posted_before=-350) == [debit("1000", 250), credit("6900", 250)]
    assert post_over_short(over_short=-350, posted_before=-350) == []


def test_cash_goes_to_the_bank_arrives_there_and_comes_back_as_change():
    assert post_bank_deposit(30000) == [debit("1020", 30000), credit("1010", 30000)]
    assert post_bank_receipt(30000) == [debit("1030", 30000), credit("1020", 30000)]
    assert post_bank_change(2500) == [debit("1010", 2500), credit("1030", 2500)]
