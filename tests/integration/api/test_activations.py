"""`POST /activations`: a till redeems its code for a token (protocol §3)."""

import hashlib
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from backoffice.fleet.models import Credential, Store, Terminal
from backoffice.ingestion.stores import issue_activation_code
from tests.till import Till, a_client, a_store, at_once

WRONG_SECRET = "2222-2222"


def a_code(store: Store, terminal: str = "Till 1", *, age: timedelta = timedelta(0)) -> str:
    return issue_activation_code(store_code=store.code, terminal_name=terminal, now=timezone.now() - age)


def redeem(code: str, **device: str) -> Any:
    return a_client().post(
        "/api/v1/activations", {"activation_code": code, "device": device}, content_type="application/json"
    )


def with_wrong_secret(code: str) -> str:
    return f"{code[:4]}-{WRONG_SECRET}"


def test_it_answers_with_the_terminal_its_store_and_a_token():
    store = a_store()
    answer = redeem(a_code(store), name="Till 2", model="T8", serial="A1B2", app_version="4.1.0")
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"terminal_id", "store", "token"}
    assert UUID(body["terminal_id"]) == Terminal.objects.get(store=store).uuid
    assert body["store"] == {
        "id": str(store.uuid),
        "code": store.code,
        "name": "Paris Bastille",
        "timezone": "Europe/Paris",
        "currency": "EUR",
        "prices_include_tax": True,
    }


def test_its_token_opens_the_door():
    token = redeem(a_code(a_store())).json()["token"]
    answer = a_client().get("/api/v1/terminal", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_a_code_is_twelve_symbols_without_look_alikes():
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", a_code(a_store()))


def test_a_token_has_256_random_bits_and_is_stored_as_its_hash():
    token = redeem(a_code(a_store())).json()["token"]
    assert len(token) == 43  # 32 bytes in base64url
    assert Credential.objects.filter(token_hash=hashlib.sha256(token.encode()).digest()).exists()


def test_what_the_device_says_of_itself_is_kept():
    store = a_store()
    redeem(a_code(store), name="Till 2", model="T8", serial="A1B2", app_version="4.1.0")
    device = {"name": "Till 2", "model": "T8", "serial": "A1B2", "app_version": "4.1.0"}
    assert Terminal.objects.get(store=store).device == device


def test_no_credential_is_looked_at():
    code = a_code(a_store())
    answer = a_client().post(
        "/api/v1/activations",
        {"activation_code": code, "device": {}},
        content_type="application/json",
        headers={"Authorization": "Bearer nonsense"},
    )
    assert answer.status_code == 201


def test_wrong_used_burned_and_expired_codes_get_one_and_the_same_answer():
    store = a_store()
    used, burned = a_code(store, "Till 1"), a_code(store, "Till 2")
    assert redeem(used).status_code == 201
    for _ in range(5):
        redeem(with_wrong_secret(burned))
    answers = {
        "unknown": redeem("2222-2222-2222"),
        "wrong": redeem(with_wrong_secret(a_code(store, "Till 3"))),
        "used": redeem(used),
        "burned": redeem(burned),
        "expired": redeem(a_code(store, "Till 4", age=timedelta(minutes=15))),
        "too short": redeem("7KQF"),
        "empty": redeem(""),
        "no symbols of ours": redeem("ÄÖÜß-🥖🥖-1I0O"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert len({answer.content for answer in answers.values()}) == 1
    assert answers["wrong"].json()["type"].endswith("/activation-code-invalid")


def test_a_code_is_good_for_fifteen_minutes():
    store = a_store()
    assert redeem(a_code(store, "Till 1", age=timedelta(minutes=14, seconds=50))).status_code == 201
    assert redeem(a_code(store, "Till 2", age=timedelta(minutes=15, seconds=1))).status_code == 403


def test_four_wrong_secrets_leave_a_code_alive():
    code = a_code(a_store())
    for _ in range(4):
        assert redeem(with_wrong_secret(code)).status_code == 403
    assert redeem(code).status_code == 201


def test_the_fifth_wrong_secret_burns_it():
    code = a_code(a_store())
    for _ in range(5):
        assert redeem(with_wrong_secret(code)).status_code == 403
    assert redeem(code).status_code == 403


def test_wrong_secrets_burn_no_other_code():
    store = a_store()
    other = a_code(store, "Till 2")
    burned = a_code(store, "Till 1")
    for _ in range(5):
        redeem(with_wrong_secret(burned))
    assert redeem(other).status_code == 201


def test_activating_again_revokes_the_earlier_token():
    till = Till()
    answer = redeem(a_code(till.store, "Till 1"))
    assert answer.json()["terminal_id"] == str(till.terminal.uuid)
    assert till.send("GET", "terminal").status_code == 401
    till.token = answer.json()["token"]
    assert till.send("GET", "terminal").status_code == 200


def test_activating_one_terminal_leaves_the_others_alone():
    till = Till()
    redeem(a_code(till.store, "Till 2"))
    assert till.send("GET", "terminal").status_code == 200


def test_when_the_answer_is_lost_another_code_works():
    store = a_store()
    redeem(a_code(store))
    assert redeem(a_code(store)).status_code == 201


@pytest.mark.parametrize(
    ("message", "pointer"),
    [
        ({"device": {}}, "/activation_code"),
        ({"activation_code": 7, "device": {}}, "/activation_code"),
        ({"activation_code": "7KQF-2MXD-9RT\0", "device": {}}, "/activation_code"),
        ({"activation_code": "7KQF-2MXD-9RTV"}, "/device"),
        ({"activation_code": "7KQF-2MXD-9RTV", "device": "T8"}, "/device"),
        ({"activation_code": "7KQF-2MXD-9RTV", "device": {"model": 8}}, "/device/model"),
        ([], ""),
    ],
)
def test_an_activation_that_is_not_one_is_told_where(message: Any, pointer: str):
    answer = a_client().post("/api/v1/activations", message, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/envelope-invalid")
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]


def test_of_fifty_parallel_tries_exactly_one_wins(committed_db: None):
    store = a_store()
    code = a_code(store)
    answers = at_once([lambda: redeem(code)] * 50)
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(403)) == (1, 49)
    assert Credential.objects.filter(terminal__store=store).count() == 1


def test_parallel_wrong_tries_are_all_counted(committed_db: None):
    code = a_code(a_store())
    at_once([lambda: redeem(with_wrong_secret(code))] * 8)
    assert redeem(code).status_code == 403
