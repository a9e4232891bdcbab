"""Errors are RFC 9457 problem details, each with a code of protocol §9."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.db import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from backoffice.inbox.models import Batch
from pos_api.views import batches, shifts
from tests.till import Till, a_sale

Request = Callable[[Till], Any]


def reuse_a_batch(till: Till) -> Any:
    batch_id = uuid4()
    till.upload(a_sale(1001), batch_id=batch_id)
    return till.upload(a_sale(1002), batch_id=batch_id)


PROBLEMS: dict[str, tuple[int, Request]] = {
    "body-malformed": (400, lambda till: till.upload(raw=b"{")),
    "digest-mismatch": (400, lambda till: till.upload(raw=b"{}", **{"Content-Digest": "sha-256=:AAAA:"})),
    "credential-invalid": (401, lambda till: till.send("GET", "terminal", Authorization="Bearer x")),
    "activation-code-invalid": (
        403,
        lambda till: till.send("POST", "activations", {"activation_code": "2222-2222-2222", "device": {}}),
    ),
    "not-found": (404, lambda till: till.send("GET", f"batches/{uuid4()}")),
    "shift-unknown": (404, lambda till: till.upload(shift_id=uuid4())),
    "shift-already-open": (409, lambda till: till.open(number=312)),
    "length-required": (411, lambda till: till.upload(environ={"CONTENT_LENGTH": ""})),
    "too-large": (413, lambda till: till.upload(environ={"CONTENT_LENGTH": str(10**9)})),
    "media-type": (415, lambda till: till.upload(**{"Content-Type": "text/plain"})),
    "identifier-reused": (422, reuse_a_batch),
    "envelope-invalid": (422, lambda till: till.upload(raw=b"[]")),
}


def check(answer: Any, *, status: int, code: str) -> dict[str, Any]:
    """The shape that every problem has."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert re.fullmatch(r"https://\S+/" + code, body["type"])
    assert body["status"] == status
    assert body["instance"] == answer.wsgi_request.path
    assert body["title"]
    assert body["detail"]
    for place in body.get("errors", []):
        assert set(place) == {"pointer", "code", "detail"}
    return body


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_has_the_status_and_shape_of_the_protocol(till: Till, code: str):
    status, request = PROBLEMS[code]
    check(request(till), status=status, code=code)


def test_a_code_has_one_title_whatever_happened(till: Till):
    first = PROBLEMS["not-found"][1](till).json()
    second = till.send("GET", f"shifts/{uuid4()}").json()
    assert (first["type"], first["title"]) == (second["type"], second["title"])


@pytest.mark.parametrize("path", ["", "nothing", "terminal/", "shifts", "batches/", "shifts/x/y/z/", "../v2/terminal"])
def test_an_address_that_does_not_exist_is_a_problem_not_a_page(till: Till, path: str):
    if path.startswith(".."):
        assert till.client.get("/api/v2/terminal").status_code == 404
        return
    check(till.send("GET", path), status=404, code="not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "shifts/x"),
        ("PUT", "shifts/x"),
        ("PUT", "shifts/x/close"),
        ("GET", "batches/x"),
        ("PUT", "shifts/0195b1a0-0000-7000-8000-000000000001/batches/x"),
    ],
)
def test_only_a_terminal_is_told_what_an_identifier_looks_like(till: Till, method: str, path: str):
    body = check(till.send(method, path), status=404, code="not-found")
    assert body["detail"] == "Identifiers are UUIDs in the canonical 36-character form."
    check(till.send(method, path, Authorization="Bearer x"), status=401, code="credential-invalid")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "terminal", {"GET"}),
        ("GET", "activations", {"POST"}),
        ("DELETE", "shifts/0195b1a0-0000-7000-8000-000000000001", {"GET", "PUT"}),
        ("PUT", "batches/0195b1a0-0000-7000-8000-000000000001", {"GET"}),
        ("PATCH", "shifts/0195b1a0-0000-7000-8000-000000000001/close", {"PUT"}),
    ],
)
def test_a_method_that_an_address_does_not_take_is_405(till: Till, method: str, path: str, allowed: set[str]):
    answer = till.send(method, path)
    check(answer, status=405, code="method-not-allowed")
    assert allowed <= {name.strip() for name in answer["Allow"].split(",")}


