"""A terminal notices when the books do not go on from the seal that it was given."""

import httpx
import pytest

from backoffice_terminal import Terminal
from backoffice_terminal.testing import FakeBackOffice
from backoffice_terminal.witness import contradicts, doubt_of_the_books, read_seal


def seal(size: int, root: str = "AAAA", origin: str = "books.example/1") -> str:
    return f"{origin}\n{size}\n{root}\n\n— {origin} c2ln\n"


@pytest.mark.parametrize(
    ("given", "doubtful"),
    [
        (seal(20), False),
        (seal(21, "BBBB"), False),
        (seal(20, "BBBB"), True),
        (seal(19), True),
        (seal(19, origin="books.example/2"), False),
        ("a form of another day", False),
    ],
)
def test_books_only_grow_and_have_one_root_of_a_size(given: str, doubtful: bool) -> None:
    assert contradicts(given, seal(20)) is doubtful


@pytest.mark.parametrize("text", ["", "seal-1", "a\nb\nc\n\n", "a\n1\nc", "a\n-1\nc\n\n"])
def test_a_text_of_another_form_is_not_read(text: str) -> None:
    assert read_seal(text) is None


def test_a_terminal_keeps_both_of_what_contradicts_each_other(till: Terminal, server: FakeBackOffice) -> None:
    given = [seal(20), seal(21), seal(5), seal(6)]
    for checkpoint in given:
        answer = {"server_time": "2026-03-01T10:00:00Z", "clock_skew_ms": 0, "checkpoint": checkpoint}
        server.script = [httpx.Response(200, json=answer)]
        till.heartbeat()
        assert till.journal.fact("checkpoint") == checkpoint
    assert doubt_of_the_books(till.journal) == (seal(21), seal(5))


def test_books_that_go_on_leave_no_doubt(till: Terminal, server: FakeBackOffice) -> None:
    for size in (1, 1, 2):
        answer = {"server_time": "2026-03-01T10:00:00Z", "clock_skew_ms": 0, "checkpoint": seal(size)}
        server.script = [httpx.Response(200, json=answer)]
        till.heartbeat()
    assert doubt_of_the_books(till.journal) is None
