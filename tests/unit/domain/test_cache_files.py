"""A cache file is what its terminal signed, or it is refused in words."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from backoffice_terminal.cache_file import signed

from backoffice.domain import cache_files
from backoffice.domain.cache_files import CacheFileRefused, cache_key, check_cache_file, read_cache

TERMINAL = "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e"
TOKEN = "XtDuwEv94lhf-iPDWSWhKU9OjpWd7kOHe6N4RACHKIw"
SHIFT = {"shift_id": "c42ed0ef-6994-47e9-92cf-cf07726376a7", "opening": "{}"}
CONTENT: dict[str, Any] = {
    "terminal_id": TERMINAL,
    "store_id": "8bc5fd14-ee30-40cd-9291-34f36ddacaa9",
    "books": None,
    "saved_at": "2026-03-01T19:00:00+01:00",
    "shifts": [SHIFT],
}
VECTOR = json.loads((Path(__file__).parents[3] / "docs" / "vectors" / "cache-file.json").read_text())


def file_of(**changes: Any) -> bytes:
    return signed(json.dumps(CONTENT | changes).encode(), terminal_id=TERMINAL, token=TOKEN)


def code_of(file: bytes) -> str:
    with pytest.raises(CacheFileRefused) as refusal:
        read_cache(check_cache_file(file))
    return refusal.value.code


def test_what_a_terminal_signed_is_read() -> None:
    signed_cache = check_cache_file(file_of())
    content = read_cache(signed_cache)
    assert (str(signed_cache.terminal_id), signed_cache.key) == (TERMINAL, cache_key(TOKEN))
    assert content.shifts[0].opening == "{}"


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert read_cache(check_cache_file(file_of(app_version="9", shifts=[SHIFT | {"new": [1]}]))).shifts


def test_every_bit_counts() -> None:
    file = file_of()
    for place in range(len(file)):
        code_of(file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :])


def test_wherever_it_is_cut_off_it_is_refused() -> None:
    file = file_of()
    assert {code_of(file[:length]) for length in range(len(file))} == {
        "not-a-cache-file",
        "unknown-version",
        "wrong-signature",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"terminal_id": "8bc5fd14-ee30-40cd-9291-34f36ddacaa9"},
        {"terminal_id": None},
        {"saved_at": "2026-03-01T19:00:00"},
        {"saved_at": "yesterday"},
        {"shifts": {}},
        {"shifts": [SHIFT] * 1001},
        {"shifts": [{"shift_id": SHIFT["shift_id"]}]},
        {"shifts": [SHIFT | {"batches": [{"batch_id": "1", "body": "{}"}]}]},
        {"shifts": [SHIFT | {"close": {}}]},
        {"books": 1},
    ],
)
def test_what_is_signed_and_is_no_cache_is_unreadable(changes: dict[str, Any]) -> None:
    assert code_of(file_of(**changes)) == "unreadable"


def test_depth_is_no_crash() -> None:
    deep = b'{"new": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert code_of(signed(deep, terminal_id=TERMINAL, token=TOKEN)) == "unreadable"


def test_a_bomb_is_not_unpacked_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 1_000_000
    monkeypatch.setattr(cache_files, "MAX_UNPACKED_BYTES", limit)
    bomb = signed(bytes(10 * limit), terminal_id=TERMINAL, token=TOKEN)
    tracemalloc.start()
    try:
        assert code_of(bomb) == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 3 * limit
    finally:
        tracemalloc.stop()


def test_the_vector_is_what_both_sides_make_and_read() -> None:
    content, file = VECTOR["content"].encode(), bytes.fromhex(VECTOR["file"])
    head, _, packed = file.partition(b"\n")
    assert cache_key(VECTOR["token"]).hex() == VECTOR["public_key"]
    assert head.decode() == VECTOR["first_line"]
    assert gzip.decompress(packed) == content
    assert read_cache(check_cache_file(file)).shifts[0].batches[0].body == VECTOR["body"]
    ours = check_cache_file(signed(content, terminal_id=VECTOR["terminal_id"], token=VECTOR["token"]))
    assert gzip.decompress(ours.packed) == content
