"""Length, size, media type and compression are checked before anything looks inside (protocol §9)."""

import gzip
import json
import tracemalloc
import zlib
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from backoffice.inbox.models import Batch
from pos_api import bodies
from tests.till import Till, a_sale, zipped

GZIP = {"Content-Encoding": "gzip"}
LIMITS = {
    "max_batch_orders": 2000,
    "max_batch_bytes": 4 * 1024**2,
    "max_decoded_bytes": 8 * 1024**2,
    "max_member_bytes": 256 * 1024,
}


class Wire(BytesIO):
    """What a client sends; counts how much of it was taken."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self.taken += len(chunk)
        return chunk


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def padded(size: int) -> bytes:
    """A batch of exactly so many bytes."""
    empty = b'{"orders":[]}'
    return empty + b" " * (size - len(empty))


def nothing_is_stored(till: Till) -> bool:
    return not Batch.objects.filter(terminal=till.terminal).exists()


# --- 411 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        {"CONTENT_LENGTH": "many"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "+7"},
        {"CONTENT_LENGTH": "\u0661\u0662"},
        {"CONTENT_LENGTH": "1e3"},
    ],
)
def test_a_body_that_does_not_say_how_long_it_is_is_411(till: Till, environ: dict[str, str]):
    answer = till.upload(a_sale(1001), environ=environ)
    assert (answer.status_code, code(answer)) == (411, "length-required")
    assert nothing_is_stored(till)


@pytest.mark.parametrize("path", ["shifts/{}", "shifts/{}/close"])
def test_every_message_must_say_how_long_it_is(till: Till, path: str):
    answer = till.send("PUT", path.format(till.shift_id), {}, environ={"HTTP_TRANSFER_ENCODING": "chunked"})
    assert (answer.status_code, code(answer)) == (411, "length-required")


def test_an_activation_must_say_how_long_it_is(till: Till):
    answer = till.send("POST", "activations", {}, environ={"CONTENT_LENGTH": ""})
    assert (answer.status_code, code(answer)) == (411, "length-required")


# --- 413 --------------------------------------------------------------------------------------------------------------


def test_a_declared_size_beyond_the_limit_is_413_before_it_is_read(till: Till):
    wire = Wire(b"x" * 8_000_000)
    answer = till.upload(environ={"CONTENT_LENGTH": str(8_000_000), "wsgi.input": wire})
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert answer.json()["limits"] == LIMITS
    assert wire.taken <= 256 * 1024
    assert nothing_is_stored(till)


def test_a_declared_size_of_a_terabyte_costs_nothing(till: Till):
    tracemalloc.start()
    answer = till.upload(environ={"CONTENT_LENGTH": str(10**12), "wsgi.input": Wire(b"{}")})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 4_000_000


def test_the_limit_itself_is_taken(till: Till):
    assert till.upload(raw=padded(LIMITS["max_batch_bytes"])).status_code == 202
    assert till.upload(raw=padded(LIMITS["max_batch_bytes"] + 1)).status_code == 413


def test_a_small_body_that_grows_beyond_the_cap_is_413_at_the_cap(till: Till, settings: Any):
    settings.MAX_DECODED_BYTES = 100_000
    answer = till.upload(raw=gzip.compress(padded(100_001)), **GZIP)
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert set(answer.json()["limits"]) == set(LIMITS)
    assert nothing_is_stored(till)
    assert till.upload(raw=gzip.compress(padded(100_000)), **GZIP).status_code == 202


def test_a_gzip_bomb_stops_at_the_cap_and_memory_stays_flat(till: Till):
    packer = zlib.compressobj(9, wbits=31)
    megabyte = bytes(1024**2)
    bomb = b"".join(packer.compress(megabyte) for _ in range(100)) + packer.flush()
    assert len(bomb) < LIMITS["max_batch_bytes"]
    tracemalloc.start()
    answer = till.upload(raw=bomb, **GZIP)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert peak < 3 * LIMITS["max_decoded_bytes"]
    assert nothing_is_stored(till)


def test_a_body_that_lies_about_its_length_is_400_and_never_longer_than_it_says(till: Till):
    packed = gzip.compress(padded(8_000_000))
    answer = till.upload(raw=packed[:-4] + (100).to_bytes(4, "little"), **GZIP)
    assert (answer.status_code, code(answer)) == (400, "body-malformed")
    assert nothing_is_stored(till)


# --- 503 --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was decoded."""
    seen: list[bytes] = []
    real = bodies._gunzip
    monkeypatch.setattr(bodies, "_gunzip", lambda sent, **how: seen.append(sent) or real(sent, **how))
    return seen


