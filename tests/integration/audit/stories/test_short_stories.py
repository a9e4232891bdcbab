"""docs/stories.md, played: every order and figure of that page."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backoffice.domain.decisions import Verb
from tests.integration.audit.stories.page import CHECKOUT, sections
from tests.integration.audit.stories.shop import Shop

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]


def a_table_over_the_end_of_a_month(shop: Shop) -> None:
    shop.opens("Till 1", number=1, at="2026-03-31T15:00:00+02:00", first_number=1001)
    orders = shop.sells("Till 1")
    closing = {"at": "2026-03-31T23:55:00+02:00", "counted": 21200, "left": 20000}
    shop.closes("Till 1", *orders, **closing, last_number=1002, carried_over=[1002])
    shop.check_shift("Till 1, shift 1")
    shop.check_books()
    shop.opens("Till 1", number=2, at="2026-04-01T00:05:00+02:00", first_number=1003)
    shop.begins(shop.section, date(2026, 4, 1))
    shop.approves("Till 1, shift 1")
    shop.decides(Verb.LOCK, "PAR1", reason="month-closed", date="2026-03-31")
    table = ("2026-03-31T22:00:00+02:00", "2026-04-01T01:20:00+02:00")
    orders = shop.sells("Till 1", mode="offline", times={"1002": table})
    night = {"at": "2026-04-01T03:00:00+02:00", "counted": 20000, "left": 20000}
    shop.closes("Till 1", *orders, **night, first_number=1003)
    shop.check_shift("Till 1, shift 2")
    shop.check_books()
    shop.check_both_dates()
    shop.check_days()


def a_declined_card_of_which_the_till_hears(shop: Shop) -> None:
    shop.opens("Till 1", number=1, at="2026-03-02T08:00:00+01:00", first_number=1001)
    orders = shop.sells("Till 1", mode="offline")
    shop.check_books()
    orders += shop.sells("Till 1")
    shop.check_books()
    orders += shop.sells("Till 1")
    shop.closes("Till 1", *orders, at="2026-03-02T18:00:00+01:00", counted=26000, left=20000)
    shop.check_shift("Till 1, shift 1")
    shop.check_books()


STORIES = {
    "A table over the end of a month": (a_table_over_the_end_of_a_month, date(2026, 3, 31)),
    "A declined card of which the till hears": (a_declined_card_of_which_the_till_hears, date(2026, 3, 2)),
}


@pytest.mark.parametrize("heading", STORIES)
def test_a_short_story(heading: str, verify: Verify, shop: Shop) -> None:
    told = sections(CHECKOUT / "docs" / "stories.md")
    assert list(told) == list(STORIES)
    play, day = STORIES[heading]
    shop.begins(told[heading], day)
    play(shop)
    shop.section.check_all_told(set())
    assert verify()[1]["differences"] == []
