"""Whether an opening or a close is the one that is stored: hashes as they were, and what does not count (protocol §2.3)."""

import json
from typing import Any

import pytest

from backoffice.domain.repeats import is_same_close, is_same_opening, message_hash
from backoffice.domain.wire.messages import CloseShift, OpenShift, read_close_shift, read_open_shift
from tests.unit.domain.test_wire import CLOSE, OPEN

# Given by the version that had no other fields; they are in databases.
OPENED = "81746254cd375d68202a1b3402e2a2fd5068ba211b14e7b7dfd64fb0654c3cc2"
OPENED_WITH_ALL = "e297ab0d424401d180e8c703a1ca69f2088a710966ab5bb0c888ec82812887a6"
CLOSED = "a4d782275fdb724996118efbb59ccf53c794d2181d10e5d9fdef775b297a09c1"
ENDED = {"closed_at": "2026-03-01T18:00:00+01:00"}


def an_opening(**changes: Any) -> OpenShift:
    return read_open_shift(json.dumps(OPEN | changes).encode())


def a_close(**changes: Any) -> CloseShift:
    return read_close_shift(json.dumps(CLOSE | changes).encode())


def test_an_opening_has_the_hash_that_it_had():
    assert message_hash(an_opening()).hex() == OPENED
    everything = an_opening(currency="EUR", prices_include_tax=False, **ENDED)
    assert message_hash(everything).hex() == OPENED_WITH_ALL


@pytest.mark.parametrize("unsaid", [{}, {"carried_over": []}, {"float_left": None}, {"unknown": 1}])
def test_a_close_that_uses_no_added_field_has_the_hash_that_it_had(unsaid: dict[str, Any]):
    assert message_hash(a_close(**unsaid)).hex() == CLOSED


def test_each_added_field_counts():
    said = [{}, {"carried_over": [1005]}, {"carried_over": [1006]}, {"float_left": 0}, {"cash_counted": None}]
    assert len({message_hash(a_close(**fields)) for fields in said}) == len(said)


def test_an_opening_with_its_end_is_the_same_and_with_another_end_is_not():
    stored = message_hash(an_opening())
    assert is_same_opening(an_opening(**ENDED), stored_hash=stored)
    assert not is_same_opening(an_opening(number=312, **ENDED), stored_hash=stored)
    recorded = message_hash(an_opening(**ENDED))
    assert is_same_opening(an_opening(**ENDED), stored_hash=recorded)
    assert not is_same_opening(an_opening(closed_at="2026-03-01T19:00:00+01:00"), stored_hash=recorded)


def test_a_close_from_before_is_compared_without_what_was_unknown_then():
    before: dict[str, Any] = CLOSE
    stored = message_hash(a_close())
    assert is_same_close(a_close(float_left=5, carried_over=[7]), stored_hash=stored, stored=before)
    assert not is_same_close(a_close(cash_counted=5), stored_hash=stored, stored=before)
    assert not is_same_close(a_close(float_left=5), stored_hash=stored, stored=before | {"float_left": None})
