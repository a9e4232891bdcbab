"""Every order that may be posted balances, to the minor unit, in both price modes."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from backoffice.domain.accounts import CHART, LINE_ACCOUNTS, LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.orders import TAX_KINDS, Order
from backoffice.domain.posting import Posting, post_order
from backoffice.domain.rules import holds
from tests.unit.domain.builders import OTHER_ID, a_shift, an_order, cash, plain_line, wire_tax

amounts = st.integers(-5_000_00, 5_000_00)
small = st.integers(-50, 50)
# What a till would compute, what it would not, and what comes back.
lines = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(LINE_KINDS)),
        "quantity": st.sampled_from(["1", "2", "-1", "0.350", "0", "-2.5"]),
        "unit_price": st.sampled_from([0, 120, 1999, "0.5", "149.9999"]),
        "discount": st.one_of(st.just(0), amounts),
        "amount": st.one_of(st.just(0), amounts),
        "taxes": st.lists(
            st.builds(
                lambda amount, code, kind: {**wire_tax(amount, "0.2", code), "kind": kind},
                small,
                st.sampled_from(["A", "B", ""]),
                st.sampled_from(sorted(TAX_KINDS)),
            ),
            max_size=3,
        ),
        "refund_of": st.sampled_from([None, OTHER_ID]),
    }
)
payments = st.lists(st.tuples(st.sampled_from(sorted(PAYMENT_ACCOUNTS)), amounts), max_size=4)


def order_with_sums(
    basket: list[dict[str, Any]], split: list[tuple[str, int]], rounding: int, tip: int, *, inclusive: bool
) -> Order:
    """An order whose total and last payment are what the protocol wants of them."""
    taxes = 0 if inclusive else sum(tax["amount"] for line in basket for tax in line["taxes"])
    total = sum(line["amount"] for line in basket) + taxes + rounding
    rest = total + tip - sum(amount for _, amount in split)
    paid = [{"method": method, "amount": amount} for method, amount in [*split, ("cash", rest)]]
    return an_order(lines=basket, rounding=rounding, tip=tip, total=total, payments=paid)


orders = st.builds(order_with_sums, st.lists(lines, max_size=5), payments, small, small, inclusive=st.just(True))


def balance_by_account(postings: list[Posting]) -> dict[tuple[str, str], int]:
    balances: defaultdict[tuple[str, str], int] = defaultdict(int)
    for posting in postings:
        balances[posting.account, posting.tax_code] += posting.debit - posting.credit
    return {key: balance for key, balance in balances.items() if balance}


@given(basket=st.lists(lines, max_size=5), split=payments, rounding=small, tip=small, inclusive=st.booleans())
def test_whatever_passes_the_holds_balances(basket, split, rounding, tip, inclusive):
    order = order_with_sums(basket, split, rounding, tip, inclusive=inclusive)
    check_balance(replace(order, kind="sale" if order.total > 0 else "refund"), inclusive=inclusive)


@given(split=payments, tip=small, inclusive=st.booleans())
def test_whatever_an_adjustment_changes_balances(split, tip, inclusive):
    order = order_with_sums([], split, 0, tip, inclusive=inclusive)
    check_balance(replace(order, adjusts=UUID(OTHER_ID)), inclusive=inclusive)


def check_balance(order: Order, *, inclusive: bool) -> None:
    assert holds(order, shift=a_shift(prices_include_tax=inclusive), methods=PAYMENT_ACCOUNTS) == ()
    postings = post_order(order, prices_include_tax=inclusive, accounts=PAYMENT_ACCOUNTS)
    assert sum(posting.debit for posting in postings) == sum(posting.credit for posting in postings)
    assert all((posting.debit > 0) != (posting.credit > 0) for posting in postings)
    assert all(posting.debit >= 0 and posting.credit >= 0 for posting in postings)
    sides = [(posting.account, posting.tax_code, posting.debit > 0) for posting in postings]
    assert len(set(sides)) == len(sides)
    assert {posting.account for posting in postings} <= {account.code for account in CHART}


def negated(line: dict[str, Any]) -> dict[str, Any]:
    quantity = line["quantity"]
    return {
        **line,
        "quantity": quantity[1:] if quantity.startswith("-") else f"-{quantity}",
        "discount": -line["discount"],
        "amount": -line["amount"],
        "taxes": [{**tax, "amount": -tax["amount"]} for tax in line["taxes"]],
    }


sold = st.builds(
    lambda line, amount, discount: {**line, "quantity": "1", "amount": amount, "discount": discount},
    lines, st.integers(1, 500_00), st.integers(0, 500),
)  # fmt: skip


@given(basket=st.lists(sold, max_size=5), split=payments, rounding=small, tip=small, inclusive=st.booleans())
def test_a_refund_of_everything_leaves_nothing_but_sales_less_discounts_against_returns(
    basket, split, rounding, tip, inclusive
):
    sale = order_with_sums(basket, split, rounding, tip, inclusive=inclusive)
    back = [(method, -amount) for method, amount in split]
    refund = order_with_sums([negated(line) for line in basket], back, -rounding, -tip, inclusive=inclusive)
    left = balance_by_account(
        [
            *post_order(sale, prices_include_tax=inclusive, accounts=PAYMENT_ACCOUNTS),
            *post_order(refund, prices_include_tax=inclusive, accounts=PAYMENT_ACCOUNTS),
        ]
    )
    assert {account for account, _ in left} <= {"4000", "4100", "4200"}
    assert sum(left.values()) == 0


@given(
    line=sold.filter(lambda line: line["kind"] != "item"), tip=small, rounding=small, inclusive=st.booleans()
)  # fmt: skip
def test_a_refund_of_anything_but_items_leaves_nothing_at_all(line, tip, rounding, inclusive):
    sale = order_with_sums([line], [], rounding, tip, inclusive=inclusive)
    refund = order_with_sums([negated(line)], [], -rounding, -tip, inclusive=inclusive)
    postings = [
        posting
        for order in (sale, refund)
        for posting in post_order(order, prices_include_tax=inclusive, accounts=PAYMENT_ACCOUNTS)
    ]
    assert balance_by_account(postings) == {}


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize(("kind", "account"), sorted(LINE_ACCOUNTS.items()))
def test_every_other_kind_of_line_posts_its_discount_beside_it(kind, account, inclusive):
    line = plain_line(1000, kind=kind) | {"discount": 250, "amount": 750}
    postings = post_order(
        an_order(lines=[line], total=750, payments=[cash(750)]), prices_include_tax=inclusive, accounts=PAYMENT_ACCOUNTS
    )
    if kind == "discount":
        assert postings == [Posting("1000", 750, 0), Posting("4100", 0, 750)]
    else:
        assert postings == [Posting("1000", 750, 0), Posting("4100", 250, 0), Posting(account, 0, 1000)]


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_voided_or_practised_posts_nothing(status):
    order = an_order(status=status, total=99999)
    assert post_order(order, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS) == []


def test_an_exchange_shows_what_was_sold_and_what_came_back():
    order = an_order(
        lines=[plain_line(1000, taxes=[wire_tax(100)]), plain_line(-400, taxes=[wire_tax(-40)])],
        total=600,
        payments=[cash(600)],
    )
    assert post_order(order, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS) == [
        Posting("1000", 600, 0),
        Posting("2100", 40, 0, "FR-5.5"),
        Posting("4200", 360, 0),
        Posting("2100", 0, 100, "FR-5.5"),
        Posting("4000", 0, 900),
    ]


def test_something_given_away_and_brought_back_posts_no_discount():
    returned = {"quantity": "-1", "unit_price": 400, "discount": -400, "amount": 0}
    order = an_order(lines=[returned], total=0, payments=[])
    assert post_order(order, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS) == []


@pytest.mark.parametrize(("kind", "account"), sorted(LINE_ACCOUNTS.items()))
def test_every_other_kind_of_line_moves_its_own_account_both_ways(kind, account):
    sale = an_order(lines=[plain_line(500, kind=kind)], total=500, payments=[cash(500)])
    refund = an_order(lines=[plain_line(-500, kind=kind)], total=-500, payments=[cash(-500)])
    assert Posting(account, 0, 500) in post_order(sale, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS)
    assert Posting(account, 500, 0) in post_order(refund, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS)


def test_a_mapping_of_the_store_decides_where_a_payment_goes():
    postings = post_order(an_order(), prices_include_tax=True, accounts={"cash": "1001"})
    assert Posting("1001", 240, 0) in postings


def test_an_order_that_should_have_been_held_is_not_posted_half():
    order = an_order(lines=[plain_line(240, kind="mystery")], payments=[cash(240)])
    with pytest.raises(KeyError):
        post_order(order, prices_include_tax=True, accounts=PAYMENT_ACCOUNTS)


def test_the_default_chart_has_every_account_that_is_posted_to():
    codes = [account.code for account in CHART]
    assert len(set(codes)) == len(codes)
    assert {*PAYMENT_ACCOUNTS.values(), *LINE_ACCOUNTS.values()} <= set(codes)
