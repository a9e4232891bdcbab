"""The commands: one JSON object on stdout, exit code 0 done, 3 waits, 1 refused with words on stderr."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, load_command_class
from django.db import connections

from backoffice.books.models import ReasonCode
from backoffice.domain.decisions import Verb
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.books.office import PLAIN, a_person, by_card
from tests.till import Till, a_movement, a_sale, entry_of

Ran = tuple[int, dict[str, Any], str]
Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: its exit code, the object that it printed, and its words on stderr."""

    def ran(*words: Any) -> Ran:
        capsys.readouterr()
        code, said = 0, ""
        try:
            call_command(*map(str, words))
        except SystemExit as end:
            code = int(str(end.code))
        except CommandError as error:  # what manage.py prints on stderr, with exit code 1
            code, said = error.returncode, str(error)
        printed = capsys.readouterr().out
        assert printed.count("\n") == 1, "one object, on one line"
        return code, json.loads(printed), said

    return ran


@pytest.fixture
def ruth() -> User:
    return a_person("Ruth")


def test_a_decision_is_done(till: Till, ruth: User, run: Run) -> None:
    till.sell(order := a_sale(1001, total=999))
    words = ("decide", "discard", order["order_id"], "--as", ruth, "--reason", "duplicate")
    code, report, said = run(*words, "--data-dir", "var")
    assert (code, said) == (0, "")
    assert (report["state"], report["verb"], report["after"]["order_id"]) == ("done", "discard", None)


def test_it_waits_is_agreed_to_and_is_done(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(paper := a_sale(1001)))
    command = (
        "decide",
        "enter",
        till.shift_id,
        "--file",
        tmp_path / "order.json",
        "--as",
        ruth,
        "--reason",
        "till-lost",
    )
    code, asked, _ = run(*command)
    assert (code, asked["state"], asked["after"]) == (3, "waiting", {})
    code, refused, said = run("agree", asked["decision_id"], "--as", ruth)
    assert (code, refused["code"]) == (1, "own-request")
    assert "Nobody agrees" in said
    code, done, _ = run("agree", asked["decision_id"], "--as", a_person("Otto"))
    assert (code, done["state"], done["after"]["order_id"]) == (0, "done", paper["order_id"])


def test_a_second_person_agrees_in_the_same_breath(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(paper := a_sale(1001)))
    words = ("decide", "enter", till.shift_id, "--file", tmp_path / "order.json", "--as", ruth, "--reason", "till-lost")
    code, _, _ = run(*words, "--agreed-by", a_person("Otto"))
    assert code == 0
    assert len(entry_of(paper["order_id"], kind="order")) == 3


def test_it_is_declined_or_withdrawn(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(a_sale(1001)))
    words = ("decide", "enter", till.shift_id, "--file", tmp_path / "order.json", "--as", ruth, "--reason", "till-lost")
    _, asked, _ = run(*words)
    assert (
        run("decline", asked["decision_id"], "--as", a_person("Otto"), "--note", "No receipt.")[1]["state"]
        == "declined"
    )
    _, asked, _ = run(*words)
    assert run("withdraw", asked["decision_id"], "--as", ruth)[1]["state"] == "withdrawn"


