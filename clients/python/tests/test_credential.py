"""Changing the token: whatever is lost on the way, the till always has one that works (§3)."""

from collections.abc import Callable

import httpx
import pytest

from backoffice_terminal import CredentialInvalid, Draft, LinkError, NotActivated, Terminal
from backoffice_terminal.testing import After, FakeBackOffice, problem

Ring = Callable[[], Draft]


def bearers(server: FakeBackOffice) -> list[str]:
    return [request.headers["Authorization"].removeprefix("Bearer ") for request in server.requests[1:]]


def saved(till: Terminal) -> tuple[str | None, str | None]:
    return till.journal.fact("token"), till.journal.fact("token_next")


def test_a_new_token_takes_over_and_the_old_one_is_forgotten(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    old, _ = saved(till)
    till.change_token()
    new, waiting = saved(till)
    assert (new != old, waiting) == (True, None)
    assert till.sell(baguette()).outcome == "posted"
    assert bearers(server)[-3:] == [old, new, new]


def test_a_new_token_is_on_the_disk_before_it_is_used_and_the_old_one_still_is(
    till: Terminal, server: FakeBackOffice
) -> None:
    old, _ = saved(till)
    server.script = [None, *[httpx.ConnectError("down")] * 3]
    with pytest.raises(LinkError):
        till.change_token()
    assert saved(till) == (old, "token-2")


def test_after_a_power_cut_the_new_token_is_used_and_proven(
    till: Terminal, boot: Callable[[], Terminal], server: FakeBackOffice
) -> None:
    server.script = [None, *[After(httpx.ReadTimeout("lost"))] * 3]
    with pytest.raises(LinkError):
        till.change_token()
    again = boot()
    again.sync()
    assert saved(again) == ("token-2", None)
    assert bearers(server)[-1] == "token-2"


def test_a_lost_answer_costs_nothing_but_another_token(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [After(httpx.ReadTimeout("lost"))]
    till.change_token()
    assert saved(till) == ("token-3", None)


def test_a_new_token_that_was_replaced_gives_way_to_the_old_one(till: Terminal, server: FakeBackOffice) -> None:
    old, _ = saved(till)
    server.script = [None, problem(401, "credential-invalid")]
    till.change_token()
    assert saved(till) == (old, None)
    assert bearers(server)[-2:] == ["token-2", old]


def test_an_unproven_token_is_proven_before_another_is_asked_for(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [None, *[httpx.ConnectError("down")] * 3]
    with pytest.raises(LinkError):
        till.change_token()
    till.change_token()
    assert saved(till) == ("token-3", None)


def test_where_neither_token_is_good_the_till_sends_nothing(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [None, *[problem(401, "credential-invalid")] * 2]
    with pytest.raises(CredentialInvalid):
        till.change_token()
    assert saved(till) == (None, None)
    before = len(server.requests)
    with pytest.raises(NotActivated):
        till.sync()
    assert len(server.requests) == before
