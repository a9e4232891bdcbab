"""Every problem, provoked: the answer is one that its operation documents, and the one of the example."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from pos_api.description.examples import CLOSE, OPENING, problem
from pos_api.problems import TITLES
from pos_api.throttling import TerminalThrottle
from pos_api.views import batches
from tests.integration.openapi.contract import conforms, operation_of
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Till:
    """A till with the shift of the examples open."""
    till = Till()
    assert till.open(**OPENING).status_code == 201
    return till


def close_otherwise(till: Till) -> Any:
    assert till.send("PUT", f"shifts/{till.shift_id}/close", CLOSE).status_code == 202
    return till.send("PUT", f"shifts/{till.shift_id}/close", CLOSE | {"cash_counted": 0})


def break_down(error: Exception) -> Callable[[Till], Any]:
    def send(till: Till) -> Any:
        def fail(**_: Any) -> None:
            raise error

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batches, "accept", fail)
            return till.upload(a_sale(1001))

    return send


def flood(till: Till) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TerminalThrottle.buckets, "take", lambda *_, **__: 10)
        return till.send("GET", "terminal")


WRONG_CODE = {"activation_code": "2222-2222-2222", "device": {}}
TWO_FAULTS = {name: value for name, value in OPENING.items() if name != "opened_at"} | {"opening_float": "200"}
PROVOKED: Mapping[str, Callable[[Till], Any]] = {
    "body-malformed": lambda till: till.upload(raw=b'{"orders": []} and more'),
    "digest-mismatch": lambda till: till.upload(raw=b"{}", **{"Content-Digest": "sha-256=:AAAA:"}),
    "cursor-invalid": lambda till: till.send("GET", "store/orders?after=x"),
    "credential-invalid": lambda till: till.send("GET", "terminal", Authorization="Bearer x"),
    "activation-code-invalid": lambda till: till.send("POST", "activations", WRONG_CODE),
    "not-found": lambda till: till.send("GET", f"batches/{uuid4()}"),
    "shift-unknown": lambda till: till.upload(shift_id=uuid4()),
    "shift-already-open": lambda till: till.send("PUT", f"shifts/{uuid4()}", OPENING),
    "length-required": lambda till: till.upload(environ={"CONTENT_LENGTH": ""}),
    "too-large": lambda till: till.upload(environ={"CONTENT_LENGTH": str(10**9)}),
    "media-type": lambda till: till.upload(**{"Content-Type": "text/plain"}),
    "identifier-reused": close_otherwise,
    "envelope-invalid": lambda till: till.send("PUT", f"shifts/{uuid4()}", TWO_FAULTS),
    "too-many-requests": flood,
    "internal": break_down(ValueError("unforeseen")),
    "unavailable": break_down(OperationalError("away")),
}
# The gate in front of Django answers the first; the second is the answer to what is no operation.
ELSEWHERE = {"body-timeout", "method-not-allowed"}


@pytest.mark.parametrize("code", PROVOKED)
def test_a_problem_is_documented_where_it_happens_and_is_the_one_of_the_example(till: Till, code: str):
    answer = PROVOKED[code](till)
    request = answer.wsgi_request
    name = operation_of(request.method, request.path.removeprefix("/api/v1"))
    body = conforms(name, status=answer.status_code, headers=answer.headers, content=answer.content)
    varying = {"instance", "shift_id"}
    expected = problem(code)
    assert set(body) == set(expected)
    assert {key: body[key] for key in set(body) - varying} == {key: expected[key] for key in set(expected) - varying}
    assert body["instance"] == request.path


def test_every_problem_is_provoked_here_or_where_it_is_made():
    assert set(PROVOKED) | ELSEWHERE == set(TITLES)


def test_an_unknown_method_is_answered_as_in_the_example(till: Till):
    answer = till.send("POST", "terminal")
    assert answer.status_code == 405
    assert answer.json() == problem("method-not-allowed")
    assert "GET" in answer.headers["Allow"]
