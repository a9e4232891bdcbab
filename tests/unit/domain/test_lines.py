"""Lines are remembered by their bytes: the same ones are read once, and others are never taken for them."""

import msgspec
import pytest

from backoffice.domain.identity import content_hash
from backoffice.domain.lines import Line, Reader
from backoffice.domain.orders import Unreadable, read_order
from tests.unit.domain.builders import an_order, raw, wire_line, wire_order


def bytes_of(number: int = 1, **fields: object) -> msgspec.Raw:
    return msgspec.Raw(raw(wire_line(sku=f"A-{number}", **fields)))


def read(reader: Reader, *raws: msgspec.Raw) -> list[Line]:
    return reader.read(list(raws))


def test_the_same_bytes_are_the_same_line_from_the_second_time_on():
    reader = Reader()
    _, other, second, third = read(reader, bytes_of(1), bytes_of(2), bytes_of(1), bytes_of(1))
    assert second is third
    assert (second.sku, other.sku) == ("A-1", "A-2")
    assert read(reader, bytes_of(1)) == [second]


def test_what_never_comes_again_takes_no_place():
    reader = Reader(most=10)
    for number in range(1, 1000):
        assert read(reader, bytes_of(number))[0].sku == f"A-{number}"
        assert len(reader._came_once) <= 80
    assert not reader._recent


def test_lines_that_are_equal_keep_their_own_spelling():
    one, other = an_order(lines=[wire_line(quantity="2")]), an_order(lines=[wire_line(quantity="2.00")])
    assert [str(order.lines[0].quantity) for order in (one, other)] == ["2", "2.00"]
    assert content_hash(one) == content_hash(other)


def test_those_asked_for_last_are_remembered_and_no_more_than_twice_as_many():
    reader = Reader(most=10)
    often = read(reader, bytes_of(0), bytes_of(0))[1]
    for number in range(1, 200):
        read(reader, bytes_of(number), bytes_of(number))
        assert read(reader, bytes_of(0)) == [often]
        assert len(reader._recent) + len(reader._before) <= 20
    assert read(reader, bytes_of(1))[0].sku == "A-1"


def test_a_long_line_is_read_and_not_remembered():
    reader = Reader(longest=500)
    long = bytes_of(name="x" * 500)
    first, second, third = read(reader, long, long, long)
    assert first.name == third.name == "x" * 500
    assert second is not third


def test_what_could_not_be_read_is_not_remembered():
    reader = Reader()
    for broken in (bytes_of(quantity="two"), bytes_of(colour=10**400), bytes_of(colour="\0")):
        for _ in range(2):
            with pytest.raises(msgspec.ValidationError):
                read(reader, broken)
    assert not reader._recent


@pytest.mark.parametrize("value", ["1e400", '"\\u0000"', "9" * 400])
def test_an_unknown_field_of_a_line_is_judged_each_time(value: str):
    line = wire_line(colour=0)
    member = raw(wire_order(lines=[line, line])).replace(b'"colour": 0', b'"colour": ' + value.encode())
    for _ in range(2):
        order = read_order(member)
        assert isinstance(order, Unreadable)
        assert order.reasons[0].pointer == "/lines/0/colour"


def test_what_a_line_comes_to_depends_on_whether_prices_include_tax():
    line = an_order(lines=[wire_line()]).lines[0]
    tax = sum(one.amount for one in line.taxes)
    assert (line.tax, line.inclusive.gross, line.exclusive.gross) == (tax, line.amount, line.amount + tax)
    assert sum(amount for _, amount in line.inclusive.credits or ()) == line.amount
    assert sum(amount for _, amount in line.exclusive.credits or ()) == line.amount + tax


def test_a_line_of_an_unknown_kind_has_no_rule_in_either_mode():
    line = an_order(lines=[wire_line(kind="mystery")]).lines[0]
    assert line.inclusive.credits is line.exclusive.credits is None
