"""A till dies with orders in it: the file that it saved is taken in by two people, as if it had sent everything."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from backoffice_terminal.cache_file import signed
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backoffice.books.caches import find_cache
from backoffice.books.deciding import DecisionReport, agree
from backoffice.books.evidence.models import VerifierKey
from backoffice.books.importing import import_cache
from backoffice.books.models import CacheFile, Decision
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.domain import cache_files
from backoffice.domain.decisions import DecisionState
from backoffice.domain.evidence.notes import SigningKey
from backoffice.fleet.models import Credential
from backoffice.inbox.models import Batch
from backoffice.ingestion.stores import issue_activation_code
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Order, Shift
from tests.caches import SAVED_AT, cached_batch, cached_shift, saved_cache
from tests.integration.books.office import a_person
from tests.integration.books.test_crashes import killed_everywhere
from tests.till import Till, a_movement, a_sale, at_once, codes, entry_of, outcomes

PAN = "4111111111111111"
UNPACKED = 1_000_000


@pytest.fixture
def ruth() -> User:
    return a_person("Ruth")


@pytest.fixture
def otto() -> User:
    return a_person("Otto")


def asked(file: bytes, person: User, **how: Any) -> DecisionReport:
    return import_cache(file, person=person, reason="till-dead", now=timezone.now(), **how)


def imported(file: bytes) -> DecisionReport:
    """Taken in by two people, and processed."""
    report = asked(file, a_person("Ruth"), agreed_by=a_person("Otto"))
    process_waiting()
    return report


def refused(act: Callable[[], Any]) -> NotDecided:
    with pytest.raises(NotDecided) as refusal:
        act()
    return refusal.value


def a_close(*orders: dict[str, Any], batches: list[str]) -> dict[str, Any]:
    """The declaration of a shift of cash sales, with one movement of 50.00 into the drawer."""
    total = sum(order["total"] for order in orders)
    return {
        "closed_at": "2026-03-01T18:30:00+01:00",
        "batches": batches,
        "order_count": len(orders),
        "first_number": 1001,
        "last_number": 1000 + len(orders),
        "cash_counted": 25000 + total,
        "totals": {
            "sales": total,
            "refunds": 0,
            "tax": 13 * len(orders),
            "tips": 0,
            "rounding": 0,
            "payments": {"cash": total},
        },
    }


def replace_device(till: Till) -> str:
    """Another device takes the terminal over: the old one's token is revoked. Returns the old token."""
    old = str(till.token)
    code = issue_activation_code(store_code=till.store.code, terminal_name=till.terminal.name, now=timezone.now())
    answer = till.send("POST", "activations", {"activation_code": code, "device": {"name": "New"}})
    till.token = answer.json()["token"]
    till.send("GET", "terminal")
    return old


def test_it_is_as_if_the_till_had_sent_everything(till: Till) -> None:
    till.sell(sent := a_sale(1001))
    first, second = a_sale(1002), a_sale(1003)
    batch = cached_batch(first, second, movements=[a_movement(5000)])
    sent_batch = str(Batch.objects.get(shift=till.shift_id).batch_id)
    close = a_close(sent, first, second, batches=[sent_batch, batch["batch_id"]])
    report = imported(saved_cache(till, cached_shift(till.shift_id, batch, close=close)))
    assert report.after["batches"] == [
        {"batch_id": batch["batch_id"], "saved_as": batch["batch_id"], "shift_id": str(till.shift_id), "is_new": True}
    ]
    assert report.after["shifts"] == [{"shift_id": str(till.shift_id), "opened": False, "close": "closed"}]
    assert till.shift()["state"] == "reconciled"
    receipt = till.receipt(batch["batch_id"])
    assert outcomes(receipt) == ["posted", "posted"]
    assert len(entry_of(first["order_id"], kind="order")) == 3
    # The till lives after all, and sends the same again.
    again = till.upload(raw=batch["body"].encode(), batch_id=batch["batch_id"])
    assert (again.status_code, again.json()["outcomes"]["posted"]) == (200, 2)
    assert till.send("PUT", f"shifts/{till.shift_id}/close", close).status_code == 200


