"""The device that a new one replaces (§10): the shift that it left open, and the cache that is found later."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from backoffice_terminal.api import ShiftView, Store, TerminalView
from backoffice_terminal.journal import Journal
from backoffice_terminal.problems import NoOpenShift
from backoffice_terminal.saved import Opening
from backoffice_terminal.uplink import Uplink


class Predecessor:
    """What a journal does not know of its own terminal, because another device wrote it down.

    `uplink_of` gives an uplink for another journal, with the credential of this device.
    """

    def __init__(
        self, journal: Journal, uplink: Uplink, uplink_of: Callable[[Journal], Uplink], *, now: Callable[[], datetime]
    ) -> None:
        self._journal = journal
        self._uplink = uplink
        self._uplink_of = uplink_of
        self._now = now

    def left_open(self) -> ShiftView | None:
        """The shift that it left open, as Back Office sees it; None where there is none."""
        return self._left_open(self._uplink.catch_up())

    def _left_open(self, terminal: TerminalView) -> ShiftView | None:
        shift = terminal.open_shift
        return None if shift is None or self._journal.knows(shift.shift_id) else self._uplink.look(shift.shift_id)

    def adopt(self, store: Store, *, counted: int | None, besides: dict[str, object]) -> str:
        """Saves the shift that it left open, with the close that is to be sent; returns its id. Raises NoOpenShift.

        The totals are those of Back Office: this device has no others. Which batches the other one sent it cannot
        know, and it names none.
        """
        terminal = self._uplink.catch_up()
        left = self._left_open(terminal)
        if left is None:
            raise NoOpenShift("no other device has left a shift of this terminal open")
        terms = {"currency": store.currency, "prices_include_tax": store.prices_include_tax}
        opening = msgspec.convert(msgspec.structs.asdict(left) | terms, Opening)
        closed_at = self._now().isoformat()
        sums = msgspec.structs.asdict(left.computed)
        declared = {
            "closed_at": closed_at,
            "batches": [],
            "order_count": sums.pop("order_count"),
            "first_number": opening.first_number,
            "last_number": max(terminal.last_number or 0, opening.first_number - 1),
            "cash_counted": counted,
            **besides,
            "totals": sums,
        }
        self._journal.adopt_shift(
            left.shift_id, opening, counted=counted, closed_at=closed_at, declaration=msgspec.json.encode(declared)
        )
        return left.shift_id

    def send_kept(self, path: Path) -> None:
        """Sends what its journal file still holds, and what Back Office says is missing of it."""
        with closing(Journal(path)) as journal:
            journal.forget_unopened()
            uplink = self._uplink_of(journal)
            uplink.deliver()
            uplink.settle()
