"""`PUT /shifts/{shift_id}/batches/{batch_id}`: a batch is stored first, once, byte for byte (protocol §2, §5)."""

import base64
import hashlib
import json
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, connections

from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import receipts
from backoffice.ingestion.batch.accept import INLINE_MEMBERS
from backoffice.ingestion.sweep import process_waiting
from tests.till import Till, a_movement, a_sale, codes, outcomes, zipped


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def body_of(*orders: Any) -> bytes:
    return json.dumps({"orders": list(orders)}).encode()


def stored(batch_id: UUID) -> bytes:
    return zlib.decompress(Batch.objects.get(batch_id=batch_id).body)


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


# --- First upload -----------------------------------------------------------------------------------------------------


def test_a_new_batch_is_202_with_its_location_and_its_receipt(till: Till):
    batch_id = uuid4()
    answer = till.upload(a_sale(1001), batch_id=batch_id)
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/batches/{batch_id}"
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == till.send("GET", f"batches/{batch_id}").json()
    assert (answer.json()["state"], answer.json()["orders"]) == ("received", 1)


def test_what_is_stored_is_what_was_sent_byte_for_byte(till: Till):
    batch_id = uuid4()
    raw = b' {"orders" : [ ], "sent_at":null,\t"caf\xc3\xa9": 1.50e1, "\\u00e9": [ 1 ,2]}\r\n '
    assert till.upload(raw=raw, batch_id=batch_id).status_code == 202
    assert stored(batch_id) == raw


@pytest.mark.parametrize("body", [b'{"orders": []}', b'{"cash_movements": []}'])
def test_either_list_may_be_left_out(till: Till, body: bytes):
    receipt = till.receipt(till.upload(raw=body).json()["batch_id"])
    process_waiting()
    assert receipt["orders"] == 0
    assert till.receipt(receipt["batch_id"])["state"] == "processed"


BARE: dict[str, Any] = {
    "one order": a_sale(1001),
    "an order under another name": {"order": a_sale(1001)},
    "one cash movement": a_movement(),
    "nothing": {},
    "a text that only the slow road reads": {"sent_at": "\ud800", "Orders": []},
}


@pytest.mark.parametrize("name", BARE)
def test_a_body_with_neither_list_is_no_empty_batch(till: Till, name: str):
    batch_id = uuid4()
    answer = till.upload(raw=json.dumps(BARE[name]).encode(), batch_id=batch_id)
    assert (answer.status_code, code(answer)) == (422, "envelope-invalid")
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/orders", "missing")]
    assert not Batch.objects.filter(batch_id=batch_id).exists()


def test_a_body_with_neither_list_that_was_taken_once_is_processed_as_it_was_then(
    till: Till, monkeypatch: pytest.MonkeyPatch
):
    raw = json.dumps({"order": a_sale(1001)}).encode()
    with monkeypatch.context() as earlier:
        earlier.setattr("backoffice.domain.wire.envelope._check_lists", str)
        batch_id = till.upload(raw=raw).json()["batch_id"]
    process_waiting()
    receipt = till.receipt(batch_id)
    assert (receipt["state"], receipt["orders"]) == ("processed", 0)
    again = till.upload(raw=raw, batch_id=batch_id)
    assert (again.status_code, again.json()) == (200, receipt)
    assert till.upload(raw=raw + b" ", batch_id=batch_id).status_code == 422
    assert till.upload(raw=raw, batch_id=uuid4()).status_code == 422


def test_a_batch_of_orders_and_movements_is_processed_as_a_whole(till: Till):
    receipt = till.sell(a_sale(1001), a_sale(1002), movements=[a_movement(), a_movement(kind="cash_out", amount=100)])
    assert receipt["outcomes"] == {"posted": 2, "duplicate": 0, "conflict": 0, "held": 0}
    assert receipt["movements"]["outcomes"] == {"posted": 2, "duplicate": 0, "conflict": 0, "held": 0}


def test_two_thousand_orders_are_taken_at_once(till: Till):
    receipt = till.sell(*(a_sale(1001 + index) for index in range(2000)))
    assert receipt["outcomes"]["posted"] == 2000
    assert till.shift()["computed"]["order_count"] == 2000


