"""Members of a newer terminal: unknown fields are passed over quickly, and judged as they are on the slow road."""

import json

from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.wire.members import _read_slowly, read_movement, read_order
from tests.unit.domain.builders import an_order, cash, raw, spelled_out, wire_line, wire_movement, wire_order, wire_tax

spelled = st.one_of(
    st.sampled_from(["1e400", "-1E+400", "1e-400", "1e99", "1e+99", "1.5e100", "0e999", "9" * 199 + "e99", "9" * 200, "9" * 308,
                     "9" * 309, "9" * 310, "1" + "0" * 400, "-" + "9" * 5000, "0." + "0" * 400, "9" * 250 + ".5e59", "1e0000",
                     '"\\u0000"', '"a\\\\u0000"', '"\\\\\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"1e400"', '", 1e400"',
                     '{"\\u0000": 1}', "[0, [1 , 2e400]]", '{"order_id": {"lines": 5}}', '"' + "-" * 300 + '"'])
    , st.floats(allow_nan=False, allow_infinity=False).map(repr), st.integers().map(str), st.text(max_size=5).map(json.dumps),
)  # fmt: skip
holes = st.sampled_from(["order", "line", "tax", "payment", "customer"])


@given(
    st.lists(st.tuples(holes, st.sampled_from(["x", "Order_Id", "e1e400", "note "]), spelled), min_size=1, max_size=4)
)
def test_both_roads_agree_on_what_hides_in_the_fields_of_a_newer_terminal(unknown):
    parts = {"order": "", "line": "", "tax": "", "payment": "", "customer": '"name": "Zoë"'}
    for hole, name, value in unknown:
        parts[hole] += f'{", " if parts[hole] else ""}"{name}": {value}'
    order = wire_order(
        lines=[wire_line(taxes=[{**wire_tax(13), "tax": 0}], line=0)],
        payments=[cash(240, tendered=500, change=260, payment=0)],
        order=0,
    )
    text = json.dumps(order)
    for hole in ("order", "line", "tax", "payment"):
        text = text.replace(f'"{hole}": 0', parts[hole] or f'"{hole}": 0')
    member = f'{text[:-1]}, "customer": {{{parts["customer"]}}}}}'.encode()
    assert spelled_out(read_order(member)) == spelled_out(_read_slowly(member, Order))


@given(value=spelled)
def test_both_roads_agree_on_the_fields_of_a_newer_terminal_in_a_cash_movement(value):
    member = f'{json.dumps(wire_movement())[:-1]}, "x": {value}}}'.encode()
    assert read_movement(member) == _read_slowly(member, CashMovement)


def test_a_text_that_looks_like_a_huge_number_is_only_text():
    assert an_order(note="of 1e400, e1e400", order_id="01953a3e-0000-7000-8000-1e4000000001").note == "of 1e400, e1e400"


def test_an_integer_beyond_a_double_counts_in_a_customer_as_well():
    order = read_order(raw(wire_order(customer={"points": 10**309})))
    assert isinstance(order, Unreadable)
    assert order.reasons[0].pointer == "/customer/points"
    assert str(an_order(customer={"points": 10**307}).customer) == f'{{"points":{10**307}}}'
