"""Leaves: these encodings hold for ever, since what is sealed today must be checked in ten years."""

import struct
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from backoffice.domain.evidence.leaves import (
    BATCH,
    DAY,
    ENTRY,
    BatchFacts,
    EntryFacts,
    LineFacts,
    batch_values,
    day_texts,
    encode,
    entry_values,
    leaf_texts,
    moment_text,
)
from backoffice.domain.evidence.merkle import leaf_hash

STORE = "5f0c4f0e-6a52-4a6e-9b6c-0d6a3a2f7c11"
TERMINAL = "0b9b5c2e-55d1-4f0c-8a43-3c1f6a7d2e90"
SHIFT = "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01"
ORDER = "0195518c-1111-7222-8333-444455556666"
DAY_SOLD = date(2026, 3, 1)
LINES = [
    LineFacts(0, DAY_SOLD, STORE, "1000", TERMINAL, "", 240, 0, "EUR"),
    LineFacts(1, DAY_SOLD, STORE, "4000", None, "", 0, 227, "EUR"),
    LineFacts(2, DAY_SOLD, STORE, "2100", None, "FR-5.5", 0, 13, "EUR"),
]
SALE = EntryFacts(DAY_SOLD, TERMINAL, SHIFT, "order", ORDER, 0, "EUR", datetime(2026, 3, 1, 9, 1, tzinfo=UTC), LINES)
UPLOAD = BatchFacts(
    "0195518c-51e8-72f4-9a86-e1d3b7f05c02",
    TERMINAL,
    SHIFT,
    datetime(2026, 3, 1, 17, 2, 0, 600, tzinfo=UTC),
    1234,
    5,
    0,
    bytes(range(32)),
)


def by_hand(texts: list[str]) -> bytes:
    return b"".join(struct.pack(">I", len(text.encode())) + text.encode() for text in texts)


def test_a_sale_is_these_texts() -> None:
    texts = leaf_texts(ENTRY, store=STORE, number=7, values=entry_values(SALE))
    assert texts == [
        *(
            "entry/1",
            STORE,
            "7",
            "2026-03-01",
            TERMINAL,
            SHIFT,
            "order",
            ORDER,
            "0",
            "EUR",
            "2026-03-01T09:01:00.000000Z",
        ),
        "3",
        *("0", "2026-03-01", STORE, "1000", TERMINAL, "", "240", "0", "EUR"),
        *("1", "2026-03-01", STORE, "4000", "", "", "0", "227", "EUR"),
        *("2", "2026-03-01", STORE, "2100", "", "FR-5.5", "0", "13", "EUR"),
    ]
    assert encode(texts) == by_hand(texts)


def test_a_batch_is_these_texts() -> None:
    texts = leaf_texts(BATCH, store=STORE, number=1, values=batch_values(UPLOAD))
    digest = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    assert texts == [
        *(
            "batch/1",
            STORE,
            "1",
            UPLOAD.batch,
            TERMINAL,
            SHIFT,
            "2026-03-01T17:02:00.000600Z",
            "1234",
            "5",
            "0",
            digest,
        ),
    ]


@pytest.mark.parametrize(
    ("texts", "golden"),
    [
        (
            leaf_texts(ENTRY, store=STORE, number=7, values=entry_values(SALE)),
            "d28405452702f33efc02765065b6e194bfbfbd01e7ad9a8cd875dc4caeee83f8",
        ),
        (
            leaf_texts(BATCH, store=STORE, number=1, values=batch_values(UPLOAD)),
            "aa0232dba833cdc98940766351b8de4863fa3daea5d246e131833cd9683bf6b2",
        ),
        (
            day_texts(store=STORE, day=date(2026, 3, 2), size=8, root=bytes(32)),
            "9c16e76db40b4ce00fa4714c319320c29e07134fe6ad255cddef3209cbf244c5",
        ),
    ],
    ids=[ENTRY.tag, BATCH.tag, DAY.tag],
)
def test_the_hash_of_a_leaf_never_changes(texts: list[str], golden: str) -> None:
    assert leaf_hash(encode(texts)).hex() == golden


def test_what_moves_between_texts_changes_the_leaf() -> None:
    assert len({encode(texts) for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"])}) == 5


def test_a_length_counts_bytes_and_not_letters() -> None:
    assert encode(["é"]) == b"\x00\x00\x00\x02\xc3\xa9"


def test_a_moment_is_the_same_wherever_it_is_read() -> None:
    paris = timezone(timedelta(hours=1))
    assert moment_text(datetime(2026, 3, 1, 10, 1, tzinfo=paris)) == "2026-03-01T09:01:00.000000Z"


def test_an_entry_of_no_terminal_has_empty_texts() -> None:
    values = entry_values(SALE._replace(terminal=None, shift=None))
    assert values[1:3] == ["", ""]
