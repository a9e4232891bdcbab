"""A short fuzz of the decoder, the rules and the card filter in every test run; `make fuzz` goes on for longer."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backoffice.domain.cards.masking import Masked
from backoffice.domain.orders import Order, Unreadable
from backoffice.domain.wire.envelope import BodyMalformed, Envelope
from tests.fuzz import promises
from tests.fuzz.loop import corpus, tried
from tests.fuzz.spelling import parse, spell

CHECKOUT = Path(__file__).resolve().parents[2]
BODIES = 1500


def check_all(bodies: Iterable[bytes]) -> None:
    for body in bodies:
        try:
            promises.check(body)
        except BaseException as error:
            error.add_note(f"The body: {body!r}")
            raise


@pytest.mark.parametrize("seed", [1, 2])
def test_no_body_breaks_a_promise(seed: int):
    check_all(islice(tried(corpus(), Random(seed)), BODIES))


def test_the_same_seed_tries_the_same_bodies():
    first, second = (list(islice(tried(corpus(), Random(7)), 300)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 200


def test_what_is_tried_reaches_the_rules_and_the_filter(monkeypatch: pytest.MonkeyPatch):
    reached: Counter[str] = Counter()

    def count(name: str, what: Callable[..., str]) -> None:
        real = getattr(promises, name)

        def counted(*args: Any, **how: Any) -> Any:
            result = real(*args, **how)
            reached[what(result)] += 1
            return result

        monkeypatch.setattr(promises, name, counted)

    count("read_order", lambda order: "Order" if isinstance(order, Order) else "Unreadable")
    count("read_movement", lambda movement: type(movement).__name__)
    count("post_order", lambda postings: "entry" if postings else "no entry")
    count("mask_cards", lambda masked: "masked" if masked.findings else "clean")
    count("holds", lambda reasons: "held" if reasons else "not held")
    check_all(islice(tried(corpus(), Random(3)), 500))
    for what in ("Order", "Unreadable", "CashMovement", "entry", "no entry", "masked", "clean", "held", "not held"):
        assert reached[what] > 50, reached


def backwards(envelope: Envelope) -> Envelope:
    return Envelope(orders=envelope.orders[::-1], movements=envelope.movements)


def unequal(postings: list[Any]) -> list[Any]:
    return [*postings[:-1], postings[-1]._replace(credit=postings[-1].credit + 1)] if postings else postings


def refuse(_: Any) -> Any:
    raise BodyMalformed("Never")


def break_down(_: Any) -> Any:
    raise ZeroDivisionError


def by_spelling(real: Callable[[Order], bytes]) -> Callable[[Order], bytes]:
    """A content hash to which the order of the names in a customer matters."""
    return lambda order: real(order)[:-1] + bytes([len(str(order.customer).partition(":")[0]) % 256])


SABOTAGE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "an entry that does not balance": ("post_order", unequal),
    "members in another order": ("decode_batch", backwards),
    "good JSON refused": ("decode_batch", refuse),
    "an error that nobody foresaw": ("read_order", break_down),
    "an order that cannot be read": (
        "read_order",
        lambda _: Unreadable(item_id=None, number=None, content_hash=b"", reasons=()),
    ),
    "a filter that changes what it does not tell": ("mask_cards", lambda masked: Masked(masked.body + b" ", ())),
    "reasons of the wrong kind": ("flags", lambda _: promises.movement_holds(promises.read_movement(LIMITLESS))),
}
LIMITLESS = promises.raw(promises.wire_movement(reason="x" * 65))


@pytest.mark.parametrize(("name", "spoil"), SABOTAGE.values(), ids=SABOTAGE.keys())
def test_a_broken_promise_is_noticed(monkeypatch: pytest.MonkeyPatch, name: str, spoil: Callable[[Any], Any]):
    real = getattr(promises, name)
    monkeypatch.setattr(promises, name, lambda *args, **how: spoil(real(*args, **how)))
    with pytest.raises((AssertionError, BodyMalformed, ZeroDivisionError)):
        check_all(corpus())


def test_a_content_hash_that_depends_on_the_spelling_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promises, "content_hash", by_spelling(promises.content_hash))
    with pytest.raises(AssertionError):
        check_all(islice(tried(corpus(), Random(1)), BODIES))


def test_a_value_spelled_again_is_the_same_value():
    for body in corpus():
        try:
            value = parse(body)
        except (ValueError, RecursionError):
            continue
        spelled = {spell(value, Random(seed)) for seed in range(5)}
        assert all(parse(other) == value for other in spelled)


def test_make_fuzz_ends_well_when_time_is_up():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "2", "--seed", "1"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