def test_one_person_only_asks_and_nothing_is_taken_in(till: Till, ruth: User, otto: User) -> None:
    file = saved_cache(till, cached_shift(till.shift_id, cached_batch(order := a_sale(1001))))
    report = asked(file, ruth)
    assert report.state == DecisionState.WAITING
    assert not Batch.objects.filter(shift=till.shift_id).exists()
    before = Decision.objects.get(pk=report.decision_id).before
    assert (before["orders"], before["total"], before["refused"]) == (1, 240, [])
    assert refused(lambda: agree(report.decision_id, person=ruth, now=timezone.now())).code == "own-request"
    assert refused(lambda: asked(file, otto)).code == "already-asked"
    done = agree(report.decision_id, person=otto, now=timezone.now())
    process_waiting()
    assert done.state == DecisionState.DONE
    assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_what_was_taken_in_is_not_taken_in_twice(till: Till, ruth: User) -> None:
    file = saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001))))
    imported(file)
    with pytest.raises(AlreadyDecided, match=r"Already imported by Ruth-.* and Otto-.* duplicate"):
        asked(file, ruth)
    # Saved once more, it is another file, and all that is in it is known.
    shift = json.loads(find_cache(CacheFile.objects.get().pk).content.shifts[0].batches[0].body)
    later = saved_cache(till, cached_shift(till.shift_id, cached_batch(*shift["orders"])), saved_at=SAVED_AT)
    report = imported(later)
    assert outcomes(till.receipt(report.after["batches"][0]["batch_id"])) == ["duplicate"]


def test_a_revoked_terminals_file_is_taken_in(till: Till) -> None:
    batch = cached_batch(order := a_sale(1001))
    file = saved_cache(till, cached_shift(till.shift_id, batch), token=replace_device(till))
    report = imported(file)
    assert report.after["batches"][0]["is_new"]
    assert outcomes(till.receipt(batch["batch_id"])) == ["posted"]
    assert Order.objects.get(order_id=order["order_id"]).shift_id == till.shift_id


@pytest.mark.parametrize("sent_first", [True, False])
def test_what_the_till_sends_itself_is_in_the_books_once(till: Till, sent_first: bool) -> None:
    order = a_sale(1001)
    same, other = cached_batch(order), cached_batch(order)
    file = saved_cache(till, cached_shift(till.shift_id, same, other))
    if not sent_first:
        imported(file)
    till.upload(raw=same["body"].encode(), batch_id=same["batch_id"])
    till.sell(order)
    if sent_first:
        report = imported(file)
        assert [batch["is_new"] for batch in report.after["batches"]] == [False, True]
    posted = [outcomes(till.receipt(batch["batch_id"])) for batch in (same, other)]
    assert sorted(posted) == [["duplicate"], ["posted"]]
    assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_a_shift_that_is_not_known_is_opened_as_ended(till: Till) -> None:
    lost = uuid4()
    batch = cached_batch(a_sale(901))
    file = saved_cache(till, cached_shift(lost, batch, number=310, first_number=901))
    report = imported(file)
    assert report.after["shifts"][0] == {"shift_id": str(lost), "opened": True, "close": None}
    shift = Shift.objects.get(pk=lost)
    assert (shift.state, shift.recorded_end is not None) == ("open", True)
    assert outcomes(till.receipt(batch["batch_id"])) == ["posted"]
    assert till.send("GET", "terminal").json()["open_shift"]["shift_id"] == str(till.shift_id)
    # The till lives after all, and has no answer to its opening yet.
    assert till.open(lost, number=310, first_number=901).status_code == 200


def test_card_numbers_are_kept_nowhere_and_the_order_says_so(till: Till, ruth: User, otto: User) -> None:
    batch = cached_batch(a_sale(1001, note=f"card {PAN}"))
    file = saved_cache(till, cached_shift(till.shift_id, batch, cashier=PAN))
    report = asked(file, ruth, note=f"Anna wrote {PAN}")
    kept = find_cache(CacheFile.objects.get().pk).content
    assert PAN not in repr(kept)
    assert PAN not in repr(Decision.objects.values())
    agree(report.decision_id, person=otto, now=timezone.now())
    process_waiting()
    assert codes(till.receipt(batch["batch_id"])) == ["card-number-masked"]


def test_what_the_door_would_refuse_is_named_and_the_rest_is_taken_in(till: Till) -> None:
    good = cached_batch(a_sale(1001))
    broken = [{"batch_id": str(uuid4()), "body": body} for body in ('{"orders": [', '{"order": 1}')]
    broken.append(cached_batch(*[{}] * 2001))
    file = saved_cache(till, cached_shift(till.shift_id, good, *broken, close={"closed_at": "yesterday"}))
    report = imported(file)
    named = [(each["what"], each["code"]) for each in report.after["refused"]]
    assert sorted(named) == [
        ("batch", "body-malformed"),
        ("batch", "envelope-invalid"),
        ("batch", "too-large"),
        ("close", "envelope-invalid"),
    ]
    assert outcomes(till.receipt(good["batch_id"])) == ["posted"]
    assert till.shift()["state"] == "open"