@pytest.mark.parametrize("sent_at", ["soon", None, 17, "2026-03-01T18:00:00", "9999-01-01T00:00:00Z", ["x"], "\ud800"])
def test_a_sent_at_that_cannot_be_read_is_ignored(till: Till, sent_at: Any):
    raw = json.dumps({"sent_at": sent_at, "orders": [a_sale(1001)]}).encode()
    answer = till.upload(raw=raw)
    assert answer.status_code == 202
    process_waiting()
    assert outcomes(till.receipt(answer.json()["batch_id"])) == ["posted"]


def test_a_missing_sent_at_is_ignored(till: Till):
    assert till.upload(raw=body_of(a_sale(1001))).status_code == 202


def test_identifiers_in_upper_case_are_the_same(till: Till):
    batch_id = uuid4()
    first = till.upload(a_sale(1001), batch_id=batch_id)
    raw = stored(batch_id)
    path = f"shifts/{str(till.shift_id).upper()}/batches/{str(batch_id).upper()}"
    again = till.send("PUT", path, raw=raw)
    assert (again.status_code, again.json()) == (202, first.json())
    assert till.send("GET", f"batches/{str(batch_id).upper()}").json() == first.json()


@pytest.mark.parametrize("spelling", ["{0:x}", "{{{0}}}", "urn:uuid:{0}", "batch", "{0}0", "%20{0}"])
def test_an_identifier_that_is_no_canonical_uuid_names_nothing(till: Till, spelling: str):
    identifier = uuid4()
    text = spelling.replace("{0:x}", identifier.hex).format(identifier)
    assert till.upload(a_sale(1001), batch_id=text).status_code == 404
    assert not Batch.objects.filter(terminal=till.terminal).exists()


# --- gzip and digests -------------------------------------------------------------------------------------------------


