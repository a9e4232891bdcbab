"""Card numbers, tokens and codes are found nowhere after they were sent: not in tables, logs, Redis or error texts."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from tests.conftest import LOG_KEY, RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.journeys.leaks import everything_kept, found_in, secrets_of
from tests.till import a_movement, a_sale
from tests.told import errors_of_this_run, secrets_of_this_run

# Numbers of no issuer's test list, so that nothing else in the run can hold them.
NOTE, REFERENCE, CUSTOMER, PAN = "4929939187355598", "5555341244441115", "371449635398431", "6011000990139424"
SPELLED = f"{NOTE[:4]} {NOTE[4:8]} {NOTE[8:12]} {NOTE[12:]}"
CASHIER, SLIP, REASON, TRACK = "5105105105105100", "4539578763621486", "6011601160116611", "4716461583322103"
DATA = "28092019000987654321"  # that stands behind the number in a track
CVV, CODE = "sixhundredone", "sixhundredtwo"  # of a form that nothing else has
UNTOUCHED = "4485275742308327"  # in a sku, which is not masked


def log_of(config: pytest.Config) -> str:
    return config.stash[LOG_KEY].read_text(errors="replace")


def test_what_must_not_be_kept_is_kept_nowhere(stack: RunningStack, pytestconfig: pytest.Config) -> None:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    order = a_sale(
        1001,
        mode="online",
        note=f"paid with {SPELLED}",
        customer={"name": "Léa", "cards": [f"{CUSTOMER}"]},
        payments=[{"method": "card", "amount": 240, "reference": REFERENCE, "pan": PAN, "cvv": CVV}],
        cashier=CASHIER,
        slip={"lines": [f"CARD {SLIP}0928", f";{TRACK}={DATA}?"], "securityCode": CODE},
    )
    order["lines"][0]["sku"] = UNTOUCHED
    batch = till.upload(order, Prefer="wait=10").json()["batch_id"]
    assert till.processed(batch)["outcomes"]["posted"] == 1
    answers = [
        till.upload(a_sale(1002, note=NOTE, total="x"), Prefer="wait=10").text,
        till.upload(a_sale(1003, kind=SLIP, mode=CASHIER), Prefer="wait=10").text,
        till.upload(movements=[a_movement(reason=REASON)], Prefer="wait=10").text,
        till.send("GET", f"batches/{REASON}").text,
        till.upload(raw=json.dumps({"orders": [{"note": NOTE}]}).encode()[:-2]).text,
        till.upload(raw=json.dumps({"orders": NOTE}).encode()).text,
        till.send("PUT", f"shifts/{uuid4()}", {"number": 1, "opened_at": NOTE}).text,
        till.send("GET", "terminal", Authorization=f"Bearer {till.token}x").text,
        till.send("POST", "activations", {"activation_code": "7KQF-2MXD-9RTV", "device": {"name": NOTE}}).text,
    ]
    rotated = till.send("POST", "terminal/token").json()["token"]
    cards = {NOTE, SPELLED, REFERENCE, CUSTOMER, PAN, CASHIER, SLIP, REASON, TRACK}
    secrets = {*cards, DATA, CVV, CODE, till.token or "", rotated}
    secrets_of_this_run.update(secrets)
    kept = [*everything_kept(stack, log_of(pytestconfig)), *(("answer", answer) for answer in answers)]
    assert found_in(kept, secrets) == set()
    assert {place for place, _ in found_in(kept, {UNTOUCHED})} >= {"stored bodies"}


@pytest.fixture
def planted(stack: RunningStack, pytestconfig: pytest.Config) -> Iterator[str]:
    """A secret that somebody was careless with everywhere."""
    secret = f"planted-{uuid4().hex}"
    broker = Redis.from_url(stack.environment["REDIS_URL"])
    broker.set("planted-text", secret * 3)
    broker.rpush("planted-list", secret)
    broker.hset("planted-hash", mapping={"field": secret})
    with Path(pytestconfig.stash[LOG_KEY]).open("a") as log:
        log.write(f"token={secret}\n")
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE planted (text text, bytes bytea)")
        connection.execute("INSERT INTO planted VALUES (%s, NULL), (NULL, %s)", [secret, secret.encode()])
        # An error says to which address it answers.
        told = HttpTill(stack, a_store_code(stack)).send("GET", f"batches/{secret}")
        assert told.status_code == 404
        try:
            yield secret
        finally:
            errors_of_this_run.discard(told.text)
            connection.execute("DROP TABLE planted")
            broker.delete("planted-text", "planted-list", "planted-hash")


def test_what_is_planted_is_found_in_every_place(
    stack: RunningStack, pytestconfig: pytest.Config, planted: str
) -> None:
    found = [
        place for place, text in everything_kept(stack, log_of(pytestconfig)) if found_in([(place, text)], [planted])
    ]
    assert sorted(found) == ["Redis", "Redis", "Redis", "error text", "log", "table planted", "table planted"]


@pytest.mark.last
def test_after_all_other_tests_no_secret_is_found_anywhere(stack: RunningStack, pytestconfig: pytest.Config) -> None:
    """Of all that the journeys sent through the running service: tokens, activation codes, cards, and its own keys."""
    till = HttpTill(stack, a_store_code(stack))  # there is at least this one
    assert {till.token} < secrets_of_this_run
    assert till.send("GET", f"batches/{uuid4()}").text in errors_of_this_run
    secrets = secrets_of_this_run | secrets_of(stack)
    assert all(len(secret) > 8 for secret in secrets)
    assert found_in(everything_kept(stack, log_of(pytestconfig)), secrets) == set()