def test_a_large_body_that_finds_no_room_is_503_before_it_is_decoded(till: Till, decoding: list[bytes]):
    packed, batch_id = gzip.compress(padded(2_000_000)), str(uuid4())
    with bodies.decoded_bytes.hold(24 * 1024**2 - 1_999_999):
        answer = till.upload(raw=packed, batch_id=batch_id, **GZIP)
        assert (answer.status_code, code(answer)) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert decoding == []
        assert nothing_is_stored(till)
        assert till.upload(raw=padded(2_000_000)).status_code == 503
        assert till.sell(a_sale(1001))["outcomes"]["posted"] == 1
        assert till.upload(raw=gzip.compress(padded(1_000_000)), **GZIP).status_code == 202
    assert till.upload(raw=packed, batch_id=batch_id, **GZIP).status_code == 202


def test_one_terminal_does_not_fill_the_room_of_others(till: Till):
    other = Till()
    other.open()
    with bodies.decoded_bytes.hold(8_000_000, owner=till.terminal):
        assert till.upload(raw=padded(2_000_000)).status_code == 503
        assert other.upload(raw=padded(2_000_000)).status_code == 202


def test_whose_bodies_are_costly_waits_before_the_next_large_one(till: Till, decoding: list[bytes]):
    other, packed, batch_id = Till(), gzip.compress(padded(bodies.LIVE_ORDER + 1)), str(uuid4())
    other.open()
    bodies.costs.count(till.terminal, 2.0)
    answer = till.upload(raw=packed, batch_id=batch_id, **GZIP)
    assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 1
    assert decoding == []
    assert nothing_is_stored(till)
    assert till.sell(a_sale(1001))["outcomes"]["posted"] == 1
    assert other.upload(raw=packed, **GZIP).status_code == 202


def test_what_a_body_costs_is_counted(till: Till):
    """A million small objects, which take a second."""
    costly = b'{"orders":[],"x":[%b0]}' % (b'{"":0},' * 1_000_000)
    assert till.upload(raw=gzip.compress(costly), **GZIP).status_code == 202
    assert bodies.costs.remembered > 0
    bodies.costs.count(till.terminal, 1.0)
    assert till.upload(raw=gzip.compress(costly), **GZIP).status_code == 503


@pytest.mark.parametrize("raw", [padded(100), padded(3_000_000), b"no JSON", gzip.compress(b"{}")])
def test_whatever_becomes_of_a_body_its_room_is_given_back(till: Till, raw: bytes):
    for headers in ({}, GZIP):
        till.upload(raw=raw, **headers)
        till.send("PUT", "terminal/heartbeat", raw=raw, **headers)
    assert bodies.decoded_bytes.held == 0


@pytest.mark.parametrize("name", ["orders", "cash_movements"])
def test_too_many_members_are_413_with_the_limits(till: Till, settings: Any, name: str):
    settings.MAX_BATCH_ORDERS = 3
    answer = till.upload(raw=json.dumps({name: [None] * 4}).encode())
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert answer.json()["limits"]["max_batch_orders"] == 3
    assert nothing_is_stored(till)
    assert till.upload(raw=json.dumps({name: [None] * 3}).encode()).status_code == 202


def test_more_than_two_thousand_orders_are_413(till: Till):
    answer = till.upload(*[None] * 2001)
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert answer.json()["limits"] == LIMITS


def test_a_batch_that_was_too_large_goes_in_pieces_under_new_identifiers(till: Till, settings: Any):
    settings.MAX_BATCH_ORDERS = 2
    orders = [a_sale(1001 + index) for index in range(4)]
    assert till.upload(*orders).status_code == 413
    assert till.sell(*orders[:2])["outcomes"]["posted"] == 2
    assert till.sell(*orders[2:])["outcomes"]["posted"] == 2