def test_an_identifier_that_stands_for_another_batch_is_replaced(till: Till) -> None:
    taken = till.sell(a_sale(1001))["batch_id"]
    batch = cached_batch(order := a_sale(1002), batch_id=taken)
    report = imported(saved_cache(till, cached_shift(till.shift_id, batch)))
    (stored,) = report.after["batches"]
    assert (stored["saved_as"], stored["is_new"], stored["batch_id"] != taken) == (taken, True, True)
    assert outcomes(till.receipt(stored["batch_id"])) == ["posted"]
    assert Order.objects.filter(order_id=order["order_id"]).exists()


def test_a_close_beside_the_one_that_stands_changes_nothing(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    close = a_close(order, batches=[]) | {"cash_counted": 1}
    late = cached_batch(a_sale(1002))
    report = imported(saved_cache(till, cached_shift(till.shift_id, late, close=close)))
    assert report.after["shifts"][0]["close"] == "another stands"
    assert till.shift()["late"] == 1


def changed(file: bytes, *, at: int) -> bytes:
    return file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]


BAD_FILES: dict[str, tuple[str, Callable[[Till, bytes], bytes]]] = {
    "empty": ("not-a-cache-file", lambda _, __: b""),
    "a picture": ("not-a-cache-file", lambda _, file: b"\x89PNG\r\n\x1a\n" + file),
    "of a later version": (
        "unknown-version",
        lambda _, file: file.replace(b"backoffice-cache/1", b"backoffice-cache/2"),
    ),
    "cut off in its first line": ("not-a-cache-file", lambda _, file: file[:100]),
    "cut off": ("wrong-signature", lambda _, file: file[:-1]),
    "changed by one bit": ("wrong-signature", lambda _, file: changed(file, at=len(file) - 20)),
    "followed by other bytes": ("wrong-signature", lambda _, file: file + b"\n"),
    "named after another terminal": (
        "wrong-signature",
        lambda till, file: file.replace(str(till.terminal.uuid).encode(), str(uuid4()).encode()),
    ),
    "signed with another key": ("wrong-signature", lambda till, _: saved_cache(till, token="somebody's own")),
    "of a terminal of elsewhere": ("unknown-terminal", lambda till, _: elsewhere(till)),
    "of another store": ("wrong-store", lambda till, _: saved_cache(till, store_id=str(uuid4()))),
    "without shifts": ("unreadable", lambda till, _: saved_cache(till, shifts=None)),
    "of two terminals": ("unreadable", lambda till, _: saved_cache(till, terminal_id=str(uuid4()))),
    "no JSON": ("unreadable", lambda till, _: own(till, b"\xff")),
    "a bomb": ("too-large", lambda till, _: own(till, bytes(UNPACKED + 1))),
    "huge": ("too-large", lambda _, file: file + bytes(cache_files.MAX_FILE_BYTES)),
}


def own(till: Till, content: bytes) -> bytes:
    return signed(content, terminal_id=str(till.terminal.uuid), token=str(till.token))


def elsewhere(till: Till) -> bytes:
    """Well signed, by a terminal that nobody here knows."""
    return signed(b"{}", terminal_id=str(uuid4()), token=str(till.token))


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_file_that_is_wrong_is_refused_with_words_and_nothing_is_kept(
    till: Till, ruth: User, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_files, "MAX_UNPACKED_BYTES", UNPACKED)
    code, spoil = BAD_FILES[what]
    file = spoil(till, saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001)))))
    refusal = refused(lambda: asked(file, ruth))
    assert (refusal.code, refusal.detail.endswith(".")) == (code, True)
    assert not CacheFile.objects.exists()
    assert not Decision.objects.exists()


def test_a_file_for_the_books_of_another_installation_is_refused(till: Till, ruth: User) -> None:
    key = SigningKey("books.here", bytes(32)).checking
    VerifierKey.objects.create(text=str(key), first_used_at=timezone.now())
    file = saved_cache(till, cached_shift(till.shift_id), books="books.there")
    assert refused(lambda: asked(file, ruth)).code == "other-installation"
    assert asked(saved_cache(till, cached_shift(till.shift_id), books="books.here"), ruth).state == "waiting"


def test_a_shift_of_another_terminal_is_refused_as_a_whole(till: Till, ruth: User) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    file = saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001))), cached_shift(other.shift_id))
    assert refused(lambda: asked(file, ruth)).code == "identifier-reused"
    assert not CacheFile.objects.exists()


