"""Our own client with one thing wrong at a time: the kit names exactly the rule about it.

It works on a clock of its own and speaks to the kit directly, so that a whole run takes no time.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from backoffice_terminal import Draft, Journal, Order, Terminal, TerminalError
from backoffice_terminal import orders as client_orders
from backoffice_terminal.retry import Retry
from backoffice_terminal.saved import SavedBatch
from backoffice_terminal.uplink import Uplink

from backoffice.workbench.conformance.office import Office
from tests.integration.conformance.naive_till import Clock
from tests.integration.conformance.test_our_client import Cashier, work_through

MOST_ROUNDS = 60


class Wire(httpx.BaseTransport):
    """Carries requests to the kit; what it never answers is a connection that ends."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self._office.handle(request.method, request.url.raw_path.decode(), headers, request.read())
        if answer.manner != "whole":
            raise httpx.RemoteProtocolError("the connection ended", request=request)
        return httpx.Response(
            answer.status, headers={"Content-Type": "application/json", **answer.headers}, content=answer.encoded
        )


class HastyCashier(Cashier):
    """Gives up a step that a mutant never finishes, and goes on with the next."""

    clock: Clock

    def until(self, step: int, call: Callable[[], object]) -> None:
        for _ in range(MOST_ROUNDS):
            if not any(left.startswith(f"{step}.") for left in self.steps_left()):
                return
            call()
            self.clock.sleep(0.5)


def in_every_order(**fields: object) -> Callable[[pytest.MonkeyPatch], None]:
    """A mutation of what every order says."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        finish = Draft.finish

        def finished(self: Draft, **given: Any) -> Order:
            return msgspec.structs.replace(finish(self, **given), **fields)

        patch.setattr(Draft, "finish", finished)

    return mutate


def positive_refunds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(client_orders, "_reversed", lambda line: line)


def movements_lost_in_a_split(patch: pytest.MonkeyPatch) -> None:
    split = Uplink._split

    def without_movements(self: Uplink, batch: SavedBatch, *how: Any) -> list[SavedBatch]:
        pieces = split(self, batch, *how)
        for piece in pieces:
            if piece.movements:
                self._journal.mark_batch(piece.batch_id, "superseded")
        return [piece for piece in pieces if not piece.movements]

    patch.setattr(Uplink, "_split", without_movements)


def movements_renamed_in_a_split(patch: pytest.MonkeyPatch) -> None:
    split = Uplink._split

    def renamed(self: Uplink, batch: SavedBatch, *how: Any) -> list[SavedBatch]:
        for old, body in zip(batch.movements, self._journal.members(batch)[1], strict=True):
            new = str(uuid4())
            row = (new, msgspec.json.encode(msgspec.json.decode(body) | {"movement_id": new}), old)
            self._journal._db.execute("UPDATE movements SET movement_id = ?, body = ? WHERE movement_id = ?", row)
            batch.movements[batch.movements.index(old)] = new
        return split(self, batch, *how)

    patch.setattr(Uplink, "_split", renamed)


def movements_never_sent(patch: pytest.MonkeyPatch) -> None:
    """They are in the journal, and the close counts them."""
    unsealed = Journal.unsealed
    patch.setattr(Journal, "unsealed", lambda self, shift_id: (unsealed(self, shift_id)[0], {}))


def receipts_never_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Uplink, "_read_receipt", lambda *_: None)


def retries_every(pause_s: float) -> Callable[[pytest.MonkeyPatch], None]:
    def mutate(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Retry, "_pause", lambda self, *_: self._sleep(pause_s))

    return mutate


MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], set[str]]] = {
    "none": (lambda _: None, set()),
    "positive-refunds": (positive_refunds, {"refund-not-negative"}),
    "adjustments-with-lines": (in_every_order(adjusts=str(uuid4())), {"adjusts-alone"}),
    "always-online": (in_every_order(mode="online"), {"mode"}),
    "always-offline": (in_every_order(mode="offline"), {"mode"}),
    "receipts-never-read": (receipts_never_read, {"receipt-read"}),
    "every-200-ms": (retries_every(0.2), {"backs-off"}),
    "every-500-ms": (retries_every(0.5), {"backs-off"}),
    "movements-never-sent": (movements_never_sent, {"movements-arrive"}),
    "movements-renamed": (movements_renamed_in_a_split, {"movement-id-kept"}),
    "movements-lost": (movements_lost_in_a_split, {"movements-arrive"}),
}


@pytest.mark.parametrize(("mutate", "broken"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_of_our_client_breaks_exactly_the_rule_about_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[pytest.MonkeyPatch], None],
    broken: set[str],
) -> None:
    clock = Clock()
    office = Office(seed=1, clock=clock)
    till = Terminal(
        tmp_path / "till.sqlite",
        "http://kit",
        sleep=clock.sleep,
        monotonic=clock,
        rng=Random(1),
        transport=Wire(office),
    )
    cashier = HastyCashier(till, office.floor.credentials.codes, lambda: office.steps_left)
    cashier.clock = clock
    mutate(monkeypatch)
    try:
        work_through(cashier)
    except (TerminalError, pytest.fail.Exception):
        assert broken, office.report().as_text()  # a mutant need not come to the end
    till.close()
    assert set(office.report().of("broken")) == broken, office.report().as_text()
    assert office.report().passed is (not broken)
