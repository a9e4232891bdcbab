"""Lines are plain values: compared by what they say, kept as they were spelled, and read anew each time they come."""

import pytest

from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.identity import content_hash
from backoffice.domain.orders import Unreadable
from backoffice.domain.posting import post_order
from backoffice.domain.wire.members import read_order
from tests.unit.domain.builders import an_order, raw, wire_line, wire_order


def test_the_same_order_read_twice_is_equal():
    assert an_order() == an_order()
    assert an_order(lines=[wire_line()]) != an_order(lines=[wire_line(sku="A-2")])


def test_lines_that_are_equal_keep_their_own_spelling():
    one, other = an_order(lines=[wire_line(quantity="2")]), an_order(lines=[wire_line(quantity="2.00")])
    assert [str(order.lines[0].quantity) for order in (one, other)] == ["2", "2.00"]
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize("value", ["1e400", '"\\u0000"', "9" * 400])
def test_an_unknown_field_of_a_line_is_judged_each_time(value: str):
    line = wire_line(colour=0)
    member = raw(wire_order(lines=[line, line])).replace(b'"colour": 0', b'"colour": ' + value.encode())
    for _ in range(2):
        order = read_order(member)
        assert isinstance(order, Unreadable)
        assert order.reasons[0].pointer == "/lines/0/colour"


@pytest.mark.parametrize(("prices_include_tax", "comes_to"), [(True, 240), (False, 253)])
def test_what_a_line_comes_to_depends_on_whether_prices_include_tax(prices_include_tax: bool, comes_to: int):
    order = an_order(total=comes_to, payments=[{"method": "cash", "amount": comes_to}])
    postings = post_order(order, prices_include_tax=prices_include_tax, accounts=PAYMENT_ACCOUNTS)
    assert sum(posting.credit for posting in postings) == sum(posting.debit for posting in postings) == comes_to


@pytest.mark.parametrize("prices_include_tax", [True, False])
def test_a_line_of_an_unknown_kind_has_no_rule_in_either_mode(prices_include_tax: bool):
    order = an_order(lines=[wire_line(kind="mystery")])
    with pytest.raises(KeyError, match="mystery"):
        post_order(order, prices_include_tax=prices_include_tax, accounts=PAYMENT_ACCOUNTS)
