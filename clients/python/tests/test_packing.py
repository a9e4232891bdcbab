import secrets

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from backoffice_terminal import Limits
from backoffice_terminal.packing import batch_body, fits, groups


@given(st.lists(st.integers(1, 3_000), max_size=60), st.integers(1, 10), st.integers(600, 5_000))
def test_groups_hold_everyone_once_in_order_and_respect_the_limits(sizes: list[int], orders: int, decoded: int) -> None:
    limits = Limits(max_batch_orders=orders, max_decoded_bytes=decoded)
    found = groups(sizes, limits)
    assert [index for part in found for index in range(len(sizes))[part]] == list(range(len(sizes)))
    for part in found:
        members = sizes[part]
        assert len(members) <= orders
        body = batch_body(
            "2026-03-01T10:00:00+00:00", [b'"' + b"x" * (size - 2) + b'"' for size in members if size > 1], []
        )
        assert len(members) == 1 or len(body) <= decoded


def test_the_same_members_make_the_same_bytes() -> None:
    body = batch_body("2026-03-01T10:00:00+00:00", [b'{"a":1}', b'{"b":2}'], [b'{"c":3}'])
    assert body == batch_body("2026-03-01T10:00:00+00:00", [b'{"a":1}', b'{"b":2}'], [b'{"c":3}'])
    assert msgspec.json.decode(body) == {
        "sent_at": "2026-03-01T10:00:00+00:00",
        "orders": [{"a": 1}, {"b": 2}],
        "cash_movements": [{"c": 3}],
    }


def test_what_compresses_well_may_be_larger_than_what_is_sent() -> None:
    limits = Limits(max_batch_bytes=10_000)
    assert fits(b"a" * 100_000, 1, limits)
    assert not fits(secrets.token_hex(50_000).encode(), 1, limits)
