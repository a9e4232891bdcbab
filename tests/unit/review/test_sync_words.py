"""What a till has not told us, in words with numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backoffice.fleet.models import Heartbeat, Terminal
from backoffice.review.standings import Gap, Heard, OpenShiftRow, SyncStanding
from backoffice.review.sync import NOTHING_UNSETTLED, Signs, sync_state
from backoffice.review.sync_words import Reader, clock_in_words, reported_words, sync_sentences

NOW = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
CLOSED = datetime(2026, 11, 27, 17, 2, tzinfo=UTC)  # 18:02 in Paris
READER = Reader("Europe/Paris", "EUR", NOW, sees_money=True)
OPEN = [OpenShiftRow(str(uuid4()), 311, NOW - timedelta(hours=5))]


def a_gap(*missing: tuple[int, int], **changes: Any) -> Gap:
    facts: dict[str, Any] = {"shift_id": "s", "number": 310, "closed_at": CLOSED, "missing": list(missing)}
    return Gap(**facts | changes)


def a_beat(**changes: Any) -> Heartbeat:
    facts = {"received_at": CLOSED, "offline_mode": False, "cached_orders": 0, "cached_total": 0, "clock_skew_ms": 0}
    return Heartbeat(**facts | changes)


def said(
    *, signs: Signs = NOTHING_UNSETTLED, reader: Reader = READER, activated: bool = True, **facts: Any
) -> list[str]:
    terminal = Terminal(activated_at=NOW if activated else None)
    standing = SyncStanding(
        **{"state": sync_state(terminal, signs), "signs": signs, "heard": Heard(), "heartbeat": None}
        | {"open_shifts": [], "gaps": []}
        | facts
    )
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in sync_sentences(standing, reader)]


def test_missing_orders_are_counted_named_and_dated_by_the_close_that_declared_them() -> None:
    closing = Signs(closing=1)
    assert said(signs=closing, gaps=[a_gap((1021, 1023))]) == [
        "3 orders missing: 1021–1023, declared at the close of 18:02."
    ]
    assert said(signs=closing, gaps=[a_gap((1021, 1021))]) == ["1 order missing: 1021, declared at the close of 18:02."]
    yesterday = a_gap((1003, 1005), (1007, 1007), closed_at=CLOSED - timedelta(days=1))
    assert said(signs=closing, gaps=[yesterday]) == [
        "4 orders missing: 1003–1005, 1007, declared at the close of 26 Nov 2026, 18:02."
    ]
    assert said(signs=closing, gaps=[a_gap((1, 5_000), is_more=True)]) == [
        "At least 5,000 orders missing: 1–5000, declared at the close of 18:02."
    ]
    assert said(signs=closing, gaps=[a_gap((7, 8), closed_at=None)]) == [
        "2 orders missing: 7–8, declared at the end of shift 310."
    ]


def test_a_close_that_waits_for_an_upload_or_for_what_is_no_number_says_so() -> None:
    assert said(signs=Signs(closing=1), gaps=[a_gap(lacks_upload=True)]) == [
        "An upload that was declared at the close of 18:02 has not arrived or is not read yet."
    ]
    assert said(signs=Signs(closing=2), gaps=[a_gap()]) == ["2 closed shifts with something missing."]


def test_a_silent_till_says_for_how_long_and_with_what() -> None:
    signs = Signs(open=1, silent_since=NOW - timedelta(minutes=42))
    assert said(signs=signs, open_shifts=OPEN) == [
        "Not heard from for 42 min, with shift 311 open.",
        "Shift 311 has been open for 5 h.",
    ]
    cached = Signs(cached=14, silent_since=NOW - timedelta(hours=3))
    assert said(signs=cached, heartbeat=a_beat(cached_orders=14, cached_total=12340)) == [
        "Not heard from for 3 h, with something still to send.",
        "14 orders, €123.40 still at the till, as it said at 18:02.",
    ]


def test_amounts_are_for_who_may_see_what_was_sold() -> None:
    beat = a_beat(cached_orders=14, cached_total=12340)
    (sentence,) = said(signs=Signs(cached=14), heartbeat=beat, reader=READER._replace(sees_money=False))
    assert sentence == "14 orders still at the till, as it said at 18:02."


def test_what_waits_for_a_person_and_what_is_on_its_way_have_their_numbers() -> None:
    signs = Signs(failed=1, conflicts=1, held=2, discrepant=1, waiting=3, oldest=NOW - timedelta(minutes=2))
    assert said(signs=signs) == [
        "1 upload could not be processed.",
        "1 order sent twice with different content.",
        "2 orders held.",
        "1 shift does not add up.",
        "3 uploads waiting, for 2 min.",
    ]


def test_who_has_told_us_everything_says_that_and_a_new_one_what_to_do() -> None:
    assert said() == ["Everything that it sold is here and settled."]
    assert said(activated=False) == ["Not activated yet: issue a code and type it into the till."]


@pytest.mark.parametrize(
    ("beat", "words"),
    [
        (a_beat(), ["Nothing in its cache"]),
        (
            a_beat(
                offline_mode=True,
                offline_since=CLOSED - timedelta(hours=1),
                cached_orders=12,
                cached_total=18450,
                oldest_cached_at=CLOSED - timedelta(minutes=30),
            ),
            ["Offline mode since 17:02", "12 orders, €184.50 in its cache", "the oldest of 17:32"],
        ),
        (a_beat(clock_skew_ms=-720_000), ["Nothing in its cache", "Clock 12 min slow"]),
    ],
)
def test_what_a_till_last_reported_is_said_as_it_reported_it(beat: Heartbeat, words: list[str]) -> None:
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in reported_words(beat, READER)] == words


def test_a_clock_is_right_fast_or_slow() -> None:
    clocks = [clock_in_words(a_beat(clock_skew_ms=skew)).replace("\N{NO-BREAK SPACE}", " ") for skew in (300, 95_000)]
    assert clocks == ["Clock right to the second", "Clock 1 min 35 s fast"]
