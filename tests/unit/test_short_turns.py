"""Threads hand the interpreter on sooner while a large body is read, and as usual otherwise."""

import sys
from collections.abc import Iterator
from io import BytesIO
from threading import Barrier, Thread

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from backoffice.short_turns import SHORT_S, at_rest, short_turns
from pos_api.bodies import LIVE_ORDER, open_message

PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def usual_s() -> Iterator[float]:
    """The interval before the test, which it must leave behind."""
    before = sys.getswitchinterval()
    assert before > SHORT_S
    yield before
    assert sys.getswitchinterval() == before


def test_turns_are_short_within_and_usual_after_an_error(usual_s: float) -> None:
    def read() -> None:
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(SHORT_S)
            raise ValueError("of the reader")

    with pytest.raises(ValueError, match="of the reader"):
        read()
    assert sys.getswitchinterval() == usual_s


def test_they_are_short_until_the_last_of_several_is_done() -> None:
    both_within, one_is_out = Barrier(2), Barrier(2)

    def other() -> None:
        with short_turns():
            both_within.wait(PATIENCE_S)
        one_is_out.wait(PATIENCE_S)

    thread = Thread(target=other)
    thread.start()
    with short_turns():
        both_within.wait(PATIENCE_S)
        one_is_out.wait(PATIENCE_S)
        assert sys.getswitchinterval() == pytest.approx(SHORT_S)
    thread.join(PATIENCE_S)


def test_who_waits_within_does_not_ask_for_them(usual_s: float) -> None:
    with at_rest():
        assert sys.getswitchinterval() == usual_s
    with short_turns():
        with at_rest():
            assert sys.getswitchinterval() == usual_s
        assert sys.getswitchinterval() == pytest.approx(SHORT_S)


@pytest.mark.parametrize(("size", "is_large"), [(LIVE_ORDER, False), (LIVE_ORDER + 1, True)])
def test_a_message_that_is_larger_than_any_live_order_is_read_in_short_turns(
    size: int, *, is_large: bool, usual_s: float
) -> None:
    text = b"{}".ljust(size)
    asked = RequestFactory().put("/", text, content_type="application/json")
    asked.environ["wsgi.input"] = BytesIO(text)  # type: ignore[attr-defined]  # WSGIRequest has it
    with open_message(Request(asked), small=False) as message:
        assert message == text
        assert sys.getswitchinterval() == pytest.approx(SHORT_S if is_large else usual_s)
