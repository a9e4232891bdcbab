"""When two members are the same: by their content, or as JSON values where nobody can read them."""

import json

import pytest

from backoffice.audit.batches import members_of
from backoffice.audit.repeats import same_member
from tests.till import a_movement, a_sale

ORDER = json.dumps(a_sale(1001))


def same(one: str, other: str) -> bool:
    first, second = members_of(f'{{"orders": [{one}, {other}]}}'.encode())
    return same_member(first, second)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ORDER, ORDER.replace("offline", "online"), True),
        (ORDER, ORDER.replace("Anna", "Anne"), False),
        (ORDER, ORDER.replace('"tip": 0', '"tip": 0.0'), False),
        ('{"a": 1, "b": [1e2]}', '{ "b":[100.0],"a":1.0}', True),
        ('{"a": 1}', '{"a": "1"}', False),
        ('{"a": 1e999}', '{"a": 1e999}', True),
        ('"\\ud800"', '"\\ud800"', True),
    ],
)
def test_members_of_a_batch(one: str, other: str, *, expected: bool) -> None:
    assert same(one, other) is expected


def test_an_order_is_no_cash_movement() -> None:
    body = {"orders": [{}], "cash_movements": [{}, a_movement()]}
    order, rubbish, movement = members_of(json.dumps(body).encode())
    assert not same_member(order, rubbish)
    assert not same_member(rubbish, movement)
