"""Missing, unknown, revoked: the same 401, and nothing is written (protocol §3)."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.ingestion.stores import activate, issue_activation_code
from tests.till import Till, a_sale

TABLES = ("inbox_batch", "sales_shift", "sales_identity", "sales_order", "ledger_journalentry", "fleet_credential")


def rows() -> dict[str, int]:
    counted = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counted[table] = cursor.fetchone()[0]
    return counted


def revoke(till: Till) -> str:
    """Activates the terminal again; the token that this revoked."""
    revoked = till.token
    assert revoked is not None
    code = issue_activation_code(store_code=till.store.code, terminal_name="Till 1", now=timezone.now())
    activate(code=code, device={}, now=timezone.now())
    return revoked


def every_request(till: Till, **headers: str) -> dict[str, Any]:
    shift, batch = till.shift_id, uuid4()
    requests = {
        "GET terminal": ("GET", "terminal", None),
        "GET a shift": ("GET", f"shifts/{shift}", None),
        "PUT a shift": ("PUT", f"shifts/{uuid4()}", {"number": 1}),
        "PUT a close": ("PUT", f"shifts/{shift}/close", {}),
        "PUT a batch": ("PUT", f"shifts/{shift}/batches/{batch}", {"orders": [a_sale(1001)]}),
        "GET a batch": ("GET", f"batches/{batch}", None),
    }
    return {name: till.send(*request, **headers) for name, request in requests.items()}


BAD = {
    "missing": "",
    "no token": "Bearer",
    "an empty token": "Bearer  ",
    "unknown": "Bearer 4HxqkNmcK3zQd9cI7wJm2m1sH7qJ0r8b5Y6uT4vXw2A",
    "another scheme": "Basic dGlsbDp0aWxs",
    "a token without scheme": "4HxqkNmcK3zQd9cI7wJm2m1sH7qJ0r8b5Y6uT4vXw2A",
    "not ASCII": "Bearer caf\u00e9",
    "very long": "Bearer " + "x" * 5000,
}


def test_every_bad_credential_gets_one_and_the_same_answer_everywhere(till: Till):
    revoked = f"Bearer {revoke(till)}"
    before = rows()
    bodies = []
    for header in [*BAD.values(), revoked]:
        for name, answer in every_request(till, Authorization=header).items():
            assert answer.status_code == 401, (header, name)
            assert answer["Content-Type"] == "application/problem+json"
            assert answer["WWW-Authenticate"] == "Bearer"
            body = answer.json()
            assert body.pop("instance") == answer.wsgi_request.path
            bodies.append(body)
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["type"].endswith("/credential-invalid")
    assert rows() == before


def test_a_request_without_the_header_is_told_the_same(till: Till):
    till.token = None
    answer = till.send("GET", "terminal")
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/credential-invalid")


def test_the_body_is_not_looked_at_before_the_credential(till: Till):
    unknown = BAD["unknown"]
    assert till.upload(raw=b"\xff", Authorization=unknown).status_code == 401
    assert till.upload(environ={"CONTENT_LENGTH": ""}, Authorization=unknown).status_code == 401
    assert till.upload(environ={"CONTENT_LENGTH": str(10**9)}, Authorization=unknown).status_code == 401


def test_the_scheme_is_told_apart_without_regard_to_case(till: Till):
    assert till.send("GET", "terminal", Authorization=f"bearer {till.token}").status_code == 200


@pytest.mark.parametrize("name", ["x", "4HxqkNmcK3zQd9cI7wJm2m1sH7qJ0r8b5Y6uT4vXw2A"])
def test_an_answer_never_repeats_the_token(till: Till, name: str):
    answer = till.send("GET", "terminal", Authorization=f"Bearer secret-{name}")
    assert f"secret-{name}".encode() not in answer.content


def test_store_and_terminal_follow_from_the_credential_alone(till: Till):
    other = Till()
    other.token = till.token
    assert other.send("GET", "terminal").json()["terminal_id"] == str(till.terminal.uuid)
