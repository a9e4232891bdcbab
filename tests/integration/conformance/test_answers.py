"""What the kit answers is what the service would: every field of every answer, and every problem in the same words."""

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from backoffice.domain.scalars import read_scalar
from backoffice.domain.wire import answers
from backoffice.workbench.conformance.problems import PROBLEMS, TYPE_PREFIX
from backoffice.workbench.conformance.traffic import Answer
from pos_api import problems as service
from pos_api.limits import MAX_SMALL_BODY
from tests.integration.conformance.naive_till import Json, NaiveTill, now, order

KINDS: dict[str, Any] = {
    "POST activations": answers.Activated,
    "POST terminal/token": answers.TokenAnswer,
    "GET terminal": answers.TerminalAnswer,
    "PUT terminal/heartbeat": answers.HeartbeatTaken,
    "GET store/orders": answers.StoreOrdersAnswer,
}


class Witness(NaiveTill):
    """Holds every answer against the type that the service's description is made from."""

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[Answer | None, Json]:
        answer, told = super().call(method, path, body, **headers)
        if answer is not None:
            kind = service.ProblemAnswer if answer.status >= 400 else kind_of(method, path.partition("?")[0])
            msgspec.convert(told, kind, dec_hook=read_scalar)
            assert told.keys() <= {field.name for field in msgspec.structs.fields(kind)}, path
        return answer, told


def kind_of(method: str, path: str) -> Any:
    parts = path.split("/")
    if path.startswith("store/orders/"):
        return answers.OrderInBooks
    if "batches" in parts:
        return answers.Receipt
    return answers.ShiftAnswer if parts[0] == "shifts" else KINDS[f"{method} {path}"]


@pytest.fixture
def till() -> Witness:
    """Activated, with an open shift."""
    till = Witness()
    till.activate(till.office.floor.credentials.codes[0])
    till.open_shift()
    return till


def put(till: Witness, path: str, message: object) -> Json:
    _, told = till.call("PUT", path, json.dumps(message).encode())
    return told


def test_every_answer_of_a_whole_run_has_the_fields_of_the_service() -> None:
    till = Witness()
    till.work()
    assert till.office.report().passed


def test_the_problems_are_those_of_the_service_in_its_words() -> None:
    assert {code: (status, title) for code, (status, title, _) in PROBLEMS.items()} == dict(service.TITLES)
    assert TYPE_PREFIX == service.TYPE_PREFIX


def test_every_fault_of_a_message_is_named_with_its_place(till: Witness) -> None:
    told = put(till, f"shifts/{uuid.uuid4()}", {"number": "2", "opened_at": "2026-03-01T08:00:00", "first_number": 2})
    assert told["instance"].startswith("/api/v1/shifts/")
    assert [(place["pointer"], place["code"]) for place in told["errors"]] == [
        ("/number", "invalid"), ("/opened_at", "invalid"), ("/opening_float", "missing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "terminal", "GET"),
        ("GET", "terminal/token", "POST"),
        ("PUT", "store/orders/by-number", "GET"),
        ("PUT", f"store/orders/{uuid.uuid4()}", "GET"),
        ("PUT", f"batches/{uuid.uuid4()}", "GET"),
        ("GET", f"shifts/{uuid.uuid4()}/close", "PUT"),
        ("POST", f"shifts/{uuid.uuid4()}/batches/{uuid.uuid4()}", "PUT"),
        ("DELETE", f"shifts/{uuid.uuid4()}", "GET, PUT"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(till: Witness, method: str, path: str, allowed: str) -> None:
    answer, _ = till.call(method, path)
    assert answer is not None
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["as sent", "after decoding"])
def test_a_small_message_that_is_large_is_refused_with_its_limit(till: Witness, pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps({"cashier": "A" * MAX_SMALL_BODY}).encode())
    encoding = {} if pack is bytes else {"content-encoding": "gzip"}
    answer, told = till.call("PUT", f"shifts/{uuid.uuid4()}", body, **encoding)
    assert answer is not None
    assert (answer.status, told["limits"]["max_message_bytes"]) == (413, MAX_SMALL_BODY)


def test_what_stands_is_told_to_whoever_closes_otherwise(till: Witness) -> None:
    till.sell_live()
    till.close_shift()
    close = till.closes[till.shift]
    told = put(till, f"shifts/{till.shift}/close", close | {"cash_counted": 7})
    assert told["declared"]["cash_counted"] == close["cash_counted"]
    assert told["declared"]["batch_count"] == len(close["batches"])


def settle(till: Witness, **changes: object) -> Json:
    """Closes the shift with a declaration changed in this way; the shift as it is when what was lost has come again."""
    till.close_shift(**changes)
    till.look_after()
    return till.insist("GET", f"shifts/{till.shift}")[1]


def test_a_blind_close_differs_by_the_count(till: Witness) -> None:
    till.sell_live()
    told = settle(till, cash_counted=None)
    assert told["state"] == "discrepant"
    assert [difference["what"] for difference in told["differences"]] == ["cash.count"]
    assert told["z_number"] == 1


def test_a_float_that_is_not_there_flags_the_next_shift(till: Witness) -> None:
    till.sell_live()
    assert settle(till, float_left=50)["state"] == "reconciled"
    till.open_shift()
    _, told = till.insist("GET", f"shifts/{till.shift}")
    assert [flag["code"] for flag in told["flags"]] == ["opening-float-differs"]


def test_a_table_may_stay_open_over_the_close_and_is_awaited_at_the_next(till: Witness) -> None:
    till.sell_live()
    table = till.sell("offline")
    del till.orders[till.shift][2]
    till.sell("offline")
    first = till.shift
    till.send(first, str(uuid.uuid4()), [till.orders[first][3]])
    assert settle(till, carried_over=[2], last_number=3)["state"] == "reconciled"
    assert till.insist("GET", "terminal")[1]["last_shift_number"] == 1
    till.open_shift()
    told = settle(till)
    assert (told["state"], told["missing_numbers"]) == ("closing", [[2, 2]])
    till.send(till.shift, str(uuid.uuid4()), [table | {"closed_at": now()}])
    assert till.insist("GET", f"shifts/{till.shift}")[1]["missing_numbers"] == []


def test_a_number_in_an_order_that_cannot_be_read_is_not_missing(till: Witness) -> None:
    till.sell_live()
    unreadable = order(2, "online") | {"lines": [{"quantity": "9780201379624", "unit_price": 120, "amount": 240}]}
    told = put(till, f"shifts/{till.shift}/batches/{uuid.uuid4()}", {"orders": [unreadable]})
    assert told["results"][0]["number"] == 2
    till.number += 1
    assert settle(till, order_count=2)["missing_numbers"] == []


def test_an_order_is_looked_up_with_what_was_given_back_of_it(till: Witness) -> None:
    for _ in range(6):
        till.sell_live()
    sold, back = till.orders[till.shift][1], till.orders[till.shift][6]
    assert back["kind"] == "refund"
    _, found = till.insist("GET", f"store/orders/{sold['order_id']}")
    assert found["order"]["number"] == 1
    assert found["given_back"]["amount"] == 240
    assert found["given_back"]["by"][0]["order_id"] == back["order_id"]
    at = f"store/orders/by-number?terminal_id={found['terminal_id']}&number=1"
    assert till.insist("GET", at)[1] == found
    assert till.insist("GET", f"store/orders/{uuid.uuid4()}")[0].status == 404
