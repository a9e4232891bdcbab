"""Single messages, and the rule that each of them breaks; what the kit itself is made of."""

import ast
import copy
import gzip
import json
import uuid
from pathlib import Path

import pytest

from backoffice.workbench.conformance import rules
from tests.integration.conformance.naive_till import Json, NaiveTill, now, order

PACKAGE = Path(rules.__file__).parent

WRONG_ORDERS: dict[str, tuple[Json, str]] = {
    "an amount as a text": ({"total": "240"}, "money"),
    "an amount as a float": ({"rounding": 0.0}, "money"),
    "a quantity as a number": ({"lines": [{"quantity": 2, "unit_price": 120, "amount": 240}]}, "decimals"),
    "a rate as a number": (
        {"lines": [{"quantity": "2", "unit_price": 120, "amount": 240, "taxes": [{"code": "A", "rate": 0.1, "amount": 1}]}]},
        "decimals",
    ),
    "a time without an offset": ({"closed_at": "2026-03-01T10:00:00"}, "times"),
    "a second of sixty": ({"closed_at": "2026-03-01T10:00:60Z"}, "times"),
    "an identifier in braces": ({"order_id": "{0195518c-1f5e-7d3a-9c55-5b1f6a0c2e11}"}, "uuids"),
    "a mode of its own": ({"mode": "airplane"}, "orders-readable"),
    "a null where there must be none": ({"note": None}, "orders-readable"),
    "a total that does not add up": ({"total": 241}, "sums"),
    "a line that does not add up": (
        {"lines": [{"quantity": "2", "unit_price": 100, "amount": 240}]}, "lines",
    ),
    "a method nobody knows": ({"payments": [{"method": "barter", "amount": 250}]}, "bounds"),
    "a note too long": ({"note": "x" * 501}, "bounds"),
    "an order before its shift": ({"closed_at": "2020-01-01T00:00:00Z"}, "hours"),
    "a customer offline": ({"mode": "offline", "customer": {"name": "Leroy"}}, "offline-customer"),
    "the network's printer offline": ({"mode": "offline", "printed_to": "network"}, "offline-network"),
}  # fmt: skip


@pytest.fixture
def till() -> NaiveTill:
    """Activated, with an open shift."""
    till = NaiveTill()
    till.activate(till.office.floor.credentials.codes[0])
    till.open_shift()
    return till


def broken(till: NaiveTill) -> list[str]:
    """What is broken so far, without what only the end shows."""
    return [result.code for result in till.office.floor.notes.results() if result.verdict == "broken"]


def put_batch(till: NaiveTill, body: bytes, **headers: str) -> int:
    answer, _ = till.call("PUT", f"shifts/{till.shift}/batches/{uuid.uuid4()}", body, **headers)
    return 0 if answer is None else answer.status


@pytest.mark.parametrize(("change", "rule"), WRONG_ORDERS.values(), ids=WRONG_ORDERS)
def test_a_wrong_value_breaks_the_rule_about_it(till: NaiveTill, change: Json, rule: str) -> None:
    till.office.floor.mischief.has_struck = True  # so that the till may be offline
    put_batch(till, json.dumps({"orders": [order(1, "online") | change]}).encode())
    assert broken(till) == [rule]


BODY = json.dumps({"orders": [order(1, "online")]}).encode()
FRAMES: dict[str, tuple[bytes, Json, str, int]] = {
    "not JSON": (BODY[:-1], {}, "framing", 400),
    "a byte order mark": (b"\xef\xbb\xbf" + BODY, {}, "framing", 400),
    "another type": (BODY, {"content-type": "text/plain"}, "framing", 415),
    "no length": (BODY, {"content-length": ""}, "framing", 411),
    "orders that are no list": (b'{"orders": {}}', {}, "framing", 422),
    "a bare order": (json.dumps(order(1, "online")).encode(), {}, "framing", 422),
    "an order in no list": (json.dumps({"order": order(1, "online")}).encode(), {}, "framing", 422),
    "a digest of something else": (BODY, {"content-digest": "sha-256=:AAAA:"}, "digest", 400),
    "no gzip": (BODY, {"content-encoding": "gzip"}, "gzip", 400),
    "half a gzip": (gzip.compress(BODY)[:-4], {"content-encoding": "gzip"}, "gzip", 400),
}


