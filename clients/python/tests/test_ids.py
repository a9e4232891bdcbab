import time
from uuid import UUID

from backoffice_terminal.ids import mint, uuid7


def test_an_identifier_is_a_version_7_uuid_of_now() -> None:
    before = time.time_ns() // 1_000_000
    minted = UUID(mint())
    assert (minted.version, minted.variant) == (7, "specified in RFC 4122")
    assert before <= minted.int >> 80 <= time.time_ns() // 1_000_000


def test_later_identifiers_sort_after_earlier_ones() -> None:
    assert str(uuid7(1_700_000_000_000)) < str(uuid7(1_700_000_000_001))


def test_no_two_of_one_millisecond_are_alike() -> None:
    assert len({uuid7(1_700_000_000_000) for _ in range(10_000)}) == 10_000