def test_a_refusal_names_every_place(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    till.sell(order := a_sale(1001, total=999))
    (tmp_path / "order.json").write_text(json.dumps({**order, "total": 241}))
    words = ("decide", "correct", order["order_id"], "--file", tmp_path / "order.json", "--as", ruth)
    code, refused, said = run(*words, "--reason", "keyed-wrongly")
    assert (code, refused["state"], refused["code"]) == (1, "refused", "cannot-be-posted")
    assert {error["pointer"] for error in refused["errors"]} == {"/total", "/payments"}
    assert "/total: The total is 241, the lines come to 240" in said


def test_a_held_cash_movement_is_corrected(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    receipt = till.sell(movements=[movement := a_movement(-5000)])
    (tmp_path / "right.json").write_text(json.dumps({**movement, "amount": 5000}))
    words = ("decide", "correct", f"{receipt['batch_id']}:movements:0", "--file", tmp_path / "right.json", "--as", ruth)
    code, report, said = run(*words, "--reason", "keyed-wrongly")
    assert (code, said, report["after"]["movement_id"]) == (0, "", movement["movement_id"])
    assert len(entry_of(movement["movement_id"], kind="movement")) == 2


def test_nobody_decides_under_an_unknown_login(till: Till, run: Run) -> None:
    code, refused, _ = run("decide", "end", till.shift_id, "--as", "nobody", "--reason", "till-lost")
    assert (code, refused["code"]) == (1, "unknown-person")


def test_every_verb_has_its_command(till: Till, ruth: User, run: Run, tmp_path: Path) -> None:
    """In the words of the documentation, each with what it needs."""
    other = Till(till.store, name="Till 2")
    other.open()
    first = a_sale(1001)
    till.sell(first, a_sale(1002), a_sale(1003, total=999), a_sale(1004, total=1))
    contradicting = [{**a_sale(1001), "order_id": first["order_id"], "note": note} for note in ("one", "two")]
    places = [f"{till.sell(order)['batch_id']}:0" for order in contradicting]
    held = till.receipt(till.sell(a_sale(1005, total=5))["batch_id"])["results"][0]["order_id"]
    files = {"order": a_sale(1010), "payments": {"card": 240}, "counts": {"cash": 20000}}
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "right").write_text(json.dumps({**a_sale(1005), "order_id": held}))
    (tmp_path / "cache").write_bytes(saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1020)))))
    till_shift, end_shift = till.shift_id, other.shift_id
    commands: dict[Verb, tuple[Any, ...]] = {
        Verb.POST: (places[0],),
        Verb.MOVE: (places[1], "--to", other.shift_id),
        Verb.CORRECT: (held, "--file", tmp_path / "right"),
        Verb.DISCARD: (f"{places[0].partition(':')[0]}:0",),
        Verb.RETENDER: (first["order_id"], "--file", tmp_path / "payments"),
        Verb.VOID: (first["order_id"],),
        Verb.ENTER: (till_shift, "--file", tmp_path / "order", "--agreed-by", a_person("Otto")),
        Verb.END: (end_shift,),
        Verb.RECOUNT: (end_shift, "--file", tmp_path / "counts"),
        Verb.APPROVE: (end_shift,),
        Verb.COUNT_SAFE: (till.store.code, 100),
        Verb.BANK: (till.store.code, 100, "--slip", "4711", "--date", "2026-03-02"),
        Verb.BANK_RECEIVED: (till.store.code, 60, "--slip", "4711", "--date", "2026-03-03"),
        Verb.BANK_CHANGE: (till.store.code, 50, "--date", "2026-03-03"),
        Verb.IMPORT_CACHE: (tmp_path / "cache", "--agreed-by", a_person("Otto")),
        Verb.LOCK: (till.store.code, "2026-03-31"),
        Verb.UNLOCK: (till.store.code, "2026-03-15", "--agreed-by", a_person("Otto")),
    }
    refused_here = {Verb.DISCARD, Verb.APPROVE}
    for verb, words in commands.items():
        code, report, said = run("decide", verb.value, *words, "--as", ruth, "--reason", PLAIN[verb])
        assert (code, said) == (0, "") or verb in refused_here, (verb, report)
    sold = [a_sale(1001), a_sale(1004)]
    gap = Till(till.store, name="Till 3")
    gap.open()
    gap.sell(*sold)
    gap.close(*sold)
    words = ("decide", "explain", gap.shift_id, "1002-1003", "--as", ruth, "--reason", "skipped")
    assert run(*words)[1]["after"]["state"] == "reconciled"
    assert {*commands, Verb.EXPLAIN} == set(Verb)


def test_reasons_are_listed_with_what_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reasons", "--json")
    reasons = json.loads(capsys.readouterr().out)
    assert {reason["verb"] for reason in reasons} == {verb.value for verb in Verb}
    assert {"verb": "discard", "code": "never-a-sale"}.items() <= next(
        reason for reason in reasons if reason["code"] == "never-a-sale" and reason["needs_note"]
    ).items()
    call_command("reasons")
    assert "never-a-sale" in capsys.readouterr().out