def test_who_has_no_right_may_not_even_hand_it_in(till: Till, otto: User) -> None:
    clerk = a_person("Clerk", rights=("decide_shift",))
    file = saved_cache(till, cached_shift(till.shift_id))
    assert refused(lambda: asked(file, clerk)).code == "not-allowed"
    assert refused(lambda: asked(file, otto, agreed_by=clerk)).code == "not-allowed"
    assert not CacheFile.objects.exists()


def test_what_is_kept_stays_as_it_was(till: Till, ruth: User) -> None:
    asked(saved_cache(till, cached_shift(till.shift_id)), ruth)
    for statement in ("UPDATE books_cachefile SET content = ''", "DELETE FROM books_cachefile"):
        with pytest.raises(DatabaseError, match="stays"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_token_of_before_is_given_its_key_at_its_next_use(till: Till, ruth: User) -> None:
    Credential.objects.filter(terminal=till.terminal).update(cache_key=None)
    file = saved_cache(till, cached_shift(till.shift_id))
    assert refused(lambda: asked(file, ruth)).code == "wrong-signature"
    till.send("GET", "terminal")
    assert asked(file, ruth).state == DecisionState.WAITING


def test_what_the_database_keeps_of_a_token_cannot_sign(till: Till) -> None:
    kept = Credential.objects.get(terminal=till.terminal)
    for known in (bytes(kept.token_hash), bytes(kept.cache_key or b"")):
        assert cache_files.cache_key(known.hex()) != kept.cache_key
    assert cache_files.cache_key(str(till.token)) == kept.cache_key


def test_it_is_asked_and_agreed_to_wholly_or_not_at_all(till: Till, ruth: User, otto: User) -> None:
    batch = cached_batch(order := a_sale(1001), movements=[a_movement()])
    close = a_close(order, batches=[batch["batch_id"]])
    file = saved_cache(till, cached_shift(till.shift_id, batch, close=close), cached_shift(uuid4(), number=310))
    reports: list[DecisionReport] = []
    killed_everywhere(lambda: reports.append(asked(file, ruth)))
    assert not Batch.objects.exists()
    assert killed_everywhere(lambda: agree(reports[-1].decision_id, person=otto, now=timezone.now())) > 20
    process_waiting()
    assert till.shift()["state"] == "reconciled"


@pytest.mark.usefixtures("committed_db")
def test_two_agree_while_the_till_sends_the_same_itself() -> None:
    till = Till()
    till.open()
    for number in range(1001, 1006):
        order = a_sale(number)
        same, other = cached_batch(order), cached_batch(order)
        waiting = asked(saved_cache(till, cached_shift(till.shift_id, same, other)), a_person("Ruth"))

        def agreed(decision_id: UUID = waiting.decision_id) -> str:
            try:
                return agree(decision_id, person=a_person("Otto"), now=timezone.now()).state
            except NotDecided as refusal:
                return refusal.code

        send = partial(till.upload, raw=same["body"].encode(), batch_id=same["batch_id"])
        answers = at_once([agreed, agreed, send, process_waiting])
        process_waiting()
        assert sorted(map(str, answers[:2])) == ["already-decided", "done"]
        assert answers[2].status_code in {200, 202}
        assert Order.objects.filter(order_id=order["order_id"]).count() == 1
        assert len(entry_of(order["order_id"], kind="order")) == 3


def test_the_command_asks_and_says_what_is_wrong(
    till: Till, ruth: User, otto: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "till-1.cache"
    path.write_bytes(saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001)))))
    words = ("decide", "import-cache", str(path), "--as", str(ruth), "--reason")
    with pytest.raises(SystemExit) as waits:
        call_command(*words, "till-dead")
    report = json.loads(capsys.readouterr().out)
    assert (waits.value.code, report["state"], report["subject"]) == (3, "waiting", str(till.terminal.uuid))
    call_command("agree", report["decision_id"], "--as", str(otto))
    done = json.loads(capsys.readouterr().out)
    assert (done["state"], len(done["after"]["batches"])) == ("done", 1)
    path.write_bytes(path.read_bytes()[:-7])
    for said, reason, file in (
        ("cut off", "till-dead", path),
        ("needs a note", "till-stolen", path),
        ("cannot be read", "till-dead", tmp_path / "missing"),
    ):
        if said == "needs a note":
            path.write_bytes(saved_cache(till, cached_shift(till.shift_id), saved_at="2026-03-02T19:00:00+01:00"))
        with pytest.raises(CommandError, match=said):
            call_command("decide", "import-cache", str(file), "--as", str(ruth), "--reason", reason)