@pytest.mark.parametrize(("body", "headers", "rule", "status"), FRAMES.values(), ids=FRAMES)
def test_a_wrong_frame_breaks_the_rule_about_it(
    till: NaiveTill, body: bytes, headers: Json, rule: str, status: int
) -> None:
    assert put_batch(till, body, **headers) == status
    assert broken(till) == [rule]


def test_an_order_with_another_content_is_told(till: NaiveTill) -> None:
    first = order(1, "online")
    put_batch(till, json.dumps({"orders": [first]}).encode())
    put_batch(till, json.dumps({"orders": [first | {"note": "changed"}]}).encode())
    assert broken(till) == ["order-unchanged"]


def test_a_number_used_twice_is_told(till: NaiveTill) -> None:
    for _ in range(2):
        put_batch(till, json.dumps({"orders": [order(1, "online")]}).encode())
    assert broken(till) == ["number-once"]


def test_a_live_order_may_come_back_as_offline_in_another_batch(till: NaiveTill) -> None:
    sold = [order(number, "online") for number in range(1, 13)]
    for one in sold:
        put_batch(till, json.dumps({"orders": [one]}).encode())
        till.clock.sleep(60)
    again = [copy.copy(one) | {"mode": "offline"} for one in sold]
    for one in again:
        put_batch(till, json.dumps({"orders": [one]}).encode())
    assert broken(till) == []


def test_a_request_without_a_token_is_told(till: NaiveTill) -> None:
    till.token = ""
    answer, _ = till.call("GET", "terminal")
    assert answer is not None
    assert answer.status == 401
    assert broken(till) == ["bearer"]


def test_a_heartbeat_without_its_fields_is_told(till: NaiveTill) -> None:
    till.call("PUT", "terminal/heartbeat", json.dumps({"sent_at": now()}).encode())
    assert broken(till) == ["heartbeat"]


@pytest.mark.parametrize("told", [{"cached_orders": 3}, {"cached_orders": 0}, {"cached_orders": 3, "last_number": 3}])
def test_what_may_be_null_in_a_heartbeat_says_nothing_when_it_is(till: NaiveTill, told: Json) -> None:
    nulls = {"oldest_cached_at": None, "last_number": None, "shift_id": None}
    beat = {"sent_at": now(), "offline_mode": True, "cached_total": 0, **nulls, **told}
    till.call("PUT", "terminal/heartbeat", json.dumps(beat).encode())
    assert broken(till) == []


def test_a_heartbeat_that_knows_how_old_nothing_is_is_told(till: NaiveTill) -> None:
    beat = {"sent_at": now(), "offline_mode": False, "cached_orders": 0, "cached_total": 0, "oldest_cached_at": now()}
    till.call("PUT", "terminal/heartbeat", json.dumps(beat).encode())
    assert broken(till) == ["heartbeat-true"]


def test_a_close_of_a_shift_that_was_never_opened_is_told(till: NaiveTill) -> None:
    till.close_shift()
    till.call("PUT", f"shifts/{uuid.uuid4()}/close", json.dumps(till.closes[till.shift]).encode())
    assert broken(till) == ["close-after-open"]


def test_the_second_code_is_no_good_before_the_first_was_revoked(till: NaiveTill) -> None:
    with pytest.raises(KeyError):
        till.activate(till.office.floor.credentials.codes[1])


def test_every_rule_that_the_code_names_exists_and_each_is_named() -> None:
    named = {
        node.value
        for path in PACKAGE.glob("*.py")
        if path.name != "rules.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(rules.RULES) - set(rules.PLACES.values()) <= named
    assert set(rules.PLACES.values()) <= set(rules.RULES)


def test_the_kit_knows_the_domain_and_nothing_else_of_the_service() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith(("django", "pos_api", "rest_framework")), path.name
                ours = name.startswith("backoffice")
                assert not ours or name.startswith(("backoffice.domain", "backoffice.workbench.conformance")), path.name