@pytest.mark.parametrize(
    "error", [OperationalError("the database system is shutting down"), InterfaceError("closed"), PoolTimeout("busy")]
)
@pytest.mark.parametrize("place", ["accept", "close_shift"])
def test_when_postgresql_cannot_commit_it_is_503_with_retry_after(
    till: Till, monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
):
    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(batches if place == "accept" else shifts, place, refuse)
    answer = till.upload(a_sale(1001)) if place == "accept" else till.close()
    body = check(answer, status=503, code="unavailable")
    assert int(answer["Retry-After"]) > 0
    assert str(error) not in str(body)


def test_what_nobody_foresaw_is_500_without_a_word_of_what_it_was(till: Till, monkeypatch: pytest.MonkeyPatch):
    def break_down(**_: Any) -> None:
        raise ValueError("a secret of ours")

    monkeypatch.setattr(batches, "accept", break_down)
    answer = till.upload(a_sale(1001))
    check(answer, status=500, code="internal")
    assert b"secret" not in answer.content


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b"[]", ""),
        (b"null", ""),
        (b'"orders"', ""),
        (b"17", ""),
        (b"true", ""),
        (b'{"orders": null}', "/orders"),
        (b'{"orders": {}}', "/orders"),
        (b'{"orders": "[]"}', "/orders"),
        (b'{"orders": 0}', "/orders"),
        (b'{"cash_movements": {"a": 1}}', "/cash_movements"),
        (b'{"orders": [], "cash_movements": false}', "/cash_movements"),
    ],
)
def test_an_envelope_that_is_not_one_is_told_where(till: Till, raw: bytes, pointer: str):
    body = check(till.upload(raw=raw), status=422, code="envelope-invalid")
    assert [place["pointer"] for place in body["errors"]] == [pointer]


def test_every_status_is_one_that_http_knows():
    assert {HTTPStatus(status) for status, _ in PROBLEMS.values()}


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=0.9, text/*", "", "nonsense"])
def test_whatever_a_terminal_accepts_it_is_answered_in_json(till: Till, accept: str):
    answer = till.send("GET", "terminal", Accept=accept)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("fields", ["&" * 1500, "a=1&" * 1500], ids=["without names", "of one name"])
def test_fields_that_nobody_knows_are_ignored_however_many_they_are(till: Till, fields: str):
    receipt = till.sell(a_sale(1001))
    answer = till.send("GET", f"batches/{receipt['batch_id']}?{fields}&results=all")
    assert (answer.status_code, answer.json()) == (200, receipt)
    answer = till.send("GET", f"store/orders?{fields}&limit=1&after=x")
    check(answer, status=400, code="cursor-invalid")
    assert till.send("GET", f"store/orders?{fields}&limit=1").status_code == 200


@pytest.mark.parametrize("path", ["schema", "docs"])
def test_the_description_with_a_thousand_fields_is_no_error_of_ours(till: Till, path: str):
    assert till.client.get(f"/api/{path}/?{'&' * 1500}").status_code == 404


@pytest.mark.parametrize("host", ["elsewhere.example", "not a name", "[::1", ""])
def test_a_host_that_is_not_the_services_own_is_a_problem_not_a_page(till: Till, host: str):
    for answer in (till.send("GET", "terminal", Host=host), till.upload(a_sale(1001), Host=host)):
        body = check(answer, status=404, code="not-found")
        assert "Host" in body["detail"]
        assert answer["X-Request-ID"]
    assert not Batch.objects.filter(terminal=till.terminal).exists()
    page = till.client.get("/console/", headers={"Host": host})
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_an_answer_is_compact_json_in_utf_8_with_times_in_utc(till: Till):
    till.store.name = "Boulangerie «Été» 🥖"
    till.store.save()
    answer = till.send("GET", "terminal")
    assert '"name":"Boulangerie «Été» 🥖",'.encode() in answer.content
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", answer.json()["server_time"])
    assert "charset" not in answer["Content-Type"]


def test_the_description_too_refuses_in_json(till: Till):
    check(till.client.get(f"/api/schema/?{'&' * 1500}"), status=404, code="not-found")


def test_a_format_in_the_address_is_no_format(till: Till):
    assert till.send("GET", "terminal?format=xml").status_code == 200
