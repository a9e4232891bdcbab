"""What terminals may send and people must be able to look at: the fuzzers' orders, and openings and closes that are odd."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.messages import read_close_shift, read_open_shift
from tests import fuzz
from tests.fuzz.mutations import mutate
from tests.integration.openapi.test_fields import ABSENT, VALUES
from tests.till import Till, a_movement, a_sale

CORPUS = sorted((Path(fuzz.__file__).parent / "corpus").glob("*.json"))
ODD_VALUES = [value for value in VALUES if value is not ABSENT]
MARKUP = '<i class="of-a-till">&amp;"\''
FAR = "9999-12-31T23:59:59-23:59"
NEAR = "0001-01-01T00:00:00+23:59"
DIGITS = "9" * 5000
METHODS = ("bitcoin", "", " ", "cash.card", MARKUP, "\u202egnp.exe", "é" * 64, "CASH", "payments.cash", "0")


def fuzzed_bodies(*, of_each: int, seed: int) -> Iterator[bytes]:
    """Every batch of the fuzzers' corpus, and what becomes of it by mutation."""
    rng = Random(seed)
    for path in CORPUS:
        body = path.read_bytes()
        yield body
        for _ in range(of_each):
            yield mutate(body, rng)


def versions(number: int) -> list[str]:
    """One order and others that contradict it, as JSON: each says something else where the page compares."""
    sale = a_sale(number, note=MARKUP, cashier=MARKUP)
    changes: list[dict[str, Any]] = [
        {},
        {"note": "\ud800"},
        {"x": "\udfff", "y\ud83d": [1], MARKUP: MARKUP},
        {"closed_at": FAR, "opened_at": NEAR},
        {"x": {"closed_at": NEAR, "occurred_at": FAR, "opened_at": "0001-01-01T00:00:00"}},
        {"x": {DIGITS: {"0": 1}, "٣": "٤", "0": [[[1]]]}},
        {"x": {"total": 10**40, "amount": -(10**15), "price": 1e300}},
        {"x": [[[[[[[[[[[[[[[]]]]]]]]]]]]]]]},
        {"x": list(range(3000)), "z": {f"k{place}": "v" * 300 for place in range(600)}},
        {"x" * 10_000: "y" * 100_000},
        {"customer": {"name": MARKUP, "\u0000": "\u0000"}},
        {"type": [], "lines": {}, "payments": None, "total": True},
    ]
    # A field that nobody knows makes no other version, so each has a note of its own.
    spelled = [json.dumps(sale | {"note": f"{place}"} | change) for place, change in enumerate(changes)]
    # Python writes no integer of 5 000 digits; a terminal may.
    long = [json.dumps(sale | {"note": name})[:-1] for name in ("digits", "exponents")]
    return [*spelled, long[0] + f', "x": {DIGITS}}}', long[1] + f', "x": [-{DIGITS}, 1e999]}}']


def send_fuzzed(till: Till, *, of_each: int, seed: int) -> None:
    """Batches of the fuzzers, as many as the door takes."""
    taken = [till.upload(raw=body).status_code for body in fuzzed_bodies(of_each=of_each, seed=seed)]
    assert taken.count(202) > len(taken) / 3, taken


def send_versions(till: Till, number: int) -> None:
    """An order and all that contradicts it, each in a batch of its own, and a movement with its contradiction."""
    for spelled in versions(number):
        assert till.upload(raw=b'{"orders": [%s]}' % spelled.encode()).status_code == 202
    movement = a_movement(reason=MARKUP, cashier=MARKUP)
    for change in ({}, {"amount": -1}, {"occurred_at": FAR}, {"kind": "\ud800"}, {"amount": 10**30}):
        assert till.upload(movements=[movement | change]).status_code == 202


def odd_openings() -> Iterator[dict[str, Any]]:
    """Openings that the protocol takes, each with one field as odd as it may be."""
    opening = {
        "number": 311,
        "opened_at": "2026-03-01T08:00:00+01:00",
        "closed_at": "2026-03-01T20:00:00+01:00",
        "cashier": MARKUP,
        "opening_float": 20000,
        "first_number": 1001,
    }
    for field in opening:
        for value in ODD_VALUES:
            message = opening | {field: value}
            try:
                read_open_shift(json.dumps(message).encode())
            except EnvelopeInvalid:
                continue
            yield message


def odd_closes() -> Iterator[dict[str, Any]]:
    """Closes that the protocol takes, each with one field as odd as it may be."""
    totals = {"sales": 0, "refunds": 0, "tax": 0, "tips": 0, "rounding": 0, "payments": {}}
    close = {
        "closed_at": "2026-03-01T20:00:00+01:00",
        "batches": [],
        "order_count": 0,
        "first_number": 1001,
        "last_number": 1000,
        "cash_counted": 20000,
        "totals": totals,
    }
    for method in METHODS:
        yield close | {"totals": totals | {"payments": {method: 10**12, "cash": -(10**12)}}}
    yield close | {"totals": totals | {"payments": {f"{place:02}{MARKUP}" + "m" * 30: place for place in range(64)}}}
    yield close | {"batches": [str(uuid4()) for _ in range(500)]}
    yield close | {"first_number": 1, "last_number": 2**53 - 1}
    for field in close:
        for value in ODD_VALUES:
            message = close | {field: value}
            try:
                read_close_shift(json.dumps(message).encode())
            except EnvelopeInvalid:
                continue
            yield message


def send_odd_shifts(till: Till) -> None:
    """Shifts of every odd opening, closed in every odd way; those left over stay open."""
    closes = list(odd_closes())
    openings = list(odd_openings())
    plain = openings[0] | {"closed_at": "2026-03-01T20:00:00+01:00"}
    for place in range(max(len(openings), len(closes))):
        opening = openings[place] if place < len(openings) else plain
        assert till.open(**opening).status_code == 201, opening
        if place < len(closes):
            answer = till.send("PUT", f"shifts/{till.shift_id}/close", closes[place])
            assert answer.status_code in {200, 202}, (closes[place], answer.content)
