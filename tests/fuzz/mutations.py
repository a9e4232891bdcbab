"""Bodies made of other bodies: bytes changed at random, and JSON changed where it hurts. The same seed, the same body."""

import json
from random import Random
from typing import Any

from tests.fuzz.spelling import Number, parse, spell

HURTFUL: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        "",
        "\x00",
        "\ud800",
        "a\udfffb",
        "１２",
        "=1+1",
        "é" * 70,
        "x" * 501,
        [],
        {},
        [[]],
        {"": None},
    ),
    *(
        Number(text)
        for text in ("0", "-0", "1.0", "1e400", "-1e400", "1E2", "0.1", "1e-400", "9" * 400, "-" + "9" * 5000)
    ),
    *(Number(str(number)) for number in (-1, 1, 2**31, 2**53, 2**63, -(2**63) - 1, 10**12, 10**12 + 1, -(10**12))),
    *("0", "-1", "1.23456", "1000000000000", "9999999999999", "0.000001", "1e3", "paid", "voided", "refund", "sale"),
    *("discount", "gift_card", "percent", "compound", "fixed"),
    *("2000-01-01T00:00:00+14:00", "2099-12-31T23:59:59-12:00", "1999-12-31T23:59:59Z", "9999-12-31T23:59:60Z"),
    *(
        "00000000-0000-0000-0000-000000000000",
        "0195518B-9BD2-7C05-8A47-0D9E6F21B301",
        "0195518b9bd27c058a470d9e6f21b301",
    ),
    *("4111 1111 1111 1111", "x4111-1111-1111-1111", "4006381333931", "5555555555554444" * 2, "\\u0034111111111111111"),
)
NAMES = (
    "note",
    "name",
    "customer",
    "cvv",
    "pan",
    "track2",
    "payments",
    "sku",
    "order_id",
    "refund_of",
    "adjusts",
    "kind",
    "carried_over",
    "float_left",
    "number",
    "\x00",
    "\ud83d",
    "x",
)
BYTES = (
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-Infinity",
    b"[" * 33,
    b'"',
    b"}",
    b",",
    b"\n",
)


def mutate(body: bytes, rng: Random) -> bytes:
    """One to four changes, most often to the JSON value, so that most of what comes out still is JSON."""
    change = _mutate_bytes if rng.random() < 0.1 else _mutate_value
    for _ in range(rng.randint(1, 4)):
        body = change(body, rng)
    return body


def is_json(body: bytes) -> bool:
    """Whether there is a value to change in the body."""
    try:
        parse(body)
    except (ValueError, RecursionError):
        return False
    return True


def _mutate_bytes(body: bytes, rng: Random) -> bytes:
    at = rng.randint(0, len(body))
    match rng.randrange(4):
        case 0:
            return body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
        case 1:
            return body[:at] + rng.choice(BYTES) + body[at:]
        case 2:
            return body[:at] + body[at + rng.randint(1, 8) :]
    start = rng.randint(0, len(body))
    return body[:at] + body[start : start + rng.randint(1, 64)] + body[at:]


def _mutate_value(body: bytes, rng: Random) -> bytes:
    if not is_json(body):
        return _mutate_bytes(body, rng)
    value = parse(body)
    places = list(_places(value))
    if not places:
        return spell(rng.choice(HURTFUL), rng)
    holder, key = rng.choice(places)
    _change(holder, key, rng)
    return spell(value, rng)


def _places(value: Any) -> Any:
    """Every object and array with each of its keys or indexes."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _change(holder: Any, key: Any, rng: Random) -> None:
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.append(holder[key])
        case 1 | 2 if isinstance(holder, dict):
            holder[rng.choice(NAMES)] = rng.choice(HURTFUL)
        case 3 if isinstance(holder, dict):
            holder[rng.choice(NAMES)] = holder.pop(key)
        case 4 if type(holder[key]) is Number:
            digits = json.loads(str(holder[key]), parse_float=lambda _: 7, parse_int=lambda text: int(text[:30]))
            holder[key] = Number(str(digits + rng.choice((-1, 1, 10, -digits))))
        case _:
            holder[key] = rng.choice(HURTFUL)