def test_what_head_office_put_away_is_no_reason_any_more(till: Till, ruth: User, run: Run) -> None:
    till.sell(order := a_sale(1001, **by_card(), total=999))
    ReasonCode.objects.filter(verb="discard", code="test").update(is_active=False)
    words = ("decide", "discard", order["order_id"], "--as", ruth, "--reason", "test")
    assert run(*words)[1]["code"] == "unknown-reason"


def test_books_are_locked_and_unlocked(till: Till, ruth: User, run: Run) -> None:
    lock = ("decide", "lock", till.store.code)
    code, report, said = run(*lock, "2026-03-31", "--as", ruth, "--reason", "month-closed")
    assert (code, report["after"]["first_open_day"], said) == (0, "2026-04-01", "")
    assert report["after"]["unfinished"]["shifts"][0]["shift_id"] == str(till.shift_id)
    code, refused, said = run(*lock, "2026-02-28", "--as", ruth, "--reason", "month-closed")
    assert (code, refused["code"], said) == (1, "already-locked", "The books are locked through 2026-03-31 already.")
    code, refused, said = run(*lock, "2999-01-31", "--as", ruth, "--reason", "month-closed")
    assert (code, refused["code"], "in the future" in said) == (1, "not-a-date", True)
    unlock = ("decide", "unlock", till.store.code, "2026-03-15", "--as", ruth, "--reason", "locked-by-mistake")
    code, asked, _ = run(*unlock)
    assert (code, asked["state"]) == (3, "waiting")
    code, report, _ = run("agree", asked["decision_id"], "--as", a_person("Otto"))
    assert (code, report["after"]["locked_through"]) == (0, "2026-03-14")


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Types words that nobody can act on, as manage.py gets them, and reads the refusal."""
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the process goes on here

    def refusal(*words: Any) -> dict[str, Any]:
        argv = ["manage.py", *map(str, words)]
        command = load_command_class("backoffice", argv[1])
        with pytest.raises(SystemExit) as end:
            command.run_from_argv([*argv, "--data-dir", "var"] if argv[1] == "agree" else argv)
        printed = capsys.readouterr()
        assert end.value.code == 1
        assert printed.out.count("\n") == 1, "one object, on one line"
        refused = json.loads(printed.out)
        assert refused["state"] == "refused"
        assert printed.err.strip()
        assert "Traceback" not in printed.err
        return refused

    return refusal


def test_whatever_is_typed_the_answer_is_one_object(
    till: Till, ruth: User, typed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    for name, content in {"broken": b"{", "nan": b'{"cash": NaN}', "bytes": b"\xff", "deep": b"[" * 100_000}.items():
        (tmp_path / name).write_bytes(content)
    said = ("--as", ruth, "--reason", "miscounted")
    for name in ("broken", "nan", "bytes", "deep", "missing", ""):
        refused = typed("decide", "recount", till.shift_id, "--file", tmp_path / name, *said)
        assert (refused["code"], str(tmp_path / name) in refused["detail"]) == ("unreadable-file", True)
    (tmp_path / "large").write_text('{"cash": 1e999}')
    till.close()
    assert typed("decide", "recount", till.shift_id, "--file", tmp_path / "large", *said)["code"] == "cannot-be-kept"
    for words in (
        ("decide", "steal", "1"),
        ("decide",),
        ("decide", "void", uuid4()),
        ("decide", "count-safe", till.store.code, "many", *said),
        ("agree", "no-uuid", "--as", ruth),
        ("agree", uuid4()),
        ("withdraw", "1-2-3", "--as", ruth),
    ):
        assert typed(*words)["code"] == "usage"
    assert typed("decide", "void", "no-uuid", "--as", ruth, "--reason", "sold-twice")["code"] == "unknown-order"
    assert typed("decide", "end", "no-uuid", "--as", ruth, "--reason", "till-lost")["code"] == "unknown-shift"
    assert typed("decide", "end", till.shift_id, "--as", "\udcff", "--reason", "till-lost")["code"] == "cannot-be-kept"
    assert typed("decide", "end", till.shift_id, "--as", "x\0", "--reason", "till-lost")["code"] == "cannot-be-kept"


def test_without_a_database_the_answer_is_one_object_too(
    typed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    refused = typed("decide", "void", uuid4(), "--as", "ruth", "--reason", "sold-twice")
    assert (refused["code"], "No Back Office is running" in refused["detail"]) == ("not-running", True)