def test_a_gzipped_body_is_stored_as_it_was_before(till: Till):
    batch_id = uuid4()
    message = {"orders": [a_sale(1001)]}
    answer = till.upload(raw=zipped(message), batch_id=batch_id, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 202
    assert stored(batch_id) == json.dumps(message).encode()


def test_the_same_body_with_and_without_gzip_is_the_same_batch(till: Till):
    batch_id = uuid4()
    message = {"orders": [a_sale(1001)]}
    first = till.upload(raw=zipped(message), batch_id=batch_id, **{"Content-Encoding": "GZip"})
    again = till.upload(raw=json.dumps(message).encode(), batch_id=batch_id, **{"Content-Encoding": "identity"})
    assert (again.status_code, again.json()) == (202, first.json())


@pytest.mark.parametrize("form", ["{}", "{}, sha-512=:AAAA:", "unixsum=:AAAA:, {}", "  {}  "])
def test_a_digest_that_matches_is_taken(till: Till, form: str):
    body = body_of(a_sale(1001))
    answer = till.upload(raw=body, **{"Content-Digest": form.format(digest_of(body))})
    assert answer.status_code == 202


def test_the_digest_is_of_the_bytes_as_sent(till: Till):
    message = {"orders": [a_sale(1001)]}
    sent = zipped(message)
    gzip = {"Content-Encoding": "gzip"}
    assert till.upload(raw=sent, **gzip, **{"Content-Digest": digest_of(sent)}).status_code == 202
    decoded = digest_of(json.dumps(message).encode())
    assert till.upload(raw=sent, **gzip, **{"Content-Digest": decoded}).status_code == 400


@pytest.mark.parametrize("wrong", ["sha-256=:AAAA:", "sha-256=:=:", "sha-256=::", digest_of(b"something else")])
def test_a_digest_that_does_not_match_stores_nothing(till: Till, wrong: str):
    batch_id, body = uuid4(), body_of(a_sale(1001))
    answer = till.upload(raw=body, batch_id=batch_id, **{"Content-Digest": wrong})
    assert (answer.status_code, code(answer)) == (400, "digest-mismatch")
    assert not Batch.objects.filter(batch_id=batch_id).exists()
    assert till.upload(raw=body, batch_id=batch_id, **{"Content-Digest": digest_of(body)}).status_code == 202


def test_a_digest_of_an_algorithm_we_do_not_know_is_ignored(till: Till):
    assert till.upload(a_sale(1001), **{"Content-Digest": "sha-512=:AAAA:"}).status_code == 202


def test_a_digest_is_checked_before_the_body_is_looked_into(till: Till):
    answer = till.upload(raw=b"\xff", **{"Content-Digest": digest_of(b"other")})
    assert code(answer) == "digest-mismatch"


# --- Repeats ----------------------------------------------------------------------------------------------------------


def test_repeated_byte_for_byte_it_gives_the_same_receipt_and_has_no_effect(till: Till):
    batch_id, body = uuid4(), body_of(a_sale(1001))
    first = till.upload(raw=body, batch_id=batch_id)
    second = till.upload(raw=body, batch_id=batch_id)
    assert (second.status_code, second.json(), second["Location"]) == (202, first.json(), first["Location"])
    process_waiting()
    assert till.shift()["computed"]["order_count"] == 1


def test_repeated_once_it_is_processed_it_is_200_with_the_receipt_as_it_stands(till: Till):
    batch_id, body = uuid4(), body_of(a_sale(1001), None)
    till.upload(raw=body, batch_id=batch_id)
    process_waiting()
    again = till.upload(raw=body, batch_id=batch_id)
    assert again.status_code == 200
    assert again.json() == till.send("GET", f"batches/{batch_id}").json()
    assert again.json()["outcomes"] == {"posted": 1, "duplicate": 0, "conflict": 0, "held": 1}
    assert not process_waiting()


def test_the_same_identifier_with_other_bytes_is_422_and_the_first_is_untouched(till: Till):
    batch_id, body = uuid4(), body_of(a_sale(1001))
    till.upload(raw=body, batch_id=batch_id)
    before = Batch.objects.filter(batch_id=batch_id).values().get()
    answer = till.upload(raw=body + b" ", batch_id=batch_id)
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert Batch.objects.filter(batch_id=batch_id).values().get() == before


def test_after_identifier_reused_the_same_orders_go_under_a_new_batch(till: Till):
    batch_id, order = uuid4(), a_sale(1001)
    till.sell(order, batch_id=batch_id)
    assert till.upload(order, a_sale(1002), batch_id=batch_id).status_code == 422
    assert outcomes(till.sell(order, a_sale(1002))) == ["duplicate", "posted"]


def test_the_same_batch_under_another_shift_is_422(till: Till):
    batch_id, body = uuid4(), body_of(a_sale(1001))
    first = till.shift_id
    till.upload(raw=body, batch_id=batch_id)
    till.close()
    till.open()
    answer = till.upload(raw=body, batch_id=batch_id)
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert Batch.objects.get(batch_id=batch_id).shift_id == first


# --- Shifts -----------------------------------------------------------------------------------------------------------


def test_an_unknown_shift_is_404_and_nothing_is_lost_by_opening_it(till: Till):
    till.close()
    batch_id, shift_id, order = uuid4(), uuid4(), a_sale(1001)
    answer = till.upload(order, batch_id=batch_id, shift_id=shift_id)
    assert (answer.status_code, code(answer)) == (404, "shift-unknown")
    assert not Batch.objects.filter(batch_id=batch_id).exists()
    till.open(shift_id)
    assert outcomes(till.sell(order, batch_id=batch_id)) == ["posted"]


def test_a_closed_shift_still_takes_batches_for_itself(till: Till):
    closed = till.shift_id
    till.close()
    till.open()
    receipt = till.sell(a_sale(1001), shift_id=closed)
    assert outcomes(receipt) == ["posted"]
    assert codes(receipt) == ["late"]
    assert receipt["shift_id"] == str(closed)
    assert till.shift()["computed"]["order_count"] == 0
    till.shift_id = closed
    assert till.shift()["computed"]["order_count"] == 1


def test_another_terminals_shift_can_be_neither_read_nor_written_under(till: Till):
    other = Till(till.store, name="Till 2")
    other.open()
    batch_id = uuid4()
    answer = other.upload(a_sale(1001), batch_id=batch_id, shift_id=till.shift_id)
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert other.send("GET", f"shifts/{till.shift_id}").status_code == 404
    assert not Batch.objects.filter(batch_id=batch_id).exists()


def test_another_terminals_batch_can_be_neither_read_nor_written(till: Till):
    other = Till(till.store, name="Till 2")
    other.open()
    batch_id, body = uuid4(), body_of(a_sale(1001))
    till.upload(raw=body, batch_id=batch_id)
    answer = other.upload(raw=body, batch_id=batch_id)
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert other.send("GET", f"batches/{batch_id}").status_code == 404
    assert Batch.objects.get(batch_id=batch_id).terminal == till.terminal


# --- Prefer: wait -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefer", ["wait=5", "wait=10", "respond-async, wait=5", "Wait = 5", 'wait="5"', "wait=99999"])
def test_a_live_order_is_answered_with_its_outcome(till: Till, prefer: str):
    answer = till.upload(a_sale(1001, mode="online"), Prefer=prefer)
    assert answer.status_code == 200
    assert answer.json()["state"] == "processed"
    assert answer.json()["outcomes"]["posted"] == 1
    assert answer["Location"] == f"/api/v1/batches/{answer.json()['batch_id']}"


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=soon", "wait", "return=minimal", ""])
def test_who_does_not_want_to_wait_is_answered_at_once(till: Till, prefer: str):
    answer = till.upload(a_sale(1001), Prefer=prefer)
    assert (answer.status_code, answer.json()["state"]) == (202, "received")


def test_a_live_order_that_is_held_is_answered_with_its_reasons(till: Till):
    answer = till.upload(a_sale(1001, total=1), Prefer="wait=5")
    assert answer.status_code == 200
    assert outcomes(answer.json()) == ["held"]
    assert codes(answer.json()) == ["sums-do-not-add-up", "payments-do-not-add-up"]


def test_a_live_order_sent_again_gets_the_same_answer(till: Till):
    batch_id, body = uuid4(), body_of(a_sale(1001, mode="online"))
    first = till.upload(raw=body, batch_id=batch_id, Prefer="wait=5")
    again = till.upload(raw=body, batch_id=batch_id, Prefer="wait=5")
    assert (again.status_code, again.json()) == (200, first.json())


def big_batch(first: int = 1001) -> list[dict[str, Any]]:
    return [a_sale(number) for number in range(first, first + INLINE_MEMBERS + 1)]


def test_a_large_batch_that_nobody_processes_is_202_when_the_wait_is_over(till: Till):
    began = time.monotonic()
    answer = till.upload(*big_batch(), Prefer="wait=1")
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    assert 0.9 < time.monotonic() - began < 5


@pytest.fixture
def no_seat_to_wait_in() -> Iterator[None]:
    """As many others wait as may wait at once."""
    taken = 0
    while receipts.waiters.acquire(blocking=False):
        taken += 1
    yield
    receipts.waiters.release(taken)


def test_where_too_many_wait_the_answer_comes_at_once(till: Till, no_seat_to_wait_in: None):
    began = time.monotonic()
    assert till.upload(*big_batch(), Prefer="wait=10").status_code == 202
    assert time.monotonic() - began < 5


def test_a_live_order_needs_no_seat(till: Till, no_seat_to_wait_in: None):
    assert till.upload(a_sale(1001), Prefer="wait=10").status_code == 200


def test_a_large_batch_that_a_worker_finishes_meanwhile_is_200(committed_db: None):
    till = Till()
    till.open()
    finished = threading.Event()

    def work() -> None:
        try:
            while not finished.is_set():
                if not process_waiting():
                    finished.wait(0.02)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        answer = till.upload(*big_batch(), Prefer="wait=10")
    finally:
        finished.set()
        worker.join()
    assert (answer.status_code, answer.json()["outcomes"]["posted"]) == (200, INLINE_MEMBERS + 1)


def test_a_live_order_waits_for_whoever_is_at_work_on_its_terminal(committed_db: None):
    till = Till()
    till.open()
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    with psycopg.connect(url) as busy:
        busy.execute("SELECT FROM fleet_terminal WHERE id = %s FOR NO KEY UPDATE", [till.terminal.pk])
        answers: list[Any] = []
        sender = threading.Thread(
            target=lambda: (answers.append(till.upload(a_sale(1001), Prefer="wait=10")), connections.close_all())
        )
        sender.start()
        with psycopg.connect(url, autocommit=True) as watcher:
            while not watcher.execute("SELECT FROM inbox_batch WHERE terminal_id = %s", [till.terminal.pk]).fetchall():
                assert sender.is_alive()
        busy.rollback()
    while sender.is_alive():
        process_waiting()
        sender.join(timeout=0.05)
    assert answers[0].status_code == 200
    assert answers[0].json()["outcomes"]["posted"] == 1
