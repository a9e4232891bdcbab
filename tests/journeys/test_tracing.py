"""One upload can be followed through the log of all processes, by its ids alone."""

import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from tests.conftest import LOG_KEY, RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale

FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@pytest.fixture(scope="module")
def till(stack: RunningStack) -> HttpTill:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    return till


@pytest.fixture
def log(stack: RunningStack, pytestconfig: pytest.Config) -> Path:
    return pytestconfig.stash[LOG_KEY]


def lines_with(log: Path, word: str) -> list[Mapping[str, str]]:
    """The fields of every line of the stack's log that has a word in it; `process` is who wrote it."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        process, _, event = line.partition("|")
        if word in event:
            found.append(
                {"process": process.strip()} | {name: value.strip('"') for name, value in FIELD.findall(event)}
            )
    return found


def told(log: Path, word: str, name: str) -> list[Mapping[str, str]]:
    """The lines about `word` that tell of an event."""
    return [one for one in lines_with(log, word) if one.get("event") == name]


def event(log: Path, word: str, name: str) -> Mapping[str, str]:
    """The one line about `word` that tells of an event."""
    lines = eventually(lambda: told(log, word, name), bool)
    assert len(lines) == 1, lines
    return lines[0]


def test_one_upload_is_followed_from_web_to_the_worker(till: HttpTill, log: Path) -> None:
    request_id, batch_id = f"till-7.{uuid4()}", str(uuid4())
    answer = till.upload(a_sale(1001), batch_id=batch_id, **{"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    till.processed(batch_id)
    received, processed = event(log, batch_id, "batch received"), event(log, batch_id, "batch processed")
    assert received["process"] == "web"
    assert (received["request_id"], received["batch_id"], received["orders"]) == (request_id, batch_id, "1")
    assert processed["process"] == "worker"
    assert (processed["batch_id"], processed["terminal"], processed["posted"]) == (batch_id, received["terminal"], "1")
    assert re.fullmatch(r"[0-9a-f-]{36}", processed["task_id"])
    # What rang for the worker: this request, or a sweeper that was quicker.
    assert processed["rung_by"] in {request_id, "beat", "watch"}


def test_the_request_that_rang_is_named_by_the_worker(till: HttpTill, log: Path) -> None:
    """Of some uploads at least one is found by the worker that its own request rang for."""
    rung = {}
    for number in range(1002, 1006):
        batch_id = str(uuid4())
        rung[batch_id] = till.upload(a_sale(number), batch_id=batch_id).headers["X-Request-ID"]
        till.processed(batch_id)
    followed = [batch_id for batch_id, own in rung.items() if event(log, batch_id, "batch processed")["rung_by"] == own]
    assert followed


def test_a_live_order_is_told_in_one_line(till: HttpTill, log: Path) -> None:
    batch_id = str(uuid4())
    answer = till.upload(a_sale(1201, mode="online"), batch_id=batch_id, Prefer="wait=10")
    assert answer.json()["state"] == "processed"
    processed = event(log, batch_id, "batch processed")
    assert (processed["process"], processed["request_id"]) == ("web", answer.headers["X-Request-ID"])
    assert "terminal" in processed
    assert len(lines_with(log, batch_id)) == 1


def test_a_batch_that_crashes_is_told_with_all_its_ids(stack: RunningStack, till: HttpTill, log: Path) -> None:
    """Its bytes are broken while nobody can process it, and are mended after the first try."""
    batch_id, terminal = str(uuid4()), till.send("GET", "terminal").json()["terminal_id"]
    with psycopg.connect(stack.environment["DATABASE_URL"]) as breaker:
        breaker.execute("SELECT FROM fleet_terminal WHERE uuid = %s FOR NO KEY UPDATE", [terminal])
        till.upload(a_sale(1301), batch_id=batch_id)
        body = breaker.execute("SELECT body FROM inbox_batch WHERE batch_id = %s", [batch_id]).fetchone()[0]
        breaker.execute("UPDATE inbox_batch SET body = %s WHERE batch_id = %s", [body[:-9], batch_id])
        breaker.commit()
        try:
            crashed = eventually(lambda: told(log, batch_id, "batch crashed"), bool)[0]
        finally:
            breaker.execute("UPDATE inbox_batch SET body = %s WHERE batch_id = %s", [body, batch_id])
            breaker.commit()
    assert (crashed["process"], crashed["batch_id"], crashed["terminal"]) == ("worker", batch_id, terminal)
    assert re.fullmatch(r"[0-9a-f-]{36}", crashed["task_id"])
    assert crashed["rung_by"]
    assert till.processed(batch_id)["outcomes"]["posted"] == 1


def test_a_batch_that_no_bell_led_to_says_which_sweeper_found_it(
    stack: RunningStack, till: HttpTill, log: Path
) -> None:
    """Its own message is read while the terminal is somebody else's, so the worker that it woke finds nothing."""
    broker, batch_id = Redis.from_url(stack.environment["REDIS_URL"]), str(uuid4())
    with psycopg.connect(stack.environment["DATABASE_URL"]) as holder:
        holder.execute(
            "SELECT FROM fleet_terminal WHERE uuid = %s FOR NO KEY UPDATE",
            [till.send("GET", "terminal").json()["terminal_id"]],
        )
        till.upload(a_sale(1101), batch_id=batch_id)
        eventually(lambda: broker.llen("backoffice") + broker.hlen("unacked"), lambda messages: messages == 0)
    till.processed(batch_id)
    assert event(log, batch_id, "batch processed")["rung_by"] in {"beat", "watch"}


@pytest.mark.parametrize(
    "claimed",
    ["", "a b", "x" * 65, 'quote"', "line\tbreak", "4111111111111111", "till-4111-1111-1111-1111", "é"],
)
def test_what_is_no_id_is_replaced_and_reaches_no_log(till: HttpTill, log: Path, claimed: str) -> None:
    headers = {b"X-Request-ID": claimed.encode(), b"Authorization": f"Bearer {till.token}".encode()}
    answer = till.http.put(f"shifts/{till.shift_id}/batches/{uuid4()}", content=b"{", headers=headers)
    assert answer.status_code >= 400
    own = answer.headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", own)
    assert event(log, own, "request refused")
    (line,) = [line for line in log.read_text(errors="replace").splitlines() if own in line]
    assert not claimed or claimed not in line


def test_every_answer_names_its_request_and_a_refusal_is_logged_under_it(till: HttpTill, log: Path) -> None:
    for path in ("livez", "readyz", "console/", "nowhere"):
        assert "X-Request-ID" in till.http.get(f"{till.http.base_url}/../../../{path}").headers, path
    refused = till.upload(raw=b"{", batch_id=str(uuid4()))
    assert refused.status_code == 400
    told = event(log, refused.headers["X-Request-ID"], "request refused")
    assert (told["process"], told["address"], told["status"], told["method"]) == ("web", "batch-upload", "400", "PUT")
    assert "terminal" in told
    unknown = till.send("GET", "terminal", Authorization="Bearer nobody")
    assert unknown.status_code == 401
    assert lines_with(log, unknown.headers["X-Request-ID"]) == []