@pytest.mark.parametrize("packed", [False, True], ids=["as sent", "after gzip"])
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "shifts/{}"), ("POST", "activations"), ("PUT", "terminal/heartbeat")]
)
def test_other_messages_have_a_size_of_their_own_and_are_told_it(till: Till, method: str, path: str, packed: bool):
    def send(size: int) -> Any:
        raw = padded(size)
        how: dict[str, Any] = {"raw": gzip.compress(raw), **GZIP} if packed else {"raw": raw}
        return till.send(method, path.format(uuid4()), **how)

    assert code(send(64 * 1024)) == "envelope-invalid"
    answer = send(64 * 1024 + 1)
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert answer.json()["limits"] == LIMITS | {"max_message_bytes": 64 * 1024}


def test_a_close_has_the_size_of_a_batch(till: Till):
    path = f"shifts/{till.shift_id}/close"
    assert code(till.send("PUT", path, raw=padded(LIMITS["max_batch_bytes"]))) == "envelope-invalid"
    answer = till.send("PUT", path, raw=padded(LIMITS["max_batch_bytes"] + 1))
    assert (answer.status_code, answer.json()["limits"]) == (413, LIMITS)


# --- 415 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "media",
    ["", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "json", "*/*"],
)
def test_another_media_type_is_415(till: Till, media: str):
    answer = till.upload(a_sale(1001), **{"Content-Type": media})
    assert (answer.status_code, code(answer)) == (415, "media-type")
    assert nothing_is_stored(till)


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", " application/json "])
def test_json_may_be_spelled_in_any_way(till: Till, media: str):
    assert till.upload(a_sale(1001), **{"Content-Type": media}).status_code == 202


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "x"])
def test_another_content_encoding_is_415(till: Till, encoding: str):
    answer = till.upload(raw=zipped({}), **{"Content-Encoding": encoding})
    assert (answer.status_code, code(answer)) == (415, "media-type")
    assert nothing_is_stored(till)


# --- 400 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 10, 400])
def test_a_truncated_upload_is_400_and_stores_nothing(till: Till, cut: int):
    batch_id = uuid4()
    whole = json.dumps({"orders": [a_sale(1001)]}).encode()
    environ = {"CONTENT_LENGTH": str(len(whole)), "wsgi.input": Wire(whole[:-cut])}
    answer = till.upload(batch_id=batch_id, environ=environ)
    assert (answer.status_code, code(answer)) == (400, "body-malformed")
    assert nothing_is_stored(till)
    assert till.upload(raw=whole, batch_id=batch_id).status_code == 202


def test_a_body_that_arrives_in_small_pieces_is_whole(till: Till):
    class Trickle(Wire):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 100))

    whole = json.dumps({"orders": [a_sale(1001)]}).encode()
    answer = till.upload(environ={"CONTENT_LENGTH": str(len(whole)), "wsgi.input": Trickle(whole)})
    assert (answer.status_code, answer.json()["orders"]) == (202, 1)


GOOD = zipped({"orders": []})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"\x1f\x8b",
        GOOD[:-1],
        GOOD[:-8],
        GOOD[: len(GOOD) // 2],
        GOOD + b"x",
        GOOD + b"\0" * 8,
        GOOD + GOOD,
        GOOD[:-8] + bytes(4) + GOOD[-4:],
        GOOD[:10] + b"\xff\xff" + GOOD[12:],
        zlib.compress(b"{}"),
    ],
    ids=[
        "nothing",
        "not gzip",
        "two bytes",
        "one byte short",
        "no trailer",
        "half",
        "a byte behind",
        "zeros behind",
        "two members",
        "wrong checksum",
        "broken block",
        "zlib",
    ],
)
def test_bad_gzip_is_400_and_stores_nothing(till: Till, raw: bytes):
    answer = till.upload(raw=raw, **GZIP)
    assert (answer.status_code, code(answer)) == (400, "body-malformed")
    assert nothing_is_stored(till)


def test_gzip_that_is_not_declared_is_no_json(till: Till):
    answer = till.upload(raw=GOOD)
    assert (answer.status_code, code(answer)) == (400, "body-malformed")


def test_a_gzipped_message_that_is_no_batch_is_read_too(till: Till):
    till.close()
    opening = {"number": 1, "opened_at": "2026-03-02T08:00:00+01:00", "opening_float": 0, "first_number": 1}
    assert till.send("PUT", f"shifts/{uuid4()}", raw=zipped(opening), **GZIP).status_code == 201
