"""What head office does once the tills are done: two people decide, count and approve, by the commands that people use."""

import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec
from backoffice_terminal.money import to_text
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import Max, Min
from rich.console import Console
from rich.table import Table

from backoffice.fleet.models import Store
from backoffice.sales.models import Shift
from backoffice.workbench.simulator.catalogue import Shop
from backoffice.workbench.simulator.report import PLAIN_WIDTH
from backoffice.workbench.simulator.story import Plot
from backoffice.workbench.simulator.till import Till

WAITS = 3
PROFILE = "accounting"
# As much the safe holds: more than the floats of the two tills, since whoever plays with the demo opens others.
FLOATS_IN_THE_SAFE = 6


class DeskNote(NamedTuple):
    """Something that was decided, in words. `agreed` is empty where one person was enough."""

    where: str
    what: str
    decided: str
    agreed: str


class Desk:
    """Two people of head office. Where an amount is at stake it takes both: one asks, the other agrees."""

    def __init__(self, data_dir: str, *, first: str, second: str) -> None:
        self.notes: list[DeskNote] = []
        self._data_dir = data_dir
        self._first = first
        self._second = second
        for name in (first, second):
            get_user_model().objects.create_superuser(username=name)
        Store.objects.update(second_person_above=0)
        self._run("export_profile", PROFILE, "--format=gl-csv")

    def count_safe(self, shop: Shop) -> None:
        """Counts the safe before the first till opens: it holds the floats of some drawers."""
        amount = FLOATS_IN_THE_SAFE * shop.opening_float
        words = f"safe counted: {to_text(amount, shop.currency)} {shop.currency}"
        self._decide(shop.code, words, ("count-safe", shop.code, str(amount)), ("daily",))

    def decide_held(self, till: Till, plot: Plot) -> None:
        """What is held: corrected where the till got it wrong, posted as it was sent where only its number was in the way."""
        for order_id, words in plot.broken.items():
            right = plot.corrected.get(order_id)
            if right is None:
                self._decide(_where(till), f"{words}: posted as sent", ("post", order_id), ("identity-only",))
            else:
                done, order = f"{words}: corrected and posted", msgspec.json.encode(right)
                self._decide(_where(till), done, ("correct", order_id), ("till-fault",), file=order)

    def count_drawer(self, till: Till, shift_id: str) -> None:
        """Counts what was closed without a count."""
        cash, currency = till.terminal.expected_cash(shift_id), till.shop.currency
        counts = msgspec.json.encode({"cash": cash})
        words = f"drawer counted: {to_text(cash, currency)} {currency}"
        self._decide(_where(till), words, ("recount", shift_id), ("closed-blind",), file=counts)

    def approve(self, till: Till, shift_id: str) -> None:
        """Approves a shift, with a note where it differs."""
        view = till.persist(lambda: till.terminal.look(shift_id))
        differs = bool(view.differences or view.cash.over_short)
        reason = ("difference-explained", "--note", "The day's report explains it.") if differs else ("agrees",)
        words = "shift approved, its difference explained" if differs else "shift approved"
        self._decide(_where(till), words, ("approve", shift_id), reason)

    def export(self, shop: Shop, folder: Path) -> None:
        """Hands what was posted of a shop's shifts to another program, sealed first."""
        days = Shift.objects.filter(store__code=shop.code).aggregate(
            first=Min("business_date"), last=Max("business_date")
        )
        span = (f"--from={days['first']}", f"--to={days['last']}")
        done = self._run("export", PROFILE, f"--store={shop.code}", *span, f"--out={folder}")
        entries = sum(revision["entries"] for revision in done["revisions"])
        names = ", ".join(revision["reference"] for revision in done["revisions"])
        self.notes.append(DeskNote(shop.code, f"{entries} entries exported as {names}", self._first, ""))

    def _decide(
        self, where: str, words: str, verb: Sequence[str], reason: Sequence[str], *, file: bytes | None = None
    ) -> None:
        """Has a verb decided with what it is about, by two where it waits for a second. Raises CommandError where it is refused."""
        with tempfile.TemporaryDirectory() as folder:
            more: tuple[str, ...] = ()
            if file is not None:
                path = Path(folder) / "decided.json"
                path.write_bytes(file)
                more = ("--file", str(path))
            asked = self._run("decide", *verb, *more, "--as", self._first, "--reason", *reason)
        agreed = ""
        if asked["state"] == "waiting":
            self._run("agree", asked["decision_id"], "--as", self._second)
            agreed = self._second
        self.notes.append(DeskNote(where, words, self._first, agreed))

    def _run(self, *words: str) -> dict[str, Any]:
        """What a command printed. Raises CommandError."""
        out = io.StringIO()
        try:
            call_command(*words, f"--data-dir={self._data_dir}", stdout=out)
        except SystemExit as end:
            if end.code != WAITS:
                raise
        answer: dict[str, Any] = json.loads(out.getvalue())
        return answer


def _where(till: Till) -> str:
    return f"{till.shop.code} {till.name}"


def print_notes(notes: Sequence[DeskNote], out: TextIO) -> None:
    """Writes what head office decided, one decision a line."""
    table = Table(title="Head office", caption="Where an amount is at stake, another person agrees.")
    for name in ("Till", "Decision", "Decided by", "Agreed by"):
        table.add_column(name, no_wrap=name != "Decision")
    for note in notes:
        table.add_row(*note)
    console = Console(file=out)
    Console(file=out, width=max(console.width, PLAIN_WIDTH)).print(table)
