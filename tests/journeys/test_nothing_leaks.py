"""Card numbers, tokens and codes are found nowhere after they were sent: not in tables, logs, Redis or error texts."""

import json
import zlib
from collections.abc import Iterator
from uuid import uuid4

import psycopg
from redis import Redis

from tests.conftest import LOG_KEY, RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.till import a_sale

# Numbers of no issuer's test list, so that nothing else in the run can hold them.
NOTE, REFERENCE, CUSTOMER, PAN = "4929939187355598", "5555341244441115", "371449635398431", "6011000990139424"
UNTOUCHED = "4485275742308327"  # in a sku, which is not masked: the scan is shown to see


def everything_kept(stack: RunningStack, log: str) -> Iterator[tuple[str, str]]:
    """Every text that the stack keeps, with where it is kept."""
    yield "log", log
    broker = Redis.from_url(stack.environment["REDIS_URL"])
    for key in broker.scan_iter("*"):
        yield f"Redis {key!r}", repr(key) + repr(broker.dump(key))
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT t::text FROM {table} t"):
                yield table, row
        for (body,) in connection.execute("SELECT body FROM inbox_batch"):
            yield "stored bodies", zlib.decompress(body).decode(errors="replace")


def test_what_must_not_be_kept_is_kept_nowhere(stack: RunningStack, pytestconfig) -> None:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    order = a_sale(
        1001,
        mode="online",
        note=f"paid with {NOTE[:4]} {NOTE[4:8]} {NOTE[8:12]} {NOTE[12:]}",
        customer={"name": "Léa", "cards": [f"{CUSTOMER}"]},
        payments=[{"method": "card", "amount": 240, "reference": REFERENCE, "pan": PAN, "cvv": "737"}],
    )
    order["lines"][0]["sku"] = UNTOUCHED
    spelled = NOTE[:4] + " " + NOTE[4:8] + " " + NOTE[8:12] + " " + NOTE[12:]
    batch = till.upload(order, Prefer="wait=10").json()["batch_id"]
    assert till.processed(batch)["outcomes"]["posted"] == 1
    answers = [
        till.upload(a_sale(1002, note=NOTE, total="x"), Prefer="wait=10").text,
        till.upload(raw=json.dumps({"orders": [{"note": NOTE}]}).encode()[:-2]).text,
        till.upload(raw=json.dumps({"orders": NOTE}).encode()).text,
        till.send("PUT", f"shifts/{uuid4()}", {"number": 1, "opened_at": NOTE}).text,
        till.send("GET", "terminal", Authorization=f"Bearer {till.token}x").text,
        till.send("POST", "activations", {"activation_code": "7KQF-2MXD-9RTV", "device": {"name": NOTE}}).text,
    ]
    rotated = till.send("POST", "terminal/token").json()["token"]
    log = pytestconfig.stash[LOG_KEY].read_text(errors="replace")
    secrets = {NOTE, spelled, REFERENCE, CUSTOMER, PAN, till.token, rotated}
    found = set()
    seen_untouched = False
    for place, text in [*everything_kept(stack, log), *(("answer", answer) for answer in answers)]:
        found |= {(place, secret) for secret in secrets if secret in text}
        seen_untouched |= UNTOUCHED in text
    assert found == set()
    assert seen_untouched
