"""Whatever somebody sends, looking for card data takes time in proportion to its length."""

import json

import pytest

from backoffice.domain.cards.masking import mask_closely
from backoffice.domain.cards.search import may_hold_cards
from tests.unit.domain.patterns import KNOWN, Pattern, growth, made_up

MOST = 2.5


def work(body: bytes) -> None:
    """Both ways: what the door does first, and what it does where that finds something."""
    may_hold_cards(body)
    mask_closely(body)


@pytest.mark.parametrize("pattern", KNOWN.values(), ids=KNOWN.keys())
def test_twice_the_bytes_take_at_most_two_and_a_half_times_as_long(pattern: Pattern):
    assert growth(work, pattern) <= MOST


@pytest.mark.parametrize("seed", range(40))
def test_so_they_do_in_patterns_that_nobody_thought_of(seed: int):
    assert growth(work, made_up(seed)) <= MOST, made_up(seed)


def test_every_pattern_is_json_so_that_nothing_of_it_is_passed_over():
    for pattern in (*KNOWN.values(), *map(made_up, range(40))):
        json.loads(pattern.body(1000))


def test_time_that_grows_with_the_square_is_noticed():
    def compare_all(body: bytes) -> None:
        for place in range(0, len(body), 64):
            body.count(b"\0", 0, place)

    assert growth(compare_all, KNOWN["names at the top: b'orders'"]) > MOST
